//! Choices from a tape: at random, from bytes, or once more. A shorter or smaller tape makes a simpler thing.

/// Where choices come from.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    tape: Vec<u16>,
    at: usize,
    /// The state of the generator; without one, the tape's end gives zeros.
    random: Option<u64>,
}

impl Choices {
    pub(crate) fn random(seed: u64) -> Choices {
        Choices { tape: Vec::new(), at: 0, random: Some(seed) }
    }

    pub(crate) fn replay(tape: Vec<u16>) -> Choices {
        Choices { tape, at: 0, random: None }
    }

    #[allow(dead_code, reason = "the fuzz targets choose by bytes")]
    pub(crate) fn bytes(bytes: &[u8]) -> Choices {
        let pair = |pair: &[u8]| pair.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte));
        Choices::replay(bytes.chunks(2).map(pair).collect())
    }

    /// What was chosen so far.
    pub(crate) fn tape(&self) -> &[u16] {
        self.tape.get(..self.at).unwrap_or(&self.tape)
    }

    fn next(&mut self) -> u16 {
        if let (Some(state), true) = (&mut self.random, self.at >= self.tape.len()) {
            self.tape.push((mix(state) >> 40) as u16);
        }
        let drawn = self.tape.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        drawn
    }

    /// A number below `n`; 0 is the simplest.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::from(self.next()) % n.max(1)
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) + 1 == n
    }

    /// One of these; the first is the simplest.
    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Any whole number.
    pub(crate) fn number(&mut self) -> i64 {
        (0..4).fold(0, |sum, _| sum << 16 | i64::from(self.next()))
    }
}

/// A step of SplitMix64.
fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The simplest tape for which a difference still shows: parts cut out, then numbers lowered. Looks at `tries` tapes at most.
pub(crate) fn shrink(tape: Vec<u16>, mut tries: usize, mut shows: impl FnMut(&[u16]) -> bool) -> Vec<u16> {
    let mut best = tape;
    loop {
        let before = best.clone();
        let mut size = best.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at + size <= best.len() && tries > 0 {
                let mut shorter = best.clone();
                shorter.drain(at..at + size);
                tries -= 1;
                if shows(&shorter) {
                    best = shorter;
                } else {
                    at += size.div_ceil(2);
                }
            }
            size /= 2;
        }
        for at in 0..best.len() {
            for lower in [0, 1, 2] {
                if tries > 0 && best.get(at).is_some_and(|n| *n > lower) {
                    let mut lowered = best.clone();
                    lowered[at] = lower;
                    tries -= 1;
                    if shows(&lowered) {
                        best = lowered;
                        break;
                    }
                }
            }
        }
        if tries == 0 || best == before {
            return best;
        }
    }
}
