//! The clause files given to the policy, and what it says of them.

use std::collections::BTreeMap;

use super::header::ClauseText;
use super::source::{Faults, Source};
use crate::diagnostic::{Code, Diagnostic};
use crate::policy::Policy;

/// Reads, types and compiles the clause files into the policy, and tells what it found.
pub(super) fn compile(files: &[ClauseText<'_>], policy: &mut Policy, faults: &mut Faults) {
    let mut places: BTreeMap<&str, u16> = BTreeMap::new();
    for (place, file) in files.iter().enumerate() {
        let dates = [&file.header.from, &file.header.until].map(|date| date.as_ref().map(|date| date.value));
        let told = policy.add(file.carries().to_owned(), file.path.to_owned(), file.text, dates);
        for diagnostic in allowed(told, file, faults) {
            tell(diagnostic, file.text, faults);
        }
        if let Ok(place) = u16::try_from(place) {
            places.entry(file.carries()).or_insert(place);
        }
    }
    for (clause, file) in policy.clauses.iter_mut().zip(files) {
        let over = file.header.overrides.iter().filter_map(|named| places.get(named.value.as_str()).copied());
        clause.overrides.extend(over);
    }
    let unread = policy.clauses.iter().any(|clause| clause.is_unread());
    for diagnostic in policy.finish() {
        // A file that cannot be read may be the one with the floor.
        if !(unread && diagnostic.code == Code::FLOOR && diagnostic.related.is_empty()) {
            faults.tell(diagnostic);
        }
    }
}

/// What remains when the warnings that a file allows are taken away; an `allow` that takes none away is told.
fn allowed(told: Vec<Diagnostic>, file: &ClauseText<'_>, faults: &mut Faults) -> Vec<Diagnostic> {
    for (line, code, _) in &file.header.allow {
        if !told.iter().any(|diagnostic| diagnostic.code == *code) {
            let source = Source::new(file.path, file.text);
            let text = line.checked_sub(1).and_then(|i| file.text.lines().nth(i)).unwrap_or("");
            let named = text.find(code.name()).and_then(|at| text.get(at..at + code.name().len()));
            let place = source.part(named.unwrap_or(text));
            let message = format!("`allow` names `{}`, of which there is none in this file", code.name());
            faults.tell(Diagnostic::new(Code::ALLOW, place, message).help("leave the line out"));
        }
    }
    let allows = |code: Code| file.header.allow.iter().any(|(_, allowed, _)| *allowed == code);
    told.into_iter().filter(|diagnostic| diagnostic.is_error() || !allows(diagnostic.code)).collect()
}

/// Tells what the policy found, unless it comes of what is told already.
fn tell(diagnostic: Diagnostic, text: &str, faults: &mut Faults) {
    if !follows(&diagnostic, text, faults) {
        faults.tell(diagnostic);
    }
}

/// Whether a diagnostic of a script comes of a name or a file that could not be read.
fn follows(diagnostic: &Diagnostic, text: &str, faults: &Faults) -> bool {
    let of_pack = [
        Code::UNKNOWN_FACT,
        Code::UNKNOWN_VALUE,
        Code::UNKNOWN_EVENT,
        Code::UNKNOWN_CALENDAR,
        Code::UNKNOWN_ROLE,
        Code::UNKNOWN_CHANNEL,
    ];
    let code = diagnostic.code;
    let of_types = code.name().starts_with("E02") || code.name().starts_with("E03");
    let of_names = of_pack.contains(&code) || code == Code::UNKNOWN_TERM;
    if !of_names && !of_types {
        return false;
    }
    let (pack, terms) = (faults.doubted("pack.toml"), faults.doubted("terms.toml"));
    if (pack && (of_types || of_pack.contains(&code))) || (terms && (of_types || code == Code::UNKNOWN_TERM))
    {
        return true;
    }
    let place = &diagnostic.place;
    let line = place.line.checked_sub(1).and_then(|i| text.lines().nth(i)).unwrap_or("");
    let shown: String = line.chars().skip(place.column.saturating_sub(1)).take(place.length).collect();
    shown.split(|c: char| !c.is_alphanumeric() && c != '_').any(|name| faults.doubted(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn what_comes_of_an_unread_name_or_file_is_not_told_again() {
        let text = "fn applies(ticket) { ticket.紧急 == \"x\" }";
        let at = |code| {
            let place = Place { column: 29, length: 2, ..Place::line("clauses/1.rhai", 1) };
            Diagnostic::new(code, place, "")
        };
        for (doubt, code, expected) in [
            ("", Code::UNKNOWN_FACT, false),
            ("紧急", Code::UNKNOWN_FACT, true),
            ("紧急", Code::COMPARISON, true),
            ("紧", Code::UNKNOWN_FACT, false),
            ("紧急", Code::LOOP, false),
            ("pack.toml", Code::UNKNOWN_FACT, true),
            ("pack.toml", Code::UNKNOWN_TERM, false),
            ("pack.toml", Code::SYNTAX, false),
            ("terms.toml", Code::UNKNOWN_TERM, true),
            ("terms.toml", Code::UNKNOWN_FACT, false),
        ] {
            let mut faults = Faults::default();
            faults.doubt(doubt);
            assert_eq!(follows(&at(code), text, &faults), expected, "{doubt} {code}");
        }
    }
}
