//! The charges of all contracts settled with their deposits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use holdback::{Charge, Event, Instant, Pack, settle};

use super::Debts;
use super::debts::Own;
use super::fold::{Fold, Item};
use crate::BatchError;
use crate::months::Months;

/// What became of the charges, in minor units.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// By contract.
    pub(crate) contracts: Vec<Books>,
    /// By contract, month since the year zero, and clock.
    pub(crate) months: Vec<(u32, i32, u16, Owing)>,
    /// The contract of each charge, in the order of the history.
    contract: Vec<u32>,
    /// What became of each contract's charges, in the order of the history, and how many of them were told.
    taken: Vec<(Vec<Taken>, usize)>,
    told: usize,
}

impl Outcome {
    /// What became of the next so many charges of the history: what was deducted, what is open, and what was left in the deposit.
    pub(crate) fn tell(&mut self, count: usize) -> [Vec<i64>; 3] {
        let mut sums = [0; 3].map(|_| Vec::with_capacity(count));
        let until = self.told.saturating_add(count).min(self.contract.len());
        for contract in self.contract.get(self.told..until).unwrap_or_default() {
            let Some((taken, told)) = self.taken.get_mut(*contract as usize) else { continue };
            let of = taken.get(*told).copied().unwrap_or_default();
            *told += 1;
            let [deducted, shortfall, balance] = &mut sums;
            deducted.push(of.deducted);
            shortfall.push(of.shortfall);
            balance.push(of.balance);
        }
        self.told = until;
        sums
    }

    /// So many charges were told before.
    pub(crate) fn pass(&mut self, count: usize) {
        let until = self.told.saturating_add(count).min(self.contract.len());
        for contract in self.contract.get(self.told..until).unwrap_or_default() {
            self.taken.get_mut(*contract as usize).into_iter().for_each(|(_, told)| *told += 1);
        }
        self.told = until;
    }
}

/// A contract's money at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) paid: i64,
    pub(crate) released: i64,
    pub(crate) balance: i64,
    /// What its duties and service levels cost.
    pub(crate) of_contract: i64,
    pub(crate) deducted: i64,
    pub(crate) shortfall: i64,
}

/// What settles contracts: the pack, and the events of each by its number.
pub(crate) struct Settling<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) names: &'a [Arc<str>],
    pub(crate) events: &'a HashMap<u32, Vec<Event>>,
    pub(crate) as_of: Instant,
    /// The clauses' places by their numbers in the contract.
    pub(crate) clauses: &'a [Arc<str>],
}

impl Settling<'_> {
    /// Settles all contracts, several at a time.
    pub(crate) fn settle(&self, mut debts: Debts, threads: usize) -> Result<Outcome, BatchError> {
        if u32::try_from(debts.len()).is_err() {
            return Err(too_many());
        }
        let contracts = self.names.len();
        let mut own = std::mem::take(&mut debts.own);
        own.resize(contracts, Vec::new());
        let share = contracts.div_ceil(threads.clamp(1, contracts.max(1))).max(1);
        let results: Vec<Result<Vec<OfContract>, BatchError>> = std::thread::scope(|scope| {
            let debts = &debts;
            let work: Vec<_> = own
                .chunks_mut(share)
                .zip((0..).step_by(share))
                .map(|(own, first)| {
                    scope.spawn(move || {
                        let mut done = Vec::with_capacity(own.len());
                        for (contract, own) in (first..).zip(own) {
                            let own = std::mem::take(own);
                            let (books, taken) = self.contract(debts, contract, &own)?;
                            let months = self.months(debts, &own, &taken);
                            done.push((books, taken, months));
                        }
                        Ok(done)
                    })
                })
                .collect();
            let broken =
                || BatchError::Order("a thread that settles contracts has ended without a word".to_owned());
            work.into_iter().map(|work| work.join().unwrap_or_else(|_| Err(broken()))).collect()
        });
        let mut outcome = Outcome { contract: debts.contract, ..Outcome::default() };
        for (of, taken, sums) in results.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            let number = u32::try_from(outcome.contracts.len()).unwrap_or(u32::MAX);
            outcome.months.extend(sums.into_iter().map(|((month, clock), of)| (number, month, clock, of)));
            outcome.contracts.push(of);
            outcome.taken.push((taken, 0));
        }
        Ok(outcome)
    }

    /// The sums of a contract's charges by month and clock.
    fn months(&self, debts: &Debts, own: &[Own], taken: &[Taken]) -> Vec<((i32, u16), Owing)> {
        let mut months: BTreeMap<(i32, u16), Owing> = BTreeMap::new();
        // Most charges lie in the month of the one before.
        let mut of = Months::new(self.pack.zone);
        let (mut month, mut clocks) = (i32::MIN, vec![Owing::default(); debts.clocks.len()]);
        let mut put = |month: i32, clocks: &mut [Owing]| {
            for (clock, of) in (0..).zip(clocks).filter(|(_, of)| of.missed > 0) {
                months.entry((month, clock)).or_default().add(std::mem::take(of));
            }
        };
        for (own, taken) in own.iter().zip(taken) {
            let here = of.month(own.at);
            if here != month {
                put(month, &mut clocks);
                month = here;
            }
            clocks[usize::from(own.clock)].add(Owing {
                missed: 1,
                penalty: own.amount,
                deducted: taken.deducted,
                shortfall: taken.shortfall,
            });
        }
        put(month, &mut clocks);
        months.into_iter().collect()
    }

    fn contract(
        &self,
        debts: &Debts,
        contract: usize,
        own: &[Own],
    ) -> Result<(Books, Vec<Taken>), BatchError> {
        let number = u32::try_from(contract).unwrap_or(u32::MAX);
        let events = self.events.get(&number).map_or(&[][..], Vec::as_slice);
        if self.pack.settles_plainly(events)
            && let Some(settled) = self.plain(debts, events, own)
        {
            return Ok(settled);
        }
        self.by_the_books(debts, number, events, own)
    }

    /// Deposits and penalties of a contract in the order of their instants. Nothing when it takes the books to do that.
    fn plain(&self, debts: &Debts, events: &[Event], own: &[Own]) -> Option<(Books, Vec<Taken>)> {
        // Events of an instant before its charges have the rank 0, those after them the rank 2.
        let mut acts: Vec<(i64, u8, Item)> = Vec::new();
        for event in events.iter().filter(|event| event.at <= self.as_of) {
            let amount = || {
                let text = event.data.get("amount")?.as_str()?;
                Some(holdback::Money::parse(text, self.pack.currency).ok()?.minor())
            };
            match event.kind.as_str() {
                "deposit_paid" => acts.push((event.at.micros(), 0, Item::Paid(amount()?))),
                "deposit_released" => acts.push((event.at.micros(), 2, Item::Released(amount()?))),
                _ => {}
            }
        }
        let mut fold = Fold::new(self, events, own.len());
        let grows = |own: &Own| debts.steps.contains_key(&u64::from(own.place));
        if !debts.steps.is_empty() && own.iter().any(grows) {
            let mut items = acts;
            for (slot, of) in own.iter().enumerate() {
                match debts.steps.get(&u64::from(of.place)) {
                    None => items.push((of.at, 1, Item::Charged(slot, of.amount))),
                    Some(steps) => {
                        let mut before = 0;
                        for (at, sum) in steps {
                            items.push((at.micros(), 1, Item::Charged(slot, sum - before)));
                            before = *sum;
                        }
                    }
                }
            }
            let of = |slot: usize| own.get(slot).copied().unwrap_or_default();
            items.sort_by(|(a_at, a_rank, a), (b_at, b_rank, b)| {
                (a_at, a_rank).cmp(&(b_at, b_rank)).then_with(|| match (a, b) {
                    (Item::Charged(a, _), Item::Charged(b, _)) => debts.order(&of(*a), &of(*b)),
                    _ => std::cmp::Ordering::Equal,
                })
            });
            for (at, _, item) in items {
                fold.take(at, item)?;
            }
        } else {
            acts.sort_by_key(|(at, rank, _)| (*at, *rank));
            let mut acts = acts.into_iter().peekable();
            for slot in debts.sorted(own) {
                let of = own.get(slot as usize)?;
                while let Some((when, _, act)) = acts.next_if(|(when, rank, _)| (*when, *rank) < (of.at, 1)) {
                    fold.take(when, act)?;
                }
                fold.take(of.at, Item::Charged(slot as usize, of.amount))?;
            }
            for (when, _, act) in acts {
                fold.take(when, act)?;
            }
        }
        Some(fold.finish())
    }

    /// The same by the engine's own books, which know everything that a contract may say.
    fn by_the_books(
        &self,
        debts: &Debts,
        contract: u32,
        events: &[Event],
        own: &[Own],
    ) -> Result<(Books, Vec<Taken>), BatchError> {
        let name = self.names.get(contract as usize).map_or("", |name| name);
        let owed: Vec<Charge> = own
            .iter()
            .filter_map(|own| {
                let (clause, clock) = debts.clocks.get(usize::from(own.clock))?;
                let clause = self.clauses.iter().position(|known| known == clause)?;
                let at = Instant::from_micros(own.at).ok()?;
                let steps = debts.steps.get(&u64::from(own.place)).cloned();
                Some(Charge {
                    ticket: String::from_utf8_lossy(&debts.tickets.get(own.place as usize)).into_owned(),
                    clause: u16::try_from(clause).ok()?,
                    clock: Arc::clone(clock),
                    at,
                    reported_at: Instant::from_micros(own.reported).ok()?,
                    steps: steps.unwrap_or_else(|| vec![(at, own.amount)]),
                })
            })
            .collect();
        let ended = debts.ended.get(&contract).map_or(&[][..], Vec::as_slice);
        let settled = settle(self.pack, name, events, &owed, ended, self.as_of);
        let settled = settled
            .map_err(|source| BatchError::Settle { contract: name.to_owned(), source: Box::new(source) })?;
        let books = Books {
            paid: settled.paid.minor(),
            released: settled.released.minor(),
            balance: settled.balance.minor(),
            of_contract: settled.of_contract.minor(),
            deducted: settled.deducted.minor(),
            shortfall: settled.shortfall.minor(),
        };
        let taken = settled.charges.iter().map(|settled| Taken {
            deducted: settled.deducted.minor(),
            shortfall: settled.shortfall.minor(),
            balance: settled.balance.minor(),
        });
        Ok((books, taken.collect()))
    }
}

/// What is owed, and what became of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Owing {
    pub(crate) missed: u64,
    pub(crate) penalty: i64,
    pub(crate) deducted: i64,
    pub(crate) shortfall: i64,
}

impl Owing {
    pub(crate) fn add(&mut self, other: Owing) {
        self.missed += other.missed;
        self.penalty = self.penalty.saturating_add(other.penalty);
        self.deducted = self.deducted.saturating_add(other.deducted);
        self.shortfall = self.shortfall.saturating_add(other.shortfall);
    }
}

/// What became of a charge.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    pub(super) deducted: i64,
    pub(super) shortfall: i64,
    pub(super) balance: i64,
}

/// A contract's books, what became of its charges, and their sums by month and clock.
type OfContract = (Books, Vec<Taken>, Vec<((i32, u16), Owing)>);

fn too_many() -> BatchError {
    BatchError::Order("more than 4,294,967,295 charges: assess the contracts in several runs".to_owned())
}
