//! JSON lines to columns.
//!
//! Each line is tried by a scanner of the usual spelling ([`fast`]): keys that are known, strings without escapes,
//! times as most programs write them. It never refuses: what it does not understand is read again by `serde_json`
//! ([`slow`]), which alone decides what a line says and what is wrong with it.

mod columns;
mod fast;
mod keys;
mod slow;
#[cfg(test)]
mod tests;

use std::io::BufRead;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;

use self::columns::Columns;
use self::keys::Keys;

/// The longest line that is read, in bytes: a bound for what one line may take of memory.
const LONGEST: usize = 1 << 20;
/// A batch ends early when its text has so many bytes: a column's text must stay below 2^31.
const MOST_TEXT: usize = 1 << 28;
/// Characters of a refused line that are shown.
const EXCERPT: usize = 120;

/// What the lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A flat object for each row; its keys are the columns.
    Rows,
    /// An event for each row. So many columns, the first ones, are keys of the event itself; the columns after them are
    /// keys of its `data`. Keys that every event may have but no column wants are passed over.
    Events {
        /// Columns of the event itself.
        envelope: usize,
    },
}

/// A line that is not in the columns, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The line, from 1.
    pub(crate) line: u64,
    /// The column or key at fault, where there is one.
    pub(crate) column: Option<String>,
    /// What is wrong.
    pub(crate) reason: String,
    /// How the line begins.
    pub(crate) excerpt: String,
}

/// Why reading cannot begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum NdjsonError {
    /// The input cannot be read.
    #[error("the lines cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// A column of a type that lines cannot fill.
    #[error(
        "column `{name}` is of type `{found}`: expected text, times in UTC to the microsecond, whole numbers or booleans"
    )]
    Type {
        /// The column.
        name: String,
        /// Its type.
        found: DataType,
    },
    /// Columns that do not fit each other.
    #[error("the lines cannot be put into columns: {0}")]
    Columns(#[from] ArrowError),
}

/// What is wrong with a line.
#[derive(Debug)]
struct Fault {
    column: Option<String>,
    reason: String,
}

/// Reads JSON lines into record batches.
pub(crate) struct NdjsonReader<R: BufRead> {
    input: R,
    schema: SchemaRef,
    rows: usize,
    keys: Keys,
    columns: Columns,
    /// The beginning of a line of which the rest is still to come.
    begun: Vec<u8>,
    line: u64,
    ended: bool,
}

impl<R: BufRead> NdjsonReader<R> {
    /// Reads lines of this shape into batches of at most `rows` rows.
    ///
    /// # Errors
    /// [`NdjsonError::Type`] for a column that lines cannot fill.
    pub(crate) fn new(
        input: R,
        schema: SchemaRef,
        shape: Shape,
        rows: usize,
    ) -> Result<NdjsonReader<R>, NdjsonError> {
        let columns = Columns::new(&schema)?;
        let keys = Keys::new(&schema, shape);
        let begun = Vec::new();
        Ok(NdjsonReader { input, schema, rows: rows.max(1), keys, columns, begun, line: 0, ended: false })
    }

    /// The next rows, or nothing at the end. Lines that are no rows are told to `refuse` and are not in the batch.
    ///
    /// # Errors
    /// [`NdjsonError::Read`] when the input fails.
    pub(crate) fn next_batch(
        &mut self,
        refuse: &mut dyn FnMut(Refused),
    ) -> Result<Option<RecordBatch>, NdjsonError> {
        while !self.ended && self.columns.rows() < self.rows && self.columns.text_bytes() < MOST_TEXT {
            self.read_some(refuse)?;
        }
        if self.columns.rows() == 0 {
            return Ok(None);
        }
        Ok(Some(self.columns.batch(&self.schema)?))
    }

    /// Reads the lines that the input has at hand, while the batch has room.
    fn read_some(&mut self, refuse: &mut dyn FnMut(Refused)) -> Result<(), NdjsonError> {
        let chunk = match self.input.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        };
        let mut taker =
            Taker { keys: &mut self.keys, columns: &mut self.columns, line: &mut self.line, refuse };
        if chunk.is_empty() {
            self.ended = true;
            if !self.begun.is_empty() {
                taker.take(&self.begun);
                self.begun.clear();
            }
            return Ok(());
        }
        // No line puts more text into a column than it has itself.
        let (mut used, mut text) = (0, taker.columns.text_bytes());
        loop {
            let rest = chunk.get(used..).unwrap_or_default();
            let Some(end) = memchr::memchr(b'\n', rest) else {
                // One byte beyond the bound tells that the line is too long; the rest of it is not kept.
                let room = (LONGEST + 1).saturating_sub(self.begun.len());
                self.begun.extend(rest.iter().take(room));
                used = chunk.len();
                break;
            };
            let (line, _) = rest.split_at(end);
            used += end + 1;
            if self.begun.is_empty() {
                taker.take(line);
            } else {
                let room = (LONGEST + 1).saturating_sub(self.begun.len());
                self.begun.extend(line.iter().take(room));
                taker.take(&self.begun);
                self.begun.clear();
            }
            text += end;
            if taker.columns.rows() >= self.rows || text >= MOST_TEXT {
                break;
            }
        }
        self.input.consume(used);
        Ok(())
    }
}

/// Takes lines one by one.
struct Taker<'a> {
    keys: &'a mut Keys,
    columns: &'a mut Columns,
    line: &'a mut u64,
    refuse: &'a mut dyn FnMut(Refused),
}

impl Taker<'_> {
    fn take(&mut self, bytes: &[u8]) {
        *self.line += 1;
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if let Err(fault) = self.read(bytes) {
            self.columns.take_back();
            (self.refuse)(Refused {
                line: *self.line,
                column: fault.column,
                reason: fault.reason,
                excerpt: excerpt(bytes),
            });
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let fault = |reason: String| Fault { column: None, reason };
        if bytes.len() > LONGEST {
            return Err(fault(format!("longer than {LONGEST} bytes")));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| fault(format!("not UTF-8 after byte {}", error.valid_up_to())))?;
        if fast::read(text, self.keys, self.columns) {
            return Ok(());
        }
        self.columns.take_back();
        if text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            return Ok(());
        }
        slow::read(text, self.keys, self.columns)
    }
}

fn excerpt(bytes: &[u8]) -> String {
    // Four bytes are enough for any character.
    let begin = bytes.get(..EXCERPT * 4).unwrap_or(bytes);
    let text = String::from_utf8_lossy(begin);
    let mut excerpt: String = text.chars().take(EXCERPT).collect();
    if excerpt.len() < bytes.len() {
        excerpt.push_str("...");
    }
    excerpt
}
