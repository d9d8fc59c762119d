//! Who is on call: a contract's contacts, their shifts, and who stands in for whom.
//!
//! A shift covers its beginning and not its end. It is counted on the wall clock: over a change of offset a night shift is an
//! hour shorter or longer. A local time that the clock skips moves forward by the gap, one that occurs twice is the first.

#[cfg(test)]
mod drawn;
mod ical;
mod series;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use crate::Instant;
use crate::calendar::clock::utc_of_wall;
use crate::time::{MICROS, Span};
pub(crate) use ical::read;
pub(crate) use survey::{Survey, local};

/// How far a next hand-over is looked for, in days: nearby first.
const AHEAD: [i64; 3] = [2, 32, 400];

/// Somebody who can be on call: `[contacts.KEY]` in roster.toml.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// The name by which shifts and overrides name them.
    pub key: String,
    /// The full name.
    pub name: String,
    /// The telephone number, as written.
    pub phone: String,
    /// The position; may be empty.
    pub position: String,
    /// Anything else; may be empty.
    pub remark: String,
    /// The roles, each declared in pack.toml.
    pub roles: Vec<String>,
    /// The first local date on which they can be on call; always, if there is none.
    #[serde(serialize_with = "date")]
    pub from: Option<NaiveDate>,
    /// The first local date on which they no longer can.
    #[serde(serialize_with = "date")]
    pub until: Option<NaiveDate>,
}

fn date<S: Serializer>(date: &Option<NaiveDate>, s: S) -> Result<S::Ok, S::Error> {
    date.map(|date| date.to_string()).serialize(s)
}

/// Who stands in for whoever is on shift.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    pub(crate) role: String,
    /// UTC microseconds, from (in) until (out).
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// The place in the list of contacts.
    pub(crate) contact: usize,
    pub(crate) reason: String,
}

/// A shift with its contact.
#[derive(Debug)]
pub(crate) struct Shift {
    pub(crate) contact: usize,
    pub(crate) series: series::Series,
}

/// A stretch of time in which the same people are on call for a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn<'r> {
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it.
    pub until: Instant,
    /// Who is on call, in the order of roster.toml; empty where nobody is.
    pub contacts: Vec<&'r Contact>,
    /// Why an override puts them there; empty when it gives no reason, nothing when they are on shift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<&'r str>,
}

/// Who is on call: the contacts of a pack, their shifts and overrides. Empty for a pack without roster.toml.
///
/// ```
/// # use holdback::Pack;
/// let files = [
///     ("pack.toml", "format = 1\nname = \"p\"\nversion = \"1\"\ncurrency = \"CNY\"\nzone = \"Asia/Shanghai\"\n\
///         contracts = [\"c\"]\nroles = { engineer = {} }\n"),
///     ("contract.md", "# [1] Deposit\n# [2] Roster"),
///     ("clauses/1.rhai", "//! clause: 1\nfn deposit_floor() { money(\"0.00\") }"),
///     ("roster.toml", "clause = \"2\"\ncontacts.li = { name = \"Li\", phone = \"1\", roles = [\"engineer\"] }\n"),
/// ];
/// let pack = Pack::from_files(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())?;
/// let who = pack.roster().on_call("engineer", "2026-03-02T00:00:00Z".parse()?);
/// assert_eq!(who[0].name, "Li");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Roster {
    pub(crate) zone: Tz,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) shifts: BTreeMap<String, Vec<Shift>>,
    pub(crate) overrides: Vec<Override>,
}

/// When somebody comes (true) or goes, in UTC microseconds, with the place in the list of contacts.
type Change = (i64, bool, usize);

/// A stretch of UTC microseconds in which nothing changes.
#[derive(Clone, Debug, PartialEq)]
struct Stretch {
    from: i64,
    until: i64,
    /// Places in the list of contacts.
    who: Vec<usize>,
    /// The place in the list of overrides.
    by: Option<usize>,
}

impl Default for Roster {
    fn default() -> Roster {
        Roster { zone: Tz::UTC, contacts: Vec::new(), shifts: BTreeMap::new(), overrides: Vec::new() }
    }
}

impl Roster {
    /// The contacts, in the order of roster.toml.
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// The contact of a key.
    pub fn contact(&self, key: &str) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.key == key)
    }

    /// The roles that somebody can be on call for, in the order of their names.
    pub fn roles(&self) -> Vec<&str> {
        let held = self.contacts.iter().flat_map(|contact| &contact.roles);
        let all = held.chain(self.shifts.keys()).chain(self.overrides.iter().map(|by| &by.role));
        all.map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Who is on call for a role at an instant, in the order of roster.toml; empty when nobody is, or the role is unknown.
    ///
    /// The last override of the file that covers the instant decides; else the shifts; a role without shifts has all
    /// its contacts on call, always. Who has not come yet, or has left, is never on call.
    pub fn on_call(&self, role: &str, at: Instant) -> Vec<&Contact> {
        let at = at.micros();
        let by = self.overrides.iter().rfind(|by| by.role == role && by.from <= at && at < by.until);
        let there = |place: usize| self.contacts.get(place).filter(|contact| self.is_there(contact, at));
        if let Some(by) = by {
            return there(by.contact).into_iter().collect();
        }
        match self.shifts.get(role) {
            Some(shifts) => {
                let mut left = usize::MAX;
                let mut covers = |shift: &&Shift| {
                    shift.series.turns(at, at + 1, &mut left).is_some_and(|turns| !turns.is_empty())
                };
                let on: BTreeSet<usize> =
                    shifts.iter().filter(|shift| covers(shift)).map(|shift| shift.contact).collect();
                on.into_iter().filter_map(there).collect()
            }
            None => self.holding(role).filter_map(there).collect(),
        }
    }

    /// The first instant after `at` at which somebody else is on call for a role, or nobody; nothing when that is more
    /// than 400 days away.
    pub fn next_hand_over(&self, role: &str, at: Instant) -> Option<Instant> {
        let now = self.on_call(role, at);
        AHEAD.iter().find_map(|days| {
            let end = at.checked_add(Span::hours(24 * days)).unwrap_or(Instant::MAX);
            let turns = self.turns(role, at, end);
            turns.into_iter().find(|turn| turn.contacts != now).map(|turn| turn.from)
        })
    }

    /// Who is on call for a role from an instant until another, turn by turn, gaps among them. The first turn begins at
    /// `from`, the last one ends at `until`; there is none when `until` is not after `from`.
    pub fn turns(&self, role: &str, from: Instant, until: Instant) -> Vec<Turn<'_>> {
        let mut left = usize::MAX;
        let (first, last) = (from.micros(), until.micros());
        let changes = self.changes(role, first, last, &mut left).unwrap_or_default();
        let turn = |stretch: Stretch| {
            let contacts = stretch.who.iter().filter_map(|place| self.contacts.get(*place)).collect();
            let by = stretch.by.and_then(|place| self.overrides.get(place));
            Some(Turn {
                from: Instant::from_micros(stretch.from).ok()?,
                until: Instant::from_micros(stretch.until).ok()?,
                contacts,
                instead: by.map(|by| by.reason.as_str()),
            })
        };
        self.stretches(role, first, last, &changes, true).into_iter().filter_map(turn).collect()
    }

    fn holding(&self, role: &str) -> impl Iterator<Item = usize> {
        let holds = move |contact: &Contact| contact.roles.iter().any(|held| held == role);
        self.contacts.iter().enumerate().filter(move |(_, contact)| holds(contact)).map(|(place, _)| place)
    }

    fn is_there(&self, contact: &Contact, at: i64) -> bool {
        let (from, until) = self.bounds(contact);
        from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until)
    }

    /// The instants between which a contact can be on call, in UTC microseconds.
    pub(crate) fn bounds(&self, contact: &Contact) -> (Option<i64>, Option<i64>) {
        let midnight = |date: NaiveDate| self.utc_of(date.and_time(chrono::NaiveTime::MIN));
        (contact.from.map(midnight), contact.until.map(midnight))
    }

    /// A local time of the contract in UTC microseconds.
    pub(crate) fn utc_of(&self, local: NaiveDateTime) -> i64 {
        let time = local.and_utc();
        let fraction = i64::from(time.timestamp_subsec_micros()).min(MICROS - 1);
        utc_of_wall(self.zone, time.timestamp()) + fraction
    }

    /// Who goes (false) and who comes (true) by the shifts of a role, and when, in order. Nothing when there are more than
    /// `left` turns, which is counted down.
    fn changes(&self, role: &str, from: i64, until: i64, left: &mut usize) -> Option<Vec<Change>> {
        let mut changes: Vec<Change> = Vec::new();
        match self.shifts.get(role) {
            Some(shifts) => {
                for shift in shifts {
                    for (begin, end) in shift.series.turns(from, until, left)? {
                        changes.extend([(begin.max(from), true, shift.contact), (end, false, shift.contact)]);
                    }
                }
            }
            None => changes.extend(self.holding(role).map(|place| (from, true, place))),
        }
        changes.sort_unstable();
        Some(changes)
    }

    /// The stretches that these changes make, merged where the same people are on call for the same cause.
    fn stretches(
        &self,
        role: &str,
        from: i64,
        until: i64,
        changes: &[Change],
        with_overrides: bool,
    ) -> Vec<Stretch> {
        let of_role = |by: &&Override| by.role == role && by.until > from && by.from < until;
        let overrides = self.overrides.iter().filter(of_role).flat_map(|by| [by.from, by.until]);
        let bounds = self.contacts.iter().map(|contact| self.bounds(contact));
        let edges = changes.iter().map(|(at, _, _)| *at).chain(overrides);
        let edges = edges.chain(bounds.flat_map(|(from, until)| from.into_iter().chain(until)));
        let mut edges: BTreeSet<i64> = edges.filter(|at| from < *at && *at < until).collect();
        if from < until {
            edges.insert(from);
        }
        let mut changes = changes.iter().copied().peekable();
        let mut on: BTreeMap<usize, usize> = BTreeMap::new();
        let mut list: Vec<Stretch> = Vec::new();
        for at in edges {
            while let Some((_, comes, place)) = changes.next_if(|(when, _, _)| *when <= at) {
                let count = on.entry(place).or_default();
                *count = if comes { *count + 1 } else { count.saturating_sub(1) };
                if *count == 0 {
                    on.remove(&place);
                }
            }
            let covers = |by: &Override| by.role == role && by.from <= at && at < by.until;
            let by = self.overrides.iter().rposition(covers).filter(|_| with_overrides);
            let mut who: Vec<usize> = match by.and_then(|place| self.overrides.get(place)) {
                Some(by) => vec![by.contact],
                None => on.keys().copied().collect(),
            };
            who.retain(|place| self.contacts.get(*place).is_some_and(|contact| self.is_there(contact, at)));
            if let Some(last) = list.last_mut() {
                last.until = at;
                if last.who == who && last.by == by {
                    last.until = until;
                    continue;
                }
            }
            list.push(Stretch { from: at, until, who, by });
        }
        list
    }
}
