//! The folder of one project's spool, which several processes may share.
//!
//! Each process has an id, and holds a lock on a file of that name for as long as it lives. A data file is touched by
//! nobody but who holds the lock of the id in its name: the process that wrote it, or, once that is gone, the one
//! that got its lock. So nothing is ever sent by two.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt as _;

use super::name::Name;
use crate::load::Tally;

/// Larger files are none of ours.
const MAX_FILE_BYTES: u64 = 32 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    own: Owner,
    adopted: Vec<Owner>,
    sequence: u32,
}

#[derive(Debug)]
struct Owner {
    id: u64,
    /// Locked until it is closed, at the end of the process at the latest.
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing, readable by its owner only.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        make(&path)?;
        let own = Owner::new(&path)?;
        Ok(Self { path, own, adopted: Vec::new(), sequence: 0 })
    }

    /// Takes over from the processes that are gone, and returns the files that they left.
    pub(super) fn adopt(&mut self) -> io::Result<BTreeSet<Name>> {
        let (names, locks) = self.list()?;
        let left: BTreeSet<u64> = names.iter().map(|name| name.owner).collect();
        for id in left.union(&locks).filter(|id| !self.is_ours(**id)).copied().collect::<Vec<_>>() {
            let Some(owner) = Owner::adopt(&self.path, id, left.contains(&id))? else { continue };
            if left.contains(&id) {
                self.adopted.push(owner);
            } else {
                remove(&lock_path(&self.path, id));
            }
        }
        let (names, _) = self.list()?;
        Ok(names.into_iter().filter(|name| self.adopted.iter().any(|owner| owner.id == name.owner)).collect())
    }

    /// Writes a file that is there as a whole or not at all, whenever this process ends.
    pub(super) fn write(&mut self, millis: u64, tally: Tally, content: &[u8]) -> io::Result<Name> {
        self.sequence += 1;
        let name = Name::new(millis, self.sequence, self.own.id, tally);
        let part = self.path.join(name.part().to_string());
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&part)
            .and_then(|mut file| file.write_all(content))
            .and_then(|()| fs::rename(&part, self.path.join(name.to_string())));
        if written.is_err() {
            remove(&part);
        }
        written.map(|()| name)
    }

    pub(super) fn read(&self, name: Name) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(self.path.join(name.to_string()))?.take(MAX_FILE_BYTES).read_to_end(&mut content)?;
        Ok(content)
    }

    pub(super) fn remove(&self, name: Name) {
        remove(&self.path.join(name.to_string()));
    }

    /// What all processes together keep in here.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        let (names, _) = self.list()?;
        // What vanishes meanwhile takes no room.
        let size = |name: &Name| fs::metadata(self.path.join(name.to_string())).map_or(0, |file| file.len());
        Ok(names.iter().map(size).sum())
    }

    fn list(&self) -> io::Result<(BTreeSet<Name>, BTreeSet<u64>)> {
        let (mut names, mut locks) = (BTreeSet::new(), BTreeSet::new());
        for entry in fs::read_dir(&self.path)? {
            let file = entry?.file_name();
            let Some(file) = file.to_str() else { continue };
            names.extend(Name::parse(file));
            locks.extend(file.strip_suffix(".lock").and_then(|id| u64::from_str_radix(id, 16).ok()));
        }
        Ok((names, locks))
    }

    fn is_ours(&self, id: u64) -> bool {
        self.own.id == id || self.adopted.iter().any(|owner| owner.id == id)
    }
}

/// A lock without files is of no use to anybody.
impl Drop for Folder {
    fn drop(&mut self) {
        let Ok((names, _)) = self.list() else { return };
        for owner in self.adopted.iter().chain([&self.own]) {
            if !names.iter().any(|name| name.owner == owner.id) {
                remove(&lock_path(&self.path, owner.id));
            }
        }
    }
}

impl Owner {
    fn new(folder: &Path) -> io::Result<Self> {
        loop {
            let id = RandomState::new().build_hasher().finish();
            let path = lock_path(folder, id);
            let lock = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            // Somebody who tidies up may have been faster than our lock; then another id will do.
            if lock.try_lock_exclusive()? && path.exists() {
                return Ok(Self { id, _lock: lock });
            }
        }
    }

    /// Gets the lock of a process that is gone; `None` where it lives, or where somebody else got it.
    fn adopt(folder: &Path, id: u64, create: bool) -> io::Result<Option<Self>> {
        // Without files to send, a lock that vanishes meanwhile must not come back.
        let opened =
            OpenOptions::new().write(true).create(create).truncate(false).open(lock_path(folder, id));
        let lock = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        Ok(lock.try_lock_exclusive()?.then_some(Self { id, _lock: lock }))
    }
}

fn lock_path(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{id:016x}.lock"))
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn remove(path: &Path) {
    // Somebody may have been faster.
    let _ = fs::remove_file(path);
}
