//! A JSON array of events, element by element: a bad one is told, and the next one read.

use std::io::{BufRead, Result};
use std::ops::ControlFlow;

use holdback::Event;

use super::lines::{LINE_BYTES_MAX, text};
use super::{Item, Malformed, Sink, excerpt, item, placed};

/// Where in the array the reader stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Before the opening bracket.
    Before,
    /// In the first element, if there is one.
    First,
    /// In an element after a comma.
    Later,
    /// After the closing bracket.
    After,
}

struct Elements {
    place: Place,
    line: u64,
    /// The element so far, without the space before it.
    element: Vec<u8>,
    /// The line on which it begins.
    begins: u64,
    too_long: bool,
    depth: u64,
    in_text: bool,
    escaped: bool,
}

/// Reads an array. What is wrong with it goes to the sink like everything else.
pub(super) fn read(mut input: impl BufRead, sink: &mut Sink<'_>) -> Result<()> {
    let mut elements = Elements {
        place: Place::Before,
        line: 1,
        element: Vec::new(),
        begins: 1,
        too_long: false,
        depth: 0,
        in_text: false,
        escaped: false,
    };
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            let _ = elements.end(sink);
            return Ok(());
        }
        for byte in chunk {
            if elements.take(*byte, sink).is_break() {
                return Ok(());
            }
        }
        let read = chunk.len();
        input.consume(read);
    }
}

impl Elements {
    fn take(&mut self, byte: u8, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let flow = match self.place {
            Place::Before => {
                // A byte order mark may come first.
                if byte == b'[' {
                    self.place = Place::First;
                }
                ControlFlow::Continue(())
            }
            Place::First | Place::Later => self.within(byte, sink),
            Place::After if byte.is_ascii_whitespace() => ControlFlow::Continue(()),
            Place::After => {
                let reason = "text after the end of the array".to_owned();
                let text = excerpt(&[byte]);
                let _ = sink(Item::Malformed(Malformed { line: self.line, reason, text }));
                ControlFlow::Break(())
            }
        };
        if byte == b'\n' {
            self.line += 1;
        }
        flow
    }

    fn within(&mut self, byte: u8, sink: &mut Sink<'_>) -> ControlFlow<()> {
        if self.in_text && byte == b'\n' {
            // No JSON text holds a line break: a text that is not closed costs its element, not the rest of the file.
            self.in_text = false;
            self.escaped = false;
            self.depth = 0;
            self.place = Place::Later;
            return self.give("", sink);
        }
        if self.in_text {
            let escaped = std::mem::take(&mut self.escaped);
            self.escaped = !escaped && byte == b'\\';
            self.in_text = escaped || byte != b'"';
            self.push(byte);
            return ControlFlow::Continue(());
        }
        match byte {
            b',' if self.depth == 0 => {
                self.place = Place::Later;
                return self.give("an element is missing before the comma", sink);
            }
            b']' if self.depth == 0 => {
                let first = std::mem::replace(&mut self.place, Place::After) == Place::First;
                if first && self.element.is_empty() {
                    return ControlFlow::Continue(());
                }
                return self.give("an element is missing after the last comma", sink);
            }
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b'"' => self.in_text = true,
            _ => {}
        }
        self.push(byte);
        ControlFlow::Continue(())
    }

    fn push(&mut self, byte: u8) {
        if self.element.is_empty() {
            if byte.is_ascii_whitespace() {
                return;
            }
            self.begins = self.line;
        }
        if self.element.len() <= LINE_BYTES_MAX {
            self.element.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn give(&mut self, missing: &str, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let raw = self.element.trim_ascii_end();
        let result = match text(raw) {
            _ if self.too_long => {
                Err(format!("an element of more than {LINE_BYTES_MAX} bytes: no event is so long"))
            }
            Ok("") => Err(missing.to_owned()),
            Ok(text) => Event::from_json(text).map_err(|error| placed(&error.to_string(), self.begins)),
            Err(fault) => Err(fault.to_string()),
        };
        let line = if raw.is_empty() { self.line } else { self.begins };
        let flow = sink(item(line, result, raw));
        self.element.clear();
        self.too_long = false;
        flow
    }

    fn end(&mut self, sink: &mut Sink<'_>) -> ControlFlow<()> {
        if self.place == Place::After {
            return ControlFlow::Continue(());
        }
        if self.element.is_empty() {
            let reason = "the array is not closed: expected `]`".to_owned();
            return sink(Item::Malformed(Malformed { line: self.line, reason, text: String::new() }));
        }
        if self.depth == 0 && !self.in_text {
            // A whole element stands there; only the bracket is missing.
            self.give("", sink)?;
            return self.end(sink);
        }
        let reason = "the element that begins here is not closed; the file ends within it".to_owned();
        let text = excerpt(&self.element);
        sink(Item::Malformed(Malformed { line: self.begins, reason, text }))
    }
}
