//! One clause file, and what can be wrong with it.

use std::sync::Arc;

use chrono::NaiveDate;
use rhai::{AST, EvalAltResult, ImmutableString, Position};
use serde::Serialize;

use super::reference::OPERATIONS_MAX;
use super::view::{BreachView, ContractView, TermsView, TicketView};
use super::{APPLIES, CAPS, CLASSIFY, DEADLINES, DUTIES, ESCALATION, FINDINGS, LEVELS};
use crate::diagnostic::Place;
use crate::program::Program;
use crate::vocabulary::{Due, ENTRIES, Names, Reads, Share, Sort, Value};
use crate::{Instant, Money, Span};

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
    pub(super) defines: u16,
    /// The clocks, duties and levels that it sets, each with what it is.
    pub(crate) sets: Vec<(Sort, ImmutableString)>,
    /// Texts that must name something of the pack: a clock or a clause.
    pub(crate) named: Vec<(Names, ImmutableString, Place)>,
    pub(crate) program: Program,
    /// The facts and terms that its text names.
    pub(crate) names: Reads,
    /// Where the name of each entry function stands.
    pub(super) heads: [Option<Place>; ENTRIES.len()],
}

impl ClauseScript {
    pub(crate) fn defines(&self, entry: usize) -> bool {
        self.defines >> entry & 1 == 1
    }

    /// Whether it has to do with tickets: a file of duties, service levels or caps alone has not.
    pub(crate) fn is_of_tickets(&self) -> bool {
        const OF_CONTRACT: u16 = 1 << DUTIES | 1 << LEVELS | 1 << CAPS;
        const OF_TICKETS: u16 =
            1 << APPLIES | 1 << DEADLINES | 1 << CLASSIFY | 1 << ESCALATION | 1 << FINDINGS;
        self.defines & OF_TICKETS != 0 || self.defines & OF_CONTRACT == 0
    }

    /// Whether nothing of it could be made out.
    pub(crate) fn is_unread(&self) -> bool {
        self.program.entries.iter().all(Option::is_none)
    }

    pub(crate) fn in_force(&self, on: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= on) && self.until.is_none_or(|until| on < until)
    }

    /// The name under which the file defines an entry function.
    pub(crate) fn entry_name(&self, entry: usize) -> &'static str {
        let names = ENTRIES.get(entry).map_or(["", ""], |entry| entry.names);
        let chinese = self.ast.iter_fn_def().any(|def| def.name == names[1]);
        names[usize::from(chinese)]
    }

    /// Where an entry function begins, for faults that have no place of their own.
    pub(crate) fn place(&self, entry: usize) -> Position {
        let name = self.entry_name(entry);
        let found = self.ast.iter_fn_def().find(|def| def.name == name);
        found.map_or(Position::NONE, |def| def.body.start_position())
    }

    /// Where the name of an entry function stands; the file where it has none.
    pub(crate) fn head(&self, entry: usize) -> Place {
        let head = self.heads.get(entry).and_then(Option::as_ref);
        head.cloned().unwrap_or_else(|| Place::file(&self.file))
    }

    /// A position of the file as a place.
    pub(super) fn place_at(&self, at: Position) -> Place {
        let (line, column) = (at.line().unwrap_or(0), at.position().unwrap_or(0));
        Place { file: self.file.clone(), line, column, length: 0 }
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

    /// An entry function that gives the wrong sort of thing.
    pub(super) fn misfit(&self, entry: usize, found: &Value) -> ClauseFault {
        let expected = ENTRIES.get(entry).map_or("", |entry| entry.expected);
        let message = format!("`{}` gives {found}: expected {expected}", self.entry_name(entry));
        self.fault(self.place(entry), message)
    }

    /// The items of a list that an entry function gave.
    pub(super) fn items(&self, entry: usize, value: Value) -> Result<Vec<Value>, ClauseFault> {
        match value {
            Value::List(items) => Ok(items),
            other => Err(self.misfit(entry, &other)),
        }
    }
}

/// A fault at its innermost place, in the vocabulary's words.
pub(super) fn explain(clause: &ClauseScript, entry: usize, error: EvalAltResult) -> ClauseFault {
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
