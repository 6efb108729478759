//! The posts that have not ended.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinError, JoinSet};

use super::submission::{Origin, Submission};
use crate::http::{Error, Response};

/// How a post ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Response(Response),
    NoResponse(Error),
    /// The worker aborted it.
    Aborted,
    Panicked,
}

type Joined = Result<(Id, Result<Response, Error>), JoinError>;

#[derive(Debug, Default)]
pub(super) struct InFlight {
    posts: JoinSet<Result<Response, Error>>,
    submissions: HashMap<Id, Submission>,
    bytes: usize,
}

impl InFlight {
    pub(super) fn is_empty(&self) -> bool {
        self.submissions.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.submissions.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn contains(&self, post: Id) -> bool {
        self.submissions.contains_key(&post)
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = Origin> {
        self.submissions.values().map(|submission| submission.origin)
    }

    /// Returns how many are in flight for longer than `age`.
    pub(super) fn older_than(&self, age: Duration, now: Instant) -> usize {
        let is_old = |posted_at: Instant| now.saturating_duration_since(posted_at) > age;
        self.submissions.values().filter(|submission| submission.posted_at.is_some_and(is_old)).count()
    }

    pub(super) fn start(
        &mut self,
        mut submission: Submission,
        post: impl Future<Output = Result<Response, Error>> + Send + 'static,
    ) -> Id {
        let id = self.posts.spawn(post).id();
        submission.attempts += 1;
        submission.posted_at = Some(Instant::now());
        self.bytes += submission.body.len();
        self.submissions.insert(id, submission);
        id
    }

    /// Waits for the next post that ends. Returns `None` if none is in flight. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<(Submission, Outcome)> {
        loop {
            let joined = self.posts.join_next_with_id().await?;
            if let Some(ended) = self.remove(joined) {
                return Some(ended);
            }
        }
    }

    /// Returns the next post that has ended.
    pub(super) fn try_next(&mut self) -> Option<(Submission, Outcome)> {
        loop {
            let joined = self.posts.try_join_next_with_id()?;
            if let Some(ended) = self.remove(joined) {
                return Some(ended);
            }
        }
    }

    fn remove(&mut self, joined: Joined) -> Option<(Submission, Outcome)> {
        let (id, outcome) = match joined {
            Ok((id, Ok(response))) => (id, Outcome::Response(response)),
            Ok((id, Err(error))) => (id, Outcome::NoResponse(error)),
            Err(error) if error.is_panic() => (error.id(), Outcome::Panicked),
            Err(error) => (error.id(), Outcome::Aborted),
        };
        let submission = self.submissions.remove(&id)?;
        self.bytes -= submission.body.len();
        Some((submission, outcome))
    }

    /// Aborts all posts. [`next`](Self::next) then returns each.
    pub(super) fn abort(&mut self) {
        self.posts.abort_all();
    }
}
