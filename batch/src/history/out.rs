//! The files of the results.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::{GROUPS, Job, Output, Report};
use crate::batch::Batch;
use crate::error::{BatchError, Refused};
use crate::write::{Encoded, Encoder, Part, Tables};

/// The files of the results.
pub(super) struct Out {
    output: Output,
    tables: Option<(u64, Tables)>,
    refusals: Option<Part>,
    pub(super) refused: u64,
    kept: HashSet<u64>,
}

impl Out {
    pub(super) fn begin(output: &Output, batch: &Batch, job: &Job) -> Result<Out, BatchError> {
        let mut out =
            Out { output: output.clone(), tables: None, refusals: None, refused: 0, kept: HashSet::new() };
        if let Output::Folder(folder) = output {
            let fault = |reason: String| BatchError::File { path: folder.display().to_string(), reason };
            std::fs::create_dir_all(folder).map_err(|error| fault(format!("cannot be made: {error}")))?;
            let told = folder.join("job.json");
            let now = description(batch, job)?;
            #[expect(
                clippy::disallowed_methods,
                reason = "what was asked for before lies in the folder of the results"
            )]
            let before = std::fs::read_to_string(&told).unwrap_or_default();
            for part in parts(folder) {
                match before == now {
                    true => {
                        out.kept.insert(part);
                    }
                    // Parts of another job would stand beside those of this one.
                    false => std::fs::remove_file(part_path(folder, part))
                        .map_err(|error| fault(error.to_string()))?,
                }
            }
            let mut part = Part::begin(&told)?;
            part.write(now.as_bytes())?;
            part.finish()?;
        }
        Ok(out)
    }

    pub(super) fn kept(&self) -> HashSet<u64> {
        self.kept.clone()
    }

    pub(super) fn encoder(
        &mut self,
        schema: &arrow::datatypes::SchemaRef,
    ) -> Result<Option<Encoder>, BatchError> {
        Ok(match &self.output {
            Output::Nothing => None,
            Output::File(path) => {
                let (tables, encoder) = Tables::begin(path, schema)?;
                self.tables = Some((0, tables));
                Some(encoder)
            }
            Output::Folder(folder) => {
                // Every part is made alike: an encoder of one fits all.
                let (_, encoder) = Tables::begin(&folder.join("encoder"), schema)?;
                Some(encoder)
            }
        })
    }

    pub(super) fn put(
        &mut self,
        number: u64,
        encoded: Option<Encoded>,
        schema: &arrow::datatypes::SchemaRef,
    ) -> Result<(), BatchError> {
        let Some(encoded) = encoded else { return Ok(()) };
        if let Output::Folder(folder) = &self.output {
            let part = number / GROUPS;
            if self.tables.as_ref().is_none_or(|(current, _)| *current != part) {
                if let Some((_, before)) = self.tables.take() {
                    before.finish()?;
                }
                let (tables, _) = Tables::begin(&part_path(folder, part), schema)?;
                self.tables = Some((part, tables));
            }
        }
        self.tables.as_mut().map_or(Ok(()), |(_, tables)| tables.put(encoded))
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

    pub(super) fn finish(self, report: &Report) -> Result<(), BatchError> {
        if let Some((_, tables)) = self.tables {
            tables.finish()?;
        }
        if let Some(refusals) = self.refusals {
            refusals.finish()?;
        }
        let Output::Folder(folder) = &self.output else { return Ok(()) };
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
        totals.finish()
    }
}

pub(super) fn part_path(folder: &Path, part: u64) -> PathBuf {
    folder.join(format!("assessed-{:05}.parquet", part + 1))
}

/// The parts that are whole in a folder.
pub(super) fn parts(folder: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |name: &str| {
        name.strip_prefix("assessed-")?.strip_suffix(".parquet")?.parse::<u64>().ok()?.checked_sub(1)
    };
    let mut found: Vec<u64> = entries.filter_map(|entry| number(entry.file_name().to_str()?)).collect();
    found.sort_unstable();
    found
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
    });
    Ok(text.to_string())
}
