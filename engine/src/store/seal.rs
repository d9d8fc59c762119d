//! Files beside a SQLite store: the mark of its last acknowledged record, which is also the lock of its one writer, and the seal
//! over all bytes of a file that was closed.
//!
//! SQLite's log (`-wal`) can be lost or torn without SQLite noticing: it goes on with what is left. The mark does notice: it is
//! written after each commit and says how far the file had come. It is not synced; after a pulled plug it may lag, but never lead.
//!
//! Bytes of the file that hold nothing (room between cells, pages on the free list) are in no record and no row. The seal, a
//! digest of the whole file made when the store is closed, covers these too.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::StoreError;
use super::digest::{Digest, Of};

/// What a seal says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// How many records the file held.
    pub records: u64,
    /// Its length in bytes.
    pub length: u64,
    /// The digest of all of them.
    pub digest: Digest,
}

/// A file beside the store's.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

pub(super) fn failed(path: &Path, error: &std::io::Error) -> StoreError {
    let (path, reason) = (path.display().to_string(), error.to_string());
    match error.kind() {
        ErrorKind::NotFound => StoreError::Missing { path },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StoreError::Full { path }
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path, reason },
        _ => StoreError::Failed { path, reason },
    }
}

/// The first bytes of a file; fewer when it is shorter.
#[expect(clippy::disallowed_methods, reason = "the store is a file")]
pub(super) fn first_bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut file = File::open(path).map_err(|error| failed(path, &error))?;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(100).read_to_end(&mut bytes).map_err(|error| failed(path, &error))?;
    Ok(bytes)
}

/// The lock of the one writer, and the mark of what it has acknowledged.
pub(super) struct Mark {
    file: File,
}

impl Mark {
    /// Takes the lock. It goes with the process, however that ends.
    pub(super) fn lock(store: &Path) -> Result<Mark, StoreError> {
        let path = beside(store, "-mark");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(|error| failed(store, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Mark { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: store.display().to_string() }),
            Err(TryLockError::Error(error)) => Err(failed(store, &error)),
        }
    }

    /// What the mark says, without the lock: for readers. Read before the store, it never leads.
    #[expect(clippy::disallowed_methods, reason = "the mark is a file beside the store's")]
    pub(super) fn peek(store: &Path) -> Option<(u64, Digest)> {
        let path = beside(store, "-mark");
        Mark { file: File::open(&path).ok()? }.read()
    }

    /// The last acknowledged record and its link; nothing when none is noted, or the note is torn.
    pub(super) fn read(&mut self) -> Option<(u64, Digest)> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0)).ok()?;
        Read::by_ref(&mut self.file).take(72).read_to_end(&mut bytes).ok()?;
        let (noted, check) = bytes.split_at_checked(40)?;
        (Digest::from_slice(check)? == Digest::of(Of::Mark, &[noted])).then_some(())?;
        let (seq, link) = noted.split_at_checked(8)?;
        Some((u64::from_be_bytes(seq.try_into().ok()?), Digest::from_slice(link)?))
    }

    pub(super) fn note(&mut self, seq: u64, link: Digest) -> std::io::Result<()> {
        let mut noted = Vec::with_capacity(72);
        noted.extend(seq.to_be_bytes());
        noted.extend(link.0);
        let check = Digest::of(Of::Mark, &[&noted]);
        noted.extend(check.0);
        self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(&noted))
    }
}

impl Drop for Mark {
    /// The lock belongs to the open file, which a child between its fork and its exec also holds: closing alone would leave the
    /// store locked until that child is on its way. What cannot be unlocked is freed by the closing that follows.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// The digest of a whole file and its length.
#[expect(clippy::disallowed_methods, reason = "the store is a file")]
fn digest(path: &Path) -> std::io::Result<(u64, Digest)> {
    let mut file = File::open(path)?;
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut part = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            return Ok((length, Digest(hash.finalize().into())));
        }
        hash.update(part.get(..read).unwrap_or_default());
        length += read as u64;
    }
}

/// Seals a closed file.
#[expect(clippy::disallowed_methods, reason = "the seal is a file beside the store's")]
pub(super) fn seal(path: &Path, records: u64) -> Result<(), StoreError> {
    let (length, digest) = digest(path).map_err(|error| failed(path, &error))?;
    let text = serde_json::to_string(&Sealed { records, length, digest });
    let text = text.map_err(|error| StoreError::damaged(error.to_string()))?;
    let to = beside(path, "-seal");
    std::fs::write(&to, text).map_err(|error| failed(&to, &error))
}

/// Takes the seal off a file that is to be written.
pub(super) fn unseal(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(beside(path, "-seal")) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

/// Removes a store's file and those beside it; the mark goes last, since it is the lock.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    for ending in ["", "-wal", "-shm", "-seal", "-mark"] {
        match std::fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(path, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// The seal of a file and what the file is now; nothing when it is not sealed.
#[expect(clippy::disallowed_methods, reason = "the seal is a file beside the store's")]
pub(super) fn broken_seal(path: &Path) -> Result<Option<Result<Sealed, String>>, StoreError> {
    let at = beside(path, "-seal");
    let text = match std::fs::read_to_string(&at) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
        Err(error) => return Err(failed(&at, &error)),
    };
    let Ok(sealed) = serde_json::from_str::<Sealed>(&text) else {
        return Ok(Some(Err(format!("the seal `{}` cannot be read", at.display()))));
    };
    let (length, digest) = digest(path).map_err(|error| failed(path, &error))?;
    if length != sealed.length {
        let told = format!("the file has {length} bytes, but was sealed with {}", sealed.length);
        return Ok(Some(Err(told)));
    }
    if digest != sealed.digest {
        let told = format!("bytes of the file were altered after it was sealed at record {}", sealed.records);
        return Ok(Some(Err(told)));
    }
    Ok(Some(Ok(sealed)))
}

/// Whether SQLite's log holds anything.
pub(super) fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A helpdesk that starts a program while it closes its store could not open it again for a moment: the child had the lock.
    #[test]
    fn a_lock_goes_with_its_holder_though_a_child_has_the_file() {
        let store = std::env::temp_dir().join(format!("holdback-lock-{}.db", std::process::id()));
        let mark = Mark::lock(&store).unwrap();
        let inherited = mark.file.try_clone().unwrap();
        assert!(matches!(Mark::lock(&store), Err(StoreError::Locked { .. })));
        drop(mark);
        Mark::lock(&store).map(drop).unwrap();
        drop(inherited);
        remove(&store).unwrap();
    }
}
