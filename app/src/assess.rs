//! `holdback assess`: a history of many tickets assessed in columns, and what came of it.

pub(crate) mod args;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use holdback::{Evaluator, Event, Instant, Pack};
use holdback_batch::{Batch, End, Job, Output, Report, Stage, assess_history, last_instant};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Format;
use crate::read::{Item, Reading, read};
use crate::replay::open_pack;
use crate::{Console, FINDINGS, FINE, Stop};
use args::{AssessArgs, OnError};

/// Contracts shown in the text; the rest is counted.
const SHOWN: usize = 10;

pub(crate) fn assess(args: &AssessArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let pack = open_pack(&args.pack, &args.set)?;
    let pack = match args.reference {
        // The pack is read once more: an opened one is shared.
        true => Arc::new(reference(args)?),
        false => pack,
    };
    let unusable = |error: holdback_batch::BatchError| Stop::Unusable(error.to_string());
    // A log of another system, or one that is packed, becomes events first.
    let (events, spilled) = match is_columns(&args.input)? {
        true => (args.input.clone(), None),
        false => {
            let spilled = spill(&pack, &args.input)?;
            (spilled.file.path().to_owned(), Some(spilled))
        }
    };
    let end = spilled.as_ref().and_then(|spilled| spilled.end);
    let end = match args.as_of.or(end) {
        Some(at) => End { at, said: false },
        None => last_instant(&pack, &events)
            .map_err(unusable)?
            .ok_or_else(|| Stop::Unusable(format!("{}: no events: say --as-of", args.input.display())))?,
    };
    let mut batch = Batch::new(Arc::clone(&pack), end.at).map_err(unusable)?;
    if args.any_contract {
        batch = batch.of_any_contract();
    }
    if args.reference {
        batch = batch.row_by_row();
    }
    for told in batch.uncompiled() {
        let _ = writeln!(console.stderr, "note: {told}");
    }
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut contract_events = match &args.contract_events {
        Some(path) => of_contracts(&pack, path)?,
        None => Vec::new(),
    };
    contract_events.extend(spilled.iter().flat_map(|spilled| spilled.of_contracts.iter().cloned()));
    let job = Job {
        input: events,
        contract_events,
        output: match &args.out {
            None => Output::Nothing,
            Some(path) if path.extension().is_some_and(|ending| ending == "parquet") => {
                Output::File(path.clone())
            }
            Some(path) => Output::Folder(path.clone()),
        },
        on_error: match args.on_error {
            OnError::Skip => holdback_batch::OnError::Skip,
            OnError::Stop => holdback_batch::OnError::Stop,
        },
        threads: args.threads.map_or(processors, usize::from),
        memory: u64::from(args.memory) << 20,
        ends: end.said,
    };
    let progress = bar(console.watched, None);
    let report = assess_history(&batch, &job, &mut |stage| show(&progress, stage));
    progress.finish_and_clear();
    drop(spilled);
    let report = report.map_err(unusable)?;
    match args.format {
        Format::Text => console.say(&text(&report, &batch))?,
        Format::Json => {
            let json = serde_json::json!({
                "format": holdback::FORMAT,
                "pack": format!("{}@{}", pack.name, pack.version),
                "as_of": batch.as_of(),
                "report": report,
            });
            let json =
                serde_json::to_string_pretty(&json).map_err(|error| Stop::Unusable(error.to_string()))?;
            console.say(&(json + "\n"))?;
        }
    }
    Ok(if report.refused > 0 || report.faults > 0 { FINDINGS } else { FINE })
}

fn reference(args: &AssessArgs) -> Result<Pack, Stop> {
    let pack = Pack::open(&args.pack).map_err(|error| Stop::Unusable(error.to_string()))?;
    let set = args.set.iter().try_fold(pack, |pack, (term, value)| pack.with_term(term, value));
    let pack = set.map_err(|error| Stop::Unusable(error.to_string()))?;
    Ok(pack.evaluated_by(Evaluator::Reference))
}

/// Whether a file is one that columns are read from, by its name: all but packed ones, JSON arrays and logs of other systems.
#[expect(clippy::disallowed_methods, reason = "the user names the file")]
fn is_columns(path: &Path) -> Result<bool, Stop> {
    use std::io::Read as _;
    let unreadable =
        |error: std::io::Error| Stop::Unusable(format!("{}: cannot be read: {error}", path.display()));
    let mut head = [0_u8; 4096];
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let read = if path.is_dir() { 0 } else { file.read(&mut head).map_err(unreadable)? };
    let head = head.get(..read).unwrap_or_default();
    if head.starts_with(b"PK") {
        return Ok(false);
    }
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = String::from_utf8_lossy(line);
    let own = header.split(',').any(|name| name.trim().trim_matches('"') == "ticket");
    Ok(match first {
        Some(b'[') => false,
        Some(b'{') => true,
        // CSV is ours when it names tickets so.
        _ if head.starts_with(b"PAR1")
            || head.starts_with(b"ARROW1")
            || head.starts_with(b"\xff\xff\xff\xff") =>
        {
            true
        }
        _ => own || read == 0,
    })
}

/// A log of another system as events.
struct Spilled {
    /// Those of tickets as JSON lines, the ones of a ticket together.
    file: tempfile::NamedTempFile,
    of_contracts: Vec<Event>,
    /// The end of the log.
    end: Option<Instant>,
}

fn spill(pack: &Pack, path: &Path) -> Result<Spilled, Stop> {
    let usual = pack.adapter.as_deref().and_then(|name| clap::ValueEnum::from_str(name, false).ok());
    let (mut events, mut fault) = (Vec::new(), None);
    let mut sink = |item| match item {
        Item::Event(_, event) => {
            events.push(event);
            std::ops::ControlFlow::Continue(())
        }
        Item::Malformed(malformed) => {
            fault = Some(format!("{}:{}: {}", path.display(), malformed.line, malformed.reason));
            std::ops::ControlFlow::Break(())
        }
    };
    let notes = read(path, &mut std::io::empty(), Reading { pack, asked: None, usual }, &mut sink);
    let notes = notes.map_err(|reason| Stop::Unusable(format!("{}: {reason}", path.display())))?;
    if let Some(fault) = fault {
        return Err(Stop::Unusable(format!("{fault}; `run` goes on past such lines")));
    }
    let end = events.iter().map(|event: &Event| event.at).max().max(notes.last);
    let (mut events, of_contracts): (Vec<Event>, Vec<Event>) =
        events.into_iter().partition(|event: &Event| event.ticket.is_some());
    events.sort_by(|a, b| (&a.contract, &a.ticket, a.order()).cmp(&(&b.contract, &b.ticket, b.order())));
    let failed = |error: std::io::Error| Stop::Unusable(format!("the events of {}: {error}", path.display()));
    let mut file =
        tempfile::Builder::new().prefix("holdback-").suffix(".ndjson").tempfile().map_err(failed)?;
    let mut lines = std::io::BufWriter::new(file.as_file_mut());
    for event in &events {
        serde_json::to_writer(&mut lines, event).map_err(|error| failed(error.into()))?;
        lines.write_all(b"\n").map_err(failed)?;
    }
    lines.flush().map_err(failed)?;
    drop(lines);
    Ok(Spilled { file, of_contracts, end })
}

fn of_contracts(pack: &Pack, path: &Path) -> Result<Vec<Event>, Stop> {
    let events = crate::read_events(path, pack).map_err(Stop::Unusable)?;
    match events.iter().find(|event| event.ticket.is_some()) {
        Some(event) => {
            let what = format!("event `{}` is a ticket's: expected events of contracts", event.id);
            Err(Stop::Unusable(format!("{}: {what}", path.display())))
        }
        None => Ok(events),
    }
}

/// A bar over so many things; hidden when nobody watches.
pub(crate) fn bar(shown: bool, all: Option<u64>) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {eta}");
    ProgressBar::new(all.unwrap_or(0)).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, stage: Stage) {
    let (what, done, all) = match stage {
        Stage::Judging(done, all) => ("judging", done, all),
        Stage::Settling => return bar.set_message("settling"),
        Stage::Telling(done, all) => ("finishing files", done, Some(all)),
    };
    bar.set_message(what);
    bar.set_length(all.unwrap_or(done));
    bar.set_position(done);
}

/// The report in words.
fn text(report: &Report, batch: &Batch) -> String {
    let pack = batch.pack();
    let mut lines = vec![format!("{}@{}, as of {}", pack.name, pack.version, batch.as_of())];
    lines.push(format!(
        "{} tickets from {} rows; {} rows left out, {} tickets could not be judged",
        report.tickets, report.rows, report.refused, report.faults
    ));
    if report.later > 0 {
        lines.push(format!("{} events after {} do not count", report.later, batch.as_of()));
    }
    if report.by_rows > 0 {
        lines.push(format!("{} tickets were judged one by one", report.by_rows));
    }
    if report.parts_kept > 0 {
        lines.push(format!("went on after {} files of a run that was broken off", report.parts_kept));
    }
    lines.push(String::new());
    let head =
        ["clause", "clock", "tickets", "met", "missed", "penalty", "deducted", "open"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    rows.extend(report.clocks.iter().map(|total| {
        vec![
            total.clause.clone(),
            total.clock.clone(),
            total.tickets.to_string(),
            total.met.to_string(),
            total.missed.to_string(),
            total.penalty.amount(),
            total.deducted.amount(),
            total.shortfall.amount(),
        ]
    }));
    lines.extend(aligned(&rows, 2));
    lines.push(String::new());
    let head =
        ["contract", "tickets", "penalty", "of its own", "deducted", "open", "deposit"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    rows.extend(report.contracts.iter().take(SHOWN).map(|total| {
        vec![
            total.contract.clone(),
            total.tickets.to_string(),
            total.penalty.amount(),
            total.of_contract.amount(),
            total.deducted.amount(),
            total.shortfall.amount(),
            total.balance.amount(),
        ]
    }));
    lines.extend(aligned(&rows, 1));
    if report.contracts.len() > SHOWN {
        lines.push(format!("and {} contracts more", report.contracts.len() - SHOWN));
    }
    lines.push(format!("amounts in {}", pack.currency));
    lines.join("\n") + "\n"
}

/// Columns side by side: the first ones to the left, numbers to the right.
fn aligned(rows: &[Vec<String>], left: usize) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            if at < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
