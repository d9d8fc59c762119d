//! The policy by hand. `Columns` is the baseline which every engine is held against.
//!
//! It keeps what an honest engine must: absent instants by mask and not by a special value, no value that
//! could be misread, and overflow of a sum or difference seen (noted in a sticky word, looked at once).

use pulp::{Arch, Simd, WithSimd};

use crate::data::Columns;
use crate::policy::{
    AS_OF, DEPOSIT, FLOOR, Outcome, Outcomes, RESOLUTION_LIMIT, RESOLUTION_PENALTY, RESPONSE_LIMIT,
    RESPONSE_PENALTY, Ticket,
};

/// A sum or a difference left 64 bits.
#[derive(Debug)]
pub struct Overflow;

/// The vector instructions to use.
#[derive(Clone, Copy)]
pub enum Level {
    /// The widest the processor has.
    Best,
    /// AVX2, where the processor has it.
    Avx2,
    /// What the target has without asking: SSE2.
    Plain,
}

impl Level {
    fn run(self, work: Work<'_>) -> i64 {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => match pulp::x86::V3::try_new() {
                Some(v3) => Simd::vectorize(v3, work),
                None => Simd::vectorize(pulp::Scalar::new(), work),
            },
            Self::Plain => Simd::vectorize(pulp::Scalar::new(), work),
            _ => Arch::new().dispatch(work),
        }
    }
}

/// A range of rows to be evaluated. Not a closure: the compiler may leave the call of one as a call, and
/// what is called is then built without the wide instructions.
struct Work<'a> {
    part: Part<'a>,
    warranty_end: &'a [i64],
}
impl WithSimd for Work<'_> {
    type Output = i64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> i64 {
        evaluate_part(self.part, self.warranty_end)
    }
}

// ---- rows ----

/// One ticket, as one would write it first.
#[inline]
pub fn ticket(ticket: &Ticket, warranty_end: i64) -> Option<Outcome> {
    let kind = ticket.kind as usize;
    let due_response = ticket.reported.checked_add(RESPONSE_LIMIT[kind])?;
    let due_resolution = ticket.reported.checked_add(RESOLUTION_LIMIT[kind])?;
    let responded = ticket.responded.unwrap_or(AS_OF);
    let resolved = ticket.resolved.unwrap_or(AS_OF);
    let mut outcome = Outcome {
        due_response,
        due_resolution,
        breach_response: due_response < responded,
        breach_resolution: due_resolution < resolved,
        free: ticket.reported <= warranty_end,
        ..Outcome::default()
    };
    if outcome.breach_response {
        outcome.late_response = responded.checked_sub(due_response)?;
        outcome.penalty = RESPONSE_PENALTY[kind];
    }
    if outcome.breach_resolution {
        outcome.late_resolution = resolved.checked_sub(due_resolution)?;
        outcome.penalty = outcome.penalty.checked_add(RESOLUTION_PENALTY[kind])?;
    }
    Some(outcome)
}

/// Structs in, structs out.
pub fn rows(tickets: &[Ticket], warranty_end: &[i64], out: &mut Vec<Outcome>) -> Result<(), Overflow> {
    out.clear();
    for t in tickets {
        out.push(ticket(t, warranty_end[t.contract as usize]).ok_or(Overflow)?);
    }
    Ok(())
}

// ---- columns ----

/// A block: one word of a mask.
const B: usize = 64;

struct In<'a> {
    kind: &'a [u8; B],
    contract: &'a [u32; B],
    reported: &'a [i64; B],
    responded: &'a [i64; B],
    resolved: &'a [i64; B],
    responded_mask: u64,
    resolved_mask: u64,
}
struct Out<'a> {
    due_response: &'a mut [i64; B],
    due_resolution: &'a mut [i64; B],
    late_response: &'a mut [i64; B],
    late_resolution: &'a mut [i64; B],
    penalty: &'a mut [i64; B],
    breach_response: &'a mut [u8; B],
    breach_resolution: &'a mut [u8; B],
    free: &'a mut [u8; B],
}

/// One clock over a block. The top bit of what it gives is set where something overflowed.
#[inline(always)]
fn clock(
    (kind, reported, stop, mask): (&[u8; B], &[i64; B], &[i64; B], u64),
    (limit, price): (&[i64; 8], &[i64; 8]),
    (due, late, breach, penalty): (&mut [i64; B], &mut [i64; B], &mut [u8; B], &mut [i64; B]),
) -> i64 {
    let mut over = 0;
    for i in 0..B {
        let code = kind[i] as usize & 7;
        let end = if mask >> i & 1 == 1 { stop[i] } else { AS_OF };
        let at = reported[i].wrapping_add(limit[code]);
        over |= (reported[i] ^ at) & (limit[code] ^ at);
        let is_late = at < end;
        let behind = end.wrapping_sub(at);
        let late_mask = -(is_late as i64);
        over |= (end ^ at) & (end ^ behind) & late_mask;
        due[i] = at;
        late[i] = behind & late_mask;
        breach[i] = is_late as u8;
        let sum = penalty[i].wrapping_add(price[code] & late_mask);
        over |= (penalty[i] ^ sum) & (price[code] ^ sum) & late_mask;
        penalty[i] = sum;
    }
    over
}

#[inline(always)]
fn block(input: In<'_>, warranty_end: &[i64], out: Out<'_>) -> i64 {
    let mut ends = [0; B];
    for i in 0..B {
        ends[i] = warranty_end[input.contract[i] as usize];
    }
    for i in 0..B {
        out.free[i] = (input.reported[i] <= ends[i]) as u8;
    }
    let mut penalty = [0; B];
    let over = clock(
        (input.kind, input.reported, input.responded, input.responded_mask),
        (&RESPONSE_LIMIT, &RESPONSE_PENALTY),
        (out.due_response, out.late_response, out.breach_response, &mut penalty),
    ) | clock(
        (input.kind, input.reported, input.resolved, input.resolved_mask),
        (&RESOLUTION_LIMIT, &RESOLUTION_PENALTY),
        (out.due_resolution, out.late_resolution, out.breach_resolution, &mut penalty),
    );
    *out.penalty = penalty;
    over
}

/// A range of rows: what it reads, and the pieces of the outcome it writes.
struct Part<'a> {
    kind: &'a [u8],
    contract: &'a [u32],
    reported: &'a [i64],
    responded: &'a [i64],
    resolved: &'a [i64],
    responded_mask: &'a [u64],
    resolved_mask: &'a [u64],
    due_response: &'a mut [i64],
    due_resolution: &'a mut [i64],
    late_response: &'a mut [i64],
    late_resolution: &'a mut [i64],
    penalty: &'a mut [i64],
    breach_response: &'a mut [u8],
    breach_resolution: &'a mut [u8],
    free: &'a mut [u8],
}

/// Cuts the columns into `parts` ranges of whole blocks.
fn cut<'a>(columns: &'a Columns, out: &'a mut Outcomes, parts: usize) -> Vec<Part<'a>> {
    let n = columns.len();
    let step = n.div_ceil(parts).div_ceil(B).max(1) * B;
    macro_rules! chunks {
        ($column:expr) => {
            $column.chunks_mut(step)
        };
    }
    let mut due_response = chunks!(out.due_response);
    let mut due_resolution = chunks!(out.due_resolution);
    let mut late_response = chunks!(out.late_response);
    let mut late_resolution = chunks!(out.late_resolution);
    let mut penalty = chunks!(out.penalty);
    let mut breach_response = chunks!(out.breach_response);
    let mut breach_resolution = chunks!(out.breach_resolution);
    let mut free = chunks!(out.free);
    (0..n)
        .step_by(step)
        .map(|from| {
            let to = (from + step).min(n);
            let words = from / B..to.div_ceil(B);
            Part {
                kind: &columns.kind[from..to],
                contract: &columns.contract[from..to],
                reported: &columns.reported[from..to],
                responded: &columns.responded[from..to],
                resolved: &columns.resolved[from..to],
                responded_mask: &columns.responded_mask[words.clone()],
                resolved_mask: &columns.resolved_mask[words],
                due_response: due_response.next().unwrap(),
                due_resolution: due_resolution.next().unwrap(),
                late_response: late_response.next().unwrap(),
                late_resolution: late_resolution.next().unwrap(),
                penalty: penalty.next().unwrap(),
                breach_response: breach_response.next().unwrap(),
                breach_resolution: breach_resolution.next().unwrap(),
                free: free.next().unwrap(),
            }
        })
        .collect()
}

#[inline(always)]
fn evaluate_part(part: Part<'_>, warranty_end: &[i64]) -> i64 {
    let n = part.kind.len();
    let whole = n / B;
    let mut over = 0;
    macro_rules! blocks {
        ($column:expr) => {
            $column.as_chunks::<B>().0
        };
        (mut $column:expr) => {
            $column.as_chunks_mut::<B>().0
        };
    }
    let (kind, contract) = (blocks!(part.kind), blocks!(part.contract));
    let (reported, responded, resolved) =
        (blocks!(part.reported), blocks!(part.responded), blocks!(part.resolved));
    {
        let due_response = blocks!(mut part.due_response);
        let due_resolution = blocks!(mut part.due_resolution);
        let late_response = blocks!(mut part.late_response);
        let late_resolution = blocks!(mut part.late_resolution);
        let penalty = blocks!(mut part.penalty);
        let breach_response = blocks!(mut part.breach_response);
        let breach_resolution = blocks!(mut part.breach_resolution);
        let free = blocks!(mut part.free);
        for b in 0..whole {
            over |= block(
                In {
                    kind: &kind[b],
                    contract: &contract[b],
                    reported: &reported[b],
                    responded: &responded[b],
                    resolved: &resolved[b],
                    responded_mask: part.responded_mask[b],
                    resolved_mask: part.resolved_mask[b],
                },
                warranty_end,
                Out {
                    due_response: &mut due_response[b],
                    due_resolution: &mut due_resolution[b],
                    late_response: &mut late_response[b],
                    late_resolution: &mut late_resolution[b],
                    penalty: &mut penalty[b],
                    breach_response: &mut breach_response[b],
                    breach_resolution: &mut breach_resolution[b],
                    free: &mut free[b],
                },
            );
        }
    }
    // What is left is less than a block: through blocks of its own.
    let from = whole * B;
    let rest = n - from;
    if rest > 0 {
        fn pad<T: Copy + Default>(values: &[T]) -> [T; B] {
            let mut block = [T::default(); B];
            block[..values.len()].copy_from_slice(values);
            block
        }
        let (mut a, mut b, mut c, mut d, mut e) = ([0; B], [0; B], [0; B], [0; B], [0; B]);
        let (mut f, mut g, mut h) = ([0; B], [0; B], [0; B]);
        over |= block(
            In {
                kind: &pad(&part.kind[from..]),
                contract: &pad(&part.contract[from..]),
                reported: &pad(&part.reported[from..]),
                responded: &pad(&part.responded[from..]),
                resolved: &pad(&part.resolved[from..]),
                responded_mask: part.responded_mask[whole],
                resolved_mask: part.resolved_mask[whole],
            },
            warranty_end,
            Out {
                due_response: &mut a,
                due_resolution: &mut b,
                late_response: &mut c,
                late_resolution: &mut d,
                penalty: &mut e,
                breach_response: &mut f,
                breach_resolution: &mut g,
                free: &mut h,
            },
        );
        part.due_response[from..].copy_from_slice(&a[..rest]);
        part.due_resolution[from..].copy_from_slice(&b[..rest]);
        part.late_response[from..].copy_from_slice(&c[..rest]);
        part.late_resolution[from..].copy_from_slice(&d[..rest]);
        part.penalty[from..].copy_from_slice(&e[..rest]);
        part.breach_response[from..].copy_from_slice(&f[..rest]);
        part.breach_resolution[from..].copy_from_slice(&g[..rest]);
        part.free[from..].copy_from_slice(&h[..rest]);
    }
    over
}

/// Everything but the deposit, with the widest vector instructions the processor has.
pub fn evaluate(columns: &Columns, out: &mut Outcomes, threads: usize, level: Level) -> Result<(), Overflow> {
    let parts = cut(columns, out, threads);
    let warranty_end = columns.warranty_end.as_slice();
    let run = |part| level.run(Work { part, warranty_end });
    let over = if threads == 1 {
        parts.into_iter().map(run).fold(0, |a, b| a | b)
    } else {
        std::thread::scope(|scope| {
            let run = &run;
            let handles: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || run(part))).collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).fold(0, |a, b| a | b)
        })
    };
    if over < 0 { Err(Overflow) } else { Ok(()) }
}

// ---- the deposit ----

/// A penalty at the instant at which it falls due, as one number whose order is the order of settlement: the
/// instant above (its sign turned, so that earlier ones come first), below it twice the row, and one more for
/// the resolution. Compared without a branch.
type Item = u128;

fn item(due: i64, row: usize, clock: usize) -> Item {
    ((due as u64 ^ 1 << 63) as u128) << 64 | (row * 2 + clock) as u128
}

/// The rows of `from..to` whose byte is 1, found eight at a time.
#[inline(always)]
fn for_each_late(breach: &[u8], from: usize, to: usize, mut found: impl FnMut(usize)) {
    let (words, rest) = breach[from..to].as_chunks::<64>();
    for (w, bytes) in words.iter().enumerate() {
        let mut mask = 0;
        for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            // Gathers the lowest bits of eight bytes in the top byte.
            mask |= (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (i * 8);
        }
        while mask != 0 {
            found(from + w * 64 + mask.trailing_zeros() as usize);
            mask &= mask - 1;
        }
    }
    for (i, &byte) in rest.iter().enumerate() {
        if byte == 1 {
            found(from + words.len() * 64 + i);
        }
    }
}

/// The room in which items are put in order, kept from one settlement to the next.
#[derive(Default)]
pub struct Room {
    lists: [Vec<Item>; 16],
    items: Vec<Item>,
}

impl Room {
    /// The items of a range of rows, in order.
    fn fill(&mut self, columns: &Columns, out: &Outcomes, from: usize, to: usize) {
        // One list for each clock and kind. As tickets come in order of time each list is in order already, and
        // the stable sort, which finds such runs, merges them; whatever the order, what it gives is sorted.
        let clocks = [
            (&out.breach_response, &out.due_response, &RESPONSE_PENALTY),
            (&out.breach_resolution, &out.due_resolution, &RESOLUTION_PENALTY),
        ];
        self.lists.iter_mut().for_each(Vec::clear);
        for (clock, (breach, due, price)) in clocks.into_iter().enumerate() {
            for_each_late(breach, from, to, |row| {
                let kind = columns.kind[row] as usize & 7;
                if price[kind] > 0 {
                    self.lists[clock * 8 + kind].push(item(due[row], row, clock));
                }
            });
        }
        self.items.clear();
        for list in &self.lists {
            self.items.extend_from_slice(list);
        }
        self.items.sort();
    }
}

/// Settles the penalties of `out` in the order due, ticket, response before resolution; a thread for each room.
///
/// The order within a contract is all that counts; one order for all contracts keeps it, and leaves the
/// outcomes in nearly the order of the rows.
pub fn settle(columns: &Columns, out: &mut Outcomes, rooms: &mut [Room]) -> Result<(), Overflow> {
    let n = columns.len();
    out.deducted.fill(0);
    let mut deducted = std::mem::take(&mut out.deducted);
    let out_ref = &*out;
    let threads = rooms.len();
    let share = |i: usize| n * i / threads;
    if let [room] = rooms {
        room.fill(columns, out_ref, 0, n);
    } else {
        std::thread::scope(|scope| {
            for (i, room) in rooms.iter_mut().enumerate() {
                scope.spawn(move || room.fill(columns, out_ref, share(i), share(i + 1)));
            }
        });
    }
    let mut balances = vec![DEPOSIT; columns.warranty_end.len()];
    let mut over = false;
    let mut settle = |item: &Item| {
        let place = *item as u64;
        let row = (place / 2) as usize;
        let kind = columns.kind[row] as usize & 7;
        let amount = if place & 1 == 0 { RESPONSE_PENALTY[kind] } else { RESOLUTION_PENALTY[kind] };
        let balance = &mut balances[columns.contract[row] as usize];
        let (left, a) = balance.overflowing_sub(FLOOR);
        let taken = amount.min(left);
        let (after, b) = balance.overflowing_sub(taken);
        let (sum, c) = deducted[row].overflowing_add(taken);
        *balance = after;
        deducted[row] = sum;
        over |= a | b | c;
    };
    if let [room] = rooms {
        room.items.iter().for_each(&mut settle);
    } else {
        let mut heads: Vec<&[Item]> = rooms.iter().map(|room| room.items.as_slice()).collect();
        while let Some(next) = (0..heads.len()).filter(|&i| !heads[i].is_empty()).min_by_key(|&i| heads[i][0])
        {
            settle(&heads[next][0]);
            heads[next] = &heads[next][1..];
        }
    }
    out.deducted = deducted;
    if over { Err(Overflow) } else { Ok(()) }
}
