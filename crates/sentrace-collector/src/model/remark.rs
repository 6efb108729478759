//! What the doctor finds odd.

use std::collections::BTreeMap;

use sentrace_protocol::{SpanId, TraceId};
use serde::{Deserialize, Serialize};

/// The kind of a remark, most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RemarkKind {
    /// A call in one trace was answered in another one.
    PropagationGap,
    /// A span names a parent that was not received.
    Orphan,
    /// The spans of a trace do not form a tree.
    BrokenTree,
    /// The services of a trace made different sampling decisions.
    DecisionDiffers,
    /// The dynamic sampling context differs between services of a trace.
    ContextDiffers,
    /// Times of two services contradict each other.
    ClockSkew,
    /// Spans were received without their transaction, or a span ended after it.
    Unfinished,
    /// A span took so long that it was probably not ended in time.
    TooLong,
    /// A transaction is named after its URL.
    NamedByUrl,
    /// A name contains an id.
    IdInName,
    /// Many names are used for the same kind of work.
    ManyNames,
    /// A query contains values instead of placeholders.
    ValuesInQuery,
    /// A service reports no release.
    MissingRelease,
    /// A service reports no environment.
    MissingEnvironment,
}

impl RemarkKind {
    /// Returns the kind in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::PropagationGap => "Answered in another trace",
            Self::Orphan => "Missing parents",
            Self::BrokenTree => "Spans that do not form a tree",
            Self::DecisionDiffers => "Differing sampling decisions",
            Self::ContextDiffers => "Differing contexts",
            Self::ClockSkew => "Clocks that disagree",
            Self::Unfinished => "Unfinished",
            Self::TooLong => "Suspiciously long",
            Self::NamedByUrl => "Named by URL",
            Self::IdInName => "Ids in names",
            Self::ManyNames => "Many names for the same work",
            Self::ValuesInQuery => "Values in queries",
            Self::MissingRelease => "No release",
            Self::MissingEnvironment => "No environment",
        }
    }

    /// Returns why it matters.
    pub fn why(self) -> &'static str {
        match self {
            Self::PropagationGap => {
                "The trace ends at the caller, so the work of the callee cannot be found from it."
            }
            Self::Orphan => "Everything between these spans and the rest of the trace is missing.",
            Self::BrokenTree => "Sentry shows such spans in the wrong place, or shows only one of them.",
            Self::DecisionDiffers => {
                "Such traces are incomplete, and counts that are extrapolated from them are wrong."
            }
            Self::ContextDiffers => {
                "Sentry's dynamic sampling decides by this context, so parts of one trace may be kept and others dropped."
            }
            Self::ClockSkew => "The waterfall shows events in the wrong order.",
            Self::Unfinished => "Spans without an end are not shown, or are shown with no duration.",
            Self::TooLong => "A single span that is not ended makes the whole trace look slow.",
            Self::NamedByUrl => {
                "Each URL is a separate name, so nothing is aggregated, and Sentry has to guess how to group such names."
            }
            Self::IdInName => {
                "Each id makes a separate name, so nothing is aggregated by name, and ids may be personal data."
            }
            Self::ManyNames => {
                "Sentry aggregates by name, and names that occur only once cannot be aggregated."
            }
            Self::ValuesInQuery => {
                "Occurrences of the same query are not aggregated, and its values may be secrets or personal data."
            }
            Self::MissingRelease => "Regressions cannot be attributed to a deployment.",
            Self::MissingEnvironment => "Sentry assigns it to production, together with real traffic.",
        }
    }

    /// Returns what to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::PropagationGap => {
                "Make the caller send trace headers: its HTTP client needs the middleware or layer, and \
                 tracing_origins must include the host. If it sends them, check whether a proxy drops sentry-trace and \
                 baggage, and whether the callee trusts its callers and belongs to the same organisation. In debug mode, \
                 both log the reason."
            }
            Self::Orphan => {
                "The parent may not have arrived yet. Otherwise, its service may report elsewhere, may have been killed \
                 before it flushed, or may have lost it (see the reported losses), or a proxy in between starts a span \
                 that it does not send."
            }
            Self::BrokenTree => {
                "Span ids must be random and unique. Look for ids that are copied with a context, for a generator with a \
                 constant seed, and for an event that is sent twice with different event ids."
            }
            Self::DecisionDiffers => {
                "Make the decision only at the head of a trace: samplers should return the caller's decision, or \
                 parent_sample_rate, if there is one."
            }
            Self::ContextDiffers => {
                "Pass baggage on unchanged. Look for proxies that rewrite or merge it, for headers that are set manually, \
                 and for a service that continues sentry-trace without baggage. If only sample_rate differs, the sampler \
                 of a service in between made a new decision and propagates the rate that it applied."
            }
            Self::ClockSkew => {
                "Synchronise the clocks of both machines (NTP, chrony). Within one machine, look for spans whose times are \
                 set manually."
            }
            Self::Unfinished => {
                "End spans before their transaction, or start a separate transaction for work that outlives it. A missing \
                 transaction may still be running, or its process may have been killed before it flushed."
            }
            Self::TooLong => {
                "End the span when its work ends. For streams and connections that are long by design, end the transaction \
                 at the upgrade, or start separate transactions for parts of the work."
            }
            Self::NamedByUrl => {
                "Name transactions after their route: add the layer where the router's matched path is known, or set the \
                 name in the handler with source route."
            }
            Self::IdInName => {
                "Use a placeholder in the name, such as /users/{id}, and put the id into the span's data."
            }
            Self::ManyNames => {
                "Name transactions after the kind of work, with placeholders for the variable parts, and put those into \
                 data or tags."
            }
            Self::ValuesInQuery => {
                "Use placeholders and bind the values. The driver then reports the query without them."
            }
            Self::MissingRelease => {
                "Set SENTRY_RELEASE or the option release, preferably to name@version, which also names the service here."
            }
            Self::MissingEnvironment => "Set SENTRY_ENVIRONMENT or the option environment.",
        }
    }
}

/// Something odd, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Remark {
    /// The kind.
    pub kind: RemarkKind,
    /// What is odd. The text is the same for every occurrence.
    pub what: String,
    /// The values of this occurrence, or an empty string.
    pub detail: String,
    /// The trace in which it was found.
    pub trace_id: TraceId,
    /// The span to look at first.
    pub span_id: Option<SpanId>,
    /// Another trace that is affected.
    pub other_trace_id: Option<TraceId>,
}

/// All remarks of a kind, with an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The kind.
    pub kind: RemarkKind,
    /// The kind in a few words.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// What to do about it.
    pub advice: String,
    /// The remarks, grouped by what is odd.
    pub complaints: Vec<Complaint>,
}

/// All occurrences of the same oddity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Complaint {
    /// What is odd.
    pub what: String,
    /// The number of occurrences.
    pub count: usize,
    /// The first occurrences.
    pub remarks: Vec<Remark>,
}

impl Complaint {
    /// The maximum number of remarks that are kept.
    pub const MAX_REMARKS: usize = 20;
}

impl Diagnosis {
    /// Groups remarks by kind, most severe first, and then by what is odd, most frequent first.
    pub fn of(remarks: impl IntoIterator<Item = Remark>) -> Vec<Self> {
        let mut kinds: BTreeMap<RemarkKind, BTreeMap<String, Complaint>> = BTreeMap::new();
        for remark in remarks {
            let complaints = kinds.entry(remark.kind).or_default();
            let complaint = complaints.entry(remark.what.clone()).or_insert_with(|| Complaint {
                what: remark.what.clone(),
                count: 0,
                remarks: Vec::new(),
            });
            complaint.count += 1;
            if complaint.remarks.len() < Complaint::MAX_REMARKS {
                complaint.remarks.push(remark);
            }
        }
        kinds
            .into_iter()
            .map(|(kind, complaints)| Self::new(kind, complaints.into_values().collect()))
            .collect()
    }

    fn new(kind: RemarkKind, mut complaints: Vec<Complaint>) -> Self {
        complaints.sort_by_key(|complaint| std::cmp::Reverse(complaint.count));
        Self {
            kind,
            title: kind.title().to_owned(),
            why: kind.why().to_owned(),
            advice: kind.advice().to_owned(),
            complaints,
        }
    }
}
