//! tonic's servers and channels behind the layers.

mod calls;
mod metadata;
mod orders;
mod streams;
