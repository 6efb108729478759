//! A folder that refuses, in a process of a user to whom permissions apply: CI runs as root, to whom they do not.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, getrlimit, setrlimit};
use sentrace_core::{Client, Options};

use super::tests::{Place, send_all};
use super::*;
use crate::Delivery;
use crate::support::{LONG, counted, record_many};

const CHILD: &str = "SENTRACE_TEST_CHILD";
/// A user that owns nothing.
const OTHER_USER: u32 = 54_321;

/// Runs a test of this module in a process of its own, as a user to whom permissions apply.
pub(super) fn apart(test: &str, run: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return run();
    }
    // Reached without looking into folders that the other user may not look into.
    let mut child = Command::new("/proc/self/exe");
    child.args(["--exact", "--nocapture"]).arg(format!("spool::{test}")).env(CHILD, "1");
    if rustix::process::getuid().is_root() {
        child.uid(OTHER_USER).gid(OTHER_USER);
    }
    let output = child.current_dir("/").output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("1 passed"), "it did not run: {shown}");
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Takes the right to change the folder away, and makes sure that it is gone.
fn lock_up(folder: &Path) {
    permit(folder, 0o555);
    let refused = fs::write(folder.join("probe"), "").unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
}

fn envelopes(place: &Place) -> Vec<PathBuf> {
    let is_data = |file: &PathBuf| file.extension().is_some_and(|extension| extension != "lock");
    place.files().into_iter().filter(is_data).collect()
}

fn tick(spool: &mut Spool) {
    let due = spool.adopt_at;
    spool.run_timers(due);
}

#[test]
fn a_file_that_cannot_be_removed_is_sent_once() {
    apart("permission_tests::a_file_that_cannot_be_removed_is_sent_once", || {
        let place = Place::new();
        let mut spool = place.open();
        place.keep(&mut spool, &["one", "two"]);
        drop(spool);
        let mut spool = place.open();
        lock_up(&place.project());
        assert_eq!(send_all(&mut spool), ["one", "two"]);
        for _ in 0..5 {
            tick(&mut spool);
            assert_eq!(send_all(&mut spool), Vec::<String>::new());
        }
        spool.close();
        assert_eq!(envelopes(&place).len(), 1, "it is still there");
        permit(&place.project(), 0o755);
        let mut later = place.open();
        assert_eq!(
            send_all(&mut later),
            Vec::<String>::new(),
            "not by another client of this process either"
        );
        assert_eq!((place.lost(), envelopes(&place).len()), (0, 0), "but now it is gone");
    });
}

#[test]
fn a_torn_file_that_cannot_be_removed_is_counted_once() {
    apart("permission_tests::a_torn_file_that_cannot_be_removed_is_counted_once", || {
        let place = Place::new();
        let mut spool = place.open();
        place.keep(&mut spool, &["one"]);
        fs::write(&envelopes(&place)[0], "nonsense").unwrap();
        lock_up(&place.project());
        for _ in 0..5 {
            assert_eq!(send_all(&mut spool), Vec::<String>::new());
            tick(&mut spool);
        }
        assert_eq!(place.lost(), 3);
        permit(&place.project(), 0o755);
    });
}

#[test]
fn a_file_that_cannot_be_read_now_is_neither_lost_nor_removed() {
    apart("permission_tests::a_file_that_cannot_be_read_now_is_neither_lost_nor_removed", || {
        let place = Place::new();
        let mut spool = place.open();
        place.keep(&mut spool, &["one"]);
        place.keep(&mut spool, &["two"]);
        let file = envelopes(&place).remove(0);
        permit(&file, 0o000);
        assert_eq!(fs::read(&file).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(send_all(&mut spool), ["two"], "the rest goes on");
        for _ in 0..3 {
            tick(&mut spool);
            assert_eq!(send_all(&mut spool), Vec::<String>::new());
        }
        assert_eq!(place.lost(), 0);
        permit(&file, 0o600);
        tick(&mut spool);
        assert_eq!(send_all(&mut spool), ["one"]);
        spool.close();
        assert_eq!((place.lost(), place.files()), (0, Vec::new()));
    });
}

#[test]
fn files_that_cannot_be_taken_over_stay_for_later() {
    apart("permission_tests::files_that_cannot_be_taken_over_stay_for_later", || {
        let place = Place::new();
        let (mut ending, mut spool) = (place.open(), place.open());
        place.keep(&mut ending, &["one"]);
        place.keep(&mut ending, &["two"]);
        drop(ending);
        lock_up(&place.project());
        for _ in 0..3 {
            tick(&mut spool);
            assert!(!spool.has_more());
        }
        permit(&place.project(), 0o000);
        tick(&mut spool);
        permit(&place.project(), 0o755);
        tick(&mut spool);
        assert_eq!((send_all(&mut spool), place.lost()), (vec!["one".to_owned(), "two".to_owned()], 0));
    });
}

#[test]
fn without_file_descriptors_nothing_is_lost() {
    apart("permission_tests::without_file_descriptors_nothing_is_lost", || {
        let place = Place::new();
        let (mut ending, mut spool) = (place.open(), place.open());
        place.keep(&mut ending, &["one"]);
        place.keep(&mut spool, &["two"]);
        drop(ending);
        let used = UsedUp::all();
        assert!(fs::File::open("/proc/self/status").is_err(), "there are some");
        tick(&mut spool);
        assert_eq!(send_all(&mut spool), Vec::<String>::new());
        let account = Arc::clone(&spool.account);
        let load = Consignment::new(Tally { transactions: 1, spans: 2 }, &account);
        spool.keep(load, b"three", Reason::NetworkError, Instant::now());
        spool.commit();
        drop(used);
        tick(&mut spool);
        tick(&mut spool);
        let mut sent = send_all(&mut spool);
        sent.sort();
        assert_eq!((sent, place.lost()), (["one", "three", "two"].map(str::to_owned).to_vec(), 0));
    });
}

#[test]
fn a_machine_that_lacks_everything_does_not_keep_a_service_from_starting() {
    apart("permission_tests::a_machine_that_lacks_everything_does_not_keep_a_service_from_starting", || {
        let place = Place::new();
        lock_up(place.folder.path());
        let below = place.folder.path().join("below");
        // Of somebody else.
        for folder in [place.folder.path(), &below, Path::new("/proc"), Path::new("/root/spool")] {
            start_degraded(folder);
        }
        let used = UsedUp::all();
        start_degraded(Path::new("/tmp"));
        drop(used);
        let threads = getrlimit(Resource::Nproc);
        setrlimit(Resource::Nproc, rustix::process::Rlimit { current: Some(0), ..threads }).unwrap();
        assert!(std::thread::Builder::new().spawn(|| {}).is_err(), "there are threads");
        start_degraded(Path::new("/tmp"));
        setrlimit(Resource::Nproc, threads).unwrap();
        permit(place.folder.path(), 0o755);
    });
}

fn start_degraded(folder: &Path) {
    let options = Options::new().dsn("http://key@127.0.0.1:1/1").traces_sample_rate(1.0).spool_dir(folder);
    let options = options.retry_timeout(Duration::ZERO).send_client_reports(false);
    let losses = Arc::new(sentrace_core::deliver::Losses::default());
    let dsn = options.delivery().dsn.unwrap().clone();
    let strict = options.clone().strict(true);
    let error = Delivery::start_or_degrade(Some(&dsn), &strict, Arc::clone(&losses)).unwrap_err();
    assert!(error.is_of_machine(), "{error}");
    let delivery = Delivery::start_or_degrade(Some(&dsn), &options, Arc::clone(&losses)).unwrap();
    let client = Client::new(options, Arc::new(delivery), Arc::clone(&losses)).unwrap();
    let recorded = record_many(&client, 10, 1);
    let closed = client.close(LONG);
    assert!(!closed.complete && !client.stats().delivery.running);
    assert_eq!(counted(&losses), recorded, "{}", folder.display());
}

/// All file descriptors that there are.
struct UsedUp {
    _files: Vec<fs::File>,
    before: rustix::process::Rlimit,
}

impl UsedUp {
    fn all() -> Self {
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, rustix::process::Rlimit { current: Some(64), ..before }).unwrap();
        let files = std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
        Self { _files: files, before }
    }
}

impl Drop for UsedUp {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.before).unwrap();
    }
}
