//! Sentry's members of `baggage` in one trace: the dynamic sampling context as it travels.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use sentrace_protocol::{TraceId, baggage};

use crate::diagnostics::debug_once;
use crate::sampling::SampleRand;

/// Headers longer than this are read at once; what they hold is mostly not Sentry's.
const MAX_UNREAD: usize = 2048;
/// A buffer that grew beyond this for one request is not kept for the next ones.
const MAX_KEPT: usize = 4096;

/// The context of a trace. What came in stays as it came until somebody needs it: most requests call nobody, and
/// what their transactions tell of it is read on the worker.
#[derive(Debug, Default)]
pub(crate) struct Baggage {
    state: State,
    /// All members of the header, where nobody has read it yet.
    unread: Vec<u8>,
    /// Sentry's members.
    members: String,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// May still be written.
    #[default]
    Open,
    /// Given by upstream, with this decision, and not read yet.
    Unread { sampled: Option<bool> },
    /// Given, or written, for good; empty included.
    Frozen,
}

impl Baggage {
    /// Takes one header along.
    pub(crate) fn add_unread(&mut self, field: &[u8]) {
        if !self.unread.is_empty() {
            self.unread.push(b',');
        }
        self.unread.extend_from_slice(field);
    }

    /// What was taken along is the context that came with this decision, and frozen whatever it says.
    pub(crate) fn came(&mut self, trace_id: TraceId, sampled: Option<bool>) {
        self.state = State::Unread { sampled };
        if self.unread.len() > MAX_UNREAD {
            self.settle(trace_id);
        }
    }

    /// Whether the context is given, empty included.
    pub(crate) fn is_frozen(&self) -> bool {
        !matches!(self.state, State::Open)
    }

    /// Leaves it to this service to write a context, as long as it has none.
    pub(crate) fn open_if_empty(&mut self, trace_id: TraceId) {
        if self.settle(trace_id).is_empty() {
            self.state = State::Open;
        }
    }

    /// Sentry's members.
    pub(crate) fn read(&self, trace_id: TraceId) -> Cow<'_, str> {
        match self.state {
            State::Unread { sampled } => {
                let mut members = String::new();
                read(&self.unread, trace_id, sampled, &mut members);
                Cow::Owned(members)
            }
            State::Open | State::Frozen => Cow::Borrowed(&self.members),
        }
    }

    /// Lends a member, decoded, without reading the others for good.
    pub(crate) fn with_member<R>(
        &self,
        trace_id: TraceId,
        key: &str,
        look: impl FnOnce(Option<&str>) -> R,
    ) -> R {
        match (self.state, std::str::from_utf8(&self.unread)) {
            (State::Unread { .. }, Ok(unread)) => look(member(unread, key).as_deref()),
            _ => look(member(&self.read(trace_id), key).as_deref()),
        }
    }

    /// Sentry's members, read for good.
    pub(crate) fn settle(&mut self, trace_id: TraceId) -> &str {
        if let State::Unread { sampled } = self.state {
            self.members.clear();
            read(&self.unread, trace_id, sampled, &mut self.members);
            self.unread.clear();
            self.unread.shrink_to(MAX_UNREAD);
            self.state = State::Frozen;
        }
        &self.members
    }

    /// Writes the context, for good.
    pub(crate) fn freeze(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.members);
        self.state = State::Frozen;
    }

    /// Takes over what `other` has.
    #[inline]
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.state = other.state;
        self.unread.clone_from(&other.unread);
        self.members.clone_from(&other.members);
    }

    /// As good as new, with its buffers.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.state = State::Open;
        self.unread.clear();
        self.unread.shrink_to(MAX_KEPT);
        self.members.clear();
        self.members.shrink_to(MAX_KEPT);
    }

    /// About how many bytes it holds in memory besides itself.
    pub(crate) fn capacity(&self) -> usize {
        self.unread.capacity() + self.members.capacity()
    }
}

/// Appends Sentry's members of a header, as the bytes they came as, and the `sample_rand` that they lack.
fn read(field: &[u8], trace_id: TraceId, sampled: Option<bool>, members: &mut String) {
    static SAID: AtomicBool = AtomicBool::new(false);
    members.reserve(field.len().min(baggage::MAX_BYTES));
    let unusable = baggage::copy_sentry_members(std::iter::once(field), members);
    if unusable > 0 {
        debug_once(
            &SAID,
            format_args!(
                "{unusable} of baggage's sentry- members are dropped: each is `key=value` in printable ASCII, and \
                 together they have at most {} members and {} bytes",
                baggage::MAX_MEMBERS,
                baggage::MAX_BYTES,
            ),
        );
    }
    add_sample_rand(members, trace_id, sampled);
}

/// Gives the context the `sample_rand` that it lacks, by the rules of the Sentry SDK specification (*Trace
/// Propagation* 1.9, `sample_rand`), so that everybody further on decides by the same. Where they name none, and
/// where there is no context to add it to, nothing is added.
fn add_sample_rand(members: &mut String, trace_id: TraceId, sampled: Option<bool>) {
    const MEMBER: &str = "sentry-sample_rand=";
    // The quick search first: nearly every context has it.
    if members.is_empty() || members.contains(MEMBER) || baggage::member(members, "sample_rand").is_some() {
        return;
    }
    let chosen = match (sampled, sample_rate(members)) {
        (None, _) => Some(SampleRand::of_trace(trace_id)),
        (Some(sampled), Some(rate)) => SampleRand::explaining(trace_id, sampled, rate),
        (Some(_), None) => None,
    };
    let Some(sample_rand) = chosen else { return };
    let member = format!("{MEMBER}{sample_rand}");
    baggage::copy_sentry_members(std::iter::once(member.as_bytes()), members);
}

/// The rate by which the trace's head decided.
pub(crate) fn sample_rate(members: &str) -> Option<f64> {
    member(members, "sample_rate")?.parse().ok().filter(|rate| (0.0..=1.0).contains(rate))
}

/// What the context says, decoded.
pub(crate) fn member<'a>(members: &'a str, key: &str) -> Option<Cow<'a, str>> {
    baggage::decode(baggage::member(members, key)?)
}
