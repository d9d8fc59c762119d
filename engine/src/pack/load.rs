//! Files into a [`Pack`], with everything that is wrong told instead of the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::calendars::{always, calendars};
use super::clauses::{self, Heading};
use super::facts::{facts, kinds};
use super::file::PackToml;
use super::header::{ClauseText, header};
use super::opening::opening;
use super::roster::{roster, told_roles};
use super::scripts::compile;
use super::source::{At, Faults, Source};
use super::syntax::parse;
use super::table::Table;
use super::terms::{TermList, gaps, terms};
use super::unused::unused;
use super::{Check, ClauseEntry, DatedCalendar, Pack};
use crate::clock::CountRule;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::event::{Event, Kinds};
use crate::nearest::hint;
use crate::policy::Policy;
use crate::roster::Roster;
use crate::terms::{Term, TermError, Terms};
use crate::ticket::{Fact, Schema};
use crate::vocabulary::Words;
use crate::{Calendar, Currency};

/// A pack is read whole; larger files are not contract text.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// TOML takes far more memory than its text.
const TOML_BYTES_MAX: u64 = 1 << 20;
pub(super) const FILES_MAX: usize = 2_000;
/// The ways of the deposit that a term may choose between.
const DEDUCTIONS: [&str; 2] = ["automatic", "on_confirmation"];

/// A pack's files as they came, and those that are there but cannot be read.
pub(super) struct Files<'f> {
    pub(super) texts: &'f BTreeMap<String, String>,
    pub(super) unread: &'f BTreeMap<String, Diagnostic>,
}

/// What pack.toml says, whole or not.
struct Told {
    file: PackToml,
    facts: Vec<Fact>,
    kinds: Kinds,
    calendars: Vec<(DatedCalendar, CountRule)>,
}

/// The most bytes that a file may have.
pub(super) fn bytes_max(path: &str) -> u64 {
    if ["pack.toml", "terms.toml", "roster.toml"].contains(&path) { TOML_BYTES_MAX } else { FILE_BYTES_MAX }
}

pub(super) fn too_large(path: &str, bytes: u64) -> Diagnostic {
    let message = format!("{bytes} bytes: expected at most {}", bytes_max(path));
    Diagnostic::new(Code::FILE, Place::file(path), message)
}

/// Checks a pack's files. `unread` are those that are there but were not read, told where the pack needs them.
pub(super) fn check(
    files: BTreeMap<String, String>,
    mut unread: BTreeMap<String, Diagnostic>,
    told: Vec<Diagnostic>,
    overrides: Vec<(String, String)>,
) -> Check {
    let mut faults = Faults::default();
    told.into_iter().for_each(|diagnostic| faults.tell(diagnostic));
    if files.len() > FILES_MAX {
        let path = files.keys().nth(FILES_MAX).map_or("pack.toml", String::as_str);
        let message = format!("{} files: a pack has at most {FILES_MAX}", files.len());
        faults.add(Code::FILE, Place::file(path), message);
        return Check { pack: None, diagnostics: faults.sorted(), files: BTreeMap::new() };
    }
    let mut texts = BTreeMap::new();
    for (path, text) in files {
        match plain(&path, text) {
            Ok(text) => drop(texts.insert(path, text)),
            Err(why) => drop(unread.insert(path, *why)),
        }
    }
    let pack = build(&Files { texts: &texts, unread: &unread }, overrides, &mut faults);
    let diagnostics = faults.sorted();
    let refused = diagnostics.iter().any(Diagnostic::is_error);
    let pack = pack.filter(|_| !refused).map(|pack| Pack {
        files: texts.clone(),
        warnings: diagnostics.clone(),
        ..pack
    });
    Check { pack, diagnostics, files: texts }
}

/// A text without what editors of some systems add: a byte order mark first, CR LF at the ends of lines.
fn plain(path: &str, text: String) -> Result<String, Box<Diagnostic>> {
    let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if bytes > bytes_max(path) {
        return Err(too_large(path, bytes).into());
    }
    if let Some(at) = text.find('\0') {
        let place = Source::new(path, text.trim_start_matches('\u{feff}')).place(at..at + 1);
        let message = format!("is no text: byte {at} is 0");
        return Err(Diagnostic::new(Code::FILE, place, message).label("a zero byte").into());
    }
    let marked = text.starts_with('\u{feff}');
    if !marked && !text.contains('\r') {
        return Ok(text);
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n"))
}

fn build(files: &Files<'_>, overrides: Vec<(String, String)>, faults: &mut Faults) -> Option<Pack> {
    let pack_text = files.texts.get("pack.toml").map_or("", String::as_str);
    let source = Source::new("pack.toml", pack_text);
    if !files.texts.contains_key("pack.toml") && !files.unread.contains_key("pack.toml") {
        let message = "is missing: a pack is a folder with pack.toml, contract.md and clauses/";
        faults.add(Code::FILE, Place::file("pack.toml"), message);
        return None;
    }
    let table = if files.unread.contains_key("pack.toml") { None } else { parse(&source, faults) };
    let mut root = table.as_ref().map(|table| Table::root(&source, table.get_ref()));
    let told = match &mut root {
        Some(root) => pack_file(root, &source, files, faults)?,
        None => {
            faults.doubt("pack.toml");
            let calendars = vec![(always(None), CountRule::default())];
            let kinds = Kinds::with_declared(&[]);
            Told { file: PackToml::unread(), facts: Vec::new(), kinds, calendars }
        }
    };
    tell_unread(files, &told.file, faults);
    let Told { file, facts, kinds, calendars } = told;
    let terms_text = files.texts.get("terms.toml").map_or("", String::as_str);
    if files.unread.contains_key("terms.toml") {
        faults.doubt("terms.toml");
    }
    let terms = terms(&Source::new("terms.toml", terms_text), file.currency, faults);
    let zone = file.zone.unwrap_or(Tz::UTC);
    let currency = file.currency.or_else(|| "CNY".parse::<Currency>().ok())?;
    let schema = Arc::new(Schema { kinds, facts, currency, days: Arc::new(Calendar::always_in(zone)) });
    let mut opening_events = Vec::new();
    if let Some(mut root) = root {
        opening_events = opening(&mut root, file.contracts.first(), &schema, faults);
        root.end(faults);
    }
    let scripts = clause_files(files, &file, faults);
    let (roster, of_roster) = roster(files, &file, zone, faults);
    told_roles(roster.as_ref(), &file, &scripts, faults);
    let clauses = contract(files, &scripts, &file, of_roster.as_ref(), &terms, faults);
    clauses::overrides(&scripts, &file, faults);
    let mut from: BTreeMap<&str, &At<chrono::NaiveDate>> = BTreeMap::new();
    for script in &scripts {
        if let Some(date) = &script.header.from {
            from.entry(script.carries()).or_insert(date);
        }
    }
    gaps(&terms, &from, faults);
    caps(&scripts, &terms, faults);
    let deduction_term = deduction(&file, &terms, faults);
    let low_term = low(&file, &terms, faults);
    let rules = calendars.iter().map(|(_, rule)| *rule).collect();
    let calendars: Vec<DatedCalendar> = calendars.into_iter().map(|(calendar, _)| calendar).collect();
    let names = calendars.iter().map(|calendar| calendar.name.clone()).collect();
    let set = set_anew(terms, &overrides, currency, faults);
    let roles = file.roles.iter().map(|role| role.name.clone()).collect();
    let words = Arc::new(Words::new(Arc::clone(&schema), Arc::new(set), names, roles, currency));
    let mut policy = Policy::new(words, rules, zone);
    compile(&scripts, &mut policy, faults);
    unused(&policy, &scripts, &[deduction_term, low_term], files.texts, faults);
    Some(assemble(
        file,
        opening_events,
        clauses,
        policy,
        schema,
        calendars,
        [deduction_term, low_term],
        overrides,
        roster.unwrap_or_default(),
    ))
}

#[expect(clippy::too_many_arguments, reason = "the parts of a pack, put together once")]
fn assemble(
    file: PackToml,
    opening: Vec<Event>,
    clauses: Vec<ClauseEntry>,
    policy: Policy,
    schema: Arc<Schema>,
    calendars: Vec<DatedCalendar>,
    [deduction_term, low_term]: [Option<usize>; 2],
    overrides: Vec<(String, String)>,
    roster: Roster,
) -> Pack {
    Pack {
        name: file.name,
        version: file.version,
        title: file.title,
        example: file.example,
        contracts: file.contracts,
        adapter: file.adapter,
        currency: schema.currency,
        zone: file.zone.unwrap_or(Tz::UTC),
        clauses,
        roles: file.roles,
        channels: file.channels,
        policy,
        schema,
        calendars,
        deduction_term,
        low_term,
        opening,
        files: BTreeMap::new(),
        warnings: Vec::new(),
        overrides,
        roster,
    }
}

/// pack.toml but for its opening events; nothing when it is of another format.
fn pack_file(
    root: &mut Table<'_>,
    source: &Source<'_>,
    files: &Files<'_>,
    faults: &mut Faults,
) -> Option<Told> {
    let file = PackToml::read(root, source, faults)?;
    let facts = facts(root, faults);
    let kinds = kinds(root, faults);
    let calendars = calendars(root, file.zone, files, faults);
    Some(Told { file, facts, kinds, calendars })
}

/// Files that are there but were not read: told when the pack needs them.
fn tell_unread(files: &Files<'_>, file: &PackToml, faults: &mut Faults) {
    let clauses = format!("{}/", file.clauses.value);
    for (path, why) in files.unread {
        if !path.contains('/') || path.starts_with(&clauses) || path.starts_with("cases/") {
            faults.tell(why.clone());
        }
    }
}

/// The clause files with their heads, in the order of their paths.
fn clause_files<'f>(files: &Files<'f>, file: &PackToml, faults: &mut Faults) -> Vec<ClauseText<'f>> {
    let folder = format!("{}/", file.clauses.value);
    let mut list = Vec::new();
    for (path, text) in files.texts {
        if path.starts_with(&folder) && path.ends_with(".rhai") {
            let header = header(&Source::new(path, text), faults);
            list.push(ClauseText { path, text, header });
        }
    }
    let unread = files.unread.keys().any(|path| path.starts_with(&folder) && path.ends_with(".rhai"));
    // Only a folder that pack.toml names has a place there.
    if list.is_empty() && !unread && file.clauses.place.line > 0 {
        let name = &file.clauses.value;
        let folders = files.texts.keys().filter(|path| path.ends_with(".rhai"));
        let folders = folders.filter_map(|path| path.split_once('/').map(|(folder, _)| folder));
        let near = hint(name, folders);
        let message = format!("`clauses` is `{name}`, a folder without any clause file (.rhai){near}");
        let told = Diagnostic::new(Code::PACK, file.clauses.place.clone(), message);
        faults.tell(told.label("no clause file there"));
        faults.doubt("clauses");
    }
    list
}

/// The clauses of contract.md with their carriers.
fn contract(
    files: &Files<'_>,
    scripts: &[ClauseText<'_>],
    file: &PackToml,
    of_roster: Option<&At<String>>,
    terms: &TermList,
    faults: &mut Faults,
) -> Vec<ClauseEntry> {
    let Some(text) = files.texts.get("contract.md") else {
        if !files.unread.contains_key("contract.md") {
            let message = "is missing: the clauses that the files carry are stated there";
            faults.add(Code::FILE, Place::file("contract.md"), message);
        }
        return Vec::new();
    };
    let headings: Vec<Heading> = clauses::headings(&Source::new("contract.md", text), faults);
    let entries = clauses::entries(&headings, scripts, file, of_roster, files, faults);
    clauses::of_terms(&headings, terms, faults);
    entries
}

/// A term of terms.toml by its name in either language; one that is not there is told, unless it may be.
fn term_named<'t>(
    name: &At<String>,
    code: Code,
    terms: &'t TermList,
    faults: &mut Faults,
) -> Option<(usize, &'t Term)> {
    let named = |term: &&Term| *term.name == *name.value || term.zh.as_deref() == Some(name.value.as_str());
    let found = terms.list.iter().enumerate().find(|(_, term)| named(term));
    if found.is_none() && !faults.doubted("terms.toml") && !faults.doubted(&name.value) {
        let near = hint(&name.value, terms.list.iter().map(|term| &*term.name));
        let message = format!("unknown term `{}`{near}", name.value);
        faults.tell(Diagnostic::new(code, name.place.clone(), message).label("no such term"));
    }
    found
}

fn is_money(term: &Term) -> bool {
    term.unit.parse::<Currency>().is_ok()
}

/// Tells a term of the wrong unit, with the place of the unit.
fn unit_of(term: &Term, place: &Place, code: Code, expected: &str, terms: &TermList, faults: &mut Faults) {
    let message = format!("the term `{}` is in {}: expected {expected}", term.name, term.unit);
    let told = Diagnostic::new(code, place.clone(), message);
    faults.tell(match terms.places.get(&*term.name) {
        Some(places) => told.related(places.unit.clone(), "its unit"),
        None => told,
    });
}

/// `cap` names a term of money.
fn caps(scripts: &[ClauseText<'_>], terms: &TermList, faults: &mut Faults) {
    for cap in scripts.iter().filter_map(|script| script.header.cap.as_ref()) {
        if let Some((_, term)) = term_named(cap, Code::UNKNOWN_TERM, terms, faults)
            && !is_money(term)
        {
            unit_of(term, &cap.place, Code::UNITS, "money, as a cap of penalties is", terms, faults);
        }
    }
}

fn deduction(file: &PackToml, terms: &TermList, faults: &mut Faults) -> Option<usize> {
    let named = file.deduction.as_ref()?;
    let (place, term) = term_named(named, Code::UNKNOWN_TERM, terms, faults)?;
    let expected = "a one-of of `automatic` and `on_confirmation`";
    if term.unit != "one-of" {
        unit_of(term, &named.place, Code::PACK, expected, terms, faults);
    } else if let Some(other) = term.of.iter().find(|text| !DEDUCTIONS.contains(&text.as_str())) {
        let near = hint(other, DEDUCTIONS);
        let message = format!("the term `{}` allows `{other}`: expected {expected}{near}", term.name);
        let told = Diagnostic::new(Code::PACK, named.place.clone(), message);
        faults.tell(match terms.places.get(&*term.name) {
            Some(places) => told.related(places.name.clone(), "the term"),
            None => told,
        });
    }
    Some(place)
}

fn low(file: &PackToml, terms: &TermList, faults: &mut Faults) -> Option<usize> {
    let named = file.low.as_ref()?;
    let (place, term) = term_named(named, Code::UNKNOWN_TERM, terms, faults)?;
    if !is_money(term) {
        unit_of(term, &named.place, Code::PACK, "money, below which a notice is given", terms, faults);
    }
    Some(place)
}

/// The terms with some of them set to other values for all dates.
fn set_anew(
    list: TermList,
    overrides: &[(String, String)],
    currency: Currency,
    faults: &mut Faults,
) -> Terms {
    let mut terms = Terms::new(list.list);
    for (name, value) in overrides {
        match terms.with(name, value, currency) {
            Ok(changed) => terms = changed,
            Err(error) => {
                let place = list.places.get(name).map(|places| places.name.clone());
                let place = place.unwrap_or_else(|| Place::file("terms.toml"));
                let unknown = matches!(error, TermError::Unknown { .. });
                let code = if unknown { Code::UNKNOWN_TERM } else { Code::TERM };
                faults.add(code, place, error.to_string());
            }
        }
    }
    terms
}
