//! What the doctor finds odd.

use std::collections::BTreeMap;

use sentrace_protocol::{SpanId, TraceId};
use serde::{Deserialize, Serialize};

/// A kind of oddity, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RemarkKind {
    /// A call of one trace was answered in another one.
    PropagationGap,
    /// A span names a parent that was not received.
    Orphan,
    /// The spans of a trace do not form a tree.
    BrokenTree,
    /// The services of a trace decided differently whether it is recorded.
    DecisionDiffers,
    /// The dynamic sampling context is not the same in all services of a trace.
    ContextDiffers,
    /// Times of two services contradict each other.
    ClockSkew,
    /// Spans came and their transaction did not, or a span went on without it.
    Unfinished,
    /// Something took so long that it was probably never ended.
    TooLong,
    /// A transaction is named by its URL.
    NamedByUrl,
    /// A name holds the id of a single thing.
    IdInName,
    /// Many names stand for the same kind of work.
    ManyNames,
    /// A query holds values instead of placeholders.
    ValuesInQuery,
    /// A service says no release.
    MissingRelease,
    /// A service says no environment.
    MissingEnvironment,
}

impl RemarkKind {
    /// The kind in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::PropagationGap => "Answered in another trace",
            Self::Orphan => "Parents that never came",
            Self::BrokenTree => "Spans that form no tree",
            Self::DecisionDiffers => "Sampled here, not there",
            Self::ContextDiffers => "Contexts that differ",
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

    /// Why it matters.
    pub fn why(self) -> &'static str {
        match self {
            Self::PropagationGap => {
                "The trace ends at the caller, and what the callee did cannot be found from there."
            }
            Self::Orphan => "Whatever stands between these spans and the rest of the trace is not shown.",
            Self::BrokenTree => "Sentry shows such spans in the wrong place, or only one of several.",
            Self::DecisionDiffers => {
                "Such traces have holes, and counts that are extrapolated from them are wrong."
            }
            Self::ContextDiffers => {
                "Sentry's dynamic sampling decides by this context, so parts of one trace may be kept and others dropped."
            }
            Self::ClockSkew => "The waterfall shows things in an order in which they did not happen.",
            Self::Unfinished => "What has no end is not shown, or as if it had taken no time.",
            Self::TooLong => "A single forgotten span makes the whole trace look slow.",
            Self::NamedByUrl => {
                "Each URL is a name of its own: nothing adds up, and Sentry groups such names by guessing."
            }
            Self::IdInName => {
                "Each id makes a name of its own: nothing adds up by name, and ids of people may be personal data."
            }
            Self::ManyNames => "Sentry adds up by name; where each comes once there is nothing to add up.",
            Self::ValuesInQuery => {
                "The same query does not add up, and its values may be secrets or personal data."
            }
            Self::MissingRelease => "Nobody can tell which deployment made something slow, or broke it.",
            Self::MissingEnvironment => "Sentry files it under production, next to what real users did.",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::PropagationGap => {
                "Let the caller send trace headers there: its HTTP client needs the middleware or layer, and \
                 tracing_origins must name the host. If it does, see whether a proxy drops sentry-trace and baggage, and \
                 whether the callee trusts its callers and belongs to the same organisation. In debug mode both say why."
            }
            Self::Orphan => {
                "The parent may still be under way. If it stays away: its service may report elsewhere, may have been \
                 killed before it flushed, may have lost it (see what was reported as lost), or a proxy in between has a \
                 span that it does not send."
            }
            Self::BrokenTree => {
                "Span ids must be random and belong to one span. Look for ids that are copied with a context, for a \
                 generator that is seeded with a constant, and for an event that is sent twice under new event ids."
            }
            Self::DecisionDiffers => {
                "Decide at the head of a trace only: let samplers answer with the caller's decision, or with \
                 parent_sample_rate, where one came in."
            }
            Self::ContextDiffers => {
                "Hand baggage on unchanged. Look for proxies that rewrite or merge it, for headers that are set by hand, \
                 and for a service that continues sentry-trace without baggage. If only sample_rate differs, a service in \
                 between has a sampler that decided anew, and tells the rate that it applied."
            }
            Self::ClockSkew => {
                "Let time be synchronised on both machines (NTP, chrony). Within one machine, look for spans that are \
                 given times by hand."
            }
            Self::Unfinished => {
                "End spans before their transaction, or give what outlives it a transaction of its own. A transaction that \
                 is missing may still be running, or its process was killed before it flushed."
            }
            Self::TooLong => {
                "End the span where its work ends. Streams and connections that are long by design are better ended at \
                 their upgrade, or cut into transactions of their own."
            }
            Self::NamedByUrl => {
                "Name transactions by their route: put the layer where the router's matched path is known, or set the \
                 name in the handler with source route."
            }
            Self::IdInName => {
                "Put a placeholder into the name, as in /users/{id}, and the id into the span's data."
            }
            Self::ManyNames => {
                "Name transactions after the kind of work, with placeholders for what varies, and put what varies into \
                 data or tags."
            }
            Self::ValuesInQuery => {
                "Use placeholders and bind the values: the driver then reports the query without them."
            }
            Self::MissingRelease => {
                "Set SENTRY_RELEASE or the option release, best to name@version: that also names the service here."
            }
            Self::MissingEnvironment => "Set SENTRY_ENVIRONMENT or the option environment.",
        }
    }
}

/// Something odd, and where to look at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Its kind.
    pub kind: RemarkKind,
    /// What is odd: the same text wherever it is the same thing.
    pub what: String,
    /// The values that make it odd in this place; empty where there is no more to say.
    pub detail: String,
    /// The trace where it was seen.
    pub trace_id: TraceId,
    /// The span to look at first.
    pub span_id: Option<SpanId>,
    /// Another trace that it concerns.
    pub other_trace_id: Option<TraceId>,
}

/// All remarks of a kind, with what is to be said about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The kind.
    pub kind: RemarkKind,
    /// The kind in a few words.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// What to do about it.
    pub advice: String,
    /// The remarks, by what is odd.
    pub complaints: Vec<Complaint>,
}

/// The same oddity, wherever it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// What is odd.
    pub what: String,
    /// How often it was seen.
    pub count: usize,
    /// Some of the remarks, the first ones.
    pub remarks: Vec<Remark>,
}

impl Complaint {
    /// So many of the remarks are kept.
    pub const MAX_REMARKS: usize = 20;
}

impl Diagnosis {
    /// Puts remarks together: by kind, the gravest first, then by what is odd, the most frequent first.
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
