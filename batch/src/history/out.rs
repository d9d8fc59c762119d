//! The files of the results.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::kept::KeptPart;
use super::totals::Totals;
use super::units::TicketOrder;
use super::{GROUPS, Job, Output, Report, Stage};
use crate::batch::Batch;
use crate::charges::{Charges, Outcome};
use crate::error::{BatchError, Refused};
use crate::write::{Encoded, Part, Shape, Tables, waits_as};

/// The files of the results.
pub(super) struct Out {
    output: Output,
    tables: Option<(u64, Tables)>,
    refusals: Option<Part>,
    pub(super) refused: u64,
    /// What is kept of the parts judged before, one after another from the first.
    kept: Vec<KeptPart>,
    kept_parts: u64,
    /// The events are put together first.
    sorted: bool,
    /// The folder is this run's own.
    _lock: Option<File>,
}

/// What was judged of the part that is being made.
#[derive(Default)]
pub(super) struct PartOf {
    pub(super) charges: Charges,
    pub(super) totals: Totals,
    pub(super) refused: Vec<Refused>,
    /// Units so far, with those of the parts before, and the number of the row after the last.
    pub(super) units: u64,
    pub(super) next_row: u64,
    /// So many contracts were known before it.
    pub(super) names: usize,
}

/// How parts are kept and written: raised whenever that changes, since what an earlier program left is not read otherwise than it was
/// meant.
const KEPT: u32 = 2;

/// What is kept of a part is a file beside it.
fn kept_path(folder: &Path, part: u64) -> PathBuf {
    folder.join(format!(".assessed-{:05}.kept", part + 1))
}

impl Out {
    pub(super) fn begin(job: &Job, batch: &Batch) -> Result<Out, BatchError> {
        let mut out = Out {
            output: job.output.clone(),
            tables: None,
            refusals: None,
            refused: 0,
            kept: Vec::new(),
            kept_parts: 0,
            sorted: false,
            _lock: None,
        };
        match &job.output {
            Output::Nothing => {}
            Output::File(path) => out.tables = Some((0, Tables::begin(Part::begin(path)?)?)),
            Output::Folder(folder) => {
                let fault = |reason: String| BatchError::File { path: folder.display().to_string(), reason };
                std::fs::create_dir_all(folder).map_err(|error| fault(format!("cannot be made: {error}")))?;
                out._lock = Some(lock(folder)?);
                let told = folder.join("job.json");
                let now = description(batch, job)?;
                #[expect(
                    clippy::disallowed_methods,
                    reason = "what was asked for before lies in the folder of the results"
                )]
                let before = std::fs::read_to_string(&told).unwrap_or_default();
                if before == now {
                    out.find_kept(folder);
                }
                out.clear(folder)?;
                let mut part = Part::begin(&told)?;
                part.write(now.as_bytes())?;
                part.finish()?;
            }
        }
        Ok(out)
    }

    /// The parts that were judged whole, up to the first of which something is missing.
    fn find_kept(&mut self, folder: &Path) {
        for part in 0.. {
            let Some(kept) = KeptPart::read(&kept_path(folder, part)) else { break };
            let path = part_path(folder, part);
            let long_enough =
                |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.len() >= kept.length);
            let follows = kept.units > part * GROUPS && kept.units <= (part + 1) * GROUPS;
            let alike = self.kept.first().is_none_or(|first| first.sorted == kept.sorted);
            // A part that is not full was the last one; the file may have grown since.
            let full = kept.units == (part + 1) * GROUPS;
            if !(follows && alike && full && (long_enough(&path) || long_enough(&waits_as(&path)))) {
                break;
            }
            self.kept.push(kept);
        }
        self.kept_parts = self.kept.len() as u64;
        self.sorted = self.kept.first().is_some_and(|kept| kept.sorted);
    }

    /// Removes what is left of parts that are not gone on with.
    fn clear(&self, folder: &Path) -> Result<(), BatchError> {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let bare = name.trim_start_matches('.');
            let part = bare.strip_prefix("assessed-").and_then(|rest| rest.get(..5)?.parse::<u64>().ok());
            let ours = [".parquet", ".parquet.part", ".kept"].iter().any(|end| bare.ends_with(end));
            if ours && part.is_some_and(|part| part > self.kept_parts) {
                std::fs::remove_file(entry.path()).map_err(|error| BatchError::File {
                    path: entry.path().display().to_string(),
                    reason: format!("cannot be removed: {error}"),
                })?;
            }
        }
        Ok(())
    }

    /// Whether the parts there are were made of sorted events.
    pub(super) fn goes_on_sorted(&self) -> bool {
        self.sorted
    }

    pub(super) fn parts_kept(&self) -> u64 {
        self.kept_parts
    }

    /// Begins anew, with sorted events; keeps what was made of sorted events before.
    pub(super) fn sorts(&mut self) -> Result<(), BatchError> {
        if !std::mem::replace(&mut self.sorted, true) {
            (self.tables, self.refusals, self.refused) = (None, None, 0);
            (self.kept, self.kept_parts) = (Vec::new(), 0);
            match &self.output {
                Output::Nothing => {}
                Output::File(path) => self.tables = Some((0, Tables::begin(Part::begin(path)?)?)),
                Output::Folder(folder) => self.clear(folder)?,
            }
        }
        Ok(())
    }

    /// Whether parts are kept, to be gone on with.
    pub(super) fn keeps(&self) -> bool {
        matches!(self.output, Output::Folder(_))
    }

    /// What is kept of the parts before, whose refused rows are told again.
    pub(super) fn take_kept(&mut self) -> Result<Vec<KeptPart>, BatchError> {
        let kept = std::mem::take(&mut self.kept);
        for refused in kept.iter().flat_map(|kept| &kept.refused) {
            self.refuse(refused)?;
        }
        Ok(kept)
    }

    pub(super) fn put(&mut self, number: u64, encoded: Option<Encoded>) -> Result<(), BatchError> {
        let Some(encoded) = encoded else { return Ok(()) };
        if let Output::Folder(folder) = &self.output
            && self.tables.is_none()
        {
            let part = number / GROUPS;
            let path = part_path(folder, part);
            // A name of before would look like a result.
            let _ = std::fs::remove_file(&path);
            self.tables = Some((part, Tables::begin(Part::go_on(&path, 0)?)?));
        }
        self.tables.as_mut().map_or(Ok(()), |(_, tables)| tables.put(encoded))
    }

    /// Leaves a part of a folder and writes down what is kept of it.
    pub(super) fn close_part(
        &mut self,
        of: &PartOf,
        names: &[Arc<str>],
        order: &TicketOrder,
    ) -> Result<(), BatchError> {
        let Output::Folder(folder) = &self.output else { return Ok(()) };
        let Some((part, tables)) = self.tables.take() else { return Ok(()) };
        let mut kept = KeptPart::of(&of.charges);
        kept.sorted = self.sorted;
        (kept.units, kept.next_row) = (of.units, of.next_row);
        kept.names = names.iter().skip(of.names).map(|name| name.to_string()).collect();
        kept.totals = of.totals.clone();
        kept.order = order.clone();
        kept.refused.clone_from(&of.refused);
        (kept.length, kept.groups) = (tables.at, tables.groups.clone());
        tables.leave()?;
        kept.write(&kept_path(folder, part))
    }

    pub(super) fn refuse(&mut self, refused: &Refused) -> Result<(), BatchError> {
        self.refused += 1;
        let path = match &self.output {
            Output::Nothing => return Ok(()),
            Output::File(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(".refused.ndjson");
                PathBuf::from(name)
            }
            Output::Folder(folder) => folder.join("refused.ndjson"),
        };
        if self.refusals.is_none() {
            self.refusals = Some(Part::begin(&path)?);
        }
        let mut line = serde_json::to_vec(refused).unwrap_or_default();
        line.push(b'\n');
        self.refusals.as_mut().map_or(Ok(()), |part| part.write(&line))
    }

    /// Writes what the deposits paid, and gives all files their names.
    pub(super) fn finish(
        mut self,
        shape: Option<&Shape>,
        paid: &mut Outcome,
        report: &Report,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<(), BatchError> {
        if let (Output::File(path), Some(shape), Some((_, tables))) =
            (&self.output, shape, self.tables.take())
        {
            progress(Stage::Telling(0, 1));
            tables.finish(path, shape, paid)?;
        }
        if let Some(refusals) = self.refusals.take() {
            refusals.finish()?;
        }
        let Output::Folder(folder) = &self.output else { return Ok(()) };
        let kept: Vec<u64> = (0..).take_while(|part| kept_path(folder, *part).exists()).collect();
        for part in &kept {
            progress(Stage::Telling(*part, kept.len() as u64));
            let path = part_path(folder, *part);
            let of = KeptPart::read(&kept_path(folder, *part));
            let (Some(of), Some(shape)) = (of, shape) else {
                let reason = "was changed while it was written: run again".to_owned();
                return Err(BatchError::File { path: path.display().to_string(), reason });
            };
            if path.exists() {
                paid.pass(of.owing());
                continue;
            }
            Tables::go_on(&path, of.length, of.groups)?.finish(&path, shape, paid)?;
        }
        let mut totals = Part::begin(&folder.join("totals.csv"))?;
        totals.write(b"contract,clause,clock,month,missed,penalty,deducted,shortfall,currency\n")?;
        for month in &report.months {
            let quoted = |text: &str| match text.contains([',', '"', '\n']) {
                true => format!("\"{}\"", text.replace('"', "\"\"")),
                false => text.to_owned(),
            };
            let line = format!(
                "{},{},{},{},{},{},{},{},{}\n",
                quoted(&month.contract),
                quoted(&month.clause),
                quoted(&month.clock),
                month.month,
                month.missed,
                month.penalty.amount(),
                month.deducted.amount(),
                month.shortfall.amount(),
                month.penalty.currency(),
            );
            totals.write(line.as_bytes())?;
        }
        totals.finish()?;
        for part in kept {
            // What is kept serves nobody now; that it cannot be removed changes nothing.
            let _ = std::fs::remove_file(kept_path(folder, part));
        }
        Ok(())
    }
}

/// One run at a time writes into a folder.
fn lock(folder: &Path) -> Result<File, BatchError> {
    let path = folder.join(".lock");
    let fault = |reason: String| BatchError::File { path: folder.display().to_string(), reason };
    #[expect(clippy::disallowed_methods, reason = "the user asks for this folder")]
    let file = File::create(&path).map_err(|error| fault(format!("cannot be written: {error}")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(fault("another run writes into this folder: wait for it, or name another".to_owned()))
        }
        // Where there are no locks there is no protection either.
        Err(std::fs::TryLockError::Error(_)) => Ok(file),
    }
}

pub(super) fn part_path(folder: &Path, part: u64) -> PathBuf {
    folder.join(format!("assessed-{:05}.parquet", part + 1))
}

/// What is asked for, so that parts of another question are not taken for answers to this one.
pub(super) fn description(batch: &Batch, job: &Job) -> Result<String, BatchError> {
    let fault = |error: std::io::Error| BatchError::File {
        path: job.input.display().to_string(),
        reason: error.to_string(),
    };
    let known = std::fs::metadata(&job.input).map_err(fault)?;
    let changed = known.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let files: BTreeMap<&str, &str> = batch.pack.files_below("").collect();
    let text = serde_json::json!({
        "pack": format!("{}@{}", batch.pack.name, batch.pack.version),
        "files": files,
        "set": batch.pack.overrides(),
        "as_of": batch.as_of(),
        "input": job.input.display().to_string(),
        "bytes": known.len(),
        "changed": changed.map(|at| at.as_millis().to_string()),
        "contract_events": job.contract_events,
        "units": GROUPS,
        "kept": KEPT,
    });
    Ok(text.to_string())
}
