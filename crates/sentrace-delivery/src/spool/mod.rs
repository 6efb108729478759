//! Envelopes that could not be delivered, kept on disk until they can.

mod batch;
mod done;
mod file;
mod folder;
mod name;
mod open;
mod owner;
mod pending;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use sentrace_core::diagnostics;
use sentrace_protocol::{Category, Dsn, Reason};

use self::batch::Batch;
use self::file::Content;
use self::folder::{Adopted, Folder};
use self::name::Name;
use self::pending::Pending;
use crate::StartError;
use sentrace_outbox::Account;
use sentrace_outbox::{Consignment, Tally};

/// A file of this size is written at once.
const FILE_BYTES: usize = 256 * 1024;
/// A small spool has room for at least this many files, so that little of its space stays unused.
const MIN_FILES: u64 = 8;
/// How often the spool adopts files of processes that ended, and retries files that could not be read.
const ADOPT_EVERY: Duration = Duration::from_secs(10);
/// The pause while more such processes remain.
const ADOPT_NEXT: Duration = Duration::from_millis(50);

/// The spool of one project. One thread uses it, and blocks on disk I/O.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: Folder,
    max_bytes: u64,
    file_bytes: usize,
    account: Arc<Account>,
    pending: Pending,
    files: BTreeSet<Name>,
    /// Files that could not be read, and may be later.
    unreadable: BTreeSet<Name>,
    batch: Option<Batch>,
    /// Counts the files that were sent.
    opened: u64,
    adopt_at: Instant,
    warned: Warned,
}

/// What was warned about; each warning is given once.
#[derive(Debug, Default)]
struct Warned {
    read: AtomicBool,
    write: AtomicBool,
    remove: AtomicBool,
    adopt: AtomicBool,
    version: AtomicBool,
    gone: AtomicBool,
    torn: AtomicBool,
}

/// Identifies the file that an envelope was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId(u64);

impl Spool {
    /// Opens the spool of a project in `folder`, with what earlier processes left there.
    pub(crate) fn open(
        folder: &Path,
        dsn: &Dsn,
        max_bytes: u64,
        account: Arc<Account>,
    ) -> Result<Self, StartError> {
        let project = format!("{:016x}", fingerprint(&[&dsn.envelope_url(), dsn.public_key()]));
        let opened = Folder::open(folder.join(project)).map_err(|error| {
            let rule =
                format!("option spool_dir: {} cannot be used; name a writable folder", folder.display());
            StartError::of_machine(rule, error)
        })?;
        let mut spool = Self {
            folder: opened,
            max_bytes,
            file_bytes: usize::try_from(max_bytes / MIN_FILES).unwrap_or(FILE_BYTES).min(FILE_BYTES),
            account,
            pending: Pending::default(),
            files: BTreeSet::new(),
            unreadable: BTreeSet::new(),
            batch: None,
            opened: 0,
            adopt_at: Instant::now(),
            warned: Warned::default(),
        };
        spool.adopt(Instant::now());
        Ok(spool)
    }

    /// Keeps an encoded envelope that would otherwise be lost for `reason`.
    pub(crate) fn keep(&mut self, mut load: Consignment, kept: &[u8], reason: Reason, now: Instant) {
        load.detach_report();
        if self.account.is_given_up() {
            return drop(load);
        }
        self.pending.add(load, kept, reason, now);
        if self.pending.is_ready(self.file_bytes) {
            self.commit();
        }
    }

    /// Returns how long until [`run_timers`](Self::run_timers) has something to do.
    pub(crate) fn due_in(&self, now: Instant) -> Duration {
        let commit_at = self.pending.due();
        commit_at.map_or(self.adopt_at, |at| at.min(self.adopt_at)).saturating_duration_since(now)
    }

    /// Writes what has waited long enough, and adopts files of processes that are gone.
    pub(crate) fn run_timers(&mut self, now: Instant) {
        if self.pending.due().is_some_and(|due| now >= due) {
            self.commit();
        }
        if now >= self.adopt_at {
            self.files.append(&mut self.unreadable);
            self.adopt(now);
        }
    }

    /// Writes to disk what was kept so far.
    pub(crate) fn commit(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() || self.account.is_given_up() {
            return;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        match self.write(millis, pending.tally(), pending.content()) {
            Ok(Some(name)) => {
                if pending.written() {
                    self.files.insert(name);
                } else {
                    // A caller of `close` had no more time to wait for the disk, and has counted it.
                    self.remove(name);
                }
            }
            Ok(None) => pending.overflowed(),
            Err(error) => {
                self.warn(&self.warned.write, "written", &error);
                // File descriptors or disk space may be available again soon.
                if pending.is_full() {
                    pending.failed();
                } else {
                    self.pending = pending.retry_later(Instant::now());
                }
            }
        }
    }

    /// Returns `true` if there is something to send.
    pub(crate) fn has_more(&self) -> bool {
        !self.files.is_empty() || self.batch.as_ref().is_some_and(|batch| !batch.left.is_empty())
    }

    /// Returns how many envelopes were taken by [`next`](Self::next) and are not settled.
    pub(crate) fn in_flight(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.in_flight)
    }

    /// Takes the oldest envelope, to be settled by [`settled`](Self::settled) or [`give_back`](Self::give_back). It stays on
    /// disk until all envelopes of its file are settled.
    pub(crate) fn next(&mut self) -> Option<(Consignment, Bytes, FileId)> {
        let batch = self.filled_batch()?;
        let (file, record) = batch.next()?;
        Some((Consignment::from_spool(record.tally, &self.account), record.body, file))
    }

    /// Returns the category that rate limits apply to the oldest envelope.
    pub(crate) fn next_category(&mut self) -> Option<Category> {
        Some(self.filled_batch()?.left.front()?.tally.category())
    }

    /// Records that an envelope was delivered or discarded.
    pub(crate) fn settled(&mut self, file: FileId) {
        let Some(batch) = self.batch.as_mut().filter(|batch| batch.file == file) else { return };
        batch.settled();
        if batch.in_flight == 0 && batch.left.is_empty() {
            let name = batch.name;
            self.batch = None;
            self.remove(name);
        }
    }

    /// Returns an envelope that could not be sent now. It is the next again.
    pub(crate) fn give_back(&mut self, load: Consignment, kept: Bytes, file: FileId) {
        if let Some(batch) = self.batch.as_mut().filter(|batch| batch.file == file) {
            batch.give_back(load.tally(), kept);
        }
        Consignment::spooled(vec![load]);
    }

    /// Leaves everything on disk for a later process.
    pub(crate) fn close(mut self) {
        self.commit();
        std::mem::take(&mut self.pending).failed();
        // Files that another program removed have to be counted now.
        let batch = self.batch.take();
        let mut ours = self.files.clone();
        ours.extend(batch.as_ref().map(|batch| batch.name));
        let mut removed = self.folder.without(&ours).unwrap_or_default();
        let batch = batch.filter(|batch| removed.remove(&batch.name) || batch.begun);
        if !self.account.is_given_up() {
            removed.iter().for_each(|name| self.lose_removed(*name));
        }
        let Some(batch) = batch else { return };
        let (content, tally) = batch.rest();
        // If this fails, the old file stays: sending twice is better than not at all.
        if content.is_empty() || self.folder.write(batch.name.millis, tally, &content).is_ok() {
            self.remove(batch.name);
        }
    }

    fn filled_batch(&mut self) -> Option<&mut Batch> {
        while self.batch.as_ref().is_none_or(|batch| batch.left.is_empty()) {
            // One file at a time, so that the oldest go first and it is clear which file can be removed.
            if self.in_flight() > 0 {
                return None;
            }
            let name = self.files.pop_first()?;
            self.batch = self.load(name);
        }
        self.batch.as_mut()
    }

    fn load(&mut self, name: Name) -> Option<Batch> {
        let left = match self.folder.read(name) {
            Ok(content) => match file::read(content) {
                Content::Records(records) => records,
                Content::OtherVersion => {
                    diagnostics::warn_once(
                        &self.warned.version,
                        format_args!(
                            "the spool's file {} was written by another version of sentrace: it is left for that version \
                             to send",
                            self.folder.path_of(name).display()
                        ),
                    );
                    return None;
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.lose_removed(name);
                return None;
            }
            Err(error) => {
                self.warn(&self.warned.read, "read", &error);
                if error.kind() != io::ErrorKind::InvalidInput {
                    self.unreadable.insert(name);
                }
                return None;
            }
        };
        let found = left.iter().fold(Tally::default(), |sum, record| sum.plus(record.tally));
        let missing = name.tally().minus(found);
        if !missing.is_empty() {
            diagnostics::warn_once(
                &self.warned.torn,
                format_args!(
                    "files of the spool are truncated, for example {}: {} of its transactions are lost; this is normal after the \
                     machine crashed or the disk was full",
                    self.folder.path_of(name).display(),
                    missing.transactions
                ),
            );
            missing.discard(Reason::InternalSdkError, self.account.losses());
        }
        if left.is_empty() {
            self.remove(name);
            return None;
        }
        self.opened += 1;
        // If it is read again, what is missing is counted already.
        Some(Batch::new(FileId(self.opened), name, left, !missing.is_empty()))
    }

    /// Counts a file that another program removed.
    fn lose_removed(&self, name: Name) {
        diagnostics::warn_once(
            &self.warned.gone,
            format_args!(
                "another program removed files of the spool, for example {} with {} transactions: they are lost; \
                 set the option spool_dir to a folder that nothing else cleans up",
                self.folder.path_of(name).display(),
                name.tally().transactions
            ),
        );
        name.tally().discard(Reason::InternalSdkError, self.account.losses());
    }

    /// Writes a file. Returns `None` if there is no room.
    fn write(&mut self, millis: u64, tally: Tally, content: &[u8]) -> io::Result<Option<Name>> {
        if self.folder.bytes()?.saturating_add(content.len() as u64) > self.max_bytes {
            return Ok(None);
        }
        self.folder.write(millis, tally, content).map(Some)
    }

    /// Removes a file that was sent. If that fails, remembers it, so that it is neither sent nor counted again.
    fn remove(&self, name: Name) {
        if let Err(error) = self.folder.remove(name) {
            done::add(name);
            diagnostics::warn_once(
                &self.warned.remove,
                format_args!(
                    "the spool's file {} was sent and cannot be removed: {error}; make its folder writable, otherwise the \
                     next process sends it again",
                    self.folder.path_of(name).display()
                ),
            );
        }
    }

    fn adopt(&mut self, now: Instant) {
        let adopted = self.folder.adopt(done::contains).unwrap_or_else(|error| {
            self.warn(&self.warned.read, "read", &error);
            Adopted::default()
        });
        if let Some((path, error)) = adopted.problem {
            diagnostics::warn_once(
                &self.warned.adopt,
                format_args!(
                    "the spool skips {}: {error}; remove it, or make it a regular, writable file",
                    path.display()
                ),
            );
        }
        self.files.extend(adopted.files);
        self.adopt_at = now + if adopted.more { ADOPT_NEXT } else { ADOPT_EVERY };
    }

    fn warn(&self, warned: &AtomicBool, what: &str, error: &io::Error) {
        diagnostics::warn_once(
            warned,
            format_args!("the spool cannot be {what}: {error}; check its folder and the permissions"),
        );
    }
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
fn fingerprint(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod permission_tests;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod property_tests;
#[cfg(test)]
mod tests;
