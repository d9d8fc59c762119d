//! Terms and facts that no clause reads: often the mark of a clause that reads the wrong one.

use std::collections::BTreeMap;

use super::header::ClauseText;
use super::source::{Faults, Source};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::policy::Policy;

/// Tells of terms and facts that nothing reads. `read_by_pack` are the terms that pack.toml names.
pub(super) fn unused(
    policy: &Policy,
    files: &[ClauseText<'_>],
    read_by_pack: &[Option<usize>],
    texts: &BTreeMap<String, String>,
    faults: &mut Faults,
) {
    // What a file that cannot be read names is not known.
    if policy.clauses.iter().any(|clause| clause.is_unread()) || faults.any_error() {
        return;
    }
    let names = policy.names();
    let caps: Vec<&str> =
        files.iter().filter_map(|file| file.header.cap.as_ref()).map(|cap| cap.value.as_str()).collect();
    for (place, term) in policy.words.terms.list.iter().enumerate() {
        let named = names.terms().any(|read| read == place)
            || read_by_pack.contains(&Some(place))
            || caps.iter().any(|cap| *cap == &*term.name || term.zh.as_deref() == Some(cap));
        if !named {
            let at = declared("terms.toml", texts, "[", &term.name);
            let message = format!("no clause reads the term `{}`", term.name);
            faults.tell(Diagnostic::new(Code::UNUSED_TERM, at, message).label("never read"));
        }
    }
    for (place, fact) in policy.words.schema.facts.iter().enumerate() {
        if !names.inputs().any(|read| read == place) {
            let at = declared("pack.toml", texts, "[facts.", &fact.name);
            let message = format!("no clause reads the fact `{}`", fact.name);
            faults.tell(Diagnostic::new(Code::UNUSED_FACT, at, message).label("never read"));
        }
    }
}

/// Where a name stands in the head of its table.
fn declared(file: &str, texts: &BTreeMap<String, String>, before: &str, name: &str) -> Place {
    let Some(text) = texts.get(file) else { return Place::file(file) };
    let source = Source::new(file, text);
    let head = |line: &&str| {
        let rest = line.trim_start().strip_prefix(before).and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.trim_start().starts_with(']'))
    };
    let Some(line) = text.lines().find(head) else { return Place::file(file) };
    let at = line.find(name).unwrap_or(0);
    source.part(line.get(at..at + name.len()).unwrap_or(line))
}
