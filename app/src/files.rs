//! The files that `--out` writes. Each is written under another name and gets its own when everything is written, so that no
//! half file stands where a whole one is expected.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use holdback::{LedgerEntry, Notice};
use serde::Serialize;

use crate::Stop;
use crate::notices::{Renderer, Told};

/// The folder being written.
pub(crate) struct Out {
    folder: PathBuf,
    pub(crate) decisions: Part,
    notices: Part,
    /// Renders the notices, if they are to be.
    renderer: Option<Renderer>,
    pub(crate) rejected: Part,
    whole: Vec<Part>,
}

/// A file on its way.
pub(crate) struct Part {
    path: PathBuf,
    waits_as: PathBuf,
    /// Nothing once the file has its name.
    file: Option<BufWriter<File>>,
}

/// A line of rejected.ndjson.
#[derive(Serialize)]
pub(crate) struct RejectedLine<'r> {
    pub(crate) line: u64,
    pub(crate) reason: &'r str,
    pub(crate) text: &'r str,
}

impl Out {
    /// Makes the folder if it is missing, and begins its files.
    pub(crate) fn begin(folder: &Path, renderer: Option<Renderer>) -> Result<Out, Stop> {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        Ok(Out {
            folder: folder.to_owned(),
            decisions: Part::begin(folder, "decisions.ndjson")?,
            notices: Part::begin(folder, "notices.ndjson")?,
            renderer,
            rejected: Part::begin(folder, "rejected.ndjson")?,
            whole: Vec::new(),
        })
    }

    /// Writes notices down, rendered if they are to be.
    pub(crate) fn tell(&mut self, notices: Vec<Notice>) -> Result<(), Stop> {
        let Out { notices: part, renderer, .. } = self;
        match renderer {
            None => notices.iter().try_for_each(|notice| part.line(notice)),
            Some(renderer) => renderer.take(notices, &mut |lines| part.write(|file| file.write_all(lines))),
        }
    }

    /// Writes down what is still being rendered, and says how it went if anything was to be.
    pub(crate) fn told(&mut self) -> Result<Option<Told>, Stop> {
        let part = &mut self.notices;
        let renderer = self.renderer.take();
        let place = part.path.clone();
        renderer
            .map(|renderer| renderer.end(&place, &mut |lines| part.write(|file| file.write_all(lines))))
            .transpose()
    }

    /// Writes a file that is known whole.
    pub(crate) fn add(&mut self, name: &str, text: &str) -> Result<(), Stop> {
        let mut part = Part::begin(&self.folder, name)?;
        part.write(|file| file.write_all(text.as_bytes()))?;
        self.whole.push(part);
        Ok(())
    }

    /// Writes the entries of all contracts, with the contract in the first column.
    pub(crate) fn add_ledger<'e>(
        &mut self,
        contracts: impl Iterator<Item = (&'e str, &'e [LedgerEntry])>,
    ) -> Result<(), Stop> {
        let mut part = Part::begin(&self.folder, "ledger.csv")?;
        part.write(|file| {
            let mut table = csv::Writer::from_writer(file);
            table.write_record([
                "contract", "number", "at", "booked", "kind", "item", "cause", "amount", "currency", "from",
                "to", "balance",
            ])?;
            for (contract, entries) in contracts {
                for entry in entries {
                    table.write_record([
                        contract,
                        &entry.number.to_string(),
                        &entry.at.to_string(),
                        &entry.booked.to_string(),
                        &word(&entry.kind),
                        &entry.item,
                        entry.cause.as_deref().unwrap_or(""),
                        &entry.amount.amount(),
                        entry.amount.currency().code(),
                        &word(&entry.from),
                        &word(&entry.to),
                        &entry.balance.amount(),
                    ])?;
                }
            }
            table.flush()
        })?;
        self.whole.push(part);
        Ok(())
    }

    /// Gives every file its name.
    pub(crate) fn finish(self) -> Result<(), Stop> {
        let mut parts = self.whole;
        parts.extend([self.decisions, self.notices, self.rejected]);
        for part in &mut parts {
            part.write(Write::flush)?;
        }
        parts.iter_mut().try_for_each(Part::finish)
    }
}

/// Files that are known whole, all of them or none.
pub(crate) struct Folder {
    folder: PathBuf,
    parts: Vec<Part>,
}

impl Folder {
    /// Makes the folder if it is missing.
    pub(crate) fn begin(folder: &Path) -> Result<Folder, Stop> {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        Ok(Folder { folder: folder.to_owned(), parts: Vec::new() })
    }

    /// Writes a file under another name.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Stop> {
        let mut part = Part::begin(&self.folder, name)?;
        part.write(|file| file.write_all(bytes).and_then(|()| file.flush()))?;
        self.parts.push(part);
        Ok(())
    }

    /// Gives every file its name.
    pub(crate) fn finish(mut self) -> Result<(), Stop> {
        self.parts.iter_mut().try_for_each(Part::finish)
    }
}

impl Part {
    #[expect(clippy::disallowed_methods, reason = "the user asks for files in this folder")]
    fn begin(folder: &Path, name: &str) -> Result<Part, Stop> {
        // Two runs into one folder must not write into one file.
        let waits_as = folder.join(format!(".{name}.{}.part", std::process::id()));
        let path = folder.join(name);
        let file = File::create(&waits_as).map_err(|error| unwritable(&waits_as, &error))?;
        Ok(Part { path, waits_as, file: Some(BufWriter::with_capacity(1 << 16, file)) })
    }

    /// Writes a value as a line of JSON.
    pub(crate) fn line(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        self.write(|file| {
            serde_json::to_writer(&mut *file, value)?;
            file.write_all(b"\n")
        })
    }

    fn write(&mut self, write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), Stop> {
        let Some(file) = &mut self.file else { return Ok(()) };
        write(file).map_err(|error| unwritable(&self.path, &error))
    }

    fn finish(&mut self) -> Result<(), Stop> {
        fs::rename(&self.waits_as, &self.path).map_err(|error| unwritable(&self.path, &error))?;
        self.file = None;
        Ok(())
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

fn unwritable(path: &Path, error: &std::io::Error) -> Stop {
    Stop::Unusable(format!("{}: cannot be written: {error}", path.display()))
}

/// The word that an enum's value has in JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The packs that are meant by folders: a folder without pack.toml stands for the packs within it, two levels deep, in the order
/// of their names. One that holds none stays, so that it is told.
pub(crate) fn packs_of(folders: &[PathBuf]) -> Vec<PathBuf> {
    let within = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut inner: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        inner.sort_unstable();
        inner
    };
    let is_pack = |folder: &Path| folder.join("pack.toml").exists();
    let mut packs = Vec::new();
    for folder in folders {
        let mut found = Vec::new();
        if !is_pack(folder) {
            for inner in within(folder) {
                if is_pack(&inner) {
                    found.push(inner);
                } else {
                    found.extend(within(&inner).into_iter().filter(|pack| is_pack(pack)));
                }
            }
        }
        if found.is_empty() {
            found.push(folder.clone());
        }
        packs.extend(found);
    }
    packs
}
