//! roster.toml: who the contacts are, when they are on shift, and who stands in for whom.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::file::PackToml;
use super::header::ClauseText;
use super::load::Files;
use super::names;
use super::source::{At, Faults, Source};
use super::syntax::parse;
use super::table::{Table, Value};
use crate::Instant;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::hint;
use crate::roster::{Contact, Override, Roster, Shift, Survey, local, read};

const FILE: &str = "roster.toml";
const CONTACTS_MAX: usize = 1_000;
const OVERRIDES_MAX: usize = 500;
/// Roles with shifts: each one's are looked through.
const SHIFTS_MAX: usize = 64;

/// What a part of roster.toml is read with.
struct Reading<'r> {
    files: &'r Files<'r>,
    /// The roles of pack.toml; nothing when they are not known.
    roles: Option<BTreeSet<&'r str>>,
    roster: Roster,
    /// Where each contact is declared, in the order of the contacts.
    contacts: Vec<Place>,
    /// Between which dates gaps are looked for.
    covers: [Option<At<NaiveDate>>; 2],
}

/// Where an override stands, and until when it holds.
struct Stretch {
    place: Place,
    role: String,
    hours: (i64, i64),
}

/// Reads roster.toml, if there is one, and the clause that it carries.
pub(super) fn roster(
    files: &Files<'_>,
    file: &PackToml,
    zone: Tz,
    faults: &mut Faults,
) -> (Option<Roster>, Option<At<String>>) {
    if files.unread.contains_key(FILE) {
        faults.doubt("clauses");
    }
    let Some(text) = files.texts.get(FILE) else { return (None, None) };
    let source = Source::new(FILE, text);
    let Some(table) = parse(&source, faults) else {
        // The clause that it carries is not known.
        faults.doubt("clauses");
        return (None, None);
    };
    let mut root = Table::root(&source, table.get_ref());
    let carried = root.get("clause");
    let clause = carried.as_ref().and_then(|clause| clause.text(faults));
    if carried.is_some() && clause.is_none() {
        faults.doubt("clauses");
    }
    let known =
        (!faults.doubted("pack.toml")).then(|| file.roles.iter().map(|role| role.name.as_str()).collect());
    let mut reading = Reading {
        files,
        roles: known,
        roster: Roster { zone, ..Roster::default() },
        contacts: Vec::new(),
        covers: [date(&mut root, "covers_from", faults), date(&mut root, "covers_until", faults)],
    };
    if let [Some(from), Some(until)] = &reading.covers
        && until.value <= from.value
    {
        let message =
            "`covers_until` does not come after `covers_from`: it is the first day that is not covered";
        let told = Diagnostic::new(Code::ROSTER, until.place.clone(), message);
        faults.tell(told.related(from.place.clone(), "it covers from here"));
        reading.covers = [None, None];
    }
    reading.contacts(&mut root, faults);
    let overrides = root.tables("overrides", faults);
    reading.overrides(overrides, faults);
    reading.shifts(&mut root, faults);
    root.end(faults);
    (Some(reading.roster), clause)
}

impl Reading<'_> {
    /// Whether a role is one of pack.toml's; else that is told.
    fn is_role(&self, role: &At<String>, faults: &mut Faults) -> bool {
        let Some(known) = self.roles.as_ref().filter(|known| !known.contains(role.value.as_str())) else {
            return true;
        };
        if !faults.doubted(&role.value) {
            let near = hint(&role.value, known.iter().copied());
            let message = format!("unknown role `{}`{near}", role.value);
            let told = Diagnostic::new(Code::UNKNOWN_ROLE, role.place.clone(), message).label("no such role");
            faults.tell(told.help(format!("declare it in pack.toml: `[roles.{}]`", role.value)));
        }
        false
    }

    fn contacts(&mut self, root: &mut Table<'_>, faults: &mut Faults) {
        let mut entries = root.named("contacts", faults);
        // The order of the file is the order in which they are named.
        entries.sort_by(|(one, _), (other, _)| one.place.cmp(&other.place));
        if let Some((key, _)) = entries.get(CONTACTS_MAX) {
            let message = format!("{} contacts: expected at most {CONTACTS_MAX}", entries.len());
            faults.add(Code::ROSTER, key.place.clone(), message);
        }
        for (key, value) in entries.into_iter().take(CONTACTS_MAX) {
            names::spelling(&key, faults);
            let doubt = key.value.clone();
            match value.table(faults) {
                Some(table) => self.contact(key, table, faults),
                None => faults.doubt(doubt),
            }
        }
    }

    fn contact(&mut self, key: At<String>, mut table: Table<'_>, faults: &mut Faults) {
        let mut needed = |name: &'static str, faults: &mut Faults| {
            let text = table.need_text(name, faults)?;
            if text.value.trim().is_empty() {
                let message = format!("`{name}` of the contact `{}` is empty: expected a text", key.value);
                faults.add(Code::ROSTER, text.place, message);
            }
            Some(text.value)
        };
        let name = needed("name", faults).unwrap_or_default();
        let phone = needed("phone", faults).unwrap_or_default();
        let mut text = |name| table.text(name, faults).map(|text| text.value).unwrap_or_default();
        let (position, remark) = (text("position"), text("remark"));
        let roles = table.texts("roles", faults);
        let (from, until) = (date(&mut table, "from", faults), date(&mut table, "until", faults));
        table.end(faults);
        if let (Some(from), Some(until)) = (&from, &until)
            && until.value <= from.value
        {
            let message = format!(
                "the contact `{}` is never there: `until` is the first day on which they no longer are",
                key.value
            );
            let told = Diagnostic::new(Code::ROSTER, until.place.clone(), message);
            faults.tell(told.related(from.place.clone(), "they are there from here"));
        }
        let mut own = names::Names::new(Code::ROSTER, "the role");
        let held = roles.iter().filter(|role| own.take(role, faults) && self.is_role(role, faults));
        let roles = held.map(|role| role.value.clone()).collect();
        let (from, until) = (from.map(|date| date.value), until.map(|date| date.value));
        let contact = Contact { key: key.value, name, phone, position, remark, roles, from, until };
        self.roster.contacts.push(contact);
        self.contacts.push(key.place);
    }

    /// The place of a contact in the list; one that is not there is told.
    fn find(&self, key: &str, place: &Place, faults: &mut Faults) -> Option<usize> {
        let found = self.roster.contacts.iter().position(|contact| contact.key == key);
        if found.is_none() && !faults.doubted(key) {
            let shown: String = key.chars().take(60).collect();
            let near = hint(key, self.roster.contacts.iter().map(|contact| contact.key.as_str()));
            let message = format!("unknown contact `{shown}`{near}");
            let told =
                Diagnostic::new(Code::UNKNOWN_CONTACT, place.clone(), message).label("no such contact");
            faults.tell(told.help(format!("declare it in {FILE}: `[contacts.{shown}]`")));
        }
        found
    }

    fn overrides(&mut self, tables: Vec<Table<'_>>, faults: &mut Faults) {
        let mut taken: Vec<Stretch> = Vec::new();
        if let Some(table) = tables.get(OVERRIDES_MAX) {
            let message = format!("{} overrides: expected at most {OVERRIDES_MAX}", tables.len());
            faults.add(Code::ROSTER, table.place().clone(), message);
        }
        for mut table in tables.into_iter().take(OVERRIDES_MAX) {
            let role = table.need_text("role", faults);
            let from = table.need("from", faults).and_then(|from| self.instant(&from, faults));
            let until = table.need("until", faults).and_then(|until| self.instant(&until, faults));
            let contact = table.need_text("contact", faults);
            let reason = table.text("reason", faults).map(|reason| reason.value).unwrap_or_default();
            table.end(faults);
            let contact = contact.and_then(|key| Some((self.find(&key.value, &key.place, faults)?, key)));
            let role = role.filter(|role| self.is_role(role, faults));
            let (Some(role), Some(from), Some(until), Some((contact, key))) = (role, from, until, contact)
            else {
                continue;
            };
            if until.value <= from.value {
                let message = "the override ends before it begins: expected `until` after `from`";
                let told = Diagnostic::new(Code::ROSTER, until.place, message);
                faults.tell(told.related(from.place, "it begins here"));
                continue;
            }
            let hours = (from.value, until.value);
            self.stands_in(contact, &key, hours, faults);
            let other = taken
                .iter()
                .rev()
                .find(|other| other.role == role.value && other.hours.0 < hours.1 && hours.0 < other.hours.1);
            if let Some(other) = other {
                let message = format!("two overrides of the role `{}` overlap: this one holds", role.value);
                let told = Diagnostic::new(Code::ROSTER_OVERLAP, from.place.clone(), message);
                faults.tell(told.related(other.place.clone(), "the other one begins here"));
            }
            taken.push(Stretch { place: from.place, role: role.value.clone(), hours });
            let over = Override { role: role.value, from: hours.0, until: hours.1, contact, reason };
            self.roster.overrides.push(over);
        }
    }

    /// Tells of an override by somebody who is not there.
    fn stands_in(&self, contact: usize, key: &At<String>, hours: (i64, i64), faults: &mut Faults) {
        let Some(found) = self.roster.contacts.get(contact) else { return };
        let (from, until) = self.roster.bounds(found);
        if from.is_some_and(|from| hours.0 < from) || until.is_some_and(|until| until < hours.1) {
            let message = format!("`{}` is not there for all of the override", key.value);
            let told = Diagnostic::new(Code::ROSTER, key.place.clone(), message);
            let place = self.contacts.get(contact).cloned().unwrap_or_else(|| Place::file(FILE));
            faults.tell(told.related(place, "`from` and `until` of the contact say when"));
        }
    }

    fn shifts(&mut self, root: &mut Table<'_>, faults: &mut Faults) {
        let entries = root.named("shifts", faults);
        if let Some((role, _)) = entries.get(SHIFTS_MAX) {
            let message = format!("shifts of {} roles: expected at most {SHIFTS_MAX}", entries.len());
            faults.add(Code::ROSTER, role.place.clone(), message);
        }
        for (role, value) in entries.into_iter().take(SHIFTS_MAX) {
            let Some(mut table) = value.table(faults) else { continue };
            let file = table.need_text("file", faults);
            let (overlap, gaps) = (table.flag("overlap", faults), table.flag("gaps", faults));
            table.end(faults);
            let known = self.is_role(&role, faults);
            // A role whose shifts cannot be read is not one without shifts.
            self.roster.shifts.insert(role.value.clone(), Vec::new());
            let Some(file) = file else { continue };
            let Some((shifts, places)) = self.shift_file(&file, faults).filter(|_| known) else { continue };
            self.roster.shifts.insert(role.value.clone(), shifts);
            let [from, until] = [0, 1].map(|i| self.covers.get(i)?.as_ref().map(|date| date.value));
            let survey = self.roster.survey(&role.value, from, until);
            if survey.too_many {
                let message = "too many turns to look through: expected some thousand in a year";
                faults.add(Code::SHIFT, file.place.clone(), message);
            }
            if !gaps {
                self.gaps(&role.value, &file.place, &survey, faults);
            }
            if !overlap {
                self.overlaps(&role.value, &file.place, &survey, &places, faults);
            }
        }
    }

    /// The shifts of a file with the places of the contacts' names; nothing when any of it is wrong.
    fn shift_file(&self, file: &At<String>, faults: &mut Faults) -> Option<(Vec<Shift>, Vec<Place>)> {
        let name = file.value.as_str();
        if let Some(why) = self.files.unread.get(name) {
            faults.tell(why.clone().related(file.place.clone(), "roster.toml names it here"));
            return None;
        }
        let Some(text) = self.files.texts.get(name).filter(|_| name.ends_with(".ics")) else {
            let lists = self.files.texts.keys().map(String::as_str).filter(|path| path.ends_with(".ics"));
            let near = hint(name, lists);
            let message = format!("no shifts `{name}`: expected an iCalendar file (.ics) of the pack{near}");
            faults.tell(Diagnostic::new(Code::SHIFT, file.place.clone(), message).label("no such file"));
            return None;
        };
        let (events, found) = read(name, text, self.roster.zone);
        let mut whole = found.is_empty();
        for (place, message) in found {
            let told = Diagnostic::new(Code::SHIFT, place, message);
            faults.tell(told.related(file.place.clone(), "roster.toml names the file here"));
        }
        if whole && events.is_empty() {
            let message = format!("`{name}` holds no shift: expected at least one VEVENT");
            faults.add(Code::SHIFT, file.place.clone(), message);
            return None;
        }
        let (mut shifts, mut places) = (Vec::new(), Vec::new());
        for event in events {
            match self.find(&event.contact, &event.place, faults) {
                Some(contact) => {
                    shifts.push(Shift { contact, series: event.series });
                    places.push(event.place);
                }
                None => whole = false,
            }
        }
        whole.then_some((shifts, places))
    }

    fn hours(&self, hours: (i64, i64)) -> String {
        format!("from {} to {}", local(self.roster.zone, hours.0), local(self.roster.zone, hours.1))
    }

    fn gaps(&self, role: &str, place: &Place, survey: &Survey, faults: &mut Faults) {
        let Some((first, others)) = survey.gaps.split_first() else { return };
        let message = format!("nobody is on call as `{role}` {}{}", self.hours(*first), more(others.len()));
        let help = "give the hours to somebody, or say that they are meant to be free: `gaps = true`";
        faults.tell(Diagnostic::new(Code::ROSTER_GAP, place.clone(), message).label("has gaps").help(help));
    }

    fn overlaps(&self, role: &str, place: &Place, survey: &Survey, places: &[Place], faults: &mut Faults) {
        let Some(((hours, pair), others)) = survey.overlaps.split_first() else { return };
        let key = |i: usize| self.roster.contacts.get(i).map_or("", |contact| contact.key.as_str());
        let [one, other] = pair.map(key);
        let hours = self.hours(*hours);
        let message =
            format!("both `{one}` and `{other}` are on call as `{role}` {hours}{}", more(others.len()));
        let help = "end one shift where the other begins, or say that both are meant: `overlap = true`";
        let mut told = Diagnostic::new(Code::ROSTER_OVERLAP, place.clone(), message).label("overlaps");
        let shifts = self.roster.shifts.get(role).map(Vec::as_slice).unwrap_or_default();
        for contact in pair {
            let named = shifts.iter().zip(places).find(|(shift, _)| shift.contact == *contact);
            if let Some((_, place)) = named {
                told = told.related(place.clone(), format!("a shift of `{}`", key(*contact)));
            }
        }
        faults.tell(told.help(help));
    }

    /// A local time of the contract, or one with an offset, in UTC microseconds. A date is its midnight.
    fn instant(&self, value: &Value<'_>, faults: &mut Faults) -> Option<At<i64>> {
        let text = value.scalar().unwrap_or_default();
        let time = |format: &str| NaiveDateTime::parse_from_str(&text, format).ok();
        let day = || text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN));
        let at_local = time("%Y-%m-%dT%H:%M").or_else(|| time("%Y-%m-%dT%H:%M:%S%.f")).or_else(day);
        let read = match (at_local, text.parse::<Instant>()) {
            (Some(at), _) => Some(self.roster.utc_of(at)),
            (None, Ok(at)) => Some(at.micros()),
            (None, Err(_)) => None,
        };
        let in_range = |at: &i64| (Instant::MIN.micros()..Instant::MAX.micros()).contains(at);
        match read.filter(in_range) {
            Some(at) => Some(At { value: at, place: value.place.clone() }),
            None => {
                let shown: String = text.chars().take(40).collect();
                let message = format!(
                    "`{}` is `{shown}`: expected a local time such as 2026-03-02T08:00:00",
                    value.name
                );
                faults.add(Code::ROSTER, value.place.clone(), message);
                None
            }
        }
    }
}

fn more(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", and once more".to_owned(),
        count => format!(", and {count} times more"),
    }
}

/// A date that may be there.
fn date(table: &mut Table<'_>, key: &'static str, faults: &mut Faults) -> Option<At<NaiveDate>> {
    let value = table.get(key)?;
    let text = value.scalar().unwrap_or_default();
    let read = text.parse::<NaiveDate>().ok().filter(|_| text.len() == "2026-01-15".len());
    if read.is_none() {
        let shown: String = text.chars().take(40).collect();
        let message = format!("`{}` is `{shown}`: expected a date such as 2026-01-15", value.name);
        faults.add(Code::ROSTER, value.place.clone(), message);
    }
    read.map(|date| At { value: date, place: value.place })
}

/// Warns of roles that steps of escalation tell and that no contact holds, when the pack has a roster at all.
pub(super) fn told_roles(
    roster: Option<&Roster>,
    file: &PackToml,
    scripts: &[ClauseText<'_>],
    faults: &mut Faults,
) {
    // A role that is misspelt here would seem to be held by nobody.
    let Some(roster) = roster.filter(|_| !faults.any_error()) else { return };
    let held: BTreeSet<&str> = roster.roles().into_iter().collect();
    let mut told: BTreeMap<&str, Place> = BTreeMap::new();
    for script in scripts {
        let source = Source::new(script.path, script.text);
        for role in notified(script.text) {
            let declared = file.roles.iter().any(|known| known.name == role);
            if declared && !held.contains(role) && !told.contains_key(role) {
                let quoted = source.part(role);
                let place =
                    Place { column: quoted.column.saturating_sub(1), length: quoted.length + 2, ..quoted };
                told.insert(role, place);
            }
        }
    }
    for (role, place) in told {
        let message = format!("the role `{role}` is told, but {FILE} has no contact for it");
        let help = format!("add `{role}` to the `roles` of a contact, or give it shifts");
        faults.tell(Diagnostic::new(Code::ROSTER_NOBODY, place, message).label("nobody").help(help));
    }
}

/// The texts in quotes between the brackets of `.notify(...)`, in either language, as parts of the text.
fn notified(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for word in [".notify(", ".通知("] {
        for (at, _) in text.match_indices(word) {
            let before = text.get(..at).unwrap_or("");
            let comment = before.rsplit('\n').next().is_some_and(|line| line.contains("//"));
            let rest = text.get(at + word.len()..).filter(|_| !comment).unwrap_or("");
            let inner = rest.split(')').next().unwrap_or("");
            found.extend(inner.split('"').skip(1).step_by(2));
        }
    }
    found
}
