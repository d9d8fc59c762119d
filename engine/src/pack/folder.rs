//! The one place of the engine that touches disk: a pack's folder read into memory.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::load::{self, FILES_MAX, bytes_max};
use super::{Check, Pack, PackError};
use crate::diagnostic::{Code, Diagnostic, Place};

/// What a pack is read from; other files of its folder are left alone.
const WANTED: [&str; 5] = [".toml", ".rhai", ".md", ".ics", ".json"];
/// The subfolder with a pack's own templates for records, which end in `.html`; the only one that has subfolders itself.
const RECORDS: &str = "records";
/// All texts of a pack together.
const PACK_BYTES_MAX: u64 = 64 << 20;
/// Subfolders, and names in one folder, that are looked at.
const FOLDERS_MAX: usize = 64;
const NAMES_MAX: usize = 20_000;

impl Pack {
    /// Reads a pack from its folder: the files at its top and in its direct subfolders, and the templates below `records/`.
    ///
    /// ```
    /// # use holdback::Pack;
    /// let error = Pack::open("no/such/folder".as_ref()).unwrap_err();
    /// assert!(error.to_string().starts_with("no/such/folder: E0801: cannot be read"));
    /// ```
    ///
    /// # Errors
    /// [`PackError`] with everything that is wrong, an unreadable folder or file included.
    pub fn open(folder: &Path) -> Result<Pack, PackError> {
        Reading::of(folder).check().into_result()
    }

    /// Everything that is wrong with a pack in a folder, or looks wrong, as [`Pack::check`] tells it.
    ///
    /// ```
    /// # use holdback::Pack;
    /// let check = Pack::check_folder("no/such/folder".as_ref());
    /// assert!(check.pack.is_none());
    /// assert_eq!(check.diagnostics[0].code.name(), "E0801");
    /// ```
    pub fn check_folder(folder: &Path) -> Check {
        Reading::of(folder).check()
    }
}

/// A folder as far as it was read.
struct Reading {
    files: BTreeMap<String, String>,
    /// Files that are there but were not read. They matter only where the pack needs them.
    unread: BTreeMap<String, Diagnostic>,
    faults: Vec<Diagnostic>,
    root: PathBuf,
    bytes: u64,
    /// More than a pack has: the rest is not looked at.
    over: bool,
}

fn fault(path: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::FILE, Place::file(path), message)
}

impl Reading {
    fn of(folder: &Path) -> Reading {
        let root = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let (files, unread) = (BTreeMap::new(), BTreeMap::new());
        let mut reading = Reading { files, unread, faults: Vec::new(), root, bytes: 0, over: false };
        let named = folder.display().to_string();
        let folders = reading.read("", folder, &named);
        for (i, below) in folders.iter().enumerate() {
            if reading.over {
                break;
            }
            if i >= FOLDERS_MAX {
                let message = format!("{} folders: a pack has at most {FOLDERS_MAX}", folders.len());
                reading.faults.push(fault(&named, message));
                break;
            }
            let deeper = reading.read(below, &folder.join(below), below);
            for language in deeper.iter().take(FOLDERS_MAX).filter(|_| below == RECORDS) {
                let path = format!("{RECORDS}/{language}");
                reading.read(&path, &folder.join(&path), &path);
            }
        }
        reading
    }

    fn check(self) -> Check {
        if self.over || self.files.is_empty() && self.unread.is_empty() && !self.faults.is_empty() {
            // Of a pack too large to read only that is told: what else is wrong with it was not looked at.
            let mut diagnostics = self.faults;
            if self.over {
                diagnostics.drain(..diagnostics.len().saturating_sub(1));
            }
            return Check { pack: None, diagnostics, files: BTreeMap::new() };
        }
        load::check(self.files, self.unread, self.faults, Vec::new())
    }

    /// Reads the files of one folder and gives its subfolders, both in the order of their names.
    fn read(&mut self, below: &str, here: &Path, named: &str) -> Vec<String> {
        let entries = match std::fs::read_dir(here) {
            Ok(entries) => entries,
            Err(error) => {
                let expected = if below.is_empty() { "; expected a folder with pack.toml" } else { "" };
                self.faults.push(fault(named, format!("cannot be read: {error}{expected}")));
                return Vec::new();
            }
        };
        let mut names: Vec<std::ffi::OsString> =
            entries.flatten().map(|entry| entry.file_name()).take(NAMES_MAX + 1).collect();
        if names.len() > NAMES_MAX {
            let message = format!("more than {NAMES_MAX} names in one folder: is this a pack?");
            self.faults.push(fault(named, message));
            return Vec::new();
        }
        names.sort_unstable();
        let mut folders = Vec::new();
        for name in names {
            let on_disk = here.join(&name);
            let shown = name.to_string_lossy().into_owned();
            let path = if below.is_empty() { shown.clone() } else { format!("{below}/{shown}") };
            let template = path.starts_with("records/") && shown.ends_with(".html");
            let wanted = template || WANTED.iter().any(|end| shown.ends_with(end));
            if shown.starts_with('.') || self.leads_out(&path, &on_disk, wanted) {
                continue;
            }
            // A name that is not UTF-8 is wanted only if it is a file of a pack's sort.
            let Ok(data) = on_disk.metadata() else {
                if wanted {
                    self.unread.insert(path.clone(), fault(&path, "cannot be read: its link leads nowhere"));
                }
                continue;
            };
            if data.is_dir() {
                if name.to_str().is_some() {
                    folders.push(shown);
                }
            } else if wanted {
                if self.files.len() + self.unread.len() >= FILES_MAX {
                    self.faults.push(fault(&path, format!("a pack has at most {FILES_MAX} files")));
                    self.over = true;
                    return Vec::new();
                }
                let read = match name.to_str() {
                    Some(_) => self.text(&path, &on_disk, &data),
                    None => Err(fault(&path, "the name of the file is not UTF-8: give it another").into()),
                };
                match read {
                    Ok(text) => drop(self.files.insert(path, text)),
                    Err(why) => drop(self.unread.insert(path, *why)),
                }
            }
        }
        folders
    }

    /// Whether a link leads out of the pack's folder. It is refused by name.
    fn leads_out(&mut self, path: &str, on_disk: &Path, wanted: bool) -> bool {
        let is_link = on_disk.symlink_metadata().is_ok_and(|data| data.file_type().is_symlink());
        let Some(target) = is_link.then(|| on_disk.canonicalize().ok()).flatten() else { return false };
        let out = !target.starts_with(&self.root);
        if out && (wanted || target.is_dir()) {
            let message = "is a link that leads out of the pack's folder: a pack holds its files itself";
            self.unread.insert(path.to_owned(), fault(path, message));
            self.faults.push(fault(path, message));
        }
        out
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "packs are folders on disk; nothing else of the engine reads files"
    )]
    fn text(
        &mut self,
        path: &str,
        on_disk: &Path,
        data: &std::fs::Metadata,
    ) -> Result<String, Box<Diagnostic>> {
        if !data.is_file() {
            return Err(fault(path, "is no file but a pipe or a device: it is not read").into());
        }
        let most = bytes_max(path);
        if data.len() > most {
            return Err(load::too_large(path, data.len()).into());
        }
        if self.bytes + data.len() > PACK_BYTES_MAX {
            return Err(
                fault(path, format!("a pack has at most {PACK_BYTES_MAX} bytes in all its files")).into()
            );
        }
        let unreadable = |error: std::io::Error| Box::new(fault(path, format!("cannot be read: {error}")));
        let mut bytes = Vec::new();
        // The file may have grown since it was measured.
        let file = std::fs::File::open(on_disk).map_err(unreadable)?;
        file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > most {
            return Err(load::too_large(path, length).into());
        }
        self.bytes += length;
        String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(path, &error)))
    }
}

fn not_utf8(path: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let before = error.as_bytes().get(..at).unwrap_or_default();
    let read = String::from_utf8_lossy(before);
    let line = read.matches('\n').count() + 1;
    let column = read.rsplit('\n').next().unwrap_or("").trim_start_matches('\u{feff}').chars().count() + 1;
    let wide = matches!(error.as_bytes(), [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]);
    let why = if wide { "it looks like UTF-16" } else { "it may be GBK or another old encoding" };
    let message = format!("is not UTF-8 text: byte {at}, in line {line}, cannot be read; {why}");
    let place = Place { column, length: 1, ..Place::line(path, line) };
    Diagnostic::new(Code::FILE, place, message).label("not UTF-8").help("save the file as UTF-8")
}
