//! The `//! name: value` lines at the head of a clause file.

use chrono::NaiveDate;

use super::source::{At, Faults, Source};
use crate::diagnostic::{CODES, Code, Diagnostic, Place, Severity};
use crate::nearest::hint;

const HEADERS: [&str; 6] = ["clause", "overrides", "from", "until", "cap", "allow"];

/// Longer heads, and longer lines of a head, are not read.
const LINES_MAX: usize = 100;
const LINE_BYTES_MAX: usize = 4_096;

/// What the head of a clause file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    pub(crate) clause: Option<At<String>>,
    /// The clauses whose decisions this one wins over.
    pub(crate) overrides: Vec<At<String>>,
    /// The first local date on which the clause is in force.
    pub(crate) from: Option<At<NaiveDate>>,
    /// The first local date on which it is no longer.
    pub(crate) until: Option<At<NaiveDate>>,
    /// The term that the penalty of one breach may never exceed.
    pub(crate) cap: Option<At<String>>,
    /// Warnings that are silenced in the file: the line, the code, the reason.
    pub(crate) allow: Vec<(usize, Code, String)>,
}

/// A clause file of a pack, its head read.
#[derive(Debug)]
pub(crate) struct ClauseText<'t> {
    pub(crate) path: &'t str,
    pub(crate) text: &'t str,
    pub(crate) header: Header,
}

impl ClauseText<'_> {
    /// The clause it carries: what its head says, else what its file is called.
    pub(super) fn carries(&self) -> &str {
        let named = self.path.rsplit('/').next().and_then(|name| name.strip_suffix(".rhai"));
        self.header.clause.as_ref().map_or(named.unwrap_or(""), |clause| &clause.value)
    }
}

/// Reads the head of a clause file.
pub(super) fn header(source: &Source<'_>, faults: &mut Faults) -> Header {
    let mut header = Header::default();
    let mut seen: Vec<(&str, Place)> = Vec::new();
    let mut lines = source.text.lines().peekable();
    let mut count = 0;
    while let Some(line) = lines.next_if(|line| line.starts_with("//!")) {
        count += 1;
        if count > LINES_MAX || line.len() > LINE_BYTES_MAX {
            let message = format!(
                "a head of more than {LINES_MAX} lines, or a line of more than {LINE_BYTES_MAX} bytes: expected less"
            );
            faults.add(Code::HEADER, source.part(line), message);
            return header;
        }
        let Some((name, value)) = split(line) else { continue };
        if !HEADERS.contains(&name) {
            let near = hint(name, HEADERS);
            let expected = if near.is_empty() { format!("; expected {}", HEADERS.join(", ")) } else { near };
            let message = format!("unknown header `{name}`{expected}");
            faults.tell(Diagnostic::new(Code::HEADER, source.part(name), message).label("no such header"));
            continue;
        }
        let repeats = name != "overrides" && name != "allow";
        if let Some((_, first)) = seen.iter().find(|(known, _)| repeats && *known == name) {
            let message = format!("the header `{name}` stands twice: expected it once");
            let told = Diagnostic::new(Code::HEADER, source.part(name), message);
            faults.tell(told.related(first.clone(), "it stands here first"));
            continue;
        }
        seen.push((name, source.part(name)));
        let Some(value) = value else {
            let message = format!("`：` is a full-width colon: expected `//! {name}: ...`");
            let colon = line.find('：').and_then(|at| line.get(at..at + '：'.len_utf8()));
            let place = source.part(colon.unwrap_or(line));
            faults.tell(Diagnostic::new(Code::HEADER, place, message).label("expected `:`"));
            continue;
        };
        if value.is_empty() {
            let message = format!("the header `{name}` is empty: expected {}", expected(name));
            faults.add(Code::HEADER, source.part(name), message);
            continue;
        }
        take(&mut header, name, value, source, faults);
    }
    let clause_tried = seen.iter().any(|(name, _)| *name == "clause");
    let misplaced = below(source, lines, faults);
    if !clause_tried && !misplaced.contains(&"clause") {
        let place = source.part(source.text.lines().next().unwrap_or(""));
        let message = "the first line must say which clause it carries: `//! clause: 1.2`";
        faults.tell(Diagnostic::new(Code::HEADER, place, message).label("expected `//! clause: ...`"));
    }
    if let (Some(from), Some(until)) = (&header.from, &header.until)
        && from.value >= until.value
    {
        let what = if from.value == until.value { "empty" } else { "reversed" };
        let message = format!(
            "the clause never applies: from {} until {} is {what} (`until` is the first day on which it no \
             longer holds)",
            from.value, until.value
        );
        let told = Diagnostic::new(Code::UNUSED_CLAUSE, until.place.clone(), message);
        faults.tell(told.related(from.place.clone(), "it holds from here"));
    }
    header
}

/// `//! name: value` as both, without the blanks around them; nothing for a remark, and no value after a full-width
/// colon.
fn split(line: &str) -> Option<(&str, Option<&str>)> {
    let rest = line.strip_prefix("//!")?;
    match (rest.split_once(':'), rest.split_once('：')) {
        (Some((name, value)), _) => Some((name.trim(), Some(value.trim()))),
        (None, Some((name, _))) => Some((name.trim(), None)).filter(|(name, _)| HEADERS.contains(name)),
        (None, None) => None,
    }
}

fn expected(name: &str) -> &'static str {
    match name {
        "clause" => "a clause of contract.md, such as `//! clause: 1.2`",
        "overrides" => "clauses, such as `//! overrides: 1.2, 1.3`",
        "cap" => "a term of money, such as `//! cap: penalty_cap`",
        "allow" => "a warning and the reason, such as `//! allow: W0904 the number is the law's`",
        _ => "a date such as 2026-01-15",
    }
}

fn take(header: &mut Header, name: &str, value: &str, source: &Source<'_>, faults: &mut Faults) {
    let text = || Some(At { value: value.to_owned(), place: source.part(value) });
    match name {
        "clause" => header.clause = text(),
        "cap" => header.cap = text(),
        "from" => header.from = date(value, source, faults),
        "until" => header.until = date(value, source, faults),
        "overrides" => {
            for id in value.split(',').map(str::trim) {
                if id.is_empty() {
                    let message = "a clause is missing between the commas of `overrides`";
                    faults.add(Code::HEADER, source.part(value), message);
                } else {
                    header.overrides.push(At { value: id.to_owned(), place: source.part(id) });
                }
            }
        }
        _ => allow(header, value, source, faults),
    }
}

fn date(value: &str, source: &Source<'_>, faults: &mut Faults) -> Option<At<NaiveDate>> {
    let read = value.parse().ok().filter(|_| value.len() == "2026-01-15".len());
    if read.is_none() {
        let message = format!("`{value}` is not a date such as 2026-01-15");
        faults.tell(Diagnostic::new(Code::HEADER, source.part(value), message).label("no date"));
    }
    read.map(|value_read| At { value: value_read, place: source.part(value) })
}

/// `W0904 the reason`
fn allow(header: &mut Header, value: &str, source: &Source<'_>, faults: &mut Faults) {
    let (name, reason) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let place = source.part(name);
    let code = match Code::named(name) {
        None => {
            let near = hint(name, CODES.iter().map(|code| code.name()));
            let message = format!("`allow` names `{name}`, which is no code{near}");
            return faults.tell(Diagnostic::new(Code::ALLOW, place, message).label("no such code"));
        }
        Some(code) if code.severity() == Severity::Error => {
            let message = format!("`{code}` is an error ({}): only warnings can be allowed", code.title());
            return faults.tell(Diagnostic::new(Code::ALLOW, place, message).label("an error"));
        }
        Some(code) => code,
    };
    if reason.trim().is_empty() {
        let message =
            format!("`allow: {code}` without a reason: expected why the warning does not matter here");
        return faults.tell(Diagnostic::new(Code::ALLOW, place, message).label("no reason follows"));
    }
    if header.allow.iter().any(|(_, known, _)| *known == code) {
        let message = format!("`{code}` is allowed twice");
        return faults.tell(Diagnostic::new(Code::ALLOW, place, message).label("allowed before"));
    }
    header.allow.push((place.line, code, reason.trim().to_owned()));
}

/// Header lines that stand below the head, where nothing reads them.
fn below<'t>(source: &Source<'t>, lines: impl Iterator<Item = &'t str>, faults: &mut Faults) -> Vec<&'t str> {
    let mut found = Vec::new();
    for line in lines {
        if !faults.room(source.file) {
            break;
        }
        let named = line.trim_start().strip_prefix("//!").and_then(|rest| rest.split_once(':'));
        if let Some(name) = named.map(|(name, _)| name.trim()).filter(|name| HEADERS.contains(name)) {
            let message = format!(
                "the header `{name}` stands below other text: headers are the first lines of the file"
            );
            faults.tell(Diagnostic::new(Code::HEADER, source.part(name), message).label("not read here"));
            found.push(name);
        }
    }
    found
}
