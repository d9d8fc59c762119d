//! Tickets of a pack made up from a tape: histories of events, and when they are looked at.

use holdback::{Event, Fact, FactType, Instant, Pack, Span};
use serde_json::{Map, Value, json};

use super::generate::choices::Choices;

/// What is told of a ticket.
#[derive(Debug)]
pub(crate) struct History {
    /// Events of the contract.
    pub(crate) contract: Vec<Event>,
    /// Events of the ticket, the report first.
    pub(crate) ticket: Vec<Event>,
    pub(crate) as_of: Instant,
}

/// An instant around the dates from which terms hold, at any time of the day.
fn instant(dice: &mut Choices) -> Instant {
    let day = 86_400;
    let from = match dice.below(8) {
        0 => 1_456_000_000,
        1 => 1_577_836_800 - day,
        _ => 1_767_225_600,
    };
    let span = if dice.one_in(3) { 400 * day } else { 20 * day };
    seconds(from + dice.number().rem_euclid(span))
}

fn seconds(n: i64) -> Instant {
    Instant::from_seconds(n).expect("a year that there is")
}

fn value(dice: &mut Choices, of: &FactType) -> Value {
    match of {
        FactType::Bool => json!(dice.one_in(2)),
        FactType::Integer => json!(dice.pick(&[0, 1, -1, 7, i64::MAX, i64::MIN])),
        FactType::Money => json!(dice.pick(&["0.00", "12.50", "-1.00"])),
        FactType::Text => json!(dice.pick(&["", "x"])),
        FactType::Instant if dice.one_in(2) => {
            json!(dice.pick(&["2026-01-20", "2027-01-01", "2026-02-30T25:00:00Z"]))
        }
        FactType::Instant => json!(instant(dice).to_string()),
        FactType::OneOf(values) => json!(dice.pick(values).as_str()),
    }
}

/// Facts of an event: some of them, or all.
fn facts(dice: &mut Choices, all: &[Fact]) -> Map<String, Value> {
    let rare = dice.pick(&[1, 2, 4]);
    let told = all.iter().filter_map(|fact| {
        let known = dice.one_in(rare);
        known.then(|| (fact.name.clone(), value(dice, &fact.of)))
    });
    told.collect()
}

/// Makes up a history of a ticket under a pack, with events of these kinds.
pub(crate) fn history(dice: &mut Choices, pack: &Pack, kinds: &[&str]) -> History {
    let contract = pack.contracts.first().cloned().unwrap_or_default();
    let mut at = instant(dice);
    let event = |id: usize, ticket: Option<&str>, kind: &str, at: Instant, data: Map<String, Value>| Event {
        id: format!("e{id:02}"),
        contract: contract.clone(),
        ticket: ticket.map(str::to_owned),
        kind: kind.to_owned(),
        at,
        actor: None,
        via: None,
        data,
    };
    let mut own = pack.opening_events(&contract);
    for (id, kind) in [(0, "signed"), (1, "project_accepted")] {
        if !dice.one_in(3) {
            own.push(event(id, None, kind, instant(dice), Map::new()));
        }
    }
    let mut first = event(10, Some("T-1"), "reported", at, facts(dice, pack.facts()));
    first.via = dice.pick(&[None, Some("web"), Some("phone"), Some("")]).map(str::to_owned);
    let mut told = vec![first];
    for id in 11..11 + dice.below(9) {
        at = later(at, dice.pick(&[0, 5, 45, 150, 1_500, 9_000]));
        let kind = dice.pick(kinds);
        let mut data = facts(dice, pack.facts());
        match kind {
            "cancelled" => data = [("receipt".to_owned(), json!(dice.one_in(2)))].into_iter().collect(),
            "paused" | "resumed" => {
                data =
                    [("reason".to_owned(), json!(dice.pick(&["customer", "parts"])))].into_iter().collect();
            }
            _ => {}
        }
        told.push(event(id, Some("T-1"), kind, at, data));
    }
    let as_of = later(at, dice.pick(&[0, 30, 600, 20_000, 600_000]));
    History { contract: own, ticket: told, as_of }
}

fn later(at: Instant, minutes: i64) -> Instant {
    at.checked_add(Span::minutes(minutes)).expect("a year that there is")
}
