//! A process that is forked after its client was made. The crates that have a worker run this test with theirs: `super::start`
//! makes a client of it. Alone in its process, because a fork copies whatever locks other threads hold.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fork::Fork;
use sentrace_core::Client;
use sentrace_core::diagnostics::{Level, set_handler};
use sentrace_protocol::Category;
use sentrace_testkit::Ingest;

use super::start;

const LONG: Duration = Duration::from_secs(30);
/// What is not waited for takes no longer, on a busy machine either.
const AT_ONCE: Duration = Duration::from_secs(5);

#[test]
fn a_forked_child_counts_what_it_records_and_leaves_the_rest_to_its_parent() {
    let warnings = Arc::<Mutex<Vec<String>>>::default();
    set_handler({
        let warnings = Arc::clone(&warnings);
        move |level, message| {
            if level == Level::Warning {
                warnings.lock().unwrap().push(message.to_owned());
            }
        }
    });
    let server = Ingest::ok();
    let spool = tempfile::TempDir::new().unwrap();
    let client = start(&server.dsn(), spool.path());
    record_many(&client, 3);
    assert!(client.flush(LONG));
    let files = files(spool.path());
    // These are the parent's, wherever they are when it forks.
    record_many(&client, 50);
    match fork::fork().unwrap() {
        Fork::Child => {
            let checked =
                catch_unwind(AssertUnwindSafe(|| in_child(client, &warnings, &server.dsn(), spool.path())));
            // Without the destructors and the threads of the parent.
            std::process::exit(i32::from(checked.is_err()));
        }
        Fork::Parent(child) => wait_for(child),
    }
    assert_eq!(files, self::files(spool.path()), "files of the parent");
    record_many(&client, 1);
    assert!(client.close(LONG).complete);
    assert_eq!((lost(&client), server.requests()), (0, 3 + 50 + 2 + 1), "each once");
    assert!(warnings.lock().unwrap().is_empty(), "the parent has nothing to be warned of");
}

fn in_child(client: Client, warnings: &Mutex<Vec<String>>, dsn: &str, spool: &std::path::Path) {
    let begin = Instant::now();
    record_many(&client, 4);
    assert_eq!(lost(&client), 4, "it is counted at once");
    assert!(!client.flush(LONG));
    assert!(!client.stats().delivery.running);
    let closed = client.close(LONG);
    assert!(!closed.complete);
    assert_eq!(closed.unreported, client.losses().peek());
    drop(client);
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    let said = std::mem::take(&mut *warnings.lock().unwrap());
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("forked"), "{said:?}");
    // What the warning says to do.
    let own = start(dsn, spool);
    record_many(&own, 2);
    assert!(own.close(LONG).complete && lost(&own) == 0);
    assert!(warnings.lock().unwrap().is_empty());
}

fn wait_for(child: i32) {
    let begin = Instant::now();
    loop {
        if let Some(status) = fork::waitpid_nohang(child).unwrap() {
            return assert_eq!(status, 0, "the child failed, see above");
        }
        assert!(begin.elapsed() < LONG * 2, "the child hangs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let projects = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = projects
        .flat_map(|project| std::fs::read_dir(project).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
}

fn record_many(client: &Client, count: u64) {
    for number in 0..count {
        client.start_transaction(format!("task {number}"), "queue.task").finish();
    }
}

/// Lost transactions.
fn lost(client: &Client) -> u64 {
    let lost = client.losses().total();
    lost.iter().filter(|events| events.category == Category::Transaction).map(|events| events.quantity).sum()
}
