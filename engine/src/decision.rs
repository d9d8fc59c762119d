//! Stage 6: what changed between two assessments of a ticket, or of a contract.

mod contract;
mod money;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::assess::{Case, FORMAT, Outcome, PenaltyRun, Readings, described, penalty_id};
use crate::clock::{ClockRun, ClockState};
use crate::vocabulary::{Inputs, Reads};
use crate::{Instant, Money, Span};
pub(crate) use contract::{ContractDecisions, available, finding_text, in_time};

/// What a decision decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// A clock is due at an instant, now or anew.
    Due,
    /// A clock was stopped in time.
    Met,
    /// A due instant passed.
    Breached,
    /// A breached clock was stopped.
    Late,
    /// A breach was undone by a late or corrected event.
    Restored,
    /// A breach costs an amount.
    Penalised,
    /// A penalty grew with time, by an amount.
    Accrued,
    /// A penalty fell away with its breach, or changed.
    Reversed,
    /// Free or paid.
    Classified,
    /// A step of an escalation ladder came.
    Escalated,
    /// A process rule finds something wrong, or something is wrong with what was told.
    Found,
    /// The ticket cannot be assessed, or an obligation of the contract cannot.
    Stopped,
    /// A period of a service level was closed and measured, or measured anew.
    Closed,
    /// A credit is given back, since the level was kept for long enough afterwards.
    EarnedBack,
    /// The deposit fell below the contract's mark.
    DepositLow,
    /// Nothing is left of the deposit above its floor.
    DepositExhausted,
}

/// One thing that changed, with what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// The version of this JSON.
    pub format: u32,
    /// What was decided.
    pub kind: DecisionKind,
    /// The contract.
    pub contract: Arc<str>,
    /// The ticket; absent for decisions on the contract itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Arc<str>>,
    /// The occurrence of a duty (`2026-03-02T01:00`) or the period of a service level (`2026-03`), if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Arc<str>>,
    /// When it took effect: the due instant of a breach, the stop of a met clock ...
    pub at: Instant,
    /// When it was known.
    pub as_of: Instant,
    /// The clause it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<Arc<str>>,
    /// The clock, the duty or the service level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<Arc<str>>,
    /// When the clock is or was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// Open time beyond the target, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<Span>,
    /// The amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Roles to tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The terms used, with the value in force.
    #[serde(skip_serializing_if = "Readings::is_empty")]
    pub terms: Readings,
    /// The facts read, with their values.
    #[serde(skip_serializing_if = "Readings::is_empty")]
    pub inputs: Readings,
    /// The event that brought it about; absent when time alone did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Arc<str>>,
}

/// Finds what changed, and writes it down.
pub(crate) struct Comparison<'a> {
    pub(crate) case: Case<'a>,
    pub(crate) contract: &'a Arc<str>,
    pub(crate) cause: Option<&'a Arc<str>>,
    pub(crate) before: Option<&'a Outcome>,
    pub(crate) after: &'a Outcome,
}

impl Comparison<'_> {
    pub(crate) fn decisions(&self, out: &mut Vec<Decision>) {
        let first = out.len();
        let mut inputs = None;
        if self.before.map(|b| &b.fault) != Some(&self.after.fault)
            && let Some(fault) = &self.after.fault
        {
            let mut decision = self.blank(DecisionKind::Stopped, self.case.as_of);
            decision.clause = Some(fault.clause.as_str().into());
            decision.detail = fault.to_string();
            out.push(decision);
        }
        self.class(&mut inputs, out);
        self.gone(out);
        self.clocks(&mut inputs, out);
        self.penalties(&mut inputs, out);
        self.steps(out);
        self.findings(out);
        if let Some(new) = out.get_mut(first..) {
            new.sort_by_key(|decision| decision.at);
        }
    }

    fn blank(&self, kind: DecisionKind, at: Instant) -> Decision {
        Decision {
            format: FORMAT,
            kind,
            contract: Arc::clone(self.contract),
            ticket: Some(Arc::clone(self.case.ticket)),
            subject: None,
            at,
            as_of: self.case.as_of,
            clause: None,
            clock: None,
            due: None,
            late: None,
            amount: None,
            detail: String::new(),
            roles: Vec::new(),
            terms: Readings::default(),
            inputs: Readings::default(),
            cause: self.cause.cloned(),
        }
    }

    fn cite(&self, decision: &mut Decision, reads: &Reads, inputs: &mut Option<Arc<Inputs>>) {
        if inputs.is_none() {
            *inputs = self.case.current_inputs();
        }
        if let Some(inputs) = inputs {
            (decision.terms, decision.inputs) = described(inputs, reads);
        }
    }

    fn class(&self, inputs: &mut Option<Arc<Inputs>>, out: &mut Vec<Decision>) {
        let class = |outcome: &Outcome| outcome.derivation.as_ref().and_then(|d| d.class.clone());
        let before = self.before.and_then(class);
        let Some(now) = class(self.after) else { return };
        let said = |class: &crate::policy::Class| (class.free, class.clause, class.reason.clone());
        if before.as_ref().map(said) == Some(said(&now)) {
            return;
        }
        let mut decision = self.blank(DecisionKind::Classified, self.case.as_of);
        decision.clause = self.case.pack.clause_name(now.clause);
        decision.detail = format!("{}: {}", if now.free { "free" } else { "paid" }, now.reason);
        self.cite(&mut decision, &now.reads, inputs);
        out.push(decision);
    }

    /// The run of the same clock in the outcome before: same clause, same name.
    fn before_clock(&self, place: usize) -> Option<&ClockRun> {
        let spec = self.after.derivation.as_ref()?.clocks.get(place)?;
        let before = self.before?;
        let old = before.derivation.as_ref()?;
        let same = old.clocks.iter().position(|s| s.clause == spec.clause && s.name == spec.name)?;
        before.clocks.get(same)
    }

    /// Breaches of clocks that no clause sets any more, since a fact has changed, are undone.
    fn gone(&self, out: &mut Vec<Decision>) {
        let Some(before) = self.before else { return };
        let (Some(old), new) = (&before.derivation, &self.after.derivation) else { return };
        for (spec, run) in
            old.clocks.iter().zip(&before.clocks).filter(|(_, run)| run.breached_at().is_some())
        {
            let mut kept = new.iter().flat_map(|new| &new.clocks);
            if !kept.any(|s| s.clause == spec.clause && s.name == spec.name) {
                let mut decision = self.blank(DecisionKind::Restored, self.case.as_of);
                decision.clause = self.case.pack.clause_name(spec.clause);
                decision.clock = Some(Arc::clone(&spec.name));
                decision.due = run.due;
                out.push(decision);
            }
        }
    }

    fn clocks(&self, inputs: &mut Option<Arc<Inputs>>, out: &mut Vec<Decision>) {
        let Some(derivation) = &self.after.derivation else { return };
        for (place, (spec, run)) in derivation.clocks.iter().zip(&self.after.clocks).enumerate() {
            let before = self.before_clock(place);
            let kind_at = change(before, run, self.case.as_of);
            for (kind, at) in kind_at.into_iter().flatten() {
                let mut decision = self.blank(kind, at);
                decision.clause = self.case.pack.clause_name(spec.clause);
                decision.clock = Some(Arc::clone(&spec.name));
                decision.due = run.due;
                if matches!(kind, DecisionKind::Breached | DecisionKind::Late) {
                    decision.late = Some(run.late);
                }
                if kind == DecisionKind::Due {
                    let clause = usize::from(spec.clause);
                    let applied = derivation.clauses.get(clause).map(|a| a.reads).unwrap_or_default();
                    let reads = derivation.reads.get(clause).map_or(applied, |reads| reads.join(&applied));
                    self.cite(&mut decision, &reads, inputs);
                }
                out.push(decision);
            }
        }
    }

    fn penalties(&self, inputs: &mut Option<Arc<Inputs>>, out: &mut Vec<Decision>) {
        let id = |outcome: &Outcome, penalty: &PenaltyRun| {
            outcome.spec(penalty.clock).map(|spec| penalty_id(self.case.pack, self.case.ticket, spec))
        };
        let old: Vec<(Option<String>, &PenaltyRun)> =
            self.before.map(|b| b.owed().map(|p| (id(b, p), p)).collect()).unwrap_or_default();
        let new: Vec<(Option<String>, &PenaltyRun)> =
            self.after.owed().map(|p| (id(self.after, p), p)).collect();
        let ids: BTreeSet<&Option<String>> = old.iter().chain(&new).map(|(id, _)| id).collect();
        for id in ids {
            let of =
                |list: &[(Option<String>, &'_ PenaltyRun)]| list.iter().position(|(known, _)| known == id);
            let (was, is) = (of(&old).and_then(|i| old.get(i)), of(&new).and_then(|i| new.get(i)));
            let (was, is) = (was.map(|(_, penalty)| *penalty), is.map(|(_, penalty)| *penalty));
            for (kind, at, amount, detail) in money::told(was, is) {
                let of_before = kind == DecisionKind::Reversed;
                let (outcome, penalty) = if of_before { (self.before, was) } else { (Some(self.after), is) };
                let (Some(outcome), Some(penalty)) = (outcome, penalty) else { continue };
                let mut decision = self.of_penalty(kind, outcome, penalty, inputs);
                (decision.at, decision.amount, decision.detail) = (at, Some(amount), detail);
                out.push(decision);
            }
        }
    }

    /// A decision on a penalty, without its amount.
    fn of_penalty(
        &self,
        kind: DecisionKind,
        outcome: &Outcome,
        penalty: &PenaltyRun,
        inputs: &mut Option<Arc<Inputs>>,
    ) -> Decision {
        let mut decision = self.blank(kind, penalty.at);
        if let Some(spec) = outcome.spec(penalty.clock) {
            decision.clause = self.case.pack.clause_name(spec.clause);
            decision.clock = Some(Arc::clone(&spec.name));
        }
        decision.due = Some(penalty.at).filter(|_| kind == DecisionKind::Accrued);
        self.cite(&mut decision, &penalty.reads, inputs);
        decision
    }

    fn steps(&self, out: &mut Vec<Decision>) {
        let Some(derivation) = &self.after.derivation else { return };
        for (place, at) in &self.after.steps {
            let fired = self
                .before
                .is_some_and(|b| b.derivation == self.after.derivation && b.steps.contains(&(*place, *at)));
            let Some(step) = derivation.steps.get(usize::from(*place)).filter(|_| !fired) else { continue };
            let Some(spec) = derivation.clocks.get(usize::from(step.clock)) else { continue };
            let mut decision = self.blank(DecisionKind::Escalated, *at);
            decision.clause = self.case.pack.clause_name(spec.clause);
            decision.clock = Some(Arc::clone(&spec.name));
            decision.due = self.after.clocks.get(usize::from(step.clock)).and_then(|run| run.due);
            decision.detail = step_name(step.at);
            decision.roles = step.roles.iter().map(ToString::to_string).collect();
            out.push(decision);
        }
    }

    fn findings(&self, out: &mut Vec<Decision>) {
        for finding in &self.after.findings {
            if !self.before.is_some_and(|b| b.findings.contains(finding)) {
                let mut decision = self.blank(DecisionKind::Found, self.case.as_of);
                decision.clause = self.case.pack.clause_name(finding.0);
                decision.detail = finding.1.to_string();
                out.push(decision);
            }
        }
    }
}

/// What a ladder's step is called.
pub(crate) fn step_name(at: crate::vocabulary::StepAt) -> String {
    match at {
        crate::vocabulary::StepAt::Share(share) => {
            format!("{} % of the time is used", (share * rust_decimal::Decimal::ONE_HUNDRED).normalize())
        }
        crate::vocabulary::StepAt::Breach => "the deadline has passed".to_owned(),
        crate::vocabulary::StepAt::After(span) => format!("{span} after the deadline"),
    }
}

/// What changed of one clock, and since when: at most that it is due anew and how it ended.
fn change(before: Option<&ClockRun>, now: &ClockRun, as_of: Instant) -> [Option<(DecisionKind, Instant)>; 2] {
    let due_before = before.and_then(|run| run.due);
    let due = now.due.filter(|due| due_before != Some(*due));
    let started = now.started.unwrap_or(as_of);
    let due = due.map(|_| (DecisionKind::Due, started));
    let was = before.map(|run| (run.state, run.due, run.stopped));
    if was == Some((now.state, now.due, now.stopped)) {
        return [due, None];
    }
    let breached = |state| matches!(state, ClockState::Breached | ClockState::Late);
    let (was_breached, stop) = (before.is_some_and(|run| breached(run.state)), now.stopped.unwrap_or(as_of));
    let ended = match now.state {
        ClockState::Met => Some((DecisionKind::Met, stop)),
        ClockState::Breached if was_breached && due_before == now.due => None,
        ClockState::Breached => Some((DecisionKind::Breached, now.due.unwrap_or(as_of))),
        ClockState::Late => Some((DecisionKind::Late, stop)),
        _ if was_breached => Some((DecisionKind::Restored, as_of)),
        _ => None,
    };
    // A clock that is told of only after it was stopped late was breached all the same.
    match ended {
        Some((DecisionKind::Late, _)) if !was_breached => {
            [Some((DecisionKind::Breached, now.due.unwrap_or(as_of))), ended]
        }
        Some((DecisionKind::Met, at)) if was_breached => {
            [Some((DecisionKind::Restored, as_of)), Some((DecisionKind::Met, at))]
        }
        _ => [due, ended],
    }
}

impl Decision {
    /// A decision on a contract's deposit.
    pub(crate) fn of_contract(
        kind: DecisionKind,
        contract: &Arc<str>,
        at: Instant,
        balance: Money,
        detail: String,
        cause: Option<Arc<str>>,
    ) -> Decision {
        Decision {
            format: FORMAT,
            kind,
            contract: Arc::clone(contract),
            ticket: None,
            subject: None,
            at,
            as_of: at,
            clause: None,
            clock: None,
            due: None,
            late: None,
            amount: Some(balance),
            detail,
            roles: Vec::new(),
            terms: Readings::default(),
            inputs: Readings::default(),
            cause,
        }
    }
}
