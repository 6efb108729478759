//! Finds what is odd in one trace, and in all traces together.
//!
//! Remarks are not violations of the ingest's rules; those are [problems](crate::model::Problem).
//! The input is not trusted, so each check takes time proportional to its size and returns a
//! bounded number of remarks.

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

/// The maximum number of remarks per check and trace.
const MAX_EACH: usize = 50;

/// The result of examining one trace, kept with it so that each trace is examined once.
#[derive(Debug, Default)]
pub(crate) struct Checkup {
    remarks: Vec<Remark>,
    calls: Vec<Call>,
    heads: Vec<Head>,
    named: Vec<Named>,
}

impl Checkup {
    /// Examines a trace.
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

/// Returns the remarks about all traces, individually and together, most severe first.
pub(crate) fn examine<'a>(checkups: impl Iterator<Item = &'a Checkup> + Clone) -> Vec<Remark> {
    let mut remarks = gaps::check(checkups.clone());
    remarks.extend(names::across(checkups.clone()));
    remarks.extend(checkups.flat_map(|checkup| checkup.remarks.iter().cloned()));
    remarks.sort_by_key(|remark| remark.kind);
    remarks
}

#[cfg(test)]
mod tests;
