//! Tests of the spool without a network.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const MANY_BYTES: u64 = 1024 * 1024;

struct Place {
    folder: TempDir,
    losses: Arc<Losses>,
}

impl Place {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), losses: Arc::default() }
    }

    fn open(&self) -> Spool {
        self.open_with(MANY_BYTES)
    }

    fn open_with(&self, max_bytes: u64) -> Spool {
        let dsn = "http://key@localhost/1".parse().unwrap();
        Spool::open(self.folder.path(), &dsn, max_bytes, Arc::clone(&self.losses)).unwrap()
    }

    /// Keeps one transaction of a span for each of these.
    fn keep(&self, spool: &mut Spool, bodies: &[&str]) {
        for body in bodies {
            let load = Load::new(Tally { transactions: 1, spans: 2 }, &self.losses);
            spool.keep(load, body.as_bytes(), Reason::NetworkError, Instant::now());
        }
        spool.commit();
    }

    fn lost(&self) -> u64 {
        self.losses.peek().iter().map(|events| events.quantity).sum()
    }

    fn files(&self) -> Vec<PathBuf> {
        let project = fs::read_dir(self.folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut files: Vec<PathBuf> =
            fs::read_dir(project).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

/// Takes what is there, as if all of it were delivered.
fn send_all(spool: &mut Spool) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some((load, body)) = spool.next() {
        load.delivered();
        spool.settled();
        sent.push(String::from_utf8(body.to_vec()).unwrap());
    }
    sent
}

#[test]
fn what_was_sent_is_gone_and_nothing_is_left_behind() {
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one", "two"]);
    place.keep(&mut spool, &["three"]);
    assert_eq!(send_all(&mut spool), ["one", "two", "three"]);
    assert!(!spool.has_more());
    spool.close();
    assert_eq!(place.files(), Vec::<PathBuf>::new());
    assert_eq!(place.lost(), 0);
}

#[test]
fn who_lives_keeps_its_files_to_itself_and_who_is_gone_does_not() {
    let place = Place::new();
    let mut living = place.open();
    place.keep(&mut living, &["one"]);
    let mut other = place.open();
    assert!(!other.has_more() && send_all(&mut other).is_empty());
    living.close();
    other.tick(Instant::now() + ADOPT_EVERY);
    assert_eq!(send_all(&mut other), ["one"], "found without a restart");
    other.close();
    assert_eq!(place.files(), Vec::<PathBuf>::new());
}

#[test]
fn what_was_not_sent_of_a_file_is_there_after_a_restart_and_the_rest_is_not() {
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one", "two", "three"]);
    let (load, _) = spool.next().unwrap();
    load.delivered();
    spool.settled();
    let (load, body) = spool.next().unwrap();
    spool.give_back(load, body);
    spool.close();
    let mut spool = place.open();
    assert_eq!(send_all(&mut spool), ["two", "three"]);
    assert_eq!(place.lost(), 0);
}

#[test]
fn after_a_crash_everything_that_was_written_is_there() {
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one", "two"]);
    let (load, _) = spool.next().unwrap();
    load.delivered();
    spool.settled();
    // As a crash leaves it: nobody closes anything, and the system takes the lock.
    drop(spool);
    assert_eq!(send_all(&mut place.open()), ["one", "two"], "twice is better than not at all");
}

#[test]
fn a_file_that_was_being_written_at_a_crash_gives_what_is_whole_and_counts_the_rest() {
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one", "two"]);
    spool.close();
    let file = place.files().into_iter().find(|file| file.extension().unwrap() == "envelopes").unwrap();
    let content = fs::read(&file).unwrap();
    fs::write(file.with_extension("part"), &content[..content.len() - 1]).unwrap();
    fs::remove_file(file).unwrap();
    let mut spool = place.open();
    assert_eq!(send_all(&mut spool), ["one"]);
    assert_eq!(place.lost(), 3, "a transaction of two spans");
}

#[test]
fn a_file_of_nonsense_is_counted_and_removed() {
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one", "two"]);
    spool.close();
    let file = place.files().into_iter().find(|file| file.extension().unwrap() == "envelopes").unwrap();
    fs::write(&file, "nonsense").unwrap();
    let mut spool = place.open();
    assert!(spool.has_more());
    assert_eq!(send_all(&mut spool), Vec::<String>::new());
    assert_eq!(place.lost(), 6);
    assert!(!file.exists());
}

#[test]
fn what_others_put_there_is_left_alone() {
    let place = Place::new();
    place.open().close();
    let project = fs::read_dir(place.folder.path()).unwrap().next().unwrap().unwrap().path();
    fs::write(project.join("README"), "mine").unwrap();
    let mut spool = place.open();
    assert!(!spool.has_more() && send_all(&mut spool).is_empty());
    spool.close();
    assert_eq!(place.files(), [project.join("README")]);
}

#[test]
fn a_full_spool_takes_nothing_more_and_counts_it_as_that() {
    let place = Place::new();
    let mut spool = place.open_with(200);
    let body = "x".repeat(100);
    place.keep(&mut spool, &[&body, &body]);
    assert_eq!(place.losses.peek()[0].reason, Reason::CacheOverflow);
    assert_eq!(place.lost(), 3);
    assert_eq!(send_all(&mut spool).len(), 1);
    place.keep(&mut spool, &[&body]);
    assert_eq!(place.lost(), 3, "there is room again");
}

#[test]
fn what_cannot_be_written_is_lost_for_the_reason_it_was_kept_for() {
    let place = Place::new();
    let mut spool = place.open();
    fs::remove_dir_all(place.folder.path()).unwrap();
    place.keep(&mut spool, &["one"]);
    assert_eq!(place.losses.peek()[0].reason, Reason::NetworkError);
    assert_eq!(place.lost(), 3);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    place.open().close();
    let project = fs::read_dir(place.folder.path()).unwrap().next().unwrap().unwrap();
    assert_eq!(project.metadata().unwrap().permissions().mode() & 0o077, 0);
}
