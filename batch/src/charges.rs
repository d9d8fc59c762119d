//! What all tickets owe, and what the deposits of their contracts paid of it.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use holdback::{Charge, ClockEnded, Event, Instant, Pack, deposit_floor, settle};

use crate::BatchError;

/// All charges of all tickets, in the order of the input.
#[derive(Debug, Default)]
pub(crate) struct Charges {
    pub(crate) contract: Vec<u32>,
    pub(crate) at: Vec<i64>,
    pub(crate) reported: Vec<i64>,
    pub(crate) amount: Vec<i64>,
    /// The clock's number among [`Charges::clocks`].
    pub(crate) clock: Vec<u16>,
    /// The ids of the tickets, one after another.
    tickets: Vec<u8>,
    ends: Vec<u64>,
    /// Charges that grew: from when on how much.
    pub(crate) steps: HashMap<u64, Vec<(Instant, i64)>>,
    /// Clause and name of each clock.
    pub(crate) clocks: Vec<(Arc<str>, Arc<str>)>,
    /// When clocks were met or missed, by contract, where service levels count them.
    pub(crate) ended: HashMap<u32, Vec<ClockEnded>>,
}

/// What became of the charges, in their order, in minor units.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) deducted: Vec<i64>,
    pub(crate) shortfall: Vec<i64>,
    pub(crate) balance: Vec<i64>,
    /// By contract.
    pub(crate) contracts: Vec<Books>,
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

impl Charges {
    pub(crate) fn len(&self) -> usize {
        self.at.len()
    }

    pub(crate) fn ticket(&self, place: usize) -> &[u8] {
        let end = self.ends.get(place).map_or(0, |end| usize::try_from(*end).unwrap_or(usize::MAX));
        let begin = place.checked_sub(1).and_then(|before| self.ends.get(before));
        let begin = begin.map_or(0, |end| usize::try_from(*end).unwrap_or(usize::MAX));
        self.tickets.get(begin..end).unwrap_or_default()
    }

    pub(crate) fn push(
        &mut self,
        contract: u32,
        at: i64,
        reported: i64,
        amount: i64,
        clock: u16,
        ticket: &str,
    ) {
        self.contract.push(contract);
        self.at.push(at);
        self.reported.push(reported);
        self.amount.push(amount);
        self.clock.push(clock);
        self.tickets.extend_from_slice(ticket.as_bytes());
        self.ends.push(self.tickets.len() as u64);
    }

    /// Puts others after these. `contracts` and `clocks` give the numbers here of those there.
    pub(crate) fn append(&mut self, other: Charges, contracts: &[u32], clocks: &[u16]) {
        let first = self.len() as u64;
        self.contract
            .extend(other.contract.iter().map(|c| contracts.get(*c as usize).copied().unwrap_or(*c)));
        self.at.extend(other.at);
        self.reported.extend(other.reported);
        self.amount.extend(other.amount);
        self.clock.extend(other.clock.iter().map(|c| clocks.get(usize::from(*c)).copied().unwrap_or(*c)));
        let base = self.tickets.len() as u64;
        self.tickets.extend(other.tickets);
        self.ends.extend(other.ends.iter().map(|end| base + end));
        self.steps.extend(other.steps.into_iter().map(|(place, steps)| (first + place, steps)));
        for (contract, ended) in other.ended {
            let contract = contracts.get(contract as usize).copied().unwrap_or(contract);
            self.ended.entry(contract).or_default().extend(ended);
        }
    }

    pub(crate) fn clock(&mut self, clause: &Arc<str>, name: &Arc<str>) -> u16 {
        let known = self.clocks.iter().position(|(c, n)| c == clause && n == name);
        let place = known.unwrap_or_else(|| {
            self.clocks.push((Arc::clone(clause), Arc::clone(name)));
            self.clocks.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// The order of a contract's penalties of one instant: by their ids.
    fn order(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let id = |place: usize| -> Vec<u8> {
            let mut id = self.ticket(place).to_vec();
            if let Some((clause, clock)) =
                self.clock.get(place).and_then(|clock| self.clocks.get(usize::from(*clock)))
            {
                id.extend_from_slice(format!("/{clause}/{clock}").as_bytes());
            }
            id
        };
        id(a).cmp(&id(b))
    }
}

/// An item of a contract's deposit.
enum Item {
    Paid(i64),
    Released(i64),
    /// What a charge costs from now on more than before.
    Charged(usize, i64),
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
    pub(crate) fn settle(&self, charges: &Charges, threads: usize) -> Result<Outcome, BatchError> {
        let contracts = self.names.len();
        // The charges of each contract together: a count, and a place for each.
        let mut begins = vec![0_usize; contracts + 1];
        charges.contract.iter().for_each(|contract| begins[*contract as usize + 1] += 1);
        for contract in 0..contracts {
            begins[contract + 1] += begins[contract];
        }
        let mut next = begins.clone();
        let mut own = vec![0_u32; charges.len()];
        for (place, contract) in charges.contract.iter().enumerate() {
            let slot = &mut next[*contract as usize];
            own[*slot] = u32::try_from(place).unwrap_or(u32::MAX);
            *slot += 1;
        }
        let mut outcome = Outcome {
            deducted: vec![0; charges.len()],
            shortfall: vec![0; charges.len()],
            balance: vec![0; charges.len()],
            contracts: vec![Books::default(); contracts],
        };
        let shares = threads.clamp(1, contracts.max(1));
        let share = contracts.div_ceil(shares).max(1);
        let results: Vec<Result<Vec<OfContract>, BatchError>> = std::thread::scope(|scope| {
            let work: Vec<_> = (0..contracts)
                .step_by(share)
                .map(|from| {
                    let (begins, own) = (&begins, &own);
                    let until = (from + share).min(contracts);
                    scope.spawn(move || {
                        let mut done = Vec::with_capacity(until - from);
                        for contract in from..until {
                            let mut own = own[begins[contract]..begins[contract + 1]].to_vec();
                            let (books, taken) = self.contract(charges, contract, &mut own)?;
                            done.push((contract, books, taken));
                        }
                        Ok(done)
                    })
                })
                .collect();
            let broken =
                || BatchError::Order("a thread that settles contracts has ended without a word".to_owned());
            work.into_iter().map(|work| work.join().unwrap_or_else(|_| Err(broken()))).collect()
        });
        for result in results {
            for (contract, books, taken) in result? {
                outcome.contracts[contract] = books;
                for Taken { place, deducted, shortfall, balance } in taken {
                    let place = place as usize;
                    outcome.deducted[place] = deducted;
                    outcome.shortfall[place] = shortfall;
                    outcome.balance[place] = balance;
                }
            }
        }
        Ok(outcome)
    }

    fn contract(
        &self,
        charges: &Charges,
        contract: usize,
        own: &mut [u32],
    ) -> Result<(Books, Vec<Taken>), BatchError> {
        let number = u32::try_from(contract).unwrap_or(u32::MAX);
        let events = self.events.get(&number).map_or(&[][..], Vec::as_slice);
        if self.pack.settles_plainly(events)
            && let Some(settled) = self.plain(charges, events, own)
        {
            return Ok(settled);
        }
        self.by_the_books(charges, number, events, own)
    }

    /// Deposits and penalties of a contract in the order of their instants. Nothing when it takes the books to do that.
    fn plain(&self, charges: &Charges, events: &[Event], own: &mut [u32]) -> Option<(Books, Vec<Taken>)> {
        own.sort_unstable_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            charges.at[a].cmp(&charges.at[b]).then_with(|| charges.order(a, b))
        });
        let mut items: Vec<(i64, u8, Item)> = Vec::new();
        for event in events.iter().filter(|event| event.at <= self.as_of) {
            let amount = || {
                let text = event.data.get("amount")?.as_str()?;
                Some(holdback::Money::parse(text, self.pack.currency).ok()?.minor())
            };
            match event.kind.as_str() {
                "deposit_paid" => items.push((event.at.micros(), 0, Item::Paid(amount()?))),
                "deposit_released" => items.push((event.at.micros(), 2, Item::Released(amount()?))),
                _ => {}
            }
        }
        let mut growing = false;
        for place in own.iter() {
            let place = *place as usize;
            match charges.steps.get(&(place as u64)) {
                None => items.push((charges.at[place], 1, Item::Charged(place, charges.amount[place]))),
                Some(steps) => {
                    growing = true;
                    let mut before = 0;
                    for (at, sum) in steps {
                        items.push((at.micros(), 1, Item::Charged(place, sum - before)));
                        before = *sum;
                    }
                }
            }
        }
        match growing {
            // Stable: charges of one instant keep the order of their ids.
            false => items.sort_by_key(|(at, rank, _)| (*at, *rank)),
            true => items.sort_by(|(a_at, a_rank, a), (b_at, b_rank, b)| {
                (a_at, a_rank).cmp(&(b_at, b_rank)).then_with(|| match (a, b) {
                    (Item::Charged(a, _), Item::Charged(b, _)) => charges.order(*a, *b),
                    _ => std::cmp::Ordering::Equal,
                })
            }),
        }
        let mut floors: Vec<(NaiveDate, i64)> = Vec::new();
        let epochs = self.pack.epochs();
        let mut floor_at = |at: i64| -> Option<i64> {
            let at = Instant::from_micros(at).ok()?;
            let date = if epochs.len() == 1 {
                NaiveDate::MIN
            } else {
                let local = at.to_chrono().with_timezone(&self.pack.zone).date_naive();
                let after = epochs.partition_point(|from| *from <= local);
                after.checked_sub(1).and_then(|place| epochs.get(place)).copied()?
            };
            if let Some((_, floor)) = floors.iter().find(|(known, _)| *known == date) {
                return Some(*floor);
            }
            let floor = deposit_floor(self.pack, events, at, self.as_of).ok()?.minor();
            floors.push((date, floor));
            Some(floor)
        };
        let mut books = Books::default();
        let (mut balance, mut owed) = (0_i64, 0_i64);
        let mut taken: HashMap<usize, usize> = HashMap::new();
        let mut all: Vec<Taken> = Vec::with_capacity(own.len());
        let mut open: std::collections::VecDeque<(usize, i64)> = std::collections::VecDeque::new();
        // Of charges of one instant the balance is what is left after all of them.
        let (mut instant, mut of_instant): (i64, Vec<usize>) = (i64::MIN, Vec::new());
        for (at, _, item) in items {
            if at != instant {
                of_instant.drain(..).for_each(|slot| all[slot].balance = balance);
                instant = at;
            }
            let floor = floor_at(at)?;
            match item {
                Item::Paid(amount) => {
                    balance = balance.checked_add(amount)?;
                    books.paid = books.paid.checked_add(amount)?;
                }
                Item::Released(amount) => {
                    let given = amount.min(balance.max(0));
                    balance -= given;
                    books.released += given;
                }
                Item::Charged(place, amount) => {
                    owed = owed.checked_add(amount)?;
                    let slot = match growing {
                        false => all.len(),
                        true => *taken.entry(place).or_insert(all.len()),
                    };
                    if slot == all.len() {
                        let place = u32::try_from(place).ok()?;
                        all.push(Taken { place, deducted: 0, shortfall: 0, balance: 0 });
                    }
                    all[slot].shortfall += amount;
                    of_instant.push(slot);
                    if amount > 0 {
                        open.push_back((slot, amount));
                    }
                }
            }
            // What there is pays the oldest first.
            let mut available = (balance - floor).max(0);
            while available > 0
                && let Some((slot, missing)) = open.front_mut()
            {
                let paid = available.min(*missing);
                (available, balance) = (available - paid, balance - paid);
                *missing -= paid;
                all[*slot].deducted += paid;
                all[*slot].shortfall -= paid;
                if *missing == 0 {
                    open.pop_front();
                }
            }
        }
        of_instant.drain(..).for_each(|slot| all[slot].balance = balance);
        books.balance = balance;
        books.deducted = all.iter().map(|taken| taken.deducted).sum();
        books.shortfall = all.iter().map(|taken| taken.shortfall).sum();
        Some((books, all))
    }

    /// The same by the engine's own books, which know everything that a contract may say.
    fn by_the_books(
        &self,
        charges: &Charges,
        contract: u32,
        events: &[Event],
        own: &[u32],
    ) -> Result<(Books, Vec<Taken>), BatchError> {
        let name = self.names.get(contract as usize).map_or("", |name| name);
        let owed: Vec<Charge> = own
            .iter()
            .filter_map(|place| {
                let place = *place as usize;
                let (clause, clock) = charges.clocks.get(usize::from(charges.clock[place]))?;
                let clause = self.clauses.iter().position(|known| known == clause)?;
                let at = Instant::from_micros(charges.at[place]).ok()?;
                let steps = charges.steps.get(&(place as u64)).cloned();
                Some(Charge {
                    ticket: String::from_utf8_lossy(charges.ticket(place)).into_owned(),
                    clause: u16::try_from(clause).ok()?,
                    clock: Arc::clone(clock),
                    at,
                    reported_at: Instant::from_micros(charges.reported[place]).ok()?,
                    steps: steps.unwrap_or_else(|| vec![(at, charges.amount[place])]),
                })
            })
            .collect();
        let ended = charges.ended.get(&contract).map_or(&[][..], Vec::as_slice);
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
        let taken = own.iter().zip(&settled.charges).map(|(place, settled)| Taken {
            place: *place,
            deducted: settled.deducted.minor(),
            shortfall: settled.shortfall.minor(),
            balance: settled.balance.minor(),
        });
        Ok((books, taken.collect()))
    }
}

/// A contract's number, its books, and what became of its charges.
type OfContract = (usize, Books, Vec<Taken>);

/// What became of a charge.
struct Taken {
    place: u32,
    deducted: i64,
    shortfall: i64,
    balance: i64,
}
