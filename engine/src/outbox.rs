//! Stage 8: what is to be told, to whom. Rows wait here until a channel takes them.

use std::sync::Arc;

use serde::Serialize;

use crate::assess::FORMAT;
use crate::decision::{Decision, DecisionKind};
use crate::{Instant, Money};

/// Something to tell a role. Each is made once, whatever is told late or twice: its id says what it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// The version of this JSON.
    pub format: u32,
    /// Unique and stable: a channel that has delivered it can refuse it the second time.
    pub id: String,
    /// The contract.
    pub contract: Arc<str>,
    /// The ticket; absent for notices on the deposit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Arc<str>>,
    /// The occurrence of a duty or the period of a service level, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Arc<str>>,
    /// What it tells.
    pub about: DecisionKind,
    /// The role to tell; the roster says who that is.
    pub role: String,
    /// When what it tells took effect.
    pub at: Instant,
    /// The clause it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<Arc<str>>,
    /// The clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<Arc<str>>,
    /// When the clock is or was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// The amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// One plain sentence, for channels that carry text.
    pub text: String,
}

/// The role that hears of money; every contract has one.
pub(crate) const MANAGER: &str = "contract_manager";

/// The notices that a decision asks for: one for each role.
pub(crate) fn notices(decision: &Decision) -> Vec<Notice> {
    let manager = [MANAGER.to_owned()];
    let (roles, text) = match decision.kind {
        DecisionKind::Escalated => (decision.roles.as_slice(), escalation_text(decision)),
        DecisionKind::Penalised | DecisionKind::Reversed => (manager.as_slice(), money_text(decision)),
        // A duty that nobody did is the contract manager's to know; a ticket's clock has its own ladder.
        DecisionKind::Breached if decision.subject.is_some() => (manager.as_slice(), missed_text(decision)),
        DecisionKind::Closed if decision.amount.is_some() => (manager.as_slice(), closed_text(decision)),
        DecisionKind::DepositLow | DecisionKind::DepositExhausted | DecisionKind::Stopped => {
            (manager.as_slice(), decision.detail.clone())
        }
        _ => return Vec::new(),
    };
    fn or_dash(text: &Option<Arc<str>>) -> &str {
        text.as_deref().unwrap_or("-")
    }
    let what = match decision.kind {
        DecisionKind::Escalated => decision.detail.replace(' ', "_"),
        DecisionKind::DepositLow => "deposit_low".to_owned(),
        DecisionKind::DepositExhausted => "deposit_exhausted".to_owned(),
        kind => format!("{kind:?}").to_lowercase(),
    };
    let notice = |role: &String| Notice {
        format: FORMAT,
        id: format!(
            "{}/{}/{}/{}/{what}/{}/{role}",
            decision.contract,
            decision.subject.as_deref().unwrap_or(or_dash(&decision.ticket)),
            or_dash(&decision.clause),
            or_dash(&decision.clock),
            decision.at
        ),
        contract: decision.contract.clone(),
        ticket: decision.ticket.clone(),
        subject: decision.subject.clone(),
        about: decision.kind,
        role: role.clone(),
        at: decision.at,
        clause: decision.clause.clone(),
        clock: decision.clock.clone(),
        due: decision.due,
        amount: decision.amount,
        text: text.clone(),
    };
    roles.iter().map(notice).collect()
}

fn escalation_text(decision: &Decision) -> String {
    let due = decision.due.map_or(String::new(), |due| format!(", due {due}"));
    let clause = decision.clause.as_deref().unwrap_or("-");
    format!("{}: {} (clause {clause}){due}", named(decision), decision.detail)
}

fn missed_text(decision: &Decision) -> String {
    let due = decision.due.map_or(String::new(), |due| format!(" by {due}"));
    let clause = decision.clause.as_deref().unwrap_or("-");
    format!("{} was not done{due} (clause {clause})", named(decision))
}

fn closed_text(decision: &Decision) -> String {
    let amount = decision.amount.map_or(String::new(), |amount| amount.to_string());
    let clause = decision.clause.as_deref().unwrap_or("-");
    format!("{}: {}, a credit of {amount} by clause {clause}", named(decision), decision.detail)
}

fn money_text(decision: &Decision) -> String {
    let what = if decision.kind == DecisionKind::Penalised { "costs" } else { "no longer costs" };
    let amount = decision.amount.map_or(String::new(), |amount| amount.to_string());
    format!("{} {what} {amount} by clause {}", named(decision), decision.clause.as_deref().unwrap_or("-"))
}

fn named(decision: &Decision) -> String {
    let ticket = decision.ticket.as_deref().unwrap_or("-");
    match (&decision.clock, &decision.subject) {
        (Some(name), Some(subject)) => format!("{name} of {subject}"),
        (Some(clock), None) => format!("ticket {ticket}, clock {clock}"),
        _ => format!("ticket {ticket}"),
    }
}
