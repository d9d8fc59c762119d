//! When tickets are reported: as often in each hour of the week as in the log.

use super::fitted::HOURS;

/// The first second of the history, 2023-01-01T00:00:00Z, in seconds since 1970.
pub(super) const BEGIN: i64 = 1_672_531_200;
/// Hours of 2023 and 2024.
const LENGTH: u64 = 731 * 24;
/// Seconds from the first of the history to the first after it.
pub(super) const END: u64 = LENGTH * 3600;
/// The first day is a Sunday; the table begins with Monday.
const FIRST: u64 = 6 * 24;
/// The share of the whole, as a power of two.
const WHOLE: u64 = 1 << 62;

/// The times of tickets in order.
///
/// The history is cut into as many pieces of equal weight as there are tickets, and each ticket falls anywhere in its
/// own piece: so they come in order, and none need be held.
pub(super) struct Arrivals {
    /// How much of the whole lies before each hour, and before the end.
    edges: Vec<u64>,
    hour: usize,
    piece: u64,
}

impl Arrivals {
    pub(super) fn new(tickets: u64) -> Arrivals {
        let weight = |hour: u64| u128::from(HOURS[((FIRST + hour) % 168) as usize]);
        let total: u128 = (0..LENGTH).map(weight).sum();
        let mut before = 0;
        let mut edges = vec![0];
        for hour in 0..LENGTH {
            before += weight(hour);
            edges.push((u128::from(WHOLE) * before / total) as u64);
        }
        Arrivals { edges, hour: 0, piece: WHOLE / tickets.max(1) }
    }

    /// Seconds from the beginning to the report of a ticket. The tickets must be asked in order.
    pub(super) fn at(&mut self, ticket: u64, bits: u32) -> u64 {
        let within = (u128::from(self.piece) * u128::from(bits)) >> 32;
        let place = self.piece.wrapping_mul(ticket).wrapping_add(within as u64);
        while self.hour + 2 < self.edges.len() && self.edges[self.hour + 1] <= place {
            self.hour += 1;
        }
        let (from, to) = (self.edges[self.hour], self.edges[self.hour + 1]);
        let second = place.saturating_sub(from).wrapping_mul(3600) / (to - from).max(1);
        self.hour as u64 * 3600 + second.min(3599)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_come_in_order_and_fill_the_two_years() {
        for tickets in [1_u64, 2, 1000, 100_003] {
            let mut arrivals = Arrivals::new(tickets);
            let times: Vec<u64> = (0..tickets)
                .map(|ticket| arrivals.at(ticket, (ticket as u32).wrapping_mul(2_654_435_761)))
                .collect();
            assert!(times.is_sorted() && times.iter().all(|time| *time < END));
        }
        let mut arrivals = Arrivals::new(1);
        assert_eq!((arrivals.at(0, 0), arrivals.at(0, u32::MAX)), (0, END - 1));
    }

    #[test]
    fn the_history_ends_with_2024() {
        let end = chrono::DateTime::from_timestamp(BEGIN + END as i64, 0).unwrap();
        assert_eq!(end.to_rfc3339(), "2025-01-01T00:00:00+00:00");
        assert_eq!(chrono::DateTime::from_timestamp(BEGIN, 0).unwrap().format("%a").to_string(), "Sun");
    }
}
