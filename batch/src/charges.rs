//! What all tickets owe, and what the deposits of their contracts paid of it.

use std::collections::{BTreeMap, HashMap, VecDeque};
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
    pub(crate) tickets: Vec<u8>,
    pub(crate) ends: Vec<u64>,
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
    /// By contract, month since the year zero, and clock.
    pub(crate) months: Vec<(u32, i32, u16, Owing)>,
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

    /// Puts others after these, whose contracts and clocks have their numbers among all already.
    pub(crate) fn then(&mut self, other: Charges) {
        self.clocks.clone_from(&other.clocks);
        self.append(other, &[], &[]);
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
    /// What a charge, by its place among those of the contract, costs from now on more than before.
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
        // The charges of each contract are put together first: they are far apart in the history, and memory that is far apart is slow.
        let mut begins = vec![0_usize; contracts + 1];
        charges.contract.iter().for_each(|contract| begins[*contract as usize + 1] += 1);
        for contract in 0..contracts {
            begins[contract + 1] += begins[contract];
        }
        let mut next = begins.clone();
        let mut own = vec![Own::default(); charges.len()];
        for (place, contract) in charges.contract.iter().enumerate() {
            let slot = &mut next[*contract as usize];
            own[*slot] = Own {
                at: charges.at[place],
                amount: charges.amount[place],
                place: u32::try_from(place).map_err(|_| too_many())?,
                clock: charges.clock[place],
            };
            *slot += 1;
        }
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
                            let own = &own[begins[contract]..begins[contract + 1]];
                            let (books, taken) = self.contract(charges, contract, own)?;
                            let months = self.months(charges, own, &taken);
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
        drop(own);
        let (mut books, mut all, mut months) = (Vec::with_capacity(contracts), Vec::new(), Vec::new());
        for (of, taken, sums) in results.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            let number = u32::try_from(books.len()).unwrap_or(u32::MAX);
            months.extend(sums.into_iter().map(|((month, clock), of)| (number, month, clock, of)));
            books.push(of);
            all.push(taken.into_iter());
        }
        // Back into the order of the history.
        let mut outcome = Outcome {
            deducted: Vec::with_capacity(charges.len()),
            shortfall: Vec::with_capacity(charges.len()),
            balance: Vec::with_capacity(charges.len()),
            contracts: books,
            months,
        };
        for contract in &charges.contract {
            let taken = all.get_mut(*contract as usize).and_then(Iterator::next).unwrap_or_default();
            outcome.deducted.push(taken.deducted);
            outcome.shortfall.push(taken.shortfall);
            outcome.balance.push(taken.balance);
        }
        Ok(outcome)
    }

    /// The sums of a contract's charges by month and clock.
    fn months(&self, charges: &Charges, own: &[Own], taken: &[Taken]) -> Vec<((i32, u16), Owing)> {
        let mut months: BTreeMap<(i32, u16), Owing> = BTreeMap::new();
        // Most charges lie in the month of the one before.
        let (mut month, mut clocks) = (i32::MIN, vec![Owing::default(); charges.clocks.len()]);
        let mut put = |month: i32, clocks: &mut [Owing]| {
            for (clock, of) in (0..).zip(clocks).filter(|(_, of)| of.missed > 0) {
                months.entry((month, clock)).or_default().add(std::mem::take(of));
            }
        };
        for (own, taken) in own.iter().zip(taken) {
            let here = crate::months::month(own.at, self.pack.zone);
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
        charges: &Charges,
        contract: usize,
        own: &[Own],
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
    fn plain(&self, charges: &Charges, events: &[Event], own: &[Own]) -> Option<(Books, Vec<Taken>)> {
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
        let grows = |own: &Own| charges.steps.contains_key(&u64::from(own.place));
        if !charges.steps.is_empty() && own.iter().any(grows) {
            let mut items = acts;
            for (slot, of) in own.iter().enumerate() {
                match charges.steps.get(&u64::from(of.place)) {
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
            let place = |slot: usize| own.get(slot).map_or(0, |own| own.place as usize);
            items.sort_by(|(a_at, a_rank, a), (b_at, b_rank, b)| {
                (a_at, a_rank).cmp(&(b_at, b_rank)).then_with(|| match (a, b) {
                    (Item::Charged(a, _), Item::Charged(b, _)) => charges.order(place(*a), place(*b)),
                    _ => std::cmp::Ordering::Equal,
                })
            });
            for (at, _, item) in items {
                fold.take(at, item)?;
            }
        } else {
            acts.sort_by_key(|(at, rank, _)| (*at, *rank));
            let mut acts = acts.into_iter().peekable();
            for slot in sorted(charges, own) {
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
        charges: &Charges,
        contract: u32,
        events: &[Event],
        own: &[Own],
    ) -> Result<(Books, Vec<Taken>), BatchError> {
        let name = self.names.get(contract as usize).map_or("", |name| name);
        let owed: Vec<Charge> = own
            .iter()
            .filter_map(|own| {
                let place = own.place as usize;
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
        let taken = settled.charges.iter().map(|settled| Taken {
            deducted: settled.deducted.minor(),
            shortfall: settled.shortfall.minor(),
            balance: settled.balance.minor(),
        });
        Ok((books, taken.collect()))
    }
}

/// A contract's books, what became of its charges, and their sums by month and clock.
type OfContract = (Books, Vec<Taken>, Vec<((i32, u16), Owing)>);

/// A charge of a contract.
#[derive(Clone, Copy, Default)]
struct Own {
    at: i64,
    amount: i64,
    /// Its place among all.
    place: u32,
    clock: u16,
}

fn too_many() -> BatchError {
    BatchError::Order("more than 4,294,967,295 charges: assess the contracts in several runs".to_owned())
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
#[derive(Clone, Copy, Default)]
struct Taken {
    deducted: i64,
    shortfall: i64,
    balance: i64,
}

/// The places of a contract's charges in the order of their instants, those of one instant in that of their ids.
fn sorted(charges: &Charges, own: &[Own]) -> Vec<u32> {
    let mut keys: Vec<(i64, u32)> = (0..).zip(own).map(|(slot, own)| (own.at, slot)).collect();
    keys.sort_unstable();
    let mut slots: Vec<u32> = keys.iter().map(|(_, slot)| *slot).collect();
    let place = |slot: u32| own.get(slot as usize).map_or(0, |own| own.place as usize);
    let mut from = 0;
    while from < keys.len() {
        let at = keys[from].0;
        let same = keys[from..].iter().take_while(|(other, _)| *other == at).count();
        if same > 1 {
            slots[from..from + same].sort_unstable_by(|a, b| charges.order(place(*a), place(*b)));
        }
        from += same;
    }
    slots
}

const DAY: i64 = 86_400_000_000;

/// A deposit on its way through the items of its contract.
struct Fold<'a> {
    settling: &'a Settling<'a>,
    events: &'a [Event],
    epochs: Vec<NaiveDate>,
    /// The same as days since 1970-01-01.
    days: Vec<i64>,
    floors: Vec<(NaiveDate, i64)>,
    books: Books,
    balance: i64,
    owed: i64,
    all: Vec<Taken>,
    /// What is not paid yet, the oldest first.
    open: VecDeque<(usize, i64)>,
    /// Of charges of one instant the balance is what is left after all of them.
    instant: i64,
    of_instant: Vec<usize>,
}

impl<'a> Fold<'a> {
    fn new(settling: &'a Settling<'a>, events: &'a [Event], charges: usize) -> Fold<'a> {
        let epochs = settling.pack.epochs();
        Fold {
            settling,
            events,
            days: epochs
                .iter()
                .map(|date| date.signed_duration_since(NaiveDate::default()).num_days())
                .collect(),
            epochs,
            floors: Vec::new(),
            books: Books::default(),
            balance: 0,
            owed: 0,
            all: vec![Taken::default(); charges],
            open: VecDeque::new(),
            instant: i64::MIN,
            of_instant: Vec::new(),
        }
    }

    /// The least that the deposit must keep.
    fn floor(&mut self, at: i64) -> Option<i64> {
        let after = |day: i64| self.days.partition_point(|from| *from <= day);
        let day = at.div_euclid(DAY);
        let mut place = after(day - 1);
        // No zone is a day from UTC: only near the first day of other terms the local date must be known.
        if place != after(day + 1) {
            let local = Instant::from_micros(at).ok()?.to_chrono().with_timezone(&self.settling.pack.zone);
            place = self.epochs.partition_point(|from| *from <= local.date_naive());
        }
        let date = place.checked_sub(1).and_then(|place| self.epochs.get(place)).copied()?;
        if let Some((_, floor)) = self.floors.iter().find(|(known, _)| *known == date) {
            return Some(*floor);
        }
        let at = Instant::from_micros(at).ok()?;
        let floor = deposit_floor(self.settling.pack, self.events, at, self.settling.as_of).ok()?.minor();
        self.floors.push((date, floor));
        Some(floor)
    }

    fn end_instant(&mut self) {
        for slot in self.of_instant.drain(..) {
            self.all[slot].balance = self.balance;
        }
    }

    /// One item. Nothing when a sum leaves 64 bits.
    fn take(&mut self, at: i64, item: Item) -> Option<()> {
        if at != self.instant {
            self.end_instant();
            self.instant = at;
        }
        match item {
            Item::Paid(amount) => {
                self.balance = self.balance.checked_add(amount)?;
                self.books.paid = self.books.paid.checked_add(amount)?;
            }
            Item::Released(amount) => {
                let given = amount.min(self.balance.max(0));
                self.balance -= given;
                self.books.released += given;
            }
            Item::Charged(slot, amount) => {
                self.owed = self.owed.checked_add(amount)?;
                self.all[slot].shortfall += amount;
                self.of_instant.push(slot);
                if amount > 0 {
                    self.open.push_back((slot, amount));
                }
            }
        }
        if self.open.is_empty() {
            return Some(());
        }
        // What there is pays the oldest first.
        let mut available = (self.balance - self.floor(at)?).max(0);
        while available > 0
            && let Some((slot, missing)) = self.open.front_mut()
        {
            let paid = available.min(*missing);
            (available, self.balance) = (available - paid, self.balance - paid);
            *missing -= paid;
            self.all[*slot].deducted += paid;
            self.all[*slot].shortfall -= paid;
            if *missing == 0 {
                self.open.pop_front();
            }
        }
        Some(())
    }

    fn finish(mut self) -> (Books, Vec<Taken>) {
        self.end_instant();
        self.books.balance = self.balance;
        self.books.deducted = self.all.iter().map(|taken| taken.deducted).sum();
        self.books.shortfall = self.all.iter().map(|taken| taken.shortfall).sum();
        (self.books, self.all)
    }
}
