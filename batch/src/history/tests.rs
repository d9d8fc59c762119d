//! Runs that are broken off by a kill go on, and come to the same files.

#![expect(
    clippy::disallowed_methods,
    reason = "a process of its own is told by the environment what to do, and is killed"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array as _, AsArray as _};
use arrow::datatypes::DataType;
use holdback::{Instant, Pack};

use super::units::Units;
use super::{Job, OnError, Output, Report, Shape, Stage, assess_history};
use crate::Batch;
use crate::generate::{Form, Synthetic, generate};
use crate::log::LogLayout;
use crate::source::Source;

const FOLDER: &str = "HOLDBACK_TEST_FOLDER";
const FORM: &str = "HOLDBACK_TEST_FORM";
const THREADS: usize = 2;

fn batch() -> Batch {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/it-incidents");
    let as_of: Instant = "2025-06-01T00:00:00Z".parse().unwrap();
    Batch::new(Arc::new(Pack::open(&folder).unwrap()), as_of).unwrap().of_any_contract()
}

fn assess(folder: &Path, input: &Path, out: &str, each: &mut dyn FnMut(Stage)) -> Report {
    let job = Job {
        input: input.to_owned(),
        contract_events: Vec::new(),
        output: Output::Folder(folder.join(out)),
        on_error: OnError::Skip,
        threads: THREADS,
        memory: 1 << 30,
        ends: false,
    };
    assess_history(&batch(), &job, each).unwrap()
}

/// The history, made once in a folder.
fn input(folder: &Path, form: &str) -> PathBuf {
    let path = folder.join(format!("{form}.parquet"));
    if !path.exists() {
        let columns = if form == "events" { Form::Events } else { Form::Tickets };
        let spec = Synthetic { tickets: 12_000, contracts: 7, seed: 3, form: columns };
        generate(&spec, std::fs::File::create(&path).unwrap(), &mut |_| {}).unwrap();
    }
    path
}

/// Does nothing unless it is started as a process to be killed.
#[test]
fn a_process_that_assesses() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let form = std::env::var(FORM).unwrap();
    let folder = Path::new(&folder);
    assess(folder, &input(folder, &form), "out", &mut |_| std::thread::sleep(Duration::from_millis(15)));
}

/// All files of a folder that are no work files.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let all =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()));
    all.filter(|(name, _)| name != "job.json" && name != ".lock").collect()
}

#[test]
fn a_run_that_was_killed_goes_on_and_comes_to_the_same_files() {
    for form in ["tickets", "events"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let input = input(folder, form);
        let whole = assess(folder, &input, "whole", &mut |_| {});
        // In the middle of judging; in the middle of finishing files.
        for wanted in [".assessed-00002.kept", "assessed-00002.parquet"] {
            let _ = std::fs::remove_dir_all(folder.join("out"));
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "history::tests::a_process_that_assesses", "--nocapture"])
                .env(FOLDER, folder)
                .env(FORM, form)
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            while !folder.join("out").join(wanted).exists() {
                assert!(child.try_wait().unwrap().is_none(), "{form}: ended before {wanted}");
                std::thread::sleep(Duration::from_millis(1));
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let mut first = None;
            let again = assess(folder, &input, "out", &mut |stage| {
                if let Stage::Judging(rows, _) = stage {
                    first.get_or_insert(rows);
                }
            });
            assert!(again.parts_kept >= 2, "{form}, {wanted}: {}", again.parts_kept);
            assert!(first.is_none_or(|rows| rows > 4_000), "{form}, {wanted}: begins with {first:?}");
            let mut same = again.clone();
            same.parts_kept = 0;
            assert_eq!(format!("{same:?}"), format!("{whole:?}"), "{form}, {wanted}");
            let (killed, whole) = (files(&folder.join("out")), files(&folder.join("whole")));
            assert_eq!(
                killed.keys().collect::<Vec<_>>(),
                whole.keys().collect::<Vec<_>>(),
                "{form}, {wanted}"
            );
            assert!(killed.len() > 3 && killed == whole, "{form}, {wanted}");
        }
    }
}

/// The last ticket of a batch is put before the next batch: with the names of its whole batch each unit would know more names than
/// the one before, and ten million tickets took a fifth longer for it.
#[test]
fn units_of_a_log_know_no_more_names_than_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = input(folder.path(), "events");
    let batch = batch();
    let source = Source::open(&path, &batch.pack).unwrap();
    let layout = Shape::Log(LogLayout::of(&batch.pack, source.schema()).unwrap());
    let place = layout.place_of_contract().unwrap();
    let batches = source.from(1).unwrap();
    let mut units = Units { batches, layout: &layout, rest: None, row: 1, number: 0 };
    let mut most = 0;
    while let Some(unit) = units.next_unit().unwrap() {
        let contracts = unit.rows.column(place);
        assert!(matches!(contracts.data_type(), DataType::Dictionary(..)), "{}", contracts.data_type());
        most = most.max(contracts.as_any_dictionary().values().len());
    }
    assert!(units.number > 20 && most <= 14, "{} units, {most} names of 7 contracts", units.number);
}

/// A file whose statistics name an earlier instant as its last: nothing is left out in silence.
#[test]
fn statistics_that_are_wrong_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for form in ["tickets", "events"] {
        let path = input(folder, form);
        let pack = Arc::clone(&batch().pack);
        let end = crate::last_instant(&pack, &path).unwrap().unwrap();
        assert!(end.said, "{form}: the file has statistics");
        let mut bytes = std::fs::read(&path).unwrap();
        let length = bytes.len();
        let footer = u32::from_le_bytes(bytes[length - 8..length - 4].try_into().unwrap()) as usize;
        let (true_end, false_end) = (end.at.micros().to_le_bytes(), (end.at.micros() - 1).to_le_bytes());
        let mut found = 0;
        for at in length - 8 - footer..length - 16 {
            if bytes[at..at + 8] == true_end {
                bytes[at..at + 8].copy_from_slice(&false_end);
                found += 1;
            }
        }
        assert!(found > 0, "{form}");
        let lies = folder.join(format!("{form}-lies.parquet"));
        std::fs::write(&lies, bytes).unwrap();
        let said = crate::last_instant(&pack, &lies).unwrap().unwrap();
        assert!(said.said && said.at.micros() == end.at.micros() - 1, "{form}");
        let batch = Batch::new(pack, said.at).unwrap().of_any_contract();
        let out = folder.join(format!("{form}-out.parquet"));
        let mut job = Job {
            input: lies,
            contract_events: Vec::new(),
            output: Output::File(out.clone()),
            on_error: OnError::Skip,
            threads: 1,
            memory: 1 << 30,
            ends: true,
        };
        let error = assess_history(&batch, &job, &mut |_| {}).unwrap_err().to_string();
        assert!(error.contains("1 events are later than"), "{form}: {error}");
        assert!(!out.exists());
        // Asked for as of that instant it is no fault, and is told.
        job.ends = false;
        assert_eq!(assess_history(&batch, &job, &mut |_| {}).unwrap().later, 1, "{form}");
    }
}

/// What was kept and changed since, or cut, is not gone on with.
#[test]
fn what_is_not_whole_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = input(folder, "tickets");
    let whole = assess(folder, &input, "whole", &mut |_| {});
    let broken = folder.join("out");
    std::fs::create_dir(&broken).unwrap();
    std::fs::copy(folder.join("whole/job.json"), broken.join("job.json")).unwrap();
    for kept in [&b""[..], &[0xff; 100], &[0; 4000]] {
        std::fs::write(broken.join(".assessed-00001.kept"), kept).unwrap();
        std::fs::write(broken.join(".assessed-00001.parquet.part"), b"PAR1").unwrap();
        let again = assess(folder, &input, "out", &mut |_| {});
        assert_eq!(format!("{again:?}"), format!("{whole:?}"));
        assert!(files(&broken) == files(&folder.join("whole")));
    }
}
