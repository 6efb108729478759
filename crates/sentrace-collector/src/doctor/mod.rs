//! Names what is odd: in one trace, and in all traces together.
//!
//! Nothing here is wrong by the rules of the ingest; those are [problems](crate::model::Problem). What is looked at
//! came from anywhere, so each check takes time in proportion to it and answers with a bounded number of remarks.

mod context;
mod gaps;
mod identity;
mod lengths;
mod names;
mod tree;
mod view;

use self::gaps::{Call, Head};
use self::names::Named;
use self::view::View;
use crate::model::{Remark, Trace};

/// More remarks of one check about one trace say nothing new.
const MAX_EACH: usize = 50;

/// What one trace tells: kept with it, so that a trace is looked at once.
#[derive(Debug, Default)]
pub(crate) struct Checkup {
    remarks: Vec<Remark>,
    calls: Vec<Call>,
    heads: Vec<Head>,
    named: Vec<Named>,
}

impl Checkup {
    /// Looks at one trace.
    pub(crate) fn of(trace: &Trace) -> Self {
        let view = View::of(trace);
        let checks = [
            tree::check,
            context::decisions,
            context::contexts,
            tree::clocks,
            lengths::check,
            names::check,
            names::queries,
            identity::check,
        ];
        let remarks = checks.into_iter().flat_map(|check| check(&view).into_iter().take(MAX_EACH));
        Self {
            remarks: remarks.collect(),
            calls: gaps::calls(&view),
            heads: gaps::heads(&view),
            named: names::all(&view),
        }
    }
}

/// What all traces tell, each for itself and together; the gravest first.
pub(crate) fn examine<'a>(checkups: impl Iterator<Item = &'a Checkup> + Clone) -> Vec<Remark> {
    let mut remarks = gaps::check(checkups.clone());
    remarks.extend(names::across(checkups.clone()));
    remarks.extend(checkups.flat_map(|checkup| checkup.remarks.iter().cloned()));
    remarks.sort_by_key(|remark| remark.kind);
    remarks
}

#[cfg(test)]
mod tests;
