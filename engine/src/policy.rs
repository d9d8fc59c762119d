//! Stage 5: clause scripts evaluated by rhai's interpreter, the reference for every faster evaluator.

mod clause;
mod compare;
mod view;
mod vocabulary;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::NaiveDate;
use rhai::{AST, CallFnOptions, Dynamic, Engine, ImmutableString, Position, Scope};

use crate::clock::{ClockSpec, CountRule, Length, Pauses, Start};
use crate::nearest::hint;
use crate::ticket::Value;
use crate::{Instant, Money, Span};
pub use clause::ClauseFault;
use clause::{ClauseScript, ENTRIES, explain};
use compare::name_of;
use view::{BreachInputs, BreachView, TicketView};
pub(crate) use view::{Inputs, Reads, WIDTH, Words};
pub(crate) use vocabulary::StepAt;
use vocabulary::{Due, DueLength, FindingText, Step, Verdict, interpreter};

/// All clause scripts of a pack with the interpreter that runs them.
pub(crate) struct Policy {
    engine: Engine,
    pub(crate) words: Arc<Words>,
    pub(crate) clauses: Vec<ClauseScript>,
    /// How working days are counted in each calendar.
    pub(crate) count_rules: Vec<CountRule>,
    floor: Option<usize>,
}

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
    pub(crate) roles: Box<[ImmutableString]>,
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
    pub(crate) fn new(words: Arc<Words>, count_rules: Vec<CountRule>) -> Policy {
        Policy { engine: interpreter(&words), words, clauses: Vec::new(), count_rules, floor: None }
    }

    /// Compiles one clause file and adds it.
    pub(crate) fn add(
        &mut self,
        id: String,
        file: String,
        text: &str,
        dates: [Option<NaiveDate>; 2],
    ) -> Result<(), ClauseFault> {
        let mut clause = ClauseScript {
            id: id.into(),
            file,
            from: dates[0],
            until: dates[1],
            overrides: Vec::new(),
            ast: AST::empty(),
            defines: 0,
        };
        // Strict variables know the two globals by this scope; their values come at each evaluation.
        let mut scope = Scope::new();
        scope.push_constant("terms", ()).push_constant("contract", ());
        match self.engine.compile_with_scope(&scope, text) {
            Ok(ast) => clause.ast = ast,
            Err(error) => return Err(clause.fault(error.position(), error.err_type().to_string())),
        }
        if let Some(statement) = clause.ast.statements().first() {
            let message = "only functions stand at the top of a clause file";
            return Err(clause.fault(statement.position(), message));
        }
        for function in clause.ast.iter_functions() {
            let known = ENTRIES.iter().position(|(name, _)| *name == function.name);
            let expected = known.and_then(|i| ENTRIES.get(i)).map_or(function.params.len(), |(_, n)| *n);
            if function.params.len() != expected {
                let message = format!(
                    "`{}` takes {expected} parameter(s), not {}",
                    function.name,
                    function.params.len()
                );
                return Err(clause.fault(clause.place(function.name), message));
            }
            let near = hint(function.name, ENTRIES.iter().map(|(name, _)| *name));
            match known {
                Some(i) => clause.defines |= 1 << i,
                None if !near.is_empty() => {
                    let message = format!("unknown entry function `{}`{near}", function.name);
                    return Err(clause.fault(clause.place(function.name), message));
                }
                None => {}
            }
        }
        if clause.defines == 0 {
            let names: Vec<_> = ENTRIES.iter().map(|(name, _)| *name).collect();
            let message = format!("the file defines none of {}", names.join(", "));
            return Err(clause.fault(Position::NONE, message));
        }
        self.clauses.push(clause);
        Ok(())
    }

    /// Settles who gives the deposit's floor.
    pub(crate) fn finish(&mut self) -> Result<(), ClauseFault> {
        let mut floors = (0..self.clauses.len())
            .filter(|i| self.clauses.get(*i).is_some_and(|clause| clause.defines("deposit_floor")));
        self.floor = floors.next();
        match (floors.next().and_then(|i| self.clauses.get(i)), self.floor.and_then(|i| self.clauses.get(i)))
        {
            (Some(second), Some(first)) => Err(second.fault(
                second.place("deposit_floor"),
                format!("clause {} gives the deposit's floor already, in {}", first.id, first.file),
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn floor_clause(&self) -> Option<usize> {
        self.floor
    }

    /// What the clauses say of a ticket. The first fault ends it: a ticket is never half assessed.
    pub(crate) fn derive(&self, inputs: &Arc<Inputs>, on: NaiveDate) -> Result<Derivation, ClauseFault> {
        let ticket = Dynamic::from(TicketView(Arc::clone(inputs)));
        let mut clauses = Vec::with_capacity(self.clauses.len());
        let mut clocks = Vec::new();
        let mut steps = Vec::new();
        let mut verdicts = Vec::new();
        let mut all_reads = Vec::with_capacity(self.clauses.len());
        inputs.take_reads();
        for (place, clause) in self.clauses.iter().enumerate() {
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            let in_force = clause.in_force(on);
            let applies = in_force && self.applies(clause, inputs, &ticket)?;
            let reads = inputs.take_reads();
            clauses.push(Applied { applies, in_force, reads });
            let mut deadline_reads = Reads::default();
            if applies {
                if clause.defines("deadlines") {
                    self.deadlines(clause, place, inputs, &ticket, &mut clocks)?;
                    deadline_reads = inputs.take_reads();
                }
                if clause.defines("escalation") {
                    self.escalation(clause, place, inputs, &ticket, &clocks, &mut steps)?;
                    inputs.take_reads();
                }
                if clause.defines("classify") {
                    let verdict: Verdict = self.call(clause, inputs, "classify", (ticket.clone(),))?;
                    verdicts.push((place, verdict, inputs.take_reads().join(&reads)));
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

    fn applies(
        &self,
        clause: &ClauseScript,
        inputs: &Arc<Inputs>,
        ticket: &Dynamic,
    ) -> Result<bool, ClauseFault> {
        match clause.defines("applies") {
            true => self.call(clause, inputs, "applies", (ticket.clone(),)),
            false => Ok(true),
        }
    }

    fn deadlines(
        &self,
        clause: &ClauseScript,
        place: u16,
        inputs: &Arc<Inputs>,
        ticket: &Dynamic,
        clocks: &mut Vec<ClockSpec>,
    ) -> Result<(), ClauseFault> {
        let first = clocks.len();
        for due in self.call_list::<Due>(clause, inputs, "deadlines", ticket)? {
            let own = clocks.get(first..).unwrap_or_default();
            let spec = self
                .clock(place, due, first, own, inputs)
                .map_err(|m| clause.fault(clause.place("deadlines"), m))?;
            clocks.push(spec);
        }
        Ok(())
    }

    fn clock(
        &self,
        clause: u16,
        due: Due,
        first: usize,
        own: &[ClockSpec],
        inputs: &Inputs,
    ) -> Result<ClockSpec, String> {
        let name: Arc<str> = due.name.as_str().into();
        if own.iter().any(|spec| spec.name == name) {
            return Err(format!("the clock `{name}` is set twice"));
        }
        if due.stops.is_empty() {
            return Err(format!("the clock `{name}` can never be met: say `.met_by(...)`"));
        }
        let start = match due.after_breach_of {
            None => Start::On(due.starts.into()),
            Some(parent) => {
                let known = own.iter().position(|spec| *spec.name == *parent);
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
            Some(DueLength::Fact(fact)) => {
                let value = inputs.facts.current.get(usize::from(fact));
                let instant = value.and_then(|value| match value {
                    Some(Value::Instant(at)) => Some(*at),
                    _ => None,
                });
                Length::Fact(fact, instant)
            }
        };
        let pauses = match due.pauses {
            None => Pauses::Never,
            Some(reasons) if reasons.is_empty() => Pauses::Always,
            Some(reasons) => Pauses::For(reasons.into()),
        };
        Ok(ClockSpec { clause, name, start, length, stops: due.stops.into(), calendar, pauses })
    }

    fn escalation(
        &self,
        clause: &ClauseScript,
        place: u16,
        inputs: &Arc<Inputs>,
        ticket: &Dynamic,
        clocks: &[ClockSpec],
        steps: &mut Vec<LadderStep>,
    ) -> Result<(), ClauseFault> {
        for step in self.call_list::<Step>(clause, inputs, "escalation", ticket)? {
            let clock = clocks.iter().position(|spec| spec.clause == place && *spec.name == *step.clock);
            let Some(clock) = clock.and_then(|i| u16::try_from(i).ok()) else {
                let own = clocks.iter().filter(|spec| spec.clause == place).map(|spec| &*spec.name);
                let near = hint(&step.clock, own);
                let message =
                    format!("a step names the clock `{}`, which this clause does not set{near}", step.clock);
                return Err(clause.fault(clause.place("escalation"), message));
            };
            if step.roles.is_empty() {
                let message = format!("a step of `{}` tells nobody: say `.notify(\"role\")`", step.clock);
                return Err(clause.fault(clause.place("escalation"), message));
            }
            steps.push(LadderStep { clock, at: step.at, roles: step.roles.into() });
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
                b.place("classify"),
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
        let Some(clause) = self.clauses.get(usize::from(spec.clause)).filter(|c| c.defines("penalty")) else {
            return Ok(None);
        };
        inputs.take_reads();
        let breach = Arc::new(BreachInputs {
            inputs: Arc::clone(inputs),
            clock: (&*spec.name).into(),
            due,
            late,
            late_read: AtomicBool::new(false),
        });
        let view = Dynamic::from(BreachView(Arc::clone(&breach)));
        let amount: Money = self.call(clause, inputs, "penalty", (view,))?;
        if amount.minor() < 0 {
            return Err(clause
                .fault(clause.place("penalty"), format!("a penalty of {amount}: expected zero or more")));
        }
        let grows = breach.late_read.load(Ordering::Relaxed);
        Ok(Some(Price { amount, grows, reads: inputs.take_reads() }))
    }

    /// What the process rules find wrong, by clause.
    pub(crate) fn findings(
        &self,
        inputs: &Arc<Inputs>,
        derivation: &Derivation,
    ) -> Result<Vec<(u16, ImmutableString)>, ClauseFault> {
        let mut all = Vec::new();
        inputs.let_ask_events(true);
        for (place, (clause, applied)) in self.clauses.iter().zip(&derivation.clauses).enumerate() {
            if applied.applies && clause.defines("findings") {
                let ticket = Dynamic::from(TicketView(Arc::clone(inputs)));
                let place = u16::try_from(place).unwrap_or(u16::MAX);
                let found = self.call_list::<FindingText>(clause, inputs, "findings", &ticket)?;
                all.extend(found.into_iter().map(|finding| (place, finding.0)));
            }
        }
        inputs.let_ask_events(false);
        Ok(all)
    }

    pub(crate) fn has_findings(&self) -> bool {
        self.clauses.iter().any(|clause| clause.defines("findings"))
    }

    /// Below what the deposit may not fall; nothing when the pack has no such clause.
    pub(crate) fn deposit_floor(&self, inputs: &Arc<Inputs>) -> Result<Option<Money>, ClauseFault> {
        let Some(clause) = self.floor.and_then(|i| self.clauses.get(i)) else { return Ok(None) };
        let floor: Money = self.call(clause, inputs, "deposit_floor", ())?;
        if floor.minor() < 0 {
            return Err(clause
                .fault(clause.place("deposit_floor"), format!("a floor of {floor}: expected zero or more")));
        }
        Ok(Some(floor))
    }

    fn call<T: Clone + 'static>(
        &self,
        clause: &ClauseScript,
        inputs: &Arc<Inputs>,
        entry: &str,
        args: impl rhai::FuncArgs,
    ) -> Result<T, ClauseFault> {
        let options = CallFnOptions::new().eval_ast(false).with_tag(Arc::clone(inputs));
        let mut scope = Scope::new();
        let result: Result<Dynamic, _> =
            self.engine.call_fn_with_options(options, &mut scope, &clause.ast, entry, args);
        let value = result.map_err(|error| explain(clause, entry, *error))?;
        value.try_cast_result::<T>().map_err(|value| {
            let found = name_of(&value);
            let expected = match entry {
                "applies" => "true or false",
                "penalty" | "deposit_floor" => "money",
                "classify" => "`free(\"why\")`, `paid(\"why\")` or `undecided()`",
                _ => "a list",
            };
            clause.fault(clause.place(entry), format!("`{entry}` gives {found}: expected {expected}"))
        })
    }

    fn call_list<T: Clone + 'static>(
        &self,
        clause: &ClauseScript,
        inputs: &Arc<Inputs>,
        entry: &str,
        ticket: &Dynamic,
    ) -> Result<Vec<T>, ClauseFault> {
        let list: rhai::Array = self.call(clause, inputs, entry, (ticket.clone(),))?;
        let expected = match entry {
            "deadlines" => "`due(...)`",
            "escalation" => "steps such as `at_breach(...)`",
            _ => "`finding(...)`",
        };
        list.into_iter()
            .map(|item| {
                item.try_cast_result::<T>().map_err(|item| {
                    let message = format!("`{entry}` lists {}: expected {expected}", name_of(&item));
                    clause.fault(clause.place(entry), message)
                })
            })
            .collect()
    }
}
