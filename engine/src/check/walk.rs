//! A program evaluated over many tickets at once. What it finds holds for every one of them; it may find too much, never too
//! little.

use std::sync::Arc;

use rhai::{ImmutableString, Position};

use super::value::{Range, Seen, Truth, Way, either};
use crate::program::{Function, Node, Op};
use crate::terms::TermsInForce;
use crate::ticket::{FactType, Value as FactValue};
use crate::vocabulary::{Asked, Sign, Sort, Value, Words};

/// How much work is left: a bound that does not look at a clock.
pub(super) struct Fuel {
    pub(super) left: u64,
}

impl Fuel {
    pub(super) fn spend(&mut self, n: u64) -> bool {
        let enough = self.left >= n;
        self.left = self.left.saturating_sub(n);
        enough
    }

    pub(super) fn is_out(&self) -> bool {
        self.left == 0
    }
}

/// What is assumed of a fact.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Assumed {
    /// It may be told or not, and be anything.
    Open,
    Unknown,
    /// As first given and as it stands; nothing where it may be anything.
    Told([Option<FactValue>; 2]),
}

/// Many tickets at once: those of which this holds.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) terms: Arc<TermsInForce>,
    /// When they were reported, in microseconds.
    pub(super) reported: (i64, i64),
    /// Between which instants all others lie.
    pub(super) instants: (i64, i64),
    pub(super) facts: Vec<Assumed>,
    /// Whether the contract was signed, and the project accepted; nothing where either may be.
    pub(super) contract: [Option<bool>; 2],
    pub(super) clock: Option<ImmutableString>,
}

/// A place where the lateness decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut(pub(super) usize, pub(super) u8);

/// Why a clause cannot judge a ticket, or may not.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) at: Position,
    pub(super) message: String,
}

pub(super) struct Walk<'a> {
    pub(super) words: &'a Words,
    pub(super) cell: &'a Cell,
    late: (i64, i64),
    pub(super) slots: Vec<Option<Seen>>,
    /// What each of the calls that the walk is in returns early.
    returned: Vec<Option<Seen>>,
    /// A fault that may come, and that no missing fact explains.
    pub(super) fault: Option<Fault>,
    /// The lateness chose a path: nothing is known of how the result moves with it.
    pub(super) forked: bool,
    /// Where the lateness decides.
    pub(super) cuts: Vec<Cut>,
    pub(super) watch: Option<Cut>,
    /// Which side of the watched cut this is.
    pub(super) side: Option<i8>,
    fuel: &'a mut Fuel,
}

impl<'a> Walk<'a> {
    pub(super) fn new(words: &'a Words, cell: &'a Cell, late: (i64, i64), fuel: &'a mut Fuel) -> Walk<'a> {
        Walk {
            words,
            cell,
            late,
            slots: Vec::new(),
            returned: Vec::new(),
            fault: None,
            forked: false,
            cuts: Vec::new(),
            watch: None,
            side: None,
            fuel,
        }
    }

    pub(super) fn watching(self, cut: Cut) -> Walk<'a> {
        Walk { watch: Some(cut), ..self }
    }

    /// What a function may come to; nothing when it always faults.
    pub(super) fn call(&mut self, function: &Function) -> Option<Seen> {
        self.slots = vec![None; function.slots];
        self.returned.push(None);
        let end = self.eval(&function.body);
        let early = self.returned.pop().flatten();
        match either(end, early) {
            Some(Seen::Range(range)) if self.forked && !range.is_one() => {
                Some(Seen::Range(Range { way: Way::Any, ..range }))
            }
            other => other,
        }
    }

    pub(super) fn may_fault(&mut self, at: Position, message: impl Into<String>) {
        if self.fault.is_none() {
            self.fault = Some(Fault { at, message: message.into() });
        }
    }

    /// Keeps what went well; what did not is a fault that comes for certain here.
    pub(super) fn done(&mut self, result: Result<Value, String>, at: Position) -> Option<Seen> {
        match result {
            Ok(value) => Some(Seen::of(value)),
            Err(message) => {
                self.may_fault(at, message);
                None
            }
        }
    }

    /// What a part may come to; nothing where it always faults or returns.
    pub(super) fn eval(&mut self, node: &Node) -> Option<Seen> {
        if !self.fuel.spend(1) {
            self.forked = true;
            return Some(Seen::any(&node.of, true));
        }
        match &node.op {
            Op::Const(value) => Some(Seen::of(value.clone())),
            Op::Slot(slot) => {
                Some(self.slots.get(usize::from(*slot)).cloned().flatten().unwrap_or_else(Seen::nothing))
            }
            Op::Fact { place, first, chinese } => {
                self.fact(usize::from(*place), *first, chinese.as_deref(), node)
            }
            Op::Again(period) => {
                self.eval(period)?;
                Some(Seen::any(&node.of, false))
            }
            Op::Knows(_) | Op::Knew(..) | Op::Has(_) | Op::ContractHas(_) => {
                Some(Seen::Truth(self.known(&node.op)))
            }
            Op::Ask(asked) => self.ask(*asked, node),
            Op::Term(place) => self.term(usize::from(*place), node),
            Op::If(pair, other) => self.choose(pair, other.as_deref()),
            Op::Switch(switch) => self.switch(switch),
            Op::Block(nodes) => nodes.iter().try_fold(Seen::nothing(), |_, node| self.eval(node)),
            Op::Set { slot, value, .. } => {
                let value = self.eval(value)?;
                if let Some(place) = self.slots.get_mut(usize::from(*slot)) {
                    *place = Some(value);
                }
                Some(Seen::nothing())
            }
            Op::Return(inner) => {
                let value = self.eval(inner)?;
                if let Some(returned) = self.returned.last_mut() {
                    *returned = either(returned.take(), Some(value));
                }
                None
            }
            Op::Call { args, body, .. } => {
                for arg in args {
                    self.eval(arg)?;
                }
                self.returned.push(None);
                let end = self.eval(body);
                let early = self.returned.pop().flatten();
                either(end, early)
            }
            _ => self.operation(node),
        }
    }

    /// What is computed of other parts.
    fn operation(&mut self, node: &Node) -> Option<Seen> {
        match &node.op {
            Op::Not(inner) => {
                let truth = self.truth(inner)?;
                Some(Seen::Truth(Truth { yes: truth.no, no: truth.yes, late: truth.late }))
            }
            Op::Negate(inner) => {
                let range = self.eval(inner)?;
                let zero = Seen::of(Value::Count(0));
                self.arithmetic(Sign::Minus, &zero, &range, node)
            }
            Op::And(nodes) => self.until(nodes, false),
            Op::Or(nodes) => self.until(nodes, true),
            Op::Compare(relation, pair) => {
                let [left, right] = &**pair;
                let (a, b) = (self.eval(left)?, self.eval(right)?);
                self.compared(*relation, &a, &b, node)
            }
            Op::Compute(sign, pair) => {
                let [left, right] = &**pair;
                let (a, b) = (self.eval(left)?, self.eval(right)?);
                self.arithmetic(*sign, &a, &b, node)
            }
            Op::Word { word, act, args } => {
                let args = self.all(args)?;
                self.word(*word, *act, args, node)
            }
            Op::Deadline { known, fill } => {
                fill.iter().try_fold(Seen::Values(vec![Value::Deadline(known.clone())]), |due, filling| {
                    let args = [due].into_iter().chain(self.all(&filling.args)?).collect();
                    self.word(filling.word, filling.act, args, node)
                })
            }
            Op::List(nodes) => {
                let items = self.all(nodes)?;
                Some(self.list(&items))
            }
            _ => Some(Seen::any(&node.of, true)),
        }
    }

    /// Whether a fact is known, an event stands, the contract was signed.
    fn known(&self, op: &Op) -> Truth {
        let known = match op {
            Op::Knows(place) => match self.cell.facts.get(usize::from(*place)) {
                Some(Assumed::Unknown) => Some(false),
                Some(Assumed::Told(_)) => Some(true),
                _ => None,
            },
            Op::ContractHas(which) => self.cell.contract.get(usize::from(*which)).copied().flatten(),
            _ => None,
        };
        known.map_or(Truth::either(false), Truth::known)
    }

    fn term(&mut self, place: usize, node: &Node) -> Option<Seen> {
        if let Some(Some(value)) = self.cell.terms.values.get(place) {
            return Some(Seen::of(Value::of_term(value)));
        }
        let name = self.words.terms.list.get(place).map_or("", |term| &term.name);
        self.may_fault(node.at, format!("the term `{name}` has no value in force"));
        None
    }

    fn all(&mut self, nodes: &[Node]) -> Option<Vec<Seen>> {
        nodes.iter().map(|node| self.eval(node)).collect()
    }

    fn fact(
        &mut self,
        place: usize,
        first: bool,
        chinese: Option<&[ImmutableString]>,
        node: &Node,
    ) -> Option<Seen> {
        let of = &self.words.schema.facts.get(place)?.of;
        let value = match self.cell.facts.get(place) {
            Some(Assumed::Unknown) => return None,
            Some(Assumed::Told(values)) => values.get(usize::from(!first)).and_then(Option::as_ref),
            _ => None,
        };
        let Some(value) = value else {
            return Some(match of {
                FactType::Text | FactType::OneOf(_) => Seen::any(&node.of, false),
                _ => Seen::fact(of, self.cell.instants),
            });
        };
        if let (Some(chinese), FactValue::Text(text), FactType::OneOf(values)) = (chinese, value, of)
            && let Some(zh) = values.iter().position(|known| known == text).and_then(|i| chinese.get(i))
        {
            return Some(Seen::of(Value::Text(zh.clone())));
        }
        Some(Seen::of_fact(value))
    }

    fn ask(&mut self, asked: Asked, node: &Node) -> Option<Seen> {
        let instant = |(low, high)| Seen::Range(Range::new(Sort::Instant, low, high, Way::Still));
        Some(match asked {
            Asked::ReportedAt => instant(self.cell.reported),
            Asked::Due => instant(self.cell.instants),
            Asked::SignedAt | Asked::AcceptedAt => {
                let which = usize::from(asked == Asked::AcceptedAt);
                match self.cell.contract.get(which).copied().flatten() {
                    Some(false) => return None,
                    _ => instant(self.cell.instants),
                }
            }
            Asked::Late => Seen::Range(Range::new(Sort::Time, self.late.0, self.late.1, Way::Up)),
            Asked::Clock => match &self.cell.clock {
                Some(clock) => Seen::of(Value::Text(clock.clone())),
                None => Seen::any(&node.of, false),
            },
            Asked::First => Seen::of(Value::View(Sort::First)),
            Asked::Ticket => Seen::of(Value::View(Sort::Ticket)),
            Asked::Via | Asked::Id => Seen::Any(false),
            Asked::Of(_) => Seen::any(&node.of, false),
        })
    }
}
