//! The source lines of a diagnostic, made ready to be drawn: cut, cleaned, near ones in one piece.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use holdback::Place;
use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// A line of more characters is cut around what is underlined.
const WIDTH_MAX: usize = 200;
/// How much of a line that is cut stays before what is underlined.
const BEFORE: usize = 60;
/// Marks that are at most this many lines apart are drawn in one piece.
const NEAR: usize = 2;

/// The lines of a pack's files; each file is split once.
pub(super) struct Sources<'a> {
    files: &'a BTreeMap<String, String>,
    lines: HashMap<&'a str, Vec<&'a str>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(files: &'a BTreeMap<String, String>) -> Sources<'a> {
        Sources { files, lines: HashMap::new() }
    }

    /// A line of a file, from 1. The empty one after a last line break counts: unfinished scripts end there.
    fn line(&mut self, file: &str, line: usize) -> Option<&'a str> {
        let (name, text) = self.files.get_key_value(file)?;
        let lines = self.lines.entry(name).or_insert_with(|| text.split('\n').collect());
        let line = lines.get(line.checked_sub(1)?)?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

/// A stretch of one line that is to be underlined.
struct Mark {
    file: String,
    line: usize,
    /// The first character underlined, from 0.
    column: usize,
    /// The line as it is shown, and the bytes of it that are underlined. They may reach one beyond its end.
    text: String,
    bytes: Range<usize>,
    /// The line was too long to be shown whole.
    cut: bool,
    label: String,
    primary: bool,
}

impl Mark {
    /// Nothing when there is no such line.
    fn of(place: &Place, label: &str, primary: bool, sources: &mut Sources<'_>) -> Option<Mark> {
        let line = sources.line(&place.file, place.line)?;
        let (start, length) = match place.column {
            0 => {
                let blank = line.chars().take_while(|c| c.is_whitespace()).count();
                (blank, line.trim().chars().count())
            }
            column => (column - 1, place.length),
        };
        let count = line.chars().count();
        let start = start.min(count);
        let end = start.saturating_add(length.max(1)).min(count);
        let shown = if count > WIDTH_MAX {
            let from = start.saturating_sub(BEFORE).min(count - WIDTH_MAX);
            from..from + WIDTH_MAX
        } else {
            0..count
        };
        let (text, bytes) = cut(line, &shown, start..end.min(shown.end), count);
        Some(Mark {
            file: place.file.clone(),
            line: place.line,
            column: start,
            text,
            bytes,
            cut: count > WIDTH_MAX,
            label: clean(label),
            primary,
        })
    }

    /// Whether two marks can be underlined in one piece of text.
    fn stands_by(&self, other: &Mark) -> bool {
        let apart = self.bytes.end <= other.bytes.start || other.bytes.end <= self.bytes.start;
        !self.cut
            && !other.cut
            && self.file == other.file
            && self.line.abs_diff(other.line) <= NEAR
            && (self.line != other.line || apart)
    }
}

/// The shown characters of a line, cleaned, `...` for those left out, and the bytes that are underlined.
fn cut(line: &str, shown: &Range<usize>, marked: Range<usize>, count: usize) -> (String, Range<usize>) {
    let mut text = String::new();
    if shown.start > 0 {
        text.push_str("...");
    }
    let mut bytes = 0..0;
    for (place, c) in line.chars().enumerate().take(shown.end).skip(shown.start) {
        if place == marked.start {
            bytes.start = text.len();
        }
        text.push(clean_char(c));
        if place < marked.end {
            bytes.end = text.len();
        }
    }
    if marked.start >= marked.end {
        // Beyond the last character: the line break is underlined.
        bytes = text.len()..text.len() + 1;
    }
    if shown.end < count {
        text.push_str("...");
    }
    (text, bytes)
}

/// A text without characters that move the cursor, change colours or turn the direction of writing.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { clean_char(c) }).collect()
}

fn clean_char(c: char) -> char {
    match c {
        '\t' => c,
        // Marks that turn the direction of writing, and line breaks that are not `\n`.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ if c.is_control() => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// The pieces of text that belong to one diagnostic, as if they stood one after another in one file.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    pieces: Vec<Piece>,
}

/// Some lines of a file that stand together.
#[derive(Debug)]
struct Piece {
    /// As it is shown.
    file: String,
    /// Number of the first line, from 1.
    line: usize,
    /// All lines, each with its line break.
    text: String,
    /// Where the text begins among all pieces.
    base: usize,
    marks: Vec<Underline>,
}

#[derive(Debug)]
struct Underline {
    /// Among all pieces.
    bytes: Range<usize>,
    line: usize,
    column: usize,
    label: String,
    primary: bool,
}

impl Excerpt {
    /// The excerpt of the places that have a line, and the places without one; `shown` writes a file's path.
    pub(super) fn of<'p>(
        places: impl IntoIterator<Item = (&'p Place, &'p str)>,
        sources: &mut Sources<'_>,
        shown: impl Fn(&str) -> String,
    ) -> (Excerpt, Vec<(&'p Place, &'p str)>) {
        let (mut groups, mut without) = (Vec::<Vec<Mark>>::new(), Vec::new());
        for (number, (place, label)) in places.into_iter().enumerate() {
            let Some(mark) = Mark::of(place, label, number == 0, sources) else {
                without.push((place, label));
                continue;
            };
            let near = |group: &&mut Vec<Mark>| {
                // Near one of them, and not upon any of them.
                let upon = |other: &Mark| other.line == mark.line && !mark.stands_by(other);
                group.iter().any(|other| mark.stands_by(other)) && !group.iter().any(upon)
            };
            match groups.iter_mut().find(near) {
                Some(group) => group.push(mark),
                None => groups.push(vec![mark]),
            }
        }
        let mut excerpt = Excerpt::default();
        for group in groups {
            excerpt.add(group, sources, &shown);
        }
        (excerpt, without)
    }

    fn add(&mut self, marks: Vec<Mark>, sources: &mut Sources<'_>, shown: impl Fn(&str) -> String) {
        let lines = || marks.iter().map(|mark| mark.line);
        let (Some(first), Some(last), Some(one)) = (lines().min(), lines().max(), marks.first()) else {
            return;
        };
        // One byte between pieces, so that the end of one is not the beginning of the next.
        let base = self.pieces.last().map_or(0, |piece| piece.base + piece.text.len() + 1);
        let (file, path) = (one.file.clone(), shown(&one.file));
        let mut text = String::new();
        let mut begins = Vec::new();
        for line in first..=last {
            begins.push(base + text.len());
            match marks.iter().find(|mark| mark.line == line) {
                Some(mark) => text.push_str(&mark.text),
                None => {
                    let between = sources.line(&file, line).unwrap_or_default();
                    let count = between.chars().count();
                    text.push_str(&cut(between, &(0..count.min(WIDTH_MAX)), 0..0, count).0);
                }
            }
            text.push('\n');
        }
        let underline = |mark: Mark| {
            let begin = begins.get(mark.line - first).copied().unwrap_or(base);
            Underline {
                bytes: begin + mark.bytes.start..begin + mark.bytes.end,
                line: mark.line,
                column: mark.column,
                label: mark.label,
                primary: mark.primary,
            }
        };
        let marks = marks.into_iter().map(underline).collect();
        self.pieces.push(Piece { file: path, line: first, text, base, marks });
    }

    /// Whether there is nothing to show.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// What is underlined, with its label.
    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        self.pieces.iter().flat_map(|piece| &piece.marks).map(|mark| {
            let label = (!mark.label.is_empty()).then(|| mark.label.clone());
            match mark.primary {
                true => LabeledSpan::new_primary_with_span(label, mark.bytes.clone()),
                false => LabeledSpan::new_with_span(label, mark.bytes.clone()),
            }
        })
    }
}

impl SourceCode for Excerpt {
    /// With context the whole piece, without it the very span.
    ///
    /// # Errors
    /// [`MietteError::OutOfBounds`] when no single piece holds the span.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let bytes = span.offset()..span.offset().saturating_add(span.len());
        let holds = |piece: &&Piece| piece.base <= bytes.start && bytes.end <= piece.base + piece.text.len();
        let piece = self.pieces.iter().find(holds).ok_or(MietteError::OutOfBounds)?;
        let name = piece.file.clone();
        let whole = SourceSpan::from(piece.base..piece.base + piece.text.len());
        let contents = match piece.marks.iter().find(|mark| before == 0 && mark.bytes == bytes) {
            Some(mark) => {
                let data = piece.text.get(bytes.start - piece.base..bytes.end - piece.base);
                let data = data.unwrap_or_default().as_bytes();
                MietteSpanContents::new_named(name, data, *span, mark.line - 1, mark.column, 1)
            }
            None => {
                let data = piece.text.as_bytes();
                let count = piece.text.matches('\n').count();
                MietteSpanContents::new_named(name, data, whole, piece.line - 1, 0, count)
            }
        };
        Ok(Box::new(contents))
    }
}
