//! Tests of the spool without a network.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use sentrace_core::deliver::Losses;

use super::*;

const MANY_BYTES: u64 = 1024 * 1024;

pub(super) struct Place {
    pub(super) folder: TempDir,
    losses: Arc<Losses>,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), losses: Arc::default() }
    }

    pub(super) fn open(&self) -> Spool {
        self.open_with(MANY_BYTES)
    }

    fn open_with(&self, max_bytes: u64) -> Spool {
        let dsn = "http://key@localhost/1".parse().unwrap();
        Spool::open(self.folder.path(), &dsn, max_bytes, Account::new(Arc::clone(&self.losses))).unwrap()
    }

    /// Keeps one transaction of a span for each of these.
    pub(super) fn keep(&self, spool: &mut Spool, bodies: &[&str]) {
        for body in bodies {
            let account = Account::new(Arc::clone(&self.losses));
            let load = Consignment::new(Tally { transactions: 1, spans: 2 }, &account);
            spool.keep(load, body.as_bytes(), Reason::NetworkError, Instant::now());
        }
        spool.commit();
    }

    pub(super) fn project(&self) -> PathBuf {
        fs::read_dir(self.folder.path()).unwrap().next().unwrap().unwrap().path()
    }

    /// From now on nothing can be done in its folder.
    fn replace_by_a_file(&self) {
        let project = self.project();
        fs::remove_dir_all(&project).unwrap();
        fs::write(project, "in the way").unwrap();
    }

    pub(super) fn lost(&self) -> u64 {
        self.losses.peek().iter().map(|events| events.quantity).sum()
    }

    pub(super) fn files(&self) -> Vec<PathBuf> {
        let project = self.project();
        let mut files: Vec<PathBuf> =
            fs::read_dir(project).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

/// Takes what is there, as if all of it were delivered.
pub(super) fn send_all(spool: &mut Spool) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some((load, body, file)) = spool.next() {
        load.delivered();
        spool.settled(file);
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
    other.run_timers(Instant::now() + ADOPT_EVERY);
    assert_eq!(send_all(&mut other), ["one"], "found without a restart");
    other.close();
    assert_eq!(place.files(), Vec::<PathBuf>::new());
}

#[test]
fn what_was_not_sent_of_a_file_is_there_after_a_restart_and_the_rest_is_not() {
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one", "two", "three"]);
    let (load, _, at) = spool.next().unwrap();
    load.delivered();
    spool.settled(at);
    let (load, body, at) = spool.next().unwrap();
    spool.give_back(load, body, at);
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
    let (load, _, at) = spool.next().unwrap();
    load.delivered();
    spool.settled(at);
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
fn what_cannot_be_written_in_time_is_lost_for_the_reason_it_was_kept_for() {
    let place = Place::new();
    let mut spool = place.open();
    place.replace_by_a_file();
    place.keep(&mut spool, &["one"]);
    assert_eq!(place.lost(), 0, "it may work in a moment");
    spool.close();
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

#[test]
fn what_cannot_be_written_now_is_written_when_it_can() {
    let place = Place::new();
    let mut spool = place.open();
    let project = place.project();
    place.replace_by_a_file();
    place.keep(&mut spool, &["one"]);
    place.keep(&mut spool, &["two"]);
    fs::remove_file(project).unwrap();
    spool.run_timers(Instant::now() + ADOPT_EVERY);
    assert_eq!((place.lost(), send_all(&mut spool)), (0, vec!["one".to_owned(), "two".to_owned()]));
}

#[test]
fn a_folder_that_is_removed_is_made_again() {
    for remove_all in [false, true] {
        let place = Place::new();
        let mut spool = place.open();
        place.keep(&mut spool, &["before"]);
        fs::remove_dir_all(if remove_all { place.folder.path().to_owned() } else { place.project() })
            .unwrap();
        place.keep(&mut spool, &["after"]);
        assert_eq!(send_all(&mut spool), ["after"]);
        assert_eq!(place.lost(), 3, "what was removed is counted");
        place.keep(&mut spool, &["the last"]);
        let mut other = place.open();
        assert!(!other.has_more(), "its lock is back");
        spool.close();
        other.run_timers(Instant::now() + ADOPT_EVERY);
        assert_eq!(send_all(&mut other), ["the last"]);
    }
}

#[test]
fn many_ended_processes_leave_nothing_behind_and_lose_nothing() {
    let place = Place::new();
    let count = 3 * 64 + 10;
    let mut living: Vec<Spool> = (0..count).map(|_| place.open()).collect();
    for (number, spool) in living.iter_mut().enumerate() {
        place.keep(spool, &[&format!("{number:03}")]);
    }
    let mut spool = place.open();
    assert!(!spool.has_more(), "all of them live");
    drop(living);
    // Some died before they kept anything.
    for number in 0..70 {
        fs::write(place.project().join(format!("{number:016x}.lock")), "").unwrap();
    }
    for _ in 0..10 {
        let now = spool.adopt_at;
        spool.run_timers(now);
    }
    let mut sent = send_all(&mut spool);
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), count);
    spool.close();
    assert_eq!(place.files(), Vec::<PathBuf>::new());
    assert_eq!(place.lost(), 0);
}

#[test]
fn an_owner_that_cannot_be_taken_over_does_not_affect_others() {
    let place = Place::new();
    for body in ["one", "two", "three"] {
        let mut spool = place.open();
        place.keep(&mut spool, &[body]);
        let files = place.files();
        drop(spool);
        if body == "two" {
            // Whoever wants the lock finds a folder there.
            for lock in files.iter().filter(|file| file.extension().unwrap() == "lock") {
                let name = lock.file_stem().unwrap().to_str().unwrap().to_owned();
                if files.iter().any(|file| file.to_str().unwrap().contains(&format!("-{name}-"))) {
                    fs::remove_file(lock).unwrap();
                    fs::create_dir(lock).unwrap();
                }
            }
        }
    }
    let mut spool = place.open();
    for _ in 0..3 {
        let now = spool.adopt_at;
        spool.run_timers(now);
    }
    let mut sent = send_all(&mut spool);
    sent.sort();
    // Which of them the second one had taken over is left to the order of ids.
    assert!(sent.contains(&"three".to_owned()), "{sent:?}");
    assert_eq!(place.lost(), 0);
}

#[test]
fn a_file_of_another_version_is_left_alone() {
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one"]);
    spool.close();
    let file = place.files().into_iter().find(|file| file.extension().unwrap() == "envelopes").unwrap();
    fs::write(&file, "sentrace spool 2\nof the future").unwrap();
    let mut spool = place.open();
    assert_eq!(send_all(&mut spool), Vec::<String>::new());
    spool.run_timers(Instant::now() + ADOPT_EVERY);
    assert!(!spool.has_more(), "it is not read again");
    spool.close();
    let kept: Vec<String> = place
        .files()
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .filter(|text| !text.is_empty())
        .collect();
    assert_eq!((place.lost(), kept), (0, vec!["sentrace spool 2\nof the future".to_owned()]));
}

#[cfg(unix)]
#[test]
fn what_only_looks_like_a_file_is_skipped_without_waiting_for_it() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one"]);
    spool.close();
    let project = place.project();
    let name = |at: u64| format!("{at:014}-0000000001-{at:016x}-5-5");
    let odd = [
        project.join(name(1) + ".envelopes"),
        project.join(name(2) + ".envelopes"),
        project.join(name(3) + ".part"),
        project.join(name(4) + ".envelopes"),
        project.join("0000000000000005.lock"),
        project.join("0000000000000006.lock"),
    ];
    fs::create_dir(&odd[0]).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &odd[1]).unwrap();
    mknodat(CWD, &odd[2], FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&odd[3]).unwrap();
    mknodat(CWD, &odd[4], FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    std::os::unix::fs::symlink("/nowhere", &odd[5]).unwrap();
    // Files whose lock cannot be had.
    for owner in [5, 6] {
        fs::write(project.join(name(owner) + ".envelopes"), "nonsense").unwrap();
    }
    let mut spool = place.open();
    spool.run_timers(Instant::now() + ADOPT_EVERY);
    assert_eq!((place.lost(), send_all(&mut spool)), (0, vec!["one".to_owned()]));
    spool.close();
    assert!(odd.iter().all(|path| path.symlink_metadata().is_ok()), "they are left alone");
    assert!(!Path::new("/nowhere").exists());
}

#[test]
fn a_file_that_turns_into_something_else_costs_itself_only() {
    let place = Place::new();
    let mut spool = place.open();
    place.keep(&mut spool, &["one"]);
    let file = place.files().into_iter().find(|file| file.extension().unwrap() == "envelopes").unwrap();
    place.keep(&mut spool, &["two"]);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!((send_all(&mut spool), place.lost()), (vec!["two".to_owned()], 0));
    spool.run_timers(Instant::now() + ADOPT_EVERY);
    assert!(!spool.has_more());
}

#[test]
fn what_was_counted_while_the_disk_stalled_is_not_kept_as_well() {
    let place = Place::new();
    let mut spool = place.open();
    let account = Arc::clone(&spool.account);
    let load = |transactions| Consignment::new(Tally { transactions, spans: 2 }, &account);
    spool.keep(load(1), b"one", Reason::NetworkError, Instant::now());
    account.give_up(Reason::NetworkError);
    spool.commit();
    spool.keep(load(1), b"two", Reason::NetworkError, Instant::now());
    spool.commit();
    assert_eq!((place.lost(), send_all(&mut spool)), (6, Vec::<String>::new()));
}
