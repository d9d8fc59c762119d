//! A file line by line: none longer than can be held, each with its number.

use std::fmt;
use std::io::{BufRead, Read, Result};

use super::BYTE_ORDER_MARK;

/// No event is longer than this.
pub(super) const LINE_BYTES_MAX: usize = 1 << 20;

/// The lines of a file. Takes LF and CR LF, and a byte order mark at the beginning.
pub(crate) struct Lines<R> {
    input: R,
    number: u64,
    buffer: Vec<u8>,
}

/// One line.
pub(crate) struct Line<'l> {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// Its bytes without the line break; of a line that is too long only the beginning.
    pub(crate) raw: &'l [u8],
    /// Its text.
    pub(crate) text: std::result::Result<&'l str, LineFault>,
}

/// Why a line is not text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LineFault {
    /// From this byte of the line on, from 1.
    NotUtf8(usize),
    TooLong,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineFault::NotUtf8(byte) => write!(f, "not UTF-8 text: byte {byte} of the line cannot be read"),
            LineFault::TooLong => {
                write!(f, "a line of more than {LINE_BYTES_MAX} bytes: no event is so long")
            }
        }
    }
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Lines<R> {
        Lines { input, number: 0, buffer: Vec::new() }
    }

    /// The next line, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.buffer.clear();
        let room = LINE_BYTES_MAX as u64 + 2;
        if (&mut self.input).take(room).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut raw = self.buffer.as_slice();
        match raw.strip_suffix(b"\n") {
            Some(line) => raw = line.strip_suffix(b"\r").unwrap_or(line),
            None if raw.len() > LINE_BYTES_MAX => {
                self.input.skip_until(b'\n')?;
            }
            None => {}
        }
        if self.number == 1 {
            raw = raw.strip_prefix(BYTE_ORDER_MARK).unwrap_or(raw);
        }
        Ok(Some(Line { number: self.number, raw, text: text(raw) }))
    }
}

impl<R: Read> Lines<std::io::BufReader<R>> {
    /// The next line may have to be waited for.
    pub(crate) fn would_wait(&self) -> bool {
        !self.input.buffer().contains(&b'\n')
    }
}

pub(super) fn text(raw: &[u8]) -> std::result::Result<&str, LineFault> {
    if raw.len() > LINE_BYTES_MAX {
        return Err(LineFault::TooLong);
    }
    std::str::from_utf8(raw).map_err(|error| LineFault::NotUtf8(error.valid_up_to() + 1))
}
