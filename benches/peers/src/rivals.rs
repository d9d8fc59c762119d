//! Other engines that are Rust libraries. Each computes everything but the deposit, one ticket at a time;
//! the host makes the input of its own struct and reads the outputs back, as a host has to.

mod expressions;
mod rego;
mod script;
mod zen;

use crate::policy::{Outcome, Ticket};

/// An engine that takes one ticket at a time.
pub trait RowEngine {
    fn decide(&mut self, ticket: &Ticket, warranty_end: i64) -> Result<Outcome, String>;
}

/// An engine by its name.
pub fn engine(name: &str) -> Option<Box<dyn RowEngine>> {
    Some(match name {
        "rhai-script" => Box::new(script::Script::new()),
        "rhai-flat" => Box::new(script::Flat::new()),
        "rhai-grain-script" => Box::new(script::Grain::new(false)),
        "rhai-grain-flat" => Box::new(script::Grain::new(true)),
        "zen-expression" => Box::new(zen::Expressions::new()),
        "zen-engine" => Box::new(zen::Decision::new()),
        "cel" => Box::new(expressions::Cel::new()),
        "regorus" => Box::new(rego::Rego::new()),
        _ => return None,
    })
}
