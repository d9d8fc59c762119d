//! What a case expects of the contract itself: duties, service levels, what they cost, what is wrong with what was told.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;

use super::Check;
use crate::Instant;
use crate::assess::{ContractAssessment, DutyOutcome, LevelOutcome};
use crate::clock::ClockState;
use crate::engine::Engine;
use crate::ledger::{PenaltyState, Statement, Subject};

/// The part of a case's expectations that is about the contract itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectContract {
    /// By occurrence and duty: `"2026-03-02T00:00/level0"`.
    #[serde(default)]
    duties: BTreeMap<String, ExpectDuty>,
    /// By period and level: `"2026-03/portal"`.
    #[serde(default)]
    levels: BTreeMap<String, ExpectLevel>,
    /// All penalties of duties and levels.
    penalties: Option<Vec<ExpectOwed>>,
    /// Words of each finding, in their order.
    findings: Option<Vec<String>>,
    /// Words of the fault.
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectDuty {
    state: Option<ClockState>,
    due: Option<Instant>,
    done: Option<Instant>,
    late: Option<i64>,
    clause: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectLevel {
    closed: Option<bool>,
    /// In percent; as many decimals as are written are compared.
    share: Option<String>,
    /// In seconds.
    downtime: Option<i64>,
    total: Option<i64>,
    met: Option<i64>,
    missed: Option<i64>,
    invoiced: Option<String>,
    credit: Option<String>,
    earned_back: Option<Instant>,
    closes: Option<Instant>,
    clause: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectOwed {
    /// The occurrence or period.
    subject: String,
    /// The duty or level.
    name: String,
    amount: String,
    /// What the caps leave of it, when that is asked.
    charged: Option<String>,
    state: Option<PenaltyState>,
}

impl Check {
    pub(super) fn contract(&mut self, expect: &ExpectContract, engine: &Engine, contract: &str) {
        let Some(found) = engine.contract_assessment(contract) else { return };
        for (id, expected) in &expect.duties {
            let of = |duty: &&DutyOutcome| format!("{}/{}", duty.subject, duty.duty) == *id;
            match found.duties.iter().find(of) {
                Some(duty) => self.duty(id, expected, duty),
                None => {
                    let known = found.duties.iter().map(|duty| format!("{}/{}", duty.subject, duty.duty));
                    self.absent(&format!("duties.{id}"), id, known.collect());
                }
            }
        }
        for (id, expected) in &expect.levels {
            let of = |level: &&LevelOutcome| format!("{}/{}", level.subject, level.level) == *id;
            match found.levels.iter().find(of) {
                Some(level) => self.level(id, expected, level),
                None => {
                    let known = found.levels.iter().map(|level| format!("{}/{}", level.subject, level.level));
                    self.absent(&format!("levels.{id}"), id, known.collect());
                }
            }
        }
        self.told(expect, &found);
        if let (Some(expected), Some(statement)) = (&expect.penalties, engine.statement(contract)) {
            self.owed(expected, &statement);
        }
    }

    fn absent(&mut self, what: &str, expected: &str, known: Vec<String>) {
        let known = if known.is_empty() { "none at all".to_owned() } else { known.join(", ") };
        self.differ(what, expected, known);
    }

    fn told(&mut self, expect: &ExpectContract, found: &ContractAssessment) {
        match (&expect.error, &found.fault) {
            (Some(expected), Some(fault)) => self.contains("contract.error", expected, &fault.to_string()),
            (Some(expected), None) => self.differ("contract.error", expected, "none"),
            (None, Some(fault)) => self.differ("contract.error", "none", fault),
            (None, None) => {}
        }
        let Some(expected) = &expect.findings else { return };
        let texts: Vec<&str> = found.findings.iter().map(|finding| finding.text.as_str()).collect();
        if texts.len() != expected.len() {
            self.differ("contract.findings", expected.join("; "), texts.join("; "));
            return;
        }
        for (expected, text) in expected.iter().zip(texts) {
            self.contains("contract.findings", expected, text);
        }
    }

    fn duty(&mut self, id: &str, expected: &ExpectDuty, found: &DutyOutcome) {
        let what = |field: &str| format!("duties.{id}.{field}");
        let instant = |at: Option<Instant>| at.map_or("none".to_owned(), |at| at.to_string());
        if let Some(state) = expected.state {
            self.same(&what("state"), format!("{state:?}"), format!("{:?}", found.state));
        }
        if let Some(due) = expected.due {
            self.same(&what("due"), due, instant(found.due));
        }
        if let Some(done) = expected.done {
            self.same(&what("done"), done, instant(found.done));
        }
        if let Some(late) = expected.late {
            self.same(&what("late"), late, found.late.whole_seconds());
        }
        if let Some(clause) = &expected.clause {
            self.same(&what("clause"), clause, &found.clause);
        }
    }

    fn level(&mut self, id: &str, expected: &ExpectLevel, found: &LevelOutcome) {
        let what = |field: &str| format!("levels.{id}.{field}");
        if let Some(share) = &expected.share {
            let percent = found.share * Decimal::ONE_HUNDRED;
            match share.parse::<Decimal>() {
                Ok(asked) => {
                    let nearest = RoundingStrategy::MidpointAwayFromZero;
                    let rounded = percent.round_dp_with_strategy(asked.scale(), nearest);
                    self.same(&what("share"), asked.normalize(), rounded.normalize());
                }
                Err(_) => self.differ(&what("share"), "a number of percent", share),
            }
        }
        let numbers = [
            ("downtime", expected.downtime, found.downtime.whole_seconds()),
            ("total", expected.total, found.total),
            ("met", expected.met, found.met),
            ("missed", expected.missed, found.missed),
        ];
        for (field, expected, found) in numbers {
            if let Some(expected) = expected {
                self.same(&what(field), expected, found);
            }
        }
        if let Some(closed) = expected.closed {
            self.same(&what("closed"), closed, found.closed);
        }
        if let Some(invoiced) = &expected.invoiced {
            self.same(&what("invoiced"), invoiced, found.invoiced.amount());
        }
        if let Some(credit) = &expected.credit {
            self.same(&what("credit"), credit, found.credit.map_or("none".to_owned(), |c| c.amount()));
        }
        let instants = [
            ("earned_back", expected.earned_back, found.earned_back),
            ("closes", expected.closes, Some(found.closes)),
        ];
        for (field, expected, found) in instants {
            if let Some(expected) = expected {
                self.same(&what(field), expected, found.map_or("none".to_owned(), |at| at.to_string()));
            }
        }
        if let Some(clause) = &expected.clause {
            self.same(&what("clause"), clause, &found.clause);
        }
    }

    fn owed(&mut self, expected: &[ExpectOwed], statement: &Statement) {
        let found: Vec<_> =
            statement.penalties.iter().filter(|line| line.subject != Subject::Ticket).collect();
        let named = |subject: &str, name: &str, amount: &str| format!("{subject}/{name} {amount}");
        let list = |mut all: Vec<String>| {
            all.sort_unstable();
            all.join(", ")
        };
        let asked = expected.iter().map(|owed| named(&owed.subject, &owed.name, &owed.amount)).collect();
        let told = found.iter().map(|line| named(&line.ticket, &line.clock, &line.amount.amount())).collect();
        self.same("contract.penalties", list(asked), list(told));
        for owed in expected {
            let same = |line: &&&crate::StatementLine| line.ticket == owed.subject && line.clock == owed.name;
            let Some(line) = found.iter().find(same) else { continue };
            let what = |field: &str| format!("contract.penalties.{}/{}.{field}", owed.subject, owed.name);
            if let Some(charged) = &owed.charged {
                let left = line.amount.minor() - line.cut.minor();
                let left = crate::Money::from_minor(left, line.amount.currency());
                self.same(&what("charged"), charged, left.amount());
            }
            if let Some(state) = owed.state {
                self.same(&what("state"), format!("{state:?}"), format!("{:?}", line.state));
            }
        }
    }
}
