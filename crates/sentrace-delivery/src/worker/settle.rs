//! What becomes of a post that is through.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use http::StatusCode;
use http::header::LOCATION;
use sentrace_core::diagnostics;
use sentrace_protocol::{Reason, sensitive};

use super::Worker;
use crate::client::{Answer, describe};
use crate::in_flight::Outcome;
use crate::parcel::{Kind, Parcel};
use sentrace_outbox::Consignment;

/// How much of a URL is shown.
const MAX_LOCATION: usize = 200;

/// What was said aloud already.
#[derive(Debug, Default)]
pub(super) struct Told {
    silent: AtomicBool,
    refused: AtomicBool,
    redirected: AtomicBool,
}

/// Where a redirect leads to, without what may be secret in it.
fn location(answer: &Answer) -> Option<String> {
    let location = answer.headers.get(LOCATION)?;
    let location = String::from_utf8_lossy(location.as_bytes());
    Some(sensitive::split_url(&location).without_query.chars().take(MAX_LOCATION).collect())
}

impl Worker {
    /// Sentry SDK specification, *Client Reports* 1.20: what each outcome means.
    pub(super) fn settle(&mut self, parcel: Parcel, outcome: Outcome) {
        let now = Instant::now();
        self.ledger.settled();
        match outcome {
            Outcome::Answered(answer) => self.settle_answered(parcel, &answer, now),
            Outcome::Unanswered(error) => {
                let (is_final, error) = (error.is_final(), describe(&error));
                diagnostics::warn_once(
                    &self.told.silent,
                    format_args!(
                        "the ingest gives no proper answer, transactions are held back or lost meanwhile: {error}"
                    ),
                );
                diagnostics::debug(format_args!("a post came to nothing: {error}"));
                self.ledger.failed();
                if is_final {
                    return self.through(parcel, |load| load.discard(Reason::NetworkError));
                }
                self.reach.failed();
                self.settle_unanswered(parcel, now);
            }
            Outcome::Aborted => self.keep_or_lose(parcel, Reason::NetworkError, now),
            Outcome::Panicked => self.through(parcel, |load| load.discard(Reason::InternalSdkError)),
        }
    }

    fn settle_answered(&mut self, parcel: Parcel, answer: &Answer, now: Instant) {
        if self.reach.answered(answer.version, now) {
            self.retries.make_due(now);
            self.resume_replay(now);
        }
        self.limits.update(answer.status, &answer.headers, now);
        self.ledger.answered(&self.limits, now);
        match answer.status {
            status if status.is_success() => {
                self.ledger.delivered(parcel.load.tally());
                self.through(parcel, Consignment::delivered);
            }
            StatusCode::TOO_MANY_REQUESTS => {
                self.ledger.limited(parcel.load.tally());
                self.through(parcel, Consignment::rate_limited);
            }
            status => {
                self.warn_of_refusal(status, answer);
                self.ledger.refused();
                self.through(parcel, |load| load.discard(Reason::SendError));
            }
        }
    }

    fn warn_of_refusal(&self, status: StatusCode, answer: &Answer) {
        match location(answer).filter(|_| status.is_redirection()) {
            Some(location) => diagnostics::warn_once(
                &self.told.redirected,
                format_args!(
                    "the ingest answers {status} and redirects to {location}, which envelopes do not follow; correct the \
                     scheme, host and port of the DSN"
                ),
            ),
            None => diagnostics::warn_once(
                &self.told.refused,
                format_args!(
                    "the ingest refused an envelope with {status}; turn on the option debug to see why"
                ),
            ),
        }
    }

    fn settle_unanswered(&mut self, parcel: Parcel, now: Instant) {
        // What was under way before may have failed because of what is over by now.
        let tried = parcel.posted_at.is_some_and(|posted_at| posted_at >= self.closing_at);
        let nobody_there = self.closing && tried && self.reach.is_away();
        match parcel.kind {
            Kind::Fresh(_) if !nobody_there => {
                if let Some(parcel) = self.retries.wait(parcel, now) {
                    self.keep_or_lose(parcel, Reason::NetworkError, now);
                }
            }
            _ => self.keep_or_lose(parcel, Reason::NetworkError, now),
        }
    }

    /// What cannot be delivered now goes to disk where there is a spool, and is lost for `reason` otherwise.
    pub(super) fn keep_or_lose(&mut self, parcel: Parcel, reason: Reason, now: Instant) {
        let Some(spool) = self.spool.as_mut().filter(|_| parcel.kind != Kind::Report) else {
            return parcel.load.discard(reason);
        };
        match self.encoder.restamp_for_spool(&parcel.body) {
            Some(kept) => match parcel.kind {
                Kind::Kept(file) => {
                    spool.give_back(parcel.load, kept, file);
                    self.postpone_replay(parcel.posted_at, now);
                }
                _ => spool.keep(parcel.load, &kept, reason, now),
            },
            None => self.through(parcel, |load| load.discard(Reason::InternalSdkError)),
        }
    }

    fn through(&mut self, parcel: Parcel, account: impl FnOnce(Consignment)) {
        account(parcel.load);
        if let (Kind::Kept(file), Some(spool)) = (parcel.kind, &mut self.spool) {
            spool.settled(file);
        }
    }
}
