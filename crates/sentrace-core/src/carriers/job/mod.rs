//! Propagates the trace in a message of a queue, with the spans of both sides (Sentry SDK
//! specification, *Queues*).

mod enqueued;
mod messaging;
mod serde;

use std::borrow::Cow;
use std::time::Duration;

use sentrace_protocol::{Carrier, SpanLink, baggage, link_type, sentry_trace};

use self::enqueued::Enqueued;
pub use self::messaging::{Process, Publish};
use crate::client::Client;
use crate::handle::span::SpanRef;
use crate::handle::transaction::Transaction;

/// What a message carries of its trace: a field to embed in a job, or a carrier for a broker's own
/// headers.
///
/// It never makes a job fail: missing fields, as in jobs that were queued before an update, and
/// values of any wrong type mean no trace. In formats without field names (`bincode`, `postcard`),
/// it is a tuple of three options.
///
/// ```
/// use sentrace_core::carriers::job::{JobTrace, Publish};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct SendMail {
///     to: String,
///     #[serde(default)]
///     trace: JobTrace,
/// }
///
/// // The side that queues:
/// let (span, trace) = Publish::to("mails").message_id("17").start();
/// let job = serde_json::to_string(&SendMail { to: "a@example.com".into(), trace }).unwrap();
/// span.finish();
///
/// // The side that works:
/// let job: SendMail = serde_json::from_str(&job).unwrap();
/// let transaction = job.trace.process("mails", "send mail");
/// transaction.enter(|| { /* the work */ });
/// transaction.finish();
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobTrace {
    sentry_trace: Option<String>,
    baggage: Option<String>,
    enqueued: Option<Enqueued>,
}

impl JobTrace {
    /// Returns the trace of `span`, queued now.
    pub fn of(span: &SpanRef) -> Self {
        let headers = span.trace_headers();
        Self {
            sentry_trace: headers.as_ref().map(|headers| headers.sentry_trace().to_string()),
            baggage: headers.as_ref().and_then(|headers| headers.baggage().map(str::to_owned)),
            enqueued: Enqueued::now(),
        }
    }

    /// Reads the headers of a broker's message.
    pub fn from_carrier(carrier: &(impl Carrier + ?Sized)) -> Self {
        let first = |name: &str| {
            let mut first = None;
            carrier.get_all(name, &mut |value| {
                if first.is_none() {
                    first = std::str::from_utf8(value).ok().map(str::to_owned);
                }
            });
            first
        };
        Self {
            sentry_trace: first(sentry_trace::HEADER),
            baggage: first(baggage::HEADER).map(bounded),
            enqueued: first(enqueued::HEADER).and_then(|value| Enqueued::parse(&value)),
        }
    }

    /// Returns the pairs for a broker's own message headers: `sentry-trace`, `baggage`, and when
    /// the message was queued, as `sentry-task-enqueued-time` in seconds since 1970, which Sentry's
    /// other SDKs read and write, too.
    ///
    /// All of them are strings. A worker that expects the time as a number, like Celery's, needs
    /// the serialized `JobTrace` instead.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        fn text<'a>(name: &'static str, value: Option<&'a str>) -> Option<(&'static str, Cow<'a, str>)> {
            value.map(|value| (name, Cow::Borrowed(value)))
        }
        let enqueued = self.enqueued.map(|at| (enqueued::HEADER, Cow::Owned(at.to_string())));
        let sentry_trace = text(sentry_trace::HEADER, self.sentry_trace.as_deref());
        [sentry_trace, text(baggage::HEADER, self.baggage.as_deref()), enqueued].into_iter().flatten()
    }

    /// Creates a link to the span that queued the message (`message_origin`), for a span that works on several messages.
    /// Returns `None` if the message carries no trace.
    ///
    /// ```
    /// use sentrace_core::carriers::job::JobTrace;
    ///
    /// # let jobs: Vec<JobTrace> = Vec::new();
    /// let batch = sentrace_core::start_transaction("send mails", "queue.process");
    /// batch.add_links(jobs.iter().filter_map(JobTrace::link));
    /// ```
    pub fn link(&self) -> Option<SpanLink<'static>> {
        SpanLink::from_carrier(self).map(|link| link.link_type(link_type::MESSAGE_ORIGIN))
    }

    /// Returns how long the message has been queued, or `None` if it does not say, or if the clocks
    /// disagree.
    pub fn latency(&self) -> Option<Duration> {
        self.enqueued?.elapsed()
    }

    /// Starts the transaction that processes the message: op `queue.process`, in the message's
    /// trace, with `messaging.destination.name` and `messaging.message.receive.latency`
    /// (milliseconds). Use [`Process`] to set more.
    pub fn process(&self, queue: &str, name: &str) -> Transaction {
        Process::of(queue, name).start(self)
    }

    /// Like [`process`](Self::process), for an explicit client.
    pub fn process_with(&self, client: &Client, queue: &str, name: &str) -> Transaction {
        Process::of(queue, name).client(client).start(self)
    }
}

/// The value may be propagated when the message is queued again, so it is limited like any other
/// header.
fn bounded(came: String) -> String {
    if came.len() <= baggage::MAX_BYTES {
        return came;
    }
    let mut members = String::new();
    baggage::copy_sentry_members_within_limits(std::iter::once(came.as_bytes()), &mut members);
    members
}

impl Carrier for JobTrace {
    fn get_all<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        let value = match name {
            sentry_trace::HEADER => self.sentry_trace.as_deref(),
            baggage::HEADER => self.baggage.as_deref(),
            _ => None,
        };
        if let Some(value) = value {
            each(value.as_bytes());
        }
    }
}
