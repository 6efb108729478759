//! What cannot be delivered stays on disk until it can.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sentrace_core::deliver::Losses;
use sentrace_core::{Client, Options, TraceLifecycle};
use sentrace_protocol::Reason;
use tempfile::TempDir;

use crate::support::{
    DEAD_DSN, Ingest, LONG, Place, Reply, Tally, client_with, counted, only, record, record_many, wait_until,
};

const SHORT: Duration = Duration::from_millis(500);

fn spooling(dsn: &str, folder: &Path) -> (Client, Arc<Losses>) {
    spooling_with(dsn, folder, |options| options)
}

fn spooling_with(dsn: &str, folder: &Path, edit: impl FnOnce(Options) -> Options) -> (Client, Arc<Losses>) {
    client_with(dsn, |options| edit(options.send_client_reports(false).spool_dir(folder)))
}

/// Waits until nothing is left of a client, whose closing may have had too little time for that.
fn gone(client: Client, losses: &Arc<Losses>) {
    drop(client);
    wait_until("the worker to end", || Arc::strong_count(losses) == 1);
}

/// All data files, of whatever project.
fn files(folder: &Path) -> Vec<PathBuf> {
    let projects = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let files = projects.flat_map(|project| std::fs::read_dir(project).unwrap());
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "lock"))
        .collect();
    files.sort();
    files
}

#[test]
fn what_was_kept_while_the_ingest_was_away_arrives_after_a_restart_once() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    let (client, losses) = spooling(&place.dsn(), folder.path());
    let recorded = record_many(&client, 300, 2);
    client.close(LONG);
    assert_eq!(counted(&losses), Tally::default(), "nothing is lost");
    gone(client, &losses);
    assert!(!files(folder.path()).is_empty());

    let ingest = Ingest::start_at(place);
    let (client, losses) = spooling(&ingest.dsn(), folder.path());
    ingest.wait_for(|received| received.len() >= 300);
    wait_until("the files to go", || files(folder.path()).is_empty());
    assert!(client.close(LONG).complete);
    assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()));
    assert_eq!(ingest.event_ids().into_iter().collect::<BTreeSet<_>>().len(), 300, "each once");
    for request in ingest.received() {
        assert!(request.envelope_headers["sent_at"].is_string(), "it is known again when it is sent");
        assert_eq!(request.envelope_headers["trace"]["public_key"], "9c1f0d3e");
    }
}

#[test]
fn what_was_kept_arrives_without_a_restart_when_the_ingest_comes_back() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    let (client, losses) = spooling(&place.dsn(), folder.path());
    let before = record_many(&client, 100, 2);
    wait_until("the queue to be on disk", || !files(folder.path()).is_empty());
    let ingest = Ingest::start_at(place);
    let after = record_many(&client, 10, 0);
    ingest.wait_for(|received| received.len() >= 110);
    assert!(client.close(LONG).complete);
    assert_eq!((ingest.accepted(), counted(&losses)), (before + after, Tally::default()));
    assert_eq!(ingest.event_ids().into_iter().collect::<BTreeSet<_>>().len(), 110, "each once");
}

#[test]
fn the_oldest_goes_first() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    for round in 0..3 {
        let (client, _) = spooling(&place.dsn(), folder.path());
        record(&client, &format!("round {round}"), 0);
        client.close(LONG);
    }
    let ingest = Ingest::start_at(place);
    let (_client, _) = spooling(&ingest.dsn(), folder.path());
    ingest.wait_for(|received| received.len() >= 3);
    assert_eq!(ingest.transactions(), ["round 0", "round 1", "round 2"]);
}

#[test]
fn what_a_limit_holds_back_is_kept_and_sent_when_it_is_over() {
    let folder = TempDir::new().unwrap();
    let ingest = Ingest::start(|number| match number {
        0 => Reply::Answer(200, vec![("x-sentry-rate-limits", "0.6:transaction")]),
        _ => Reply::ok(),
    });
    let (client, losses) = spooling(&ingest.dsn(), folder.path());
    let first = record_many(&client, 1, 0);
    assert!(client.flush(LONG));
    let limited = record_many(&client, 20, 2);
    assert!(client.flush(LONG), "kept is through");
    assert!(!files(folder.path()).is_empty(), "a flush leaves nothing in memory");
    ingest.wait_for(|received| received.len() >= 21);
    assert!(client.close(LONG).complete);
    assert_eq!((ingest.accepted(), counted(&losses)), (first + limited, Tally::default()));
}

#[test]
fn what_was_kept_waits_for_limits_of_its_own_kind_only() {
    let rows = [
        (TraceLifecycle::Static, "60:span", 0, "transactions, while spans are limited"),
        (TraceLifecycle::Static, "1:transaction", 1, "transactions, while they are limited"),
        (TraceLifecycle::Stream, "60:transaction", 0, "spans, while transactions are limited"),
        (TraceLifecycle::Stream, "1:span", 1, "spans, while they are limited"),
    ];
    for (lifecycle, limit, seconds, reason) in rows {
        let (folder, place) = (TempDir::new().unwrap(), Place::new());
        let start =
            |dsn: &str| spooling_with(dsn, folder.path(), |options| options.trace_lifecycle(lifecycle));
        // More than are under way before the first is answered.
        let (client, _) = start(&place.dsn());
        record_many(&client, 100, 0);
        client.close(LONG);
        let ingest = Ingest::start_at_with(place, move |number| match number {
            0 => Reply::Answer(200, vec![("x-sentry-rate-limits", limit)]),
            _ => Reply::ok(),
        });
        let began = Instant::now();
        let (client, losses) = start(&ingest.dsn());
        ingest.wait_for(|received| received.len() >= 100);
        assert!(began.elapsed() >= Duration::from_secs(seconds), "{reason}: {:?}", began.elapsed());
        assert!(client.close(LONG).complete, "{reason}");
        assert_eq!((ingest.requests(), counted(&losses)), (100, Tally::default()), "{reason}");
    }
}

#[test]
fn what_closing_has_no_time_for_is_kept() {
    let folder = TempDir::new().unwrap();
    let hanging = Ingest::start(|_| Reply::Stall(b""));
    let (client, losses) = spooling(&hanging.dsn(), folder.path());
    let recorded = record_many(&client, 200, 1);
    assert!(!client.close(SHORT).complete, "not delivered");
    gone(client, &losses);
    assert_eq!(counted(&losses), Tally::default(), "and not lost");
    let ingest = Ingest::start_at(hanging.into_place());
    let (client, losses) = spooling(&ingest.dsn(), folder.path());
    ingest.wait_for(|received| received.len() >= 200);
    assert!(client.close(LONG).complete);
    assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()));
}

#[test]
fn two_that_share_a_folder_send_nothing_twice() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    for _ in 0..4 {
        let (client, _) = spooling(&place.dsn(), folder.path());
        record_many(&client, 50, 0);
        client.close(LONG);
    }
    let ingest = Ingest::start_at(place);
    let clients: Vec<_> = (0..3).map(|_| spooling(&ingest.dsn(), folder.path())).collect();
    ingest.wait_for(|received| received.len() >= 200);
    wait_until("the files to go", || files(folder.path()).is_empty());
    for (client, losses) in clients {
        assert!(client.close(LONG).complete);
        assert_eq!(counted(&losses), Tally::default());
    }
    let mut ids = ingest.event_ids();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), ingest.requests()), (200, 200));
}

#[test]
fn another_project_leaves_it_alone() {
    let folder = TempDir::new().unwrap();
    let (client, _) = spooling(DEAD_DSN, folder.path());
    record_many(&client, 5, 0);
    client.close(LONG);
    drop(client);
    let kept = files(folder.path());
    let ingest = Ingest::ok();
    let (client, _) = spooling(&ingest.dsn(), folder.path());
    let own = record_many(&client, 1, 0);
    assert!(client.close(LONG).complete);
    assert_eq!(ingest.accepted(), own);
    assert_eq!(files(folder.path()), kept);
}

#[test]
fn what_is_beyond_the_limit_is_counted() {
    let folder = TempDir::new().unwrap();
    let (client, losses) = spooling_with(DEAD_DSN, folder.path(), |options| options.spool_bytes(20_000));
    let mut recorded = Tally::default();
    while counted(&losses) == Tally::default() {
        recorded = recorded + record_many(&client, 50, 2);
        client.flush(LONG);
    }
    client.close(LONG);
    let bytes: u64 = files(folder.path()).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes <= 20_000, "{bytes} bytes");
    let lost = counted(&losses);
    assert_eq!(losses.peek(), only(Reason::CacheOverflow, lost));
    assert!(lost.transactions < recorded.transactions, "some of it is kept");
}

#[test]
fn a_torn_file_is_skipped_and_counted_and_the_next_one_sent() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    let mut recorded = Tally::default();
    for _ in 0..2 {
        let (client, _) = spooling(&place.dsn(), folder.path());
        recorded = recorded + record_many(&client, 10, 1);
        client.close(LONG);
    }
    let torn = &files(folder.path())[0];
    let content = std::fs::read(torn).unwrap();
    std::fs::write(torn, &content[..content.len() / 2]).unwrap();
    let ingest = Ingest::start_at(place);
    let (client, losses) = spooling(&ingest.dsn(), folder.path());
    ingest.wait_for(|received| received.len() >= 13);
    wait_until("the files to go", || files(folder.path()).is_empty());
    assert!(client.close(LONG).complete);
    assert_eq!(ingest.accepted() + counted(&losses), recorded);
    assert_eq!(losses.peek(), only(Reason::InternalSdkError, counted(&losses)));
}

#[test]
fn what_is_on_disk_says_nothing_of_when_it_was_sent() {
    let folder = TempDir::new().unwrap();
    let (client, _) = spooling(DEAD_DSN, folder.path());
    record_many(&client, 1, 0);
    client.close(LONG);
    let content = std::fs::read(&files(folder.path())[0]).unwrap();
    let start = content.windows(2).position(|bytes| bytes == [0x1f, 0x8b]).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&content[start..]), &mut text).unwrap();
    assert!(text.contains("event_id") && !text.contains("sent_at"), "{text}");
}

#[test]
fn posts_that_fail_together_cost_one_pause() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    let (client, losses) = spooling(&place.dsn(), folder.path());
    let recorded = record_many(&client, 100, 0);
    client.close(LONG);
    gone(client, &losses);
    // All of the first round break, with their second tries.
    let ingest = Ingest::start_at_with(place, |number| if number < 64 { Reply::Close } else { Reply::ok() });
    let begin = Instant::now();
    let (client, losses) = spooling(&ingest.dsn(), folder.path());
    ingest.wait_for(|received| received.iter().filter(|request| request.status.is_some()).count() >= 100);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(client.close(LONG).complete);
    assert_eq!((ingest.accepted(), counted(&losses)), (recorded, Tally::default()));
}

#[test]
fn many_that_ended_are_succeeded_without_a_descriptor_for_each() {
    const ENDED: u64 = 300;
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    // All of them at once, so that none succeeds another.
    let clients: Vec<_> = (0..ENDED).map(|_| spooling(&place.dsn(), folder.path())).collect();
    for (client, _) in &clients {
        record(client, "kept", 0);
    }
    for (client, losses) in clients {
        client.close(LONG);
        gone(client, &losses);
    }
    let ingest = Ingest::start_at(place);
    let (client, losses) = spooling(&ingest.dsn(), folder.path());
    ingest.wait_for(|received| received.len() as u64 >= ENDED);
    wait_until("the files to go", || files(folder.path()).is_empty());
    let project = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    wait_until("their locks to go", || std::fs::read_dir(&project).unwrap().count() == 1);
    #[cfg(target_os = "linux")]
    {
        let open = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .map(|entry| std::fs::read_link(entry.unwrap().path()));
        let open = open.flatten().filter(|path| path.starts_with(folder.path())).count();
        assert_eq!(open, 1, "its own lock");
    }
    assert!(client.close(LONG).complete);
    assert_eq!((ingest.accepted(), counted(&losses)), (Tally::of(ENDED, 0), Tally::default()));
    assert_eq!(ingest.event_ids().into_iter().collect::<BTreeSet<_>>().len() as u64, ENDED, "each once");
}

#[test]
fn a_folder_that_is_removed_during_an_outage_is_made_again() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    let (client, losses) = spooling(&place.dsn(), folder.path());
    let removed = record_many(&client, 50, 0);
    wait_until("the queue to be on disk", || !files(folder.path()).is_empty());
    client.flush(LONG);
    std::fs::remove_dir_all(folder.path()).unwrap();
    let after = record_many(&client, 50, 0);
    wait_until("the folder to be back", || !files(folder.path()).is_empty());
    let ingest = Ingest::start_at(place);
    let all = removed + after;
    wait_until("everything to be accounted for", || (ingest.accepted() + counted(&losses)) == all);
    assert!(ingest.accepted().transactions >= after.transactions);
    client.close(LONG);
    assert_eq!(ingest.accepted() + counted(&losses), all);
}

#[test]
fn fresh_traffic_does_not_wait_for_what_was_kept() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    let (client, _) = spooling(&place.dsn(), folder.path());
    record_many(&client, 500, 0);
    client.close(LONG);
    let ingest = Ingest::start_at(place);
    let (client, _) = spooling(&ingest.dsn(), folder.path());
    record_many(&client, 200, 0);
    record(&client, "fresh", 0);
    assert!(client.flush(LONG));
    let names = ingest.transactions();
    assert!(names.iter().any(|name| name == "fresh"));
    assert!(names.len() < 500, "{} of what was kept went first", names.len() - 201);
}

#[test]
fn a_folder_that_cannot_be_used_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = Options::new().dsn(DEAD_DSN).spool_dir(file.path());
    let dsn = options.delivery().dsn.unwrap().clone();
    let error = sentrace_delivery::Delivery::start(dsn, &options, Arc::default()).unwrap_err().to_string();
    assert!(error.contains("option spool_dir"), "{error}");
}

#[test]
fn files_that_somebody_removed_are_counted_at_the_end_at_the_latest() {
    let (folder, place) = (TempDir::new().unwrap(), Place::new());
    let (client, losses) = spooling(&place.dsn(), folder.path());
    let mut removed = record_many(&client, 100, 2);
    wait_until("the first file", || kept(folder.path()) == removed.transactions);
    removed = removed + record_many(&client, 50, 2);
    wait_until("the second file", || kept(folder.path()) == removed.transactions);
    for file in files(folder.path()) {
        std::fs::remove_file(file).unwrap();
    }
    let after = record_many(&client, 10, 0);
    client.close(LONG);
    let counted = counted(&losses).transactions;
    gone(client, &losses);
    // What was read already to be sent next is written again.
    assert_eq!(counted + kept(folder.path()), (removed + after).transactions);
}

/// How many transactions the names of the files tell.
fn kept(folder: &Path) -> u64 {
    let names = files(folder).into_iter().filter_map(|path| path.file_stem()?.to_str().map(str::to_owned));
    names.filter_map(|name| name.split('-').nth(3)?.parse::<u64>().ok()).sum()
}
