//! Folders with random contents and permissions, and faults at random times: whatever is whole is sent once, whatever is torn is
//! counted once, and whatever is not ours stays.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::permission_tests::apart;
use super::tests::Place;
use super::*;

/// Each record is a transaction with a span of its own.
const RECORD: Tally = Tally { transactions: 1, spans: 2 };
/// What that adds to the counters if it is lost.
const LOST: u64 = 3;

#[derive(Debug, Clone)]
enum Content {
    Whole,
    /// So many bytes are missing at the end.
    Torn(usize),
    OtherVersion,
    Nonsense(Vec<u8>),
    Folder,
    Pipe,
    Link,
}

#[derive(Debug, Clone)]
struct Entry {
    content: Content,
    owner: u64,
    records: u64,
    complete: bool,
    readable: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Tick,
    Send(usize),
    GiveBack(usize),
    Keep,
    /// The folder refuses changes from now on, or takes them again.
    Lock,
    Unlock,
    /// The process starts anew.
    Reopen,
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let content = prop_oneof![
        4 => Just(Content::Whole),
        2 => (1_usize..200).prop_map(Content::Torn),
        1 => Just(Content::OtherVersion),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Content::Nonsense),
        1 => Just(Content::Folder),
        1 => Just(Content::Pipe),
        1 => Just(Content::Link),
    ];
    let entry = (content, 1_u64..5, 1_u64..5, any::<bool>(), prop::bool::weighted(0.8));
    let entry = entry.prop_map(|(content, owner, records, complete, readable)| Entry {
        content,
        owner,
        records,
        complete,
        readable,
    });
    prop::collection::vec(entry, 0..12)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::Tick),
        (1_usize..6).prop_map(Step::Send),
        (1_usize..4).prop_map(Step::GiveBack),
        Just(Step::Keep),
        Just(Step::Lock),
        Just(Step::Unlock),
        Just(Step::Reopen),
    ];
    prop::collection::vec(step, 0..20)
}

struct Run {
    place: Place,
    spool: Option<Spool>,
    sent: BTreeMap<String, u64>,
    expected: Vec<String>,
    /// What must stay as it is.
    foreign: Vec<PathBuf>,
    other_versions: usize,
    lost: u64,
    kept: u64,
}

impl Run {
    fn new(entries: &[Entry]) -> Self {
        let place = Place::new();
        place.open().close();
        let mut run = Self {
            place,
            spool: None,
            sent: BTreeMap::new(),
            expected: Vec::new(),
            foreign: Vec::new(),
            other_versions: 0,
            lost: 0,
            kept: 0,
        };
        for (number, entry) in entries.iter().enumerate() {
            run.add(number, entry);
        }
        run.spool = Some(run.place.open());
        run
    }

    fn add(&mut self, number: usize, entry: &Entry) {
        let tally = Tally { transactions: entry.records, spans: entry.records * 2 };
        let name = Name::new(number as u64, 1, entry.owner, tally);
        let name = if entry.complete { name } else { name.part() };
        let path = self.place.project().join(name.to_string());
        let bodies: Vec<String> =
            (0..entry.records).map(|at| format!("entry {number}, record {at}")).collect();
        let mut whole = Vec::new();
        bodies.iter().for_each(|body| file::append(&mut whole, RECORD, body.as_bytes()));
        let content = match &entry.content {
            Content::Whole => whole,
            Content::Torn(missing) => {
                whole.truncate(whole.len().saturating_sub(*missing));
                whole
            }
            Content::OtherVersion => {
                self.other_versions += 1;
                b"sentrace spool 7\nwhatever".to_vec()
            }
            Content::Nonsense(bytes) => bytes.clone(),
            odd => {
                match odd {
                    Content::Folder => fs::create_dir(&path).unwrap(),
                    Content::Pipe => mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap(),
                    _ => std::os::unix::fs::symlink("/etc/hostname", &path).unwrap(),
                }
                return self.foreign.push(path);
            }
        };
        if !matches!(entry.content, Content::OtherVersion) {
            let whole = match file::read(content.clone()) {
                file::Content::Records(records) => records.len(),
                file::Content::OtherVersion => return,
            };
            self.expected.extend(bodies[..whole].iter().cloned());
            self.lost += LOST * (entry.records - whole as u64);
        }
        fs::write(&path, content).unwrap();
        permit(&path, if entry.readable { 0o600 } else { 0o000 });
    }

    fn spool(&mut self) -> &mut Spool {
        self.spool.as_mut().unwrap()
    }

    fn tick(&mut self) {
        let due = self.spool().adopt_at;
        self.spool().run_timers(due);
    }

    fn send(&mut self, most: usize) {
        for _ in 0..most {
            let Some((load, body, file)) = self.spool().next() else { return };
            load.delivered();
            self.spool().settled(file);
            *self.sent.entry(String::from_utf8(body.to_vec()).unwrap()).or_default() += 1;
        }
    }

    fn give_back(&mut self, most: usize) {
        let taken: Vec<_> = std::iter::from_fn(|| self.spool().next()).take(most).collect();
        for (load, body, file) in taken.into_iter().rev() {
            self.spool().give_back(load, body, file);
        }
    }

    fn keep(&mut self) {
        let body = format!("kept {}", self.kept);
        self.kept += 1;
        let mut spool = self.spool.take().unwrap();
        self.place.keep(&mut spool, &[&body]);
        self.spool = Some(spool);
        self.expected.push(body);
    }

    fn reopen(&mut self) {
        permit(&self.place.project(), 0o755);
        self.spool.take().unwrap().close();
        self.spool = Some(self.place.open());
    }

    fn finish(mut self) {
        permit(&self.place.project(), 0o755);
        for file in self.place.files() {
            if file.symlink_metadata().unwrap().is_file() {
                permit(&file, 0o600);
            }
        }
        for _ in 0..2 {
            for _ in 0..4 {
                self.tick();
                self.send(usize::MAX);
            }
            self.reopen();
        }
        self.expected.sort();
        let sent: Vec<String> = self.sent.keys().cloned().collect();
        assert_eq!(sent, self.expected);
        assert!(self.sent.values().all(|times| *times == 1), "{:?}", self.sent);
        assert_eq!(self.place.lost(), self.lost);
        assert!(self.foreign.iter().all(|path| path.symlink_metadata().is_ok()), "{:?}", self.foreign);
        let other = |path: &PathBuf| {
            path.symlink_metadata().unwrap().is_file() && fs::metadata(path).unwrap().len() > 0
        };
        assert_eq!(self.place.files().iter().filter(|path| other(path)).count(), self.other_versions);
    }
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn check(entries: &[Entry], steps: &[Step]) {
    let mut run = Run::new(entries);
    for step in steps {
        match step {
            Step::Tick => run.tick(),
            Step::Send(most) => run.send(*most),
            Step::GiveBack(most) => run.give_back(*most),
            Step::Keep => run.keep(),
            Step::Lock => permit(&run.place.project(), 0o555),
            Step::Unlock => permit(&run.place.project(), 0o755),
            Step::Reopen => run.reopen(),
        }
    }
    run.finish();
}

/// 64 cases; more with `PROPTEST_CASES`.
#[test]
fn whatever_is_in_the_folder_is_sent_once_or_counted_once_or_left_alone() {
    apart("property_tests::whatever_is_in_the_folder_is_sent_once_or_counted_once_or_left_alone", || {
        let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        if std::env::var_os("PROPTEST_CASES").is_none() {
            config.cases = 64;
        }
        proptest!(config, |(entries in entries(), steps in steps())| check(&entries, &steps));
    });
}
