//! regorus: the bytecode machine for Rego.

use super::RowEngine;
use crate::policy::{KINDS, Outcome, Ticket};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Rc, Value};

/// The bytecode machine, kept hot.
pub(super) struct Rego {
    vm: RegoVM,
    names: [Value; 5],
    kinds: Vec<Value>,
}
impl Rego {
    pub(super) fn new() -> Self {
        let mut engine = Engine::new();
        engine.add_policy("policy.rego".into(), include_str!("../../policies/policy.rego").into()).unwrap();
        let entry: Rc<str> = "data.sla.decision".into();
        let compiled = engine.compile_with_entrypoint(&entry).unwrap();
        let program = Compiler::compile_from_policy(&compiled, &[entry.as_ref()]).unwrap();
        let mut vm = RegoVM::new_with_policy(compiled);
        vm.load_program(program);
        vm.set_data(Value::new_object()).unwrap();
        Self {
            vm,
            names: ["kind", "reported_at", "responded_at", "resolved_at", "warranty_end"].map(Value::from),
            kinds: KINDS.iter().map(|&kind| Value::from(kind)).collect(),
        }
    }
}
impl RowEngine for Rego {
    fn decide(&mut self, ticket: &Ticket, warranty_end: i64) -> Result<Outcome, String> {
        let time = |at: Option<i64>| at.map_or(Value::Null, Value::from);
        let [kind, reported, responded, resolved, end] = self.names.clone();
        let mut input = Value::new_object();
        let fields = input.as_object_mut().map_err(|e| e.to_string())?;
        fields.insert(kind, self.kinds[ticket.kind as usize].clone());
        fields.insert(reported, ticket.reported.into());
        fields.insert(responded, time(ticket.responded));
        fields.insert(resolved, time(ticket.resolved));
        fields.insert(end, warranty_end.into());
        self.vm.set_input(input);
        let result = self.vm.execute().map_err(|e| format!("{e:?}"))?;
        let values = result.as_array().map_err(|e| e.to_string())?;
        let number = |i: usize| values[i].as_i64().map_err(|e| e.to_string());
        let flag = |i: usize| values[i].as_bool().copied().map_err(|e| e.to_string());
        Ok(Outcome {
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
}
