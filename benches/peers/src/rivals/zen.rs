//! zen: compiled expressions, and a decision graph.

use std::sync::Arc;

use super::RowEngine;
use crate::policy::{
    AS_OF, KINDS, Outcome, RESOLUTION_LIMIT, RESOLUTION_PENALTY, RESPONSE_LIMIT, RESPONSE_PENALTY, Ticket,
};
use rust_decimal::prelude::ToPrimitive;
use zen_expression::expression::Standard;
use zen_expression::variable::{Symbol, VariableMap};
use zen_expression::vm::VM;
use zen_expression::{Expression, Scope, Variable, compile_expression};

const STEPS: [(&str, &str); 8] = [
    ("due_response", "reported_at + policy.response_limit[kind]"),
    ("due_resolution", "reported_at + policy.resolution_limit[kind]"),
    ("breach_response", "due_response < (responded_at ?? policy.as_of)"),
    ("breach_resolution", "due_resolution < (resolved_at ?? policy.as_of)"),
    ("late_response", "breach_response ? (responded_at ?? policy.as_of) - due_response : 0"),
    ("late_resolution", "breach_resolution ? (resolved_at ?? policy.as_of) - due_resolution : 0"),
    ("free", "reported_at <= warranty_end"),
    (
        "penalty",
        "(breach_response ? policy.response_penalty[kind] : 0) + (breach_resolution ? policy.resolution_penalty[kind] : 0)",
    ),
];

fn table(values: &[i64; 8]) -> serde_json::Value {
    KINDS
        .iter()
        .zip(values)
        .map(|(&kind, &value)| (kind.to_owned(), value.into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

struct Input {
    names: [Symbol; 6],
    kinds: Vec<Symbol>,
    policy: Variable,
}
impl Input {
    fn new() -> Self {
        let name = Variable::key;
        Self {
            names: ["kind", "reported_at", "responded_at", "resolved_at", "warranty_end", "policy"].map(name),
            kinds: KINDS.iter().map(|kind| name(kind)).collect(),
            policy: serde_json::json!({
                "as_of": AS_OF,
                "response_limit": table(&RESPONSE_LIMIT),
                "resolution_limit": table(&RESOLUTION_LIMIT),
                "response_penalty": table(&RESPONSE_PENALTY),
                "resolution_penalty": table(&RESOLUTION_PENALTY),
            })
            .into(),
        }
    }
    fn ticket(&self, ticket: &Ticket, warranty_end: i64) -> Variable {
        let number = |v: i64| Variable::Number(v.into());
        let mut map = VariableMap::with_capacity(14);
        let [kind, reported, responded, resolved, end, policy] = &self.names;
        map.insert(kind.clone(), Variable::String(self.kinds[ticket.kind as usize].clone()));
        map.insert(reported.clone(), number(ticket.reported));
        map.insert(responded.clone(), ticket.responded.map_or(Variable::Null, number));
        map.insert(resolved.clone(), ticket.resolved.map_or(Variable::Null, number));
        map.insert(end.clone(), number(warranty_end));
        map.insert(policy.clone(), self.policy.clone());
        Variable::from_object(map)
    }
}

fn outcome(get: impl Fn(usize) -> Option<Variable>) -> Option<Outcome> {
    let number = |i| get(i)?.as_number()?.to_i64();
    let flag = |i| get(i)?.as_bool();
    Some(Outcome {
        due_response: number(0)?,
        due_resolution: number(1)?,
        breach_response: flag(2)?,
        breach_resolution: flag(3)?,
        late_response: number(4)?,
        late_resolution: number(5)?,
        free: flag(6)?,
        penalty: number(7)?,
    })
}

/// Compiled expressions, one after another; the host puts each result where the next ones find it.
pub(super) struct Expressions {
    input: Input,
    steps: Vec<(Symbol, Expression<Standard>)>,
    vm: VM,
}
impl Expressions {
    pub(super) fn new() -> Self {
        let steps = STEPS
            .iter()
            .map(|(name, text)| (Variable::key(name), compile_expression(text).unwrap()))
            .collect();
        Self { input: Input::new(), steps, vm: VM::new() }
    }
}
impl RowEngine for Expressions {
    fn decide(&mut self, ticket: &Ticket, warranty_end: i64) -> Result<Outcome, String> {
        let ticket = self.input.ticket(ticket, warranty_end);
        let fields = ticket.as_object().ok_or("no object")?;
        let scope = Scope::new(ticket);
        let mut values: [Variable; 8] = std::array::from_fn(|_| Variable::Null);
        for (i, (name, expression)) in self.steps.iter().enumerate() {
            let value = expression.evaluate_with_scope(&scope, &mut self.vm).map_err(|e| e.to_string())?;
            // Only what a later expression reads is put back.
            if i < 4 {
                fields.borrow_mut().insert(name.clone(), value.clone());
            }
            values[i] = value;
        }
        outcome(|i| Some(values[i].clone())).ok_or_else(|| format!("not an outcome: {values:?}"))
    }
}

/// A decision graph with one expression node, compiled.
pub(super) struct Decision {
    input: Input,
    decision: zen_engine::Decision,
    names: Vec<Symbol>,
    runtime: tokio::runtime::Runtime,
}
impl Decision {
    pub(super) fn new() -> Self {
        let expressions: Vec<_> = STEPS
            .iter()
            .enumerate()
            .map(|(i, (name, text))| {
                let text = ["due_response", "due_resolution", "breach_response", "breach_resolution"]
                    .iter()
                    .fold(text.to_string(), |text, name| text.replace(name, &format!("$.{name}")));
                serde_json::json!({ "id": i.to_string(), "key": name, "value": text })
            })
            .collect();
        let graph = serde_json::json!({
            "nodes": [
                { "id": "in", "name": "in", "type": "inputNode" },
                { "id": "policy", "name": "policy", "type": "expressionNode", "content": { "expressions": expressions } },
                { "id": "out", "name": "out", "type": "outputNode" },
            ],
            "edges": [
                { "id": "1", "sourceId": "in", "targetId": "policy" },
                { "id": "2", "sourceId": "policy", "targetId": "out" },
            ],
        });
        let graph: zen_engine::model::GraphContent = serde_json::from_value(graph).unwrap();
        let mut decision = zen_engine::Decision::from(Arc::new(graph));
        decision.compile();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Self {
            input: Input::new(),
            decision,
            names: STEPS.iter().map(|(name, _)| Variable::key(name)).collect(),
            runtime,
        }
    }
}
impl RowEngine for Decision {
    fn decide(&mut self, ticket: &Ticket, warranty_end: i64) -> Result<Outcome, String> {
        let ticket = self.input.ticket(ticket, warranty_end);
        let response = self.runtime.block_on(self.decision.evaluate(ticket)).map_err(|e| format!("{e:?}"))?;
        let map = response.result.as_object().ok_or("no object")?;
        let map = map.borrow();
        outcome(|i| map.get(&self.names[i]).cloned()).ok_or_else(|| "not an outcome".to_owned())
    }
}
