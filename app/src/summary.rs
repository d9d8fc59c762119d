//! What came of a log, added up: for people, for programs and for the page.

mod obligations;
mod tally;
mod text;

use std::collections::BTreeMap;

use holdback::{ClauseTotal, Deposit, Instant, Money, Statement, StatementLine};
use serde::Serialize;

use obligations::Obligations;
pub(crate) use tally::Tally;
use tally::{ClauseTally, Counts, Unassessed};
pub(crate) use text::thousands_of;

use crate::adapter::Import;
use crate::files::word;
use crate::notices::Told;
use crate::replay::{EventCounts, Replayed};

/// The answer of `holdback run`. Its JSON is that of summary.json and `--format json`.
#[derive(Serialize)]
pub(crate) struct Summary {
    /// The version of this JSON.
    format: u32,
    /// Name and version of the pack.
    pack: String,
    title: String,
    /// The money is an example, not a contract's.
    example: bool,
    /// Terms that were set for this run.
    set: BTreeMap<String, String>,
    /// The first event that counts.
    from: Option<Instant>,
    /// As of when tickets were judged; nothing for an empty log.
    as_of: Option<Instant>,
    events: EventCounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<Import>,
    tickets: usize,
    /// Tickets by where they stand.
    status: BTreeMap<String, u64>,
    clocks: BTreeMap<String, ClockLine>,
    class: Class,
    /// Penalties of all contracts.
    penalties: Penalties,
    /// The deposits of all contracts, added up.
    deposit: Deposit,
    contracts: BTreeMap<String, ContractMoney>,
    /// What the contracts ask for themselves, by name.
    obligations: Obligations,
    /// Clauses with breaches or findings first.
    clauses: Vec<ClauseTally>,
    findings: Findings,
    not_assessed: NotAssessed,
    /// How the notices were rendered, if they were to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    notices: Option<Told>,
    /// What of the money needs a person.
    remarks: Vec<String>,
}

/// All clocks of one name.
#[derive(Default, Serialize)]
struct ClockLine {
    /// The clauses that set clocks of this name.
    clauses: Vec<String>,
    #[serde(flatten)]
    counts: Counts,
    /// Of the breached ones, those that were stopped since.
    stopped_late: u64,
    /// By each one-of fact of the pack, as first reported; `-` for tickets that never had it.
    by: BTreeMap<String, BTreeMap<String, Counts>>,
}

#[derive(Serialize)]
struct Class {
    free: usize,
    paid: usize,
    undecided: usize,
}

#[derive(Serialize)]
struct Penalties {
    count: u64,
    /// As assessed.
    amount: Money,
    /// Cut by caps.
    cut: Money,
    deducted: Money,
    by_clause: BTreeMap<String, ClauseTotal>,
    /// Penalties by what has become of them.
    states: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct ContractMoney {
    penalties: Penalties,
    deposit: Deposit,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Findings {
    count: u64,
    by_clause: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct NotAssessed {
    count: usize,
    /// The first ten.
    first: Vec<Unassessed>,
}

impl Summary {
    pub(crate) fn of(replayed: &Replayed, tally: &Tally, notices: Option<Told>) -> Summary {
        let pack = &replayed.pack;
        let mut remarks: Vec<String> = replayed.books_fault.iter().cloned().collect();
        for statement in &tally.statements {
            remarks.extend(
                statement.remarks.iter().map(|text| format!("contract {}: {text}", statement.contract)),
            );
        }
        remarks.extend(obligations::remarks(&tally.obligations));
        let findings: BTreeMap<String, u64> = tally
            .clauses
            .iter()
            .filter(|clause| clause.findings > 0)
            .map(|clause| (clause.clause.clone(), clause.findings))
            .collect();
        let of_contract = |statement: &Statement| ContractMoney {
            penalties: penalties(std::slice::from_ref(statement), Money::zero(pack.currency)),
            deposit: statement.deposit.clone(),
            remarks: statement.remarks.clone(),
        };
        Summary {
            format: holdback::FORMAT,
            pack: format!("{}@{}", pack.name, pack.version),
            title: pack.title.clone(),
            example: pack.example,
            set: pack.overrides().iter().cloned().collect(),
            from: replayed.from,
            as_of: replayed.as_of,
            events: replayed.counts,
            import: replayed.import.clone(),
            tickets: tally.tickets,
            status: tally.status.clone(),
            clocks: clocks(tally),
            class: Class { free: tally.class.free, paid: tally.class.paid, undecided: tally.class.undecided },
            penalties: penalties(&tally.statements, Money::zero(pack.currency)),
            deposit: deposit(&tally.statements, Money::zero(pack.currency)),
            contracts: tally.statements.iter().map(|s| (s.contract.clone(), of_contract(s))).collect(),
            obligations: Obligations::of(&tally.obligations),
            clauses: tally.clauses.clone(),
            findings: Findings { count: findings.values().sum(), by_clause: findings },
            not_assessed: NotAssessed {
                count: tally.faults.len(),
                first: tally.faults.iter().take(10).cloned().collect(),
            },
            notices,
            remarks,
        }
    }

    /// Something needs a look: input was refused, a ticket could not be assessed, a notice not rendered, money needs a person.
    pub(crate) fn has_findings(&self) -> bool {
        let not_rendered = self.notices.as_ref().is_some_and(|told| told.not_rendered > 0);
        not_rendered || self.events.faulty() || self.not_assessed.count > 0 || !self.remarks.is_empty()
    }

    /// What the page must say beside the statements: what of the log is not in them.
    pub(crate) fn notes(&self) -> Vec<String> {
        let EventCounts { refused, malformed, later, .. } = self.events;
        let told = [
            (malformed, "lines of the input could not be read"),
            (refused, "events were refused"),
            (later, "events lie after the instant of this statement and do not count"),
        ];
        let mut notes: Vec<String> = told
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        notes.extend(
            self.set.iter().map(|(term, value)| format!("term {term} was set to {value} for this run")),
        );
        notes
    }
}

fn clocks(tally: &Tally) -> BTreeMap<String, ClockLine> {
    let mut lines: BTreeMap<String, ClockLine> = BTreeMap::new();
    for clock in &tally.clocks {
        let line = lines.entry(clock.totals.clock.clone()).or_default();
        line.clauses.push(clock.totals.clause.clone());
        line.counts.add(clock.counts());
        line.stopped_late += clock.stopped_late;
        for (fact, values) in &clock.by {
            let known = line.by.entry(fact.clone()).or_default();
            for (value, counts) in values {
                known.entry(value.clone()).or_default().add(*counts);
            }
        }
    }
    lines
}

/// Sums of amounts that each fit; where a sum would not, it stays at what it was, like the engine's own.
fn plus(a: Money, b: Money) -> Money {
    a.checked_add(b).unwrap_or(a)
}

fn penalties(statements: &[Statement], zero: Money) -> Penalties {
    let mut sum = Penalties {
        count: 0,
        amount: zero,
        cut: zero,
        deducted: zero,
        by_clause: BTreeMap::new(),
        states: BTreeMap::new(),
    };
    for (clause, total) in statements.iter().flat_map(|statement| &statement.by_clause) {
        sum.count += total.count;
        sum.amount = plus(sum.amount, total.amount);
        sum.cut = plus(sum.cut, total.cut);
        sum.deducted = plus(sum.deducted, total.deducted);
        let of_clause = ClauseTotal { count: 0, amount: zero, cut: zero, deducted: zero };
        let known = sum.by_clause.entry(clause.clone()).or_insert(of_clause);
        known.count += total.count;
        known.amount = plus(known.amount, total.amount);
        known.cut = plus(known.cut, total.cut);
        known.deducted = plus(known.deducted, total.deducted);
    }
    let lines = statements.iter().flat_map(|statement| &statement.penalties);
    for StatementLine { state, .. } in lines {
        *sum.states.entry(word(state)).or_default() += 1;
    }
    sum
}

fn deposit(statements: &[Statement], zero: Money) -> Deposit {
    let sum = |part: fn(&Deposit) -> Money| {
        statements.iter().map(|statement| part(&statement.deposit)).fold(zero, plus)
    };
    Deposit {
        paid: sum(|deposit| deposit.paid),
        released: sum(|deposit| deposit.released),
        deducted: sum(|deposit| deposit.deducted),
        balance: sum(|deposit| deposit.balance),
        floor: sum(|deposit| deposit.floor),
        shortfall: sum(|deposit| deposit.shortfall),
        held: sum(|deposit| deposit.held),
        waived: sum(|deposit| deposit.waived),
        disputed: sum(|deposit| deposit.disputed),
        cut: sum(|deposit| deposit.cut),
        earned_back: sum(|deposit| deposit.earned_back),
    }
}
