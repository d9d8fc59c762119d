//! CSV, record by record. A quotation mark that is never closed must not swallow the rest of a log: a record that goes over
//! several lines counts only when it comes out with as many fields as the header has; else its first line is told as
//! malformed and reading goes on with the second.

use std::collections::VecDeque;
use std::io::{BufRead, Result};
use std::ops::Range;

use super::Lines;
use super::lines::{LINE_BYTES_MAX, LineFault};

/// The fields of one record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// The fields' texts, one after the other.
    text: String,
    fields: Vec<Range<usize>>,
}

impl Record {
    /// A field by its place; empty when there is none.
    pub(crate) fn get(&self, place: usize) -> &str {
        self.fields.get(place).and_then(|field| self.text.get(field.clone())).unwrap_or("")
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| self.text.get(field.clone()).unwrap_or(""))
    }

    /// Where a column of this name stands.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.iter().position(|field| field == name)
    }

    fn len(&self) -> usize {
        self.fields.len()
    }
}

/// Takes lines apart (RFC 4180: fields between commas, `"` around those that hold commas or line breaks, `""` for `"`).
#[derive(Default)]
struct Splitter {
    record: Record,
    start: usize,
    quoted: bool,
}

impl Splitter {
    fn clear(&mut self) {
        self.record.text.clear();
        self.record.fields.clear();
        self.start = 0;
        self.quoted = false;
    }

    /// Takes one more line. Says whether the record is whole, which it is not within quotation marks.
    fn feed(&mut self, line: &str) -> bool {
        if !self.quoted && !line.contains('"') {
            for field in line.split(',') {
                self.record.text.push_str(field);
                self.end_field();
            }
            return true;
        }
        if self.quoted {
            self.record.text.push('\n');
        }
        let mut rest = line;
        loop {
            if self.quoted {
                let Some((inside, after)) = rest.split_once('"') else {
                    self.record.text.push_str(rest);
                    return false;
                };
                self.record.text.push_str(inside);
                match after.strip_prefix('"') {
                    Some(after) => {
                        self.record.text.push('"');
                        rest = after;
                        continue;
                    }
                    None => {
                        self.quoted = false;
                        rest = after;
                    }
                }
            } else if let Some(inside) = rest.strip_prefix('"') {
                self.quoted = true;
                rest = inside;
                continue;
            }
            // Outside of quotation marks, up to the next comma; a mark in the middle of a field is a character like others.
            match rest.split_once(',') {
                Some((field, after)) => {
                    self.record.text.push_str(field);
                    self.end_field();
                    rest = after;
                }
                None => {
                    self.record.text.push_str(rest);
                    self.end_field();
                    return true;
                }
            }
        }
    }

    fn end_field(&mut self) {
        let end = self.record.text.len();
        self.record.fields.push(self.start..end);
        self.start = end;
    }
}

/// A line that was read ahead, with the fault that it has.
type Ahead = (u64, Vec<u8>, Option<LineFault>);

/// The records of a CSV file.
pub(super) struct Records<R> {
    lines: Lines<R>,
    ahead: VecDeque<Ahead>,
    splitter: Splitter,
    raw: Vec<u8>,
    width: usize,
}

/// One record, or why it is none.
pub(super) struct Row<'r> {
    /// The line on which it begins.
    pub(super) line: u64,
    pub(super) raw: &'r [u8],
    pub(super) fields: std::result::Result<&'r Record, String>,
}

/// What was read of a record.
enum Outcome {
    Whole,
    Faulty(LineFault),
    Unclosed,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(lines: Lines<R>) -> Records<R> {
        Records { lines, ahead: VecDeque::new(), splitter: Splitter::default(), raw: Vec::new(), width: 0 }
    }

    /// The first record: the names of the columns, without space around them.
    ///
    /// # Errors
    /// Without one, with a nameless column or with two of one name no record can be read.
    pub(super) fn header(&mut self) -> std::result::Result<Record, String> {
        let row = self.next().map_err(super::unreadable)?;
        let Some(row) = row else { return Err("no header: expected the names of the columns".to_owned()) };
        let fields = row.fields.map_err(|reason| format!("line {}: the header: {reason}", row.line))?;
        let mut header = Record::default();
        for (place, name) in fields.iter().map(str::trim).enumerate() {
            let (line, column) = (row.line, place + 1);
            if name.is_empty() {
                return Err(format!("line {line}: column {column} of the header has no name"));
            }
            if header.find(name).is_some() {
                return Err(format!("line {line}: the header names column `{name}` twice"));
            }
            let start = header.text.len();
            header.text.push_str(name);
            header.fields.push(start..header.text.len());
        }
        self.width = header.len();
        Ok(header)
    }

    /// The next record, if there is one. Blank lines are none.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>> {
        let Some((line, outcome)) = self.collect()? else { return Ok(None) };
        let (found, width) = (self.splitter.record.len(), self.width);
        let fields = match outcome {
            Outcome::Faulty(fault) => Err(fault.to_string()),
            Outcome::Unclosed => Err("a quotation mark is opened and not closed".to_owned()),
            Outcome::Whole if width == 0 || found == width => Ok(&self.splitter.record),
            Outcome::Whole => Err(format!("{found} fields, expected {width} as in the header")),
        };
        Ok(Some(Row { line, raw: &self.raw, fields }))
    }

    /// Puts the next record's first line into `raw` and its fields into the splitter.
    fn collect(&mut self) -> Result<Option<(u64, Outcome)>> {
        loop {
            let Some((line, fault)) = self.advance()? else { return Ok(None) };
            if let Some(fault) = fault {
                return Ok(Some((line, Outcome::Faulty(fault))));
            }
            // Only lines without a fault come here.
            let text = std::str::from_utf8(&self.raw).unwrap_or("");
            if text.trim().is_empty() {
                continue;
            }
            self.splitter.clear();
            if self.splitter.feed(text) {
                return Ok(Some((line, Outcome::Whole)));
            }
            let outcome = if self.join()? { Outcome::Whole } else { Outcome::Unclosed };
            return Ok(Some((line, outcome)));
        }
    }

    /// Takes the next line into `raw`, from those read ahead or from the file.
    fn advance(&mut self) -> Result<Option<(u64, Option<LineFault>)>> {
        if let Some((number, raw, fault)) = self.ahead.pop_front() {
            self.raw = raw;
            return Ok(Some((number, fault)));
        }
        let Some(line) = self.lines.next()? else { return Ok(None) };
        self.raw.clear();
        self.raw.extend_from_slice(line.raw);
        Ok(Some((line.number, line.text.err())))
    }

    /// Goes on with a record that is not whole. Says whether it became one; the lines are given back when it did not.
    fn join(&mut self) -> Result<bool> {
        let (mut size, mut taken) = (self.raw.len(), 0);
        let mut whole = false;
        while size <= LINE_BYTES_MAX {
            if taken == self.ahead.len() {
                let Some(line) = self.lines.next()? else { break };
                self.ahead.push_back((line.number, line.raw.to_vec(), line.text.err()));
            }
            let Some((_, raw, None)) = self.ahead.get(taken) else { break };
            taken += 1;
            size += raw.len() + 1;
            if self.splitter.feed(std::str::from_utf8(raw).unwrap_or("")) {
                whole = self.width == 0 || self.splitter.record.len() == self.width;
                break;
            }
        }
        if whole {
            for (_, raw, _) in self.ahead.drain(..taken) {
                self.raw.push(b'\n');
                self.raw.extend(raw);
            }
        }
        Ok(whole)
    }
}
