//! A file on its way.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use crate::BatchError;

/// A file on its way. It has its name when it is finished; given up, nothing of it stays.
pub(crate) struct Part {
    path: PathBuf,
    waits_as: PathBuf,
    file: Option<BufWriter<File>>,
    /// Bytes since the disk was last told to take what there is.
    since: usize,
    takes: Option<JoinHandle<std::io::Result<()>>>,
}

/// So much is written before the disk is told to take it, so that not all of it waits for the end.
const TAKE: usize = 64 << 20;

pub(super) fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> BatchError {
    BatchError::File { path: path.display().to_string(), reason: format!("cannot be written: {error}") }
}

/// What a file that may be gone on with is called until it is whole.
pub(crate) fn waits_as(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("out");
    path.with_file_name(format!(".{name}.part"))
}

impl Part {
    /// A new file, which nobody else writes.
    #[expect(clippy::disallowed_methods, reason = "the user asks for this file")]
    pub(crate) fn begin(path: &Path) -> Result<Part, BatchError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("out");
        let waits_as = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = File::create(&waits_as).map_err(|error| unwritable(&waits_as, &error))?;
        Ok(Part::of(path, waits_as, file))
    }

    /// A file that may be left and gone on with: what is beyond `length` does not count.
    pub(crate) fn go_on(path: &Path, length: u64) -> Result<Part, BatchError> {
        let waits_as = waits_as(path);
        let fault = |error: std::io::Error| unwritable(&waits_as, &error);
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(false).open(&waits_as).map_err(fault)?;
        file.set_len(length).map_err(fault)?;
        file.seek(SeekFrom::End(0)).map_err(fault)?;
        Ok(Part::of(path, waits_as, file))
    }

    fn of(path: &Path, waits_as: PathBuf, file: File) -> Part {
        let file = Some(BufWriter::with_capacity(1 << 16, file));
        Part { path: path.to_owned(), waits_as, file, since: 0, takes: None }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), BatchError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(|error| unwritable(&self.path, &error))?;
        self.since += bytes.len();
        if self.since >= TAKE && self.takes.as_ref().is_none_or(JoinHandle::is_finished) {
            self.taken().map_err(|error| unwritable(&self.path, &error))?;
            if let Some(Ok(file)) = self.file.as_ref().map(|file| file.get_ref().try_clone()) {
                self.since = 0;
                self.takes = Some(std::thread::spawn(move || file.sync_data()));
            }
        }
        Ok(())
    }

    /// Waits for what the disk takes, and says what went wrong with it: it says so only once.
    fn taken(&mut self) -> std::io::Result<()> {
        match self.takes.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(std::io::Error::other("a thread that writes has ended without a word")),
        }
    }

    /// Everything is on the disk, and has its name.
    pub(crate) fn finish(mut self) -> Result<(), BatchError> {
        let taken = self.taken();
        if let Some(mut file) = self.file.take() {
            let done = taken.and_then(|()| file.flush()).and_then(|()| file.get_ref().sync_all());
            if let Err(error) = done.and_then(|()| fs::rename(&self.waits_as, &self.path)) {
                let _ = fs::remove_file(&self.waits_as);
                return Err(unwritable(&self.path, &error));
            }
        }
        Ok(())
    }

    /// Everything so far is on the disk, to be gone on with.
    pub(crate) fn leave(mut self) -> Result<(), BatchError> {
        let taken = self.taken();
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let done = taken.and_then(|()| file.flush()).and_then(|()| file.get_ref().sync_all());
        done.map_err(|error| {
            let _ = fs::remove_file(&self.waits_as);
            unwritable(&self.path, &error)
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Work that was given up leaves nothing behind; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&self.waits_as);
        }
    }
}
