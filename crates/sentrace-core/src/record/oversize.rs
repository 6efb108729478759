//! Reports what was cut because it exceeds the limits of a record or of Sentry.

use std::sync::atomic::AtomicBool;

use sentrace_protocol::transaction::Cut;

use crate::diagnostics::{explain, warn_once};
use crate::record::Record;

/// Warns once, and explains it in debug mode for each name. `kind` is what was cut: `transaction`
/// or `span`.
pub(crate) fn report(kind: &str, record: &Record, cut: Cut) {
    let (shortened, entries) = record.cut();
    if cut.is_nothing() && (shortened, entries) == (0, 0) {
        return;
    }
    report_cut(kind, &record.shown_name(), cut, shortened, entries);
}

#[cold]
fn report_cut(kind: &str, name: &str, cut: Cut, shortened: u32, entries: u32) {
    let texts = cut.shortened.saturating_add(shortened as usize);
    let entries = cut.entries.saturating_add(entries as usize);
    let spans = cut.spans;
    // A long text that is shortened makes nothing incomplete.
    if !cut.is_nothing() || entries > 0 {
        static WARNED: AtomicBool = AtomicBool::new(false);
        warn_once(
            &WARNED,
            format_args!(
                "{kind} {name:?} is larger than the 1 MiB that Sentry accepts: {texts} texts were shortened, {entries} values \
                 and {spans} spans left out (spans are counted as buffer_overflow); describe its spans more briefly, or \
                 divide the work into several transactions. Others are told of in debug mode only"
            ),
        );
    }
    explain(
        "size",
        name,
        format_args!(
            "{kind} {name:?} was cut to what a record holds and Sentry accepts: {texts} texts shortened, {entries} values and \
             {spans} spans left out"
        ),
    );
}
