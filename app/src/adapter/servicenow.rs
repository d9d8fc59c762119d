//! The audit log of a ServiceNow instance's incidents: one row for each change of a ticket, each with the whole ticket.
//!
//! Times are day/month/year and minutes without a zone, and are taken as UTC. The rows of one ticket come in the order in
//! which they were written; those of several may be mixed.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use holdback::{Event, Instant, Pack};
use serde_json::{Map, Value as Json};

use super::{Import, Rows};
use crate::read::{LogNotes, Record};

const COLUMNS: [&str; 5] = ["number", "incident_state", "priority", "opened_at", "sys_updated_at"];

/// Rows of the log into events.
pub(crate) struct ServiceNow {
    contract: String,
    columns: [usize; 5],
    tickets: HashMap<String, Ticket>,
    import: Import,
}

/// What the rows so far say of a ticket.
struct Ticket {
    state: State,
    priority: u8,
    responded: bool,
    /// The time of its last row, or when it was opened.
    last: Instant,
    /// Events made so far.
    count: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Active,
    /// Waits for the customer.
    Customer,
    /// Waits for somebody else, which is the supplier's own affair.
    Waiting,
    Resolved,
    Closed,
}

impl State {
    /// Nothing for a state that means nothing.
    fn read(text: &str) -> Result<Option<State>, String> {
        Ok(Some(match text {
            "New" => State::New,
            "Active" => State::Active,
            "Awaiting User Info" => State::Customer,
            "Awaiting Vendor" | "Awaiting Problem" | "Awaiting Evidence" => State::Waiting,
            "Resolved" => State::Resolved,
            "Closed" => State::Closed,
            "-100" => return Ok(None),
            _ => {
                return Err(format!(
                    "column `incident_state`: unknown state `{}`: expected New, Active, Awaiting User Info, Awaiting \
                     Vendor, Awaiting Problem, Awaiting Evidence, Resolved, Closed or -100",
                    short(text)
                ));
            }
        }))
    }

    fn waits(self) -> bool {
        matches!(self, State::Customer | State::Waiting)
    }

    fn done(self) -> bool {
        matches!(self, State::Resolved | State::Closed)
    }
}

impl ServiceNow {
    /// Whether a header is one of these logs.
    pub(crate) fn fits(header: &Record) -> bool {
        COLUMNS.iter().all(|name| header.find(name).is_some())
    }

    pub(crate) fn new(header: &Record, pack: &Pack) -> Result<ServiceNow, String> {
        let missing: Vec<&str> = COLUMNS.into_iter().filter(|name| header.find(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(format!("no column `{}`: expected a ServiceNow incident log", missing.join("`, `")));
        }
        Ok(ServiceNow {
            contract: pack.contracts.first().cloned().unwrap_or_default(),
            columns: COLUMNS.map(|name| header.find(name).unwrap_or_default()),
            tickets: HashMap::new(),
            import: Import { adapter: "servicenow-log", ..Import::default() },
        })
    }
}

impl Rows for ServiceNow {
    fn take(&mut self, row: &Record, events: &mut Vec<Event>) -> Result<(), String> {
        let [number, state, priority, opened, updated] = self.columns.map(|place| row.get(place));
        if number.is_empty() {
            return Err("column `number` is empty: expected the ticket".to_owned());
        }
        let state = State::read(state)?;
        let updated = time("sys_updated_at", updated)?;
        let Some(state) = state else {
            self.import.rows += 1;
            self.import.ignored += 1;
            self.import.last = self.import.last.max(Some(updated));
            return Ok(());
        };
        let priority = level(priority)?;
        let known = self.tickets.get_mut(number);
        let opened = match &known {
            None => Some(time("opened_at", opened)?),
            Some(_) => None,
        };
        // Nothing can go wrong any more: what is counted from here on stays.
        self.import.rows += 1;
        self.import.last = self.import.last.max(opened).max(Some(updated));
        let ticket = match known {
            Some(known) => known,
            None => {
                self.import.tickets += 1;
                let last = opened.unwrap_or(updated);
                let new = Ticket { state: State::New, priority, responded: false, last, count: 0 };
                self.tickets.entry(number.to_owned()).or_insert(new)
            }
        };
        self.import.raised += u64::from(updated < ticket.last);
        let at = updated.max(ticket.last);
        ticket.last = at;
        let mut teller =
            Teller { contract: &self.contract, number, ticket, import: &mut self.import, at, events };
        if let Some(opened) = opened {
            teller.tell_at("reported", opened, named_priority(priority));
        }
        teller.change(state, priority);
        Ok(())
    }

    fn notes(&self) -> LogNotes {
        LogNotes { last: self.import.last, import: Some(self.import.clone()) }
    }
}

/// Writes the events of one row.
struct Teller<'a> {
    contract: &'a str,
    number: &'a str,
    ticket: &'a mut Ticket,
    import: &'a mut Import,
    at: Instant,
    events: &'a mut Vec<Event>,
}

impl Teller<'_> {
    fn change(&mut self, to: State, priority: u8) {
        let from = std::mem::replace(&mut self.ticket.state, to);
        if to != State::New && !std::mem::replace(&mut self.ticket.responded, true) {
            self.tell("responded");
        }
        if from != to {
            if from.done() && to != State::Closed {
                self.tell("reopened");
            }
            let back = from.waits() && matches!(to, State::New | State::Active);
            if back || (from == State::Customer && to == State::Waiting) {
                self.tell("resumed");
            }
            match to {
                State::Customer => {
                    self.tell_at(
                        "paused",
                        self.at,
                        [("reason".to_owned(), Json::from("customer"))].into_iter().collect(),
                    );
                }
                State::Resolved => self.tell("resolved"),
                State::Closed => self.tell("closed"),
                State::New | State::Active | State::Waiting => {}
            }
        }
        if std::mem::replace(&mut self.ticket.priority, priority) != priority {
            self.tell_at("updated", self.at, named_priority(priority));
        }
    }

    fn tell(&mut self, kind: &'static str) {
        self.tell_at(kind, self.at, Map::new());
    }

    fn tell_at(&mut self, kind: &'static str, at: Instant, data: Map<String, Json>) {
        self.ticket.count += 1;
        *self.import.events.entry(kind).or_default() += 1;
        self.events.push(Event {
            // Events of one instant are ordered by their ids: the number has so many digits that this is the order of rows.
            id: format!("{}#{:06}", self.number, self.ticket.count),
            contract: self.contract.to_owned(),
            ticket: Some(self.number.to_owned()),
            kind: kind.to_owned(),
            at,
            actor: None,
            via: None,
            data,
        });
    }
}

fn named_priority(level: u8) -> Map<String, Json> {
    [("priority".to_owned(), Json::from(format!("P{level}")))].into_iter().collect()
}

/// The digit with which a priority begins: `3 - Moderate`.
fn level(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [digit @ b'1'..=b'4'] | [digit @ b'1'..=b'4', b' ', ..] => Ok(digit - b'0'),
        _ => Err(format!("column `priority`: `{}`: expected 1 to 4, such as `3 - Moderate`", short(text))),
    }
}

/// A time as the log writes it: `29/2/2016 01:16`.
fn time(column: &str, text: &str) -> Result<Instant, String> {
    read_time(text).ok_or_else(|| {
        format!("column `{column}`: `{}` is not a time: expected day/month/year hour:minute, such as `29/2/2016 01:16`", short(text))
    })
}

fn read_time(text: &str) -> Option<Instant> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u32>().ok() } else { None }
    };
    let (date, clock) = text.split_once(' ')?;
    let (day, rest) = date.split_once('/')?;
    let (month, year) = rest.split_once('/')?;
    let (hour, minute) = clock.split_once(':')?;
    if year.len() != 4 || minute.len() != 2 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, number(month)?, number(day)?)?;
    let time: DateTime<Utc> = date.and_hms_opt(number(hour)?, number(minute)?, 0)?.and_utc();
    Instant::from_chrono(&time).ok()
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
