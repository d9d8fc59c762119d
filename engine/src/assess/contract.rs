//! What a contract itself owes: its duties and service levels, judged by its own events as of an instant.

mod answer;
mod duties;
mod ends;
mod epochs;
mod form;
mod levels;
mod whole;

use std::sync::Arc;

use super::Case;
use crate::duty::{Relief, Told, reliefs};
use crate::event::{Event, EventError, Kind};
use crate::policy::ClauseFault;
use crate::ticket::{ContractFacts, Detail, Entry};
use crate::vocabulary::{Begin, Inputs};
use crate::{Instant, Pack};
pub use answer::{ContractAssessment, ContractFinding, DutyOutcome, LevelOutcome};
pub(crate) use duties::{Cost, Duties, Judged};
pub(crate) use ends::{ClockEnds, End};
use epochs::Epoch;
use levels::Levels;
pub(crate) use levels::{LevelChange, LevelRun};
pub(crate) use whole::{Counts, Own};

/// Assesses a contract itself, as of an instant: its duties, its service levels, and what they cost. Pure: the same arguments
/// give the same answer, anywhere.
///
/// `contract_events` are the events of the contract (`signed`, `duty_done`, `outage_started` ...), `tickets` the events of
/// its tickets by ticket; the order of none of them matters. Events after `as_of` are not looked at. Faults of clauses are
/// part of the answer.
///
/// # Errors
/// [`EventError`] for the first event that the pack's schema refuses.
pub fn assess_contract(
    pack: &Pack,
    contract_events: &[Event],
    tickets: &[(&str, &[Event])],
    as_of: Instant,
) -> Result<ContractAssessment, EventError> {
    let mut events = contract_events.iter().chain(tickets.iter().flat_map(|(_, events)| events.iter()));
    let contract = events.next().map_or("", |event| event.contract.as_str());
    Ok(Own::of(pack, contract_events)?.judge(pack, contract, tickets.iter().copied(), as_of)?.assessment)
}

/// Events that many of may come: each bears on its own duty or service level only.
pub(crate) fn is_deed(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::DUTY_DONE | Kind::OUTAGE_STARTED | Kind::OUTAGE_ENDED | Kind::DOWNTIME_PLANNED | Kind::INVOICED
    )
}

/// Events on which everything of a contract may hang.
pub(crate) fn is_frame(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::SIGNED
            | Kind::PROJECT_ACCEPTED
            | Kind::ENDED
            | Kind::FORCE_MAJEURE_STARTED
            | Kind::FORCE_MAJEURE_ENDED
    )
}

/// A contract before the judge.
#[derive(Clone, Copy)]
pub(crate) struct ContractCase<'a> {
    pub(crate) pack: &'a Pack,
    /// The contract's own entries in order, without those of its duties and levels.
    pub(crate) entries: &'a [Arc<Entry>],
    pub(crate) as_of: Instant,
}

impl ContractCase<'_> {
    /// What the clauses may ask about by the terms of an instant.
    pub(crate) fn inputs(&self, at: Instant) -> Arc<Inputs> {
        let nobody = Arc::from("");
        let case = Case {
            relief: &[],
            pack: self.pack,
            contract: self.entries,
            history: &[],
            ticket: &nobody,
            as_of: self.as_of,
        };
        case.inputs(&[], at)
    }

    pub(crate) fn fault(&self, clause: u16, message: String) -> Box<ClauseFault> {
        let clause = self.pack.policy.clauses.get(usize::from(clause));
        Box::new(ClauseFault {
            clause: clause.map_or(String::new(), |clause| clause.id.to_string()),
            file: clause.map_or(String::new(), |clause| clause.file.clone()),
            line: 0,
            column: 0,
            message,
        })
    }
}

/// What the contract's own events say of its life.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Frame {
    facts: ContractFacts,
    /// When it ended; a later signature begins it anew.
    ended: Option<Instant>,
    reliefs: Vec<Relief>,
}

impl Frame {
    fn fold(entries: &[Arc<Entry>], as_of: Instant) -> Frame {
        let life =
            |entry: &&Arc<Entry>| entry.at <= as_of && matches!(entry.kind, Kind::SIGNED | Kind::ENDED);
        let last = entries.iter().rev().find(life).filter(|entry| entry.kind == Kind::ENDED);
        Frame {
            facts: ContractFacts::fold(entries, as_of),
            ended: last.map(|entry| entry.at),
            reliefs: reliefs(entries, as_of),
        }
    }

    fn begins(&self, begin: Begin) -> Option<Instant> {
        match begin {
            Begin::Signed => self.facts.signed_at,
            Begin::Accepted => self.facts.accepted_at,
        }
    }

    /// The first instant at which anything can begin.
    fn first(&self) -> Option<Instant> {
        [self.facts.signed_at, self.facts.accepted_at].into_iter().flatten().min()
    }
}

/// What changed of a contract's obligations.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) duties: Vec<DutyChange>,
    pub(crate) levels: Vec<LevelChange>,
    pub(crate) findings: Vec<ContractFinding>,
    /// New faults: the occurrence or period, if it is one's, and what is wrong.
    pub(crate) faults: Vec<(Option<String>, ClauseFault)>,
}

/// One occurrence of a duty, before and after.
#[derive(Debug)]
pub(crate) struct DutyChange {
    pub(crate) subject: String,
    pub(crate) name: Arc<str>,
    /// The occurrence's instant.
    pub(crate) at: Instant,
    /// Its clause and how it was judged; nothing when it was not there.
    pub(crate) before: Option<(u16, Judged)>,
    pub(crate) after: Option<(u16, Judged)>,
}

/// All obligations of one contract as of an instant, ready to take one more event or to go on in time.
pub(crate) struct ContractState {
    frame: Frame,
    epochs: Vec<Epoch>,
    duties: Duties,
    levels: Levels,
    /// The first event that tells of a duty or an outage, for a contract that never began.
    first_deed: Option<Told>,
    /// How many epochs have been told of.
    begun: usize,
}

impl ContractState {
    /// Everything from the beginning. `deeds` are in any order.
    pub(crate) fn build(case: ContractCase<'_>, deeds: &[Arc<Entry>]) -> ContractState {
        let frame = Frame::fold(case.entries, case.as_of);
        let epochs = epochs::epochs(case, &frame);
        let duties = Duties::build(case, &frame, &epochs, deeds);
        let levels = Levels::new(case, &frame, &epochs, deeds);
        let mut state = ContractState { frame, epochs, duties, levels, first_deed: None, begun: 0 };
        state.begun = state.epochs.partition_point(|epoch| epoch.from <= case.as_of);
        for deed in deeds.iter().filter(|deed| deed.at <= case.as_of) {
            state.note_first(deed);
        }
        state
    }

    fn note_first(&mut self, deed: &Entry) {
        if matches!(deed.detail, Detail::Duty(..) | Detail::Outage(_)) {
            let told = (deed.at, deed.id.clone());
            if self.first_deed.as_ref().is_none_or(|first| told < *first) {
                self.first_deed = Some(told);
            }
        }
    }

    /// Takes events that have happened by the case's instant, and lets time pass up to it.
    pub(crate) fn step(&mut self, case: ContractCase<'_>, deeds: &[Arc<Entry>], out: &mut Changes) {
        let begun = self.epochs.partition_point(|epoch| epoch.from <= case.as_of);
        for epoch in self.epochs.get(self.begun..begun).unwrap_or_default() {
            out.faults.extend(epoch.fault.as_deref().map(|fault| (None, fault.clone())));
        }
        self.begun = begun.max(self.begun);
        let not_begun = self.not_begun();
        deeds.iter().for_each(|deed| self.note_first(deed));
        let now = self.not_begun();
        out.findings.extend(now.filter(|now| Some(now) != not_begun.as_ref()));
        deeds.iter().for_each(|deed| self.levels.take(deed));
        let mut found = Vec::new();
        self.duties.step(case, &self.epochs, deeds, &mut found, &mut out.duties);
        if self.frame.first().is_some() {
            out.findings.extend(found.iter().filter_map(|told| self.duties.finding(case, told)));
        }
        faults_of(out, 0);
    }

    /// The next instant at which time alone changes something.
    pub(crate) fn wake(&self) -> Option<Instant> {
        let faulty = self.epochs.iter().skip(self.begun).find(|epoch| epoch.fault.is_some());
        let wakes = [self.duties.wake(), self.levels.wake(), faulty.map(|epoch| epoch.from)];
        wakes.into_iter().flatten().min()
    }

    /// A ticket's clock of this name ended at an instant, or did not after all.
    pub(crate) fn clock_ended(&mut self, name: &Arc<str>, at: Instant) {
        self.levels.clock_ended(name, at);
    }

    /// Closes the periods of service levels whose instant has come, and measures again what was touched. All tickets have
    /// been judged as of the case's instant.
    pub(crate) fn close(&mut self, case: ContractCase<'_>, ends: &ClockEnds, out: &mut Changes) {
        let faults: Vec<ClauseFault> = self.levels.form_faults().cloned().collect();
        let first = out.levels.len();
        self.levels.close(case, &self.frame, &self.epochs, ends, &mut out.levels);
        let new = self.levels.form_faults().filter(|fault| !faults.contains(fault));
        out.faults.extend(new.map(|fault| (None, fault.clone())));
        for change in out.levels.iter().skip(first) {
            let fault = |run: &Option<LevelRun>| run.as_ref().and_then(|run| run.fault.as_deref().cloned());
            let (before, after) = (fault(&change.before), fault(&change.after));
            let new = after.filter(|after| before.as_ref() != Some(after));
            out.faults.extend(new.map(|fault| (Some(change.key.2.clone()), fault)));
        }
        if self.frame.first().is_some() {
            out.findings.extend(self.levels.new_findings(case));
        }
    }

    /// The findings on levels that were told since this was asked last.
    pub(crate) fn take_told(&mut self) -> Vec<ContractFinding> {
        self.levels.take_told()
    }

    /// These findings on levels were told before, and no others.
    pub(crate) fn were_told(&mut self, told: Vec<ContractFinding>) {
        self.levels.were_told(told);
    }

    /// Goes on from what was judged before what everything rests on changed.
    pub(crate) fn go_on_from(&mut self, before: &mut ContractState) {
        self.levels.go_on_from(&mut before.levels);
    }

    /// What differs between what was judged before and what is judged now.
    pub(crate) fn compare(
        case: ContractCase<'_>,
        before: Option<&ContractState>,
        now: &ContractState,
    ) -> Changes {
        let mut changes = Changes::default();
        Duties::compare(case, before.map(|before| &before.duties), &now.duties, &mut changes.duties);
        let known = before.map(|before| before.duty_findings(case)).unwrap_or_default();
        let known: std::collections::HashSet<&ContractFinding> = known.iter().collect();
        changes.findings = now.duty_findings(case);
        changes.findings.retain(|finding| !known.contains(finding));
        let faults = |state: &ContractState| -> Vec<ClauseFault> {
            let begun = state.epochs.get(..state.begun).unwrap_or_default();
            begun.iter().filter_map(|epoch| epoch.fault.as_deref().cloned()).collect()
        };
        let known = before.map(faults).unwrap_or_default();
        let new = faults(now).into_iter().filter(|fault| !known.contains(fault));
        changes.faults = new.map(|fault| (None, fault)).collect();
        faults_of(&mut changes, 0);
        changes
    }

    /// What is wrong with what was told, in the order of the events.
    pub(crate) fn findings(&self, case: ContractCase<'_>) -> Vec<ContractFinding> {
        let mut findings = self.duty_findings(case);
        if self.frame.first().is_some() {
            findings.extend(self.levels.findings(case));
        }
        findings.sort();
        findings
    }

    fn duty_findings(&self, case: ContractCase<'_>) -> Vec<ContractFinding> {
        match self.frame.first() {
            Some(_) => self.duties.findings(case),
            None => self.not_begun().into_iter().collect(),
        }
    }

    /// Duties or outages are told of a contract that never began.
    fn not_begun(&self) -> Option<ContractFinding> {
        let (at, event) = self.first_deed.as_ref().filter(|_| self.frame.first().is_none())?;
        Some(ContractFinding {
            at: *at,
            event: Some(event.to_string()),
            clause: None,
            subject: None,
            text: "the contract has not begun: no `signed` event has come, so nothing is owed".to_owned(),
        })
    }

    /// Why something cannot be judged; the first reason.
    fn fault(&self) -> Option<ClauseFault> {
        let begun = self.epochs.get(..self.begun).unwrap_or_default();
        let of_epoch = begun.iter().find_map(|epoch| epoch.fault.as_deref());
        of_epoch.or_else(|| self.duties.faults().next()).or_else(|| self.levels.faults().next()).cloned()
    }
}

/// Tells the faults that came with changes of duties.
fn faults_of(out: &mut Changes, first: usize) {
    let new = out.duties.iter().skip(first).filter_map(|change| {
        let (_, after) = change.after.as_ref()?;
        let fault = after.fault.as_deref()?;
        let before = change.before.as_ref().and_then(|(_, before)| before.fault.as_deref());
        (before != Some(fault)).then(|| (Some(change.subject.clone()), fault.clone()))
    });
    let new: Vec<_> = new.collect();
    out.faults.extend(new);
}
