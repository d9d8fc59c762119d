//! What decisions on a contract itself rest on, judged again: the occurrences, periods and findings that they name, and the deposit.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

use super::{ReceiptError, text};
use crate::assess::{ContractFinding, Counts, DutyOutcome, LevelOutcome, Own, PenaltyOutcome};
use crate::event::Event;
use crate::terms::TermValue;
use crate::{Engine, EngineError, Instant, Money, Pack};

/// How the deposit stands, where a decision speaks of it.
#[derive(Serialize)]
struct Deposit {
    paid: Money,
    balance: Money,
    floor: Money,
    /// Below it the deposit is low.
    mark: Option<Money>,
}

/// The parts of a contract's assessment that decisions name. As JSON it is what a receipt's digest is of.
#[derive(Serialize)]
pub(super) struct Parts {
    duties: Vec<DutyOutcome>,
    levels: Vec<LevelOutcome>,
    penalties: Vec<PenaltyOutcome>,
    findings: Vec<ContractFinding>,
    faults: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposit: Option<Deposit>,
    /// The levels that count clocks of tickets.
    #[serde(skip)]
    pub(super) counts: Vec<Counts>,
}

/// Occurrence or period, clause, and duty or level: how a decision names what it is on.
type Name = (String, String, String);

fn name(decision: &Value) -> Name {
    (text(decision, "subject"), text(decision, "clause"), text(decision, "clock"))
}

/// Whether a decision is on the deposit, which rests on everything that the contract owes.
pub(super) fn is_on_deposit(decision: &Value) -> bool {
    matches!(text(decision, "kind").as_str(), "deposit_low" | "deposit_exhausted")
}

impl Parts {
    /// Judges the contract by these events, and keeps what the decisions name.
    ///
    /// # Errors
    /// [`ReceiptError`] when an event is refused, or the books cannot follow.
    pub(super) fn judge(
        pack: &Arc<Pack>,
        contract: &str,
        (of_contract, of_tickets): (&[Event], &[Event]),
        decisions: &[Value],
        as_of: Instant,
    ) -> Result<Parts, ReceiptError> {
        let mut tickets: Vec<(&str, &[Event])> = Vec::new();
        for events in of_tickets.chunk_by(|one, next| one.ticket == next.ticket) {
            let id = events.first().and_then(|event| event.ticket.as_deref());
            tickets.push((id.unwrap_or_default(), events));
        }
        let own = Own::of(pack, of_contract)?;
        let whole = own.judge(pack, contract, tickets.into_iter(), as_of)?;
        let names: Vec<Name> = decisions.iter().map(name).collect();
        let told: Vec<String> = decisions.iter().map(|decision| text(decision, "detail")).collect();
        let is_named = |subject: &str, clause: &str, clock: &str| {
            names.iter().any(|named| (&*named.0, &*named.1, &*named.2) == (subject, clause, clock))
        };
        let (mut judged, faults) = (whole.assessment, whole.faults);
        judged.duties.retain(|duty| is_named(&duty.subject, &duty.clause, &duty.duty));
        judged.levels.retain(|level| is_named(&level.subject, &level.clause, &level.level));
        judged.penalties.retain(|penalty| {
            names.iter().any(|(subject, clause, clock)| penalty.id == format!("{subject}/{clause}/{clock}"))
        });
        judged.findings.retain(|finding| told.contains(&crate::decision::finding_text(finding)));
        let faults = faults.iter().map(ToString::to_string).filter(|fault| told.contains(fault)).collect();
        let deposit = decisions.iter().any(is_on_deposit);
        Ok(Parts {
            duties: judged.duties,
            levels: judged.levels,
            penalties: judged.penalties,
            findings: judged.findings,
            faults,
            deposit: deposit
                .then(|| settled(pack, contract, (of_contract, of_tickets), as_of))
                .transpose()?,
            counts: whole.counts,
        })
    }

    /// The earliest instant from which on the clocks of a name count for a period that is named.
    pub(super) fn counted(&self) -> Vec<(String, Instant)> {
        let mut counted = Vec::new();
        for level in &self.levels {
            for (clause, name, clocks) in &self.counts {
                if (clause, &**name) == (&level.clause, level.level.as_str()) {
                    counted.extend(clocks.iter().map(|clock| (clock.to_string(), level.from)));
                }
            }
        }
        counted
    }

    /// Whether a decision is what was judged; if not, what disagrees.
    pub(super) fn agrees(&self, decision: &Value) -> Result<(), &'static str> {
        let named = name(decision);
        let kind = text(decision, "kind");
        let is = |subject: &str, clause: &str, clock: &str| {
            (subject, clause, clock) == (&*named.0, &*named.1, &*named.2)
        };
        let same = |value: Option<String>, name: &str| value.unwrap_or_default() == text(decision, name);
        let duty = self.duties.iter().find(|duty| is(&duty.subject, &duty.clause, &duty.duty));
        let level = self.levels.iter().find(|level| is(&level.subject, &level.clause, &level.level));
        match kind.as_str() {
            "due" | "met" | "breached" | "late" => {
                let Some(duty) = duty else { return Err("there is no such duty") };
                super::state_agrees(&kind, &word(&duty.state))?;
                let due = duty.due.map(|due| due.to_string());
                if kind != "met" && !same(due, "due") {
                    return Err("it was due at another instant");
                }
            }
            "closed" => {
                let Some(level) = level.filter(|level| level.closed) else {
                    return Err("the period was not closed");
                };
                if !said(level).contains(&text(decision, "detail")) {
                    return Err("it was measured otherwise");
                }
                if !money_is(level.credit.filter(|credit| credit.minor() > 0), decision) {
                    return Err("it costs another amount");
                }
            }
            "earned_back"
                if !level.is_some_and(|level| same(level.earned_back.map(|at| at.to_string()), "at")) =>
            {
                return Err("the credit was not given back then");
            }
            "penalised" | "accrued" => {
                let id = format!("{}/{}/{}", named.0, named.1, named.2);
                let penalty = self.penalties.iter().find(|penalty| penalty.id == id);
                let Some(penalty) = penalty else { return Err("it costs nothing") };
                let amounts = penalty.steps.iter().map(|(_, amount)| *amount).chain([penalty.amount]);
                if kind == "penalised" && !amounts.into_iter().any(|amount| money_is(Some(amount), decision))
                {
                    return Err("it costs another amount");
                }
            }
            "found" => {
                let told = text(decision, "detail");
                if !self.findings.iter().any(|finding| crate::decision::finding_text(finding) == told) {
                    return Err("nothing of that kind is wrong with what was told");
                }
            }
            "stopped" if !self.faults.contains(&text(decision, "detail")) => {
                return Err("nothing keeps it from being judged");
            }
            "deposit_low" | "deposit_exhausted" => {
                let is_so = self.deposit.as_ref().is_some_and(|deposit| {
                    let Deposit { balance, floor, mark, .. } = deposit;
                    let low = mark.is_some_and(|mark| balance.minor() < mark.minor());
                    let exhausted = balance.minor() <= floor.minor();
                    money_is(Some(*balance), decision) && if kind == "deposit_low" { low } else { exhausted }
                });
                if !is_so {
                    return Err("the deposit stood otherwise");
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// A state as JSON names it.
fn word(state: &crate::ClockState) -> String {
    serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Whether a decision has this amount, or none.
fn money_is(amount: Option<Money>, decision: &Value) -> bool {
    let amount = amount.and_then(|amount| serde_json::to_value(amount).ok());
    amount.as_ref() == decision.get("amount")
}

/// What a decision says of a measure, whichever it is.
fn said(level: &LevelOutcome) -> [String; 2] {
    let share = (level.share * Decimal::ONE_HUNDRED).round_dp(4).normalize();
    [
        crate::decision::available(share, level.downtime, level.total),
        crate::decision::in_time(share, level.missed, level.total),
    ]
}

/// The deposit when all of this was told, as of an instant.
fn settled(
    pack: &Arc<Pack>,
    contract: &str,
    (of_contract, of_tickets): (&[Event], &[Event]),
    as_of: Instant,
) -> Result<Deposit, ReceiptError> {
    let mut engine = Engine::live(as_of);
    let refused = |error: EngineError| match error {
        EngineError::Event(error) => ReceiptError::Refused(error),
        other => ReceiptError::Malformed(other.to_string()),
    };
    engine.open_as(contract, Arc::clone(pack)).map_err(refused)?;
    for event in of_contract.iter().chain(of_tickets) {
        engine.submit(event.clone()).map_err(refused)?;
    }
    let mark = pack.low_term.and_then(|term| pack.terms_at(as_of).values.get(term)?.clone());
    let mark = match mark {
        Some(TermValue::Money(mark)) => Some(mark),
        _ => None,
    };
    let ledger = engine.contracts.first().map(|contract| &contract.books.ledger);
    let ledger = ledger.ok_or_else(|| ReceiptError::Malformed("the contract has no books".to_owned()))?;
    Ok(Deposit { paid: ledger.paid(), balance: ledger.balance(), floor: ledger.floor(), mark })
}
