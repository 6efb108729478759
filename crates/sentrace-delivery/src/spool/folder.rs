//! The folder of one project's spool, which several processes may share.
//!
//! Only the process that holds the lock of the id in its name may touch a data file: the one that wrote it. Once that process
//! is gone, another one acquires its lock, renames its files to its own id, and releases the lock. So no file is sent by two
//! processes, and no lock or file descriptor is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use super::name::Name;
use super::open::open;
use super::owner::{Owner, parse_lock, remove_lock};
use sentrace_outbox::Tally;

/// Larger files are not spool files.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;
/// How many processes are checked at a time, which takes about a millisecond.
const OWNERS_AT_ONCE: usize = 64;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    own: Owner,
    sequence: u32,
    /// The next owner to check.
    next_owner: u64,
}

/// The result of checking for processes that are gone.
#[derive(Debug, Default)]
pub(super) struct Adopted {
    /// Files that this process owns from now on.
    pub(super) files: Vec<Name>,
    /// Whether more processes remain to be checked.
    pub(super) more: bool,
    /// A file that cannot be used. The others are not affected.
    pub(super) problem: Option<(PathBuf, io::Error)>,
}

/// The content of the folder by owner. An owner may have a lock and no files.
#[derive(Debug, Default)]
struct Listing {
    files: BTreeMap<u64, BTreeSet<Name>>,
    /// Something with the name of a spool file that is not a regular file.
    odd: Option<PathBuf>,
}

impl Folder {
    /// Creates the folder if it is missing, readable by its owner only.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        make(&path)?;
        let own = Owner::new(&path)?;
        Ok(Self { path, own, sequence: 0, next_owner: 0 })
    }

    /// Adopts the files of some of the processes that are gone. Files that this process has sent already (`is_done`) are only
    /// removed.
    pub(super) fn adopt(&mut self, is_done: impl Fn(&Name) -> bool) -> io::Result<Adopted> {
        let listing = match self.list() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.restore()?;
                self.list()?
            }
            listing => listing?,
        };
        let not_regular =
            |path| (path, io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        let mut adopted = Adopted { problem: listing.odd.map(not_regular), ..Adopted::default() };
        let mut others = listing.files.range(self.next_owner..).filter(|(id, _)| **id != self.own.id);
        for (id, names) in others.by_ref().take(OWNERS_AT_ONCE) {
            let lock = match Owner::adopt(&self.path, *id, !names.is_empty()) {
                Ok(Some(lock)) => lock,
                Ok(None) => continue,
                Err(error) => {
                    adopted.problem.get_or_insert_with(|| (self.path.join(format!("{id:016x}.lock")), error));
                    continue;
                }
            };
            let mut left = false;
            for name in names {
                let from = self.path.join(name.to_string());
                self.sequence = self.sequence.wrapping_add(1);
                let to = name.moved(self.sequence, self.own.id);
                let moved = if is_done(name) {
                    fs::remove_file(&from).map(|()| None)
                } else {
                    fs::rename(&from, self.path.join(to.to_string())).map(|()| Some(to))
                };
                match moved {
                    Ok(ours) => adopted.files.extend(ours),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => {
                        left = true;
                        adopted.problem.get_or_insert((from, error));
                    }
                }
            }
            if !left {
                remove_lock(&self.path, *id);
            }
            drop(lock);
        }
        let next = others.next().map(|(id, _)| *id);
        adopted.more = next.is_some();
        self.next_owner = next.unwrap_or(0);
        Ok(adopted)
    }

    /// Writes a file atomically: whenever this process ends, it exists as a whole or not at all. Creates the folder again if
    /// it was removed.
    pub(super) fn write(&mut self, millis: u64, tally: Tally, content: &[u8]) -> io::Result<Name> {
        match self.try_write(millis, tally, content) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.restore()?;
                self.try_write(millis, tally, content)
            }
            written => written,
        }
    }

    fn try_write(&mut self, millis: u64, tally: Tally, content: &[u8]) -> io::Result<Name> {
        self.sequence = self.sequence.wrapping_add(1);
        let name = Name::new(millis, self.sequence, self.own.id, tally);
        let part = self.path.join(name.part().to_string());
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&part)
            .and_then(|mut file| file.write_all(content))
            .and_then(|()| fs::rename(&part, self.path.join(name.to_string())));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written.map(|()| name)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `InvalidInput` if it cannot be a spool file, whatever its name. Other errors may be temporary.
    pub(super) fn read(&self, name: Name) -> io::Result<Vec<u8>> {
        let file = open(&self.path.join(name.to_string()), OpenOptions::new().read(true))?;
        let mut content = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
        if content.len() as u64 > MAX_FILE_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is larger than 32 MiB"));
        }
        Ok(content)
    }

    /// Removes a file if it exists.
    pub(super) fn remove(&self, name: Name) -> io::Result<()> {
        match fs::remove_file(self.path.join(name.to_string())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns how many bytes all processes together keep here.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        let listing = match self.list() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            listing => listing?,
        };
        // Files that vanish meanwhile take no space.
        let size = |name: &Name| fs::metadata(self.path.join(name.to_string())).map_or(0, |file| file.len());
        Ok(listing.files.values().flatten().map(size).sum())
    }

    /// Returns which of `ours` do not exist any more, or `None` if the folder cannot be read.
    pub(super) fn without(&self, ours: &BTreeSet<Name>) -> Option<BTreeSet<Name>> {
        let mut listing = match self.list() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Listing::default(),
            listing => listing.ok()?,
        };
        let there = listing.files.remove(&self.own.id).unwrap_or_default();
        Some(ours.difference(&there).copied().collect())
    }

    pub(super) fn path_of(&self, name: Name) -> PathBuf {
        self.path.join(name.to_string())
    }

    fn list(&self) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let file = entry.file_name();
            let Some(text) = file.to_str() else { continue };
            let (name, lock) = (Name::parse(text), parse_lock(text));
            let Some(owner) = name.map(|name| name.owner).or(lock) else { continue };
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                listing.odd = Some(entry.path());
                continue;
            }
            listing.files.entry(owner).or_default().extend(name);
        }
        Ok(listing)
    }

    /// Creates the folder and the lock again if they were removed.
    fn restore(&mut self) -> io::Result<()> {
        make(&self.path)?;
        if !self.own.is_known(&self.path) {
            self.own = Owner::new(&self.path)?;
        }
        Ok(())
    }
}

/// Removes the lock if there are no files to own.
impl Drop for Folder {
    fn drop(&mut self) {
        let Ok(listing) = self.list() else { return };
        if listing.files.get(&self.own.id).is_none_or(BTreeSet::is_empty) {
            remove_lock(&self.path, self.own.id);
        }
    }
}

fn make(folder: &std::path::Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
