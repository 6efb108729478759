//! The posts under way.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};

use crate::load::Load;
use crate::post::Answer;

/// Posts under way at the same time. At 50 ms an answer this is 1,280 transactions a second.
pub(crate) const MAX_POSTS: usize = 64;
/// Bytes under way, beyond which no further post starts.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// How a post came out.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(Answer),
    Unanswered(reqwest::Error),
    /// Given up by us.
    Aborted,
    Panicked,
}

#[derive(Debug, Default)]
pub(crate) struct InFlight {
    posts: JoinSet<Result<Answer, reqwest::Error>>,
    loads: HashMap<Id, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    load: Load,
    /// The transaction's place among all that left the queue; reports have none.
    number: Option<u64>,
    bytes: usize,
}

impl InFlight {
    pub(crate) fn is_empty(&self) -> bool {
        self.loads.is_empty()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.loads.len() < MAX_POSTS && self.bytes < MAX_BYTES
    }

    pub(crate) fn contains(&self, post: Id) -> bool {
        self.loads.contains_key(&post)
    }

    /// Whether all transactions that left the queue before `number` are through.
    pub(crate) fn all_through_before(&self, number: u64) -> bool {
        self.loads.values().all(|entry| entry.number.is_none_or(|own| own >= number))
    }

    pub(crate) fn start(
        &mut self,
        load: Load,
        number: Option<u64>,
        bytes: usize,
        post: impl Future<Output = Result<Answer, reqwest::Error>> + Send + 'static,
    ) -> Id {
        let id = self.posts.spawn(post).id();
        self.bytes += bytes;
        self.loads.insert(id, Entry { load, number, bytes });
        id
    }

    /// The next post that is through; `None` where none is under way. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Option<(Load, Outcome)> {
        loop {
            let (id, outcome) = match self.posts.join_next_with_id().await? {
                Ok((id, Ok(answer))) => (id, Outcome::Answered(answer)),
                Ok((id, Err(error))) => (id, Outcome::Unanswered(error)),
                Err(error) if error.is_panic() => (error.id(), Outcome::Panicked),
                Err(error) => (error.id(), Outcome::Aborted),
            };
            if let Some(entry) = self.loads.remove(&id) {
                self.bytes -= entry.bytes;
                return Some((entry.load, outcome));
            }
        }
    }

    /// Gives all up; [`next`](Self::next) then tells of each.
    pub(crate) fn abort(&mut self) {
        self.posts.abort_all();
    }
}
