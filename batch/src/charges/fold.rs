//! A deposit on its way through what its contract owes.

use std::collections::VecDeque;

use chrono::NaiveDate;
use holdback::{Event, Instant, deposit_floor};

use super::settle::{Books, Settling, Taken};

/// An item of a contract's deposit.
pub(super) enum Item {
    Paid(i64),
    Released(i64),
    /// What a charge, by its place among those of the contract, costs from now on more than before.
    Charged(usize, i64),
}

const DAY: i64 = 86_400_000_000;

/// A deposit on its way through the items of its contract.
pub(super) struct Fold<'a> {
    settling: &'a Settling<'a>,
    events: &'a [Event],
    epochs: Vec<NaiveDate>,
    /// The same as days since 1970-01-01.
    days: Vec<i64>,
    floors: Vec<(NaiveDate, i64)>,
    /// From when until when the floor is known to be the last one.
    known: (i64, i64, i64),
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
    pub(super) fn new(settling: &'a Settling<'a>, events: &'a [Event], charges: usize) -> Fold<'a> {
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
            known: (0, 0, 0),
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
        let (from, until, floor) = self.known;
        if from <= at && at < until {
            return Some(floor);
        }
        let floor = self.floor_of(at)?;
        let day = at.div_euclid(DAY);
        let place = self.days.partition_point(|from| *from < day);
        // No zone is a day from UTC: a day apart from the first days of terms the floor is sure.
        let first = place.checked_sub(1).and_then(|before| self.days.get(before)).map(|day| (day + 1) * DAY);
        let last = self.days.get(place).map_or(Some(i64::MAX), |day| day.checked_sub(1)?.checked_mul(DAY));
        if let (Some(first), Some(last)) = (first, last)
            && first <= at
            && at < last
        {
            self.known = (first, last, floor);
        }
        Some(floor)
    }

    fn floor_of(&mut self, at: i64) -> Option<i64> {
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
    pub(super) fn take(&mut self, at: i64, item: Item) -> Option<()> {
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

    pub(super) fn finish(mut self) -> (Books, Vec<Taken>) {
        self.end_instant();
        self.books.balance = self.balance;
        self.books.deducted = self.all.iter().map(|taken| taken.deducted).sum();
        self.books.shortfall = self.all.iter().map(|taken| taken.shortfall).sum();
        (self.books, self.all)
    }
}
