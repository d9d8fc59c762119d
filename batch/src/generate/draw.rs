//! Random numbers and what is drawn with them, in integers only.

/// A stream of random numbers: SplitMix64, begun anew for each ticket.
pub(super) struct Draws(u64);

/// The odd number nearest to 2^64 divided by the golden ratio.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Draws {
    pub(super) fn new(seed: u64, ticket: u64) -> Draws {
        Draws(mix(seed ^ mix(ticket.wrapping_add(STEP))))
    }

    /// 64 random bits.
    pub(super) fn whole(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// 32 random bits.
    pub(super) fn half(&mut self) -> u32 {
        (self.whole() >> 32) as u32
    }

    /// Which of some counted cases, each as often as its count says.
    #[inline(always)]
    pub(super) fn pick<const N: usize>(&mut self, counts: &[u32; N]) -> usize {
        pick(counts, self.half())
    }

    /// Seconds of a table of quantiles in minutes. A minute of the log stands for any of its seconds.
    pub(super) fn delay(&mut self, table: &[u32]) -> u64 {
        let bits = self.whole();
        quantile(table, (bits >> 32) as u32) + (((bits & 0xFFFF) * 60) >> 16)
    }
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[inline(always)]
fn pick<const N: usize>(counts: &[u32; N], bits: u32) -> usize {
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let mut place = (u64::from(bits) * total) >> 32;
    for (case, count) in counts.iter().enumerate() {
        match place.checked_sub(u64::from(*count)) {
            Some(rest) => place = rest,
            None => return case,
        }
    }
    N - 1
}

/// Seconds where so many of 2^32 lie below: a straight line between the knots.
fn quantile(table: &[u32], bits: u32) -> u64 {
    let place = u64::from(bits) * (table.len().saturating_sub(1) as u64);
    let knot = (place >> 32) as usize;
    match table.get(knot..knot + 2) {
        Some(&[from, to]) => {
            let (from, to) = (u64::from(from) * 60, u64::from(to) * 60);
            from + (((to - from) * ((place >> 16) & 0xFFFF)) >> 16)
        }
        _ => 0,
    }
}

/// Contracts, the busiest first: the second has half as many tickets as the first, the third a third (Zipf's law).
///
/// Drawn by Walker's aliases: each contract's column of equal height is filled up by one busier contract.
pub(super) struct Contracts(Vec<(u32, u32)>);

impl Contracts {
    pub(super) fn new(count: u32) -> Contracts {
        let weights: Vec<u128> = (1..=u128::from(count)).map(|rank| (1 << 40) / rank).collect();
        let total: u128 = weights.iter().sum();
        // Scaled so that the mean is `total`.
        let mut heights: Vec<u128> = weights.iter().map(|weight| weight * u128::from(count)).collect();
        let mut columns: Vec<(u32, u32)> = (0..count).map(|own| (u32::MAX, own)).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..count).partition(|own| heights[*own as usize] < total);
        while let (Some(low), Some(&high)) = (small.pop(), large.last()) {
            let (low, tall) = (low as usize, high as usize);
            columns[low] = (((heights[low] << 32) / total) as u32, high);
            heights[tall] -= total - heights[low];
            if heights[tall] < total {
                large.pop();
                small.push(high);
            }
        }
        Contracts(columns)
    }

    pub(super) fn draw(&self, draws: &mut Draws) -> u32 {
        let bits = draws.whole();
        let own = ((bits >> 32) * self.0.len() as u64) >> 32;
        match self.0.get(own as usize) {
            Some(&(height, _)) if (bits as u32) < height => own as u32,
            Some(&(_, other)) => other,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The generator's published first outputs for the state 1234567.
        let mut draws = Draws(1_234_567);
        assert_eq!(draws.whole(), 6_457_827_717_110_365_317);
        assert_eq!(draws.whole(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn quantiles_lie_on_straight_lines_between_the_knots() {
        let table = [0, 10, 30];
        assert_eq!([0, 1 << 30, 1 << 31, 3 << 30].map(|bits| quantile(&table, bits)), [0, 300, 600, 1200]);
        assert!((1795..1800).contains(&quantile(&table, u32::MAX)));
        assert_eq!(quantile(&[], 7), 0);
    }

    #[test]
    fn cases_come_as_often_as_their_counts_say() {
        let counts = [1, 0, 3];
        assert_eq!([0, (1 << 30) - 1, 1 << 30, u32::MAX].map(|bits| pick(&counts, bits)), [0, 0, 2, 2]);
    }

    #[test]
    fn contracts_follow_zipfs_law() {
        let contracts = Contracts::new(100);
        let mut counts = [0_u32; 100];
        for ticket in 0..200_000 {
            counts[contracts.draw(&mut Draws::new(5, ticket)) as usize] += 1;
        }
        // 200,000 over the 100th harmonic number.
        for (rank, count) in counts.iter().enumerate() {
            let expected = 200_000.0 / 5.18738 / (rank + 1) as f64;
            assert!(
                (f64::from(*count) - expected).abs() < 5.0 * expected.sqrt(),
                "{rank}: {count}, {expected}"
            );
        }
    }
}
