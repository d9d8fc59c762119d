//! From when to when the same terms and clauses hold, and what duties and levels they set.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime};

use super::{ContractCase, Frame};
use crate::Instant;
use crate::calendar::instant_of_wall;
use crate::clock::Length;
use crate::duty::{DutySpec, Recurrence};
use crate::policy::{ClauseFault, Obligations};
use crate::vocabulary::{Begin, DueLength, Duty, DutyWhen, Inputs, Level};

/// A stretch of local dates in which one version of the terms and clauses holds.
pub(super) struct Epoch {
    pub(super) from: Instant,
    pub(super) until: Instant,
    pub(super) inputs: Arc<Inputs>,
    pub(super) duties: Vec<DutyForm>,
    pub(super) levels: Vec<(u16, Arc<Level>)>,
    /// Why the clauses cannot say what holds. Then nothing does.
    pub(super) fault: Option<Box<ClauseFault>>,
}

/// A duty as it holds in one epoch.
pub(super) struct DutyForm {
    pub(super) spec: Arc<DutySpec>,
    pub(super) begins: Begin,
    /// Nothing: it falls once, at its beginning.
    pub(super) rule: Option<Recurrence>,
}

/// The epochs of a contract's life in their order; none when it has not begun.
pub(super) fn epochs(case: ContractCase<'_>, frame: &Frame) -> Vec<Epoch> {
    let Some(first) = frame.first() else { return Vec::new() };
    if !case.pack.policy.has_obligations() {
        return Vec::new();
    }
    let mut starts = vec![first];
    let midnight = |date: NaiveDate| instant_of_wall(case.pack.zone, date.and_time(NaiveTime::MIN)).ok();
    starts.extend(changes(case, case.pack.local_date(first)).into_iter().filter_map(midnight));
    let ends = starts.iter().copied().skip(1).chain([Instant::MAX]);
    let epochs = starts.iter().copied().zip(ends);
    let epochs = epochs.filter(|(from, _)| frame.ended.is_none_or(|ended| *from < ended));
    epochs.map(|(from, until)| epoch(case, from, until)).collect()
}

/// The dates after another on which a term changes or a clause begins or ends.
fn changes(case: ContractCase<'_>, after: NaiveDate) -> Vec<NaiveDate> {
    let policy = &case.pack.policy;
    let terms = policy.words.terms.list.iter().flat_map(|term| term.values.iter().map(|(from, _)| *from));
    let clauses = policy.clauses.iter().flat_map(|clause| [clause.from, clause.until]).flatten();
    let mut dates: Vec<NaiveDate> = terms.chain(clauses).filter(|date| *date > after).collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}

fn epoch(case: ContractCase<'_>, from: Instant, until: Instant) -> Epoch {
    let inputs = case.inputs(from);
    let read = match case.pack.policy.obligations(&inputs) {
        Ok(Obligations { duties, levels }) => forms(case, duties).map(|forms| (forms, levels)),
        Err(fault) => Err(Box::new(fault)),
    };
    match read {
        Ok((duties, levels)) => {
            let levels = levels.into_iter().map(|(clause, level)| (clause, Arc::new(level))).collect();
            Epoch { from, until, inputs, duties, levels, fault: None }
        }
        Err(fault) => {
            Epoch { from, until, inputs, duties: Vec::new(), levels: Vec::new(), fault: Some(fault) }
        }
    }
}

fn forms(case: ContractCase<'_>, duties: Vec<(u16, Duty)>) -> Result<Vec<DutyForm>, Box<ClauseFault>> {
    let mut forms: Vec<DutyForm> = Vec::with_capacity(duties.len());
    for (clause, duty) in duties {
        if let Some(known) = forms.iter().find(|form| form.spec.name == duty.name) {
            let first = case.pack.clause_id(known.spec.clause);
            let message = format!("the duty `{}` is set twice: clause {first} sets it too", duty.name);
            return Err(case.fault(clause, message));
        }
        let name = Arc::clone(&duty.name);
        forms.push(
            form(case, clause, duty)
                .map_err(|message| case.fault(clause, format!("the duty `{name}` {message}")))?,
        );
    }
    Ok(forms)
}

fn form(case: ContractCase<'_>, clause: u16, duty: Duty) -> Result<DutyForm, String> {
    let calendar = duty.calendar.unwrap_or(0);
    let count = case.pack.policy.count_rules.get(usize::from(calendar)).copied().unwrap_or_default();
    let length = match duty.length {
        Some(DueLength::Span(span)) => Length::Open(span),
        Some(DueLength::Period(period)) => Length::Days(period, count),
        _ => return Err("has no end: say `.within(...)`".to_owned()),
    };
    let rule = match &duty.when {
        DutyWhen::Once => None,
        DutyWhen::Every(rule) => {
            Some(Recurrence::read(rule).map_err(|error| format!("cannot fall: {error}"))?)
        }
    };
    let spec = DutySpec { clause, name: duty.name, length, early: duty.early, calendar, needs: duty.needs };
    Ok(DutyForm { spec: Arc::new(spec), begins: duty.begins, rule })
}
