//! Clauses that decide the same thing: found before any ticket is, unless they can never apply to one ticket.

use std::collections::{BTreeMap, BTreeSet};

use super::{APPLIES, CLASSIFY, ClauseScript};
use crate::diagnostic::{Code, Diagnostic};
use crate::program::{Node, Op, Type};
use crate::vocabulary::{Relation, Value, Verdict, WORDS};

/// Two clauses of which one can say free and the other paid of one ticket, and neither overrides the other.
pub(super) fn conflicts(clauses: &[ClauseScript]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (place, second) in clauses.iter().enumerate() {
        for (other, first) in clauses.iter().take(place).enumerate() {
            let overrides =
                |a: &ClauseScript, b: usize| a.overrides.iter().any(|over| usize::from(*over) == b);
            if overrides(first, place) || overrides(second, other) || !overlap(first, second) {
                continue;
            }
            let ([free_a, paid_a], [free_b, paid_b]) = (says(first), says(second));
            if !(free_a && paid_b || paid_a && free_b) || never_both(first, second) {
                continue;
            }
            let message = format!(
                "clauses {} and {} can decide the same ticket, one free and the other paid: one must state `overrides`",
                first.id, second.id
            );
            let help = format!("write `//! overrides: {}` at the head of the clause that wins", first.id);
            let told = Diagnostic::new(Code::CONFLICT, second.head(CLASSIFY), message).help(help);
            diagnostics.push(told.related(first.head(CLASSIFY), format!("clause {} decides here", first.id)));
        }
    }
    diagnostics
}

/// Whether two clauses are in force on one day.
fn overlap(a: &ClauseScript, b: &ClauseScript) -> bool {
    let begins_before = |x: &ClauseScript, y: &ClauseScript| match (x.from, y.until) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    begins_before(a, b) && begins_before(b, a)
}

/// Whether a clause can say free, and whether it can say paid.
fn says(clause: &ClauseScript) -> [bool; 2] {
    let mut found = [false, false];
    let Some(Some(classify)) = clause.program.entries.get(CLASSIFY) else { return found };
    classify.body.walk(&mut |node| match &node.op {
        Op::Const(Value::Verdict(Verdict::Free(_))) => found[0] = true,
        Op::Const(Value::Verdict(Verdict::Paid(_))) => found[1] = true,
        Op::Word { word, .. } => match WORDS.get(usize::from(*word)).map(|word| word.names[0]) {
            Some("free") => found[0] = true,
            Some("paid") => found[1] = true,
            _ => {}
        },
        _ => {}
    });
    found
}

/// What a fact must be for a clause to apply, by the fact's place and whether its first value is meant.
type Needs = BTreeMap<(u16, bool), BTreeSet<String>>;

/// Whether a fact that both clauses need excludes one of them.
fn never_both(a: &ClauseScript, b: &ClauseScript) -> bool {
    let needs = |clause: &ClauseScript| match clause.program.entries.get(APPLIES) {
        Some(Some(applies)) => needed(&applies.body),
        _ => Needs::new(),
    };
    let (a, b) = (needs(a), needs(b));
    a.iter().any(|(fact, values)| b.get(fact).is_some_and(|others| values.is_disjoint(others)))
}

/// What must hold for a condition to be true, as far as it is plain equality with a text.
fn needed(node: &Node) -> Needs {
    match &node.op {
        Op::Call { body, .. } => needed(body),
        Op::And(nodes) => {
            let mut all = Needs::new();
            for (fact, values) in nodes.iter().flat_map(needed) {
                let narrowed = all.get(&fact).map(|known| known.intersection(&values).cloned().collect());
                all.insert(fact, narrowed.unwrap_or(values));
            }
            all
        }
        Op::Or(nodes) => {
            let mut nodes = nodes.iter().map(needed);
            let mut any = nodes.next().unwrap_or_default();
            for other in nodes {
                any.retain(|fact, _| other.contains_key(fact));
                for (fact, values) in &mut any {
                    values.extend(other.get(fact).into_iter().flatten().cloned());
                }
            }
            any
        }
        Op::Compare(Relation::Equal, pair) => {
            let [a, b] = &**pair;
            equal(a, b).or_else(|| equal(b, a)).unwrap_or_default()
        }
        _ => Needs::new(),
    }
}

/// A fact that equals a text. One-of values count by their places, which are the same in both languages.
fn equal(fact: &Node, text: &Node) -> Option<Needs> {
    let (Op::Fact { place, first, .. }, Op::Const(Value::Text(text))) = (&fact.op, &text.op) else {
        return None;
    };
    let value = match &fact.of {
        Type::OneOf(choice) => choice.values.iter().position(|value| value == text)?.to_string(),
        _ => text.to_string(),
    };
    Some(Needs::from([((*place, *first), BTreeSet::from([value]))]))
}
