//! What could not be delivered, on disk until it can.

mod file;
mod folder;
mod name;

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use sentrace_core::{Losses, diagnostics};
use sentrace_protocol::{Category, Dsn, Reason};

use self::file::Record;
use self::folder::Folder;
use self::name::Name;
use crate::StartError;
use crate::load::{Load, Tally};

/// How long something waits for more that goes into the same file. A crash loses what waits.
const COMMIT_AFTER: Duration = Duration::from_millis(500);
/// A file that reaches this many bytes is written at once.
const FILE_BYTES: usize = 256 * 1024;
/// Files that a small spool has room for, so that a full one is nearly full.
const MIN_FILES: u64 = 8;
/// How often processes are looked for that ended without sending what they kept.
const ADOPT_EVERY: Duration = Duration::from_secs(10);

/// The spool of one project. Used by one thread, which waits for the disk.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: Folder,
    max_bytes: u64,
    file_bytes: usize,
    losses: Arc<Losses>,
    pending: Pending,
    files: BTreeSet<Name>,
    batch: Option<Batch>,
    adopt_at: Instant,
    told: AtomicBool,
}

/// What is going to be a file.
#[derive(Debug, Default)]
struct Pending {
    content: Vec<u8>,
    loads: Vec<(Load, Reason)>,
    since: Option<Instant>,
}

/// The file that is being sent.
#[derive(Debug)]
struct Batch {
    name: Name,
    left: VecDeque<Record>,
    under_way: usize,
    /// Whether some of it is through, so that the file says more than is left.
    begun: bool,
}

impl Spool {
    /// The spool of a project in `folder`, with what is left there from earlier.
    pub(crate) fn open(
        folder: &Path,
        dsn: &Dsn,
        max_bytes: u64,
        losses: Arc<Losses>,
    ) -> Result<Self, StartError> {
        let project = format!("{:016x}", fingerprint(&[&dsn.envelope_url(), dsn.public_key()]));
        let refuse = |error| {
            let rule = format!(
                "option spool_dir: {} cannot be used, name a folder that we may write to",
                folder.display()
            );
            StartError::new(rule, error)
        };
        let mut opened = Folder::open(folder.join(project)).map_err(refuse)?;
        let files = opened.adopt().map_err(refuse)?;
        Ok(Self {
            folder: opened,
            max_bytes,
            file_bytes: usize::try_from(max_bytes / MIN_FILES).unwrap_or(FILE_BYTES).min(FILE_BYTES),
            losses,
            pending: Pending::default(),
            files,
            batch: None,
            adopt_at: Instant::now() + ADOPT_EVERY,
            told: AtomicBool::new(false),
        })
    }

    /// Keeps an envelope (as [`Encoder::kept`](crate::encode::Encoder::kept) makes it) that would otherwise be
    /// lost for `reason`.
    pub(crate) fn keep(&mut self, mut load: Load, kept: &[u8], reason: Reason, now: Instant) {
        load.detach_report();
        file::append(&mut self.pending.content, load.tally(), kept);
        self.pending.loads.push((load, reason));
        self.pending.since.get_or_insert(now);
        if self.pending.content.len() >= self.file_bytes {
            self.commit();
        }
    }

    /// How long until [`tick`](Self::tick) has something to do.
    pub(crate) fn due_in(&self, now: Instant) -> Duration {
        let commit_at = self.pending.since.map(|since| since + COMMIT_AFTER);
        commit_at.map_or(self.adopt_at, |at| at.min(self.adopt_at)).saturating_duration_since(now)
    }

    /// Writes what has waited long enough, and takes over from processes that are gone.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.pending.since.is_some_and(|since| now >= since + COMMIT_AFTER) {
            self.commit();
        }
        if now >= self.adopt_at {
            self.adopt_at = now + ADOPT_EVERY;
            let sending = self.batch.as_ref().map(|batch| batch.name);
            match self.folder.adopt() {
                Ok(found) => self.files.extend(found.into_iter().filter(|name| Some(*name) != sending)),
                Err(error) => self.tell("read", &error),
            }
        }
    }

    /// Writes what was kept so far.
    pub(crate) fn commit(&mut self) {
        let Pending { content, loads, .. } = std::mem::take(&mut self.pending);
        if loads.is_empty() {
            return;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let tally = loads.iter().fold(Tally::default(), |sum, (load, _)| sum.plus(load.tally()));
        match self.write(millis, tally, &content) {
            Written::Yes(name) => {
                self.files.insert(name);
                loads.into_iter().for_each(|(load, _)| load.kept());
            }
            Written::NoRoom => loads.into_iter().for_each(|(load, _)| load.lost(Reason::CacheOverflow)),
            Written::Failed => loads.into_iter().for_each(|(load, reason)| load.lost(reason)),
        }
    }

    /// Whether there is something to be sent.
    pub(crate) fn has_more(&self) -> bool {
        !self.files.is_empty() || self.batch.as_ref().is_some_and(|batch| !batch.left.is_empty())
    }

    /// How many envelopes were taken by [`next`](Self::next) and are not settled.
    pub(crate) fn under_way(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.under_way)
    }

    /// The oldest envelope, to be settled by [`settled`](Self::settled) or [`give_back`](Self::give_back). It stays on
    /// disk until all of its file are settled.
    pub(crate) fn next(&mut self) -> Option<(Load, Bytes)> {
        let batch = self.filled_batch()?;
        let Record { tally, body } = batch.left.pop_front()?;
        batch.under_way += 1;
        Some((Load::new(tally, &self.losses), body))
    }

    /// What rate limits call the oldest envelope; `None` where [`next`](Self::next) gives none.
    pub(crate) fn next_category(&mut self) -> Option<Category> {
        Some(self.filled_batch()?.left.front()?.tally.category())
    }

    /// One envelope is through, delivered or not.
    pub(crate) fn settled(&mut self) {
        let Some(batch) = &mut self.batch else { return };
        batch.begun = true;
        batch.under_way -= 1;
        if batch.under_way == 0 && batch.left.is_empty() {
            self.folder.remove(batch.name);
            self.batch = None;
        }
    }

    /// One envelope could not be sent now: it is the next again.
    pub(crate) fn give_back(&mut self, load: Load, kept: Bytes) {
        let Some(batch) = &mut self.batch else { return };
        batch.under_way -= 1;
        batch.left.push_front(Record { tally: load.tally(), body: kept });
        load.kept();
    }

    /// Leaves everything on disk as it is to be found later.
    pub(crate) fn close(mut self) {
        self.commit();
        let Some(batch) = self.batch.take().filter(|batch| batch.begun) else { return };
        let (mut content, mut tally) = (Vec::new(), Tally::default());
        for record in &batch.left {
            file::append(&mut content, record.tally, &record.body);
            tally = tally.plus(record.tally);
        }
        // Where this fails the old file stays: sent twice is better than not at all.
        if content.is_empty() || self.folder.write(batch.name.millis, tally, &content).is_ok() {
            self.folder.remove(batch.name);
        }
    }

    fn filled_batch(&mut self) -> Option<&mut Batch> {
        while self.batch.as_ref().is_none_or(|batch| batch.left.is_empty()) {
            // One file after the other: which of them can be removed is then plain.
            if self.under_way() > 0 {
                return None;
            }
            let name = self.files.pop_first()?;
            self.batch = self.load(name);
        }
        self.batch.as_mut()
    }

    fn load(&mut self, name: Name) -> Option<Batch> {
        let content =
            self.folder.read(name).inspect_err(|error| self.tell("read", error)).unwrap_or_default();
        let left = file::read(content);
        let found = left.iter().fold(Tally::default(), |sum, record| sum.plus(record.tally));
        let missing = name.tally().minus(found);
        if !missing.is_empty() {
            diagnostics::warn(format_args!(
                "the spool's file {name} is torn: {} transactions of it are lost",
                missing.transactions
            ));
            missing.lost(Reason::InternalSdkError, &self.losses);
        }
        if left.is_empty() {
            self.folder.remove(name);
            return None;
        }
        // Should it be read again, what is missing is counted already.
        Some(Batch { name, left: left.into(), under_way: 0, begun: !missing.is_empty() })
    }

    fn write(&mut self, millis: u64, tally: Tally, content: &[u8]) -> Written {
        match self.folder.bytes() {
            Ok(bytes) if bytes + content.len() as u64 > self.max_bytes => Written::NoRoom,
            Ok(_) => match self.folder.write(millis, tally, content) {
                Ok(name) => Written::Yes(name),
                Err(error) => {
                    self.tell("written", &error);
                    Written::Failed
                }
            },
            Err(error) => {
                self.tell("read", &error);
                Written::Failed
            }
        }
    }

    fn tell(&self, what: &str, error: &std::io::Error) {
        diagnostics::warn_once(
            &self.told,
            format_args!("the spool cannot be {what}: {error}; look at its folder"),
        );
    }
}

enum Written {
    Yes(Name),
    NoRoom,
    Failed,
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
fn fingerprint(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests;
