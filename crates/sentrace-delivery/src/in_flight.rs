//! The posts under way.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinError, JoinSet};

use crate::client::{Answer, Error};
use crate::parcel::{Kind, Parcel};

/// How a post came out.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(Answer),
    Unanswered(Error),
    /// Given up by us.
    Aborted,
    Panicked,
}

type Joined = Result<(Id, Result<Answer, Error>), JoinError>;

#[derive(Debug, Default)]
pub(crate) struct InFlight {
    posts: JoinSet<Result<Answer, Error>>,
    parcels: HashMap<Id, Parcel>,
    bytes: usize,
}

impl InFlight {
    pub(crate) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.parcels.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn contains(&self, post: Id) -> bool {
        self.parcels.contains_key(&post)
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.parcels.values().map(|parcel| parcel.kind)
    }

    /// How many have been under way for longer than this.
    pub(crate) fn older_than(&self, age: Duration, now: Instant) -> usize {
        let is_old = |posted_at: Instant| now.saturating_duration_since(posted_at) > age;
        self.parcels.values().filter(|parcel| parcel.posted_at.is_some_and(is_old)).count()
    }

    pub(crate) fn start(
        &mut self,
        mut parcel: Parcel,
        post: impl Future<Output = Result<Answer, Error>> + Send + 'static,
    ) -> Id {
        let id = self.posts.spawn(post).id();
        parcel.tries += 1;
        parcel.posted_at = Some(Instant::now());
        self.bytes += parcel.body.len();
        self.parcels.insert(id, parcel);
        id
    }

    /// The next post that is through; `None` where none is under way. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Option<(Parcel, Outcome)> {
        loop {
            let joined = self.posts.join_next_with_id().await?;
            if let Some(through) = self.take(joined) {
                return Some(through);
            }
        }
    }

    /// The next post that is through already.
    pub(crate) fn try_next(&mut self) -> Option<(Parcel, Outcome)> {
        loop {
            let joined = self.posts.try_join_next_with_id()?;
            if let Some(through) = self.take(joined) {
                return Some(through);
            }
        }
    }

    fn take(&mut self, joined: Joined) -> Option<(Parcel, Outcome)> {
        let (id, outcome) = match joined {
            Ok((id, Ok(answer))) => (id, Outcome::Answered(answer)),
            Ok((id, Err(error))) => (id, Outcome::Unanswered(error)),
            Err(error) if error.is_panic() => (error.id(), Outcome::Panicked),
            Err(error) => (error.id(), Outcome::Aborted),
        };
        let parcel = self.parcels.remove(&id)?;
        self.bytes -= parcel.body.len();
        Some((parcel, outcome))
    }

    /// Gives all up; [`next`](Self::next) then tells of each.
    pub(crate) fn abort(&mut self) {
        self.posts.abort_all();
    }
}
