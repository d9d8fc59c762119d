//! What changed of a contract's own obligations.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::money::told;
use super::{Decision, DecisionKind, change};
use crate::assess::{
    Changes, ContractFinding, Cost, DutyChange, FORMAT, LevelChange, LevelRun, Readings, described,
};
use crate::vocabulary::Measure;
use crate::{Instant, Pack, Span};

/// Writes down what changed of a contract.
pub(crate) struct ContractDecisions<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) contract: &'a Arc<str>,
    pub(crate) as_of: Instant,
    pub(crate) cause: Option<&'a Arc<str>>,
}

impl ContractDecisions<'_> {
    pub(crate) fn decisions(&self, changes: &Changes, out: &mut Vec<Decision>) {
        let first = out.len();
        for change in &changes.duties {
            self.duty(change, out);
        }
        for change in &changes.levels {
            self.level(change, out);
        }
        for (subject, fault) in &changes.faults {
            let mut decision = self.blank(DecisionKind::Stopped, self.as_of);
            decision.subject = subject.as_deref().map(Arc::from);
            decision.clause = Some(fault.clause.as_str().into());
            decision.detail = fault.to_string();
            out.push(decision);
        }
        for finding in &changes.findings {
            let mut decision = self.blank(DecisionKind::Found, finding.at);
            decision.subject = finding.subject.as_deref().map(Arc::from);
            decision.clause = finding.clause.as_deref().map(Arc::from);
            decision.detail = finding_text(finding);
            out.push(decision);
        }
        if let Some(new) = out.get_mut(first..) {
            new.sort_by_key(|decision| decision.at);
        }
    }

    fn blank(&self, kind: DecisionKind, at: Instant) -> Decision {
        Decision {
            format: FORMAT,
            kind,
            contract: Arc::clone(self.contract),
            ticket: None,
            subject: None,
            at,
            as_of: self.as_of,
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

    fn duty(&self, duty: &DutyChange, out: &mut Vec<Decision>) {
        let subject: Arc<str> = duty.subject.as_str().into();
        let about = |kind, at, clause: u16| {
            let mut decision = self.blank(kind, at);
            decision.subject = Some(Arc::clone(&subject));
            decision.clause = self.pack.clause_name(clause);
            decision.clock = Some(Arc::clone(&duty.name));
            decision
        };
        let before = duty.before.as_ref();
        let of_clause = |clause: u16| before.filter(|(was, _)| *was == clause).map(|(_, judged)| judged);
        let kept = duty.after.as_ref().and_then(|(clause, _)| of_clause(*clause));
        // An occurrence that is gone, or is another clause's now, is missed no longer.
        if let Some((clause, judged)) = before.filter(|_| kept.is_none()) {
            if judged.run.breached_at().is_some() {
                let mut decision = about(DecisionKind::Restored, self.as_of, *clause);
                decision.due = judged.run.due;
                out.push(decision);
            }
            money(judged.cost.as_ref(), None, |kind, at| about(kind, at, *clause), out);
        }
        let Some((clause, after)) = &duty.after else { return };
        for (kind, at) in change(kept.map(|judged| &judged.run), &after.run, self.as_of).into_iter().flatten()
        {
            let mut decision = about(kind, at, *clause);
            decision.due = after.run.due;
            if matches!(kind, DecisionKind::Breached | DecisionKind::Late) {
                decision.late = Some(after.run.late);
            }
            out.push(decision);
        }
        let was = kept.and_then(|judged| judged.cost.as_ref());
        money(was, after.cost.as_ref(), |kind, at| about(kind, at, *clause), out);
    }

    fn level(&self, change: &LevelChange, out: &mut Vec<Decision>) {
        let (clause, name, subject) = &change.key;
        let subject: Arc<str> = subject.as_str().into();
        let about = |kind, at| {
            let mut decision = self.blank(kind, at);
            decision.subject = Some(Arc::clone(&subject));
            decision.clause = self.pack.clause_name(*clause);
            decision.clock = Some(Arc::clone(name));
            decision
        };
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        if let Some(after) = after {
            let said =
                |run: &LevelRun| (run.measured.clone(), run.invoiced, run.period.clone(), run.cost.clone());
            if before.map(said) != Some(said(after)) {
                let mut decision = about(DecisionKind::Closed, after.period.closes);
                decision.amount = after.cost.as_ref().and_then(Cost::amount);
                decision.detail = measured(after);
                out.push(decision);
            }
        }
        money(before.and_then(|run| run.cost.as_ref()), after.and_then(|run| run.cost.as_ref()), about, out);
        let back = |run: Option<&LevelRun>| run.and_then(|run| run.earned_back);
        if let (Some(at), Some(run)) = (back(after).filter(|at| back(before) != Some(*at)), after) {
            let mut decision = about(DecisionKind::EarnedBack, at);
            decision.amount = run.cost.as_ref().and_then(Cost::amount);
            out.push(decision);
        }
    }
}

/// What a missed occurrence or a closed period costs or no longer costs.
fn money(
    before: Option<&Cost>,
    after: Option<&Cost>,
    about: impl Fn(DecisionKind, Instant) -> Decision,
    out: &mut Vec<Decision>,
) {
    let owed = |cost: Option<&'_ Cost>| cost.filter(|cost| cost.amount().is_some()).cloned();
    let (before, after) = (owed(before), owed(after));
    let penalty = |cost: &Option<Cost>| cost.as_ref().map(|cost| cost.penalty.clone());
    for (kind, at, amount, detail) in told(penalty(&before).as_ref(), penalty(&after).as_ref()) {
        let cost = if kind == DecisionKind::Reversed { &before } else { &after };
        let mut decision = about(kind, at);
        decision.amount = Some(amount);
        decision.detail = detail;
        if let Some(cost) = cost {
            (decision.terms, decision.inputs) = described(&cost.inputs, &cost.penalty.reads);
            decision.due = Some(cost.penalty.at).filter(|_| kind == DecisionKind::Accrued);
        }
        out.push(decision);
    }
}

/// A finding as a decision tells it.
pub(crate) fn finding_text(finding: &ContractFinding) -> String {
    let event = finding.event.as_ref().map_or(String::new(), |event| format!("event `{event}`: "));
    format!("{event}{}", finding.text)
}

/// What was measured, in a few words.
fn measured(run: &LevelRun) -> String {
    let share = (run.measured.share * Decimal::ONE_HUNDRED).round_dp(4).normalize();
    let (total, missed) = (run.measured.total, run.measured.missed);
    match run.level.measure {
        Measure::Availability(_) => available(share, run.measured.downtime, total),
        Measure::InTime(_) => in_time(share, missed, total),
    }
}

/// An availability in a few words; the share in percent.
pub(crate) fn available(share: Decimal, downtime: Span, outages: i64) -> String {
    format!("{share} % available, {downtime} down in {outages} outages")
}

/// A share of clocks in a few words; the share in percent.
pub(crate) fn in_time(share: Decimal, missed: i64, total: i64) -> String {
    format!("{share} % in time, {missed} of {total} missed")
}
