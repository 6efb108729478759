//! The 92 vectors of streamed spans, by number (facts about `@sentry/node` 11.12, Python 2.75 and
//! sentry-conventions 0.33, November 2026).
//!
//! Where the SDKs disagree, the row says which one it follows, and why.

mod databases;
mod http_client;
mod http_server;
mod lifecycle;
mod messaging;
mod others;
mod recorded;

/// What a row says of this project.
enum Check {
    /// It is run.
    Run(fn()),
    /// It does not apply, for this reason.
    NotApplicable(&'static str),
    /// It is still to be done, with this part of the work.
    Open(&'static str),
}

struct Row {
    number: u32,
    about: &'static str,
    check: Check,
}

const fn row(number: u32, about: &'static str, check: fn()) -> Row {
    Row { number, about, check: Check::Run(check) }
}

const fn not_applicable(number: u32, about: &'static str, reason: &'static str) -> Row {
    Row { number, about, check: Check::NotApplicable(reason) }
}

const fn open(number: u32, about: &'static str, part: &'static str) -> Row {
    Row { number, about, check: Check::Open(part) }
}

fn rows() -> impl Iterator<Item = Row> {
    http_server::rows()
        .into_iter()
        .chain(http_client::rows())
        .chain(databases::rows())
        .chain(messaging::rows())
        .chain(others::rows())
        .chain(lifecycle::rows())
}

#[test]
fn every_vector_holds() {
    let mut failed = Vec::new();
    for row in rows() {
        if let Check::Run(check) = row.check
            && std::panic::catch_unwind(check).is_err()
        {
            failed.push(format!("{}: {}", row.number, row.about));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_table_is_whole() {
    let mut numbers: Vec<_> = rows().map(|row| row.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=92).collect::<Vec<_>>());
    let mut not_applicable = 0;
    for row in rows() {
        if let Check::NotApplicable(reason) | Check::Open(reason) = row.check {
            assert!(!reason.is_empty(), "{}: {}", row.number, row.about);
            not_applicable += u32::from(matches!(row.check, Check::NotApplicable(_)));
        }
    }
    assert!(not_applicable <= 15, "{not_applicable} rows do not apply");
}
