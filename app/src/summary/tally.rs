//! Every ticket looked at once, and counted.

use std::collections::{BTreeMap, HashMap};

use holdback::{
    Assessment, ClockOutcome, ClockState, ContractAssessment, Engine, FactType, Instant, Money, Pack,
    Statement,
};
use serde::Serialize;

use crate::files::word;
use crate::page::{ClassTotals, ClockTotals};
use crate::replay::Replayed;

/// What there is to count.
pub(crate) struct Tally {
    pub(crate) statements: Vec<Statement>,
    pub(crate) clocks: Vec<ClockTally>,
    pub(crate) class: ClassTotals,
    pub(crate) tickets: usize,
    pub(crate) status: BTreeMap<String, u64>,
    /// Those with breaches or findings first.
    pub(crate) clauses: Vec<ClauseTally>,
    pub(crate) faults: Vec<Unassessed>,
    /// The contracts themselves, where there is anything to judge.
    pub(crate) obligations: Vec<ContractAssessment>,
}

/// All clocks of one clause and name.
#[derive(Default)]
pub(crate) struct ClockTally {
    pub(crate) totals: ClockTotals,
    pub(crate) stopped_late: u64,
    /// By fact, then by its first value.
    pub(crate) by: BTreeMap<String, BTreeMap<String, Counts>>,
}

/// How clocks ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Counts {
    pub(crate) met: u64,
    /// Missed, stopped since or not.
    pub(crate) breached: u64,
    /// Neither met nor missed yet.
    pub(crate) open: u64,
    pub(crate) cancelled: u64,
}

/// A ticket that could not be assessed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Unassessed {
    pub(crate) contract: String,
    pub(crate) ticket: String,
    pub(crate) reason: String,
}

/// What one clause had to do.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClauseTally {
    pub(crate) clause: String,
    pub(crate) title: String,
    /// Tickets it applies to.
    pub(crate) tickets: u64,
    /// Its clocks that were missed.
    pub(crate) breached: u64,
    pub(crate) findings: u64,
    /// What its breaches cost.
    pub(crate) amount: Money,
}

impl Counts {
    fn count(&mut self, state: ClockState) {
        match state {
            ClockState::Met => self.met += 1,
            ClockState::Breached | ClockState::Late => self.breached += 1,
            ClockState::Cancelled => self.cancelled += 1,
            ClockState::Waiting | ClockState::Running | ClockState::Paused => self.open += 1,
        }
    }

    pub(super) fn add(&mut self, other: Counts) {
        self.met += other.met;
        self.breached += other.breached;
        self.open += other.open;
        self.cancelled += other.cancelled;
    }
}

impl ClockTally {
    pub(super) fn counts(&self) -> Counts {
        let ClockTotals { met, breached, open, cancelled, .. } = self.totals;
        Counts { met: met as u64, breached: breached as u64, open: open as u64, cancelled: cancelled as u64 }
    }

    fn count(&mut self, clock: &ClockOutcome) {
        let totals = &mut self.totals;
        match clock.state {
            ClockState::Met => totals.met += 1,
            ClockState::Cancelled => totals.cancelled += 1,
            ClockState::Waiting | ClockState::Running | ClockState::Paused => totals.open += 1,
            ClockState::Breached | ClockState::Late => {
                totals.breached += 1;
                totals.late_seconds.push(clock.late.whole_seconds());
                self.stopped_late += u64::from(clock.state == ClockState::Late);
            }
        }
    }
}

fn obligations(engine: &Engine) -> Vec<ContractAssessment> {
    let judged = engine.contracts().filter_map(|contract| engine.contract_assessment(contract));
    let told = |found: &ContractAssessment| {
        let nothing = found.duties.is_empty() && found.levels.is_empty() && found.findings.is_empty();
        !nothing || found.fault.is_some()
    };
    judged.filter(told).collect()
}

impl Tally {
    pub(crate) fn of(replayed: &Replayed) -> Tally {
        let (pack, engine) = (&*replayed.pack, &replayed.engine);
        let first = FirstValues::of(pack, engine);
        let mut tally = Tally {
            statements: engine.contracts().filter_map(|contract| engine.statement(contract)).collect(),
            clocks: Vec::new(),
            class: ClassTotals::default(),
            tickets: 0,
            status: BTreeMap::new(),
            clauses: clauses(pack),
            faults: Vec::new(),
            obligations: obligations(engine),
        };
        for contract in engine.contracts() {
            for ticket in engine.tickets(contract) {
                if let Some(assessment) = engine.assessment(contract, ticket) {
                    tally.count(assessment, &first);
                }
            }
        }
        tally.close(pack);
        tally
    }

    fn count(&mut self, assessment: Assessment, first: &FirstValues<'_>) {
        self.tickets += 1;
        *self.status.entry(word(&assessment.status)).or_default() += 1;
        match assessment.class.as_ref().map(|class| class.free) {
            Some(true) => self.class.free += 1,
            Some(false) => self.class.paid += 1,
            None => self.class.undecided += 1,
        }
        let facts = first.tickets.get(&(assessment.contract.as_str(), assessment.ticket.as_str()));
        for clock in &assessment.clocks {
            let same =
                |known: &ClockTally| known.totals.clock == clock.clock && known.totals.clause == clock.clause;
            let place = self.clocks.iter().position(same).unwrap_or_else(|| {
                let (clause, clock) = (clock.clause.clone(), clock.clock.clone());
                let totals = ClockTotals { clause, clock, ..ClockTotals::default() };
                self.clocks.push(ClockTally { totals, ..ClockTally::default() });
                self.clocks.len() - 1
            });
            let Some(known) = self.clocks.get_mut(place) else { continue };
            known.count(clock);
            for (i, fact) in first.facts.iter().enumerate() {
                let value = facts.and_then(|facts| facts.get(i)?.map(|(_, value)| value)).unwrap_or("-");
                entry(entry(&mut known.by, fact), value).count(clock.state);
            }
        }
        for clause in &mut self.clauses {
            let id = clause.clause.as_str();
            clause.tickets += u64::from(assessment.applies.iter().any(|applies| applies == id));
            clause.findings +=
                assessment.findings.iter().filter(|finding| finding.clause == id).count() as u64;
        }
        if let Some(fault) = assessment.fault {
            let (contract, ticket) = (assessment.contract, assessment.ticket);
            self.faults.push(Unassessed { contract, ticket, reason: fault.to_string() });
        }
    }

    /// What is known only when every ticket was counted.
    fn close(&mut self, pack: &Pack) {
        for clause in &mut self.clauses {
            let clocks = self.clocks.iter().filter(|clock| clock.totals.clause == clause.clause);
            clause.breached = clocks.map(|clock| clock.totals.breached as u64).sum();
            for total in
                self.statements.iter().filter_map(|statement| statement.by_clause.get(&clause.clause))
            {
                clause.amount = super::plus(clause.amount, total.amount);
            }
        }
        // As the pack's contract has its clauses, then by name.
        let order = |clause: &str| pack.clauses.iter().position(|known| known.id == clause);
        self.clocks.sort_by(|a, b| {
            let (a, b) = (&a.totals, &b.totals);
            order(&a.clause).cmp(&order(&b.clause)).then_with(|| a.clock.cmp(&b.clock))
        });
        // Stable: among equals the contract's order stays.
        self.clauses.sort_by_key(|clause| {
            (std::cmp::Reverse(clause.breached + clause.findings), std::cmp::Reverse(clause.tickets))
        });
    }
}

fn clauses(pack: &Pack) -> Vec<ClauseTally> {
    let carried = pack.clauses.iter().filter(|clause| matches!(clause.carried, holdback::Carried::File(_)));
    let tally = |clause: &holdback::ClauseEntry| ClauseTally {
        clause: clause.id.clone(),
        title: clause.title.clone(),
        tickets: 0,
        breached: 0,
        findings: 0,
        amount: Money::zero(pack.currency),
    };
    carried.map(tally).collect()
}

/// The value under a name, which costs a new text only the first time.
fn entry<'m, T: Default>(map: &'m mut BTreeMap<String, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.entry(name.to_owned()).or_default()
}

/// A value with the place of its event in the ticket's history.
type Valued<'e> = Option<((Instant, &'e str), &'e str)>;

/// What each ticket's one-of facts were first reported as.
struct FirstValues<'e> {
    facts: Vec<&'e str>,
    tickets: HashMap<(&'e str, &'e str), Vec<Valued<'e>>>,
}

impl<'e> FirstValues<'e> {
    fn of(pack: &'e Pack, engine: &'e Engine) -> FirstValues<'e> {
        let one_of = pack.facts().iter().filter(|fact| matches!(fact.of, FactType::OneOf(_)));
        let facts: Vec<&str> = one_of.map(|fact| fact.name.as_str()).collect();
        let mut tickets: HashMap<(&str, &str), Vec<Valued<'_>>> = HashMap::new();
        for event in engine.events().filter(|event| !event.data.is_empty()) {
            let Some(ticket) = &event.ticket else { continue };
            for (i, fact) in facts.iter().enumerate() {
                let Some(value) = event.data.get(*fact).and_then(|value| value.as_str()) else { continue };
                let known =
                    tickets.entry((&event.contract, ticket)).or_insert_with(|| vec![None; facts.len()]);
                if let Some(known) = known.get_mut(i)
                    && known.is_none_or(|(order, _)| event.order() < order)
                {
                    *known = Some((event.order(), value));
                }
            }
        }
        FirstValues { facts, tickets }
    }
}
