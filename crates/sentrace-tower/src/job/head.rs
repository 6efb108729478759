//! What a worker knows of a job before it works on it.

use std::borrow::Cow;

use sentrace_core::carriers::job::JobTrace;

/// A job, as far as its trace goes.
///
/// ```
/// use sentrace_core::carriers::job::JobTrace;
/// use sentrace_tower::JobHead;
///
/// # let headers = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
/// let head = JobHead::new("send mail", JobTrace::from_carrier(&headers)).message_id("17").retry_count(2);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a job is recorded by the layer that is told of it"]
pub struct JobHead {
    pub(super) name: Cow<'static, str>,
    pub(super) trace: JobTrace,
    pub(super) message_id: Option<String>,
    pub(super) body_size: Option<u64>,
    pub(super) retry_count: Option<u32>,
}

impl JobHead {
    /// A job of this kind (`send mail`), low in number of values, with what its message carries of the trace.
    pub fn new(name: impl Into<Cow<'static, str>>, trace: JobTrace) -> Self {
        Self { name: name.into(), trace, message_id: None, body_size: None, retry_count: None }
    }

    /// The message's id (`messaging.message.id`).
    pub fn message_id(mut self, id: impl Into<String>) -> Self {
        self.message_id = Some(id.into());
        self
    }

    /// The body's size in bytes (`messaging.message.body.size`).
    pub const fn body_size(mut self, bytes: u64) -> Self {
        self.body_size = Some(bytes);
        self
    }

    /// How often it was tried before (`messaging.message.retry.count`).
    pub const fn retry_count(mut self, count: u32) -> Self {
        self.retry_count = Some(count);
        self
    }
}
