//! Tickets that all have the same clocks: the rows of a table are the columns of these clocks, woven.

use std::ops::Range;
use std::sync::Arc;

use arrow::buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer};
use arrow::error::ArrowError;

use super::words::{TicketWords, Words};
use super::{Owes, number};
use crate::batch::Batch;
use crate::clocks::{Runs, STATES, state};
use crate::judge::{Contract, Judged};
use crate::sheet::{Sheet, Texts};
use crate::write::{Column, Times, Weave};

/// One clock that all tickets have.
pub(crate) struct Strand<'a> {
    /// Its number, from 1.
    pub(super) number: u16,
    pub(super) runs: &'a Runs,
    /// What a breach costs; empty where there is no price.
    pub(super) price: &'a [i64],
}

/// Tickets that all have the same clocks, none of them judged by itself.
pub(crate) struct Woven<'a> {
    pub(super) tickets: usize,
    pub(super) clocks: Vec<Strand<'a>>,
    /// The clocks by number less one: clause and name.
    pub(super) names: Vec<(Arc<str>, Arc<str>)>,
}

/// Bits are made for so many tickets at a time.
const WORD: usize = u64::BITS as usize;

impl<'a> Woven<'a> {
    /// Nothing where tickets differ in their clocks.
    pub(super) fn of(batch: &Batch, sheet: &Sheet, judged: &'a Judged) -> Option<Woven<'a>> {
        if !judged.singles.is_empty() || !sheet.left_out.is_empty() {
            return None;
        }
        let mut clocks = Vec::with_capacity(judged.clocks.len());
        let mut names = Vec::new();
        for clock in &judged.clocks {
            let states = &clock.runs.state;
            if states.iter().all(|state| *state == state::NONE) {
                continue;
            }
            if clock.rows.is_some() || states.len() != sheet.rows || states.contains(&state::NONE) {
                return None;
            }
            let of = batch.epochs.get(clock.epoch)?.1.graph.clocks.get(clock.clock)?;
            let price = if of.price.is_some() { &*clock.price } else { &[] };
            clocks.push(Strand { number: number(&mut names, &of.id, &of.name), runs: &clock.runs, price });
        }
        (!clocks.is_empty()).then_some(Woven { tickets: sheet.rows, clocks, names })
    }

    pub(super) fn states(&self) -> Vec<u64> {
        let mut states = vec![0_u64; (self.names.len() + 1) * 8];
        for clock in &self.clocks {
            let of = &mut states[usize::from(clock.number) * 8..][..8];
            // Several tables, so that one count does not wait for the other.
            let mut four = [[0_u32; 8]; 4];
            for states in clock.runs.state.chunks(4) {
                states.iter().zip(&mut four).for_each(|(state, of)| of[usize::from(*state & 7)] += 1);
            }
            four.iter().for_each(|part| of.iter_mut().zip(part).for_each(|(sum, n)| *sum += u64::from(*n)));
        }
        states
    }

    pub(super) fn owing(&self) -> Vec<Owes> {
        let mut owing = Vec::with_capacity(self.tickets * self.clocks.len() / 4);
        for from in (0..self.tickets).step_by(WORD) {
            let range = from..self.tickets.min(from + WORD);
            let words: Vec<u64> = self.clocks.iter().map(|clock| clock.owes(range.clone())).collect();
            let mut any = words.iter().fold(0, |any, word| any | word);
            while any != 0 {
                let bit = any.trailing_zeros();
                any &= any - 1;
                let ticket = from + bit as usize;
                for (clock, word) in self.clocks.iter().zip(&words) {
                    if word >> bit & 1 != 0 {
                        owing.push(Owes {
                            ticket: u32::try_from(ticket).unwrap_or(u32::MAX),
                            clock: clock.number - 1,
                            due: clock.runs.due[ticket],
                            amount: clock.price[ticket],
                        });
                    }
                }
            }
        }
        owing
    }

    /// Which rows owe something.
    pub(super) fn owed(&self) -> BooleanBuffer {
        self.bits(&|clock, range| clock.owes(range))
    }

    /// A bit for each row.
    fn bits(&self, of: &dyn Fn(&Strand<'a>, Range<usize>) -> u64) -> BooleanBuffer {
        let count = self.clocks.len();
        let mut bits = MutableBuffer::with_capacity(self.tickets.div_ceil(WORD) * count * 8);
        let mut woven = vec![0_u64; count];
        for from in (0..self.tickets).step_by(WORD) {
            let range = from..self.tickets.min(from + WORD);
            match &*self.clocks {
                [one] => bits.push(of(one, range)),
                [one, two] => {
                    let (one, two) = (of(one, range.clone()), of(two, range));
                    bits.push(apart(one) | apart(two) << 1);
                    bits.push(apart(one >> 32) | apart(two >> 32) << 1);
                }
                clocks => {
                    woven.fill(0);
                    for (nth, clock) in clocks.iter().enumerate() {
                        let word = of(clock, range.clone());
                        for bit in 0..WORD {
                            let to = bit * count + nth;
                            woven[to / WORD] |= (word >> bit & 1) << (to % WORD);
                        }
                    }
                    bits.extend_from_slice(&woven);
                }
            }
        }
        BooleanBuffer::new(Buffer::from(bits), 0, self.tickets * count)
    }

    fn valid(&self, of: &dyn Fn(&Strand<'a>, Range<usize>) -> u64) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.bits(of))).filter(|nulls| nulls.null_count() > 0)
    }

    fn weave(&self, of: impl Fn(&Strand<'a>) -> &'a [i64]) -> Box<Weave<'a>> {
        Box::new(Weave { rows: self.tickets, columns: self.clocks.iter().map(of).collect() })
    }

    /// The columns but for what the deposits paid.
    pub(super) fn columns<'s>(
        &'s self,
        contracts: &'s [Contract],
        sheet: &'s Sheet,
        words: &'s TicketWords,
    ) -> Result<Vec<Column<'s>>, ArrowError> {
        let (count, rows) = (self.clocks.len(), self.tickets * self.clocks.len());
        let said = |words: &'s Words, codes: &[u32]| -> Result<Column<'s>, ArrowError> {
            let first = codes.first().copied().unwrap_or(Texts::NONE);
            if words.texts.is_empty() {
                return Ok(Column::Nothing(rows));
            }
            if first != Texts::NONE && codes.len() == self.tickets && codes.iter().all(|code| *code == first)
            {
                let texts = words.texts.iter().map(String::as_str).collect();
                return Ok(Column::Pattern { codes: vec![first], texts, rows });
            }
            let tickets: Vec<u32> =
                (0..).take(self.tickets).flat_map(|at| std::iter::repeat_n(at, count)).collect();
            Ok(Column::Array(words.column(codes, &tickets)?))
        };
        let pattern: Vec<u32> = self.clocks.iter().map(|clock| u32::from(clock.number) - 1).collect();
        let begun = self.valid(&|clock, range| clock.begun(range));
        let is_due = self.valid(&|clock, range| word(&clock.runs.is_due[range], |due| u8::from(due != 0)));
        let stopped = self.valid(&|clock, range| clock.any_of(range, [state::MET, state::LATE]));
        let priced = self.valid(&|clock, range| match clock.price.is_empty() {
            true => 0,
            false => clock.missed(range),
        });
        let reported = match sheet.reported() {
            None => Column::Nothing(rows),
            Some(known) => {
                let valid = known.valid.as_ref().and_then(|valid| {
                    Some(NullBuffer::new(self.bits(&|_, range| word(&valid[range], |valid| valid & 1))))
                        .filter(|nulls| nulls.null_count() > 0)
                });
                let values = known.values.get(..self.tickets).unwrap_or_default();
                Column::Numbers(Box::new(Times { values, times: count }), valid)
            }
        };
        let mut contract = Vec::with_capacity(rows);
        for of in &sheet.contract {
            contract.extend(std::iter::repeat_n(*of, count));
        }
        let mut states = vec![0_u8; rows];
        for (nth, clock) in self.clocks.iter().enumerate() {
            states
                .iter_mut()
                .skip(nth)
                .step_by(count)
                .zip(&clock.runs.state)
                .for_each(|(place, state)| *place = *state);
        }
        let tickets = (0..self.tickets).map(move |ticket| (sheet.origin.ticket(ticket), count));
        Ok(vec![
            Column::Names(contract, contracts.iter().map(|contract| contract.id.as_str()).collect()),
            Column::Texts(Box::new(tickets), rows),
            reported,
            Column::Pattern {
                codes: pattern.clone(),
                texts: self.names.iter().map(|(clause, _)| &**clause).collect(),
                rows,
            },
            Column::Pattern {
                codes: pattern,
                texts: self.names.iter().map(|(_, clock)| &**clock).collect(),
                rows,
            },
            Column::Few(states, &STATES),
            Column::Numbers(self.weave(|clock| &clock.runs.started), begun),
            Column::Numbers(self.weave(|clock| &clock.runs.due), is_due),
            Column::Numbers(self.weave(|clock| &clock.runs.stopped), stopped),
            Column::Bits(self.bits(&Strand::missed)),
            Column::Numbers(self.weave(|clock| &clock.runs.late), None),
            Column::Numbers(self.weave(|clock| &clock.runs.paused), None),
            said(&words.class, &words.class_codes)?,
            said(&words.class_clause, &words.class_clause_codes)?,
            Column::Sums(self.weave(|clock| clock.price), priced),
            said(&words.applies, &words.applies_codes)?,
            said(&words.findings, &words.finding_codes)?,
            said(&words.fault, &words.fault_codes)?,
        ])
    }
}

impl Strand<'_> {
    fn any_of(&self, range: Range<usize>, states: [u8; 2]) -> u64 {
        word(&self.runs.state[range], |state| u8::from(state == states[0]) | u8::from(state == states[1]))
    }

    fn missed(&self, range: Range<usize>) -> u64 {
        self.any_of(range, [state::BREACHED, state::LATE])
    }

    /// Which of some tickets owe something for this clock.
    fn owes(&self, range: Range<usize>) -> u64 {
        let Some(price) = self.price.get(range.clone()) else { return 0 };
        let mut missed = self.missed(range);
        let mut owes = missed;
        while missed != 0 {
            let bit = missed.trailing_zeros();
            missed &= missed - 1;
            if price.get(bit as usize).is_none_or(|price| *price <= 0) {
                owes &= !(1 << bit);
            }
        }
        owes
    }

    /// A clock that waits, or was cancelled before it began, has no beginning.
    fn begun(&self, range: Range<usize>) -> u64 {
        let started = &self.runs.started[range.clone()];
        let mut without = self.any_of(range, [state::WAITING, state::CANCELLED]);
        let all = u64::MAX >> (WORD - started.len()).min(WORD - 1);
        let mut begun = all & !without;
        while without != 0 {
            let bit = without.trailing_zeros();
            without &= without - 1;
            begun |= u64::from(started[bit as usize] != 0) << bit;
        }
        begun
    }
}

/// Up to 64 truths, each zero or one once it is looked at, as the bits of a word.
fn word(of: &[u8], is: impl Fn(u8) -> u8) -> u64 {
    let mut bytes = [0_u8; WORD];
    match <&[u8; WORD]>::try_from(of) {
        Ok(of) => bytes.iter_mut().zip(of).for_each(|(byte, of)| *byte = is(*of)),
        Err(_) => bytes.iter_mut().zip(of).for_each(|(byte, of)| *byte = is(*of)),
    }
    let (eights, _) = bytes.as_chunks::<8>();
    // The product puts the lowest bits of eight bytes side by side in its highest byte.
    let eight = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().rev().fold(0, |word, bytes| word << 8 | eight(bytes))
}

/// The lower 32 bits with a gap of one after each.
fn apart(word: u64) -> u64 {
    let mut bits = word & 0xffff_ffff;
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}
