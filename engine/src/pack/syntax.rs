//! Text that is not TOML, told so that its author finds it.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::{Faults, Source, TOLD_MAX};
use crate::diagnostic::{Code, Diagnostic, Place, confusable};

/// Reads a text as TOML. What cannot be read is told, and nothing is given.
///
/// After a mistake the reader stumbles on what was right. So every table is read by itself as well, and of each the first
/// mistake is told that the whole text has too.
pub(super) fn parse<'t>(source: &Source<'t>, faults: &mut Faults) -> Option<Spanned<DeTable<'t>>> {
    let (table, errors) = DeTable::parse_recoverable(source.text);
    if errors.is_empty() {
        return Some(table);
    }
    let line = |at: usize| source.place(at..at).line;
    let mut whole: Vec<(Range<usize>, &str)> =
        errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    whole.sort_by_key(|(span, _)| span.start);
    let lines: BTreeSet<usize> = whole.iter().map(|(span, _)| line(span.start)).collect();
    let unclosed = |words: &str| {
        (words.starts_with("unclosed") || words.starts_with("invalid multi-line"))
            && whole.iter().any(|(_, other)| *other == words)
    };
    let mut told: Vec<(Range<usize>, String)> = Vec::new();
    let parts = tables(source.text);
    for part in &parts {
        let text = source.text.get(part.clone()).unwrap_or("");
        let (_, errors) = DeTable::parse_recoverable(text);
        let first = errors.iter().filter_map(|error| Some((error.span()?, error.message())));
        let Some((span, words)) = first.min_by_key(|(span, _)| span.start) else { continue };
        // What is not closed is told at the end of its table, not below it.
        let end = text.trim_end().len();
        let span = part.start + span.start.min(end)..part.start + span.end.min(end);
        if !is_twice(words) && (lines.contains(&line(span.start)) || unclosed(words)) {
            told.push((span, words.to_owned()));
        }
        if told.len() >= TOLD_MAX {
            break;
        }
    }
    // After any other mistake keys may seem to stand twice; in a table that does, all keys do.
    let mut header = None;
    for (span, words) in whole.iter().take_while(|(_, words)| is_twice(words)).take(TOLD_MAX) {
        let part = parts.partition_point(|part| part.start <= span.start).checked_sub(1);
        let begin = part.and_then(|part| parts.get(part)).map_or(0, |part| part.start);
        if header != Some(begin) {
            told.push((span.clone(), (*words).to_owned()));
        }
        if line(begin) == line(span.start) {
            header = Some(begin);
        }
    }
    if told.is_empty() {
        told.extend(whole.first().map(|(span, words)| (span.clone(), (*words).to_owned())));
    }
    for (span, words) in told {
        let place = source.place(span.clone());
        faults.tell(unreadable(source, table.get_ref(), span, words.replace('\n', " "), place));
    }
    None
}

fn is_twice(words: &str) -> bool {
    words.starts_with("duplicate key")
}

/// The parts of a text from one `[header]` at the beginning of a line to the next.
fn tables(text: &str) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    starts.extend(text.match_indices("\n[").map(|(at, _)| at + 1));
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// What the TOML reader stumbled on, in words that help.
fn unreadable(
    source: &Source<'_>,
    table: &DeTable<'_>,
    span: Range<usize>,
    words: String,
    place: Place,
) -> Diagnostic {
    let at = source.text.get(span.clone()).unwrap_or("");
    if is_twice(&words) {
        let first = last_before(table, at, span.start).or_else(|| same_header(source.text, span.start));
        let told = Diagnostic::new(Code::TOML, place, format!("`{at}` stands twice")).label("given again");
        return match first {
            Some(first) => told.related(source.place(first), "it stands here first"),
            None => told,
        };
    }
    if words.starts_with("invalid unquoted key") && !at.is_ascii() {
        let start = source.text.get(..span.start).unwrap_or("");
        let start = start.rfind(|c: char| !is_name(c)).map_or(0, |i| i + 1);
        let name = source.text.get(start..).unwrap_or("");
        let name = name.get(..name.find(|c: char| !is_name(c)).unwrap_or(name.len())).unwrap_or("");
        let why = confusable(name).map(|why| format!("; {why}")).unwrap_or_default();
        let message = format!("`{name}` cannot stand without quotes: expected `\"{name}\"`{why}");
        let told = Diagnostic::new(Code::TOML, source.place(start..start + name.len()), message);
        return told.help("only a to z, 0 to 9, `-` and `_` stand without quotes");
    }
    Diagnostic::new(Code::TOML, place, words)
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '-'
}

/// The name in an earlier line that is the same table's header.
fn same_header(text: &str, at: usize) -> Option<Range<usize>> {
    let begin = text.get(..at)?.rfind('\n').map_or(0, |i| i + 1);
    let line = text.get(begin..)?.lines().next()?;
    let bare = |line: &str| line.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let header = bare(line);
    let mut start = 0;
    for earlier in text.get(..begin)?.split_inclusive('\n') {
        if header.starts_with('[') && bare(earlier) == header {
            let end = earlier.trim_end().trim_end_matches(']').trim_end().len();
            let name = earlier.get(..end)?.rfind(['.', '[']).map_or(0, |i| i + 1);
            return Some(start + name..start + end);
        }
        start += earlier.len();
    }
    None
}

/// The last key of this name before a place: the first side of a duplicate.
fn last_before(table: &DeTable<'_>, name: &str, before: usize) -> Option<Range<usize>> {
    let mut found: Option<Range<usize>> = None;
    for (key, value) in table {
        let own = (key.get_ref().as_ref() == name.trim_matches(['"', '\''])).then(|| key.span());
        for span in own.into_iter().chain(within(value.get_ref(), name, before)) {
            if span.start < before && found.as_ref().is_none_or(|found| found.start < span.start) {
                found = Some(span);
            }
        }
    }
    found
}

fn within(value: &DeValue<'_>, name: &str, before: usize) -> Option<Range<usize>> {
    match value {
        DeValue::Table(table) => last_before(table, name, before),
        DeValue::Array(items) => {
            items.iter().filter_map(|item| within(item.get_ref(), name, before)).max_by_key(|span| span.start)
        }
        _ => None,
    }
}
