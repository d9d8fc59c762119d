//! One clause file, and what can be wrong with it.

use std::sync::Arc;

use chrono::NaiveDate;
use rhai::{AST, EvalAltResult, Position};
use serde::Serialize;

use super::view::{BreachView, ContractView, Share, TermsView, TicketView};
use super::vocabulary::{Due, OPERATIONS_MAX};
use crate::{Instant, Money, Span};

/// The functions that a clause file may define, with how many parameters each has.
pub(crate) const ENTRIES: [(&str, usize); 7] = [
    ("applies", 1),
    ("deadlines", 1),
    ("penalty", 1),
    ("classify", 1),
    ("escalation", 1),
    ("findings", 1),
    ("deposit_floor", 0),
];

/// A clause that could not be evaluated: where, and what was wrong. The rule author's fault, or an event lacks a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{file}:{line}:{column}: clause {clause}: {message}")]
pub struct ClauseFault {
    /// The clause of contract.md.
    pub clause: String,
    /// The clause's file within the pack.
    pub file: String,
    /// The line, from 1; 0 when the fault has no place of its own.
    pub line: usize,
    /// The column, from 1; 0 when the fault has no place of its own.
    pub column: usize,
    /// What was wrong, and what was expected.
    pub message: String,
}

/// One clause file, compiled.
pub(crate) struct ClauseScript {
    pub(crate) id: Arc<str>,
    pub(crate) file: String,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) until: Option<NaiveDate>,
    /// Clauses whose classification this one wins over, by place.
    pub(crate) overrides: Vec<u16>,
    pub(super) ast: AST,
    pub(super) defines: u8,
}

impl ClauseScript {
    pub(crate) fn defines(&self, entry: &str) -> bool {
        ENTRIES.iter().position(|(name, _)| *name == entry).is_some_and(|i| self.defines >> i & 1 == 1)
    }

    pub(super) fn in_force(&self, on: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= on) && self.until.is_none_or(|until| on < until)
    }

    /// Where a function of the file begins, for faults that have no place of their own.
    pub(crate) fn place(&self, function: &str) -> Position {
        let found = self.ast.iter_fn_def().find(|def| def.name == function);
        found.map_or(Position::NONE, |def| def.body.start_position())
    }

    pub(super) fn fault(&self, at: Position, message: impl Into<String>) -> ClauseFault {
        ClauseFault {
            clause: self.id.to_string(),
            file: self.file.clone(),
            line: at.line().unwrap_or(0),
            column: at.position().unwrap_or(0),
            message: message.into(),
        }
    }
}

/// A fault at its innermost place, in the vocabulary's words.
pub(super) fn explain(clause: &ClauseScript, entry: &str, error: EvalAltResult) -> ClauseFault {
    let mut at = error.position();
    let mut inner = &error;
    while let EvalAltResult::ErrorInFunctionCall(_, _, next, _) = inner {
        inner = next;
        if !inner.position().is_none() {
            at = inner.position();
        }
    }
    let message = match inner {
        EvalAltResult::ErrorRuntime(value, _) => value.to_string(),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            format!("no function takes these: `{}`", readable(signature))
        }
        EvalAltResult::ErrorTooManyOperations(_) => {
            format!("stopped after {} operations: does a loop never end?", OPERATIONS_MAX)
        }
        EvalAltResult::ErrorDotExpr(text, _) if !text.is_empty() => readable(text),
        other => {
            let mut other = other.to_string();
            if let Some(cut) = other.rfind(" (line ") {
                other.truncate(cut);
            }
            readable(&other)
        }
    };
    // A loop without a body has no place.
    clause.fault(if at.is_none() { clause.place(entry) } else { at }, message)
}

/// rhai's type names as the vocabulary says them.
fn readable(text: &str) -> String {
    let mut text = text.chars().take(300).collect::<String>();
    for (type_name, word) in [
        (std::any::type_name::<Money>(), "money"),
        (std::any::type_name::<Span>(), "time"),
        (std::any::type_name::<Instant>(), "instant"),
        (std::any::type_name::<crate::terms::Period>(), "days"),
        (std::any::type_name::<Share>(), "share"),
        (std::any::type_name::<TicketView>(), "ticket"),
        (std::any::type_name::<BreachView>(), "breach"),
        (std::any::type_name::<ContractView>(), "contract"),
        (std::any::type_name::<TermsView>(), "terms"),
        (std::any::type_name::<Due>(), "due"),
        ("&str | ImmutableString | String", "text"),
        ("i64", "count"),
    ] {
        text = text.replace(type_name, word);
    }
    text
}
