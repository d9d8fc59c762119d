//! A contract pack: what a contract manager owns. Read whole, checked whole, with everything wrong told at once.

mod calendars;
mod clauses;
mod facts;
mod file;
mod folder;
mod header;
mod load;
mod names;
mod opening;
mod roster;
mod scripts;
mod source;
mod syntax;
mod table;
mod terms;
#[cfg(test)]
mod tests;
mod tiers;
mod unused;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::policy::{Evaluator, Policy};
use crate::roster::Roster;
use crate::terms::{TermValue, TermsInForce};
use crate::ticket::{Fact, Schema};
use crate::vocabulary::EVENTS_ZH;
use crate::{Calendar, Currency, Instant};
use load::Files;

/// The format of packs that this program reads: `format` in pack.toml.
const FORMAT: u32 = 1;

/// A contract pack, ready to assess tickets by. Cheap to share ([`Arc`]); holds no state of any ticket.
///
/// ```
/// use holdback::Pack;
/// let faults = Pack::from_files([("pack.toml".to_owned(), "format = 2".to_owned())].into()).unwrap_err();
/// assert!(faults.to_string().contains("pack.toml"));
/// ```
pub struct Pack {
    /// Its name.
    pub name: String,
    /// Its version, as its author counts.
    pub version: String,
    /// One line that says what it is.
    pub title: String,
    /// The money in it is an example, not a contract's.
    pub example: bool,
    /// The contracts whose events it takes.
    pub contracts: Vec<String>,
    /// The adapter that usually feeds it.
    pub adapter: Option<String>,
    /// The currency of all its money.
    pub currency: Currency,
    /// The contract's time zone.
    pub zone: Tz,
    /// The clauses of contract.md in their order, and how each is carried.
    pub clauses: Vec<ClauseEntry>,
    /// Who is told of steps of escalation, in the order of their names.
    pub roles: Vec<Role>,
    /// How somebody is told, in the order of their names.
    pub channels: Vec<Channel>,
    pub(crate) policy: Policy,
    pub(crate) schema: Arc<Schema>,
    pub(crate) calendars: Vec<DatedCalendar>,
    pub(crate) deduction_term: Option<usize>,
    pub(crate) low_term: Option<usize>,
    pub(crate) opening: Vec<Event>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) overrides: Vec<(String, String)>,
    pub(crate) roster: Roster,
}

/// A clause of contract.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClauseEntry {
    /// Its number, as in the heading's brackets.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What carries it.
    pub carried: Carried,
}

/// How a clause of contract.md is carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// By this file of the pack.
    File(String),
    /// By people, for this reason.
    Manual(String),
    /// Not yet, for this reason.
    Later(String),
}

/// A role that an escalation step may name: `[roles.NAME]` in pack.toml.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Its name in `.notify("...")`.
    pub name: String,
    /// Who that is; may be empty.
    pub doc: String,
    /// The channels by which it is told, each declared; may be empty.
    pub channels: Vec<String>,
}

/// A way in which a role is told: `[channels.NAME]` in pack.toml.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Channel {
    /// Its name in the roles' `channels`.
    pub name: String,
    /// What it is; may be empty.
    pub doc: String,
}

/// Everything that is wrong with a pack, in the order of its files and lines. A pack with an error is never evaluated.
///
/// Holds errors only; [`Pack::check`] tells the warnings as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct PackError(pub Vec<Diagnostic>);

/// What a check of a pack comes to.
///
/// ```
/// use holdback::Pack;
/// let check = Pack::check([("pack.toml".to_owned(), "format = 2\r\n".to_owned())].into());
/// assert!(check.pack.is_none());
/// let told = &check.diagnostics[0];
/// assert_eq!((told.place.line, told.place.column, told.place.length), (1, 10, 1));
/// assert_eq!(check.files["pack.toml"], "format = 2\n");
/// ```
#[derive(Debug)]
pub struct Check {
    /// The pack; nothing when there is an error.
    pub pack: Option<Pack>,
    /// Errors and warnings, in the order of the files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read, as the places in them count: without byte order marks, with LF at the ends of lines.
    pub files: BTreeMap<String, String>,
}

impl Check {
    fn into_result(self) -> Result<Pack, PackError> {
        match self.pack {
            Some(pack) => Ok(pack),
            None => Err(PackError(self.diagnostics.into_iter().filter(Diagnostic::is_error).collect())),
        }
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack")
            .field("name", &self.name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A calendar as it was known from time to time: holidays are amended after publication.
#[derive(Debug)]
pub(crate) struct DatedCalendar {
    pub(crate) name: String,
    /// From when each version is known, ascending; the first has always been.
    pub(crate) versions: Vec<(Instant, Arc<Calendar>)>,
}

impl DatedCalendar {
    /// The calendar as it is known at an instant.
    pub(crate) fn known_at(&self, at: Instant) -> Option<&Arc<Calendar>> {
        let known = self.versions.iter().rev().find(|(from, _)| *from <= at);
        known.or(self.versions.first()).map(|(_, calendar)| calendar)
    }
}

impl Pack {
    /// The same pack with one term set to another value, for all dates.
    ///
    /// # Errors
    /// [`PackError`] when there is no such term or the value does not fit its unit.
    pub fn with_term(&self, name: &str, value: &str) -> Result<Pack, PackError> {
        let mut overrides = self.overrides.clone();
        overrides.push((name.to_owned(), value.to_owned()));
        load::check(self.files.clone(), BTreeMap::new(), Vec::new(), overrides).into_result()
    }

    /// The same pack with its clauses evaluated otherwise; the answers are the same.
    #[must_use]
    pub fn evaluated_by(mut self, evaluator: Evaluator) -> Pack {
        self.policy.evaluator = evaluator;
        self
    }

    /// Reads a pack from its files, by their paths within it (`pack.toml`, `clauses/1.rhai` ...).
    ///
    /// # Errors
    /// [`PackError`] with everything that is wrong.
    pub fn from_files(files: BTreeMap<String, String>) -> Result<Pack, PackError> {
        Pack::check(files).into_result()
    }

    /// Everything that is wrong with a pack, or looks wrong, and the pack itself when there is no error.
    ///
    /// ```
    /// # use holdback::Pack;
    /// let pack = "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"RMB\"\nzone = \"UTC\"\ncontracts = [\"c\"]\n";
    /// let files = [("pack.toml", pack), ("contract.md", "# [1] By people\n")];
    /// let check = Pack::check(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into());
    /// let told: Vec<String> = check.diagnostics.iter().map(|d| format!("{} {}", d.place, d.code)).collect();
    /// assert_eq!(told, ["contract.md:1:4 E0702", "pack.toml:4:12 E0803"]);
    /// ```
    pub fn check(files: BTreeMap<String, String>) -> Check {
        load::check(files, BTreeMap::new(), Vec::new(), Vec::new())
    }

    /// What looks wrong with the pack, in the order of its files and lines.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The texts of its case files, by path.
    pub(crate) fn case_files(&self) -> impl Iterator<Item = (&str, &str)> {
        let cases =
            self.files.iter().filter(|(path, _)| path.starts_with("cases/") && path.ends_with(".toml"));
        cases.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// A file of the pack.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The pack's files whose paths begin so, with their texts, in the order of the paths.
    pub fn files_below<'p>(&'p self, folder: &'p str) -> impl Iterator<Item = (&'p str, &'p str)> {
        let below = self.files.iter().filter(move |(path, _)| path.starts_with(folder));
        below.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Contract events that come with the pack itself, for one of its contracts.
    pub fn opening_events(&self, contract: &str) -> Vec<Event> {
        let of_contract = |event: &Event| Event {
            id: format!("{contract}/{}", event.id),
            contract: contract.to_owned(),
            ..event.clone()
        };
        self.opening.iter().map(of_contract).collect()
    }

    /// The value of a term in force on a local date of the contract, if it has one then.
    pub fn term(&self, name: &str, on: NaiveDate) -> Option<TermValue> {
        let place = self.policy.words.terms.find(name)?;
        self.policy.words.terms.on(on).values.get(place)?.clone()
    }

    /// The facts that tickets can have, in the order of their names.
    pub fn facts(&self) -> &[Fact] {
        &self.schema.facts
    }

    /// The Chinese name of an event kind, built in or declared; nothing for a declared kind without one.
    pub fn event_zh(&self, kind: &str) -> Option<&str> {
        let built_in = EVENTS_ZH.iter().find(|(name, _)| *name == kind).map(|(_, zh)| *zh);
        built_in.or_else(|| self.schema.kinds.name_zh(kind))
    }

    /// Who is on call for the roles: what roster.toml says; empty without one.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What every overridden term was set to, in the order given.
    pub fn overrides(&self) -> &[(String, String)] {
        &self.overrides
    }

    pub(crate) fn clause_id(&self, place: u16) -> &str {
        self.policy.clauses.get(usize::from(place)).map_or("", |clause| &clause.id)
    }

    /// The same, shared.
    pub(crate) fn clause_name(&self, place: u16) -> Option<Arc<str>> {
        self.policy.clauses.get(usize::from(place)).map(|clause| Arc::clone(&clause.id))
    }

    pub(crate) fn clause_title(&self, id: &str) -> &str {
        self.clauses.iter().find(|clause| clause.id == id).map_or("", |clause| clause.title.as_str())
    }

    /// The local date of an instant in the contract's zone.
    pub(crate) fn local_date(&self, at: Instant) -> NaiveDate {
        at.to_chrono().with_timezone(&self.zone).date_naive()
    }

    pub(crate) fn terms_at(&self, at: Instant) -> Arc<TermsInForce> {
        self.policy.words.terms.on(self.local_date(at))
    }

    /// The instants at which a calendar of the pack becomes known otherwise, ascending.
    pub(crate) fn knowledge_changes(&self) -> Vec<Instant> {
        let later = |calendar: &DatedCalendar| -> Vec<Instant> {
            calendar.versions.iter().skip(1).map(|(from, _)| *from).collect()
        };
        let mut all: Vec<Instant> = self.calendars.iter().flat_map(later).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
