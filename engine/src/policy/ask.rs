//! One entry function of one clause asked, by either evaluator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rhai::{CallFnOptions, Dynamic, Position, Scope};

use super::clause::{ClauseFault, ClauseScript, explain};
use super::dynamic::{name_of, to_value};
use super::view::{AgainView, BreachSeen, BreachView, PeriodView, TicketView};
use super::{Evaluator, FINDINGS, PENALTY, Policy};
use crate::clock::ClockSpec;
use crate::program::Run;
use crate::vocabulary::{About, BreachInputs, ENTRIES, Inputs, Reads, Value};
use crate::{Instant, Money, Span};

impl Policy {
    /// Asks an entry function of a clause.
    pub(super) fn ask(
        &self,
        clause: &ClauseScript,
        entry: usize,
        inputs: &Arc<Inputs>,
        about: About<'_>,
    ) -> Result<Answer, ClauseFault> {
        if self.evaluator == Evaluator::Reference {
            return self.interpret(clause, entry, inputs, about);
        }
        Policy::run(clause, entry, inputs, about)
    }

    /// What a breach costs that is so late, by the program whoever is asked otherwise: for finding out where a price changes,
    /// which takes many questions. Nothing where the clause has no penalty or fails.
    pub(crate) fn price_ahead(
        &self,
        inputs: &Inputs,
        spec: &ClockSpec,
        due: Instant,
        late: Span,
    ) -> Option<Money> {
        let clause = self.clauses.get(usize::from(spec.clause))?;
        let breach = BreachInputs { clock: Arc::clone(&spec.name), due, late };
        match Policy::run(clause, PENALTY, inputs, About::Breach(&breach)).ok()?.value {
            Value::Money(amount) if amount.minor() >= 0 => Some(amount),
            _ => None,
        }
    }

    /// Runs an entry function's program.
    fn run(
        clause: &ClauseScript,
        entry: usize,
        inputs: &Inputs,
        about: About<'_>,
    ) -> Result<Answer, ClauseFault> {
        let Some(Some(function)) = clause.program.entries.get(entry) else {
            return Err(clause.fault(Position::NONE, "the function is not there"));
        };
        let mut run = Run::new(inputs, about);
        match run.call(function) {
            Ok(value) => Ok(Answer { value, reads: run.reads, late_read: run.late_read }),
            Err(fault) => Err(clause.fault(fault.at, fault.message)),
        }
    }

    /// The same by rhai's interpreter.
    pub(super) fn interpret(
        &self,
        clause: &ClauseScript,
        entry: usize,
        inputs: &Arc<Inputs>,
        about: About<'_>,
    ) -> Result<Answer, ClauseFault> {
        inputs.take_reads();
        inputs.let_ask_events(entry == FINDINGS);
        let takes = ENTRIES.get(entry).and_then(|entry| entry.takes);
        let mut seen = None;
        let args: Vec<Dynamic> = match about {
            About::Breach(breach) => {
                let view = Arc::new(BreachSeen {
                    inputs: Arc::clone(inputs),
                    breach: breach.clone(),
                    late_read: AtomicBool::new(false),
                });
                seen = Some(Arc::clone(&view));
                vec![Dynamic::from(BreachView(view))]
            }
            About::Period(period) => vec![Dynamic::from(PeriodView(Arc::clone(period)))],
            About::Again(again) => vec![Dynamic::from(AgainView(Arc::clone(again)))],
            About::Nothing if takes.is_none() => Vec::new(),
            About::Nothing => vec![Dynamic::from(TicketView(Arc::clone(inputs)))],
        };
        let options = CallFnOptions::new().eval_ast(false).with_tag(Arc::clone(inputs));
        let name = clause.entry_name(entry);
        let result: Result<Dynamic, _> =
            self.engine.call_fn_with_options(options, &mut Scope::new(), &clause.ast, name, args);
        inputs.let_ask_events(false);
        let value = result.map_err(|error| explain(clause, entry, *error))?;
        let value = to_value(&value).ok_or_else(|| {
            clause.fault(clause.place(entry), format!("`{name}` gives {}", name_of(&value)))
        })?;
        let late_read = seen.is_some_and(|seen| seen.late_read.load(Ordering::Relaxed));
        Ok(Answer { value, reads: inputs.take_reads(), late_read })
    }
}

/// What an entry function answered, and what it looked at.
pub(super) struct Answer {
    pub(super) value: Value,
    pub(super) reads: Reads,
    pub(super) late_read: bool,
}
