//! Stage 6: clauses as a typed, total program. The one intermediate form: checked, evaluated, searched for counterexamples.
//!
//! Functions are inlined and loops over written-out ranges unrolled, so that a clause is a finite tree without calls and
//! without loops. Every node keeps the place it comes from.

mod eval;
mod lower;
mod parse;
mod source;
mod types;
mod unread;

use std::sync::Arc;

use rhai::{ImmutableString, Position};

use crate::event::Kind;
use crate::vocabulary::{Act, Asked, Due, ENTRIES, Relation, Sign, Value};
pub(crate) use eval::Run;
pub(crate) use parse::read;
pub(crate) use types::{Choice, Elapse, Type};

/// One clause file, typed.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// By place in [`ENTRIES`].
    pub(crate) entries: [Option<Function>; ENTRIES.len()],
}

/// One entry function with everything it calls.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) body: Node,
    /// How many variables it has at most.
    pub(crate) slots: usize,
}

/// A part of a program that gives a value.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) of: Type,
    /// Where rhai tells of a fault in it.
    pub(crate) at: Position,
}

/// What a [`Node`] does. Operands are evaluated in the order in which they stand here.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// A value that is known.
    Const(Value),
    /// A variable.
    Slot(u16),
    /// A fact by its place in the schema: as it stands, or as it was first given; seen through these Chinese values.
    Fact {
        place: u16,
        first: bool,
        chinese: Option<Arc<[ImmutableString]>>,
    },
    /// Whether a fact is known, by its place.
    Knows(u16),
    /// Whether an event happened and stands.
    Has(Kind),
    /// Whether a fact was given by the time of an event that stands.
    Knew(u16, Kind),
    /// How many breaches of the clause there were within these days.
    Again(Box<Node>),
    /// Whether the contract was signed (0), or the project accepted (1).
    ContractHas(u8),
    /// A field of the ticket, the contract or the breach.
    Ask(Asked),
    /// A term by its place.
    Term(u16),
    Not(Box<Node>),
    Negate(Box<Node>),
    /// From left to right, until one is false.
    And(Vec<Node>),
    /// From left to right, until one is true.
    Or(Vec<Node>),
    Compare(Relation, Box<[Node; 2]>),
    Compute(Sign, Box<[Node; 2]>),
    /// A word of the table by its place, with its act.
    Word {
        word: u16,
        act: Act,
        args: Vec<Node>,
    },
    /// A deadline: what is known of it, and then what is still to be filled in.
    Deadline {
        known: Box<Due>,
        fill: Vec<Filling>,
    },
    List(Vec<Node>),
    /// Condition, then, else. Without an else the result is nothing.
    If(Box<[Node; 2]>, Option<Box<Node>>),
    Switch(Box<Switch>),
    /// Statements; the value is the last one's.
    Block(Vec<Node>),
    /// A variable gets a value. A declaration and an assignment alike; gives nothing.
    Set {
        slot: u16,
        value: Box<Node>,
        name: ImmutableString,
        declares: bool,
    },
    /// Ends the call it stands in.
    Return(Box<Node>),
    /// A function of the clause, its parameters already set by the statements before.
    Call {
        args: Vec<Node>,
        body: Box<Node>,
    },
}

/// A word that fills in a part of a deadline, with its arguments beside the deadline.
#[derive(Debug, Clone)]
pub(crate) struct Filling {
    pub(crate) word: u16,
    pub(crate) act: Act,
    pub(crate) args: Vec<Node>,
    pub(crate) at: Position,
}

/// `switch`: the first case that matches.
#[derive(Debug, Clone)]
pub(crate) struct Switch {
    pub(crate) on: Node,
    /// Values and the arm that each chooses, as rhai chooses: exact values first, then ranges in their order.
    pub(crate) cases: Vec<(Case, u16)>,
    pub(crate) arms: Vec<Node>,
    /// The arm of `_`.
    pub(crate) default: Option<u16>,
}

/// What a case matches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Case {
    Value(Value),
    /// From the first to the last number, both included.
    Range(i64, i64),
}

impl Node {
    pub(crate) fn known(value: Value, of: Type, at: Position) -> Node {
        Node { op: Op::Const(value), of, at }
    }

    /// Whether it always comes to this value.
    pub(crate) fn result_is(&self, value: &Value) -> bool {
        match &self.op {
            Op::Const(known) => known == value,
            Op::Call { body, .. } => body.result_is(value),
            _ => false,
        }
    }

    /// Whether it may end the call it stands in.
    pub(crate) fn returns(&self) -> bool {
        match &self.op {
            Op::Return(_) => true,
            // What a call within returns ends that call alone.
            Op::Call { args, .. } => args.iter().any(Node::returns),
            _ => self.below().into_iter().any(Node::returns),
        }
    }

    /// Everything directly below, in the order of evaluation.
    pub(crate) fn below(&self) -> Vec<&Node> {
        match &self.op {
            Op::Const(_)
            | Op::Slot(_)
            | Op::Fact { .. }
            | Op::Knows(_)
            | Op::Has(_)
            | Op::Knew(..)
            | Op::ContractHas(_)
            | Op::Ask(_)
            | Op::Term(_) => Vec::new(),
            Op::Not(node) | Op::Negate(node) | Op::Return(node) | Op::Again(node) => vec![node],
            Op::Set { value, .. } => vec![value],
            Op::And(nodes) | Op::Or(nodes) | Op::List(nodes) | Op::Block(nodes) => nodes.iter().collect(),
            Op::Compare(_, pair) | Op::Compute(_, pair) => pair.iter().collect(),
            Op::Word { args, .. } => args.iter().collect(),
            Op::Deadline { fill, .. } => fill.iter().flat_map(|filling| &filling.args).collect(),
            Op::If(pair, other) => pair.iter().chain(other.as_deref()).collect(),
            Op::Switch(switch) => std::iter::once(&switch.on).chain(&switch.arms).collect(),
            Op::Call { args, body, .. } => args.iter().chain(std::iter::once(&**body)).collect(),
        }
    }

    /// Visits this node and all below it.
    pub(crate) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Node)) {
        visit(self);
        for node in self.below() {
            node.walk(visit);
        }
    }
}
