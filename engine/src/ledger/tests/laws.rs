//! Random items in random orders.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::caps::{CapHere, Capped};
use super::super::settlement::{Item, State};
use super::*;
use crate::PenaltyState;
use crate::vocabulary::CapPer;

/// What is told or filed: for each source its versions, of which the last holds.
#[derive(Clone, Debug)]
enum Act {
    Tell(Box<Happened>),
    File(String, Owed),
    Strike(String),
}

#[derive(Clone, Debug)]
struct Happened {
    id: String,
    kind: Kind,
    at: Instant,
    amount: i64,
    penalty: String,
    by: bool,
}

impl Happened {
    fn entry(&self, pack: &Pack) -> Entry {
        let detail = match self.kind {
            Kind::DEPOSIT_PAID | Kind::DEPOSIT_RELEASED => {
                Detail::Amount(Money::from_minor(self.amount, pack.currency))
            }
            Kind::SETTLED => Detail::None,
            _ => said(&self.penalty, self.by.then_some("buyer")),
        };
        event(&self.id, self.kind, self.at, detail)
    }
}

const HOURS: i64 = 24 * 200;

/// A penalty with what was believed of it before: fewer steps, another instant, another sum, or nothing of it at all.
fn penalty(number: usize) -> impl Strategy<Value = Vec<Act>> {
    let steps = prop::collection::vec((0..300_i64, 0..300_i64), 1..5);
    let back = prop::option::weighted(0.2, 0..HOURS);
    (0..3_usize, any::<bool>(), 0..HOURS, steps, back, 0..6_u8).prop_map(
        move |(ticket, again, from, steps, back, before)| {
            let (mut hour, mut sum) = (from, 0);
            let steps: Vec<(Instant, i64)> = steps
                .into_iter()
                .map(|(hours, more)| {
                    (hour, sum) = (hour + hours, sum + more);
                    (at(hour), sum)
                })
                .collect();
            let of = if again { "2" } else { "1" };
            let id = format!("T{ticket}/{of}/p{number}");
            let owed = owed(&CAPPED, &format!("T{ticket}"), of, &steps);
            let owed = Owed { name: format!("p{number}").into(), earned_back: back.map(at), ..owed };
            let file = |owed: Owed| Act::File(id.clone(), owed);
            let mut acts = Vec::new();
            match before {
                0 => {
                    for n in 1..steps.len() {
                        acts.push(file(Owed { steps: steps[..n].to_vec(), ..owed.clone() }));
                    }
                }
                1 => {
                    let other = at(from / 2);
                    let wrong =
                        Owed { at: other, counts_at: other, steps: vec![(other, 70)], ..owed.clone() };
                    acts.push(file(wrong));
                }
                2 => acts.extend([file(owed.clone()), Act::Strike(id.clone())]),
                3 => acts.push(file(Owed { steps: vec![(steps[0].0, 1)], ..owed.clone() })),
                _ => {}
            }
            acts.push(file(owed.clone()));
            acts
        },
    )
}

fn happened(number: usize) -> impl Strategy<Value = Vec<Act>> {
    let kind = prop_oneof![
        3 => Just(Kind::DEPOSIT_PAID),
        1 => Just(Kind::DEPOSIT_RELEASED),
        4 => Just(Kind::PENALTY_CONFIRMED),
        3 => Just(Kind::PENALTY_WAIVED),
        3 => Just(Kind::PENALTY_DISPUTED),
        3 => Just(Kind::DISPUTE_ENDED),
        1 => Just(Kind::SETTLED),
    ];
    (kind, 0..HOURS, 0..1500_i64, (0..3, any::<bool>(), 0..9), any::<bool>()).prop_map(
        move |(kind, hour, amount, (ticket, again, n), by)| {
            let penalty = format!("T{ticket}/{}/p{n}", if again { "2" } else { "1" });
            vec![Act::Tell(Box::new(Happened {
                id: format!("e{number}"),
                kind,
                at: at(hour),
                amount,
                penalty,
                by,
            }))]
        },
    )
}

/// All that happens, as the sources of acts, and an order in which the sources come to word; between acts the books may be
/// settled.
fn history() -> impl Strategy<Value = (Vec<Vec<Act>>, Vec<(usize, bool)>)> {
    let penalties = (1..9_usize).prop_flat_map(|n| (0..n).map(penalty).collect::<Vec<_>>());
    let events = (0..16_usize).prop_flat_map(|n| (0..n).map(happened).collect::<Vec<_>>());
    (penalties, events, any::<u64>()).prop_flat_map(|(penalties, events, _)| {
        let mut sources = penalties;
        // Words name penalties that there are, mostly.
        let ids: Vec<String> = sources
            .iter()
            .filter_map(|acts| match acts.last() {
                Some(Act::File(id, _)) => Some(id.clone()),
                _ => None,
            })
            .collect();
        for (n, mut acts) in events.into_iter().enumerate() {
            if let Some(Act::Tell(told)) = acts.first_mut()
                && n % 7 != 6
            {
                told.penalty = ids[told.amount.unsigned_abs() as usize % ids.len()].clone();
            }
            sources.push(acts);
        }
        let turns = sources.iter().enumerate().flat_map(|(source, acts)| vec![source; acts.len()]);
        let turns = Just(turns.collect::<Vec<_>>()).prop_shuffle();
        let settled = prop::collection::vec(any::<bool>(), 80);
        let order = (turns, settled).prop_map(|(turns, settled)| {
            turns.into_iter().zip(settled.into_iter().cycle()).collect::<Vec<_>>()
        });
        (Just(sources), order)
    })
}

fn act(pack: &Pack, books: &mut Books, act: &Act) {
    match act {
        Act::Tell(happened) => books.apply(&happened.entry(pack)),
        Act::File(id, owed) => books.file(pack, id, owed.clone()),
        Act::Strike(id) => books.strike(id),
    }
}

/// The last version of everything, in the order of the instants.
fn sorted(pack: &Pack, sources: &[Vec<Act>]) -> Books {
    let mut last: Vec<&Act> = sources.iter().filter_map(|acts| acts.last()).collect();
    last.sort_by_key(|act| match act {
        Act::Tell(told) => (told.at, told.id.clone()),
        Act::File(id, owed) => (owed.at, id.clone()),
        Act::Strike(id) => (Instant::MAX, id.clone()),
    });
    let mut books = Books::new("c", pack);
    for one in last {
        act(pack, &mut books, one);
    }
    books
}

/// One charge as the naive count of caps has it.
struct Charge {
    id: String,
    capped: Arc<Capped>,
    amount: i64,
}

/// Whether two charges count together for a cap.
fn together(cap: &CapHere, one: &Capped, other: &Capped) -> bool {
    let counts = other.caps.iter().any(|known| known.id == cap.id);
    let back = one.month - other.month;
    counts
        && match cap.per {
            CapPer::Ticket => one.subject == other.subject,
            CapPer::Month => back == 0,
            CapPer::Quarter => one.month / 3 == other.month / 3,
            CapPer::Year => one.month / 12 == other.month / 12,
            CapPer::Months(n) => (0..n as i32).contains(&back),
            CapPer::Contract => true,
        }
}

/// Goes through the items one by one: floors are kept, and caps leave what a naive count leaves. Gives the cuts.
fn walked(books: &Books) -> Result<BTreeMap<String, i64>, TestCaseError> {
    let mut state = State::default();
    let mut charges: Vec<Charge> = Vec::new();
    let mut cuts: BTreeMap<String, i64> = BTreeMap::new();
    for (key, filed) in &books.ledger.items {
        let before = state.balance;
        state.settle(key, filed).unwrap();
        if let (Some(floor), false) = (filed.floor, matches!(filed.item, Item::Released(_))) {
            prop_assert!(
                state.balance >= floor.min(before),
                "{:?} takes {} to {}",
                key,
                before,
                state.balance
            );
        }
        match &filed.item {
            Item::Penalty(amount, Some(capped)) => {
                let mut left = *amount;
                for cap in capped.caps.iter() {
                    let known = charges.iter().filter(|charge| together(cap, capped, &charge.capped));
                    let charged: i64 = known.map(|charge| charge.amount).sum();
                    left = left.min((cap.limit - charged).max(0));
                }
                *cuts.entry(key.2.clone()).or_default() += amount - left;
                charges.push(Charge { id: key.2.clone(), capped: Arc::clone(capped), amount: left });
            }
            Item::Waived(id) => charges.retain(|charge| charge.id != *id),
            Item::EarnedBack => charges.retain(|charge| charge.id != key.2),
            _ => {}
        }
        for of in charges.iter().filter(|charge| charge.id == key.2) {
            for cap in of.capped.caps.iter().filter(|cap| !matches!(cap.per, CapPer::Months(_))) {
                let sum: i64 = charges
                    .iter()
                    .filter(|charge| together(cap, &of.capped, &charge.capped))
                    .map(|charge| charge.amount)
                    .sum();
                // The limit of the month falls in the middle of March: what was charged before stays.
                let limit = if cap.name.starts_with("per month") { 500 } else { cap.limit };
                prop_assert!(sum <= limit, "{} is {} after {:?}", cap.name, sum, key);
            }
        }
    }
    prop_assert_eq!(state.balance, books.ledger.state.balance);
    Ok(cuts)
}

fn adds_up(statement: &Statement) -> Result<(), TestCaseError> {
    use PenaltyState::{Deducted, Partly, Shortfall};
    prop_assert_eq!(statement.balances.values().map(|sum| sum.minor()).sum::<i64>(), 0);
    for line in &statement.penalties {
        prop_assert!(line.rest().minor() >= 0, "{:?}", line);
        let cuts: i64 = line.cut_by.iter().map(|cut| cut.amount.minor()).sum();
        prop_assert_eq!(cuts, line.cut.minor());
        if [Deducted, Partly, Shortfall].contains(&line.state) {
            prop_assert_eq!(line.rest().minor(), 0, "{:?}", line);
        }
        if [PenaltyState::Waived, PenaltyState::EarnedBack].contains(&line.state) {
            prop_assert_eq!(line.deducted.minor() + line.shortfall.minor(), 0, "{:?}", line);
        }
    }
    let deposit = &statement.deposit;
    let parts = [
        deposit.deducted,
        deposit.shortfall,
        deposit.held,
        deposit.waived,
        deposit.disputed,
        deposit.cut,
        deposit.earned_back,
    ];
    let assessed: i64 = statement.by_clause.values().map(|total| total.amount.minor()).sum();
    prop_assert_eq!(parts.iter().map(|sum| sum.minor()).sum::<i64>(), assessed);
    let (paid, released) = (deposit.paid.minor(), deposit.released.minor());
    prop_assert_eq!(deposit.balance.minor(), paid - released - deposit.deducted.minor());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, max_shrink_iters: 5000, ..ProptestConfig::default() })]

    #[test]
    fn filing_in_any_order_ends_in_the_same_statement((sources, order) in history(), capped in any::<bool>()) {
        let pack: &Pack = if capped { &CAPPED } else { &PLAIN };
        let plain = told(pack, &mut sorted(pack, &sources));
        let mut books = Books::new("c", pack);
        let mut next = vec![0; sources.len()];
        for (source, settle) in order {
            act(pack, &mut books, &sources[source][next[source]]);
            next[source] += 1;
            if settle {
                let statement = told(pack, &mut books);
                adds_up(&statement)?;
            }
        }
        let statement = told(pack, &mut books);
        adds_up(&statement)?;
        prop_assert_eq!(&statement, &plain);
        let cuts = walked(&books)?;
        for line in &statement.penalties {
            prop_assert_eq!(line.cut.minor(), cuts.get(&line.id).copied().unwrap_or_default(), "{}", line.id);
        }
    }
}
