//! A clause judges every ticket: nothing in it faults but for a fact, or an event of the contract, that has not come.

use rhai::Position;

use super::cells::{Asks, Space, windows};
use super::chance::Dice;
use super::ticket::{
    APPLIES, Asked, CAPS, CLASSIFY, DEADLINES, DUTIES, ESCALATION, FINDINGS, FLOOR, LEVELS, Sketch, is_design,
};
use super::value::Seen;
use super::walk::{Cell, Fault, Fuel, Walk};
use super::{Budget, Counterexample, Law, LawOutcome, Standing, outcome};
use crate::Pack;
use crate::diagnostic::Place;
use crate::policy::ClauseScript;
use crate::program::Function;
use crate::vocabulary::{Due, ENTRIES, Inputs, Value};

/// What is asked of the contract, in force or not for a ticket.
const OF_CONTRACT: [usize; 4] = [FLOOR, DUTIES, LEVELS, CAPS];
/// So many tickets are tried of a function at most, and of one cell.
const TICKETS_MAX: u64 = 2_048;
const ROUNDS_MAX: u64 = 48;

/// Looks at all functions of a clause; `priced` is what its prices say already.
pub(super) fn law(
    pack: &Pack,
    clause: &ClauseScript,
    priced: Option<&Standing>,
    budget: &mut Budget,
) -> LawOutcome {
    let asked = Asked { pack, clause };
    let mut all = priced.cloned().unwrap_or_default();
    for entry in [APPLIES, DEADLINES, CLASSIFY, ESCALATION, FINDINGS, FLOOR, DUTIES, LEVELS, CAPS] {
        let Some(function) = function(clause, entry) else { continue };
        if all.broken.is_some() {
            break;
        }
        let found = of_function(asked, entry, function, budget);
        all.open |= found.open;
        all.tried += found.tried;
        (all.broken, all.at) = (found.broken, found.at);
    }
    let mut outcome = outcome(Law::Total, clause, all.verdict());
    if let Some((entry, at)) = all.at {
        outcome.place = clause.head(entry);
        if let (Some(line), Some(column)) = (at.line(), at.position()) {
            let place = Place { file: clause.file.clone(), line, column, length: 0 };
            outcome.related.push(crate::Related { place, message: "it stops here".to_owned() });
        }
    } else if priced.is_none() {
        let first = (0..ENTRIES.len()).find(|entry| function(clause, *entry).is_some());
        outcome.place = clause.head(first.unwrap_or(APPLIES));
    }
    outcome
}

fn function(clause: &ClauseScript, entry: usize) -> Option<&Function> {
    clause.program.entries.get(entry)?.as_ref()
}

fn of_function(asked: Asked<'_>, entry: usize, of: &Function, budget: &mut Budget) -> Standing {
    let (pack, clause) = (asked.pack, asked.clause);
    // What is asked of the contract is asked whether or not the clause applies.
    let applies = function(clause, APPLIES).filter(|_| !OF_CONTRACT.contains(&entry) && entry != APPLIES);
    let deadlines = function(clause, DEADLINES).filter(|_| entry == ESCALATION);
    let asks = Asks::of([of].into_iter().chain(applies).chain(deadlines));
    let terms = asks.terms.iter().copied().chain(clause.names.terms()).collect();
    let spans =
        if entry == FLOOR { windows(pack, &[], &asks.terms) } else { windows(pack, &[clause], &terms) };
    let space = Space::new(pack, spans, &asks, &[], budget.proof.left / 4);
    let mut standing = Standing::default();
    let mut open = Vec::new();
    for number in 0..space.len() {
        let Some(cell) = space.cell(number) else { continue };
        let proof = Proof { pack, cell: &cell };
        if !proof.holds(entry, of, applies, deadlines, &mut budget.proof) || budget.proof.is_out() {
            standing.open = true;
            open.push(number);
        }
    }
    let mut dice = Dice::new(0x707a1);
    for nth in 0..ROUNDS_MAX {
        for number in &open {
            let Some(cell) = space.cell(*number) else { continue };
            if standing.tried >= TICKETS_MAX || budget.search.is_out() || standing.broken.is_some() {
                return standing;
            }
            standing.tried += 1;
            budget.search.spend(asks.nodes);
            let sketch = Sketch::of(pack, &cell, &asks, nth, &mut dice);
            if trouble(asked, entry, &sketch).is_some() {
                let small = sketch.shrunk(&mut budget.search, |sketch, fuel| {
                    fuel.spend(asks.nodes) && trouble(asked, entry, sketch).is_some()
                });
                if let Some(fault) = trouble(asked, entry, &small) {
                    standing.at = Some((entry, fault.at));
                    standing.broken = Some(shown(pack, entry, &small, &fault));
                }
            }
        }
    }
    standing
}

fn shown(pack: &Pack, entry: usize, sketch: &Sketch, fault: &Fault) -> Counterexample {
    let name = ENTRIES.get(entry).map_or("", |entry| entry.names[0]);
    let mut sentence = format!("`{name}` cannot be had: {}", fault.message);
    let of_ticket = !OF_CONTRACT.contains(&entry) || entry == FLOOR;
    let sketch = if of_ticket { sketch.clone() } else { sketch.of_contract() };
    if !of_ticket {
        sentence = format!("{sentence}; by the terms at {}", sketch.reported_at);
    }
    Counterexample {
        sentence,
        facts: sketch.told(pack),
        reported_at: of_ticket.then_some(sketch.reported_at),
        clock: None,
        prices: Vec::new(),
        events: sketch.events(pack),
    }
}

struct Proof<'a> {
    pack: &'a Pack,
    cell: &'a Cell,
}

impl Proof<'_> {
    fn walk<'b>(&'b self, fuel: &'b mut Fuel) -> Walk<'b> {
        Walk::new(&self.pack.policy.words, self.cell, (0, 0), fuel)
    }

    /// Whether a function comes out for every ticket of the cell.
    fn holds(
        &self,
        entry: usize,
        of: &Function,
        applies: Option<&Function>,
        deadlines: Option<&Function>,
        fuel: &mut Fuel,
    ) -> bool {
        if let Some(applies) = applies {
            match self.walk(fuel).call(applies) {
                None => return true,
                Some(Seen::Truth(truth)) if !truth.yes => return true,
                Some(_) => {}
            }
        }
        let mut walk = self.walk(fuel);
        let answer = walk.call(of);
        if walk.fault.is_some() {
            return false;
        }
        let Some(answer) = answer else { return true };
        let lists = |seen: &Seen| match seen {
            Seen::Values(values) => Some(values.clone()),
            _ => None,
        };
        match entry {
            DEADLINES => lists(&answer)
                .is_some_and(|lists| lists.iter().all(|list| clocks_fault(&dues(list)).is_none())),
            ESCALATION => {
                let clocks = match deadlines.map(|deadlines| self.walk(fuel).call(deadlines)) {
                    // A deadline that faults ends the ticket before.
                    Some(None) => return true,
                    Some(Some(clocks)) => lists(&clocks),
                    None => Some(vec![Value::List(Vec::new())]),
                };
                let (Some(clocks), Some(steps)) = (clocks, lists(&answer)) else { return false };
                clocks.iter().all(|clocks| {
                    let clocks = dues(clocks);
                    steps.iter().all(|steps| steps_fault(steps, &clocks).is_none())
                })
            }
            _ => true,
        }
    }
}

/// The deadlines in a list.
pub(super) fn dues(list: &Value) -> Vec<Due> {
    let Value::List(items) = list else { return Vec::new() };
    let due = |item: &Value| match item {
        Value::Deadline(due) => Some((**due).clone()),
        _ => None,
    };
    items.iter().filter_map(due).collect()
}

/// What is wrong with clocks as they are set together.
fn clocks_fault(clocks: &[Due]) -> Option<String> {
    for (i, clock) in clocks.iter().enumerate() {
        let before = clocks.get(..i).unwrap_or_default();
        let name = &clock.name;
        if before.iter().any(|other| other.name == *name) {
            return Some(format!("the clock `{name}` is set twice"));
        }
        if clock.stops.is_empty() {
            return Some(format!("the clock `{name}` can never be met"));
        }
        if clock.length.is_none() {
            return Some(format!("the clock `{name}` has no end"));
        }
        if let Some(parent) = &clock.after_breach_of
            && !before.iter().any(|other| other.name == *parent)
        {
            return Some(format!("the clock `{name}` starts after `{parent}`, which is not set before it"));
        }
    }
    None
}

/// What is wrong with the steps of a ladder over these clocks.
fn steps_fault(steps: &Value, clocks: &[Due]) -> Option<String> {
    let Value::List(items) = steps else { return Some("the steps are no list".to_owned()) };
    items.iter().find_map(|item| match item {
        Value::Step(step) if !clocks.iter().any(|clock| clock.name == step.clock) => {
            Some(format!("a step names the clock `{}`, which is not set for this ticket", step.clock))
        }
        Value::Step(step) if step.roles.is_empty() => {
            Some(format!("a step of `{}` tells nobody", step.clock))
        }
        _ => None,
    })
}

/// What stops a function for a ticket, if it is asked at all, and no missing fact explains it.
fn trouble(asked: Asked<'_>, entry: usize, sketch: &Sketch) -> Option<Fault> {
    let inputs = sketch.inputs(asked.pack);
    let fault = match answered(asked, entry, sketch, &inputs) {
        Ok(message) => Fault { at: Position::NONE, message: message? },
        Err(fault) => fault,
    };
    (!is_design(&fault.message)).then_some(fault)
}

/// What is wrong with the answer of a function, if anything.
fn answered(
    asked: Asked<'_>,
    entry: usize,
    sketch: &Sketch,
    inputs: &Inputs,
) -> Result<Option<String>, Fault> {
    if entry != FLOOR && !asked.in_force(sketch.reported_at) {
        return Ok(None);
    }
    if !OF_CONTRACT.contains(&entry) {
        match asked.applies(inputs) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            // It is told for `applies` itself.
            Err(_) if entry != APPLIES => return Ok(None),
            Err(fault) => return Err(fault),
        }
    }
    if entry == ESCALATION {
        let Ok(clocks) = asked.deadlines(inputs) else { return Ok(None) };
        let steps = asked.entry(entry, inputs, None)?;
        return Ok(steps.and_then(|steps| steps_fault(&steps, &clocks)));
    }
    let answer = asked.entry(entry, inputs, None)?;
    Ok(answer.filter(|_| entry == DEADLINES).and_then(|list| clocks_fault(&dues(&list))))
}
