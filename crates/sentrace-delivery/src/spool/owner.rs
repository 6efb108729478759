//! Ownership of files: each process has an id, and holds a lock on a file of that name for as long as it lives.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt as _;

use super::open::open;

#[derive(Debug)]
pub(super) struct Owner {
    pub(super) id: u64,
    /// Locked until it is closed, at the end of the process at the latest.
    _lock: File,
}

impl Owner {
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        loop {
            let id = RandomState::new().build_hasher().finish();
            let path = lock_path(folder, id);
            let lock = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            // Another process may have removed the file before it was locked. Then another id is used.
            if lock.try_lock_exclusive()? && path.exists() {
                return Ok(Self { id, _lock: lock });
            }
        }
    }

    /// Acquires the lock of a process that is gone. Returns `None` if it lives, or if another process has the lock.
    pub(super) fn adopt(folder: &Path, id: u64, create: bool) -> io::Result<Option<Self>> {
        // Without files to send, a lock that vanishes meanwhile must not be created again.
        let opened =
            open(&lock_path(folder, id), OpenOptions::new().write(true).create(create).truncate(false));
        let lock = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        Ok(lock.try_lock_exclusive()?.then_some(Self { id, _lock: lock }))
    }

    /// Returns `true` if its lock is still where other processes look for it.
    pub(super) fn is_known(&self, folder: &Path) -> bool {
        lock_path(folder, self.id).exists()
    }
}

/// Removes the lock of an owner without files.
pub(super) fn remove_lock(folder: &Path, id: u64) {
    // Another process may have been faster.
    let _ = std::fs::remove_file(lock_path(folder, id));
}

pub(super) fn parse_lock(name: &str) -> Option<u64> {
    let id = u64::from_str_radix(name.strip_suffix(".lock")?, 16).ok()?;
    (lock_name(id) == name).then_some(id)
}

fn lock_path(folder: &Path, id: u64) -> PathBuf {
    folder.join(lock_name(id))
}

fn lock_name(id: u64) -> String {
    format!("{id:016x}.lock")
}
