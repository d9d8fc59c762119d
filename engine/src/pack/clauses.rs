//! The clauses of contract.md, what carries each, and which wins over which.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::file::PackToml;
use super::header::ClauseText;
use super::load::Files;
use super::names;
use super::source::{At, Faults, Source};
use super::terms::TermList;
use super::{Carried, ClauseEntry};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::{hint, nearest};

/// Clauses of a contract.
const CLAUSES_MAX: usize = 2_000;
/// So many clauses are searched for rings.
const RINGS_MAX: usize = 100;

/// A numbered heading of contract.md.
pub(super) struct Heading {
    id: At<String>,
    title: String,
}

/// What carries a clause, and where it says so.
struct Carrier<'c> {
    clause: &'c str,
    /// Nothing when the file does not say it and its name is taken for it.
    place: Option<&'c Place>,
    carried: Carried,
}

/// The numbered headings of contract.md, in their order; those in code blocks are examples.
pub(super) fn headings(source: &Source<'_>, faults: &mut Faults) -> Vec<Heading> {
    let mut list: Vec<Heading> = Vec::new();
    let mut known: BTreeMap<String, Place> = BTreeMap::new();
    let mut fenced = false;
    for line in source.text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let Some((id, title)) = heading(line).filter(|_| !fenced) else { continue };
        if !faults.room(source.file) {
            break;
        }
        let place = source.part(id);
        if let Some(first) = known.get(id) {
            let message = format!("clause `{id}` stands twice");
            let told = Diagnostic::new(Code::CLAUSE_TWICE, place, message).label("this number again");
            faults.tell(told.related(first.clone(), "it stands here first"));
            continue;
        }
        if list.len() >= CLAUSES_MAX {
            let message = format!("more than {CLAUSES_MAX} numbered headings: a pack has at most so many");
            faults.add(Code::FILE, place, message);
            break;
        }
        known.insert(id.to_owned(), place.clone());
        let id = At { value: id.to_owned(), place };
        names::spelling(&id, faults);
        list.push(Heading { id, title: title.to_owned() });
    }
    list
}

/// `## [1.5(1)] Emergency service` as id and title.
fn heading(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix('#')?.trim_start_matches('#').trim_start().strip_prefix('[')?;
    let (id, title) = rest.split_once(']')?;
    (!id.trim().is_empty()).then_some((id.trim(), title.trim()))
}

/// The clauses of the contract, each carried exactly once.
pub(super) fn entries(
    headings: &[Heading],
    files: &[ClauseText<'_>],
    pack: &PackToml,
    of_roster: Option<&At<String>>,
    all: &Files<'_>,
    faults: &mut Faults,
) -> Vec<ClauseEntry> {
    let mut carriers = carriers(files, pack);
    carriers.extend(of_roster.map(|clause| Carrier {
        clause: &clause.value,
        place: Some(&clause.place),
        carried: Carried::File(clause.place.file.clone()),
    }));
    let mut by_clause: BTreeMap<&str, Vec<&Carrier<'_>>> = BTreeMap::new();
    for carrier in &carriers {
        by_clause.entry(carrier.clause).or_default().push(carrier);
    }
    let known: BTreeSet<&str> = headings.iter().map(|heading| heading.id.value.as_str()).collect();
    // A clause that a misspelt carrier was meant for is not told as carried by nothing.
    let mut excused: BTreeSet<&str> = BTreeSet::new();
    for carrier in &carriers {
        let Some(place) = carrier.place else { continue };
        if known.contains(carrier.clause) || !faults.room(&place.file) {
            continue;
        }
        let meant = known.iter().copied().filter(|id| !by_clause.contains_key(id));
        excused.extend(nearest(carrier.clause, meant).filter(|_| tells(carrier.clause)));
        let near = near(carrier.clause, headings);
        unknown(None, carrier.clause, &near, place, faults);
    }
    for file in files {
        let named = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".rhai"));
        excused.extend(named.filter(|named| {
            let says = file.header.clause.as_ref().map(|clause| clause.value.as_str());
            says.is_none_or(|says| !known.contains(says) && says != *named)
        }));
    }
    for path in all.unread.keys().filter(|path| path.ends_with(".rhai")) {
        excused.extend(path.rsplit('/').next().and_then(|name| name.strip_suffix(".rhai")));
    }
    let silent = faults.doubted("pack.toml") || faults.doubted("clauses");
    let mut entries = Vec::new();
    for heading in headings {
        let id = &heading.id;
        let Some((first, others)) = by_clause.get(id.value.as_str()).and_then(|by| by.split_first()) else {
            if !excused.contains(id.value.as_str()) && !silent {
                uncarried(id, &pack.clauses.value, faults);
            }
            continue;
        };
        for second in others {
            twice(&id.value, first, second, faults);
        }
        let (id, title) = (id.value.clone(), heading.title.clone());
        entries.push(ClauseEntry { id, title, carried: first.carried.clone() });
    }
    entries
}

fn carriers<'c>(files: &'c [ClauseText<'_>], pack: &'c PackToml) -> Vec<Carrier<'c>> {
    let mut carriers = Vec::new();
    for file in files {
        let place = file.header.clause.as_ref().map(|clause| &clause.place);
        let carried = Carried::File(file.path.to_owned());
        carriers.push(Carrier { clause: file.carries(), place, carried });
    }
    for entry in &pack.manual {
        let carried = Carried::Manual(entry.reason.clone());
        carriers.push(Carrier { clause: &entry.clause.value, place: Some(&entry.clause.place), carried });
    }
    for entry in &pack.later {
        let carried = Carried::Later(entry.reason.clone());
        carriers.push(Carrier { clause: &entry.clause.value, place: Some(&entry.clause.place), carried });
    }
    carriers
}

fn uncarried(id: &At<String>, folder: &str, faults: &mut Faults) {
    let message = format!("clause `{}` is carried by no file and not listed as manual or later", id.value);
    let help = format!(
        "write {folder}/{}.rhai with `//! clause: {}`, or list it in pack.toml under `[[manual]]` or `[[later]]`",
        id.value, id.value
    );
    let told = Diagnostic::new(Code::CLAUSE_UNCARRIED, id.place.clone(), message);
    faults.tell(told.label("nothing carries it").help(help));
}

fn twice(id: &str, first: &Carrier<'_>, second: &Carrier<'_>, faults: &mut Faults) {
    let say = |carrier: &Carrier<'_>| match &carrier.carried {
        Carried::File(file) => format!("by {file}"),
        Carried::Manual(_) => "by people (`[[manual]]` in pack.toml)".to_owned(),
        Carried::Later(_) => "later (`[[later]]` in pack.toml)".to_owned(),
    };
    let place = |carrier: &Carrier<'_>| match (&carrier.carried, carrier.place) {
        (_, Some(place)) => place.clone(),
        (Carried::File(file), None) => Place::file(file),
        (_, None) => Place::file("pack.toml"),
    };
    let message = format!("clause `{id}` is carried twice: {} and {}", say(first), say(second));
    let told = Diagnostic::new(Code::CLAUSE_TWICE, place(second), message).label("carried already");
    faults.tell(told.related(place(first), "the first to carry it"));
}

/// Whether a number is long enough to be told from its neighbours.
fn tells(id: &str) -> bool {
    id.chars().count() > 2
}

/// The clause that was meant, most likely.
fn near(id: &str, headings: &[Heading]) -> String {
    let known = headings.iter().map(|heading| heading.id.value.as_str()).filter(|_| tells(id));
    hint(id, known)
}

/// Tells a clause that contract.md does not have.
fn unknown(what: Option<&str>, clause: &str, near: &str, place: &Place, faults: &mut Faults) {
    let what = what.map(|what| format!("{what}: ")).unwrap_or_default();
    let message = format!("{what}contract.md has no clause `{clause}`{near}");
    let help =
        format!("add a heading such as `## [{clause}] ...` to contract.md, or name one that stands there");
    let told = Diagnostic::new(Code::CLAUSE_UNKNOWN, place.clone(), message);
    faults.tell(told.label("no such heading").help(help));
}

/// Terms name clauses of contract.md.
pub(super) fn of_terms(headings: &[Heading], terms: &TermList, faults: &mut Faults) {
    let known: BTreeSet<&str> = headings.iter().map(|heading| heading.id.value.as_str()).collect();
    for (name, places) in &terms.places {
        let clause = &places.clause;
        if !known.contains(clause.value.as_str()) && faults.room(&clause.place.file) {
            let near = near(&clause.value, headings);
            unknown(Some(&format!("term `{name}`")), &clause.value, &near, &clause.place, faults);
        }
    }
}

/// Checks who wins over whom: every clause named is carried by another file, and nobody wins over himself in the end.
pub(super) fn overrides(files: &[ClauseText<'_>], pack: &PackToml, faults: &mut Faults) {
    let mut place_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, file) in files.iter().enumerate() {
        place_of.entry(file.carries()).or_insert(i);
    }
    let mut edges: Vec<Vec<(usize, &At<String>)>> = Vec::new();
    for (i, file) in files.iter().enumerate() {
        let mut own: BTreeMap<usize, &At<String>> = BTreeMap::new();
        for named in &file.header.overrides {
            let id = named.value.as_str();
            let refuse = |message: String, label: &str| {
                Diagnostic::new(Code::OVERRIDES, named.place.clone(), message).label(label)
            };
            match place_of.get(id).copied() {
                Some(other) if other == i => {
                    faults.tell(refuse(format!("clause `{id}` overrides itself"), "this file's own clause"));
                }
                Some(other) => match own.get(&other) {
                    Some(first) => {
                        let told = refuse(format!("`overrides` names `{id}` twice"), "named before");
                        faults.tell(told.related(first.place.clone(), "it stands here first"));
                    }
                    None => {
                        own.insert(other, named);
                    }
                },
                None if !faults.room(file.path) => {}
                None => {
                    let by_people =
                        pack.manual.iter().chain(&pack.later).any(|entry| entry.clause.value == id);
                    let near = hint(id, files.iter().map(ClauseText::carries));
                    let why = if by_people { ": pack.toml lists it without a file" } else { &near };
                    let message = format!("`overrides` names `{id}`, which no file carries{why}");
                    faults.tell(refuse(message, "carried by no file"));
                }
            }
        }
        edges.push(own.into_iter().collect());
    }
    cycles(files, &edges, faults);
}

/// Tells each ring of clauses once, at its first file.
fn cycles(files: &[ClauseText<'_>], edges: &[Vec<(usize, &At<String>)>], faults: &mut Faults) {
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for start in on_rings(edges).into_iter().take(RINGS_MAX) {
        if told.contains(&start) {
            continue;
        }
        let Some(ring) = shortest_ring(start, edges) else { continue };
        told.extend(ring.iter().map(|(from, _)| *from));
        let names: Vec<&str> = ring
            .iter()
            .map(|(from, _)| *from)
            .chain([start])
            .filter_map(|i| files.get(i).map(ClauseText::carries))
            .collect();
        let message = format!("`overrides` goes in a ring: {}", names.join(" overrides "));
        let Some((_, first)) = ring.first() else { continue };
        let mut diagnostic = Diagnostic::new(Code::OVERRIDES, first.place.clone(), message)
            .label("wins over it here")
            .help("take one of them out: of two clauses one decides");
        for (_, other) in ring.iter().skip(1) {
            diagnostic = diagnostic.related(other.place.clone(), format!("wins over `{}` here", other.value));
        }
        faults.tell(diagnostic);
    }
}

/// What is left when those that win over nobody are taken away, again and again: clauses on rings or leading to one.
fn on_rings(edges: &[Vec<(usize, &At<String>)>]) -> Vec<usize> {
    let mut wins: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut winners_over: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (from, own) in edges.iter().enumerate() {
        for (to, _) in own {
            if let Some(list) = winners_over.get_mut(*to) {
                list.push(from);
            }
        }
    }
    let mut done: Vec<usize> = (0..edges.len()).filter(|i| wins.get(*i) == Some(&0)).collect();
    while let Some(last) = done.pop() {
        for before in winners_over.get(last).into_iter().flatten() {
            if let Some(left) = wins.get_mut(*before) {
                *left -= 1;
                if *left == 0 {
                    done.push(*before);
                }
            }
        }
    }
    (0..edges.len()).filter(|i| wins.get(*i).is_some_and(|left| *left > 0)).collect()
}

/// The shortest way from a clause back to itself: who names whom.
fn shortest_ring<'e>(
    start: usize,
    edges: &[Vec<(usize, &'e At<String>)>],
) -> Option<Vec<(usize, &'e At<String>)>> {
    let mut came: BTreeMap<usize, (usize, &At<String>)> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(from) = next.pop_front() {
        for (to, named) in edges.get(from).into_iter().flatten() {
            if *to == start {
                let mut ring = vec![(from, *named)];
                let mut at = from;
                while at != start {
                    let (before, named) = *came.get(&at)?;
                    ring.push((before, named));
                    at = before;
                }
                ring.reverse();
                return Some(ring);
            }
            if !came.contains_key(to) {
                came.insert(*to, (from, *named));
                next.push_back(*to);
            }
        }
    }
    None
}
