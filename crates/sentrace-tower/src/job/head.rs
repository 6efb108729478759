//! Name, trace and message data of a job.

use std::borrow::Cow;

use sentrace_core::carriers::job::JobTrace;

/// Name, trace and message data of a job, for [`SentryJobLayer`](super::SentryJobLayer).
///
/// ```
/// use sentrace_core::carriers::job::JobTrace;
/// use sentrace_tower::JobHead;
///
/// # let headers = [("sentry-trace", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")];
/// let head = JobHead::new("send mail", JobTrace::from_carrier(&headers)).message_id("17").retry_count(2);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a job is recorded by the layer that gets its head"]
pub struct JobHead {
    pub(super) name: Cow<'static, str>,
    pub(super) trace: JobTrace,
    pub(super) message_id: Option<String>,
    pub(super) body_size: Option<u64>,
    pub(super) retry_count: Option<u32>,
}

impl JobHead {
    /// Creates the head of a job with this name (`send mail`), which should have few distinct values, and with the trace that
    /// its message carries.
    pub fn new(name: impl Into<Cow<'static, str>>, trace: JobTrace) -> Self {
        Self { name: name.into(), trace, message_id: None, body_size: None, retry_count: None }
    }

    /// Sets the id of the message (`messaging.message.id`).
    pub fn message_id(mut self, id: impl Into<String>) -> Self {
        self.message_id = Some(id.into());
        self
    }

    /// Sets the size of the body in bytes (`messaging.message.body.size`).
    pub const fn body_size(mut self, bytes: u64) -> Self {
        self.body_size = Some(bytes);
        self
    }

    /// Sets the number of earlier attempts (`messaging.message.retry.count`).
    pub const fn retry_count(mut self, count: u32) -> Self {
        self.retry_count = Some(count);
        self
    }
}
