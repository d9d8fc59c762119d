//! What the fuzz targets do with bytes: nothing may panic, take long, or contradict itself. Run by cargo-fuzz, and by
//! tests/it/fuzz.rs over the corpora and a bounded number of changed inputs.

use std::collections::BTreeMap;

use holdback::{
    Assessment, Check, Evaluator, Event, EventError, Instant, Pack, Severity, TICKET_KINDS, assess,
};

#[allow(dead_code, reason = "only the differential test shrinks tapes")]
#[path = "../engine/src/policy/tests/generate.rs"]
pub(crate) mod generate;
#[path = "tickets.rs"]
pub(crate) mod tickets;
#[path = "world.rs"]
mod world;

use generate::choices::Choices;
use tickets::history;

/// So many tickets for each clause file.
const TICKETS: usize = 4;

type Files = BTreeMap<String, String>;

/// Any files: `--- path` begins the next one. Lines before the first belong to a clause file.
fn files(bytes: &[u8]) -> Files {
    let text = String::from_utf8_lossy(bytes);
    let mut files = Files::new();
    let mut path = "clauses/1.rhai".to_owned();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("--- ") {
            Some(next) => path = next.trim_end().to_owned(),
            None => files.entry(path.clone()).or_default().push_str(line),
        }
    }
    files
}

/// What is told of any pack: at places that there are, in sentences, with an error exactly where there is no pack.
fn told(check: &Check) {
    let errors = check.diagnostics.iter().any(|told| told.severity == Severity::Error);
    assert_eq!(check.pack.is_none(), errors, "{:?}", check.diagnostics);
    for told in &check.diagnostics {
        assert!(!told.message.is_empty() && !told.message.contains('\n'), "{told:?}");
        for place in std::iter::once(&told.place).chain(told.related.iter().map(|related| &related.place)) {
            // A file that is no text has places, but cannot be shown.
            let Some(text) = check.files.get(&place.file) else { continue };
            assert!(place.line <= text.split('\n').count(), "{told:?}");
            let line = text.split('\n').nth(place.line.saturating_sub(1)).unwrap_or_default();
            let end = line.chars().count() + 1;
            assert!(place.column <= end && place.column + place.length <= end.max(1), "{told:?} in {line:?}");
        }
    }
}

/// A pack out of any files: what is told of it, and with its first term set to other values.
pub(crate) fn pack_load(bytes: &[u8]) {
    let files = files(bytes);
    let check = Pack::check(files.clone());
    told(&check);
    let loaded = Pack::from_files(files.clone());
    assert_eq!(loaded.is_ok(), check.pack.is_some());
    let Some(pack) = check.pack else { return };
    let names = files.get("terms.toml").map_or("", String::as_str).lines();
    let first = names.filter_map(|line| line.strip_prefix('[')?.strip_suffix(']')).next().unwrap_or("none");
    for value in ["0", "1.00", "-1", "true", "x", "79228162514264337593543950335"] {
        drop(pack.with_term(first, value));
    }
}

/// Any clause file of a pack without mistakes, and any texts of it beside.
pub(crate) fn check(bytes: &[u8]) {
    let mut all = world::files("");
    all.extend(files(bytes));
    told(&Pack::check(all));
}

/// Why the checker does not take a clause made up from bytes, if so.
pub(crate) fn refusal(bytes: &[u8]) -> Option<String> {
    let script = generate::clause(&mut Choices::bytes(bytes)).0;
    Pack::from_files(world::files(&script)).err().map(|error| error.to_string())
}

/// Clauses and tickets made up from bytes under both evaluators; or, where the bytes are a script, that script.
pub(crate) fn evaluators(bytes: &[u8]) {
    let mut dice = Choices::bytes(bytes);
    let script = match std::str::from_utf8(bytes) {
        Ok(text) if text.contains("fn ") => text.to_owned(),
        _ => generate::clause(&mut dice).0,
    };
    let Ok(pack) = Pack::from_files(world::files(&script)) else { return };
    let Ok(reference) = Pack::from_files(world::files(&script)) else { panic!("refused once") };
    let reference = reference.evaluated_by(Evaluator::Reference);
    for _ in 0..TICKETS {
        let history = history(&mut dice, &pack, &TICKET_KINDS);
        let judged = |pack: &Pack| -> Result<Assessment, EventError> {
            assess(pack, &history.contract, &history.ticket, history.as_of)
        };
        assert_eq!(judged(&pack), judged(&reference), "{script}\n{history:#?}");
    }
}

/// One event, and a log of events by each of the names that say what it is.
pub(crate) fn events(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let pack = world::pack();
    if let Ok(event) = Event::from_json(&text) {
        let again = serde_json::to_value(&event).expect("an event is JSON");
        assert_eq!(Event::from_value(again).as_ref(), Ok(&event));
        let cloud = event.to_cloud_event();
        assert_eq!(Event::from_value(cloud).map(|event| event.id), Ok(event.id));
    }
    let folder = tempfile::tempdir().expect("a folder for what is read");
    for name in ["log", "log.ndjson", "log.json", "log.csv"] {
        let path = folder.path().join(name);
        write(&path, bytes);
        if let Ok(events) = holdback_cli::read_events(&path, pack) {
            drop(assess(pack, &[], &events, Instant::MAX));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "logs are read from disk, and here they are made up")]
fn write(path: &std::path::Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a file for what is read");
}
