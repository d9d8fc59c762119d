//! A contract pack: what a contract manager owns. Read whole, checked whole, with everything wrong told at once.

mod calendars;
mod file;
mod folder;
mod load;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use crate::event::Event;
use crate::policy::Policy;
use crate::terms::{TermValue, TermsInForce};
use crate::ticket::{Fact, Schema};
use crate::{Calendar, Currency, Instant};

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
    pub(crate) policy: Policy,
    pub(crate) schema: Arc<Schema>,
    pub(crate) calendars: Vec<DatedCalendar>,
    pub(crate) deduction_term: Option<usize>,
    pub(crate) low_term: Option<usize>,
    pub(crate) opening: Vec<Event>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) overrides: Vec<(String, String)>,
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

/// One thing wrong with a pack. The rule author's to mend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackFault {
    /// The file within the pack.
    pub file: String,
    /// The line, from 1; 0 when the fault is of the whole file.
    pub line: usize,
    /// The column, from 1; 0 when the fault is of the whole line.
    pub column: usize,
    /// What was wrong, and what was expected.
    pub message: String,
}

/// Everything wrong with a pack, in the order of its files. A pack with faults is never evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct PackError(pub Vec<PackFault>);

impl fmt::Display for PackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}: {}", self.file, self.message),
            (line, 0) => write!(f, "{}:{line}: {}", self.file, self.message),
            (line, column) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
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
        load::load(self.files.clone(), overrides)
    }

    /// Reads a pack from its files, by their paths within it (`pack.toml`, `clauses/1.rhai` ...).
    ///
    /// # Errors
    /// [`PackError`] with everything that is wrong.
    pub fn from_files(files: BTreeMap<String, String>) -> Result<Pack, PackError> {
        load::load(files, Vec::new())
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
