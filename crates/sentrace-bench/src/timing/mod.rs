//! Times: how they are taken, and what can be concluded from them.

pub mod interval;
pub mod samples;
pub mod time;
