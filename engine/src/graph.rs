//! Stage 9: a pack's clauses as one graph over columns, for evaluating many tickets at once.
//!
//! The typed program of each clause is run once over symbols instead of values. What is known beforehand (terms, texts, what
//! depends on nothing) is computed then and there; what is left is a graph of plain operations on whole numbers and truths, in
//! which equal nodes are one. A graph holds for a stretch of dates on which the terms and clauses in force are the same.
//!
//! A row of which a clause cannot be sure (a fact that is missing, a number out of range) is *doubtful*: one of
//! [`Graph::doubts`] is true for it. Such a row is judged by `assess`, which says what is wrong and where.
//! Doubt is on the safe side: a doubtful row may be judged without a fault, one that is not never has one.

mod build;
mod clauses;
mod signs;
mod symbol;
mod walk;
mod words;

use std::sync::Arc;

use chrono::NaiveDate;

use crate::terms::Period;
use crate::{Calendar, CountRule, Instant, Pack, Rounding};

/// A node of a [`Graph`], by its place. Operands stand before what uses them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// Its place among [`Graph::nodes`].
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// How the values of a node are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// True or false.
    Bool,
    /// A whole number: a count, minor units of money, microseconds of time, microseconds since 1970 for an instant, the place
    /// of a text among those that a one-of allows, or a share times a power of ten.
    Int,
}

/// How two numbers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    /// The same.
    Equal,
    /// Less.
    Less,
    /// Less or the same.
    AtMost,
}

/// Which text of a ticket is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TextOf {
    /// A fact by its place among [`Pack::facts`]; as it was first given, or as it stands.
    Fact(u16, bool),
    /// How the ticket was reported; the empty text when that was not said.
    Via,
    /// The ticket's id.
    Id,
}

/// What a node does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A whole number.
    Int(i64),
    /// A truth.
    Bool(bool),
    /// A fact that is no text and no truth, by its place among [`Pack::facts`]: as it was first given, or as it stands. The place of its
    /// text for a one-of. Any number where it is not known.
    Fact(u16, bool),
    /// A fact that is true or false. Either where it is not known.
    Flag(u16, bool),
    /// Whether a fact is known (by now, which is the same as ever before).
    Known(u16),
    /// Whether a text is this one.
    IsText(TextOf, Arc<str>),
    /// When the ticket was reported.
    ReportedAt,
    /// When the contract was signed (false), or the project accepted (true). Any number where it was not.
    ContractAt(bool),
    /// Whether the contract was signed (false), or the project accepted (true).
    ContractHas(bool),
    /// Whether an event of the ticket, by its place among [`Pack::event_kinds`], happened and was not taken back.
    Happened(u16),
    /// Whether a fact was given by the time of the last event of a kind that happened and was not taken back.
    Knew(u16, u16),
    /// When the clock that is priced was due.
    Due,
    /// How late the clock that is priced is, in microseconds.
    Late,
    /// The sum.
    Add(NodeId, NodeId),
    /// The difference.
    Sub(NodeId, NodeId),
    /// The product.
    Mul(NodeId, NodeId),
    /// What a division by a number that is not zero leaves.
    Rest(NodeId, i64),
    /// The smaller number.
    Min(NodeId, NodeId),
    /// The greater number.
    Max(NodeId, NodeId),
    /// How many of a unit (above zero) a number has, cut towards zero; with `true` a unit that has begun counts as one.
    Parts(NodeId, i64, bool),
    /// An amount times a share, over ten to this power, rounded.
    Share {
        /// The amount.
        amount: NodeId,
        /// The share times ten to the power of `scale`.
        share: NodeId,
        /// The power.
        scale: u32,
        /// How a fraction becomes whole.
        rounding: Round,
    },
    /// The value of a band: the one at the place of the last threshold that is not above the number; the first value below all.
    /// There is one value more than there are thresholds.
    Band(NodeId, Arc<[i64]>, Arc<[i64]>),
    /// The number at this place of a table; zero outside of it.
    Table(NodeId, Arc<[i64]>),
    /// Whether the table is true at this place; false outside of it.
    In(NodeId, Arc<[bool]>),
    /// The end of a period of days from an instant, on the days of the contract's zone, none of them closed.
    After(NodeId, Period),
    /// Whether the first number is so to the second.
    Compare(Order, NodeId, NodeId),
    /// Not.
    Not(NodeId),
    /// Both.
    And(NodeId, NodeId),
    /// Either, or both.
    Or(NodeId, NodeId),
    /// The second number where the first node is true, else the third.
    Select(NodeId, NodeId, NodeId),
}

/// A [`Rounding`] that can be told apart from others by hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Round {
    /// [`Rounding::HalfUp`].
    HalfUp,
    /// [`Rounding::HalfEven`].
    HalfEven,
    /// [`Rounding::Down`].
    Down,
    /// [`Rounding::Up`].
    Up,
}

impl From<Rounding> for Round {
    fn from(rounding: Rounding) -> Round {
        match rounding {
            Rounding::HalfUp => Round::HalfUp,
            Rounding::HalfEven => Round::HalfEven,
            Rounding::Down => Round::Down,
            Rounding::Up => Round::Up,
        }
    }
}

/// The clauses of a pack over columns, for tickets reported on certain dates.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// All nodes, operands first.
    pub nodes: Vec<Op>,
    /// Which nodes can leave 64 bits, by place: their sums, differences and products are to be watched, and a row of which one
    /// does is doubtful.
    pub watched: Vec<bool>,
    /// Truths of which none holds for a row that is sure.
    pub doubts: Vec<NodeId>,
    /// Numbers that may have no answer: they are to be computed though nothing may look at them, and a row of which one has none is
    /// doubtful.
    pub kept: Vec<NodeId>,
    /// The clauses in force that have to do with tickets, in their order.
    pub clauses: Vec<ClauseColumn>,
    /// The clocks, in the order in which a ticket has them. A clause that sets a clock in one of several ways has one for each.
    pub clocks: Vec<ClockColumn>,
    /// Who says whether the work is free: at most one is true for a row.
    pub classes: Vec<ClassColumn>,
    /// What is wrong in how a ticket was handled, in the order in which it is told.
    pub findings: Vec<FindingColumn>,
    /// What cannot be put as columns. Rows that it concerns are doubtful.
    pub uncompiled: Vec<Uncompiled>,
}

/// A clause in force.
#[derive(Clone, Debug)]
pub struct ClauseColumn {
    /// Its place among the pack's clause files.
    pub clause: u16,
    /// Its number in the contract.
    pub id: Arc<str>,
    /// Whether it applies.
    pub applies: NodeId,
}

/// A clock that a clause may set.
#[derive(Clone, Debug)]
pub struct ClockColumn {
    /// The clause's place among the pack's clause files.
    pub clause: u16,
    /// Its number in the contract.
    pub id: Arc<str>,
    /// The clock's name within the clause.
    pub name: Arc<str>,
    /// Whether a ticket has it.
    pub exists: NodeId,
    /// What starts it.
    pub start: StartColumn,
    /// How long it lasts.
    pub length: LengthColumn,
    /// The kinds of events that stop it, by place among [`Pack::event_kinds`].
    pub stops: Vec<u16>,
    /// The calendar, by place; see [`Pack::calendar`].
    pub calendar: u16,
    /// Which pauses hold it.
    pub pauses: PauseColumn,
    /// All its pauses together hold it for at most so many microseconds.
    pub pause_max: Option<i64>,
    /// What its breach costs; nothing where the clause gives no price.
    pub price: Option<PriceColumn>,
}

/// What starts a clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StartColumn {
    /// The first of events of these kinds, by place among [`Pack::event_kinds`].
    On(Vec<u16>),
    /// The breach of that one of these clocks which exists, by place among [`Graph::clocks`].
    BreachOf(Vec<usize>),
}

/// How long a clock lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LengthColumn {
    /// So many microseconds of open time.
    Open(NodeId),
    /// So many days of the calendar.
    Days(Period, CountRule),
    /// Until the instant that this fact holds.
    Fact(u16),
    /// Until so long before the instant that this fact holds.
    Before(u16, Period, CountRule),
}

/// Which pauses hold a clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PauseColumn {
    /// None.
    Never,
    /// All.
    Always,
    /// Those for one of these reasons.
    For(Vec<Arc<str>>),
}

/// What the breach of a clock costs.
#[derive(Clone, Debug)]
pub struct PriceColumn {
    /// The amount in minor units. It may look at [`Op::Due`] and [`Op::Late`].
    pub amount: NodeId,
    /// It looks at the lateness: the price may grow while the clock runs.
    pub grows: bool,
    /// Truths of which none holds for a row whose price is sure.
    pub doubts: Vec<NodeId>,
    /// As [`Graph::kept`], for the price.
    pub kept: Vec<NodeId>,
}

impl PriceColumn {
    /// Everything that is to be computed for it.
    pub fn outputs(&self) -> Vec<NodeId> {
        self.doubts.iter().chain(&self.kept).copied().chain([self.amount]).collect()
    }
}

/// A clause's word on whether the work is free.
#[derive(Clone, Debug)]
pub struct ClassColumn {
    /// Whether it is this word that counts.
    pub chosen: NodeId,
    /// Free, or paid.
    pub free: bool,
    /// Why, in the clause's words.
    pub reason: Arc<str>,
    /// The clause's number in the contract.
    pub id: Arc<str>,
}

/// A fault of the process that a clause may find.
#[derive(Clone, Debug)]
pub struct FindingColumn {
    /// Whether it is found.
    pub found: NodeId,
    /// The clause's number in the contract.
    pub id: Arc<str>,
    /// What is wrong.
    pub text: Arc<str>,
}

/// A function of a clause that cannot be put as columns: batches evaluate it ticket by ticket, which is slower.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, thiserror::Error)]
#[error(
    "{file}:{line}:{column}: `{function}` is evaluated ticket by ticket in `holdback assess`, which is slower: {why}"
)]
pub struct Uncompiled {
    /// The clause's number in the contract.
    pub clause: String,
    /// Its file within the pack.
    pub file: String,
    /// The function, as the file names it.
    pub function: String,
    /// The line, from 1; 0 when it has no place of its own.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What stands in the way.
    pub why: String,
}

impl Graph {
    /// The node at a place.
    pub fn id(&self, place: usize) -> NodeId {
        NodeId(u32::try_from(place).unwrap_or(u32::MAX))
    }

    /// How the values of a node are held.
    pub fn lane(&self, node: NodeId) -> Lane {
        match self.nodes.get(node.place()) {
            Some(
                Op::Bool(_)
                | Op::Flag(..)
                | Op::Known(_)
                | Op::IsText(..)
                | Op::ContractHas(_)
                | Op::Happened(_)
                | Op::Knew(..)
                | Op::In(..)
                | Op::Compare(..)
                | Op::Not(_)
                | Op::And(..)
                | Op::Or(..),
            ) => Lane::Bool,
            _ => Lane::Int,
        }
    }
}

impl Op {
    /// The nodes that it looks at, in the order in which they stand.
    pub fn operands(&self) -> impl Iterator<Item = NodeId> {
        let found: [Option<NodeId>; 3] = match self {
            Op::Add(a, b)
            | Op::Sub(a, b)
            | Op::Mul(a, b)
            | Op::Min(a, b)
            | Op::Max(a, b)
            | Op::Compare(_, a, b)
            | Op::And(a, b)
            | Op::Or(a, b)
            | Op::Share { amount: a, share: b, .. } => [Some(*a), Some(*b), None],
            Op::Rest(a, _)
            | Op::Parts(a, ..)
            | Op::Band(a, ..)
            | Op::Table(a, _)
            | Op::In(a, _)
            | Op::After(a, _)
            | Op::Not(a) => [Some(*a), None, None],
            Op::Select(a, b, c) => [Some(*a), Some(*b), Some(*c)],
            _ => [None, None, None],
        };
        found.into_iter().flatten()
    }
}

impl Pack {
    /// The first dates of the stretches in which the same terms and clauses are in force, ascending; the first is the first
    /// date of all. Dates are those of the contract's zone.
    pub fn epochs(&self) -> Vec<NaiveDate> {
        let terms = self.policy.words.terms.begins();
        let clauses = self.policy.clauses.iter().flat_map(|clause| [clause.from, clause.until]).flatten();
        let mut dates: Vec<NaiveDate> = terms.chain(clauses).chain([NaiveDate::MIN]).collect();
        dates.sort_unstable();
        dates.dedup();
        dates
    }

    /// The clauses over columns, for tickets reported on a date and on all dates of its stretch ([`Pack::epochs`]).
    ///
    /// ```
    /// use holdback::Pack;
    /// let pack = Pack::open("../rules/it-incidents".as_ref())?;
    /// let graph = pack.graph("2016-03-01".parse()?);
    /// assert!(graph.uncompiled.is_empty());
    /// let names: Vec<&str> = graph.clocks.iter().map(|clock| &*clock.name).collect();
    /// assert_eq!(names, ["response", "resolution"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn graph(&self, on: NaiveDate) -> Graph {
        clauses::graph(self, on)
    }

    /// What of the clauses cannot be put as columns, on whatever dates, each once.
    pub fn uncompiled(&self) -> Vec<Uncompiled> {
        let mut all: Vec<Uncompiled> = Vec::new();
        for one in self.epochs().into_iter().flat_map(|on| self.graph(on).uncompiled) {
            if !all.contains(&one) {
                all.push(one);
            }
        }
        all
    }

    /// A calendar by its place, as it is known at an instant, with its name; nothing when there are not so many.
    pub fn calendar(&self, place: u16, at: Instant) -> Option<(&str, &Arc<Calendar>)> {
        let calendar = self.calendars.get(usize::from(place))?;
        Some((calendar.name.as_str(), calendar.known_at(at)?))
    }

    /// Whether the contract has obligations of its own, of which service levels may count the clocks of its tickets.
    pub fn counts_clocks(&self) -> bool {
        self.policy.has_obligations()
    }

    /// The numbers, in the contract, of the clauses that the pack's files carry, in the order of the files.
    pub fn clause_files(&self) -> impl Iterator<Item = &str> {
        self.policy.clauses.iter().map(|clause| &*clause.id)
    }

    /// The names of the kinds of events, built in and declared; other parts name them by their places here.
    pub fn event_kinds(&self) -> impl Iterator<Item = &str> {
        self.schema.kinds.names()
    }
}
