//! The clauses in force put together: what applies, which clocks there are, what a breach costs, who says what is free.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::NaiveDate;
use rhai::Position;

use super::build::Build;
use super::symbol::{Cannot, Kind, Symbol, cannot};
use super::walk::Walk;
use super::{
    ClassColumn, ClauseColumn, ClockColumn, FindingColumn, Graph, LengthColumn, NodeId, Op, Order,
    PauseColumn, PriceColumn, StartColumn, Uncompiled,
};
use crate::Pack;
use crate::policy::{APPLIES, CLASSIFY, ClauseScript, DEADLINES, ESCALATION, FINDINGS, PENALTY};
use crate::terms::TermsInForce;
use crate::ticket::FactType;
use crate::vocabulary::{Due, DueLength, Step, Value, Verdict};

/// A clause's word on the class, under its condition.
struct Word {
    clause: u16,
    when: NodeId,
    free: bool,
    reason: Arc<str>,
}

struct Sheet<'a> {
    pack: &'a Pack,
    terms: Arc<TermsInForce>,
    build: Build,
    graph: Graph,
    words: Vec<Word>,
}

pub(super) fn graph(pack: &Pack, on: NaiveDate) -> Graph {
    let facts = &pack.schema.facts;
    let values = |fact: &crate::ticket::Fact| match &fact.of {
        FactType::OneOf(values) => values.len(),
        _ => 0,
    };
    let instants = facts.iter().map(|fact| fact.of == FactType::Instant).collect();
    let build = Build::new(instants, facts.iter().map(values).collect());
    let graph = Graph {
        nodes: Vec::new(),
        watched: Vec::new(),
        doubts: Vec::new(),
        kept: Vec::new(),
        clauses: Vec::new(),
        clocks: Vec::new(),
        classes: Vec::new(),
        findings: Vec::new(),
        uncompiled: Vec::new(),
    };
    let terms = pack.policy.words.terms.on(on);
    let mut sheet = Sheet { pack, terms, build, graph, words: Vec::new() };
    for (place, clause) in pack.policy.clauses.iter().enumerate() {
        let Ok(place) = u16::try_from(place) else { continue };
        if clause.in_force(on) && clause.is_of_tickets() {
            sheet.clause(place, clause);
        }
    }
    sheet.settle_class();
    let Sheet { build, mut graph, .. } = sheet;
    (graph.nodes, graph.watched) = (build.nodes, build.watched);
    graph
}

impl Sheet<'_> {
    fn clause(&mut self, place: u16, clause: &ClauseScript) {
        let yes = self.build.bool(true);
        let mut applies = yes;
        if clause.defines(APPLIES) {
            applies = match self.ask(clause, APPLIES, yes, None) {
                Ok((symbol, _)) => match symbol.lowered(&mut self.build) {
                    Some((node, Kind::Bool)) => node,
                    _ => self.build.bool(false),
                },
                // It may apply: every row is judged by the program.
                Err(()) => yes,
            };
        }
        self.graph.clauses.push(ClauseColumn { clause: place, id: Arc::clone(&clause.id), applies });
        if self.build.truth(applies) == Some(false) {
            return;
        }
        let first = self.graph.clocks.len();
        if clause.defines(DEADLINES)
            && let Ok((symbol, at)) = self.ask(clause, DEADLINES, applies, None)
            && let Err(why) = self.clocks(place, clause, applies, &symbol)
        {
            self.uncompiled(clause, DEADLINES, at, why, applies);
        }
        if clause.defines(ESCALATION)
            && let Ok((symbol, at)) = self.ask(clause, ESCALATION, applies, None)
            && let Err(why) = self.steps(first, applies, &symbol)
        {
            self.uncompiled(clause, ESCALATION, at, why, applies);
        }
        if clause.defines(CLASSIFY)
            && let Ok((symbol, at)) = self.ask(clause, CLASSIFY, applies, None)
            && let Err(why) = self.word(place, applies, &symbol)
        {
            self.uncompiled(clause, CLASSIFY, at, why, applies);
        }
        if clause.defines(FINDINGS)
            && let Ok((symbol, at)) = self.ask(clause, FINDINGS, applies, None)
            && let Err(why) = self.found(clause, applies, &symbol)
        {
            self.uncompiled(clause, FINDINGS, at, why, applies);
        }
        if clause.defines(PENALTY) {
            for clock in first..self.graph.clocks.len() {
                self.price(clause, clock);
            }
        }
    }

    /// Runs an entry function over symbols, where this holds. What cannot be put as columns is noted.
    fn ask(
        &mut self,
        clause: &ClauseScript,
        entry: usize,
        when: NodeId,
        clock: Option<Arc<str>>,
    ) -> Result<(Symbol, Position), ()> {
        let Some(Some(function)) = clause.program.entries.get(entry) else { return Err(()) };
        let mut walk = Walk::new(self.pack, &self.terms, &mut self.build, when);
        walk.clock = clock;
        let result = walk.call(function);
        let (at, doubts) = (walk.at, std::mem::take(&mut walk.doubts));
        for node in std::mem::take(&mut walk.kept) {
            if !self.graph.kept.contains(&node) {
                self.graph.kept.push(node);
            }
        }
        self.doubt(doubts);
        match result {
            Ok(symbol) => Ok((symbol, at)),
            Err(why) => {
                self.uncompiled(clause, entry, at, why, when);
                Err(())
            }
        }
    }

    fn doubt(&mut self, doubts: impl IntoIterator<Item = NodeId>) {
        for doubt in doubts {
            if self.build.truth(doubt) != Some(false) && !self.graph.doubts.contains(&doubt) {
                self.graph.doubts.push(doubt);
            }
        }
    }

    fn uncompiled(&mut self, clause: &ClauseScript, entry: usize, at: Position, why: Cannot, when: NodeId) {
        let at = if at == Position::NONE { clause.place(entry) } else { at };
        self.graph.uncompiled.push(Uncompiled {
            clause: clause.id.to_string(),
            file: clause.file.clone(),
            function: clause.entry_name(entry).to_owned(),
            line: at.line().unwrap_or(0),
            column: at.position().unwrap_or(0),
            why: why.0,
        });
        self.doubt([when]);
    }

    /// The lists that a function gives, each with its condition.
    fn lists(&mut self, when: NodeId, symbol: &Symbol) -> Result<Vec<(NodeId, Vec<Symbol>)>, Cannot> {
        Ok(match symbol {
            Symbol::Never => Vec::new(),
            Symbol::List(items) => vec![(when, items.clone())],
            Symbol::Known(Value::List(items)) => {
                vec![(when, items.iter().cloned().map(Symbol::Known).collect())]
            }
            Symbol::Either(ways) => {
                let mut all = Vec::new();
                for (condition, way) in ways {
                    let when = self.build.and(when, *condition);
                    all.extend(self.lists(when, way)?);
                }
                all
            }
            _ => return cannot("a function that gives no list"),
        })
    }

    /// The ways of one item, each with its condition.
    fn ways(&mut self, when: NodeId, item: &Symbol) -> Vec<(NodeId, Symbol)> {
        match item {
            Symbol::Never => Vec::new(),
            Symbol::Either(ways) => {
                let ways =
                    ways.iter().map(|(condition, way)| (self.build.and(when, *condition), way.clone()));
                ways.collect()
            }
            item => vec![(when, item.clone())],
        }
    }

    fn clocks(
        &mut self,
        place: u16,
        clause: &ClauseScript,
        when: NodeId,
        symbol: &Symbol,
    ) -> Result<(), Cannot> {
        for (when, items) in self.lists(when, symbol)? {
            // Clocks of one list; those of another never exist beside them.
            let first = self.graph.clocks.len();
            for item in items {
                let before = self.graph.clocks.len();
                for (exists, way) in self.ways(when, &item) {
                    let (due, time) = match way {
                        Symbol::Due(due, time) => (*due, time),
                        Symbol::Known(Value::Deadline(due)) => (*due, None),
                        _ => return cannot("a list of deadlines that holds something else"),
                    };
                    self.clock(place, clause, exists, due, time, (first, before))?;
                }
            }
        }
        Ok(())
    }

    /// A clock; `own` are the first clock of its list and the first way of itself.
    fn clock(
        &mut self,
        place: u16,
        clause: &ClauseScript,
        exists: NodeId,
        due: Due,
        time: Option<NodeId>,
        own: (usize, usize),
    ) -> Result<(), Cannot> {
        let (first, before) = own;
        let known = |graph: &Graph, name: &str| -> Vec<usize> {
            (first..before)
                .filter(|clock| graph.clocks.get(*clock).is_some_and(|c| *c.name == *name))
                .collect()
        };
        for other in known(&self.graph, &due.name) {
            let twice = self.graph.clocks.get(other).map_or(exists, |other| other.exists);
            let twice = self.build.and(exists, twice);
            self.doubt([twice]);
        }
        let start = match &due.after_breach_of {
            None => StartColumn::On(due.starts.iter().map(|kind| kind.0).collect()),
            Some(parent) => {
                let parents = known(&self.graph, parent);
                let there: Vec<NodeId> =
                    parents.iter().filter_map(|p| self.graph.clocks.get(*p)).map(|p| p.exists).collect();
                let any = self.build.or_all(there);
                let none = self.build.not(any);
                let none = self.build.and(exists, none);
                self.doubt([none]);
                StartColumn::BreachOf(parents)
            }
        };
        if due.stops.is_empty() {
            self.doubt([exists]);
        }
        let calendar = due.calendar.unwrap_or(0);
        let rule = self.pack.policy.count_rules.get(usize::from(calendar)).copied().unwrap_or_default();
        let length = match (due.length, time) {
            (_, Some(node)) => {
                let zero = self.build.int(0);
                let negative = self.build.compare(Order::Less, node, zero);
                let negative = self.build.and(exists, negative);
                self.doubt([negative]);
                LengthColumn::Open(node)
            }
            (Some(DueLength::Span(span)), None) => {
                if span.micros() < 0 {
                    self.doubt([exists]);
                }
                LengthColumn::Open(self.build.int(span.micros().max(0)))
            }
            (Some(DueLength::Period(period)), None) => LengthColumn::Days(period, rule),
            (Some(DueLength::Fact(fact)), None) => LengthColumn::Fact(fact),
            (Some(DueLength::Before(fact, period)), None) => LengthColumn::Before(fact, period, rule),
            (None, None) => {
                self.doubt([exists]);
                LengthColumn::Open(self.build.int(0))
            }
        };
        let pauses = match due.pauses {
            None => PauseColumn::Never,
            Some(reasons) if reasons.is_empty() => PauseColumn::Always,
            Some(reasons) => PauseColumn::For(reasons.iter().map(|reason| reason.as_str().into()).collect()),
        };
        self.graph.clocks.push(ClockColumn {
            clause: place,
            id: Arc::clone(&clause.id),
            name: due.name,
            exists,
            start,
            length,
            stops: due.stops.iter().map(|kind| kind.0).collect(),
            calendar,
            pauses,
            pause_max: due.pause_max.map(crate::Span::micros),
            price: None,
        });
        Ok(())
    }

    /// Steps of escalation owe nothing; that each names a clock of the clause and a role is looked at.
    fn steps(&mut self, first: usize, when: NodeId, symbol: &Symbol) -> Result<(), Cannot> {
        for (when, items) in self.lists(when, symbol)? {
            for item in items {
                for (when, way) in self.ways(when, &item) {
                    let Symbol::Known(Value::Step(step)) = way else {
                        return cannot("a list of steps that holds something else");
                    };
                    let Step { clock, roles, .. } = *step;
                    if roles.is_empty() {
                        self.doubt([when]);
                    }
                    let own = self.graph.clocks.get(first..).unwrap_or_default();
                    let there: Vec<NodeId> =
                        own.iter().filter(|known| known.name == clock).map(|known| known.exists).collect();
                    let any = self.build.or_all(there);
                    let none = self.build.not(any);
                    let none = self.build.and(when, none);
                    self.doubt([none]);
                }
            }
        }
        Ok(())
    }

    fn word(&mut self, place: u16, when: NodeId, symbol: &Symbol) -> Result<(), Cannot> {
        for (when, way) in self.ways(when, symbol) {
            let Symbol::Known(Value::Verdict(verdict)) = way else { return cannot("a class that is none") };
            let (free, reason) = match verdict {
                Verdict::Free(reason) => (true, reason),
                Verdict::Paid(reason) => (false, reason),
                Verdict::Undecided => continue,
            };
            self.words.push(Word { clause: place, when, free, reason: reason.as_str().into() });
        }
        Ok(())
    }

    /// Which word counts: those that an applicable clause overrides fall away, the rest must agree.
    fn settle_class(&mut self) {
        let words = std::mem::take(&mut self.words);
        let clauses = &self.pack.policy.clauses;
        let overrides = |by: &Word, of: &Word| {
            clauses.get(usize::from(by.clause)).is_some_and(|clause| clause.overrides.contains(&of.clause))
        };
        let mut standing = Vec::with_capacity(words.len());
        for word in &words {
            let by: Vec<NodeId> = words.iter().filter(|by| overrides(by, word)).map(|by| by.when).collect();
            let overridden = self.build.or_all(by);
            let stands = self.build.not(overridden);
            standing.push(self.build.and(word.when, stands));
        }
        let of = |free: bool| -> Vec<NodeId> {
            words
                .iter()
                .zip(&standing)
                .filter(|(word, _)| word.free == free)
                .map(|(_, stands)| *stands)
                .collect()
        };
        let (free, paid) = (self.build.or_all(of(true)), self.build.or_all(of(false)));
        let conflict = self.build.and(free, paid);
        self.doubt([conflict]);
        let any = self.build.or(free, paid);
        let none = self.build.not(any);
        let (mut stood, mut decided) = (self.build.bool(false), self.build.bool(false));
        for (word, stands) in words.iter().zip(&standing) {
            let not_before = self.build.not(stood);
            let first = self.build.and(*stands, not_before);
            // When all are overridden, the first of them counts.
            let not_decided = self.build.not(decided);
            let fallback = self.build.and(word.when, not_decided);
            let fallback = self.build.and(fallback, none);
            let chosen = self.build.or(first, fallback);
            stood = self.build.or(stood, *stands);
            decided = self.build.or(decided, word.when);
            if self.build.truth(chosen) == Some(false) {
                continue;
            }
            let id = clauses.get(usize::from(word.clause)).map(|clause| Arc::clone(&clause.id));
            let (free, reason) = (word.free, Arc::clone(&word.reason));
            self.graph.classes.push(ClassColumn {
                chosen,
                free,
                reason,
                id: id.unwrap_or_else(|| "".into()),
            });
        }
    }

    fn found(&mut self, clause: &ClauseScript, when: NodeId, symbol: &Symbol) -> Result<(), Cannot> {
        for (when, items) in self.lists(when, symbol)? {
            for item in items {
                for (found, way) in self.ways(when, &item) {
                    let Symbol::Known(Value::Finding(finding)) = way else {
                        return cannot("a list of findings that holds something else");
                    };
                    let (id, text) = (Arc::clone(&clause.id), finding.0.as_str().into());
                    self.graph.findings.push(FindingColumn { found, id, text });
                }
            }
        }
        Ok(())
    }

    /// What the breach of a clock costs.
    fn price(&mut self, clause: &ClauseScript, clock: usize) {
        let Some(Some(function)) = clause.program.entries.get(PENALTY) else { return };
        let Some(column) = self.graph.clocks.get(clock) else { return };
        let (exists, name) = (column.exists, Arc::clone(&column.name));
        let mut walk = Walk::new(self.pack, &self.terms, &mut self.build, exists);
        walk.clock = Some(name);
        let result = walk.call(function);
        let (at, grows, kept) = (walk.at, walk.late_read, std::mem::take(&mut walk.kept));
        let mut doubts = std::mem::take(&mut walk.doubts);
        let amount = match result {
            Ok(Symbol::Never) => Some(self.build.int(0)),
            Ok(symbol) => match symbol.lowered(&mut self.build) {
                Some((node, Kind::Money)) => Some(node),
                _ => None,
            },
            Err(why) => {
                self.uncompiled(clause, PENALTY, at, why, exists);
                None
            }
        };
        let Some(amount) = amount else {
            self.doubt([exists]);
            return;
        };
        let zero = self.build.int(0);
        let negative = self.build.compare(Order::Less, amount, zero);
        if self.build.truth(negative) != Some(false) {
            doubts.push(negative);
        }
        let grows = grows && self.looks_at(amount, &Op::Late);
        if let Some(column) = self.graph.clocks.get_mut(clock) {
            column.price = Some(PriceColumn { amount, grows, doubts, kept });
        }
    }

    /// Whether a node looks at an input.
    fn looks_at(&self, node: NodeId, input: &Op) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match self.build.op(node) {
                Some(op) if op == input => return true,
                Some(op) if seen.insert(node) => open.extend(op.operands()),
                _ => {}
            }
        }
        false
    }
}
