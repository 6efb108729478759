//! Sentry's members of `baggage` in one trace: the dynamic sampling context as it is propagated.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use sentrace_protocol::{TraceId, baggage};

use crate::diagnostics::debug_once;
use crate::propagation::sample_rand::SampleRand;

/// Longer headers are parsed immediately, because most of them is not Sentry's.
const MAX_UNREAD: usize = 2048;
/// Buffers that grew beyond this are not kept for reuse.
const MAX_KEPT: usize = 4096;

/// The context of a trace.
///
/// The incoming header stays unparsed until it is needed. Most requests make no calls, and the
/// context of their transactions is read on the worker.
#[derive(Debug, Default)]
pub(crate) struct TraceBaggage {
    state: State,
    /// All members of the header, if it is not parsed yet.
    unread: Vec<u8>,
    /// Sentry's members.
    members: String,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// Can still be written.
    #[default]
    Open,
    /// Received with this decision and not parsed yet; this service may have decided since.
    Unread { sampled: Option<bool>, applied: Option<Applied> },
    /// Received or written, and final, even if it is empty.
    Frozen,
}

/// A decision by a rate or sampler of this service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Applied {
    pub(crate) rate: f64,
    pub(crate) sampled: bool,
}

impl TraceBaggage {
    /// Appends a header.
    pub(crate) fn add_unread(&mut self, field: &[u8]) {
        if !self.unread.is_empty() {
            self.unread.push(b',');
        }
        self.unread.extend_from_slice(field);
    }

    /// The headers so far are the context that came with this decision. It is frozen, whatever it
    /// contains.
    pub(crate) fn received(&mut self, trace_id: TraceId, sampled: Option<bool>) {
        self.state = State::Unread { sampled, applied: None };
        if self.unread.len() > MAX_UNREAD {
            self.parse(trace_id);
        }
    }

    /// Returns `true` if the context is final, even if it is empty.
    pub(crate) fn is_frozen(&self) -> bool {
        !matches!(self.state, State::Open)
    }

    /// Replaces the rate in a frozen context with the one that was applied here. Sentry needs it
    /// for extrapolation, and other services that ask for their parent's rate decide as this one
    /// did. An open context gets the rate when it is written, and an empty one stays empty.
    pub(crate) fn apply(&mut self, trace_id: TraceId, decided: Applied) {
        match &mut self.state {
            State::Open => {}
            State::Unread { applied, .. } => *applied = Some(decided),
            State::Frozen => set_applied_rate(&mut self.members, trace_id, decided),
        }
    }

    /// Lets this service write the context, if it is empty.
    pub(crate) fn reopen_if_empty(&mut self, trace_id: TraceId) {
        if self.parse(trace_id).is_empty() {
            self.state = State::Open;
        }
    }

    /// Returns Sentry's members.
    pub(crate) fn read(&self, trace_id: TraceId) -> Cow<'_, str> {
        match self.state {
            State::Unread { sampled, applied } => {
                let mut members = String::new();
                parse_members(&self.unread, trace_id, sampled, applied, &mut members);
                Cow::Owned(members)
            }
            State::Open | State::Frozen => Cow::Borrowed(&self.members),
        }
    }

    /// Calls `look` with a decoded member, without parsing the others, even if the context is of
    /// another trace.
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

    /// Returns `true` if the received context names another trace.
    #[cold]
    pub(crate) fn is_of_another_trace(&self, trace_id: TraceId) -> bool {
        self.with_member(trace_id, "trace_id", |named| {
            named.is_some_and(|named| !is_same_trace_id(named, trace_id))
        })
    }

    /// Parses the header, and returns Sentry's members.
    pub(crate) fn parse(&mut self, trace_id: TraceId) -> &str {
        if let State::Unread { sampled, applied } = self.state {
            self.members.clear();
            parse_members(&self.unread, trace_id, sampled, applied, &mut self.members);
            self.unread.clear();
            self.unread.shrink_to(MAX_UNREAD);
            self.state = State::Frozen;
        }
        &self.members
    }

    /// Writes the context and makes it final.
    pub(crate) fn freeze(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.members);
        self.state = State::Frozen;
    }

    /// Copies `other`.
    #[inline]
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.state = other.state;
        self.unread.clone_from(&other.unread);
        self.members.clone_from(&other.members);
    }

    /// Resets the context, keeping its buffers.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.state = State::Open;
        self.unread.clear();
        self.unread.shrink_to(MAX_KEPT);
        self.members.clear();
        self.members.shrink_to(MAX_KEPT);
    }

    /// Returns how many bytes it holds in memory besides itself, approximately.
    pub(crate) fn capacity(&self) -> usize {
        self.unread.capacity() + self.members.capacity()
    }
}

/// Appends Sentry's members of a header byte for byte, and what they lack: a `sample_rand`, and the
/// rate that was applied here.
fn parse_members(
    field: &[u8],
    trace_id: TraceId,
    sampled: Option<bool>,
    applied: Option<Applied>,
    members: &mut String,
) {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    members.reserve(field.len().min(baggage::MAX_BYTES));
    let unusable = baggage::copy_sentry_members_within_limits(std::iter::once(field), members);
    if unusable > 0 {
        debug_once(
            &REPORTED,
            format_args!(
                "{unusable} of baggage's sentry- members are dropped: each is `key=value` in printable ASCII, and \
                 together they have at most {} members and {} bytes",
                baggage::MAX_MEMBERS,
                baggage::MAX_BYTES,
            ),
        );
    }
    if let Some(named) = member(members, "trace_id").filter(|named| !is_same_trace_id(named, trace_id)) {
        report_other_trace(&named, trace_id);
        return members.clear();
    }
    add_sample_rand(members, trace_id, sampled);
    if let Some(applied) = applied {
        set_applied_rate(members, trace_id, applied);
    }
}

#[cold]
fn report_other_trace(named: &str, trace_id: TraceId) {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    debug_once(
        &REPORTED,
        format_args!(
            "baggage's sentry- members are ignored: they tell of trace {named:?}, and sentry-trace names {trace_id}; \
             send both headers of the same trace"
        ),
    );
}

/// Returns `true` if this is the id, in any case, with or without the dashes of a UUID.
pub(crate) fn is_same_trace_id(named: &str, trace_id: TraceId) -> bool {
    let digits = named.bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_lowercase());
    digits.eq(trace_id.to_hex().bytes())
}

/// Replaces the incoming rate with the one applied here, and adds the decision and the random
/// number behind it if they are missing. An empty context stays empty.
#[cold]
fn set_applied_rate(members: &mut String, trace_id: TraceId, Applied { rate, sampled }: Applied) {
    if members.is_empty() {
        return;
    }
    let rate = format!("sentry-sample_rate={}", rate.abs());
    let mut updated = String::with_capacity(members.len() + rate.len());
    let mut push = |member: &str| {
        if !updated.is_empty() {
            updated.push(',');
        }
        updated.push_str(member);
    };
    let mut replaced = false;
    for member in members.split(',') {
        if !baggage::is_called(member, &["sample_rate"]) {
            push(member);
        } else if !std::mem::replace(&mut replaced, true) {
            push(&rate);
        }
    }
    if !replaced {
        push(&rate);
    }
    // The decision was compared to this number, because the context had none.
    if member(members, "sample_rand").is_none() {
        push(&format!("sentry-sample_rand={}", SampleRand::of_trace(trace_id)));
    }
    if member(members, "sampled").is_none() {
        push(&format!("sentry-sampled={sampled}"));
    }
    *members = match baggage::fit(&updated, baggage::MAX_BYTES, baggage::MAX_MEMBERS) {
        Some(fitting) => fitting.into_owned(),
        None => {
            // There is no room left: the last members are dropped, so that the rate is right.
            let others = baggage::without(&updated, &["sample_rate"]);
            let mut cut = rate;
            baggage::copy_sentry_members(std::iter::once(others.as_bytes()), &mut cut);
            cut
        }
    };
}

/// Adds a missing `sample_rand` by the rules of the Sentry SDK specification (*Trace Propagation*
/// 1.9, `sample_rand`), so that all further services decide by the same number. Nothing is added if
/// the rules define none, or if the context is empty.
fn add_sample_rand(members: &mut String, trace_id: TraceId, sampled: Option<bool>) {
    const MEMBER: &str = "sentry-sample_rand=";
    // The quick search comes first: nearly every context has it.
    if members.is_empty() || members.contains(MEMBER) || member(members, "sample_rand").is_some() {
        return;
    }
    let chosen = match (sampled, sample_rate(members)) {
        (None, _) => Some(SampleRand::of_trace(trace_id)),
        (Some(sampled), Some(rate)) => SampleRand::explaining(trace_id, sampled, rate),
        (Some(_), None) => None,
    };
    let Some(sample_rand) = chosen else { return };
    let member = format!("{MEMBER}{sample_rand}");
    let before = members.len();
    members.push(',');
    members.push_str(&member);
    match baggage::fit(members, baggage::MAX_BYTES, baggage::MAX_MEMBERS) {
        Some(Cow::Borrowed(_)) => {}
        Some(Cow::Owned(fitting)) => *members = fitting,
        None => members.truncate(before),
    }
}

/// Returns the rate by which the head of the trace decided.
pub(crate) fn sample_rate(members: &str) -> Option<f64> {
    member(members, "sample_rate")?.parse().ok().filter(|rate| (0.0..=1.0).contains(rate))
}

/// Returns a decoded member of the context.
pub(crate) fn member<'a>(members: &'a str, key: &str) -> Option<Cow<'a, str>> {
    baggage::decoded_member(members, key)
}
