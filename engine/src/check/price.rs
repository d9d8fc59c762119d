//! What a breach costs: never less for more lateness, never beyond its cap, never below nothing, and always to be had.

use super::cells::{Asks, Space, windows};
use super::chance::{Dice, latenesses};
use super::ticket::{APPLIES, Asked, DEADLINES, DUTIES, LATE_MAX, PENALTY, Sketch, is_design};
use super::value::{Range, Seen, Way};
use super::walk::{Cell, Cut, Fault, Fuel, Walk};
use super::{Budget, Counterexample, PriceAt, Standing};
use crate::policy::ClauseScript;
use crate::program::{Function, Op};
use crate::terms::TermValue;
use crate::vocabulary::{Inputs, Sort, Value};
use crate::{Money, Pack, Span};
use rhai::{ImmutableString, Position};

/// The lateness is cut into so many pieces at most.
const PIECES_MAX: usize = 96;
/// So many earlier cuts are tried before one is looked for.
const HINTS_MAX: usize = 16;
/// So many prices are asked of a clause at most, and so many tickets made of one cell.
const PRICES_MAX: u64 = 20_000;
const ROUNDS_MAX: u64 = 24;

/// What was found of a clause's prices.
pub(super) struct Prices {
    pub(super) monotone: Standing,
    pub(super) capped: Standing,
    pub(super) negative: Standing,
    pub(super) total: Standing,
    pub(super) cap: Option<String>,
}

/// Which of the laws is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Monotone,
    Capped,
    Negative,
    Total,
}

const ALL: [Of; 4] = [Of::Monotone, Of::Capped, Of::Negative, Of::Total];

/// What could be proved of one cell.
#[derive(Default)]
struct Proof {
    kept: [bool; 4],
    cuts: Vec<i64>,
}

struct Trial<'a> {
    asked: Asked<'a>,
    penalty: &'a Function,
    applies: Option<&'a Function>,
    asks: Asks,
    /// The cap's place among the terms.
    cap: Option<usize>,
    /// Where the lateness was cut before.
    hints: Vec<i64>,
}

/// A ticket, a clock and the latenesses that break a law.
struct Break {
    clock: ImmutableString,
    at: Vec<(i64, i64)>,
    late: i64,
    fault: Option<Fault>,
}

/// The term that the header `//! cap:` of a clause names, if any.
pub(super) fn cap_of(pack: &Pack, clause: &ClauseScript) -> Option<String> {
    let head = pack.file(&clause.file)?.lines().map_while(|line| line.trim().strip_prefix("//!"));
    let mut caps = head.filter_map(|line| line.trim().strip_prefix("cap:"));
    caps.next().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The clocks that a clause may set.
pub(super) fn clocks_of(clause: &ClauseScript) -> Vec<ImmutableString> {
    let mut clocks: Vec<ImmutableString> = Vec::new();
    let mut add = |value: &Value| {
        if let Value::Deadline(due) = value
            && !clocks.iter().any(|known| known.as_str() == &*due.name)
        {
            clocks.push((&*due.name).into());
        }
    };
    if let Some(Some(deadlines)) = clause.program.entries.get(DEADLINES) {
        deadlines.body.walk(&mut |node| match &node.op {
            Op::Deadline { known, .. } => add(&Value::Deadline(known.clone())),
            Op::Const(Value::List(items)) => items.iter().for_each(&mut add),
            Op::Const(value) => add(value),
            _ => {}
        });
    }
    clocks
}

/// The clocks that a clause may set, and its duties.
pub(super) fn breaches_of(clause: &ClauseScript) -> Vec<ImmutableString> {
    let mut names = clocks_of(clause);
    let mut add = |value: &Value| {
        if let Value::Duty(duty) = value
            && !names.iter().any(|known| known.as_str() == &*duty.name)
        {
            names.push((&*duty.name).into());
        }
    };
    if let Some(Some(duties)) = clause.program.entries.get(DUTIES) {
        duties.body.walk(&mut |node| match &node.op {
            Op::Const(Value::List(items)) => items.iter().for_each(&mut add),
            Op::Const(value) => add(value),
            _ => {}
        });
    }
    names
}

/// Looks at the prices of a clause; nothing when it has none.
pub(super) fn laws(pack: &Pack, clause: &ClauseScript, budget: &mut Budget) -> Option<Prices> {
    let penalty = clause.program.entries.get(PENALTY)?.as_ref()?;
    let asked = Asked { pack, clause };
    // What a missed duty costs is asked whichever tickets the clause applies to.
    let applies =
        clause.program.entries.get(APPLIES).and_then(Option::as_ref).filter(|_| !asked.has_duties());
    let mut asks = Asks::of([penalty].into_iter().chain(applies));
    let name = cap_of(pack, clause);
    let cap = name.as_ref().and_then(|name| pack.policy.words.term(name));
    asks.terms.extend(cap);
    let clocks = breaches_of(clause);
    let spans = windows(pack, &[clause], &asks.terms.iter().copied().chain(clause.names.terms()).collect());
    let space = Space::new(pack, spans, &asks, &clocks, budget.proof.left / 4);
    // Tickets that are tried must also have what the limits ask for, or no clock of theirs is breached.
    let set = [DEADLINES, DUTIES].into_iter().filter_map(|set| clause.program.entries.get(set)?.as_ref());
    let mut asks = Asks::of([penalty].into_iter().chain(applies).chain(set));
    asks.terms.extend(cap);
    let mut trial = Trial { asked, penalty, applies, asks, cap, hints: Vec::new() };
    let mut standings: [Standing; 4] = Default::default();
    if let Some(capped) = standings.get_mut(1) {
        capped.not_stated = cap.is_none();
    }
    // First all cells with the lateness in one piece, so that a few hard ones do not use up what the others need.
    let mut hard = Vec::new();
    for number in 0..space.len() {
        let Some(cell) = space.cell(number) else { continue };
        let whole = trial.proved(&cell, 1, &mut budget.proof);
        hard.extend(whole.filter(|proof| proof.kept != [true; 4]).map(|proof| (number, cell, proof)));
    }
    let mut open = Vec::new();
    for (number, cell, whole) in hard {
        let mut proof = trial.proved(&cell, PIECES_MAX, &mut budget.proof).unwrap_or_default();
        for ((standing, kept), before) in standings.iter_mut().zip(&mut proof.kept).zip(whole.kept) {
            *kept |= before;
            standing.open |= !*kept;
        }
        if proof.kept != [true; 4] {
            open.push((number, proof));
        }
    }
    trial.search(&space, &open, &mut standings, &mut budget.search);
    let [monotone, capped, negative, total] = standings;
    let cap = cap.and(name);
    Some(Prices { monotone, capped, negative, total, cap })
}

impl Trial<'_> {
    /// What holds of all tickets of a cell, with the lateness in so many pieces; nothing when the clause applies to none.
    fn proved(&mut self, cell: &Cell, most: usize, fuel: &mut Fuel) -> Option<Proof> {
        let words = &self.asked.pack.policy.words;
        if let Some(applies) = self.applies {
            let mut walk = Walk::new(words, cell, (0, 0), fuel);
            match walk.call(applies) {
                None => return None,
                Some(Seen::Truth(truth)) if !truth.yes => return None,
                Some(_) => {}
            }
        }
        let mut proof = Proof { kept: [true; 4], cuts: Vec::new() };
        let mut pieces: Vec<((i64, i64), Range)> = Vec::new();
        let mut rest = vec![(0, LATE_MAX)];
        while let Some((from, to)) = rest.pop() {
            let mut walk = Walk::new(words, cell, (from, to), fuel);
            let price = walk.call(self.penalty);
            let (fault, forked, cuts) = (walk.fault.take(), walk.forked, std::mem::take(&mut walk.cuts));
            if forked && from < to && pieces.len() + rest.len() + 1 < most {
                let cut = cuts.iter().find_map(|cut| self.split(cell, *cut, (from, to), fuel));
                if let Some(cut) = cut {
                    proof.cuts.push(cut);
                    rest.extend([(cut, to), (from, cut - 1)]);
                    continue;
                }
            }
            if fault.is_some() {
                proof.lose(Of::Total);
            }
            match price {
                None => {}
                Some(Seen::Range(range)) if range.sort == Sort::Money => pieces.push(((from, to), range)),
                Some(_) => ALL.iter().for_each(|law| proof.lose(*law)),
            }
        }
        self.settle(cell, &pieces, &mut proof, fuel);
        if fuel.is_out() {
            proof.kept = [false; 4];
        }
        Some(proof)
    }

    /// What the pieces come to together.
    fn settle(&self, cell: &Cell, pieces: &[((i64, i64), Range)], proof: &mut Proof, fuel: &mut Fuel) {
        let cap = self.cap.and_then(|cap| cell.terms.values.get(cap)?.as_ref()).and_then(|cap| match cap {
            TermValue::Money(money) => Some(money.minor()),
            _ => None,
        });
        for (_, range) in pieces {
            if range.low < 0 {
                proof.lose(Of::Negative);
            }
            if cap.is_some_and(|cap| range.high > cap) {
                proof.lose(Of::Capped);
            }
            if !matches!(range.way, Way::Still | Way::Up) {
                proof.lose(Of::Monotone);
            }
        }
        for pair in pieces.windows(2) {
            let [((_, end), before), ((begin, _), after)] = pair else { continue };
            if before.high <= after.low {
                continue;
            }
            let mut price = |late| {
                Walk::new(&self.asked.pack.policy.words, cell, (late, late), fuel).call(self.penalty)?.range()
            };
            let ends = price(*end).zip(price(*begin));
            if ends.is_none_or(|(end, begin)| end.high > begin.low) {
                proof.lose(Of::Monotone);
            }
        }
    }

    /// The first lateness on the other side of a cut, if there is one.
    fn split(&mut self, cell: &Cell, cut: Cut, (from, to): (i64, i64), fuel: &mut Fuel) -> Option<i64> {
        let words = &self.asked.pack.policy.words;
        let mut side = |late| {
            let mut walk = Walk::new(words, cell, (late, late), fuel).watching(cut);
            walk.call(self.penalty);
            walk.side
        };
        let (first, last) = (side(from)?, side(to)?);
        if first == last {
            return None;
        }
        for hint in self.hints.iter().copied().filter(|hint| from < *hint && *hint <= to).take(HINTS_MAX) {
            if side(hint - 1) == Some(first) && side(hint).is_some_and(|side| side != first) {
                return Some(hint);
            }
        }
        let (mut low, mut high) = (from, to);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match side(middle)? == first {
                true => low = middle,
                false => high = middle,
            }
        }
        self.hints.push(high);
        Some(high)
    }

    /// Tries tickets of the cells that are open.
    fn search(&self, space: &Space, open: &[(usize, Proof)], standings: &mut [Standing; 4], fuel: &mut Fuel) {
        let mut dice = Dice::new(0x1a75);
        let mut tried = 0;
        'rounds: for nth in 0..ROUNDS_MAX {
            for (number, proof) in open {
                let Some(cell) = space.cell(*number) else { continue };
                if tried >= PRICES_MAX || fuel.is_out() || !standings.iter().any(Standing::is_sought) {
                    break 'rounds;
                }
                let sketch = Sketch::of(self.asked.pack, &cell, &self.asks, nth, &mut dice);
                let lates = latenesses(&self.asks, &cell, &proof.cuts, &mut dice);
                let sought: Vec<Of> = ALL
                    .into_iter()
                    .zip(standings.iter())
                    .filter(|(_, s)| s.is_sought())
                    .map(|(of, _)| of)
                    .collect();
                let (prices, found) = self.ask(&sketch, &lates, &sought, fuel);
                tried += prices;
                for (law, standing) in ALL.into_iter().zip(standings.iter_mut()) {
                    if found.contains(&law) {
                        let shown = self.shown(law, &sketch, &lates, fuel);
                        standing.at = shown.as_ref().and_then(|(_, at)| Some((PENALTY, (*at)?)));
                        standing.broken = shown.map(|(shown, _)| shown);
                    }
                }
            }
        }
        standings.iter_mut().for_each(|standing| standing.tried = tried);
    }

    /// Asks a ticket's prices: how many, and which laws they break.
    fn ask(&self, sketch: &Sketch, lates: &[i64], sought: &[Of], fuel: &mut Fuel) -> (u64, Vec<Of>) {
        let inputs = sketch.inputs(self.asked.pack);
        let mut prices = 0;
        let mut found = Vec::new();
        for law in sought {
            let (asked, broken) = self.broken(*law, sketch, &inputs, lates, fuel);
            prices += asked;
            if broken.is_some() {
                found.push(*law);
            }
        }
        (prices, found)
    }

    /// The first lateness that breaks a law, made as small as can be; and how many prices were asked.
    fn broken(
        &self,
        law: Of,
        sketch: &Sketch,
        inputs: &Inputs,
        lates: &[i64],
        fuel: &mut Fuel,
    ) -> (u64, Option<Break>) {
        let mut asked = 0;
        let clocks = self.asked.breached(sketch, inputs);
        let clocks = clocks.iter().take(if self.asks.clock { usize::MAX } else { 1 });
        for clock in clocks {
            let mut price = |late| {
                asked += 1;
                fuel.spend(self.asks.nodes);
                self.asked.price(sketch, inputs, clock, late)
            };
            let mut before: Option<(i64, i64)> = None;
            let mut right = None;
            for late in lates.iter().copied() {
                let answer = price(late);
                match (&answer, before) {
                    (Ok(Some(amount)), Some(last)) if law == Of::Monotone && *amount < last.1 => {
                        let at = narrowed(last, (late, *amount), &mut price);
                        let clock = clock.clone();
                        return (
                            asked,
                            Some(Break { clock, late: at.1.0, at: vec![at.0, at.1], fault: None }),
                        );
                    }
                    (Ok(Some(amount)), _) => before = Some((late, *amount)),
                    (Err(fault), None) if is_design(&fault.message) => break,
                    _ => {}
                }
                if law == Of::Monotone {
                    continue;
                }
                if !self.is_wrong(law, inputs, &answer) {
                    right = Some(late);
                    continue;
                }
                let (mut good, mut bad, mut answer) = (right.unwrap_or(late), late, answer);
                while bad - good > 1 {
                    let middle = good + (bad - good) / 2;
                    let there = price(middle);
                    match self.is_wrong(law, inputs, &there) {
                        true => (bad, answer) = (middle, there),
                        false => good = middle,
                    }
                }
                let at = answer.as_ref().ok().copied().flatten().map(|amount| (bad, amount));
                let clock = clock.clone();
                let found = Break { clock, late: bad, at: at.into_iter().collect(), fault: answer.err() };
                return (asked, Some(found));
            }
        }
        (asked, None)
    }

    /// Whether an answer breaks a law by itself.
    fn is_wrong(&self, law: Of, inputs: &Inputs, answer: &Result<Option<i64>, Fault>) -> bool {
        match (law, answer) {
            (Of::Negative, Ok(Some(amount))) => *amount < 0,
            (Of::Capped, Ok(Some(amount))) => self.cap(inputs).is_some_and(|cap| *amount > cap),
            (Of::Total, Ok(None)) => true,
            (Of::Total, Err(fault)) => !is_design(&fault.message),
            _ => false,
        }
    }

    /// The cap in force for a ticket, in minor units.
    fn cap(&self, inputs: &Inputs) -> Option<i64> {
        match inputs.terms.values.get(self.cap?)? {
            Some(TermValue::Money(money)) => Some(money.minor()),
            _ => None,
        }
    }

    /// The counterexample, as small as can be.
    fn shown(
        &self,
        law: Of,
        sketch: &Sketch,
        lates: &[i64],
        fuel: &mut Fuel,
    ) -> Option<(Counterexample, Option<Position>)> {
        let pack = self.asked.pack;
        let breaks = |sketch: &Sketch, fuel: &mut Fuel| {
            let inputs = sketch.inputs(pack);
            self.broken(law, sketch, &inputs, lates, fuel).1.map(|found| (found, inputs))
        };
        // Making it smaller may use up what is left; telling it may not.
        let small = sketch.clone().shrunk(fuel, |sketch, fuel| breaks(sketch, fuel).is_some());
        let (found, inputs) = breaks(&small, &mut Fuel { left: u64::MAX })?;
        let money = |minor| Money::from_minor(minor, pack.currency);
        let prices: Vec<PriceAt> = found
            .at
            .iter()
            .map(|(late, amount)| PriceAt { late: Span::from_micros(*late), amount: money(*amount) })
            .collect();
        let late = Span::from_micros(found.late);
        let sentence = match (law, prices.as_slice(), &found.fault) {
            (Of::Monotone, [before, after], _) => format!(
                "the penalty falls: {} at {} late, {} at {} late",
                before.amount, before.late, after.amount, after.late
            ),
            (Of::Capped, [at], _) => {
                let cap = self.cap(&inputs).map_or(String::new(), |cap| money(cap).to_string());
                format!("the penalty is {} at {late} late, beyond its cap of {cap}", at.amount)
            }
            (Of::Negative, [at], _) => format!("the penalty is {} at {late} late, below nothing", at.amount),
            (_, _, Some(fault)) => format!("`penalty` cannot be had at {late} late: {}", fault.message),
            _ => format!("`penalty` gives no money at {late} late"),
        };
        // A missed duty is of no ticket.
        let duty = self.asked.has_duties();
        let small = if duty { small.of_contract() } else { small };
        let sentence = match duty {
            true => format!("{sentence}; the duty `{}`, by the terms at {}", found.clock, small.reported_at),
            false => sentence,
        };
        let counterexample = Counterexample {
            sentence,
            facts: small.told(pack),
            reported_at: (!duty).then_some(small.reported_at),
            clock: Some(found.clock.to_string()),
            prices,
            events: small.events(pack),
        };
        Some((counterexample, found.fault.map(|fault| fault.at)))
    }
}

impl Proof {
    fn lose(&mut self, law: Of) {
        if let Some(kept) = ALL.iter().position(|of| *of == law).and_then(|i| self.kept.get_mut(i)) {
            *kept = false;
        }
    }
}

/// Two latenesses of which the later costs less, one microsecond apart.
fn narrowed(
    mut before: (i64, i64),
    mut after: (i64, i64),
    price: &mut impl FnMut(i64) -> Result<Option<i64>, Fault>,
) -> ((i64, i64), (i64, i64)) {
    while after.0 - before.0 > 1 {
        let middle = before.0 + (after.0 - before.0) / 2;
        let Ok(Some(amount)) = price(middle) else { break };
        match amount < before.1 {
            true => after = (middle, amount),
            false => before = (middle, amount),
        }
    }
    (before, after)
}
