//! A log before the engine: read, put in order, judged to its end. What is refused is told with its line, counted and written
//! down, and the work goes on.

use std::collections::HashMap;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use holdback::{Decision, Engine, EngineError, Event, Instant, Pack};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::adapter::Import;
use crate::args::{Adapter, InputArgs};
use crate::files::{Out, RejectedLine};
use crate::read::{Item, LogNotes, Malformed, Reading, excerpt, read};
use crate::{Console, Stop};

/// Faults of the input that are printed; the rest is counted.
const SHOWN: u64 = 20;
/// From so many events on it is worth showing how far the work is.
const LONG: usize = 20_000;

/// What became of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct EventCounts {
    /// Events that could be read.
    pub(crate) read: u64,
    /// Events that count.
    pub(crate) taken: u64,
    /// Events told before with the same content.
    pub(crate) repeated: u64,
    /// Events that the engine refused.
    pub(crate) refused: u64,
    /// Lines, rows or elements that are no events.
    pub(crate) malformed: u64,
    /// Events after `--as-of`, which were left out.
    pub(crate) later: u64,
}

impl EventCounts {
    /// Some of the input is missing from the answer though nobody asked for that.
    pub(crate) fn faulty(&self) -> bool {
        self.refused > 0 || self.malformed > 0
    }
}

/// A log that was judged.
pub(crate) struct Replayed {
    pub(crate) pack: Arc<Pack>,
    pub(crate) engine: Engine,
    pub(crate) counts: EventCounts,
    pub(crate) import: Option<Import>,
    /// The first event that counts.
    pub(crate) from: Option<Instant>,
    /// As of when tickets are judged: what was asked for, else the end of the log; nothing for an empty one.
    pub(crate) as_of: Option<Instant>,
    /// Why the books cannot follow.
    pub(crate) books_fault: Option<String>,
}

/// Opens a pack and sets its terms.
pub(crate) fn open_pack(folder: &Path, set: &[(String, String)]) -> Result<Arc<Pack>, Stop> {
    let within = |folder: &Path, fault: &holdback::Diagnostic| {
        // A fault of the folder itself names it already.
        let named = fault.place.file == folder.display().to_string();
        if named { fault.to_string() } else { folder.join(fault.to_string()).display().to_string() }
    };
    let mut pack = Pack::open(folder).map_err(|error| {
        let faults: Vec<String> = error.0.iter().map(|fault| within(folder, fault)).collect();
        Stop::Unusable(faults.join("\n"))
    })?;
    for (term, value) in set {
        pack = pack.with_term(term, value).map_err(|error| {
            let faults: Vec<String> =
                error.0.into_iter().map(|fault| format!("--set {term}={value}: {}", fault.message)).collect();
            Stop::Unusable(faults.join("\n"))
        })?;
    }
    Ok(Arc::new(pack))
}

/// The adapter that the pack names.
fn usual_adapter(folder: &Path, pack: &Pack) -> Result<Option<Adapter>, Stop> {
    let Some(name) = &pack.adapter else { return Ok(None) };
    let known = <Adapter as clap::ValueEnum>::from_str(name, false);
    let unknown = |_| {
        let file = folder.join("pack.toml");
        let expected = "expected `servicenow-log` or `events`";
        Stop::Unusable(format!("{}: unknown adapter `{name}`: {expected}", file.display()))
    };
    known.map(Some).map_err(unknown)
}

/// Reads a log and lets the engine judge it to its end. Decisions and notices go to `out` as they come. With a store the log is
/// kept there first, and all that the store holds is judged.
pub(crate) fn replay(
    args: &InputArgs,
    console: &mut Console<'_>,
    out: Option<&mut Out>,
    db: Option<&Path>,
) -> Result<Replayed, Stop> {
    let pack = open_pack(&args.pack, &args.set)?;
    let usual = usual_adapter(&args.pack, &pack)?;
    let stdin = args.events == Path::new("-");
    let mut complaints = Complaints {
        stderr: &mut *console.stderr,
        place: if stdin { "standard input".to_owned() } else { args.events.display().to_string() },
        strict: args.strict,
        told: 0,
        out,
    };
    let mut counts = EventCounts::default();
    let reading = Reading { pack: &pack, asked: args.adapter, usual };
    let (events, notes) = gather(args, &mut *console.stdin, reading, &mut complaints, &mut counts)?;
    let events = in_order(events);
    let events = match db {
        Some(db) => keep(db, &pack, events, &mut complaints, &mut counts)?,
        None => events,
    };
    let from = events.iter().map(|told| told.event.at).min();
    let last = events.iter().map(|told| told.event.at).max().max(notes.last);
    let mut engine = Engine::new();
    let mut books_fault = None;
    let opened = engine.open(Arc::clone(&pack));
    complaints.write(&mut engine, opened, &mut books_fault)?;
    let progress = progress(console.watched && events.len() >= LONG, events.len());
    let mut text = Vec::new();
    for (done, Told { line, event }) in events.into_iter().enumerate() {
        if done % 256 == 0 {
            progress.set_position(done as u64);
        }
        let known = engine.events().len();
        text.clear();
        // The engine keeps the event; a refused one is written down as it was understood.
        let _ = serde_json::to_writer(&mut text, &event);
        let submitted = engine.submit(event);
        if let Err(EngineError::Event(error)) = submitted {
            counts.refused += 1;
            complaints.tell(&Malformed { line, reason: error.to_string(), text: excerpt(&text) })?;
            continue;
        }
        let new = engine.events().len() > known;
        match (new, db) {
            (true, _) => counts.taken += 1,
            (false, None) => counts.repeated += 1,
            // The store holds an event once; this one came with the pack.
            (false, Some(_)) => {}
        }
        complaints.write(&mut engine, submitted, &mut books_fault)?;
    }
    progress.finish_and_clear();
    let as_of = args.as_of.or(last);
    if let Some(as_of) = as_of {
        let advanced = engine.advance(as_of);
        complaints.write(&mut engine, advanced, &mut books_fault)?;
    }
    complaints.close();
    Ok(Replayed { pack, engine, counts, import: notes.import, from, as_of, books_fault })
}

/// Keeps the log in a store and gives all events that the store holds.
fn keep(
    db: &Path,
    pack: &Arc<Pack>,
    events: Vec<Told>,
    complaints: &mut Complaints<'_>,
    counts: &mut EventCounts,
) -> Result<Vec<Told>, Stop> {
    let events = events.into_iter().map(|told| (told.line, told.event)).collect();
    let mut refuse = |line, event: &Event, reason| {
        counts.refused += 1;
        let text = serde_json::to_vec(event).unwrap_or_default();
        complaints.tell(&Malformed { line, reason, text: excerpt(&text) })
    };
    let kept = crate::store::kept(db, pack, events, &mut refuse)?;
    Ok(kept.into_iter().map(|event| Told { line: 0, event }).collect())
}

/// An event and the line that tells it.
struct Told {
    line: u64,
    event: Event,
}

/// Reads the whole log. Events after `--as-of` are counted and left out.
fn gather(
    args: &InputArgs,
    stdin: &mut dyn std::io::Read,
    reading: Reading<'_>,
    complaints: &mut Complaints<'_>,
    counts: &mut EventCounts,
) -> Result<(Vec<Told>, LogNotes), Stop> {
    let mut events = Vec::new();
    let mut stopped = None;
    let mut sink = |item| {
        match item {
            Item::Event(_, event) if args.as_of.is_some_and(|as_of| event.at > as_of) => {
                counts.read += 1;
                counts.later += 1;
            }
            Item::Event(line, event) => {
                counts.read += 1;
                events.push(Told { line, event });
            }
            Item::Malformed(malformed) => {
                counts.malformed += 1;
                if let Err(stop) = complaints.tell(&malformed) {
                    stopped = Some(stop);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    };
    let notes = read(&args.events, stdin, reading, &mut sink);
    match stopped {
        Some(stop) => Err(stop),
        None => {
            let notes = notes.map_err(|reason| Stop::Unusable(format!("{}: {reason}", complaints.place)))?;
            Ok((events, notes))
        }
    }
}

/// Events by instant and id. The answers do not depend on it, but corrections stay out of the ledger. Of two tellings of one
/// id the first stands, wherever the second says that it belongs.
fn in_order(events: Vec<Told>) -> Vec<Told> {
    let mut first: HashMap<&str, Instant> = HashMap::with_capacity(events.len());
    for Told { event, .. } in &events {
        first.entry(&event.id).or_insert(event.at);
    }
    let again = first.len() < events.len();
    let place = |event: &Event| first.get(event.id.as_str()).copied().unwrap_or(event.at);
    let places: Vec<Instant> =
        if again { events.iter().map(|told| place(&told.event)).collect() } else { Vec::new() };
    let mut events: Vec<(Option<Instant>, Told)> =
        events.into_iter().enumerate().map(|(i, told)| (places.get(i).copied(), told)).collect();
    // Stable: tellings of one id stay in the order of their lines.
    events.sort_by(|(a_place, a), (b_place, b)| {
        let at = a_place.unwrap_or(a.event.at).cmp(&b_place.unwrap_or(b.event.at));
        at.then_with(|| a.event.id.cmp(&b.event.id))
    });
    events.into_iter().map(|(_, told)| told).collect()
}

fn progress(shown: bool, events: usize) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} events");
    ProgressBar::new(events as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Tells what is wrong with the input, and writes down what comes out of the rest.
struct Complaints<'c> {
    stderr: &'c mut dyn Write,
    place: String,
    strict: bool,
    told: u64,
    out: Option<&'c mut Out>,
}

impl Complaints<'_> {
    fn tell(&mut self, malformed: &Malformed) -> Result<(), Stop> {
        let Malformed { line, reason, text } = malformed;
        self.told += 1;
        if self.told <= SHOWN {
            // A closed stderr must not end the work; the counts and the exit code still tell.
            let _ = writeln!(self.stderr, "error: {}:{line}: {reason}", self.place);
        }
        if self.strict {
            return Err(Stop::Strict);
        }
        match &mut self.out {
            Some(out) => out.rejected.line(&RejectedLine { line: *line, reason, text }),
            None => Ok(()),
        }
    }

    fn close(&mut self) {
        if self.told > SHOWN {
            let _ = writeln!(
                self.stderr,
                "error: {}: {} more faults of the input",
                self.place,
                self.told - SHOWN
            );
        }
    }

    fn write(
        &mut self,
        engine: &mut Engine,
        told: Result<Vec<Decision>, EngineError>,
        books_fault: &mut Option<String>,
    ) -> Result<(), Stop> {
        let decisions = match told {
            Ok(decisions) => decisions,
            Err(EngineError::Ledger(error)) => {
                books_fault.get_or_insert_with(|| error.to_string());
                Vec::new()
            }
            Err(error) => return Err(Stop::Unusable(error.to_string())),
        };
        let notices = engine.take_notices();
        if let Some(out) = &mut self.out {
            decisions.iter().try_for_each(|decision| out.decisions.line(decision))?;
            out.tell(notices)?;
        }
        Ok(())
    }
}
