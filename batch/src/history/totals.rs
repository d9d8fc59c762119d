//! Sums of what was judged: by clock, by contract, by month.

use std::sync::Arc;

use holdback::{Assessment, Money};
use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::charges::{Outcome, Owing};
use crate::clocks::state;
use crate::judge::Judged;
use crate::sheet::Sheet;
use crate::told::Told;

/// What came of a history.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Rows of the input.
    pub rows: u64,
    /// Tickets assessed.
    pub tickets: u64,
    /// Rows left out.
    pub refused: u64,
    /// Tickets that a clause could not judge, or that were never reported.
    pub faults: u64,
    /// Events after the assessment's instant, which do not count.
    pub later: u64,
    /// Tickets that were judged one by one by the typed program.
    pub by_rows: u64,
    /// Parts of a broken-off run that were kept.
    pub parts_kept: u64,
    /// By clock, over all contracts.
    pub clocks: Vec<ClockTotal>,
    /// By contract.
    pub contracts: Vec<ContractTotal>,
    /// By contract, clock and month of the breach.
    #[serde(skip)]
    pub months: Vec<MonthTotal>,
}

/// What came of one clock.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockTotal {
    /// The clause.
    pub clause: String,
    /// The clock.
    pub clock: String,
    /// Tickets that have it.
    pub tickets: u64,
    /// Of these, met in time.
    pub met: u64,
    /// Missed, stopped afterwards or not.
    pub missed: u64,
    /// What the breaches cost.
    pub penalty: Money,
    /// What the deposits paid of it.
    pub deducted: Money,
    /// What is open of it.
    pub shortfall: Money,
}

/// What came of one contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContractTotal {
    /// The contract.
    pub contract: String,
    /// Its tickets.
    pub tickets: u64,
    /// What they cost.
    pub penalty: Money,
    /// What its own duties and service levels cost, after caps.
    pub of_contract: Money,
    /// What the deposit paid, for tickets, duties and levels.
    pub deducted: Money,
    /// What is open.
    pub shortfall: Money,
    /// What the deposit holds.
    pub balance: Money,
}

/// What came of one clock of one contract in one month, by the breach in the contract's zone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonthTotal {
    /// The contract.
    pub contract: String,
    /// The clause.
    pub clause: String,
    /// The clock.
    pub clock: String,
    /// The month, as `2026-03`.
    pub month: String,
    /// Breaches that cost something.
    pub missed: u64,
    /// What they cost.
    pub penalty: Money,
    /// What the deposit paid of it.
    pub deducted: Money,
    /// What is open of it.
    pub shortfall: Money,
}

/// What was counted of one unit, by its own numbers of contracts and clocks.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// By clock from 1: its tickets, those met and those missed.
    clocks: Vec<[u64; 3]>,
    /// By contract.
    tickets: Vec<u64>,
    faults: u64,
    by_rows: u64,
    later: u64,
}

impl Counts {
    pub(super) fn of(sheet: &Sheet, judged: &Judged, told: &Told<'_>) -> Counts {
        let states = told.states();
        let clocks = states.chunks_exact(8).skip(1).map(|of| {
            let missed = of[usize::from(state::BREACHED)] + of[usize::from(state::LATE)];
            [of.iter().sum(), of[usize::from(state::MET)], missed]
        });
        let most = sheet.contract.iter().max().map_or(0, |most| *most as usize + 1);
        let mut tickets = vec![0; most];
        for ticket in told.tickets() {
            tickets[sheet.contract[ticket as usize] as usize] += 1;
        }
        let fault =
            |(_, told): &&(u32, Result<Assessment, _>)| told.as_ref().is_ok_and(|a| a.fault.is_some());
        Counts {
            clocks: clocks.collect(),
            tickets,
            faults: judged.singles.iter().filter(fault).count() as u64,
            by_rows: judged.singles.len() as u64,
            later: sheet.later,
        }
    }

    /// The contracts that have tickets.
    pub(super) fn contracts(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.tickets).filter(|(_, tickets)| **tickets > 0).map(|(contract, _)| contract)
    }
}

/// What was counted of many units, by the numbers of all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Totals {
    clocks: Vec<[u64; 3]>,
    tickets: Vec<u64>,
    faults: u64,
    by_rows: u64,
    pub(super) later: u64,
}

/// The place in a list that grows when it must.
fn at<T: Clone + Default>(list: &mut Vec<T>, place: usize) -> &mut T {
    if list.len() <= place {
        list.resize(place + 1, T::default());
    }
    &mut list[place]
}

impl Totals {
    /// Adds what was counted of a unit, whose contracts and clocks have these numbers here.
    pub(super) fn count(&mut self, counts: &Counts, contracts: &[u32], clocks: &[u16]) {
        for (of, clock) in counts.clocks.iter().zip(clocks) {
            let sums = at(&mut self.clocks, usize::from(*clock));
            sums.iter_mut().zip(of).for_each(|(sum, of)| *sum += of);
        }
        for contract in counts.contracts() {
            let number = contracts.get(contract as usize).copied().unwrap_or_default();
            *at(&mut self.tickets, number as usize) += counts.tickets[contract as usize];
        }
        self.faults += counts.faults;
        self.by_rows += counts.by_rows;
        self.later += counts.later;
    }

    pub(super) fn add(&mut self, other: &Totals) {
        for (clock, of) in other.clocks.iter().enumerate() {
            at(&mut self.clocks, clock).iter_mut().zip(of).for_each(|(sum, of)| *sum += of);
        }
        for (contract, tickets) in other.tickets.iter().enumerate() {
            *at(&mut self.tickets, contract) += tickets;
        }
        self.faults += other.faults;
        self.by_rows += other.by_rows;
        self.later += other.later;
    }

    /// Tells everything, with what the tickets owe and what was paid of it.
    pub(super) fn tell(
        self,
        batch: &Batch,
        names: &[Arc<str>],
        clocks: &[(Arc<str>, Arc<str>)],
        outcome: &Outcome,
        report: &mut Report,
    ) {
        let money = |minor: i64| Money::from_minor(minor, batch.pack.currency);
        let mut by_clock = vec![Owing::default(); clocks.len()];
        let mut by_contract = vec![0_i64; names.len()];
        for (contract, _, clock, owing) in &outcome.months {
            by_clock[usize::from(*clock)].add(*owing);
            let of_contract = &mut by_contract[*contract as usize];
            *of_contract = of_contract.saturating_add(owing.penalty);
        }
        let clock = |number: usize| {
            let of = clocks.get(number);
            of.map_or((String::new(), String::new()), |(clause, clock)| {
                (clause.to_string(), clock.to_string())
            })
        };
        report.tickets = self.tickets.iter().sum();
        (report.faults, report.by_rows, report.later) = (self.faults, self.by_rows, self.later);
        let counted = self.clocks.iter().zip(&by_clock).enumerate().filter(|(_, (of, _))| of[0] > 0);
        report.clocks = counted
            .map(|(number, (of, owing))| {
                let (clause, clock) = clock(number);
                let [tickets, met, missed] = *of;
                ClockTotal {
                    clause,
                    clock,
                    tickets,
                    met,
                    missed,
                    penalty: money(owing.penalty),
                    deducted: money(owing.deducted),
                    shortfall: money(owing.shortfall),
                }
            })
            .collect();
        report.clocks.sort_by(|a, b| (&a.clause, &a.clock).cmp(&(&b.clause, &b.clock)));
        report.contracts = names
            .iter()
            .zip(&outcome.contracts)
            .enumerate()
            .map(|(number, (name, books))| ContractTotal {
                contract: name.to_string(),
                tickets: self.tickets.get(number).copied().unwrap_or_default(),
                penalty: money(by_contract.get(number).copied().unwrap_or_default()),
                of_contract: money(books.of_contract),
                deducted: money(books.deducted),
                shortfall: money(books.shortfall),
                balance: money(books.balance),
            })
            .collect();
        report.contracts.sort_by(|a, b| a.contract.cmp(&b.contract));
        report.months = outcome
            .months
            .iter()
            .map(|(contract, month, of, owing)| {
                let (clause, clock) = clock(usize::from(*of));
                MonthTotal {
                    contract: names.get(*contract as usize).map_or(String::new(), |name| name.to_string()),
                    clause,
                    clock,
                    month: format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1),
                    missed: owing.missed,
                    penalty: money(owing.penalty),
                    deducted: money(owing.deducted),
                    shortfall: money(owing.shortfall),
                }
            })
            .collect();
        report.months.sort_by(|a, b| {
            (&a.contract, &a.month, &a.clause, &a.clock).cmp(&(&b.contract, &b.month, &b.clause, &b.clock))
        });
    }
}
