//! The one place of the engine that touches disk: a pack's folder read into memory.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Pack, PackError, PackFault};

/// A pack is read whole; larger files are not contract text.
const FILE_BYTES_MAX: u64 = 4 << 20;
const FILES_MAX: usize = 2_000;

impl Pack {
    /// Reads a pack from its folder.
    ///
    /// # Errors
    /// [`PackError`] with everything that is wrong, an unreadable folder or file included.
    pub fn open(folder: &Path) -> Result<Pack, PackError> {
        let mut files = BTreeMap::new();
        let mut faults = Vec::new();
        for below in ["", "clauses", "cases"] {
            read(folder, below, &mut files, &mut faults);
        }
        if !faults.is_empty() {
            return Err(PackError(faults));
        }
        Pack::from_files(files)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "packs are folders on disk; nothing else of the engine reads files"
)]
fn read(folder: &Path, below: &str, files: &mut BTreeMap<String, String>, faults: &mut Vec<PackFault>) {
    let mut fault = |file: &str, message: String| {
        faults.push(PackFault { file: file.to_owned(), line: 0, column: 0, message });
    };
    let here = folder.join(below);
    let entries = match std::fs::read_dir(&here) {
        Ok(entries) => entries,
        Err(_) if !below.is_empty() => return,
        Err(error) => {
            let message = format!("cannot be read: {error}; expected a folder with pack.toml");
            return fault(&folder.display().to_string(), message);
        }
    };
    for entry in entries.flatten() {
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let wanted = [".toml", ".rhai", ".md", ".ics", ".json"].iter().any(|end| name.ends_with(end));
        if !wanted || !entry.path().is_file() {
            continue;
        }
        if files.len() >= FILES_MAX {
            return fault(&path, format!("a pack has at most {FILES_MAX} files"));
        }
        match entry.path().metadata() {
            Ok(data) if data.len() > FILE_BYTES_MAX => {
                fault(&path, format!("{} bytes: expected at most {FILE_BYTES_MAX}", data.len()));
                continue;
            }
            _ => {}
        }
        match std::fs::read(entry.path()).map(String::from_utf8) {
            Ok(Ok(text)) => {
                // Editors of some systems put a byte order mark first, and end lines with CR LF.
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n");
                files.insert(path, text);
            }
            Ok(Err(error)) => {
                let at = error.utf8_error().valid_up_to();
                fault(&path, format!("is not UTF-8 text: byte {at} cannot be read"));
            }
            Err(error) => fault(&path, format!("cannot be read: {error}")),
        }
    }
}
