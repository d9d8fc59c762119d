//! Ids and orders of charges.

use std::sync::Arc;

use proptest::prelude::*;

use super::debts::{Ids, Own};
use super::{Charges, Debts};

proptest! {
    #[test]
    fn ids_come_back_as_they_were(ids in proptest::collection::vec("[ab/é-]{0,300}|T0[0-9]{2}", 0..200)) {
        let mut kept = Ids::default();
        ids.iter().for_each(|id| kept.push(id.as_bytes()));
        for (place, id) in ids.iter().enumerate() {
            prop_assert_eq!(kept.get(place), id.as_bytes());
        }
        prop_assert!(kept.get(ids.len() + 16).is_empty());
    }

    /// By instant, then by the whole id of the penalty: `a-1/..` comes before `a/..`, though `a` comes before `a-1`.
    #[test]
    fn charges_are_settled_in_the_order_of_instants_and_ids(
        charges in proptest::collection::vec(("a|b|a-1|a[0-9]|ab", 0..3_i64, 0..2_u16), 0..80),
        far in prop_oneof![Just(1_i64), Just(1 << 40), Just(i64::MAX / 2)],
        first in prop_oneof![Just(0_i64), Just(-2_000_000)],
    ) {
        let mut of = Charges::default();
        for (ticket, at, clock) in &charges {
            of.contract.push(0);
            of.at.push(first + at * far);
            of.reported.push(0);
            of.amount.push(1);
            of.clock.push(*clock);
            of.tickets.extend_from_slice(ticket.as_bytes());
            of.ends.push(of.tickets.len() as u64);
        }
        let clocks: [Arc<str>; 2] = ["response".into(), "resolution".into()];
        let mut debts = Debts::default();
        clocks.iter().for_each(|clock| { debts.clock(&"3.1".into(), clock); });
        debts.take(&of, &[], &[]);
        let own: Vec<Own> = debts.own.first().cloned().unwrap_or_default();
        let id = |slot: usize| {
            let (ticket, at, clock) = &charges[slot];
            (*at, format!("{ticket}/3.1/{}", clocks[usize::from(*clock)]))
        };
        let sorted: Vec<_> = debts.sorted(&own).into_iter().map(|slot| id(slot as usize)).collect();
        let mut wanted: Vec<_> = (0..charges.len()).map(id).collect();
        wanted.sort();
        prop_assert_eq!(sorted, wanted);
    }
}
