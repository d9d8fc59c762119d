//! The one idea: a ticket's history and an instant in, its assessment out. No clock, no disk, no chance.

mod accrual;
mod answer;
mod contract;
mod quote;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use rhai::ImmutableString;

use crate::clock::{self, ClockFault, ClockRun, ClockSpec, ClockState, Length};
use crate::event::{Event, EventError, Kind};
use crate::policy::{ClauseFault, Derivation, LadderStep};
use crate::ticket::{ContractFacts, Detail, Entry, Status, Ticket, insert, status_after};
use crate::vocabulary::{Inputs, Reads, StepAt};
use crate::{Calendar, Instant, Pack, Span};
pub(crate) use accrual::PenaltyRun;
pub use answer::{Assessment, ClassOutcome, ClockOutcome, FORMAT, Finding, PenaltyOutcome, Readings};
pub(crate) use contract::{
    Changes, ClockEnds, ContractCase, ContractState, Cost, Counts, DutyChange, End, Judged, LevelChange,
    LevelRun, Own, is_deed, is_frame,
};
pub use contract::{ContractAssessment, ContractFinding, DutyOutcome, LevelOutcome, assess_contract};
pub use quote::{Quote, QuoteError};

/// Assesses one ticket by its history, as of an instant. Pure: the same arguments give the same answer, anywhere.
///
/// `contract_events` are the events of the contract itself (`signed`, `project_accepted` ...), `ticket_events` those of the
/// ticket; the order of neither matters. Events after `as_of` are not looked at. Faults of clauses are part of the answer.
///
/// # Errors
/// [`EventError`] for the first event that the pack's schema refuses.
pub fn assess(
    pack: &Pack,
    contract_events: &[Event],
    ticket_events: &[Event],
    as_of: Instant,
) -> Result<Assessment, EventError> {
    let (contract, history) = (admitted(pack, contract_events)?, admitted(pack, ticket_events)?);
    let first = ticket_events.first();
    let ticket = Arc::from(first.and_then(|event| event.ticket.as_deref()).unwrap_or_default());
    let relief: Vec<Arc<Entry>> = contract.iter().filter(|entry| entry.holds_clocks()).cloned().collect();
    let case = Case { pack, contract: &contract, relief: &relief, history: &history, ticket: &ticket, as_of };
    let outcome = case.outcome(None, None);
    Ok(case.assessment(first.map_or("", |event| event.contract.as_str()), &outcome))
}

/// Events admitted by the pack's schema, in their order.
pub(crate) fn admitted(pack: &Pack, events: &[Event]) -> Result<Vec<Arc<Entry>>, EventError> {
    let mut history = Vec::with_capacity(events.len());
    for event in events {
        insert(&mut history, Arc::new(pack.schema.admit(event)?));
    }
    Ok(history)
}

/// One ticket before the judge.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) pack: &'a Pack,
    /// Entries of the contract itself, in order.
    pub(crate) contract: &'a [Arc<Entry>],
    /// Those of them that start and end force majeure, which holds clocks.
    pub(crate) relief: &'a [Arc<Entry>],
    /// Entries of the ticket, in order.
    pub(crate) history: &'a [Arc<Entry>],
    pub(crate) ticket: &'a Arc<str>,
    pub(crate) as_of: Instant,
}

/// What an assessment found, by places instead of names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) reported_at: Option<Instant>,
    pub(crate) derivation: Option<Arc<Derivation>>,
    pub(crate) clocks: Box<[ClockRun]>,
    pub(crate) penalties: Box<[PenaltyRun]>,
    pub(crate) findings: Box<[(u16, ImmutableString)]>,
    /// The steps that have fired, by place, each at its instant.
    pub(crate) steps: Box<[(u16, Instant)]>,
    /// The next instant at which time alone changes the outcome.
    pub(crate) wake: Option<Instant>,
    pub(crate) fault: Option<Box<ClauseFault>>,
}

impl Outcome {
    fn bare(status: Status, reported_at: Option<Instant>) -> Outcome {
        Outcome {
            status,
            reported_at,
            derivation: None,
            clocks: Box::default(),
            penalties: Box::default(),
            findings: Box::default(),
            steps: Box::default(),
            wake: None,
            fault: None,
        }
    }

    /// The penalties that cost something.
    pub(crate) fn owed(&self) -> impl Iterator<Item = &PenaltyRun> {
        self.penalties.iter().filter(|penalty| penalty.amount.minor() > 0)
    }

    pub(crate) fn spec(&self, clock: u16) -> Option<&ClockSpec> {
        self.derivation.as_ref()?.clocks.get(usize::from(clock))
    }
}

impl<'a> Case<'a> {
    /// The entries that count.
    fn so_far(&self) -> &'a [Arc<Entry>] {
        self.history.get(..self.history.partition_point(|e| e.at <= self.as_of)).unwrap_or_default()
    }

    /// Judges the ticket. `known` spares the clauses' evaluation when no fact has changed since it was made; `before` spares
    /// pricing breaches that were priced then.
    pub(crate) fn outcome(&self, known: Option<&Arc<Derivation>>, before: Option<&Outcome>) -> Outcome {
        let history = self.so_far();
        let status =
            history.iter().fold(Status::Unreported, |status, entry| status_after(status, entry.kind));
        let reported = history.iter().find(|entry| entry.kind == Kind::REPORTED).map(|entry| entry.at);
        let Some(reported_at) = reported else {
            return Outcome::bare(Status::Unreported, None);
        };
        match self.judge(history, status, reported_at, known, before) {
            Ok(outcome) => outcome,
            Err(fault) => Outcome { fault: Some(fault), ..Outcome::bare(status, reported) },
        }
    }

    fn judge(
        &self,
        history: &[Arc<Entry>],
        status: Status,
        reported_at: Instant,
        known: Option<&Arc<Derivation>>,
        before: Option<&Outcome>,
    ) -> Result<Outcome, Box<ClauseFault>> {
        let made = OnceCell::new();
        let inputs = || Arc::clone(made.get_or_init(|| self.inputs(history, reported_at)));
        let derivation = match known {
            Some(known) => Arc::clone(known),
            None => Arc::new(self.pack.policy.derive(&inputs(), self.pack.local_date(reported_at))?),
        };
        let moves = self.clock_history();
        let mut clocks: Vec<ClockRun> = Vec::with_capacity(derivation.clocks.len());
        for spec in &derivation.clocks {
            let run = self.run(spec, &moves, &clocks).map_err(|fault| self.clock_fault(spec, fault))?;
            clocks.push(run);
        }
        // A price holds as long as no fact has changed and the breach is the same.
        let same = before.filter(|_| known.is_some());
        let mut penalties = Vec::new();
        let mut wakes = Vec::new();
        for (place, (spec, run)) in derivation.clocks.iter().zip(&clocks).enumerate() {
            let Ok(clock) = u16::try_from(place) else { continue };
            let priced = same.and_then(|b| b.penalties.iter().find(|p| p.clock == clock));
            let earlier = clocks.get(..place).unwrap_or_default();
            if let Some((penalty, grows)) = self.penalty((clock, spec), run, earlier, &inputs, priced)? {
                penalties.push(penalty);
                wakes.extend(grows);
            }
        }
        let mut findings = Vec::new();
        if self.pack.policy.has_findings() {
            findings = self.pack.policy.findings(&inputs(), &derivation)?;
        }
        let (steps, step_wake) = self.climb(&derivation, &moves, &clocks)?;
        wakes.extend(step_wake);
        for run in &clocks {
            wakes.extend(run.due.filter(|_| run.state == ClockState::Running).map(Instant::succ));
            // Once it is missed, only its penalty waits for it to run on.
            wakes.extend(run.runs_on.filter(|_| run.state == ClockState::Paused));
        }
        let wake = wakes.into_iter().min();
        Ok(Outcome {
            status,
            reported_at: Some(reported_at),
            clocks: clocks.into(),
            penalties: penalties.into(),
            findings: findings.into(),
            steps: steps.into(),
            wake,
            fault: None,
            derivation: Some(derivation),
        })
    }

    /// The entries that move clocks: the ticket's, and the contract's on force majeure.
    fn clock_history(&self) -> Cow<'a, [Arc<Entry>]> {
        let history = self.so_far();
        let relief =
            self.relief.get(..self.relief.partition_point(|e| e.at <= self.as_of)).unwrap_or_default();
        if relief.is_empty() {
            return Cow::Borrowed(history);
        }
        let mut all = history.to_vec();
        relief.iter().for_each(|entry| insert(&mut all, Arc::clone(entry)));
        Cow::Owned(all)
    }

    /// The calendar of a clock, as it is known.
    fn calendar(&self, spec: &ClockSpec) -> Option<&'a Calendar> {
        let calendar = self.pack.calendars.get(usize::from(spec.calendar));
        calendar.and_then(|calendar| calendar.known_at(self.as_of)).map(|calendar| &**calendar)
    }

    fn run(
        &self,
        spec: &ClockSpec,
        moves: &[Arc<Entry>],
        earlier: &[ClockRun],
    ) -> Result<ClockRun, ClockFault> {
        match self.calendar(spec) {
            Some(calendar) => clock::run(spec, calendar, moves, earlier, self.as_of, &mut |_| {}),
            None => Err(ClockFault::Calendar(crate::CalendarError::NoOpenHours)),
        }
    }

    /// Which steps of the ladders have come, and when the next will.
    #[expect(clippy::type_complexity, reason = "a list and an instant, used once")]
    fn climb(
        &self,
        derivation: &Derivation,
        moves: &[Arc<Entry>],
        clocks: &[ClockRun],
    ) -> Result<(Vec<(u16, Instant)>, Option<Instant>), Box<ClauseFault>> {
        let mut fired = Vec::new();
        let mut wake: Option<Instant> = None;
        for (place, step) in derivation.steps.iter().enumerate() {
            let Ok(place) = u16::try_from(place) else { continue };
            let at = self.step_instant(step, derivation, moves, clocks)?;
            match at {
                Some(at) if at < self.as_of => fired.push((place, at)),
                Some(at) => wake = Some(wake.map_or(at.succ(), |before| before.min(at.succ()))),
                None => {}
            }
        }
        Ok((fired, wake))
    }

    /// When a step comes, if its clock is not stopped before.
    fn step_instant(
        &self,
        step: &LadderStep,
        derivation: &Derivation,
        moves: &[Arc<Entry>],
        clocks: &[ClockRun],
    ) -> Result<Option<Instant>, Box<ClauseFault>> {
        let place = usize::from(step.clock);
        let (Some(spec), Some(run)) = (derivation.clocks.get(place), clocks.get(place)) else {
            return Ok(None);
        };
        let open = |at: Instant| run.stopped.is_none_or(|stopped| stopped > at).then_some(at);
        match step.at {
            StepAt::Breach => Ok(run.breached_at()),
            StepAt::After(span) => {
                let at = run.breached_at().and_then(|at| at.checked_add(span).ok());
                Ok(at.and_then(open))
            }
            StepAt::Share(share) => {
                // A date that had passed at the start leaves no time to share out.
                let target = run.target.or_else(|| Some(run.due?.since(run.started?).max(Span::ZERO)));
                let Some(target) = target else { return Ok(None) };
                let part = rust_decimal::Decimal::from(target.micros()) * share;
                let part = i64::try_from(part.trunc()).unwrap_or(i64::MAX);
                // The same clock with a shorter target falls due when the share is used.
                let shorter = ClockSpec { length: Length::Open(Span::from_micros(part)), ..spec.clone() };
                let run = self.run(&shorter, moves, clocks).map_err(|fault| self.clock_fault(spec, fault))?;
                Ok(match run.state {
                    ClockState::Breached | ClockState::Late | ClockState::Running => run.due,
                    _ => None,
                })
            }
        }
    }

    pub(crate) fn inputs(&self, history: &[Arc<Entry>], reported_at: Instant) -> Arc<Inputs> {
        let ticket = Ticket::fold(&self.pack.schema, history);
        Arc::new(Inputs::new(
            Arc::clone(&self.pack.policy.words),
            self.pack.terms_at(reported_at),
            (&**self.ticket).into(),
            reported_at,
            ticket.via,
            ticket.facts,
            ContractFacts::fold(self.contract, self.as_of),
            standing(history),
            given(history, self.pack.schema.facts.len()),
        ))
    }

    /// The inputs of the ticket as it stands, if it was reported.
    pub(crate) fn current_inputs(&self) -> Option<Arc<Inputs>> {
        let history = self.so_far();
        let reported_at = history.iter().find(|entry| entry.kind == Kind::REPORTED)?.at;
        Some(self.inputs(history, reported_at))
    }

    /// One clock again, telling each stretch that ran.
    pub(crate) fn trace(
        &self,
        spec: &ClockSpec,
        earlier: &[ClockRun],
        stretches: &mut dyn FnMut(clock::Stretch),
    ) -> Result<(), ClockFault> {
        if let Some(calendar) = self.calendar(spec) {
            clock::run(spec, calendar, &self.clock_history(), earlier, self.as_of, stretches)?;
        }
        Ok(())
    }

    fn clock_fault(&self, spec: &ClockSpec, fault: ClockFault) -> Box<ClauseFault> {
        let message = match fault {
            ClockFault::Calendar(error) => {
                let calendar = self.pack.calendars.get(usize::from(spec.calendar));
                let name = calendar.map_or("", |calendar| calendar.name.as_str());
                format!("clock `{}` in calendar `{name}`: {error}", spec.name)
            }
            ClockFault::UnknownDue(fact) => {
                let fact =
                    self.pack.schema.facts.get(usize::from(fact)).map_or("", |fact| fact.name.as_str());
                format!("clock `{}` ends on the fact `{fact}`, which is not known when it starts", spec.name)
            }
        };
        self.fault(spec, crate::policy::DEADLINES, message)
    }

    /// A fault of the clause that set a clock, at one of its functions.
    fn fault(&self, spec: &ClockSpec, function: usize, message: String) -> Box<ClauseFault> {
        let clause = self.pack.policy.clauses.get(usize::from(spec.clause));
        let at = clause.map_or(rhai::Position::NONE, |clause| clause.place(function));
        Box::new(ClauseFault {
            clause: clause.map_or(String::new(), |clause| clause.id.to_string()),
            file: clause.map_or(String::new(), |clause| clause.file.clone()),
            line: at.line().unwrap_or(0),
            column: at.position().unwrap_or(0),
            message,
        })
    }
}

pub(crate) fn penalty_id(pack: &Pack, ticket: &str, spec: &ClockSpec) -> String {
    format!("{ticket}/{}/{}", pack.clause_id(spec.clause), spec.name)
}

/// The terms and inputs that were read, by name.
pub(crate) fn described(inputs: &Inputs, reads: &Reads) -> (Readings, Readings) {
    let terms = reads.terms().filter_map(|i| inputs.words.terms.describe(&inputs.terms, i)).collect();
    let facts = reads.inputs().filter_map(|bit| inputs.describe(bit)).collect();
    (Readings(terms), Readings(facts))
}

/// The kinds that happened and were not taken back by a reopening or rejection, each with the instant of the last.
fn standing(history: &[Arc<Entry>]) -> Vec<(Kind, Instant)> {
    let mut kinds: Vec<(Kind, Instant)> = Vec::new();
    for entry in history {
        if matches!(entry.kind, Kind::REOPENED | Kind::REJECTED) {
            kinds.retain(|(kind, _)| !kind.is_revocable());
        }
        match kinds.iter_mut().find(|(kind, _)| *kind == entry.kind) {
            Some((_, at)) => *at = entry.at,
            None => kinds.push((entry.kind, entry.at)),
        }
    }
    kinds
}

/// When each fact was first given, by its place.
fn given(history: &[Arc<Entry>], facts: usize) -> Vec<Option<Instant>> {
    let mut given = vec![None; facts];
    for entry in history {
        let Detail::Facts(told) = &entry.detail else { continue };
        for (place, _) in told {
            if let Some(first) = given.get_mut(usize::from(*place)) {
                first.get_or_insert(entry.at);
            }
        }
    }
    given
}
