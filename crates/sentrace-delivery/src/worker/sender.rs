//! Whether, when and how often something is posted, and what the outcome means.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::LOCATION;
use sentrace_core::diagnostics;
use sentrace_outbox::{Consignment, Outbox};
use sentrace_protocol::{Category, Reason, sensitive};
use tokio::task::Id;

use super::in_flight::{InFlight, Outcome};
use super::retries::Retries;
use super::stats::WorkerStats;
use super::submission::{Origin, Submission};
use crate::http::{Response, describe_error};
use crate::ingest::{Ingest, PROBES, RateLimits, Reachability};

/// No new post starts while more bytes are in flight or wait to be retried.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// A post that takes longer may never be answered.
const SLOW: Duration = Duration::from_secs(5);
/// Length at which a URL in a message is cut.
const MAX_LOCATION: usize = 200;

/// The posts to one ingest: in flight, waiting to be retried, and refused by rate limits.
#[derive(Debug)]
pub(crate) struct Sender {
    /// `None` if there is only Spotlight.
    ingest: Option<Arc<Ingest>>,
    outbox: Arc<Outbox>,
    stats: Arc<WorkerStats>,
    limits: RateLimits,
    reachability: Reachability,
    in_flight: InFlight,
    retries: Retries,
    closing_since: Option<Instant>,
    warned: Warned,
}

/// What becomes of the next transaction or batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    Post,
    /// To the spool if there is one. Otherwise it is discarded for this reason.
    Spool(Reason),
}

/// What became of a post.
#[derive(Debug)]
pub(super) enum Settled {
    /// It is accounted for.
    Done(Origin),
    /// It will be retried.
    Waiting,
    /// To the spool if there is one. Otherwise it is discarded for this reason.
    Undelivered(Submission, Reason),
}

/// What was warned about; each warning is given once.
#[derive(Debug, Default)]
struct Warned {
    unreachable: AtomicBool,
    refused: AtomicBool,
    redirected: AtomicBool,
}

impl Sender {
    pub(crate) fn new(
        ingest: Option<Ingest>,
        outbox: Arc<Outbox>,
        stats: Arc<WorkerStats>,
        retry_timeout: Duration,
    ) -> Self {
        Self {
            ingest: ingest.map(Arc::new),
            outbox,
            stats,
            limits: RateLimits::default(),
            reachability: Reachability::default(),
            in_flight: InFlight::default(),
            retries: Retries::new(retry_timeout),
            closing_since: None,
            warned: Warned::default(),
        }
    }

    pub(super) fn has_ingest(&self) -> bool {
        self.ingest.is_some()
    }

    /// Returns what would become of the next of `category`, or `None` if it has to wait.
    pub(super) fn disposition(
        &self,
        category: Category,
        can_spool: bool,
        now: Instant,
    ) -> Option<Disposition> {
        if self.limits.is_active(category, now) {
            Some(Disposition::Spool(Reason::RatelimitBackoff))
        } else if self.ingest.is_none() || self.may_post_new(now) {
            Some(Disposition::Post)
        } else if can_spool && self.reachability.is_unreachable() {
            Some(Disposition::Spool(Reason::NetworkError))
        } else {
            None
        }
    }

    fn may_post_new(&self, now: Instant) -> bool {
        self.may_post(now)
            && self.len() < 2 * self.reachability.max_posts()
            && self.in_flight.bytes() + self.retries.bytes() < MAX_BYTES
    }

    fn may_post(&self, now: Instant) -> bool {
        let (posts, max) = (self.in_flight.len(), self.reachability.max_posts());
        // Posts without a response must not keep others from finding out that there are responses again.
        let slow = if posts < max { 0 } else { self.in_flight.older_than(SLOW, now) };
        let max = if slow > 0 && self.reachability.no_response_for(SLOW, now) { PROBES } else { max };
        posts - slow < max
    }

    /// Returns `true` if so few posts are in flight that spooled envelopes do not delay new ones.
    pub(super) fn is_calm(&self) -> bool {
        self.in_flight.len() <= self.reachability.max_posts() / 2
    }

    /// Posts an envelope. Returns `None` if there is only Spotlight, and if a caller of `close` has given up.
    pub(super) fn post(&mut self, submission: Submission) -> Option<Id> {
        let Some(ingest) = self.ingest.as_ref().map(Arc::clone) else {
            submission.consignment.delivered();
            return None;
        };
        if self.outbox.account().is_given_up() {
            return None;
        }
        let body = submission.body.clone();
        self.stats.posted(body.len());
        Some(self.in_flight.start(submission, async move { ingest.post(body).await }))
    }

    /// Takes the next envelope that waited long enough to be retried.
    pub(super) fn next_retry(&mut self, now: Instant) -> Option<Submission> {
        if self.may_post(now) { self.retries.pop_due(now) } else { None }
    }

    /// Returns how long until [`next_retry`](Self::next_retry) may return one.
    pub(super) fn retry_in(&self, now: Instant) -> Duration {
        if self.may_post(now) { self.retries.due_in(now) } else { Duration::MAX }
    }

    pub(super) fn is_limited(&self, category: Category, now: Instant) -> bool {
        self.limits.is_active(category, now)
    }

    pub(super) fn limited_for(&self, category: Category, now: Instant) -> Duration {
        self.limits.remaining(category, now)
    }

    pub(super) fn any_limit(&self, now: Instant) -> bool {
        self.limits.any_active(now)
    }

    /// Waits for the next post that ends. Returns `None` if none is in flight. Cancel safe.
    pub(super) async fn next_outcome(&mut self) -> Option<(Submission, Outcome)> {
        self.in_flight.next().await
    }

    /// Returns the next post that has ended.
    pub(super) fn try_next_outcome(&mut self) -> Option<(Submission, Outcome)> {
        self.in_flight.try_next()
    }

    /// Accounts for a post that ended (Sentry SDK specification, *Client Reports* 1.20: what each outcome means).
    pub(super) fn settle(&mut self, submission: Submission, outcome: Outcome, now: Instant) -> Settled {
        self.stats.settled();
        let Submission { origin, .. } = submission;
        let discard = |submission: Submission, reason| {
            submission.consignment.discard(reason);
            Settled::Done(origin)
        };
        match outcome {
            Outcome::Response(response) => {
                self.on_response(submission.consignment, &response, now);
                Settled::Done(origin)
            }
            Outcome::NoResponse(error) => {
                let (is_final, error) = (error.is_final(), describe_error(&error));
                diagnostics::warn_once(
                    &self.warned.unreachable,
                    format_args!(
                        "the ingest does not respond, transactions are held back or lost meanwhile: {error}"
                    ),
                );
                diagnostics::debug(format_args!("a post failed: {error}"));
                self.stats.failed();
                if is_final {
                    return discard(submission, Reason::NetworkError);
                }
                self.reachability.on_failure();
                self.retry_later(submission, now)
            }
            Outcome::Aborted => Settled::Undelivered(submission, Reason::NetworkError),
            Outcome::Panicked => discard(submission, Reason::InternalSdkError),
        }
    }

    fn on_response(&mut self, consignment: Consignment, response: &Response, now: Instant) {
        if self.reachability.on_response(response.version, now) {
            self.retries.make_due(now);
        }
        self.limits.update(response.status, &response.headers, now);
        self.stats.responded(&self.limits, now);
        match response.status {
            status if status.is_success() => {
                self.stats.delivered(consignment.tally());
                consignment.delivered();
            }
            StatusCode::TOO_MANY_REQUESTS => {
                self.stats.limited(consignment.tally());
                consignment.rate_limited();
            }
            status => {
                self.warn_of_refusal(status, response);
                self.stats.refused();
                consignment.discard(Reason::SendError);
            }
        }
    }

    fn warn_of_refusal(&self, status: StatusCode, response: &Response) {
        match location(response).filter(|_| status.is_redirection()) {
            Some(location) => diagnostics::warn_once(
                &self.warned.redirected,
                format_args!(
                    "the ingest responds with {status} and redirects to {location}, which envelopes do not follow; correct \
                     the scheme, host and port of the DSN"
                ),
            ),
            None => diagnostics::warn_once(
                &self.warned.refused,
                format_args!(
                    "the ingest refused an envelope with {status}; turn on the option debug to see why"
                ),
            ),
        }
    }

    fn retry_later(&mut self, submission: Submission, now: Instant) -> Settled {
        // Posts that began before the close may have failed for a reason that is gone.
        let was_closing = self.closing_since.is_some_and(|since| submission.posted_at >= Some(since));
        let is_hopeless = was_closing && self.reachability.is_unreachable();
        if !matches!(submission.origin, Origin::Queue(_)) || is_hopeless {
            return Settled::Undelivered(submission, Reason::NetworkError);
        }
        match self.retries.wait(submission, now) {
            None => Settled::Waiting,
            Some(submission) => Settled::Undelivered(submission, Reason::NetworkError),
        }
    }

    /// Returns `true` if the last post got no response.
    pub(super) fn is_failing(&self) -> bool {
        self.reachability.is_failing()
    }

    pub(super) fn is_unreachable(&self) -> bool {
        self.reachability.is_unreachable()
    }

    /// Ends all pauses, and stops retrying once the ingest is unreachable.
    pub(super) fn begin_close(&mut self, now: Instant) {
        self.closing_since = Some(now);
        self.retries.make_due(now);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing_since.is_some()
    }

    /// Aborts all posts. [`next_outcome`](Self::next_outcome) then returns each.
    pub(super) fn abort(&mut self) {
        self.in_flight.abort();
    }

    /// Takes everything that waits to be retried.
    pub(super) fn take_retries(&mut self, now: Instant) -> Vec<Submission> {
        self.retries.make_due(now);
        std::iter::from_fn(|| self.retries.pop_due(now)).collect()
    }

    /// Returns the number of envelopes in flight or waiting to be retried.
    pub(super) fn len(&self) -> usize {
        self.in_flight.len() + self.retries.len()
    }

    pub(super) fn has_posts(&self) -> bool {
        !self.in_flight.is_empty()
    }

    pub(super) fn is_in_flight(&self, post: Id) -> bool {
        self.in_flight.contains(post)
    }

    /// Returns `true` if an envelope is left that was taken from the queue before the `target`-th.
    pub(super) fn has_before(&self, target: u64) -> bool {
        let is_before = |origin| matches!(origin, Origin::Queue(number) if number < target);
        self.in_flight.origins().chain(self.retries.origins()).any(is_before)
    }
}

/// Returns where a redirect leads, without the query.
fn location(response: &Response) -> Option<String> {
    let location = response.headers.get(LOCATION)?;
    let location = String::from_utf8_lossy(location.as_bytes());
    Some(sensitive::split_url(&location).without_query.chars().take(MAX_LOCATION).collect())
}
