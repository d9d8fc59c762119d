//! A second, slow model of clocks and money, compared with the engine over random histories.

mod clocks;
pub(crate) mod history;
mod money;

use clocks::{Cal, Found, Length, Pauses, Spec, Start, table, walk};
use history::{History, MOVING_FLOOR, TICKETS, minute};
use holdback::{ClockState, Engine, Event, assess};
use money::{Account, Line, Price, settle};
use proptest::prelude::*;

/// The facts that the test pack's scripts read, as they stand.
struct Facts {
    kind: String,
    m: i64,
    n: i64,
    plan: Option<i64>,
}

/// The events of one ticket, or of the contract itself, that have happened.
fn events_of<'a>(history: &'a History, contract: &str, ticket: Option<&str>) -> Vec<&'a Event> {
    let of = |event: &&Event| {
        event.contract == contract && event.ticket.as_deref() == ticket && event.at <= history.as_of
    };
    let mut events: Vec<&Event> = history.events.iter().filter(of).collect();
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    events
}

/// The facts, or nothing when the scripts would read one that nobody has told.
fn facts(events: &[&Event]) -> Option<Facts> {
    let told = |name: &str| events.iter().rev().find_map(|event| event.data.get(name));
    let plan = told("plan_due").map(|plan| {
        let plan: holdback::Instant = plan.as_str().unwrap().parse().unwrap();
        plan.micros() / 60_000_000
    });
    Some(Facts {
        kind: told("kind")?.as_str()?.to_owned(),
        m: told("m")?.as_i64()?,
        n: told("n")?.as_i64()?,
        plan,
    })
}

/// The clocks that the test pack's scripts set, in Rust.
fn specs(facts: &Facts, accepted: bool, base: i64) -> Vec<Spec> {
    const REPORTED: Start = Start::On(&["reported"]);
    let customer: Pauses = Pauses::For(&["customer"]);
    let (m, n) = (Length::Minutes(facts.m), Length::Minutes(facts.n));
    let mut specs = Vec::new();
    let mut add = |clause, name, start, length: &Length, cal, pauses: &Pauses, stops| {
        let (length, pauses) = (length.clone(), pauses.clone());
        let pause_max = (name == "held").then_some(200);
        specs.push(Spec { clause, name, start, length, stops, cal, pauses, pause_max });
    };
    add("1", "plain", REPORTED, &m, Cal::Always, &Pauses::Never, &["resolved", "responded"][..]);
    add("1", "answer", REPORTED, &n, Cal::Work, &Pauses::Any, &["responded", "accepted"]);
    add("1", "fix", REPORTED, &m, Cal::Work, &Pauses::For(&["customer", "parts"]), &["resolved", "closed"]);
    add("1", "plan", Start::BreachOf("fix"), &n, Cal::Work, &customer, &["plan_proposed", "resolved"]);
    add("1", "last", Start::BreachOf("plan"), &m, Cal::Always, &Pauses::Never, &["resolved"]);
    add("2", "next", REPORTED, &m, Cal::Next, &customer, &["accepted", "resolved"]);
    add("2", "night", REPORTED, &n, Cal::Night, &Pauses::Any, &["resolved", "closed"]);
    let begun = Start::On(&["responded", "work_started"]);
    add("2", "begun", begun, &n, Cal::Night, &Pauses::Never, &["resolved"]);
    let held = Pauses::For(&["customer", "parts"]);
    add("2", "held", REPORTED, &m, Cal::Work, &held, &["resolved"]);
    if facts.kind == "b" || accepted {
        add("3", "days", REPORTED, &Length::Days(2), Cal::Always, &Pauses::Never, &["resolved"]);
        let parts = Pauses::For(&["parts"]);
        add("3", "working", REPORTED, &Length::WorkingDays(1), Cal::Work, &parts, &["closed", "resolved"]);
        if let Some(plan) = facts.plan {
            let agreed = Start::On(&["plan_agreed"]);
            add("3", "agreed", agreed, &Length::Until(plan), Cal::Work, &Pauses::Never, &["resolved"]);
            let before = Length::Until(table(Cal::Work, base).close_before(plan, 1));
            add("3", "ready", REPORTED, &before, Cal::Work, &Pauses::Never, &["accepted"]);
        }
    }
    specs
}

/// Every clock of a ticket; nothing when it cannot be assessed.
fn clocks(history: &History, contract: &str, ticket: &str) -> Option<Vec<(Spec, Found)>> {
    let events = events_of(history, contract, Some(ticket));
    if !events.iter().any(|event| event.kind == "reported") {
        return Some(Vec::new());
    }
    let facts = facts(&events)?;
    let accepted = events_of(history, contract, None).iter().any(|event| event.kind == "project_accepted");
    let as_of = history.as_of.micros() / 60_000_000;
    let force = events_of(history, contract, None);
    let mut moves = events;
    moves.extend(force.into_iter().filter(|event| event.kind.starts_with("force_majeure")));
    moves.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut clocks: Vec<(Spec, Found)> = Vec::new();
    for spec in specs(&facts, accepted, history.base) {
        let parent = match spec.start {
            Start::BreachOf(parent) => clocks.iter().find(|(spec, _)| spec.name == parent),
            Start::On(_) => None,
        };
        let found = walk(&spec, history.base, &moves, parent.map(|(_, found)| found), as_of);
        clocks.push((spec, found));
    }
    Some(clocks)
}

/// What the test pack's scripts ask for a breach, in fen: since when how much in all.
fn prices(spec: &Spec, due: i64, found: &Found) -> Vec<(i64, i64)> {
    let late = (1..).zip(&found.late_at);
    match (spec.clause, spec.name) {
        ("1", "fix") => vec![(due, 100_000)],
        ("1", _) => vec![(due, 50_000)],
        // An hour costs as soon as it begins, with the first minute of it that runs.
        ("2", _) => late.filter(|(n, _)| n % 60 == 1).map(|(n, at)| (at - 1, 7_000 * (n / 60 + 1))).collect(),
        // Half an hour costs when it is over; more than 1500 yuan it never costs.
        _ => {
            let full = late.filter(|(n, _)| n % 30 == 0).map(|(n, at)| (*at, 7_000 * (n / 30)));
            full.map(|(at, sum): (i64, i64)| (at, sum.min(150_000))).take(22).collect()
        }
    }
}

/// Compares one ticket and gives what it owes.
fn compare_clocks(history: &History, contract: &str, ticket: &str) -> Result<Vec<Price>, TestCaseError> {
    let of = |t: Option<&str>| -> Vec<Event> {
        let events = history.events.iter().filter(|e| e.contract == contract && e.ticket.as_deref() == t);
        events.cloned().collect()
    };
    let found = assess(history.pack(), &of(None), &of(Some(ticket)), history.as_of).unwrap();
    let Some(expected) = clocks(history, contract, ticket) else {
        prop_assert!(found.fault.is_some(), "{contract}/{ticket}: a fact is missing, yet it is judged");
        return Ok(Vec::new());
    };
    prop_assert_eq!(&found.fault, &None);
    let names: Vec<(&str, &str)> =
        found.clocks.iter().map(|c| (c.clause.as_str(), c.clock.as_str())).collect();
    let wanted: Vec<(&str, &str)> = expected.iter().map(|(spec, _)| (spec.clause, spec.name)).collect();
    prop_assert_eq!(names, wanted);
    let mut prices = Vec::new();
    for (clock, (spec, wanted)) in found.clocks.iter().zip(&expected) {
        let what =
            format!("{contract}/{ticket}/{}/{}: {wanted:?}, the engine: {clock:?}", spec.clause, spec.name);
        prop_assert_eq!(clock.state, wanted.state, "state of {}", what);
        if let (Some(due), true) = (wanted.due, wanted.state != ClockState::Cancelled) {
            prop_assert_eq!(clock.due, Some(minute(due)), "due of {}", what);
        }
        prop_assert_eq!(clock.stopped, wanted.stopped.map(minute), "stop of {}", what);
        prop_assert_eq!(clock.late.whole_seconds(), wanted.late * 60, "lateness of {}", what);
        if let (ClockState::Breached | ClockState::Late, Some(due)) = (wanted.state, wanted.due) {
            let id = format!("{ticket}/{}/{}", spec.clause, spec.name);
            let steps = self::prices(spec, due, wanted);
            prices.push(Price { id, steps: steps.into_iter().map(|(at, sum)| (minute(at), sum)).collect() });
        }
    }
    prices.retain(|price| !price.steps.is_empty());
    let owed: Vec<(String, i64)> = found.penalties.iter().map(|p| (p.id.clone(), p.amount.minor())).collect();
    let wanted: Vec<(String, i64)> = prices.iter().map(|p| (p.id.clone(), p.amount())).collect();
    prop_assert_eq!(owed, wanted);
    Ok(prices)
}

/// Compares the books of one contract.
fn compare_money(history: &History, contract: &str, prices: &[Price]) -> Result<(), TestCaseError> {
    let mut engine = Engine::live(minute(history.base));
    engine.open(std::sync::Arc::clone(history.pack())).unwrap();
    for event in &history.events {
        engine.submit(event.clone()).unwrap();
    }
    engine.advance(history.as_of).unwrap();
    let statement = engine.statement(contract).unwrap();
    let floor = if history.pack == 0 { 0 } else { 100_000 };
    let wanted = settle(&events_of(history, contract, None), prices, floor, history.pack == 2);
    let lines = statement.penalties.iter().map(|line| {
        let (amount, deducted) = (line.amount.minor(), line.deducted.minor());
        (line.id.clone(), Line { amount, deducted, shortfall: line.shortfall.minor(), state: line.state })
    });
    let found = Account { balance: statement.deposit.balance.minor(), lines: lines.collect() };
    prop_assert_eq!(&found, &wanted);
    let shortfall: i64 = wanted.lines.values().map(|line| line.shortfall).sum();
    prop_assert_eq!(statement.deposit.shortfall.minor(), shortfall);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2500, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_the_slow_model(history in history::in_minutes()) {
        for contract in ["c", "d"] {
            let mut prices = Vec::new();
            for (_, ticket) in TICKETS.iter().filter(|(of, _)| *of == contract) {
                prices.extend(compare_clocks(&history, contract, ticket)?);
            }
            if history.pack != MOVING_FLOOR {
                compare_money(&history, contract, &prices)?;
            }
        }
    }
}

/// The comparison above is worth something only when the histories get everywhere.
#[test]
fn random_histories_reach_every_state() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = history::in_minutes();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let history = strategy.new_tree(&mut runner).unwrap().current();
        for contract in ["c", "d"] {
            let mut prices = Vec::new();
            for (_, ticket) in TICKETS.iter().filter(|(of, _)| *of == contract) {
                for (spec, found) in clocks(&history, contract, ticket).unwrap_or_default() {
                    seen.insert(format!("{:?} in {:?}", found.state, spec.cal));
                    if matches!(found.state, ClockState::Breached | ClockState::Late) {
                        let id = format!("{ticket}/{}/{}", spec.clause, spec.name);
                        prices.push(Price { id, steps: vec![(minute(found.due.unwrap()), 40_000)] });
                    }
                }
            }
            let account = settle(&events_of(&history, contract, None), &prices, 100_000, history.pack == 2);
            seen.extend(account.lines.values().map(|line| format!("{:?}", line.state)));
        }
    }
    let states = ["Waiting", "Running", "Met", "Breached", "Late", "Cancelled"];
    let mut wanted: Vec<String> = ["Always", "Work", "Night"]
        .iter()
        .flat_map(|cal| states.iter().map(move |state| format!("{state} in {cal}")))
        .collect();
    wanted.extend(
        ["Running in Next", "Paused in Next", "Paused in Work", "Paused in Night"].map(str::to_owned),
    );
    wanted.extend(["Deducted", "Partly", "Shortfall", "Held", "Waived"].map(str::to_owned));
    let missing: Vec<&String> = wanted.iter().filter(|wanted| !seen.contains(*wanted)).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}");
}
