//! What the clauses ask of the contract itself: duties, service levels, caps, and what a repetition costs.

use std::sync::Arc;

use super::{About, CAPS, CREDIT, ClauseFault, ClauseScript, DUTIES, LEVELS, PENALTY, Policy, REPEATED};
use crate::vocabulary::{
    AgainInputs, BreachInputs, Cap, Duty, DutyWhen, Inputs, Level, LevelInputs, Reads, Value,
};
use crate::{Instant, Money, Span};

/// The duties and service levels that hold from some date on, each with the place of its clause.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Obligations {
    pub(crate) duties: Vec<(u16, Duty)>,
    pub(crate) levels: Vec<(u16, Level)>,
}

/// What a missed duty or a closed period costs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Credit {
    pub(crate) amount: Money,
    /// The script looked at the lateness: the amount may grow while the duty is not done.
    pub(crate) grows: bool,
    pub(crate) reads: Reads,
}

impl Policy {
    /// The clauses in force that define an entry function, with their places.
    fn defining(&self, inputs: &Inputs, entry: usize) -> impl Iterator<Item = (u16, &ClauseScript)> {
        let on = inputs.reported_at.to_chrono().with_timezone(&self.zone).date_naive();
        let places = self.clauses.iter().enumerate();
        places
            .filter(move |(_, clause)| clause.defines(entry) && clause.in_force(on))
            .map(|(place, clause)| (u16::try_from(place).unwrap_or(u16::MAX), clause))
    }

    /// Whether any clause has duties or service levels.
    pub(crate) fn has_obligations(&self) -> bool {
        self.clauses.iter().any(|clause| clause.defines(DUTIES) || clause.defines(LEVELS))
    }

    /// The duties and levels by the terms and clauses of the inputs' instant.
    pub(crate) fn obligations(&self, inputs: &Arc<Inputs>) -> Result<Obligations, ClauseFault> {
        let mut obligations = Obligations::default();
        for (place, clause) in self.defining(inputs, DUTIES) {
            let answer = self.ask(clause, DUTIES, inputs, About::Nothing)?;
            for item in clause.items(DUTIES, answer.value)? {
                let Value::Duty(duty) = item else { return Err(clause.misfit(DUTIES, &item)) };
                let name = &duty.name;
                let unset = matches!(&duty.when, DutyWhen::Every(rule) if rule.is_empty());
                let missing = match (unset, &duty.length) {
                    (true, _) => {
                        Some(format!("the duty `{name}` never comes: say `.every(...)` or `.once()`"))
                    }
                    (_, None) => Some(format!("the duty `{name}` has no end: say `.within(...)`")),
                    _ if obligations.duties.iter().any(|(at, d)| *at == place && d.name == *name) => {
                        Some(format!("the duty `{name}` is set twice"))
                    }
                    _ => None,
                };
                if let Some(message) = missing {
                    return Err(clause.fault(clause.place(DUTIES), message));
                }
                obligations.duties.push((place, *duty));
            }
        }
        for (place, clause) in self.defining(inputs, LEVELS) {
            let answer = self.ask(clause, LEVELS, inputs, About::Nothing)?;
            for item in clause.items(LEVELS, answer.value)? {
                let Value::Level(level) = item else { return Err(clause.misfit(LEVELS, &item)) };
                if obligations.levels.iter().any(|(at, l)| *at == place && l.name == level.name) {
                    let message = format!("the level `{}` is set twice", level.name);
                    return Err(clause.fault(clause.place(LEVELS), message));
                }
                obligations.levels.push((place, *level));
            }
        }
        Ok(obligations)
    }

    /// An amount that an entry function gave; below nothing is a fault.
    fn amount(clause: &ClauseScript, entry: usize, value: Value, what: &str) -> Result<Money, ClauseFault> {
        match value {
            Value::Money(amount) if amount.minor() >= 0 => Ok(amount),
            Value::Money(amount) => {
                let message = format!("{what} of {amount}: expected zero or more");
                Err(clause.fault(clause.place(entry), message))
            }
            other => Err(clause.misfit(entry, &other)),
        }
    }

    /// Prices a missed duty; nothing when its clause has no penalty.
    pub(crate) fn duty_price(
        &self,
        inputs: &Arc<Inputs>,
        clause: u16,
        duty: &Arc<str>,
        due: Instant,
        late: Span,
    ) -> Result<Option<Credit>, ClauseFault> {
        let Some(clause) = self.clauses.get(usize::from(clause)).filter(|c| c.defines(PENALTY)) else {
            return Ok(None);
        };
        let breach = BreachInputs { clock: Arc::clone(duty), due, late };
        let answer = self.ask(clause, PENALTY, inputs, About::Breach(&breach))?;
        let amount = Policy::amount(clause, PENALTY, answer.value, "a penalty")?;
        Ok(Some(Credit { amount, grows: answer.late_read, reads: answer.reads }))
    }

    /// What a closed period of a level costs; nothing when its clause gives no credit.
    pub(crate) fn credit(
        &self,
        inputs: &Arc<Inputs>,
        clause: u16,
        level: &LevelInputs,
    ) -> Result<Option<Credit>, ClauseFault> {
        let Some(clause) = self.clauses.get(usize::from(clause)).filter(|c| c.defines(CREDIT)) else {
            return Ok(None);
        };
        let answer = self.ask(clause, CREDIT, inputs, About::Period(&Arc::new(level.clone())))?;
        let amount = Policy::amount(clause, CREDIT, answer.value, "a credit")?;
        Ok(Some(Credit { amount, grows: false, reads: answer.reads }))
    }

    /// The caps in the order in which they apply, with the clause that states them.
    pub(crate) fn caps(&self, inputs: &Arc<Inputs>) -> Result<Vec<(u16, Cap)>, ClauseFault> {
        let mut caps = Vec::new();
        for (place, clause) in self.defining(inputs, CAPS) {
            let answer = self.ask(clause, CAPS, inputs, About::Nothing)?;
            for item in clause.items(CAPS, answer.value)? {
                let Value::Cap(cap) = item else { return Err(clause.misfit(CAPS, &item)) };
                caps.push((place, *cap));
            }
        }
        Ok(caps)
    }

    /// Whether a clause says what a repetition costs.
    pub(crate) fn repeats(&self, clause: u16) -> bool {
        self.clauses.get(usize::from(clause)).is_some_and(|clause| clause.defines(REPEATED))
    }

    /// The amount of a penalty in view of the earlier breaches of its clause; as it was when the clause does not say.
    pub(crate) fn repeated(
        &self,
        inputs: &Arc<Inputs>,
        clause: u16,
        again: &AgainInputs,
    ) -> Result<Money, ClauseFault> {
        let Some(clause) = self.clauses.get(usize::from(clause)).filter(|c| c.defines(REPEATED)) else {
            return Ok(again.amount);
        };
        let answer = self.ask(clause, REPEATED, inputs, About::Again(&Arc::new(again.clone())))?;
        Policy::amount(clause, REPEATED, answer.value, "a penalty")
    }
}
