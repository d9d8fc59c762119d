//! Sums of what was judged: by clock, by contract, by month.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use chrono::Datelike;
use holdback::{Instant, Money};
use serde::Serialize;

use super::Done;
use crate::batch::Batch;
use crate::charges::Books;
use crate::clocks::state;
use crate::told::Taken;

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

/// Sums of one clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    tickets: u64,
    met: u64,
    missed: u64,
    penalty: i64,
    deducted: i64,
    shortfall: i64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Tally) {
        self.tickets += other.tickets;
        self.met += other.met;
        self.missed += other.missed;
        self.penalty = self.penalty.saturating_add(other.penalty);
        self.deducted = self.deducted.saturating_add(other.deducted);
        self.shortfall = self.shortfall.saturating_add(other.shortfall);
    }
}

/// A hasher for small numbers that nobody chooses to make trouble.
#[derive(Default)]
pub(super) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }
    fn write_u16(&mut self, n: u16) {
        self.write_u32(u32::from(n));
    }
    fn write_i32(&mut self, n: i32) {
        self.write_u32(n.cast_unsigned());
    }
    fn write_u32(&mut self, n: u32) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(n)).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

/// Sums of a unit, or of all.
#[derive(Debug, Default)]
pub(super) struct Totals {
    clocks: BTreeMap<(Arc<str>, Arc<str>), Tally>,
    /// Tickets and penalties by contract.
    contracts: HashMap<u32, (u64, i64)>,
    months: HashMap<(u32, Arc<str>, Arc<str>, i32), Tally>,
    tickets: u64,
    faults: u64,
    by_rows: u64,
}

impl Totals {
    pub(super) fn of(batch: &Batch, done: &Done, contracts: &[u32], taken: &Taken) -> Totals {
        let Done { sheet, judged, long, .. } = done;
        let mut totals = Totals::default();
        let mut by_clock = vec![Tally::default(); long.clocks.len() + 1];
        let mut by_contract: Vec<(u64, i64)> = vec![(0, 0); contracts.len()];
        let mut by_month: HashMap<(u32, u16, i32), Tally, BuildHasherDefault<Mixed>> = HashMap::default();
        let mut months = Months::new(batch);
        let mut before = u32::MAX;
        for row in 0..long.rows() {
            let ticket = long.ticket[row];
            let contract = sheet.contract.get(ticket as usize).copied().unwrap_or_default();
            if ticket != before {
                before = ticket;
                totals.tickets += 1;
                by_contract.get_mut(contract as usize).into_iter().for_each(|sum| sum.0 += 1);
            }
            let mut tally = Tally {
                tickets: 1,
                met: u64::from(long.state[row] == state::MET),
                missed: u64::from(matches!(long.state[row], state::BREACHED | state::LATE)),
                ..Tally::default()
            };
            if long.penalty[row] > 0 {
                tally.penalty = long.penalty[row];
                tally.deducted = taken.deducted[row];
                tally.shortfall = taken.shortfall[row];
                by_contract.get_mut(contract as usize).into_iter().for_each(|sum| sum.1 += tally.penalty);
                let month = months.of(long.due[row]);
                by_month.entry((contract, long.clock[row], month)).or_default().add(tally);
            }
            by_clock.get_mut(usize::from(long.clock[row])).into_iter().for_each(|sum| sum.add(tally));
        }
        for ((clause, clock), tally) in long.clocks.iter().zip(by_clock.into_iter().skip(1)) {
            totals.clocks.insert((Arc::clone(clause), Arc::clone(clock)), tally);
        }
        let number = |local: u32| contracts.get(local as usize).copied().unwrap_or(u32::MAX);
        for (local, sums) in (0..).zip(by_contract).filter(|(_, sums)| sums.0 > 0) {
            totals.contracts.insert(number(local), sums);
        }
        for ((contract, clock, month), tally) in by_month {
            if let Some((clause, clock)) = long.clocks.get(usize::from(clock).saturating_sub(1)) {
                totals.months.insert((number(contract), Arc::clone(clause), Arc::clone(clock), month), tally);
            }
        }
        totals.by_rows = judged.singles.len() as u64;
        totals.faults =
            judged.singles.iter().filter(|(_, a)| a.as_ref().is_ok_and(|a| a.fault.is_some())).count() as u64;
        totals
    }

    pub(super) fn add(&mut self, other: Totals) {
        for (clock, tally) in other.clocks {
            self.clocks.entry(clock).or_default().add(tally);
        }
        for (contract, (tickets, penalty)) in other.contracts {
            let sums = self.contracts.entry(contract).or_default();
            (sums.0, sums.1) = (sums.0 + tickets, sums.1.saturating_add(penalty));
        }
        for (month, tally) in other.months {
            self.months.entry(month).or_default().add(tally);
        }
        self.tickets += other.tickets;
        self.faults += other.faults;
        self.by_rows += other.by_rows;
    }

    pub(super) fn tell(self, batch: &Batch, names: &[Arc<str>], books: &[Books], report: &mut Report) {
        let money = |minor: i64| Money::from_minor(minor, batch.pack.currency);
        (report.tickets, report.faults, report.by_rows) = (self.tickets, self.faults, self.by_rows);
        report.clocks = self
            .clocks
            .into_iter()
            .map(|((clause, clock), tally)| ClockTotal {
                clause: clause.to_string(),
                clock: clock.to_string(),
                tickets: tally.tickets,
                met: tally.met,
                missed: tally.missed,
                penalty: money(tally.penalty),
                deducted: money(tally.deducted),
                shortfall: money(tally.shortfall),
            })
            .collect();
        report.contracts = (0..)
            .zip(names.iter().zip(books))
            .map(|(number, (name, books)): (u32, _)| {
                let (tickets, penalty) = self.contracts.get(&number).copied().unwrap_or_default();
                ContractTotal {
                    contract: name.to_string(),
                    tickets,
                    penalty: money(penalty),
                    of_contract: money(books.of_contract),
                    deducted: money(books.deducted),
                    shortfall: money(books.shortfall),
                    balance: money(books.balance),
                }
            })
            .collect();
        report.contracts.sort_by(|a, b| a.contract.cmp(&b.contract));
        let mut months: Vec<MonthTotal> = self
            .months
            .into_iter()
            .map(|((contract, clause, clock, month), tally)| MonthTotal {
                contract: names.get(contract as usize).map_or(String::new(), |name| name.to_string()),
                clause: clause.to_string(),
                clock: clock.to_string(),
                month: format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1),
                missed: tally.missed,
                penalty: money(tally.penalty),
                deducted: money(tally.deducted),
                shortfall: money(tally.shortfall),
            })
            .collect();
        months.sort_by(|a, b| {
            (&a.contract, &a.month, &a.clause, &a.clock).cmp(&(&b.contract, &b.month, &b.clause, &b.clock))
        });
        report.months = months;
    }
}

/// The months of instants. Most lie in the month of the one before.
pub(super) struct Months<'a> {
    batch: &'a Batch,
    /// From when until when the month lasts that was asked about last.
    known: (i64, i64, i32),
}

impl Months<'_> {
    pub(super) fn new(batch: &Batch) -> Months<'_> {
        Months { batch, known: (1, 0, 0) }
    }

    pub(super) fn of(&mut self, at: i64) -> i32 {
        let (from, until, month) = self.known;
        if (from..until).contains(&at) {
            return month;
        }
        let local = |at: i64| {
            Instant::from_micros(at).unwrap_or(Instant::MIN).to_chrono().with_timezone(&self.batch.pack.zone)
        };
        let month = |at: i64| local(at).year() * 12 + i32::try_from(local(at).month0()).unwrap_or_default();
        // Offsets change by hours, so that two days around the ends are asked about one by one.
        let day = i64::from(local(at).day());
        let (from, until) = (at - (day - 3) * DAY, at + (25 - day) * DAY);
        let here = month(at);
        if day > 3 && day < 25 {
            self.known = (from, until, here);
        }
        here
    }
}

pub(super) const DAY: i64 = 86_400_000_000;
