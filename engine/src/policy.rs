//! Stage 7: the clauses of a pack asked: what applies, what is due, what a breach costs. By the typed program, or by rhai's
//! interpreter, the reference for it.

mod ask;
mod clause;
mod conflict;
mod dynamic;
mod obligations;
mod reference;
#[cfg(test)]
mod tests;
mod together;
mod view;

use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rhai::{AST, Engine, ImmutableString, Scope};

use crate::clock::{ClockSpec, CountRule, Length, Pauses, Start};
use crate::diagnostic::{Code, Diagnostic};
use crate::nearest::hint;
use crate::ticket::Value as FactValue;
use crate::vocabulary::{
    About, BreachInputs, Due, DueLength, Inputs, Reads, Step, StepAt, Value, Verdict, Words,
    entry as entry_place,
};
use crate::{Instant, Money, Span};
pub use clause::ClauseFault;
pub(crate) use clause::ClauseScript;
pub(crate) use obligations::Obligations;
use reference::{interpreter, limited};

/// What evaluates clauses. Both give the same values, the same faults at the same places, and the same record of what was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Evaluator {
    /// The typed program: what an engine uses.
    #[default]
    Program,
    /// rhai's interpreter: slower, and the reference that the program is tested against.
    Reference,
}

/// The instant that a fact holds, if it is known.
fn known(inputs: &Inputs, fact: u16) -> Option<Instant> {
    match inputs.facts.current.get(usize::from(fact)) {
        Some(Some(FactValue::Instant(at))) => Some(*at),
        _ => None,
    }
}

/// All clause scripts of a pack with what runs them.
pub(crate) struct Policy {
    engine: Engine,
    reader: Engine,
    pub(crate) evaluator: Evaluator,
    pub(crate) words: Arc<Words>,
    pub(crate) clauses: Vec<ClauseScript>,
    /// How working days are counted in each calendar.
    pub(crate) count_rules: Vec<CountRule>,
    /// The contract's time zone, whose dates decide what is in force.
    pub(crate) zone: Tz,
    floor: Option<usize>,
}

/// The entry functions by their places in [`ENTRIES`](crate::vocabulary::ENTRIES).
pub(crate) const APPLIES: usize = 0;
pub(crate) const DEADLINES: usize = 1;
pub(crate) const PENALTY: usize = 2;
pub(crate) const CLASSIFY: usize = 3;
pub(crate) const ESCALATION: usize = 4;
pub(crate) const FINDINGS: usize = 5;
const FLOOR: usize = 6;
const DUTIES: usize = 7;
const LEVELS: usize = 8;
pub(crate) const CREDIT: usize = 9;
const CAPS: usize = 10;
pub(crate) const REPEATED: usize = 11;

/// What the clauses say of one ticket, before any time has run.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Derivation {
    pub(crate) clauses: Box<[Applied]>,
    pub(crate) clocks: Box<[ClockSpec]>,
    pub(crate) steps: Box<[LadderStep]>,
    pub(crate) class: Option<Class>,
    /// What set the clocks of each clause, for the record: by clause place.
    pub(crate) reads: Box<[Reads]>,
}

/// Whether a clause applies, and what it looked at to say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Applied {
    pub(crate) applies: bool,
    pub(crate) in_force: bool,
    pub(crate) reads: Reads,
}

/// Free or paid, by which clause, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Class {
    pub(crate) free: bool,
    pub(crate) reason: ImmutableString,
    pub(crate) clause: u16,
    pub(crate) reads: Reads,
}

/// A step of the escalation ladder of one clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LadderStep {
    pub(crate) clock: u16,
    pub(crate) at: StepAt,
    pub(crate) roles: Arc<[ImmutableString]>,
}

/// The price of one breach.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Price {
    pub(crate) amount: Money,
    /// The script looked at the lateness: the amount may grow while the clock runs.
    pub(crate) grows: bool,
    pub(crate) reads: Reads,
}

impl Policy {
    pub(crate) fn new(words: Arc<Words>, count_rules: Vec<CountRule>, zone: Tz) -> Policy {
        let engine = interpreter(&words);
        let (reader, evaluator) = (limited(), Evaluator::default());
        Policy { engine, reader, evaluator, words, clauses: Vec::new(), count_rules, zone, floor: None }
    }

    /// Reads, types and compiles one clause file and adds it, with everything that is wrong with it. A file with errors is
    /// added too, so that what it carries is known; the pack is refused as a whole.
    pub(crate) fn add(
        &mut self,
        id: String,
        file: String,
        text: &str,
        dates: [Option<NaiveDate>; 2],
    ) -> Vec<Diagnostic> {
        let lowered = crate::program::read(&self.reader, &self.words, &file, text);
        let mut diagnostics = lowered.diagnostics;
        let mut clause = ClauseScript {
            id: id.into(),
            file,
            from: dates[0],
            until: dates[1],
            overrides: Vec::new(),
            ast: AST::empty(),
            defines: 0,
            program: lowered.program,
            names: lowered.names,
            heads: lowered.heads,
            sets: lowered.sets,
            named: lowered.named,
        };
        if !diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.extend(self.compile(&mut clause, text));
        }
        self.clauses.push(clause);
        diagnostics
    }

    /// Compiles a file that was found right for the interpreter. Should it see a mistake all the same, that counts.
    fn compile(&self, clause: &mut ClauseScript, text: &str) -> Option<Diagnostic> {
        // Strict variables know the globals by this scope; their values come at each evaluation.
        let mut scope = Scope::new();
        for name in ["terms", "contract", "约定", "合同"] {
            scope.push_constant(name, ());
        }
        match self.engine.compile_with_scope(&scope, text) {
            Ok(ast) => clause.ast = ast,
            Err(error) => {
                let place = clause.place_at(error.position());
                return Some(Diagnostic::new(Code::SYNTAX, place, error.err_type().to_string()));
            }
        }
        for function in clause.ast.iter_functions() {
            clause.defines |= entry_place(function.name).map_or(0, |place| 1 << place);
        }
        None
    }

    /// The facts and terms that the clauses name, all together.
    pub(crate) fn names(&self) -> Reads {
        self.clauses.iter().fold(Reads::default(), |all, clause| all.join(&clause.names))
    }

    /// What the clauses say of a ticket. The first fault ends it: a ticket is never half assessed.
    pub(crate) fn derive(&self, inputs: &Arc<Inputs>, on: NaiveDate) -> Result<Derivation, ClauseFault> {
        let mut clauses = Vec::with_capacity(self.clauses.len());
        let mut clocks = Vec::new();
        let mut steps = Vec::new();
        let mut verdicts = Vec::new();
        let mut all_reads = Vec::with_capacity(self.clauses.len());
        for (place, clause) in self.clauses.iter().enumerate() {
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            let in_force = clause.in_force(on);
            let (applies, reads) = match in_force && clause.is_of_tickets() {
                true => self.applies(clause, inputs)?,
                false => (false, Reads::default()),
            };
            clauses.push(Applied { applies, in_force, reads });
            let mut deadline_reads = Reads::default();
            if applies {
                if clause.defines(DEADLINES) {
                    deadline_reads = self.deadlines(clause, place, inputs, &mut clocks)?;
                }
                if clause.defines(ESCALATION) {
                    self.escalation(clause, place, inputs, &clocks, &mut steps)?;
                }
                if clause.defines(CLASSIFY) {
                    let answer = self.ask(clause, CLASSIFY, inputs, About::Nothing)?;
                    match answer.value {
                        Value::Verdict(verdict) => verdicts.push((place, verdict, answer.reads.join(&reads))),
                        other => return Err(clause.misfit(CLASSIFY, &other)),
                    }
                }
            }
            all_reads.push(deadline_reads);
        }
        Ok(Derivation {
            clauses: clauses.into(),
            clocks: clocks.into(),
            steps: steps.into(),
            class: self.settle_class(verdicts)?,
            reads: all_reads.into(),
        })
    }

    fn applies(&self, clause: &ClauseScript, inputs: &Arc<Inputs>) -> Result<(bool, Reads), ClauseFault> {
        if !clause.defines(APPLIES) {
            return Ok((true, Reads::default()));
        }
        let answer = self.ask(clause, APPLIES, inputs, About::Nothing)?;
        match answer.value {
            Value::Bool(yes) => Ok((yes, answer.reads)),
            other => Err(clause.misfit(APPLIES, &other)),
        }
    }

    fn deadlines(
        &self,
        clause: &ClauseScript,
        place: u16,
        inputs: &Arc<Inputs>,
        clocks: &mut Vec<ClockSpec>,
    ) -> Result<Reads, ClauseFault> {
        let first = clocks.len();
        let answer = self.ask(clause, DEADLINES, inputs, About::Nothing)?;
        for item in clause.items(DEADLINES, answer.value)? {
            let Value::Deadline(due) = item else { return Err(clause.misfit(DEADLINES, &item)) };
            let own = clocks.get(first..).unwrap_or_default();
            let spec = self
                .clock(place, *due, first, own, inputs)
                .map_err(|m| clause.fault(clause.place(DEADLINES), m))?;
            clocks.push(spec);
        }
        Ok(answer.reads)
    }

    fn clock(
        &self,
        clause: u16,
        due: Due,
        first: usize,
        own: &[ClockSpec],
        inputs: &Inputs,
    ) -> Result<ClockSpec, String> {
        let name = due.name;
        if own.iter().any(|spec| spec.name == name) {
            return Err(format!("the clock `{name}` is set twice"));
        }
        if due.stops.is_empty() {
            return Err(format!("the clock `{name}` can never be met: say `.met_by(...)`"));
        }
        let start = match due.after_breach_of {
            None => Start::On(due.starts),
            Some(parent) => {
                let known = own.iter().position(|spec| spec.name == parent);
                let known = known.and_then(|i| u16::try_from(first + i).ok());
                Start::BreachOf(known.ok_or_else(|| {
                    let near = hint(&parent, own.iter().map(|spec| &*spec.name));
                    format!("the clock `{name}` starts after `{parent}`, which is not set before it in this clause{near}")
                })?)
            }
        };
        let calendar = due.calendar.unwrap_or(0);
        let rule = self.count_rules.get(usize::from(calendar)).copied().unwrap_or_default();
        let length = match due.length {
            None => return Err(format!("the clock `{name}` has no end: say `.within(...)` or `.by(...)`")),
            Some(DueLength::Span(span)) => Length::Open(span),
            Some(DueLength::Period(period)) => Length::Days(period, rule),
            Some(DueLength::Fact(fact)) => Length::Fact(fact, known(inputs, fact)),
            Some(DueLength::Before(fact, period)) => Length::Before(fact, period, rule, known(inputs, fact)),
        };
        let pauses = match due.pauses {
            None => Pauses::Never,
            Some(reasons) if reasons.is_empty() => Pauses::Always,
            Some(reasons) => Pauses::For(reasons),
        };
        let (stops, pause_max) = (due.stops, due.pause_max);
        Ok(ClockSpec { clause, name, start, length, stops, calendar, pauses, pause_max })
    }

    fn escalation(
        &self,
        clause: &ClauseScript,
        place: u16,
        inputs: &Arc<Inputs>,
        clocks: &[ClockSpec],
        steps: &mut Vec<LadderStep>,
    ) -> Result<(), ClauseFault> {
        let answer = self.ask(clause, ESCALATION, inputs, About::Nothing)?;
        for item in clause.items(ESCALATION, answer.value)? {
            let Value::Step(step) = item else { return Err(clause.misfit(ESCALATION, &item)) };
            let Step { clock: name, at, roles } = *step;
            let clock = clocks.iter().position(|spec| spec.clause == place && spec.name == name);
            let Some(clock) = clock.and_then(|i| u16::try_from(i).ok()) else {
                let own = clocks.iter().filter(|spec| spec.clause == place).map(|spec| &*spec.name);
                let near = hint(&name, own);
                let message =
                    format!("a step names the clock `{name}`, which this clause does not set{near}");
                return Err(clause.fault(clause.place(ESCALATION), message));
            };
            if roles.is_empty() {
                let message = format!("a step of `{name}` tells nobody: say `.notify(\"role\")`");
                return Err(clause.fault(clause.place(ESCALATION), message));
            }
            steps.push(LadderStep { clock, at, roles });
        }
        Ok(())
    }

    /// One class out of all verdicts: those that an applicable clause overrides fall away, the rest must agree.
    fn settle_class(&self, verdicts: Vec<(u16, Verdict, Reads)>) -> Result<Option<Class>, ClauseFault> {
        let decided: Vec<Class> = verdicts
            .into_iter()
            .filter_map(|(clause, verdict, reads)| match verdict {
                Verdict::Free(reason) => Some(Class { free: true, reason, clause, reads }),
                Verdict::Paid(reason) => Some(Class { free: false, reason, clause, reads }),
                Verdict::Undecided => None,
            })
            .collect();
        let overridden = |class: &Class| {
            decided.iter().any(|other| {
                self.clauses
                    .get(usize::from(other.clause))
                    .is_some_and(|c| c.overrides.contains(&class.clause))
            })
        };
        let mut standing = decided.iter().filter(|class| !overridden(class));
        let Some(first) = standing.next() else {
            return Ok(decided.into_iter().next());
        };
        if let Some(second) = standing.find(|class| class.free != first.free)
            && let (Some(a), Some(b)) =
                (self.clauses.get(usize::from(first.clause)), self.clauses.get(usize::from(second.clause)))
        {
            let word = |class: &Class| if class.free { "free" } else { "paid" };
            return Err(b.fault(
                b.place(CLASSIFY),
                format!(
                    "clauses disagree: {} ({}) says {} (`{}`), {} ({}) says {} (`{}`); one must state `overrides`",
                    a.id, a.file, word(first), first.reason, b.id, b.file, word(second), second.reason
                ),
            ));
        }
        Ok(Some(first.clone()))
    }

    /// Prices a breach; nothing when the clause that set the clock has no penalty.
    pub(crate) fn price(
        &self,
        inputs: &Arc<Inputs>,
        spec: &ClockSpec,
        due: Instant,
        late: Span,
    ) -> Result<Option<Price>, ClauseFault> {
        let Some(clause) = self.clauses.get(usize::from(spec.clause)).filter(|c| c.defines(PENALTY)) else {
            return Ok(None);
        };
        let breach = BreachInputs { clock: Arc::clone(&spec.name), due, late };
        let answer = self.ask(clause, PENALTY, inputs, About::Breach(&breach))?;
        let Value::Money(amount) = answer.value else { return Err(clause.misfit(PENALTY, &answer.value)) };
        if amount.minor() < 0 {
            return Err(
                clause.fault(clause.place(PENALTY), format!("a penalty of {amount}: expected zero or more"))
            );
        }
        Ok(Some(Price { amount, grows: answer.late_read, reads: answer.reads }))
    }

    /// What the process rules find wrong, by clause.
    pub(crate) fn findings(
        &self,
        inputs: &Arc<Inputs>,
        derivation: &Derivation,
    ) -> Result<Vec<(u16, ImmutableString)>, ClauseFault> {
        let mut all = Vec::new();
        for (place, (clause, applied)) in self.clauses.iter().zip(&derivation.clauses).enumerate() {
            if !applied.applies || !clause.defines(FINDINGS) {
                continue;
            }
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            let answer = self.ask(clause, FINDINGS, inputs, About::Nothing)?;
            for item in clause.items(FINDINGS, answer.value)? {
                let Value::Finding(finding) = item else { return Err(clause.misfit(FINDINGS, &item)) };
                all.push((place, finding.0));
            }
        }
        Ok(all)
    }

    /// Asks every function that one ticket needs, and puts nothing together of the answers: how many there were.
    pub(crate) fn ask_all(
        &self,
        inputs: &Arc<Inputs>,
        on: NaiveDate,
        clocks: &[ClockSpec],
        late: Span,
    ) -> Result<usize, ClauseFault> {
        let mut asked = 0;
        for clause in self.clauses.iter().filter(|clause| clause.in_force(on)) {
            for entry in [APPLIES, DEADLINES, CLASSIFY] {
                if clause.defines(entry) {
                    self.ask(clause, entry, inputs, About::Nothing)?;
                    asked += 1;
                }
            }
        }
        for clock in clocks {
            let Some(clause) = self.clauses.get(usize::from(clock.clause)).filter(|c| c.defines(PENALTY))
            else {
                continue;
            };
            let breach = BreachInputs { clock: Arc::clone(&clock.name), due: inputs.reported_at, late };
            self.ask(clause, PENALTY, inputs, About::Breach(&breach))?;
            asked += 1;
        }
        Ok(asked)
    }

    /// Whether any clause caps penalties or says what a repetition costs.
    pub(crate) fn bends_penalties(&self) -> bool {
        self.clauses.iter().any(|clause| clause.defines(CAPS) || clause.defines(REPEATED))
    }

    pub(crate) fn has_findings(&self) -> bool {
        self.clauses.iter().any(|clause| clause.defines(FINDINGS))
    }

    /// Below what the deposit may not fall; nothing when the pack has no such clause.
    pub(crate) fn deposit_floor(&self, inputs: &Arc<Inputs>) -> Result<Option<Money>, ClauseFault> {
        let Some(clause) = self.floor.and_then(|i| self.clauses.get(i)) else { return Ok(None) };
        let answer = self.ask(clause, FLOOR, inputs, About::Nothing)?;
        let Value::Money(floor) = answer.value else { return Err(clause.misfit(FLOOR, &answer.value)) };
        if floor.minor() < 0 {
            return Err(
                clause.fault(clause.place(FLOOR), format!("a floor of {floor}: expected zero or more"))
            );
        }
        Ok(Some(floor))
    }
}
