//! Carriers other than HTTP: messages of queues, the environment of subprocesses, pages.

pub mod env;
pub mod html;
pub mod job;
