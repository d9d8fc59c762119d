//! What caps leave of penalties: running sums of what was charged, by ticket, month, quarter, year and in all.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::vocabulary::CapPer;

/// A cap as it limits the penalties of one clause under one version of the terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CapHere {
    /// Which cap of the contract it is: the same one under other terms has the same number.
    pub(super) id: usize,
    pub(super) per: CapPer,
    pub(super) limit: i64,
    /// Such as `per month, clause 7.3`.
    pub(super) name: Arc<str>,
}

/// Which caps limit a penalty, in their order, and where it counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Capped {
    pub(super) caps: Arc<[CapHere]>,
    pub(super) subject: Arc<str>,
    /// The local month of its breach, counted from the year 0.
    pub(super) month: i32,
}

/// What a cap adds up together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bucket {
    Subject(Arc<str>),
    /// A month, quarter or year, counted from the year 0.
    Period(i32),
    All,
}

/// What was charged so far, after all caps.
#[derive(Clone, Debug, Default)]
pub(super) struct Charged {
    sums: BTreeMap<(usize, Bucket), i64>,
    rolling: BTreeMap<usize, Rolling>,
}

impl Charged {
    /// Counts a charge; gives what the caps leave of it, and what each of them cuts, by its place.
    pub(super) fn charge(&mut self, capped: &Capped, amount: i64) -> (i64, Vec<(usize, i64)>) {
        let mut left = amount;
        let mut cuts = Vec::new();
        for (place, cap) in capped.caps.iter().enumerate() {
            let room = cap.limit.saturating_sub(self.sum(cap, capped)).max(0);
            if left > room {
                cuts.push((place, left - room));
                left = room;
            }
        }
        self.add(capped, left);
        (left, cuts)
    }

    /// Takes a charge back, which makes room for later ones.
    pub(super) fn free(&mut self, capped: &Capped, amount: i64) {
        self.add(capped, -amount);
    }

    fn sum(&mut self, cap: &CapHere, capped: &Capped) -> i64 {
        match bucket(cap.per, capped) {
            Some(bucket) => self.sums.get(&(cap.id, bucket)).copied().unwrap_or_default(),
            None => self.rolling.entry(cap.id).or_default().sum(months(cap.per), capped.month),
        }
    }

    fn add(&mut self, capped: &Capped, amount: i64) {
        if amount == 0 {
            return;
        }
        for cap in capped.caps.iter() {
            match bucket(cap.per, capped) {
                Some(bucket) => {
                    let sum = self.sums.entry((cap.id, bucket)).or_default();
                    *sum = sum.saturating_add(amount);
                }
                None => self.rolling.entry(cap.id).or_default().add(months(cap.per), capped.month, amount),
            }
        }
    }
}

fn bucket(per: CapPer, capped: &Capped) -> Option<Bucket> {
    match per {
        CapPer::Ticket => Some(Bucket::Subject(Arc::clone(&capped.subject))),
        CapPer::Month => Some(Bucket::Period(capped.month)),
        CapPer::Quarter => Some(Bucket::Period(capped.month.div_euclid(3))),
        CapPer::Year => Some(Bucket::Period(capped.month.div_euclid(12))),
        CapPer::Contract => Some(Bucket::All),
        CapPer::Months(_) => None,
    }
}

/// How many months a rolling cap adds up.
fn months(per: CapPer) -> i32 {
    match per {
        CapPer::Months(n) => i32::try_from(n).unwrap_or(i32::MAX).max(1),
        _ => 1,
    }
}

/// What was charged by month, with the sum of the months last asked for.
#[derive(Clone, Debug, Default)]
struct Rolling {
    by_month: BTreeMap<i32, i64>,
    /// The last month of a stretch, and its sum.
    running: Option<(i32, i64)>,
}

impl Rolling {
    /// The sum over so many months up to this one.
    fn sum(&mut self, months: i32, until: i32) -> i64 {
        if let Some((month, sum)) = self.running
            && month == until
        {
            return sum;
        }
        let of = self.by_month.range(first(months, until)..=until);
        let sum = of.fold(0_i64, |sum, (_, charged)| sum.saturating_add(*charged));
        self.running = Some((until, sum));
        sum
    }

    fn add(&mut self, months: i32, month: i32, amount: i64) {
        let charged = self.by_month.entry(month).or_default();
        *charged = charged.saturating_add(amount);
        if let Some((until, sum)) = &mut self.running
            && (first(months, *until)..=*until).contains(&month)
        {
            *sum = sum.saturating_add(amount);
        }
    }
}

/// The first of so many months up to one.
fn first(months: i32, until: i32) -> i32 {
    until.saturating_sub(months - 1)
}
