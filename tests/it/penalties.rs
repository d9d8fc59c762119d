//! The laws of penalties: broken ones are found with the ticket that shows it, right ones are left in peace.

mod broken;
mod contract;
mod kept;
mod random;

use std::collections::BTreeMap;

use holdback::{
    Assessment, Counterexample, Event, Instant, Law, LawOutcome, LawVerdict, Pack, Span, assess, check_laws,
};

const PACK: &str = r#"format = 1
name = "penalties"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c"]
[facts.kind]
type = "one-of"
values = ["failure", "wish", "question"]
[facts.priority]
type = "one-of"
values = ["P1", "P2", "P3"]
[facts.urgent]
type = "bool"
[facts.users]
type = "integer"
[facts.fee]
type = "money"
[facts.seen_at]
type = "instant"
[roles.lead]
doc = "lead"
"#;

/// `fine` falls on a date; `late_term` begins after the others.
const TERMS: &str = r#"
fine = { clause = "1", unit = "CNY", values = [{ from = 2026-01-01, value = "100.00" }] }
more = { clause = "1", unit = "CNY", values = [{ from = 2026-01-01, value = "250.00" }] }
top = { clause = "1", unit = "CNY", values = [{ from = 2026-01-01, value = "500.00" }] }
falling = { clause = "1", unit = "CNY", values = [{ from = 2026-01-01, value = "100.00" }, { from = 2027-01-01, value = "50.00" }] }
late_term = { clause = "2", unit = "CNY", values = [{ from = 2027-01-01, value = "100.00" }] }
grace = { clause = "1", unit = "hours", values = [{ from = 2026-01-01, value = 24 }] }
rate = { clause = "1", unit = "percent", values = [{ from = 2026-01-01, value = "2.5" }] }
"#;

const REPAIR: &str = r#"fn deadlines(ticket) { [due("repair").within(hours(2)).met_by("resolved")] }"#;

/// A pack of these clauses, numbered from 1, the last of them with the floor.
fn pack_with(clauses: &[&str]) -> Pack {
    pack_with_facts("", clauses)
}

fn pack_with_facts(facts: &str, clauses: &[&str]) -> Pack {
    Pack::from_files(files_with(facts, clauses)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn files_with(facts: &str, clauses: &[&str]) -> BTreeMap<String, String> {
    // A term that begins later than its clause refuses the pack: only the packs that are about it have it.
    let late = clauses.iter().any(|clause| clause.contains("late_term"));
    let terms: Vec<&str> = TERMS.lines().filter(|line| late || !line.starts_with("late_term")).collect();
    let mut files: BTreeMap<String, String> =
        [("pack.toml".to_owned(), format!("{PACK}{facts}")), ("terms.toml".to_owned(), terms.join("\n"))]
            .into();
    let mut contract = String::new();
    for (i, text) in (1..).zip(clauses) {
        contract += &format!("# [{i}] Clause {i}\n");
        files.insert(format!("clauses/{i}.rhai"), format!("//! clause: {i}\n{text}\n"));
    }
    files.insert("contract.md".to_owned(), contract);
    files
}

fn pack_of(clauses: &[&str]) -> Pack {
    let floor = "fn deposit_floor() { yuan(0) }";
    pack_with(&clauses.iter().copied().chain([floor]).collect::<Vec<_>>())
}

/// A pack of one clause with a clock `repair` and this more.
fn penalty(body: &str) -> Pack {
    // Headers stand before everything else.
    let (head, body) = match body.split_once("\n\n") {
        Some((head, body)) => (head, body),
        None => ("", body),
    };
    pack_of(&[format!("{head}\n{REPAIR}\n{body}").trim_start()])
}

fn outcome<'a>(outcomes: &'a [LawOutcome], law: Law, clause: &str) -> &'a LawOutcome {
    let found = outcomes.iter().find(|outcome| outcome.law == law && outcome.clause == clause);
    found.unwrap_or_else(|| panic!("no {law:?} of {clause}: {outcomes:#?}"))
}

fn counterexample(outcome: &LawOutcome) -> &Counterexample {
    match &outcome.verdict {
        LawVerdict::Broken(found) => found,
        other => panic!("{outcome}: {other:?}"),
    }
}

fn none_broken(outcomes: &[LawOutcome], what: &str) {
    for outcome in outcomes {
        assert!(!matches!(outcome.verdict, LawVerdict::Broken(_)), "{what}: {outcome}");
        assert_eq!(outcome.diagnostic(), None, "{what}");
    }
}

/// What the events of a counterexample come to as of an instant.
fn played(pack: &Pack, events: &[Event], as_of: Instant) -> Assessment {
    let (contract, ticket): (Vec<_>, Vec<_>) =
        events.iter().cloned().partition(|event| event.ticket.is_none());
    assess(pack, &contract, &ticket, as_of).unwrap()
}

/// What a breach of the clock `repair`, day and night, costs so late, in minor units; or the fault.
fn price(pack: &Pack, found: &Counterexample, clause: &str, late: Span) -> Result<i64, String> {
    let due = found.reported_at.unwrap().checked_add(Span::hours(2)).unwrap();
    // As of the due instant itself nothing is breached; then nothing is late either.
    let assessment = played(pack, &found.events, due.checked_add(late).unwrap());
    if let Some(fault) = assessment.fault {
        return Err(fault.message);
    }
    let of_clause = assessment.penalties.iter().find(|penalty| penalty.clause == clause);
    Ok(of_clause.map_or(0, |penalty| penalty.amount.minor()))
}

/// The events of a counterexample, played through the engine's own judgement, give its prices.
fn shows(pack: &Pack, outcome: &LawOutcome) {
    let found = counterexample(outcome);
    for at in found.prices.iter().filter(|at| at.late > Span::ZERO) {
        let played = price(pack, found, &outcome.clause, at.late);
        match at.amount.minor() {
            amount if amount < 0 => {
                assert!(played.is_err_and(|fault| fault.contains("zero or more")), "{outcome}")
            }
            amount => assert_eq!(played, Ok(amount), "{outcome}"),
        }
    }
    let diagnostic = outcome.diagnostic().unwrap();
    assert!(diagnostic.is_error(), "{diagnostic}");
    assert!(diagnostic.message.contains(&found.sentence), "{diagnostic}");
}

#[test]
fn the_same_pack_gives_the_same_answer() {
    let pack = penalty("fn penalty(breach) { terms.fine * breach.ticket.users }");
    assert_eq!(check_laws(&pack), check_laws(&pack));
}
