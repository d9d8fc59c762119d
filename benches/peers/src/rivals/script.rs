//! rhai: the tree walker and the bytecode machine.

use super::RowEngine;
use crate::policy::{AS_OF, KINDS, Outcome, Ticket};
use rhai::grain::{Compiler, Program, Vm};
use rhai::{AST, CallFnOptions, Dynamic, Engine, ImmutableString, Map, Scope};

const SCRIPT: &str = include_str!("../../policies/policy.rhai");
const FLAT: &str = include_str!("../../policies/flat.rhai");

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.register_fn(
        "decision",
        |due_response: i64,
         due_resolution: i64,
         late_response: i64,
         late_resolution: i64,
         free: bool,
         penalty: i64| {
            Outcome {
                due_response,
                due_resolution,
                late_response,
                late_resolution,
                penalty,
                breach_response: late_response > 0,
                breach_resolution: late_resolution > 0,
                free,
            }
        },
    );
    engine
}

struct Names {
    kinds: Vec<ImmutableString>,
}
impl Names {
    fn new() -> Self {
        Self { kinds: KINDS.iter().map(|&k| k.into()).collect() }
    }
    fn input(&self, ticket: &Ticket, warranty_end: i64) -> (Map, Map, i64) {
        let time = |at: Option<i64>| at.map_or(Dynamic::UNIT, Dynamic::from_int);
        let mut map = Map::new();
        map.insert("kind".into(), self.kinds[ticket.kind as usize].clone().into());
        map.insert("reported_at".into(), ticket.reported.into());
        map.insert("responded_at".into(), time(ticket.responded));
        map.insert("resolved_at".into(), time(ticket.resolved));
        let mut contract = Map::new();
        contract.insert("warranty_end".into(), warranty_end.into());
        (map, contract, AS_OF)
    }
}

fn output(map: &Map) -> Result<Outcome, String> {
    let int = |name: &str| map.get(name).and_then(|v| v.as_int().ok()).ok_or("no number");
    let flag = |name: &str| map.get(name).and_then(|v| v.as_bool().ok()).ok_or("no flag");
    Ok(Outcome {
        due_response: int("due_response")?,
        due_resolution: int("due_resolution")?,
        late_response: int("late_response")?,
        late_resolution: int("late_resolution")?,
        penalty: int("penalty")?,
        breach_response: flag("breach_response")?,
        breach_resolution: flag("breach_resolution")?,
        free: flag("free")?,
    })
}

fn flat_input(t: &Ticket, warranty_end: i64) -> (i64, i64, Dynamic, Dynamic, i64) {
    let time = |at: Option<i64>| at.map_or(Dynamic::UNIT, Dynamic::from_int);
    (t.kind as i64, t.reported, time(t.responded), time(t.resolved), warranty_end)
}

pub(super) struct Script {
    engine: Engine,
    ast: AST,
    scope: Scope<'static>,
    names: Names,
}
impl Script {
    pub(super) fn new() -> Self {
        let engine = engine();
        let ast = engine.compile(SCRIPT).unwrap();
        Self { engine, ast, scope: Scope::new(), names: Names::new() }
    }
}
impl RowEngine for Script {
    fn decide(&mut self, ticket: &Ticket, warranty_end: i64) -> Result<Outcome, String> {
        let options = CallFnOptions::new().eval_ast(false).rewind_scope(true);
        let map: Map = self
            .engine
            .call_fn_with_options(
                options,
                &mut self.scope,
                &self.ast,
                "decide",
                self.names.input(ticket, warranty_end),
            )
            .map_err(|e| e.to_string())?;
        output(&map)
    }
}

pub(super) struct Flat {
    engine: Engine,
    ast: AST,
    scope: Scope<'static>,
}
impl Flat {
    pub(super) fn new() -> Self {
        let engine = engine();
        let ast = engine.compile(FLAT).unwrap();
        Self { engine, ast, scope: Scope::new() }
    }
}
impl RowEngine for Flat {
    fn decide(&mut self, ticket: &Ticket, warranty_end: i64) -> Result<Outcome, String> {
        let options = CallFnOptions::new().eval_ast(false).rewind_scope(true);
        self.engine
            .call_fn_with_options(
                options,
                &mut self.scope,
                &self.ast,
                "decide",
                flat_input(ticket, warranty_end),
            )
            .map_err(|e| e.to_string())
    }
}

/// The bytecode machine that came with 1.27.
pub(super) struct Grain {
    vm: Vm<'static>,
    program: Program<'static>,
    scope: Scope<'static>,
    names: Names,
    flat: bool,
}
impl Grain {
    pub(super) fn new(flat: bool) -> Self {
        // Lives as long as the program: the machine borrows it.
        let engine: &'static Engine = Box::leak(Box::new(engine()));
        let ast = engine.compile(if flat { FLAT } else { SCRIPT }).unwrap();
        let program = Compiler::new().compile(&ast).into_owned();
        Self { vm: Vm::new(engine), program, scope: Scope::new(), names: Names::new(), flat }
    }
}
impl RowEngine for Grain {
    fn decide(&mut self, ticket: &Ticket, warranty_end: i64) -> Result<Outcome, String> {
        let options = CallFnOptions::new().eval_ast(false).rewind_scope(true);
        if self.flat {
            let args = flat_input(ticket, warranty_end);
            return self
                .vm
                .call_fn_with_options(options, &mut self.scope, &self.program, "decide", args)
                .map_err(|e| e.to_string());
        }
        let args = self.names.input(ticket, warranty_end);
        let map: Map = self
            .vm
            .call_fn_with_options(options, &mut self.scope, &self.program, "decide", args)
            .map_err(|e| e.to_string())?;
        output(&map)
    }
}
