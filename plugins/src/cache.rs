//! Compiled components, kept in a folder of the host's own.
//!
//! Loading compiled code runs it: whoever can write it owns the process. So the folder belongs to the host's user alone, each file is
//! proved with a key that lies in that folder, and a file is for one component and one engine.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::component::Component;
use zeroize::Zeroizing;

use crate::Digest;
use crate::defence::{Defence, Defences};

const MAC: usize = 32;

/// A folder that nobody but its owner may write to or read.
pub(crate) struct Cache {
    dir: PathBuf,
    key: Zeroizing<[u8; 32]>,
    defences: Defences,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateError {
    /// The system said no.
    #[error("`{}`: {error}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Others can get at it.
    #[error("`{}` is open to others (mode {mode:o}, owner {owner}); it must be this user's alone: `chmod 700`", .path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Its owner's id.
        owner: u32,
    },
    /// No place of that kind here.
    #[error("`{}`: this system cannot keep a folder private", .0.display())]
    Unfit(PathBuf),
}

/// Makes a folder that is this user's alone, or proves that one is.
pub(crate) fn private_folder(path: &Path) -> Result<(), PrivateError> {
    let io = |error| PrivateError::Io { path: path.to_owned(), error };
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, MetadataExt};
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
        let is = fs::symlink_metadata(path).map_err(io)?;
        let (mode, owner) = (is.mode() & 0o7777, is.uid());
        if !is.is_dir() || mode & 0o077 != 0 || owner != rustix::process::geteuid().as_raw() {
            return Err(PrivateError::Open { path: path.to_owned(), mode, owner });
        }
        Ok(())
    }
    #[cfg(not(unix))]
    {
        let _ = io;
        Err(PrivateError::Unfit(path.to_owned()))
    }
}

/// Writes a file whole or not at all, for this user alone.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let part = part_of(path);
    let written = (|| {
        let mut file = options.open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// A name of its own for a file on its way: others, in this process or another, may write the same one at once.
fn part_of(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    path.with_extension(format!("part-{}-{number}", std::process::id()))
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_capped(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::OpenOptions::new().read(true).open(path)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, format!("more than {limit} bytes")));
    }
    Ok(bytes)
}

impl Cache {
    pub(crate) fn open(dir: &Path, defences: Defences) -> Result<Cache, PrivateError> {
        private_folder(dir)?;
        let path = dir.join("key");
        let io = |error| PrivateError::Io { path: path.clone(), error };
        let mut key = Zeroizing::new([0; 32]);
        match read_capped(&path, 32) {
            Ok(bytes) if bytes.len() == 32 => key.copy_from_slice(&Zeroizing::new(bytes)),
            // A key of another length is none: with a new one, all that is cached is compiled anew. Of two hosts that begin at
            // once one has a key that does not stay, and what it caches is compiled anew, too.
            Ok(_) => Cache::new_key(&path, &mut key).map_err(io)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Cache::new_key(&path, &mut key).map_err(io)?
            }
            Err(error) => return Err(io(error)),
        }
        Ok(Cache { dir: dir.to_owned(), key, defences })
    }

    fn new_key(path: &Path, key: &mut [u8; 32]) -> std::io::Result<()> {
        getrandom::fill(key).map_err(|error| std::io::Error::other(error.to_string()))?;
        write_private(path, key)
    }

    fn path(&self, digest: Digest, engine: &str) -> PathBuf {
        self.dir.join(format!("{}-{engine}.cwasm", digest.hex()))
    }

    fn mac(&self, digest: Digest, engine: &str, code: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.key).ok()?;
        for part in [b"holdback cwasm 1".as_slice(), digest.hex().as_bytes(), engine.as_bytes()] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.update(code);
        Some(mac)
    }

    /// The compiled component, if it is there, is whole, and was written by this host.
    pub(crate) fn get(&self, digest: Digest, engine: &Engine, hash: &str) -> Option<Component> {
        let path = self.path(digest, hash);
        let bytes = read_capped(&path, 1 << 30).ok()?;
        let (mac, code) = bytes.split_at_checked(MAC)?;
        let proved = self.mac(digest, hash, code)?.verify_slice(mac).is_ok();
        if !proved && self.defences.on(Defence::CacheMac) {
            // Not ours, or spoiled. It is written anew after compiling.
            let _ = fs::remove_file(&path);
            return None;
        }
        load(engine, code).ok()
    }

    /// Keeps a compiled component. A cache that cannot be written to is slow, not wrong.
    pub(crate) fn put(&self, digest: Digest, hash: &str, code: &[u8]) {
        let Some(mac) = self.mac(digest, hash, code) else { return };
        let mut bytes = Vec::with_capacity(MAC.saturating_add(code.len()));
        bytes.extend_from_slice(&mac.finalize().into_bytes());
        bytes.extend_from_slice(code);
        let _ = write_private(&self.path(digest, hash), &bytes);
    }
}

/// Takes compiled code in. The one unsafe call of this crate.
#[expect(
    unsafe_code,
    reason = "wasmtime cannot check compiled code; what comes here was proved to be our own"
)]
pub(crate) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is what this host's own compiler gave for this engine: it comes either from the process that the host has just
    // started for it, through a pipe, or from the private folder with a MAC whose key only this user can read.
    unsafe { Component::deserialize(engine, code) }
}
