//! A file of a pack with its places, and the faults found so far.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Place};

/// So many errors and so many warnings of one file are kept: more tell nothing new.
pub(super) const TOLD_MAX: usize = 100;

/// Bytes between two counts of characters.
const BLOCK: usize = 256;

/// A text file of a pack.
pub(super) struct Source<'t> {
    pub(super) file: &'t str,
    pub(super) text: &'t str,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    /// How many characters stand before each block of bytes: a file may be one long line.
    counts: Vec<usize>,
}

/// The characters that begin in these bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// What stands somewhere in a file.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

impl<'t> Source<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Source<'t> {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        let mut before = 0;
        let mut counts = vec![0];
        for block in text.as_bytes().chunks(BLOCK) {
            before += characters(block);
            counts.push(before);
        }
        Source { file, text, lines, counts }
    }

    /// How many characters stand before a byte.
    fn before(&self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at - at % BLOCK..at).map_or(0, characters);
        self.counts.get(at / BLOCK).copied().unwrap_or(0) + rest
    }

    /// The place of a stretch of bytes, up to the end of its first line.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let start = span.start.min(self.text.len());
        let line = self.lines.partition_point(|begin| *begin <= start);
        let begin = line.checked_sub(1).and_then(|i| self.lines.get(i)).copied().unwrap_or(0);
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        Place {
            file: self.file.to_owned(),
            line,
            column: self.before(start) - self.before(begin) + 1,
            length: self.before(span.end.clamp(start, end.max(start))) - self.before(start),
        }
    }

    /// The place of a byte of a line, both from 1.
    pub(super) fn byte(&self, line: usize, byte: usize) -> Place {
        let begin = line.checked_sub(1).and_then(|i| self.lines.get(i)).copied().unwrap_or(self.text.len());
        let at = begin + byte.saturating_sub(1);
        self.place(at..at)
    }

    /// The place of a part of this text.
    pub(super) fn part(&self, part: &str) -> Place {
        let start = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.place(start..start + part.len())
    }
}

/// The faults found so far.
#[derive(Default)]
pub(super) struct Faults {
    list: Vec<Diagnostic>,
    /// How many errors and warnings were told of each file.
    told: BTreeMap<String, [usize; 2]>,
    /// Names and files that stand in the pack but could not be read: what uses them is not at fault.
    pub(super) unsure: BTreeSet<String>,
}

impl Faults {
    pub(super) fn tell(&mut self, diagnostic: Diagnostic) {
        let told = self.told.entry(diagnostic.place.file.clone()).or_default();
        let [errors, warnings] = told;
        let count = if diagnostic.is_error() { errors } else { warnings };
        *count += 1;
        if *count <= TOLD_MAX {
            self.list.push(diagnostic);
        }
    }

    /// Whether more errors of a file are told.
    pub(super) fn room(&self, file: &str) -> bool {
        self.told.get(file).is_none_or(|[errors, _]| *errors < TOLD_MAX)
    }

    pub(super) fn add(&mut self, code: Code, place: Place, message: impl Into<String>) {
        self.tell(Diagnostic::new(code, place, message));
    }

    /// Whether anything told so far refuses the pack.
    pub(super) fn any_error(&self) -> bool {
        self.list.iter().any(Diagnostic::is_error)
    }

    /// What uses this name is not told again.
    pub(super) fn doubt(&mut self, name: impl Into<String>) {
        self.unsure.insert(name.into());
    }

    pub(super) fn doubted(&self, name: &str) -> bool {
        self.unsure.contains(name)
    }

    /// All of them by place.
    pub(super) fn sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| (&a.place, a.code, &a.message).cmp(&(&b.place, b.code, &b.message)));
        self.list.dedup();
        self.list
    }
}
