//! Who gets the processor where there is too little of it.

use std::fs;
use std::time::Instant;

use crate::support::{Ingest, LONG, client};

#[test]
fn the_worker_gives_way_to_what_serves() {
    let before = own_niceness();
    let ingest = Ingest::ok();
    let (client, _) = client(&ingest);
    let (start, expected) = (Instant::now(), (before + 15).min(19));
    // Workers of other tests may be about to start.
    while niceness("(sentrace-worker").iter().any(|niceness| *niceness != expected) {
        assert!(start.elapsed() < LONG, "a worker competes with requests");
        std::thread::yield_now();
    }
    assert!(!niceness("(sentrace-worker").is_empty());
    assert_eq!(own_niceness(), before, "the threads that serve stay as they were");
    client.close(LONG);
}

fn own_niceness() -> i32 {
    nice(&fs::read_to_string("/proc/thread-self/stat").unwrap()).unwrap()
}

/// Of the threads of this process whose name begins so.
fn niceness(name: &str) -> Vec<i32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
    stats.filter(|stat| stat.contains(name)).filter_map(|stat| nice(&stat)).collect()
}

/// The nineteenth field, of which the third comes behind the name.
fn nice(stat: &str) -> Option<i32> {
    stat.rsplit_once(") ")?.1.split(' ').nth(16)?.parse().ok()
}
