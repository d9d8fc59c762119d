//! Graphs run over columns: one loop an operation, over so many rows that the columns stay in the cache.

use std::collections::HashMap;
use std::sync::Arc;

use holdback::graph::{Graph, Lane, NodeId, Op, Order, Round, TextOf};
use pulp::Arch;

/// A loop built once for each set of vector instructions, of which the processor's own is run. It is a type with a function that is
/// always inlined: a closure is built for the plainest set alone.
macro_rules! vectors {
    ($arch:expr, [$($name:ident: $of:ty = $value:expr),* $(,)?] -> $gives:ty $body:block) => {{
        struct Work<'a> {
            $($name: $of,)*
            of: std::marker::PhantomData<&'a ()>,
        }
        impl<'a> pulp::WithSimd for Work<'a> {
            type Output = $gives;
            #[inline(always)]
            fn with_simd<S: pulp::Simd>(self, _: S) -> $gives {
                let Work { $($name,)* of: _ } = self;
                $body
            }
        }
        $arch.dispatch(Work { $($name: $value,)* of: std::marker::PhantomData })
    }};
}
pub(crate) use vectors;

/// So many rows are computed at a time: eight columns of them fit the first cache.
pub(crate) const CHUNK: usize = 1024;

/// A chunk of rows that all have a value.
pub(crate) static ONES: [u8; CHUNK] = [1; CHUNK];

/// What a program asks of its rows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Input {
    /// A fact as a number.
    Fact(u16, bool),
    /// A fact as a truth.
    Flag(u16, bool),
    Known(u16),
    IsText(TextOf, Arc<str>),
    ReportedAt,
    /// A number that depends on the contract alone, by its place among the hoisted nodes.
    OfContract(usize),
    /// The same of a truth.
    ContractIs(usize),
    Happened(u16),
    Knew(u16, u16),
    Due,
    Late,
}

/// Where a node's values lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Int(usize),
    Bool(usize),
}

/// One operation: its kind, where its operands lie, where its result goes.
#[derive(Debug)]
struct Step {
    op: Op,
    args: [Place; 3],
    out: Place,
    watched: bool,
}

/// Some nodes of a graph in the order of their evaluation.
#[derive(Debug)]
pub(crate) struct Program {
    inputs: Vec<(Input, Place)>,
    constants: Vec<(i64, Place)>,
    steps: Vec<Step>,
    places: HashMap<NodeId, Place>,
    ints: usize,
    bools: usize,
}

/// The columns of a program while it runs.
#[derive(Debug)]
pub(crate) struct Columns {
    ints: Vec<Vec<i64>>,
    bools: Vec<Vec<u8>>,
    /// A number has left 64 bits, or may have.
    pub(crate) overflow: bool,
}

/// What a program asks, as it is for all rows that it is to run over.
pub(crate) enum Given<'a> {
    /// A column that lies somewhere, the first row's value first: it is read where it lies.
    Ints(&'a [i64]),
    Bools(&'a [u8]),
    /// The same for all.
    Same(i64),
    /// It is looked up chunk by chunk.
    Each,
}

/// A program's inputs for some rows.
#[derive(Default)]
pub(crate) struct Bound<'a> {
    ints: Vec<Option<&'a [i64]>>,
    bools: Vec<Option<&'a [u8]>>,
    /// The inputs that are looked up chunk by chunk.
    each: Vec<usize>,
}

/// The values of a program's nodes for the rows of a chunk.
#[derive(Clone, Copy)]
pub(crate) struct Values<'v> {
    columns: &'v Columns,
    bound: &'v Bound<'v>,
    /// Where the chunk begins among the rows that are bound.
    from: usize,
    rows: usize,
}

impl<'v> Values<'v> {
    pub(crate) fn of(columns: &'v Columns, bound: &'v Bound<'v>, from: usize, rows: usize) -> Values<'v> {
        Values { columns, bound, from, rows: rows.min(CHUNK) }
    }

    /// As many numbers as the chunk has rows; none where the place is no column of numbers.
    pub(crate) fn int(&self, place: Option<Place>) -> &'v [i64] {
        match place {
            Some(Place::Int(place)) => self.part(place, &self.bound.ints, &self.columns.ints),
            _ => &[],
        }
    }

    /// The same of truths.
    pub(crate) fn bool(&self, place: Option<Place>) -> &'v [u8] {
        match place {
            Some(Place::Bool(place)) => self.part(place, &self.bound.bools, &self.columns.bools),
            _ => &[],
        }
    }

    /// The chunk's part of what is given, or what was computed for it.
    fn part<T>(&self, place: usize, given: &[Option<&'v [T]>], own: &'v [Vec<T>]) -> &'v [T] {
        let part = match given.get(place).copied().flatten() {
            Some(given) => given.get(self.from..self.from + self.rows),
            None => own.get(place).and_then(|own| own.get(..self.rows)),
        };
        part.unwrap_or_default()
    }
}

impl Program {
    /// The operations that these nodes need. `hoisted` are the nodes that depend on the contract alone.
    pub(crate) fn new(graph: &Graph, outputs: &[NodeId], hoisted: &HashMap<NodeId, usize>) -> Program {
        let mut needed = vec![false; graph.nodes.len()];
        let mut open: Vec<NodeId> = outputs.to_vec();
        while let Some(node) = open.pop() {
            let Some(seen) = needed.get_mut(node.place()) else { continue };
            if !std::mem::replace(seen, true)
                && !hoisted.contains_key(&node)
                && let Some(op) = graph.nodes.get(node.place())
            {
                open.extend(op.operands());
            }
        }
        let mut program = Program {
            inputs: Vec::new(),
            constants: Vec::new(),
            steps: Vec::new(),
            places: HashMap::new(),
            ints: 0,
            bools: 0,
        };
        let last = last_uses(graph, &needed, outputs, hoisted);
        let (mut free_ints, mut free_bools): (Vec<usize>, Vec<usize>) = Default::default();
        for (at, op) in graph.nodes.iter().enumerate().filter(|(at, _)| needed.get(*at) == Some(&true)) {
            let id = graph.id(at);
            let lane = graph.lane(id);
            let input = match hoisted.get(&id) {
                Some(place) if lane == Lane::Int => Some(Input::OfContract(*place)),
                Some(place) => Some(Input::ContractIs(*place)),
                None => input_of(op),
            };
            let pinned = input.is_some() || matches!(op, Op::Int(_) | Op::Bool(_));
            let take = |free: &mut Vec<usize>, count: &mut usize| match if pinned { None } else { free.pop() }
            {
                Some(place) => place,
                None => {
                    *count += 1;
                    *count - 1
                }
            };
            let out = match lane {
                Lane::Int => Place::Int(take(&mut free_ints, &mut program.ints)),
                Lane::Bool => Place::Bool(take(&mut free_bools, &mut program.bools)),
            };
            program.places.insert(id, out);
            match (input, op) {
                (Some(input), _) => program.inputs.push((input, out)),
                (None, Op::Int(n)) => program.constants.push((*n, out)),
                (None, Op::Bool(yes)) => program.constants.push((i64::from(*yes), out)),
                (None, op) => {
                    let mut args = [Place::Int(0); 3];
                    for (arg, operand) in args.iter_mut().zip(op.operands()) {
                        *arg = program.places.get(&operand).copied().unwrap_or(Place::Int(0));
                    }
                    let watched = graph.watched.get(at).copied().unwrap_or(true);
                    program.steps.push(Step { op: op.clone(), args, out, watched });
                    // Columns that nobody looks at any more are used again.
                    for operand in op.operands().collect::<std::collections::HashSet<_>>() {
                        let reusable = last.get(operand.place()) == Some(&Some(at))
                            && is_computed(graph, operand, hoisted);
                        match program.places.get(&operand).filter(|_| reusable) {
                            Some(Place::Int(place)) => free_ints.push(*place),
                            Some(Place::Bool(place)) => free_bools.push(*place),
                            None => {}
                        }
                    }
                }
            }
        }
        program
    }

    /// Columns to run in.
    pub(crate) fn columns(&self) -> Columns {
        let mut columns = Columns {
            ints: vec![vec![0; CHUNK]; self.ints],
            bools: vec![vec![0; CHUNK]; self.bools],
            overflow: false,
        };
        self.constants.iter().for_each(|(value, place)| columns.fill(*place, *value));
        columns
    }

    /// Where a node's values lie after a run.
    pub(crate) fn place(&self, node: NodeId) -> Option<Place> {
        self.places.get(&node).copied()
    }

    /// Binds the inputs to what is given for all rows of a run.
    pub(crate) fn bind<'a>(&self, columns: &mut Columns, given: impl Fn(&Input) -> Given<'a>) -> Bound<'a> {
        let mut bound =
            Bound { ints: vec![None; self.ints], bools: vec![None; self.bools], each: Vec::new() };
        for (nth, (input, place)) in self.inputs.iter().enumerate() {
            match (given(input), *place) {
                (Given::Ints(values), Place::Int(place)) => {
                    bound.ints.get_mut(place).into_iter().for_each(|slot| *slot = Some(values));
                }
                (Given::Bools(values), Place::Bool(place)) => {
                    bound.bools.get_mut(place).into_iter().for_each(|slot| *slot = Some(values));
                }
                (Given::Same(value), place) => columns.fill(place, value),
                _ => bound.each.push(nth),
            }
        }
        bound
    }

    /// Runs over `rows` of the rows that are bound, at most [`CHUNK`], from one on. `ints` and `bools` look up what is not given.
    #[expect(clippy::too_many_arguments, reason = "what a run reads and where it works")]
    pub(crate) fn run(
        &self,
        arch: Arch,
        columns: &mut Columns,
        bound: &Bound<'_>,
        (from, rows): (usize, usize),
        days: &dyn Fn(i64, holdback::Period) -> Option<i64>,
        ints: &mut dyn FnMut(&Input, &mut [i64]),
        bools: &mut dyn FnMut(&Input, &mut [u8]),
    ) {
        let rows = rows.min(CHUNK);
        columns.overflow = false;
        for (input, place) in bound.each.iter().filter_map(|nth| self.inputs.get(*nth)) {
            match place {
                Place::Int(place) => {
                    let column = columns.ints.get_mut(*place);
                    column.into_iter().for_each(|column| ints(input, &mut column[..rows]));
                }
                Place::Bool(place) => {
                    let column = columns.bools.get_mut(*place);
                    column.into_iter().for_each(|column| bools(input, &mut column[..rows]));
                }
            }
        }
        for step in &self.steps {
            step.run(arch, columns, bound, (from, rows), days);
        }
    }
}

/// For each node the last one that looks at it; nothing for outputs, which stay.
fn last_uses(
    graph: &Graph,
    needed: &[bool],
    outputs: &[NodeId],
    hoisted: &HashMap<NodeId, usize>,
) -> Vec<Option<usize>> {
    let mut last = vec![None; graph.nodes.len()];
    for (at, op) in graph.nodes.iter().enumerate().filter(|(at, _)| needed.get(*at) == Some(&true)) {
        if hoisted.contains_key(&graph.id(at)) {
            continue;
        }
        for operand in op.operands() {
            if let Some(last) = last.get_mut(operand.place()) {
                *last = Some(at);
            }
        }
    }
    for output in outputs {
        if let Some(last) = last.get_mut(output.place()) {
            *last = None;
        }
    }
    last
}

fn is_computed(graph: &Graph, node: NodeId, hoisted: &HashMap<NodeId, usize>) -> bool {
    let op = graph.nodes.get(node.place());
    !hoisted.contains_key(&node)
        && op.is_some_and(|op| input_of(op).is_none() && !matches!(op, Op::Int(_) | Op::Bool(_)))
}

/// What an operation asks of the rows, if it is an input.
fn input_of(op: &Op) -> Option<Input> {
    Some(match op {
        Op::Fact(place, first) => Input::Fact(*place, *first),
        Op::Flag(place, first) => Input::Flag(*place, *first),
        Op::Known(place) => Input::Known(*place),
        Op::IsText(of, text) => Input::IsText(*of, Arc::clone(text)),
        Op::ReportedAt => Input::ReportedAt,
        Op::Happened(kind) => Input::Happened(*kind),
        Op::Knew(place, kind) => Input::Knew(*place, *kind),
        Op::Due => Input::Due,
        Op::Late => Input::Late,
        _ => return None,
    })
}

impl Columns {
    fn fill(&mut self, place: Place, value: i64) {
        match place {
            Place::Int(place) => self.ints.get_mut(place).into_iter().for_each(|c| c.fill(value)),
            Place::Bool(place) => {
                self.bools.get_mut(place).into_iter().for_each(|c| c.fill(u8::from(value != 0)));
            }
        }
    }
}

/// The least and the greatest of some numbers; of none the greatest and the least there are.
pub(crate) fn bounds(arch: Arch, values: &[i64]) -> (i64, i64) {
    vectors!(arch, [values: &'a [i64] = values] -> (i64, i64) {
        values.iter().fold((i64::MAX, i64::MIN), |(a, b), at| (a.min(*at), b.max(*at)))
    })
}

/// Tables of so many numbers are kept in registers or next to them.
const SMALL: usize = 16;

/// Numbers beyond this are taken to overflow when they are multiplied.
const FACTOR_MAX: u64 = 1 << 31;

impl Step {
    fn run(
        &self,
        arch: Arch,
        columns: &mut Columns,
        bound: &Bound<'_>,
        (from, rows): (usize, usize),
        days: &dyn Fn(i64, holdback::Period) -> Option<i64>,
    ) {
        // The result's column is taken out meanwhile: it is none of the operands'.
        match self.out {
            Place::Int(place) => {
                let Some(slot) = columns.ints.get_mut(place) else { return };
                let mut out = std::mem::take(slot);
                let values = Values::of(columns, bound, from, rows);
                let overflow = self.ints(arch, values, &mut out[..rows], days);
                columns.overflow |= overflow;
                if let Some(slot) = columns.ints.get_mut(place) {
                    *slot = out;
                }
            }
            Place::Bool(place) => {
                let Some(slot) = columns.bools.get_mut(place) else { return };
                let mut out = std::mem::take(slot);
                self.bools(arch, Values::of(columns, bound, from, rows), &mut out[..rows]);
                if let Some(slot) = columns.bools.get_mut(place) {
                    *slot = out;
                }
            }
        }
    }

    /// An operation that gives numbers; says whether one may have left 64 bits.
    fn ints(
        &self,
        arch: Arch,
        values: Values<'_>,
        out: &mut [i64],
        days: &dyn Fn(i64, holdback::Period) -> Option<i64>,
    ) -> bool {
        let [a, b, c] = self.args.map(Some);
        let int = |place| values.int(place);
        let mut overflow = false;
        match &self.op {
            Op::Add(..) => {
                let (a, b) = (int(a), int(b));
                overflow = vectors!(arch, [out: &'a mut [i64] = out, a: &'a [i64] = a, b: &'a [i64] = b] -> bool {
                    let mut left = 0;
                    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                        let sum = a.wrapping_add(*b);
                        left |= (a ^ sum) & (b ^ sum);
                        *out = sum;
                    }
                    left < 0
                }) && self.watched;
            }
            Op::Sub(..) => {
                let (a, b) = (int(a), int(b));
                overflow = vectors!(arch, [out: &'a mut [i64] = out, a: &'a [i64] = a, b: &'a [i64] = b] -> bool {
                    let mut left = 0;
                    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                        let rest = a.wrapping_sub(*b);
                        left |= (a ^ b) & (a ^ rest);
                        *out = rest;
                    }
                    left < 0
                }) && self.watched;
            }
            Op::Mul(..) => {
                let (a, b) = (int(a), int(b));
                overflow = vectors!(arch, [out: &'a mut [i64] = out, a: &'a [i64] = a, b: &'a [i64] = b] -> bool {
                    let mut large = 0;
                    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                        large |= a.unsigned_abs() | b.unsigned_abs();
                        *out = a.wrapping_mul(*b);
                    }
                    large >= FACTOR_MAX
                }) && self.watched;
            }
            Op::Min(..) => {
                let (a, b) = (int(a), int(b));
                vectors!(arch, [out: &'a mut [i64] = out, a: &'a [i64] = a, b: &'a [i64] = b] -> () {
                    out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = *a.min(b));
                });
            }
            Op::Max(..) => {
                let (a, b) = (int(a), int(b));
                vectors!(arch, [out: &'a mut [i64] = out, a: &'a [i64] = a, b: &'a [i64] = b] -> () {
                    out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = *a.max(b));
                });
            }
            Op::Select(..) => {
                let (when, a, b) = (values.bool(a), int(b), int(c));
                vectors!(arch, [out: &'a mut [i64] = out, when: &'a [u8] = when, a: &'a [i64] = a, b: &'a [i64] = b] -> () {
                    for (((out, when), a), b) in out.iter_mut().zip(when).zip(a).zip(b) {
                        *out = if *when != 0 { *a } else { *b };
                    }
                });
            }
            Op::Table(_, known) if known.len() <= SMALL => {
                let mut table = [0; SMALL];
                table[..known.len()].copy_from_slice(known);
                let at = int(a);
                vectors!(arch, [out: &'a mut [i64] = out, at: &'a [i64] = at, table: [i64; SMALL] = table] -> () {
                    for (out, at) in out.iter_mut().zip(at) {
                        // What lies outside of the table finds a zero, if only by its mask.
                        let within = i64::from(at.cast_unsigned() < SMALL as u64);
                        *out = table[at.cast_unsigned() as usize % SMALL] & -within;
                    }
                });
            }
            Op::Table(_, known) => {
                for (out, at) in out.iter_mut().zip(int(a)) {
                    *out =
                        usize::try_from(*at).ok().and_then(|at| known.get(at)).copied().unwrap_or_default();
                }
            }
            Op::Rest(_, by) => {
                out.iter_mut().zip(int(a)).for_each(|(out, a)| *out = a.checked_rem(*by).unwrap_or_default());
            }
            Op::Parts(_, unit, begun) => {
                for (out, a) in out.iter_mut().zip(int(a)) {
                    let (whole, rest) = (a / unit, a % unit);
                    *out = whole + i64::from(*begun && rest > 0);
                }
            }
            Op::Share { scale, rounding, .. } => {
                for ((out, amount), share) in out.iter_mut().zip(int(a)).zip(int(b)) {
                    match share_of(*amount, *share, *scale, *rounding) {
                        Some(part) => *out = part,
                        None => (*out, overflow) = (0, true),
                    }
                }
            }
            Op::Band(_, thresholds, known) => {
                for (out, x) in out.iter_mut().zip(int(a)) {
                    let band = thresholds.partition_point(|first| first <= x);
                    *out = known.get(band).copied().unwrap_or_default();
                }
            }
            Op::After(_, period) => {
                for (out, at) in out.iter_mut().zip(int(a)) {
                    match days(*at, *period) {
                        Some(end) => *out = end,
                        None => (*out, overflow) = (0, true),
                    }
                }
            }
            _ => {}
        }
        overflow
    }

    fn bools(&self, arch: Arch, values: Values<'_>, out: &mut [u8]) {
        let [a, b, _] = self.args.map(Some);
        match &self.op {
            Op::Compare(order, ..) => {
                let (a, b) = (values.int(a), values.int(b));
                match order {
                    Order::Equal => {
                        vectors!(arch, [out: &'a mut [u8] = out, a: &'a [i64] = a, b: &'a [i64] = b] -> () {
                            out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = u8::from(a == b));
                        })
                    }
                    Order::Less => {
                        vectors!(arch, [out: &'a mut [u8] = out, a: &'a [i64] = a, b: &'a [i64] = b] -> () {
                            out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = u8::from(a < b));
                        })
                    }
                    Order::AtMost => {
                        vectors!(arch, [out: &'a mut [u8] = out, a: &'a [i64] = a, b: &'a [i64] = b] -> () {
                            out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = u8::from(a <= b));
                        })
                    }
                }
            }
            Op::In(_, table) => {
                for (out, at) in out.iter_mut().zip(values.int(a)) {
                    let yes = usize::try_from(*at).ok().and_then(|at| table.get(at));
                    *out = u8::from(yes.copied().unwrap_or_default());
                }
            }
            Op::Not(_) => {
                vectors!(arch, [out: &'a mut [u8] = out, a: &'a [u8] = values.bool(a)] -> () {
                    out.iter_mut().zip(a).for_each(|(out, a)| *out = a ^ 1);
                });
            }
            Op::And(..) => {
                let (a, b) = (values.bool(a), values.bool(b));
                vectors!(arch, [out: &'a mut [u8] = out, a: &'a [u8] = a, b: &'a [u8] = b] -> () {
                    out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = a & b);
                });
            }
            Op::Or(..) => {
                let (a, b) = (values.bool(a), values.bool(b));
                vectors!(arch, [out: &'a mut [u8] = out, a: &'a [u8] = a, b: &'a [u8] = b] -> () {
                    out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = a | b);
                });
            }
            _ => {}
        }
    }
}

/// A share of an amount, over a power of ten, rounded; nothing when it leaves 64 bits.
pub(crate) fn share_of(amount: i64, share: i64, scale: u32, rounding: Round) -> Option<i64> {
    let exact = i128::from(amount) * i128::from(share);
    let by = 10_i128.checked_pow(scale)?;
    let (whole, rest) = (exact / by, exact % by);
    let away = exact.signum();
    let twice = rest.abs() * 2;
    let rounded = match rounding {
        Round::Down => whole,
        Round::Up if rest != 0 => whole + away,
        Round::HalfUp if twice >= by && rest != 0 => whole + away,
        Round::HalfEven if twice > by || (twice == by && whole % 2 != 0) => whole + away,
        _ => whole,
    };
    i64::try_from(rounded).ok()
}

/// One node computed for a single row: its inputs are asked for one by one. Nothing when a number leaves 64 bits.
pub(crate) fn single(
    graph: &Graph,
    node: NodeId,
    days: &dyn Fn(i64, holdback::Period) -> Option<i64>,
    ask: &dyn Fn(&Op) -> Option<i64>,
) -> Option<i64> {
    let op = graph.nodes.get(node.place())?;
    let of = |node: &NodeId| single(graph, *node, days, ask);
    let truth = |yes: bool| Some(i64::from(yes));
    match op {
        Op::Int(n) => Some(*n),
        Op::Bool(yes) => truth(*yes),
        Op::Add(a, b) => of(a)?.checked_add(of(b)?),
        Op::Sub(a, b) => of(a)?.checked_sub(of(b)?),
        Op::Mul(a, b) => of(a)?.checked_mul(of(b)?),
        Op::Rest(a, by) => of(a)?.checked_rem(*by),
        Op::Min(a, b) => Some(of(a)?.min(of(b)?)),
        Op::Max(a, b) => Some(of(a)?.max(of(b)?)),
        Op::Parts(a, unit, begun) => {
            let a = of(a)?;
            Some(a / unit + i64::from(*begun && a % unit > 0))
        }
        Op::Share { amount, share, scale, rounding } => share_of(of(amount)?, of(share)?, *scale, *rounding),
        Op::Band(a, thresholds, values) => {
            let a = of(a)?;
            values.get(thresholds.partition_point(|first| *first <= a)).copied()
        }
        Op::Table(a, values) => {
            Some(usize::try_from(of(a)?).ok().and_then(|at| values.get(at)).copied().unwrap_or(0))
        }
        Op::In(a, table) => {
            truth(usize::try_from(of(a)?).ok().and_then(|at| table.get(at)).copied().unwrap_or_default())
        }
        Op::After(a, period) => days(of(a)?, *period),
        Op::Compare(Order::Equal, a, b) => truth(of(a)? == of(b)?),
        Op::Compare(Order::Less, a, b) => truth(of(a)? < of(b)?),
        Op::Compare(Order::AtMost, a, b) => truth(of(a)? <= of(b)?),
        Op::Not(a) => truth(of(a)? == 0),
        Op::And(a, b) => truth(of(a)? != 0 && of(b)? != 0),
        Op::Or(a, b) => truth(of(a)? != 0 || of(b)? != 0),
        Op::Select(c, a, b) => {
            if of(c)? != 0 {
                of(a)
            } else {
                of(b)
            }
        }
        input => ask(input),
    }
}
