//! A pack made ready for columns: for each stretch of dates its graph, cut into programs.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use holdback::Pack;
use holdback::graph::{Graph, LengthColumn, NodeId, Op, StartColumn, TextOf};

use crate::kernel::Program;

/// So many clauses with a guard of their own are worth an index.
const INDEXED_FROM: usize = 4;

/// The clauses of some dates.
pub(crate) struct Epoch {
    pub(crate) graph: Graph,
    /// What is computed for all rows, and what for those whose fact has certain values.
    pub(crate) segments: Vec<Segment>,
    /// Nodes that depend on the contract alone.
    pub(crate) hoisted: Vec<NodeId>,
    /// The programs that price the clocks whose price looks at the breach, by clock.
    pub(crate) prices: Vec<Option<Program>>,
}

/// A part of the clauses for certain rows.
pub(crate) struct Segment {
    /// The fact and its values; nothing: all rows.
    pub(crate) guard: Option<Guard>,
    pub(crate) program: Program,
    /// The clauses whose word is part of it, by place in the graph.
    pub(crate) clauses: Vec<usize>,
    pub(crate) clocks: Vec<usize>,
    pub(crate) classes: Vec<usize>,
    pub(crate) findings: Vec<usize>,
    pub(crate) doubts: Vec<NodeId>,
}

/// Rows whose one-of has one of these values.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Guard {
    pub(crate) fact: u16,
    pub(crate) first: bool,
    pub(crate) values: Arc<[bool]>,
}

/// Everything that some graph looks at, so that nothing else is gathered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// By kind: whether its first event is asked for.
    pub(crate) firsts: Vec<bool>,
    pub(crate) lasts: Vec<bool>,
    /// By fact: as it stands, as first given, when given.
    pub(crate) facts: Vec<bool>,
    pub(crate) first_facts: Vec<bool>,
    pub(crate) given: Vec<bool>,
    pub(crate) texts: Vec<TextOf>,
    /// Reasons of pauses that some clock names, by number less one.
    pub(crate) reasons: Vec<Arc<str>>,
}

impl Epoch {
    pub(crate) fn new(pack: &Pack, on: NaiveDate) -> Epoch {
        let graph = pack.graph(on);
        let hoisted = hoisted(&graph);
        let places: HashMap<NodeId, usize> =
            hoisted.iter().enumerate().map(|(at, node)| (*node, at)).collect();
        let guards: Vec<Option<Guard>> =
            graph.clauses.iter().map(|clause| guard(&graph, clause.applies)).collect();
        let indexed = guards.iter().flatten().count() >= INDEXED_FROM;
        let mut segments: Vec<Segment> = Vec::new();
        let segment = |segments: &mut Vec<Segment>, of: Option<Guard>| -> usize {
            let of = of.filter(|_| indexed);
            segments.iter().position(|segment| segment.guard == of).unwrap_or_else(|| {
                segments.push(Segment::new(of));
                segments.len() - 1
            })
        };
        let all = segment(&mut segments, None);
        let mut of_clause: HashMap<u16, usize> = HashMap::new();
        for (place, (clause, guard)) in graph.clauses.iter().zip(guards).enumerate() {
            let at = segment(&mut segments, guard);
            of_clause.insert(clause.clause, at);
            segments.get_mut(at).into_iter().for_each(|segment| segment.clauses.push(place));
        }
        for (place, clock) in graph.clocks.iter().enumerate() {
            let at = of_clause.get(&clock.clause).copied().unwrap_or(all);
            segments.get_mut(at).into_iter().for_each(|segment| segment.clocks.push(place));
        }
        for (place, finding) in graph.findings.iter().enumerate() {
            let at = segment(&mut segments, guard(&graph, finding.found));
            segments.get_mut(at).into_iter().for_each(|segment| segment.findings.push(place));
        }
        for (place, _) in graph.classes.iter().enumerate() {
            segments.get_mut(all).into_iter().for_each(|segment| segment.classes.push(place));
        }
        for doubt in &graph.doubts {
            let at = segment(&mut segments, guard(&graph, *doubt));
            segments.get_mut(at).into_iter().for_each(|segment| segment.doubts.push(*doubt));
        }
        for segment in &mut segments {
            segment.compile(&graph, &places);
        }
        let prices = graph.clocks.iter().map(|clock| {
            let price = clock.price.as_ref()?;
            let nodes = price.outputs();
            of_breach(&graph, &nodes).then(|| Program::new(&graph, &nodes, &places))
        });
        let prices = prices.collect();
        Epoch { segments, hoisted, prices, graph }
    }
}

impl Segment {
    fn new(guard: Option<Guard>) -> Segment {
        Segment {
            guard,
            program: Program::new(&Graph::default(), &[], &HashMap::new()),
            clauses: Vec::new(),
            clocks: Vec::new(),
            classes: Vec::new(),
            findings: Vec::new(),
            doubts: Vec::new(),
        }
    }

    fn compile(&mut self, graph: &Graph, hoisted: &HashMap<NodeId, usize>) {
        let mut outputs: Vec<NodeId> = self.doubts.clone();
        if self.guard.is_none() {
            outputs.extend(&graph.kept);
        }
        outputs.extend(self.clauses.iter().filter_map(|place| graph.clauses.get(*place)).map(|c| c.applies));
        outputs.extend(self.classes.iter().filter_map(|place| graph.classes.get(*place)).map(|c| c.chosen));
        outputs.extend(self.findings.iter().filter_map(|place| graph.findings.get(*place)).map(|f| f.found));
        for clock in self.clocks.iter().filter_map(|place| graph.clocks.get(*place)) {
            outputs.push(clock.exists);
            if let LengthColumn::Open(length) = clock.length {
                outputs.push(length);
            }
            if let Some(price) = &clock.price {
                let nodes = price.outputs();
                if !of_breach(graph, &nodes) {
                    outputs.extend(nodes);
                }
            }
        }
        outputs.sort_unstable();
        outputs.dedup();
        self.program = Program::new(graph, &outputs, hoisted);
    }
}

/// Whether some of the nodes look at the breach.
fn of_breach(graph: &Graph, nodes: &[NodeId]) -> bool {
    let (mut seen, mut open) = (vec![false; graph.nodes.len()], nodes.to_vec());
    while let Some(node) = open.pop() {
        let Some(op) = graph.nodes.get(node.place()) else { continue };
        if matches!(op, Op::Due | Op::Late) {
            return true;
        }
        if seen.get_mut(node.place()).is_some_and(|seen| !std::mem::replace(seen, true)) {
            open.extend(op.operands());
        }
    }
    false
}

/// The nodes that look at the contract alone, where they are used by others or wanted themselves.
fn hoisted(graph: &Graph) -> Vec<NodeId> {
    #[derive(Clone, Copy, PartialEq)]
    enum Of {
        Nothing,
        Contract,
        Row,
    }
    let mut of: Vec<Of> = Vec::with_capacity(graph.nodes.len());
    for op in &graph.nodes {
        let own = match op {
            Op::Int(_) | Op::Bool(_) => Of::Nothing,
            Op::ContractAt(_) | Op::ContractHas(_) => Of::Contract,
            op if op.operands().next().is_none() => Of::Row,
            _ => Of::Nothing,
        };
        let below = op.operands().filter_map(|operand| of.get(operand.place()).copied());
        of.push(below.fold(own, |a, b| match (a, b) {
            (Of::Row, _) | (_, Of::Row) => Of::Row,
            (Of::Contract, _) | (_, Of::Contract) => Of::Contract,
            _ => Of::Nothing,
        }));
    }
    let found = of.iter().enumerate().filter(|(_, of)| **of == Of::Contract);
    found.map(|(at, _)| graph.id(at)).collect()
}

/// The one-of that a truth hangs on first of all, if it does.
fn guard(graph: &Graph, node: NodeId) -> Option<Guard> {
    match graph.nodes.get(node.place())? {
        Op::In(code, values) => match graph.nodes.get(code.place())? {
            Op::Fact(fact, first) => Some(Guard { fact: *fact, first: *first, values: Arc::clone(values) }),
            _ => None,
        },
        Op::And(a, b) => guard(graph, *a).or_else(|| guard(graph, *b)),
        _ => None,
    }
}

impl Asked {
    pub(crate) fn new(pack: &Pack, epochs: &[(NaiveDate, Epoch)]) -> Asked {
        let (kinds, facts) = (pack.event_kinds().count(), pack.facts().len());
        let mut asked = Asked {
            firsts: vec![false; kinds],
            lasts: vec![false; kinds],
            facts: vec![false; facts],
            first_facts: vec![false; facts],
            given: vec![false; facts],
            ..Asked::default()
        };
        let yes = |list: &mut Vec<bool>, place: u16| {
            list.get_mut(usize::from(place)).into_iter().for_each(|asked| *asked = true);
        };
        yes(&mut asked.firsts, crate::clocks::kind::REPORTED);
        for (_, epoch) in epochs {
            for op in &epoch.graph.nodes {
                match op {
                    Op::Fact(place, first) | Op::Flag(place, first) => {
                        yes(if *first { &mut asked.first_facts } else { &mut asked.facts }, *place);
                        yes(&mut asked.facts, *place);
                    }
                    Op::Known(place) => yes(&mut asked.facts, *place),
                    Op::Happened(kind) => yes(&mut asked.firsts, *kind),
                    Op::Knew(place, kind) => {
                        yes(&mut asked.given, *place);
                        yes(&mut asked.lasts, *kind);
                        yes(&mut asked.firsts, *kind);
                    }
                    Op::IsText(of, _) if !asked.texts.contains(of) => asked.texts.push(*of),
                    _ => {}
                }
            }
            for clock in &epoch.graph.clocks {
                clock.stops.iter().for_each(|kind| yes(&mut asked.firsts, *kind));
                if let StartColumn::On(kinds) = &clock.start {
                    kinds.iter().for_each(|kind| yes(&mut asked.firsts, *kind));
                }
                if let LengthColumn::Fact(place) | LengthColumn::Before(place, ..) = clock.length {
                    yes(&mut asked.facts, place);
                }
                if let holdback::graph::PauseColumn::For(reasons) = &clock.pauses {
                    for reason in reasons {
                        if !asked.reasons.contains(reason) {
                            asked.reasons.push(Arc::clone(reason));
                        }
                    }
                }
            }
        }
        asked
    }
}
