//! cel: one program for each output.

use std::sync::Arc;

use super::RowEngine;
use crate::policy::{
    AS_OF, KINDS, Outcome, RESOLUTION_LIMIT, RESOLUTION_PENALTY, RESPONSE_LIMIT, RESPONSE_PENALTY, Ticket,
};
use cel::common::types::{CelBool, CelInt, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, Program, Value};

const STEPS: [&str; 8] = [
    "reported_at + response_limit[kind]",
    "reported_at + resolution_limit[kind]",
    "due_response < (responded_at == null ? as_of : responded_at)",
    "due_resolution < (resolved_at == null ? as_of : resolved_at)",
    "breach_response ? (responded_at == null ? as_of : responded_at) - due_response : 0",
    "breach_resolution ? (resolved_at == null ? as_of : resolved_at) - due_resolution : 0",
    "reported_at <= warranty_end",
    "(breach_response ? response_penalty[kind] : 0) + (breach_resolution ? resolution_penalty[kind] : 0)",
];

type Shared = Box<dyn Val + 'static>;

/// Lends its values: nothing is copied at a look-up.
struct Names {
    kinds: Vec<CelString<'static>>,
    kind: usize,
    reported: CelInt,
    responded: Option<CelInt>,
    resolved: Option<CelInt>,
    warranty_end: CelInt,
    dues: [CelInt; 2],
    breaches: [CelBool; 2],
    as_of: CelInt,
    tables: [Shared; 4],
}
const NULL: CelNull = CelNull;
impl VariableResolver for Names {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        fn time(at: &Option<CelInt>) -> CowVal<'_, '_> {
            match at {
                Some(at) => CowVal::Borrowed(at),
                None => CowVal::Borrowed(&NULL),
            }
        }
        Some(match variable {
            "kind" => CowVal::Borrowed(&self.kinds[self.kind]),
            "reported_at" => CowVal::Borrowed(&self.reported),
            "responded_at" => time(&self.responded),
            "resolved_at" => time(&self.resolved),
            "warranty_end" => CowVal::Borrowed(&self.warranty_end),
            "due_response" => CowVal::Borrowed(&self.dues[0]),
            "due_resolution" => CowVal::Borrowed(&self.dues[1]),
            "breach_response" => CowVal::Borrowed(&self.breaches[0]),
            "breach_resolution" => CowVal::Borrowed(&self.breaches[1]),
            "as_of" => CowVal::Borrowed(&self.as_of),
            "response_limit" => CowVal::Borrowed(&*self.tables[0]),
            "resolution_limit" => CowVal::Borrowed(&*self.tables[1]),
            "response_penalty" => CowVal::Borrowed(&*self.tables[2]),
            "resolution_penalty" => CowVal::Borrowed(&*self.tables[3]),
            _ => return None,
        })
    }
}

pub(super) struct Cel {
    /// Made once: a context that makes its own costs a hundred times the expression.
    env: Arc<Env>,
    programs: Vec<Program>,
    names: Names,
}
impl Cel {
    pub(super) fn new() -> Self {
        let table = |values: &[i64; 8]| -> Shared {
            let map: std::collections::HashMap<String, i64> =
                KINDS.iter().zip(values).map(|(&kind, &value)| (kind.to_owned(), value)).collect();
            Value::from(map).try_into().unwrap()
        };
        Self {
            env: Arc::new(Env::stdlib()),
            programs: STEPS.iter().map(|text| Program::compile(text).unwrap()).collect(),
            names: Names {
                kinds: KINDS.iter().map(|&kind| CelString::from(kind)).collect(),
                kind: 0,
                reported: 0.into(),
                responded: None,
                resolved: None,
                warranty_end: 0.into(),
                dues: [0.into(), 0.into()],
                breaches: [false.into(), false.into()],
                as_of: AS_OF.into(),
                tables: [&RESPONSE_LIMIT, &RESOLUTION_LIMIT, &RESPONSE_PENALTY, &RESOLUTION_PENALTY]
                    .map(table),
            },
        }
    }
}
impl RowEngine for Cel {
    fn decide(&mut self, ticket: &Ticket, warranty_end: i64) -> Result<Outcome, String> {
        let names = &mut self.names;
        names.kind = ticket.kind as usize;
        names.reported = ticket.reported.into();
        names.responded = ticket.responded.map(CelInt::from);
        names.resolved = ticket.resolved.map(CelInt::from);
        names.warranty_end = warranty_end.into();
        let mut outcome = Outcome::default();
        fn run(env: &Arc<Env>, program: &Program, names: &Names) -> Result<Value, String> {
            let mut context = Context::with_env(env.clone());
            context.set_variable_resolver(names);
            program.execute(&context).map_err(|e| e.to_string())
        }
        for (i, program) in self.programs.iter().enumerate() {
            match (i, run(&self.env, program, &self.names)?) {
                (0, Value::Int(v)) => {
                    self.names.dues[0] = v.into();
                    outcome.due_response = v;
                }
                (1, Value::Int(v)) => {
                    self.names.dues[1] = v.into();
                    outcome.due_resolution = v;
                }
                (2, Value::Bool(v)) => {
                    self.names.breaches[0] = v.into();
                    outcome.breach_response = v;
                }
                (3, Value::Bool(v)) => {
                    self.names.breaches[1] = v.into();
                    outcome.breach_resolution = v;
                }
                (4, Value::Int(v)) => outcome.late_response = v,
                (5, Value::Int(v)) => outcome.late_resolution = v,
                (6, Value::Bool(v)) => outcome.free = v,
                (7, Value::Int(v)) => outcome.penalty = v,
                (_, other) => return Err(format!("{}: {other:?}", STEPS[i])),
            }
        }
        Ok(outcome)
    }
}
