//! Tickets made up to try a law on, asked of the clauses one by one, and made smaller when they break it.

use std::sync::Arc;

use rhai::ImmutableString;
use serde_json::{Map, Value as Json};

use super::walk::{Fault, Fuel};
use crate::event::{Event, Kind};
use crate::policy::ClauseScript;
use crate::program::Run;
use crate::ticket::{ContractFacts, Facts, Value as FactValue};
use crate::vocabulary::{About, BreachInputs, Due, Inputs, Value};
use crate::{Instant, Money, Pack, Span};

/// Laws hold for lateness up to ten years; nobody waits longer.
pub(super) const LATE_MAX: i64 = 3_653 * 86_400_000_000;

pub(super) const TICKET: &str = "T1";

/// The entry functions by their places.
pub(super) const APPLIES: usize = 0;
pub(super) const DEADLINES: usize = 1;
pub(super) const PENALTY: usize = 2;
pub(super) const CLASSIFY: usize = 3;
pub(super) const ESCALATION: usize = 4;
pub(super) const FINDINGS: usize = 5;
pub(super) const FLOOR: usize = 6;
pub(super) const DUTIES: usize = 7;
pub(super) const LEVELS: usize = 8;
pub(super) const CAPS: usize = 10;

/// A ticket as far as clauses see it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sketch {
    pub(super) reported_at: Instant,
    pub(super) via: Option<ImmutableString>,
    pub(super) facts: Facts,
    pub(super) contract: ContractFacts,
    pub(super) standing: Vec<Kind>,
}

impl Sketch {
    pub(super) fn inputs(&self, pack: &Pack) -> Inputs {
        Inputs::new(
            Arc::clone(&pack.policy.words),
            pack.terms_at(self.reported_at),
            TICKET.into(),
            self.reported_at,
            self.via.clone(),
            self.facts.clone(),
            self.contract,
            self.standing.iter().map(|kind| (*kind, self.reported_at)).collect(),
            self.facts.first.iter().map(|fact| fact.as_ref().map(|_| self.reported_at)).collect(),
        )
    }

    /// When the breach is said to have come, for clauses that ask.
    pub(super) fn due(&self) -> Instant {
        self.reported_at.checked_add(Span::hours(2)).unwrap_or(self.reported_at)
    }

    /// The contract as the ticket finds it, without the ticket: what is known where no ticket is asked about.
    pub(super) fn of_contract(&self) -> Sketch {
        let unknown = vec![None; self.facts.first.len()];
        let facts = Facts { first: unknown.clone(), current: unknown };
        Sketch { via: None, facts, standing: Vec::new(), ..self.clone() }
    }

    /// The events that make such a ticket, or such a contract when nothing was reported.
    pub(super) fn events(&self, pack: &Pack) -> Vec<Event> {
        let contract = pack.contracts.first().cloned().unwrap_or_default();
        let mut events: Vec<Event> = Vec::new();
        let mut add = |kind: &str, ticket: bool, at: Instant, data: Map<String, Json>| {
            events.push(Event {
                id: format!("{}", events.len() + 1),
                contract: contract.clone(),
                ticket: ticket.then(|| TICKET.to_owned()),
                kind: kind.to_owned(),
                at,
                actor: None,
                via: (kind == "reported").then(|| self.via.as_deref().map(str::to_owned)).flatten(),
                data,
            });
        };
        for (kind, at) in
            [("signed", self.contract.signed_at), ("project_accepted", self.contract.accepted_at)]
        {
            if let Some(at) = at {
                add(kind, false, at, Map::new());
            }
        }
        let (mut first, mut changed) = (Map::new(), Map::new());
        for (place, fact) in pack.schema.facts.iter().enumerate() {
            let told = |values: &[Option<FactValue>]| values.get(place).cloned().flatten();
            let (begun, now) = (told(&self.facts.first), told(&self.facts.current));
            if now != begun {
                changed.extend(now.map(|value| (fact.name.clone(), json(&value))));
            }
            first.extend(begun.map(|value| (fact.name.clone(), json(&value))));
        }
        if self.standing.contains(&Kind::REPORTED) {
            add("reported", true, self.reported_at, first);
        }
        if !changed.is_empty() {
            add("updated", true, self.reported_at, changed);
        }
        for kind in self.standing.iter().filter(|kind| **kind != Kind::REPORTED) {
            let name = pack.schema.kinds.name(*kind).to_owned();
            add(&name, true, self.reported_at, Map::new());
        }
        events
    }

    /// The facts by name, as written.
    pub(super) fn told(&self, pack: &Pack) -> Vec<(String, String)> {
        let mut told = Vec::new();
        for (place, fact) in pack.schema.facts.iter().enumerate() {
            let value = |values: &[Option<FactValue>]| values.get(place).cloned().flatten();
            let (first, current) = (value(&self.facts.first), value(&self.facts.current));
            if first != current
                && let Some(first) = &first
            {
                told.push((format!("first.{}", fact.name), first.to_string()));
            }
            told.extend(current.map(|value| (fact.name.clone(), value.to_string())));
        }
        told.extend(self.via.as_ref().map(|via| ("via".to_owned(), via.to_string())));
        for (name, at) in [("signed", self.contract.signed_at), ("accepted", self.contract.accepted_at)] {
            told.extend(at.map(|at| (format!("contract {name}"), at.to_string())));
        }
        told
    }

    /// The same ticket made as small as the law stays broken by it.
    pub(super) fn shrunk(
        mut self,
        fuel: &mut Fuel,
        mut broken: impl FnMut(&Sketch, &mut Fuel) -> bool,
    ) -> Sketch {
        loop {
            let smaller = self.smaller().into_iter().find(|sketch| broken(sketch, fuel));
            match smaller {
                Some(smaller) if !fuel.is_out() => self = smaller,
                _ => return self,
            }
        }
    }

    /// Tickets a little smaller than this one.
    fn smaller(&self) -> Vec<Sketch> {
        let mut all = Vec::new();
        let changed = |change: &dyn Fn(&mut Sketch)| {
            let mut sketch = self.clone();
            change(&mut sketch);
            sketch
        };
        for place in 0..self.facts.current.len() {
            let value = |values: &[Option<FactValue>]| values.get(place).cloned().flatten();
            let (first, current) = (value(&self.facts.first), value(&self.facts.current));
            let set = |to: [Option<FactValue>; 2]| {
                changed(&|sketch| {
                    let [first, current] = to.clone();
                    if let (Some(a), Some(b)) =
                        (sketch.facts.first.get_mut(place), sketch.facts.current.get_mut(place))
                    {
                        (*a, *b) = (first, current);
                    }
                })
            };
            if current.is_some() {
                all.push(set([None, None]));
            }
            if first != current {
                all.push(set([first.clone(), first.clone()]));
                all.push(set([current.clone(), current.clone()]));
            }
            for value in current.iter().flat_map(|value| less(value, self.reported_at)) {
                let begun = if first == current { Some(value.clone()) } else { first.clone() };
                all.push(set([begun, Some(value)]));
            }
        }
        if self.via.is_some() {
            all.push(changed(&|sketch| sketch.via = None));
        }
        if self.contract.signed_at.is_some() {
            all.push(changed(&|sketch| sketch.contract.signed_at = None));
        }
        if self.contract.accepted_at.is_some() {
            all.push(changed(&|sketch| sketch.contract.accepted_at = None));
        }
        for i in 1..self.standing.len() {
            all.push(changed(&|sketch| {
                sketch.standing.remove(i);
            }));
        }
        all
    }
}

/// Plainer values than this one, the plainest first.
fn less(value: &FactValue, reported_at: Instant) -> Vec<FactValue> {
    let nearer = |n: i64| {
        let mut steps = vec![0, n / 2, n - n.signum()];
        steps.retain(|step| *step != n);
        steps.dedup();
        steps
    };
    match value {
        FactValue::Integer(n) => nearer(*n).into_iter().map(FactValue::Integer).collect(),
        FactValue::Money(money) => {
            let of = |minor| FactValue::Money(Money::from_minor(minor, money.currency()));
            nearer(money.minor()).into_iter().map(of).collect()
        }
        FactValue::Instant(at) if *at != reported_at => vec![FactValue::Instant(reported_at)],
        FactValue::Bool(true) => vec![FactValue::Bool(false)],
        _ => Vec::new(),
    }
}

fn json(value: &FactValue) -> Json {
    match value {
        FactValue::Bool(yes) => Json::from(*yes),
        FactValue::Integer(n) => Json::from(*n),
        FactValue::Money(money) => Json::from(money.amount()),
        FactValue::Text(text) => Json::from(text.as_str()),
        FactValue::Instant(at) => Json::from(at.to_string()),
    }
}

/// Whether a fault says that a fact or an event of the contract has not come: by design, and no breach of a law.
pub(super) fn is_design(message: &str) -> bool {
    message.contains("is not known")
}

/// A clause asked about made-up tickets.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) pack: &'a Pack,
    pub(super) clause: &'a ClauseScript,
}

impl Asked<'_> {
    pub(super) fn in_force(&self, at: Instant) -> bool {
        let on = self.pack.local_date(at);
        self.clause.from.is_none_or(|from| from <= on) && self.clause.until.is_none_or(|until| on < until)
    }

    /// The answer of an entry function; nothing where there is none.
    pub(super) fn entry(
        &self,
        entry: usize,
        inputs: &Inputs,
        breach: Option<&BreachInputs>,
    ) -> Result<Option<Value>, Fault> {
        let function = self.clause.program.entries.get(entry).and_then(Option::as_ref);
        let answer = function
            .map(|function| Run::new(inputs, breach.map_or(About::Nothing, About::Breach)).call(function))
            .transpose();
        answer.map_err(|fault| Fault { at: fault.at, message: fault.message })
    }

    pub(super) fn applies(&self, inputs: &Inputs) -> Result<bool, Fault> {
        Ok(!matches!(self.entry(APPLIES, inputs, None)?, Some(Value::Bool(false))))
    }

    pub(super) fn deadlines(&self, inputs: &Inputs) -> Result<Vec<Due>, Fault> {
        let Some(Value::List(items)) = self.entry(DEADLINES, inputs, None)? else { return Ok(Vec::new()) };
        let due = |item| match item {
            Value::Deadline(due) => Some(*due),
            _ => None,
        };
        Ok(items.into_iter().filter_map(due).collect())
    }

    /// The clocks that a breach of the ticket may be of; none when the clause does not apply or cannot say.
    pub(super) fn clocks(&self, sketch: &Sketch, inputs: &Inputs) -> Vec<Due> {
        match self.in_force(sketch.reported_at) && self.applies(inputs) == Ok(true) {
            true => self.deadlines(inputs).unwrap_or_default(),
            false => Vec::new(),
        }
    }

    /// Whether the clause prices missed duties: those of the contract, whichever tickets it applies to.
    pub(super) fn has_duties(&self) -> bool {
        self.clause.defines(DUTIES)
    }

    /// The clocks that a breach of the ticket may be of, or the duties of the contract then.
    pub(super) fn breached(&self, sketch: &Sketch, inputs: &Inputs) -> Vec<ImmutableString> {
        if !self.has_duties() {
            let clocks = self.clocks(sketch, inputs);
            return clocks.iter().map(|clock| (&*clock.name).into()).collect();
        }
        let duties = match self.in_force(sketch.reported_at) {
            true => self.entry(DUTIES, inputs, None),
            false => Ok(None),
        };
        let Ok(Some(Value::List(items))) = duties else { return Vec::new() };
        let name = |item: &Value| match item {
            Value::Duty(duty) => Some((&*duty.name).into()),
            _ => None,
        };
        items.iter().filter_map(name).collect()
    }

    /// What a breach costs, in minor units.
    pub(super) fn price(
        &self,
        sketch: &Sketch,
        inputs: &Inputs,
        clock: &str,
        late: i64,
    ) -> Result<Option<i64>, Fault> {
        let breach = BreachInputs { clock: clock.into(), due: sketch.due(), late: Span::from_micros(late) };
        Ok(match self.entry(PENALTY, inputs, Some(&breach))? {
            Some(Value::Money(money)) => Some(money.minor()),
            _ => None,
        })
    }
}
