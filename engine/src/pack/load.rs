//! Files into a [`Pack`], collecting every fault instead of stopping at the first.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rhai::ImmutableString;

use super::calendars::calendars;
use super::file::{FactEntry, PackFile, ReasonEntry};
use super::{Carried, ClauseEntry, Pack, PackError, PackFault};
use crate::event::{CONTRACT_KINDS, Event, Kinds, TICKET_DATA, TICKET_KINDS};
use crate::nearest::hint;
use crate::policy::{Policy, WIDTH, Words};
use crate::terms::{Terms, TermsFile};
use crate::ticket::{Fact, FactType, Schema};
use crate::{Calendar, Currency};

/// Where a pack keeps its clause files.
const CLAUSE_FOLDER: &str = "clauses/";
const FORMAT: u32 = 1;

/// The faults found so far.
#[derive(Default)]
pub(super) struct Faults(Vec<PackFault>);

impl Faults {
    pub(super) fn add(&mut self, file: &str, line: usize, message: impl Into<String>) {
        self.0.push(PackFault { file: file.to_owned(), line, column: 0, message: message.into() });
    }

    /// Adds what went wrong and gives back what went well.
    pub(super) fn keep<T, E: ToString>(
        &mut self,
        file: &str,
        line: usize,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(file, line, error.to_string())).ok()
    }
}

pub(crate) fn load(
    files: BTreeMap<String, String>,
    overrides: Vec<(String, String)>,
) -> Result<Pack, PackError> {
    let mut faults = Faults::default();
    match build(files, overrides, &mut faults) {
        Some(pack) if faults.0.is_empty() => Ok(pack),
        _ => {
            faults.0.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
            Err(PackError(faults.0))
        }
    }
}

fn build(
    files: BTreeMap<String, String>,
    overrides: Vec<(String, String)>,
    faults: &mut Faults,
) -> Option<Pack> {
    let text = files.get("pack.toml").map(String::as_str);
    let Some(text) = text else {
        faults.add("pack.toml", 0, "is missing: a pack is a folder with pack.toml, contract.md and clauses/");
        return None;
    };
    let file: PackFile = parse(text, "pack.toml", faults)?;
    let at = |key: &str| line_of(text, key);
    if file.format != FORMAT {
        let message = format!("`format` is {}: this program reads {FORMAT}", file.format);
        faults.add("pack.toml", at("format"), message);
    }
    if file.contracts.is_empty() {
        faults.add("pack.toml", at("contracts"), "`contracts` is empty: expected at least one contract id");
    }
    let currency: Option<Currency> = faults.keep("pack.toml", at("currency"), file.currency.parse());
    let zone: Option<Tz> = file.zone.parse().ok();
    if zone.is_none() {
        let near = hint(&file.zone, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        faults.add("pack.toml", at("zone"), format!("unknown time zone `{}`{near}", file.zone));
    }
    let (currency, zone) = (currency?, zone?);
    let terms = terms(&files, &overrides, currency, faults);
    let facts = facts(&file.facts, text, faults);
    let kinds = kinds(&file.events.declared, text, faults);
    let schema = Arc::new(Schema { kinds, facts, currency, days: Arc::new(Calendar::always_in(zone)) });
    let calendars = calendars(&file.calendars, &file.zone, &files, text, faults);
    let rule = |name: &String| file.calendars.get(name).map(|entry| entry.day_count).unwrap_or_default();
    let rules = calendars.iter().map(|calendar| rule(&calendar.name)).collect();
    let words = Arc::new(Words::new(
        Arc::clone(&schema),
        Arc::new(terms),
        calendars.iter().map(|calendar| calendar.name.clone()).collect(),
        currency,
    ));
    let mut term_named = |name: &Option<String>| {
        let name = name.as_ref()?;
        let found = words.terms.find(name);
        if found.is_none() {
            let near = hint(name, words.terms.names());
            faults.add("pack.toml", at(name), format!("unknown term `{name}`{near}"));
        }
        found
    };
    let deduction_term = term_named(&file.deposit.deduction);
    let low_term = term_named(&file.deposit.low);
    let mut policy = Policy::new(Arc::clone(&words), rules);
    compile_clauses(&files, &mut policy, faults);
    let clauses = clause_entries(&files, &policy, &file.manual, &file.later, faults);
    for term in words.terms.list.iter().filter(|term| !clauses.iter().any(|clause| clause.id == term.clause))
    {
        let near = hint(&term.clause, clauses.iter().map(|clause| clause.id.as_str()));
        let line = files.get("terms.toml").map_or(0, |text| line_of(text, &format!("[{}]", term.name)));
        let message = format!("term `{}`: contract.md has no clause `{}`{near}", term.name, term.clause);
        faults.add("terms.toml", line, message);
    }
    let opening = opening(&file, &schema, text, faults);
    Some(Pack {
        name: file.name,
        version: file.version,
        title: file.title,
        example: file.example,
        contracts: file.contracts,
        adapter: file.adapter,
        currency,
        zone,
        clauses,
        policy,
        schema,
        calendars,
        deduction_term,
        low_term,
        opening,
        files,
        overrides,
    })
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, file: &str, faults: &mut Faults) -> Option<T> {
    match toml::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            let (line, column) = error.span().map_or((0, 0), |span| place_of(text, span));
            let message = error.message().replace('\n', " ");
            faults.0.push(PackFault { file: file.to_owned(), line, column, message });
            None
        }
    }
}

fn place_of(text: &str, span: Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// The first line that holds a key, for faults that TOML itself does not see.
pub(super) fn line_of(text: &str, key: &str) -> usize {
    text.lines().position(|line| line.contains(key)).map_or(0, |i| i + 1)
}

fn terms(
    files: &BTreeMap<String, String>,
    overrides: &[(String, String)],
    currency: Currency,
    faults: &mut Faults,
) -> Terms {
    let text = files.get("terms.toml").map_or("", String::as_str);
    let entries: TermsFile = parse(text, "terms.toml", faults).unwrap_or_default();
    let mut list = Vec::new();
    for (name, entry) in entries {
        let line = line_of(text, &format!("[{name}]"));
        list.extend(faults.keep("terms.toml", line, entry.read(&name, currency)));
    }
    if list.len() > WIDTH {
        faults.add("terms.toml", 0, format!("{} terms: a pack has at most {WIDTH}", list.len()));
    }
    let mut terms = Terms::new(list);
    for (name, value) in overrides {
        if let Some(changed) = faults.keep("terms.toml", 0, terms.with(name, value, currency)) {
            terms = changed;
        }
    }
    terms
}

fn facts(entries: &BTreeMap<String, FactEntry>, text: &str, faults: &mut Faults) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (name, entry) in entries {
        let line = line_of(text, &format!("[facts.{name}]"));
        let types = ["bool", "integer", "money", "text", "instant", "one-of"];
        let of = match entry.of.as_str() {
            "bool" => FactType::Bool,
            "integer" => FactType::Integer,
            "money" => FactType::Money,
            "text" => FactType::Text,
            "instant" => FactType::Instant,
            "one-of" => FactType::OneOf(entry.values.iter().map(ImmutableString::from).collect()),
            other => {
                let message = format!(
                    "fact `{name}`: unknown type `{other}`: expected {}{}",
                    types.join(", "),
                    hint(other, types)
                );
                faults.add("pack.toml", line, message);
                continue;
            }
        };
        if (entry.of == "one-of") == entry.values.is_empty() {
            faults.add(
                "pack.toml",
                line,
                format!("fact `{name}`: `values` belong to a one-of, and to nothing else"),
            );
        }
        if TICKET_DATA.contains(&name.as_str())
            || ["first", "reported_at", "via", "id"].contains(&name.as_str())
        {
            faults.add("pack.toml", line, format!("fact `{name}`: the program has this name already"));
        }
        facts.push(Fact { name: name.clone(), of, doc: entry.doc.clone() });
    }
    if 2 * facts.len() + 8 > WIDTH {
        faults.add("pack.toml", 0, format!("{} facts: a pack has at most {}", facts.len(), WIDTH / 2 - 4));
    }
    facts
}

fn kinds(declared: &[String], text: &str, faults: &mut Faults) -> Kinds {
    for kind in declared {
        if TICKET_KINDS.iter().chain(&CONTRACT_KINDS).any(|known| known == kind) {
            faults.add("pack.toml", line_of(text, kind), format!("the event kind `{kind}` exists already"));
        }
    }
    Kinds::with_declared(declared)
}

fn compile_clauses(files: &BTreeMap<String, String>, policy: &mut Policy, faults: &mut Faults) {
    let scripts = files.iter().filter(|(path, _)| path.starts_with(CLAUSE_FOLDER) && path.ends_with(".rhai"));
    let mut overrides = Vec::new();
    for (path, text) in scripts {
        let Some(header) = header(path, text, faults) else { continue };
        match policy.add(header.clause, path.clone(), text, [header.from, header.until]) {
            Ok(()) => overrides.push((path.as_str(), policy.clauses.len() - 1, header.overrides)),
            Err(fault) => faults.0.push(PackFault {
                file: fault.file,
                line: fault.line,
                column: fault.column,
                message: fault.message,
            }),
        }
    }
    for (path, place, names) in overrides {
        for (line, name) in names {
            match policy.clauses.iter().position(|clause| *clause.id == *name) {
                Some(other) => {
                    if let (Some(clause), Ok(other)) = (policy.clauses.get_mut(place), u16::try_from(other)) {
                        clause.overrides.push(other);
                    }
                }
                None => {
                    let near = hint(&name, policy.clauses.iter().map(|clause| &*clause.id));
                    faults.add(
                        path,
                        line,
                        format!("`overrides` names `{name}`, which no file carries{near}"),
                    );
                }
            }
        }
    }
    if let Err(fault) = policy.finish() {
        faults.add(&fault.file.clone(), fault.line, fault.message);
    }
    if policy.floor_clause().is_none() {
        let penalty = policy.clauses.iter().find(|clause| clause.defines("penalty"));
        if let Some(clause) = penalty {
            faults.add(&clause.file.clone(), 0, "prices breaches, but no clause defines `deposit_floor()`");
        }
    }
}

#[derive(Default)]
struct Header {
    clause: String,
    overrides: Vec<(usize, String)>,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

/// The `//! name: value` lines at the head of a clause file.
fn header(path: &str, text: &str, faults: &mut Faults) -> Option<Header> {
    let mut header = Header::default();
    for (i, line) in text.lines().enumerate() {
        let Some(rest) = line.strip_prefix("//!") else { break };
        let Some((name, value)) = rest.split_once(':') else { continue };
        let (name, value, line) = (name.trim(), value.trim(), i + 1);
        let mut date = || {
            let date = value.parse::<NaiveDate>();
            faults.keep(path, line, date.map_err(|_| format!("`{value}` is not a date such as 2026-01-15")))
        };
        match name {
            "clause" => header.clause = value.to_owned(),
            "from" => header.from = Some(date()?),
            "until" => header.until = Some(date()?),
            "overrides" => {
                header.overrides = value.split(',').map(|id| (line, id.trim().to_owned())).collect();
            }
            _ => {
                let near = hint(name, ["clause", "overrides", "from", "until"]);
                faults.add(path, line, format!("unknown header `{name}`{near}"));
            }
        }
    }
    if header.clause.is_empty() {
        faults.add(path, 1, "the first line must say which clause it carries: `//! clause: 1.2`");
        return None;
    }
    Some(header)
}

/// The numbered headings of contract.md, each carried exactly once.
fn clause_entries(
    files: &BTreeMap<String, String>,
    policy: &Policy,
    manual: &[ReasonEntry],
    later: &[ReasonEntry],
    faults: &mut Faults,
) -> Vec<ClauseEntry> {
    let Some(contract) = files.get("contract.md") else {
        faults.add("contract.md", 0, "is missing: the clauses that the files carry are stated there");
        return Vec::new();
    };
    let mut carriers: Vec<(String, String, Carried)> = Vec::new();
    for clause in &policy.clauses {
        carriers.push((clause.id.to_string(), clause.file.clone(), Carried::File(clause.file.clone())));
    }
    for entry in manual {
        carriers.push((entry.clause.clone(), "pack.toml".to_owned(), Carried::Manual(entry.reason.clone())));
    }
    for entry in later {
        carriers.push((entry.clause.clone(), "pack.toml".to_owned(), Carried::Later(entry.reason.clone())));
    }
    let mut entries: Vec<ClauseEntry> = Vec::new();
    for (i, line) in contract.lines().enumerate() {
        let Some((id, title)) = heading(line) else { continue };
        if entries.iter().any(|entry| entry.id == id) {
            faults.add("contract.md", i + 1, format!("clause `{id}` stands twice"));
            continue;
        }
        let mut by = carriers.iter().filter(|(carried, _, _)| carried == id);
        match (by.next(), by.next()) {
            (None, _) => {
                let message =
                    format!("clause `{id}` is carried by no file and not listed as manual or later");
                faults.add("contract.md", i + 1, message);
            }
            (Some((_, _, carried)), None) => {
                let (id, title, carried) = (id.to_owned(), title.to_owned(), carried.clone());
                entries.push(ClauseEntry { id, title, carried });
            }
            (Some((_, first, _)), Some((_, second, _))) => {
                faults.add(second, 1, format!("clause `{id}` is carried twice: by {first} and by {second}"));
            }
        }
    }
    for (id, file, _) in &carriers {
        if !contract.lines().any(|line| heading(line).is_some_and(|(known, _)| known == id)) {
            let near = hint(id, entries.iter().map(|entry| entry.id.as_str()));
            faults.add(file, 1, format!("contract.md has no clause `{id}`{near}"));
        }
    }
    entries
}

/// `## [1.5(1)] Emergency service` as id and title.
fn heading(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix('#')?.trim_start_matches('#').trim_start().strip_prefix('[')?;
    let (id, title) = rest.split_once(']')?;
    (!id.is_empty()).then_some((id, title.trim()))
}

fn opening(file: &PackFile, schema: &Schema, text: &str, faults: &mut Faults) -> Vec<Event> {
    let mut events = Vec::new();
    for entry in &file.opening {
        let line = line_of(text, &entry.id);
        let Some(at) = faults.keep("pack.toml", line, entry.at.parse()) else { continue };
        let data = serde_json::to_value(&entry.data).ok().and_then(|value| value.as_object().cloned());
        let event = Event {
            id: entry.id.clone(),
            contract: file.contracts.first().cloned().unwrap_or_default(),
            ticket: None,
            kind: entry.kind.clone(),
            at,
            actor: None,
            via: None,
            data: data.unwrap_or_default(),
        };
        if faults.keep("pack.toml", line, schema.admit(&event)).is_some() {
            events.push(event);
        }
    }
    events
}
