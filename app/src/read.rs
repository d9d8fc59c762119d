//! Events out of files: which format it is, then one event or one complaint after the other.
//!
//! Nothing is held but the line at hand, so that a log of any size streams through.

mod archive;
mod array;
mod lines;
mod records;
mod table;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufReader, Chain, Cursor, Read};
use std::ops::ControlFlow;
use std::path::Path;

use holdback::{Event, Instant, Pack};

pub(crate) use lines::Lines;
pub(crate) use records::Record;

use crate::adapter::{Import, Rows, ServiceNow};
use crate::args::Adapter;
use lines::Line;
use records::Records;
use table::Table;

/// Bytes looked at to find out what a file is.
const PEEK: u64 = 1 << 12;
/// Bytes asked for at once.
const CHUNK: usize = 1 << 16;

/// What a file gives.
#[derive(Debug)]
pub(crate) enum Item {
    /// An event, and the line it came from.
    Event(u64, Event),
    /// Something that is no event.
    Malformed(Malformed),
}

/// Input that is no event.
#[derive(Debug)]
pub(crate) struct Malformed {
    /// Its first line, from 1.
    pub(crate) line: u64,
    /// What was wrong.
    pub(crate) reason: String,
    /// The text as it came, cut where it is long.
    pub(crate) text: String,
}

/// Takes what a file gives; may say that it has enough.
pub(crate) type Sink<'s> = dyn FnMut(Item) -> ControlFlow<()> + 's;

/// What there is to say of a log as a whole.
#[derive(Debug, Default)]
pub(crate) struct LogNotes {
    /// What the adapter made of it.
    pub(crate) import: Option<Import>,
    /// Its last instant, when it goes on after its last event.
    pub(crate) last: Option<Instant>,
}

/// How the input is to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading<'p> {
    pub(crate) pack: &'p Pack,
    /// What the user asks for.
    pub(crate) asked: Option<Adapter>,
    /// What the pack names: used when the input fits it.
    pub(crate) usual: Option<Adapter>,
}

/// Text of unusable input, cut to 2,000 characters.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const CHARS_MAX: usize = 2_000;
    let part = bytes.get(..bytes.len().min(CHARS_MAX * 4)).unwrap_or(bytes);
    String::from_utf8_lossy(part).chars().take(CHARS_MAX).collect()
}

/// Reads a file or, for `-`, standard input.
///
/// # Errors
/// What makes the file as a whole unusable, without the file's name.
pub(crate) fn read(
    path: &Path,
    stdin: &mut dyn Read,
    reading: Reading<'_>,
    sink: &mut Sink<'_>,
) -> Result<LogNotes, String> {
    if path == Path::new("-") {
        let mut input = Peeked::new(stdin)?;
        if !input.head.starts_with(ZIP) {
            return events(input, "", reading, sink);
        }
        // A zip's table of contents stands at its end.
        let mut bytes = Vec::new();
        let room = &mut input.bytes;
        room.take(archive::BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > archive::BYTES_MAX {
            return Err("the zip is too large for standard input: expected the name of a file".to_owned());
        }
        return archive::open(Cursor::new(bytes), |name, file| {
            events(Peeked::new(file)?, name, reading, sink)
        });
    }
    let input = Peeked::new(open(path).map_err(unreadable)?)?;
    if !input.head.starts_with(ZIP) {
        return events(input, &path.to_string_lossy(), reading, sink);
    }
    let file = BufReader::new(open(path).map_err(unreadable)?);
    archive::open(file, |name, file| events(Peeked::new(file)?, name, reading, sink))
}

#[expect(clippy::disallowed_methods, reason = "the user names the file that holds the events")]
fn open(path: &Path) -> std::io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(std::io::Error::other("a folder, expected a file of events"));
    }
    Ok(file)
}

fn unreadable(error: std::io::Error) -> String {
    format!("cannot be read: {error}")
}

const ZIP: &[u8] = b"PK";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file whose first bytes were looked at.
struct Peeked<R> {
    /// The first bytes, without a byte order mark.
    head: Vec<u8>,
    /// All bytes, the first ones included.
    bytes: BufReader<Chain<Cursor<Vec<u8>>, R>>,
}

impl<R: Read> Peeked<R> {
    fn new(mut file: R) -> Result<Peeked<R>, String> {
        let mut head = Vec::new();
        (&mut file).take(PEEK).read_to_end(&mut head).map_err(unreadable)?;
        let bytes = BufReader::with_capacity(CHUNK, Cursor::new(head.clone()).chain(file));
        if head.starts_with(BYTE_ORDER_MARK) {
            head.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(Peeked { head, bytes })
    }
}

#[derive(Debug, PartialEq)]
enum Form {
    Lines,
    Array,
    Csv,
}

/// What a file is, by its name if that says so, else by its first character.
fn form(head: &[u8], name: &str) -> Result<Form, String> {
    const EXPECTED: &str = "expected NDJSON, a JSON array, CSV, or a zip of one of them";
    let unfit = [
        (ZIP, "a zip within a zip"),
        (b"\x1f\x8b", "gzip"),
        (b"\xff\xfe", "UTF-16 text"),
        (b"\xfe\xff", "UTF-16 text"),
    ];
    if let Some((_, what)) = unfit.iter().find(|(start, _)| head.starts_with(start)) {
        return Err(format!("{what}: {EXPECTED}, in UTF-8"));
    }
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    Ok(match (ending.as_str(), first) {
        ("ndjson" | "jsonl", _) | (_, Some(b'{') | None) => Form::Lines,
        ("csv", _) => Form::Csv,
        (_, Some(b'[')) => Form::Array,
        ("json", _) => Form::Lines,
        _ => Form::Csv,
    })
}

fn events<R: Read>(
    input: Peeked<R>,
    name: &str,
    reading: Reading<'_>,
    sink: &mut Sink<'_>,
) -> Result<LogNotes, String> {
    let form = form(&input.head, name)?;
    if form != Form::Csv && reading.asked == Some(Adapter::ServicenowLog) && !input.head.is_empty() {
        return Err("JSON: the adapter `servicenow-log` reads CSV".to_owned());
    }
    match form {
        Form::Lines => ndjson(Lines::new(input.bytes), sink).map_err(unreadable)?,
        Form::Array => array::read(input.bytes, sink).map_err(unreadable)?,
        Form::Csv => return csv(Records::new(Lines::new(input.bytes)), reading, sink),
    }
    Ok(LogNotes::default())
}

fn ndjson<R: std::io::BufRead>(mut lines: Lines<R>, sink: &mut Sink<'_>) -> std::io::Result<()> {
    while let Some(Line { number, raw, text }) = lines.next()? {
        let result = match text {
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => Event::from_json(text).map_err(|error| placed(&error.to_string(), number)),
            Err(fault) => Err(fault.to_string()),
        };
        if sink(item(number, result, raw)).is_break() {
            break;
        }
    }
    Ok(())
}

fn item(line: u64, result: Result<Event, String>, raw: &[u8]) -> Item {
    match result {
        Ok(event) => Item::Event(line, event),
        Err(reason) => Item::Malformed(Malformed { line, reason, text: excerpt(raw) }),
    }
}

/// A JSON fault whose place counts from the text's own beginning, told by the file's lines.
fn placed(reason: &str, first: u64) -> String {
    let place = || {
        let (what, place) = reason.rsplit_once(" at line ")?;
        let (line, column) = place.split_once(" column ")?;
        let (line, column) = (line.parse::<u64>().ok()?, column.parse::<u64>().ok()?);
        Some(match line {
            ..=1 => format!("{what} at column {column}"),
            _ => format!("{what} at line {}, column {column}", first + line - 1),
        })
    };
    place().unwrap_or_else(|| reason.to_owned())
}

fn csv<R: std::io::BufRead>(
    mut records: Records<R>,
    reading: Reading<'_>,
    sink: &mut Sink<'_>,
) -> Result<LogNotes, String> {
    let header = records.header()?;
    let servicenow = match reading.asked {
        Some(asked) => asked == Adapter::ServicenowLog,
        None => reading.usual == Some(Adapter::ServicenowLog) && ServiceNow::fits(&header),
    };
    let mut rows: Box<dyn Rows> = match servicenow {
        true => Box::new(ServiceNow::new(&header, reading.pack)?),
        false => Box::new(Table::new(&header, reading.pack)?),
    };
    let mut events = Vec::new();
    while let Some(row) = records.next().map_err(unreadable)? {
        let result = row.fields.and_then(|fields| rows.take(fields, &mut events));
        for event in events.drain(..) {
            if sink(Item::Event(row.line, event)).is_break() {
                return Ok(LogNotes::default());
            }
        }
        if let Err(reason) = result {
            let text = excerpt(row.raw);
            if sink(Item::Malformed(Malformed { line: row.line, reason, text })).is_break() {
                return Ok(LogNotes::default());
            }
        }
    }
    Ok(rows.notes())
}
