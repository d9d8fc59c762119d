//! A pack's test cases: events, and what they must come to.

mod contract;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::ClockState;
use crate::engine::Engine;
use crate::event::{CONTRACT_KINDS, Event};
use crate::ledger::PenaltyState;
use crate::{Instant, Pack};

/// How one case came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseOutcome {
    /// The file within the pack.
    pub file: String,
    /// The case's name.
    pub name: String,
    /// The clause it is about.
    pub clause: String,
    /// Where answer and expectation differ; empty when the case holds.
    pub differences: Vec<Difference>,
}

/// One difference between what a case expects and what the engine answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs, such as `clocks.repair.due`.
    pub what: String,
    /// What the case expects.
    pub expected: String,
    /// What the engine answers.
    pub found: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(default)]
    case: Vec<CaseEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseEntry {
    name: String,
    clause: String,
    as_of: Instant,
    #[serde(default)]
    ticket: Option<String>,
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    events: Vec<EventEntry>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventEntry {
    id: Option<String>,
    contract: Option<String>,
    ticket: Option<String>,
    kind: String,
    at: Instant,
    actor: Option<String>,
    via: Option<String>,
    #[serde(default)]
    data: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    class: Option<String>,
    class_clause: Option<String>,
    status: Option<String>,
    applies: Option<Vec<String>>,
    applies_not: Option<Vec<String>>,
    findings: Option<Vec<String>>,
    error: Option<String>,
    penalties: Option<Vec<ExpectPenalty>>,
    #[serde(default)]
    on_call: Vec<ExpectOnCall>,
    deposit: Option<BTreeMap<String, String>>,
    #[serde(default)]
    clocks: BTreeMap<String, ExpectClock>,
    contract: Option<contract::ExpectContract>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectPenalty {
    clock: String,
    clause: Option<String>,
    amount: String,
    state: Option<PenaltyState>,
}

/// Who is on call for a role at an instant, by their keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectOnCall {
    role: String,
    at: Instant,
    contacts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectClock {
    state: Option<ClockState>,
    due: Option<Instant>,
    late: Option<i64>,
    clause: Option<String>,
}

const TICKET: &str = "T1";

/// Runs every case of a pack, each in an engine of its own.
///
/// A file that cannot be read is told as a case that fails, so that no case is lost unseen.
pub fn run_cases(pack: &Arc<Pack>) -> Vec<CaseOutcome> {
    let mut outcomes = Vec::new();
    for (file, text) in pack.case_files() {
        match toml::from_str::<CaseFile>(text) {
            Ok(cases) if !cases.case.is_empty() => {
                outcomes.extend(cases.case.into_iter().map(|case| run(pack, file, case)));
            }
            Ok(_) => outcomes.push(unreadable(file, "at least one `[[case]]`", "none")),
            Err(error) => outcomes.push(unreadable(file, "cases", error.to_string().trim())),
        }
    }
    outcomes
}

fn unreadable(file: &str, expected: &str, found: &str) -> CaseOutcome {
    let differences =
        vec![Difference { what: "file".into(), expected: expected.into(), found: found.into() }];
    CaseOutcome { file: file.into(), name: file.into(), clause: String::new(), differences }
}

fn run(pack: &Arc<Pack>, file: &str, case: CaseEntry) -> CaseOutcome {
    let mut check = Check { differences: Vec::new() };
    let (name, clause) = (case.name.clone(), case.clause.clone());
    if !pack.clauses.iter().any(|known| known.id == clause) {
        check.differ("clause", "a clause of contract.md", &clause);
    }
    check.on_call(pack, &case.expect.on_call);
    match replay(pack, &case) {
        Ok((engine, contract)) => check.compare(&engine, &contract, &case),
        Err(message) => match &case.expect.error {
            Some(expected) => check.contains("error", expected, &message),
            None => check.differ("events", "to be taken", &message),
        },
    }
    CaseOutcome { file: file.to_owned(), name, clause, differences: check.differences }
}

fn replay(pack: &Arc<Pack>, case: &CaseEntry) -> Result<(Engine, String), String> {
    let mut pack = Arc::clone(pack);
    for (name, value) in &case.set {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        pack = Arc::new(pack.with_term(name, &value).map_err(|e| e.to_string())?);
    }
    let contract = pack.contracts.first().cloned().unwrap_or_default();
    let mut engine = Engine::new();
    engine.open(pack).map_err(|e| e.to_string())?;
    for (i, entry) in case.events.iter().enumerate() {
        let of_contract = CONTRACT_KINDS.contains(&entry.kind.as_str());
        let ticket = entry.ticket.clone().or_else(|| (!of_contract).then(|| TICKET.to_owned()));
        let event = Event {
            id: entry.id.clone().unwrap_or_else(|| format!("e{:04}", i + 1)),
            contract: entry.contract.clone().unwrap_or_else(|| contract.clone()),
            ticket,
            kind: entry.kind.clone(),
            at: entry.at,
            actor: entry.actor.clone(),
            via: entry.via.clone(),
            data: entry.data.clone(),
        };
        if event.at > case.as_of {
            return Err(format!("event `{}` at {} lies after `as_of` {}", event.id, event.at, case.as_of));
        }
        engine.submit(event).map_err(|e| e.to_string())?;
    }
    engine.advance(case.as_of).map_err(|e| e.to_string())?;
    Ok((engine, contract))
}

struct Check {
    differences: Vec<Difference>,
}

impl Check {
    fn differ(&mut self, what: &str, expected: impl ToString, found: impl ToString) {
        let (expected, found) = (expected.to_string(), found.to_string());
        self.differences.push(Difference { what: what.to_owned(), expected, found });
    }

    fn same(&mut self, what: &str, expected: impl ToString, found: impl ToString) {
        let (expected, found) = (expected.to_string(), found.to_string());
        if expected != found {
            self.differ(what, expected, found);
        }
    }

    fn contains(&mut self, what: &str, expected: &str, found: &str) {
        if !found.contains(expected) {
            self.differ(what, format!("... {expected} ..."), found);
        }
    }

    fn on_call(&mut self, pack: &Pack, expect: &[ExpectOnCall]) {
        for ExpectOnCall { role, at, contacts } in expect {
            if !pack.roles.iter().any(|known| known.name == *role) {
                self.differ("on_call", "a role of pack.toml", role);
                continue;
            }
            let found = pack.roster().on_call(role, *at);
            let found: Vec<&str> = found.iter().map(|contact| contact.key.as_str()).collect();
            let list = |keys: String| if keys.is_empty() { "nobody".to_owned() } else { keys };
            self.same(&format!("on_call.{role} at {at}"), list(contacts.join(", ")), list(found.join(", ")));
        }
    }

    fn compare(&mut self, engine: &Engine, contract: &str, case: &CaseEntry) {
        let ticket = case.ticket.as_deref().unwrap_or(TICKET);
        let expect = &case.expect;
        if let Some(found) = engine.assessment(contract, ticket) {
            self.ticket(expect, &found);
        } else if !expect.clocks.is_empty() || expect.class.is_some() {
            self.differ("ticket", ticket, "no events");
        }
        self.money(expect, engine, contract, ticket);
        if let Some(expect) = &expect.contract {
            self.contract(expect, engine, contract);
        }
    }

    fn ticket(&mut self, expect: &Expect, found: &crate::Assessment) {
        match (&expect.error, &found.fault) {
            (Some(expected), Some(fault)) => self.contains("error", expected, &fault.to_string()),
            (Some(expected), None) => self.differ("error", expected, "none"),
            (None, Some(fault)) => self.differ("error", "none", fault),
            (None, None) => {}
        }
        let class = found.class.as_ref();
        if let Some(expected) = &expect.class {
            let word = class.map_or("none", |class| if class.free { "free" } else { "paid" });
            self.same("class", expected, word);
        }
        if let Some(expected) = &expect.class_clause {
            self.same("class_clause", expected, class.map_or("none", |class| &class.clause));
        }
        if let Some(expected) = &expect.status {
            self.same("status", expected, format!("{:?}", found.status).to_lowercase());
        }
        for expected in expect.applies.iter().flatten().filter(|id| !found.applies.contains(id)) {
            self.differ("applies", expected, format!("only {}", found.applies.join(", ")));
        }
        for unexpected in expect.applies_not.iter().flatten().filter(|id| found.applies.contains(id)) {
            self.differ("applies_not", format!("{unexpected} does not apply"), "it applies");
        }
        if let Some(expected) = &expect.findings {
            let list: Vec<&str> = found.findings.iter().map(|finding| finding.clause.as_str()).collect();
            self.same("findings", expected.join(", "), list.join(", "));
        }
        for (name, expected) in &expect.clocks {
            let of_clause = |clause: &str| expected.clause.as_deref().is_none_or(|c| c == clause);
            match found.clocks.iter().find(|clock| clock.clock == *name && of_clause(&clock.clause)) {
                Some(clock) => self.clock(name, expected, clock),
                None => self.differ(&format!("clocks.{name}"), "a clock of this name", "none"),
            }
        }
    }

    fn clock(&mut self, name: &str, expected: &ExpectClock, found: &crate::ClockOutcome) {
        if let Some(state) = expected.state {
            self.same(&format!("clocks.{name}.state"), format!("{state:?}"), format!("{:?}", found.state));
        }
        if let Some(due) = expected.due {
            let found = found.due.map_or("none".to_owned(), |due| due.to_string());
            self.same(&format!("clocks.{name}.due"), due, found);
        }
        if let Some(late) = expected.late {
            self.same(&format!("clocks.{name}.late"), late, found.late.whole_seconds());
        }
    }

    fn money(&mut self, expect: &Expect, engine: &Engine, contract: &str, ticket: &str) {
        let Some(statement) = engine.statement(contract) else { return };
        if let Some(expected) = &expect.penalties {
            let found: Vec<_> = statement.penalties.iter().filter(|line| line.ticket == ticket).collect();
            if expected.len() != found.len() {
                let list: Vec<String> = found
                    .iter()
                    .map(|line| format!("{} {} ({:?})", line.clock, line.amount, line.state))
                    .collect();
                self.differ(
                    "penalties",
                    format!("{} of them", expected.len()),
                    format!("[{}]", list.join(", ")),
                );
                return;
            }
            for expected in expected {
                let of_clause = |clause: &str| expected.clause.as_deref().is_none_or(|c| c == clause);
                let line = found.iter().find(|line| line.clock == expected.clock && of_clause(&line.clause));
                let what = format!("penalties.{}", expected.clock);
                let Some(line) = line else {
                    self.differ(&what, &expected.amount, "none");
                    continue;
                };
                self.same(&format!("{what}.amount"), &expected.amount, line.amount.amount());
                if let Some(state) = expected.state {
                    self.same(&format!("{what}.state"), format!("{:?}", state), format!("{:?}", line.state));
                }
            }
        }
        for (name, expected) in expect.deposit.iter().flatten() {
            let deposit = &statement.deposit;
            let found = match name.as_str() {
                "paid" => deposit.paid,
                "released" => deposit.released,
                "deducted" => deposit.deducted,
                "balance" => deposit.balance,
                "floor" => deposit.floor,
                "shortfall" => deposit.shortfall,
                "held" => deposit.held,
                "waived" => deposit.waived,
                "disputed" => deposit.disputed,
                "cut" => deposit.cut,
                "earned_back" => deposit.earned_back,
                _ => {
                    self.differ(&format!("deposit.{name}"), "a sum of the statement", "no such sum");
                    continue;
                }
            };
            self.same(&format!("deposit.{name}"), expected, found.amount());
        }
    }
}
