//! A sheet of tickets judged: programs and clocks over its rows, and row by row what columns cannot be sure of.

use std::collections::HashMap;

use holdback::graph::{ClockColumn, LengthColumn, Op, PauseColumn, StartColumn};
use holdback::{Assessment, Event, EventError, Instant, assess};
use pulp::Arch;

use crate::batch::Batch;
use crate::clocks::{Hands, Into, Length, Plain, Rules, Run, Runs, kind, regular, state};
use crate::error::Refused;
use crate::kernel::{CHUNK, Columns, Input, Program, single, vectors};
use crate::plan::{Epoch, Segment};
use crate::sheet::{Moved, Numbers, Sheet, Texts};

/// What the contracts of the rows say, by number.
#[derive(Debug, Default)]
pub(crate) struct Contract {
    pub(crate) id: String,
    /// Its tickets are judged row by row: something holds their clocks that columns do not know.
    pub(crate) by_rows: bool,
    /// The hoisted nodes by epoch: nothing where one has no answer.
    pub(crate) hoisted: Vec<Vec<Option<i64>>>,
    pub(crate) events: Vec<Event>,
}

/// One clock of some rows.
#[derive(Debug, Default)]
pub(crate) struct ClockRows {
    pub(crate) epoch: usize,
    pub(crate) clock: usize,
    /// The rows; nothing: all of the sheet.
    pub(crate) rows: Option<Vec<u32>>,
    pub(crate) runs: Runs,
    /// What a breach costs; of rows that are not missed it means nothing.
    pub(crate) price: Vec<i64>,
}

impl ClockRows {
    /// One without rows, in the memory of another's columns.
    pub(crate) fn made_of(
        mut state: Vec<u8>,
        mut due: Vec<i64>,
        mut late: Vec<i64>,
        mut price: Vec<i64>,
    ) -> ClockRows {
        state.clear();
        [&mut due, &mut late, &mut price].into_iter().for_each(Vec::clear);
        ClockRows { runs: Runs { state, due, late, ..Runs::default() }, price, ..ClockRows::default() }
    }
}

/// A sheet judged.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) clocks: Vec<ClockRows>,
    /// Whose word on the class counts, by number among all; zero: nobody's.
    pub(crate) class: Vec<u16>,
    /// Which clauses apply, by place in the pack: so many words a row.
    pub(crate) applies: Vec<u64>,
    pub(crate) clause_words: usize,
    /// What was found, by number among all: so many words a row.
    pub(crate) findings: Vec<u64>,
    pub(crate) finding_words: usize,
    /// Rows that were judged by themselves, ascending.
    pub(crate) singles: Vec<(u32, Result<Assessment, EventError>)>,
}

/// The hoisted nodes by epoch, node and contract.
type Tables = Vec<Vec<Vec<i64>>>;

/// Columns to work in, kept from sheet to sheet.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Of the contracts so far: these come one after another, and none changes.
    tables: Tables,
    /// Columns for results that nobody needs any more.
    pub(crate) spare: Vec<ClockRows>,
    columns: HashMap<(usize, usize), Columns>,
    prices: HashMap<(usize, usize), Columns>,
    hands: Hands,
    start: Vec<i64>,
    stop: Vec<i64>,
    stopped: Vec<i64>,
    has_start: Vec<u8>,
    has_stop: Vec<u8>,
}

/// The rows of one run: some of the sheet's, one after another.
#[derive(Clone, Copy)]
enum Rows<'a> {
    /// So many from the first.
    From(usize, usize),
    These(&'a [u32]),
}

impl Rows<'_> {
    fn len(&self) -> usize {
        match self {
            Rows::From(_, rows) => *rows,
            Rows::These(rows) => rows.len(),
        }
    }

    fn row(&self, at: usize) -> usize {
        match self {
            Rows::From(first, _) => first + at,
            Rows::These(rows) => rows.get(at).map_or(0, |row| *row as usize),
        }
    }

    fn part(&self, from: usize, most: usize) -> Rows<'_> {
        match self {
            Rows::From(first, rows) => Rows::From(first + from, most.min(rows - from.min(*rows))),
            Rows::These(rows) => {
                let rest = rows.get(from..).unwrap_or_default();
                Rows::These(rest.get(..most.min(rest.len())).unwrap_or_default())
            }
        }
    }

    fn gather<T: Copy>(&self, from: &[T], into: &mut [T]) {
        match self {
            Rows::From(first, rows) => {
                if let Some(part) = from.get(*first..first + rows) {
                    into.iter_mut().zip(part).for_each(|(into, value)| *into = *value);
                }
            }
            Rows::These(rows) => {
                for (into, row) in into.iter_mut().zip(*rows) {
                    if let Some(value) = from.get(*row as usize) {
                        *into = *value;
                    }
                }
            }
        }
    }

    /// Missing numbers come as they lie; which are there is in the second list, filled with ones when all are.
    fn numbers(&self, numbers: Option<&Numbers>, values: &mut [i64], valid: &mut [u8]) {
        match numbers {
            None => valid.fill(0),
            Some(numbers) => {
                self.gather(&numbers.values, values);
                match &numbers.valid {
                    None => valid.fill(1),
                    Some(known) => self.gather(known, valid),
                }
            }
        }
    }
}

pub(crate) struct Judge<'a> {
    pub(crate) batch: &'a Batch,
    /// Only what is needed for sums: no beginnings and ends of clocks, no words on clauses.
    pub(crate) bare: bool,
    pub(crate) contracts: &'a [Contract],
    pub(crate) sheet: &'a Sheet,
    pub(crate) arch: Arch,
}

impl Judged {
    /// Puts the clocks into the order in which they are told.
    pub(crate) fn sort(&mut self) {
        self.clocks.sort_by_key(|clock| (clock.epoch, clock.clock));
    }

    /// Rows that the pack's schema refuses when they are judged by themselves. `first` is the number of the sheet's first row.
    pub(crate) fn refused(&self, first: u64) -> Vec<Refused> {
        let refused = self.singles.iter().filter_map(|(row, assessment)| {
            let reason = assessment.as_ref().err()?.to_string();
            Some(Refused { row: first + u64::from(*row), column: None, reason })
        });
        refused.collect()
    }
}

impl Judge<'_> {
    pub(crate) fn judge(&self, scratch: &mut Scratch) -> Judged {
        let rows = self.sheet.rows;
        self.look_up(&mut scratch.tables);
        let (clause_words, finding_words) = match self.bare {
            false => (self.batch.clause_words, self.batch.finding_words),
            true => (0, 0),
        };
        let mut judged = Judged {
            class: vec![0; rows],
            applies: vec![0; rows * clause_words],
            clause_words,
            findings: vec![0; rows * finding_words],
            finding_words,
            ..Judged::default()
        };
        let mut doubtful = vec![0_u8; rows];
        self.sheet.doubtful.iter().for_each(|row| mark(&mut doubtful, *row as usize));
        if self.contracts.iter().any(|contract| contract.by_rows) {
            for (doubt, contract) in doubtful.iter_mut().zip(&self.sheet.contract) {
                *doubt |= u8::from(self.contracts.get(*contract as usize).is_some_and(|c| c.by_rows));
            }
        }
        for (epoch, rows) in self.by_epoch() {
            let Some((_, of)) = self.batch.epochs.get(epoch) else { continue };
            let all = match &rows {
                None => Rows::From(0, self.sheet.rows),
                Some(rows) => Rows::These(rows),
            };
            let buckets = self.buckets(of, all);
            for (place, segment) in of.segments.iter().enumerate() {
                let picked = buckets.get(place).and_then(Option::as_ref);
                let here = match picked {
                    Some(picked) => Rows::These(picked),
                    None => all,
                };
                if here.len() > 0 {
                    self.segment((epoch, place), of, segment, here, &mut judged, &mut doubtful, scratch);
                }
            }
        }
        for (row, _) in doubtful.iter().enumerate().filter(|(_, doubt)| **doubt != 0) {
            #[cfg(test)]
            SINGLES.with(|singles| singles.set(singles.get() + 1));
            if let Some(assessment) = self.single(row) {
                judged.singles.push((u32::try_from(row).unwrap_or(u32::MAX), assessment));
            }
        }
        judged
    }

    /// Puts what depends on the contract alone into tables, of the contracts that came since.
    fn look_up(&self, tables: &mut Tables) {
        tables.resize(self.batch.epochs.len(), Vec::new());
        for (epoch, (tables, (_, of))) in tables.iter_mut().zip(&self.batch.epochs).enumerate() {
            tables.resize(of.hoisted.len(), Vec::new());
            for (place, table) in tables.iter_mut().enumerate() {
                let value = |contract: &Contract| contract.hoisted.get(epoch)?.get(place).copied().flatten();
                let known = table.len();
                table.extend(self.contracts.iter().skip(known).map(|c| value(c).unwrap_or_default()));
            }
        }
    }

    /// The rows of each epoch; nothing when there is but one. Rows that were not reported belong to none.
    fn by_epoch(&self) -> Vec<(usize, Option<Vec<u32>>)> {
        let Some(reported) = self.sheet.reported() else { return Vec::new() };
        let epochs = &self.batch.epochs;
        if reported.valid.is_none() {
            let (least, most) = reported
                .values
                .iter()
                .take(self.sheet.rows)
                .fold((i64::MAX, i64::MIN), |(a, b), at| (a.min(*at), b.max(*at)));
            let (first, last) = (self.batch.epoch_of(least), self.batch.epoch_of(most));
            if first == last {
                return vec![(first, None)];
            }
        }
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); epochs.len()];
        for (row, at) in reported.values.iter().take(self.sheet.rows).enumerate() {
            if reported.valid.as_ref().is_none_or(|valid| valid.get(row) == Some(&1)) {
                let of = rows.get_mut(self.batch.epoch_of(*at));
                of.into_iter().for_each(|rows| rows.push(u32::try_from(row).unwrap_or(u32::MAX)));
            }
        }
        rows.into_iter()
            .enumerate()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(at, rows)| (at, Some(rows)))
            .collect()
    }

    /// The rows of each segment that has a guard, found by the values of its fact.
    fn buckets(&self, epoch: &Epoch, all: Rows<'_>) -> Vec<Option<Vec<u32>>> {
        let mut buckets: Vec<Option<Vec<u32>>> =
            epoch.segments.iter().map(|segment| segment.guard.as_ref().map(|_| Vec::new())).collect();
        let mut facts: Vec<(u16, bool)> = epoch
            .segments
            .iter()
            .filter_map(|s| s.guard.as_ref())
            .map(|guard| (guard.fact, guard.first))
            .collect();
        facts.sort_unstable();
        facts.dedup();
        for (fact, first) in facts {
            let Some(numbers) = self.fact(fact, first) else { continue };
            // Which segments want a value.
            let mut wanted: Vec<Vec<usize>> = Vec::new();
            for (place, segment) in epoch.segments.iter().enumerate() {
                let Some(guard) = segment.guard.as_ref().filter(|g| (g.fact, g.first) == (fact, first))
                else {
                    continue;
                };
                wanted.resize(wanted.len().max(guard.values.len()), Vec::new());
                let taken = wanted.iter_mut().zip(guard.values.iter()).filter(|(_, yes)| **yes);
                taken.for_each(|(wanted, _)| wanted.push(place));
            }
            for at in 0..all.len() {
                let row = all.row(at);
                let known = numbers.valid.as_ref().is_none_or(|valid| valid.get(row) == Some(&1));
                let value = numbers.values.get(row).and_then(|value| usize::try_from(*value).ok());
                let segments = value.filter(|_| known).and_then(|value| wanted.get(value));
                for place in segments.into_iter().flatten() {
                    if let Some(Some(bucket)) = buckets.get_mut(*place) {
                        bucket.push(u32::try_from(row).unwrap_or(u32::MAX));
                    }
                }
            }
        }
        buckets
    }

    fn fact(&self, place: u16, first: bool) -> Option<&Numbers> {
        let place = usize::from(place);
        let differs = self.sheet.first_facts.get(place).and_then(Option::as_ref).filter(|_| first);
        differs.or_else(|| self.sheet.facts.get(place).and_then(Option::as_ref))
    }

    #[expect(clippy::too_many_arguments, reason = "what a segment reads and what it writes")]
    fn segment(
        &self,
        id: (usize, usize),
        epoch: &Epoch,
        segment: &Segment,
        all: Rows<'_>,
        judged: &mut Judged,
        doubtful: &mut [u8],
        scratch: &mut Scratch,
    ) {
        let first = judged.clocks.len();
        for clock in &segment.clocks {
            let rows = match all {
                Rows::From(..) => None,
                Rows::These(rows) => Some(rows.to_vec()),
            };
            let mut of = scratch.spare.pop().unwrap_or_default();
            (of.epoch, of.clock, of.rows) = (id.0, *clock, rows);
            of.runs.reserve(all.len(), self.bare);
            of.price.reserve(all.len());
            judged.clocks.push(of);
        }
        let mut columns = scratch.columns.remove(&id).unwrap_or_else(|| segment.program.columns());
        let mut done = 0;
        while done < all.len() {
            let rows = all.part(done, CHUNK);
            let n = rows.len();
            // What is written to is made ready piece by piece, while it is in the cache.
            for of in judged.clocks.get_mut(first..).unwrap_or_default() {
                of.runs.resize(done + n, self.bare);
                of.price.resize(done + n, 0);
            }
            self.run(&segment.program, &mut columns, id.0, rows, None, &scratch.tables);
            if columns.overflow {
                (0..n).for_each(|at| mark(doubtful, rows.row(at)));
            }
            for doubt in &segment.doubts {
                let doubts = columns.bool(segment.program.place(*doubt)).get(..n).unwrap_or_default();
                if doubts.iter().fold(0, |any, yes| any | yes) == 0 {
                    continue;
                }
                let found = doubts.iter().enumerate().filter(|(_, yes)| **yes != 0);
                found.for_each(|(at, _)| mark(doubtful, rows.row(at)));
            }
            self.words(id.0, epoch, segment, &columns, rows, judged);
            for (nth, clock) in segment.clocks.iter().enumerate() {
                let Some(of) = epoch.graph.clocks.get(*clock) else { continue };
                let (earlier, rest) = judged.clocks.split_at_mut(first + nth);
                let Some(into) = rest.first_mut() else { continue };
                let earlier = earlier.get(first..).unwrap_or_default();
                self.clock(of, segment, &columns, rows, done, earlier, into, doubtful, scratch);
                self.price((id.0, *clock), epoch, segment, &columns, rows, done, into, doubtful, scratch);
            }
            done += n;
        }
        scratch.columns.insert(id, columns);
    }

    /// What the clauses say beside their clocks.
    fn words(
        &self,
        epoch: usize,
        of: &Epoch,
        segment: &Segment,
        columns: &Columns,
        rows: Rows<'_>,
        judged: &mut Judged,
    ) {
        let n = rows.len();
        let words = judged.clause_words;
        for clause in
            segment.clauses.iter().filter(|_| !self.bare).filter_map(|place| of.graph.clauses.get(*place))
        {
            let (word, bit) = (usize::from(clause.clause) / 64, u32::from(clause.clause % 64));
            let applies = columns.bool(segment.program.place(clause.applies));
            if let (Rows::From(first, n), 1) = (rows, words) {
                let here = judged.applies.get_mut(first..first + n).unwrap_or_default();
                here.iter_mut()
                    .zip(applies)
                    .for_each(|(place, yes)| *place |= u64::from(*yes).wrapping_shl(bit));
                continue;
            }
            for (at, yes) in applies.iter().take(n).enumerate() {
                if let Some(place) = judged.applies.get_mut(rows.row(at) * words + word) {
                    *place |= u64::from(*yes) << bit;
                }
            }
        }
        let base = self.batch.class_bases.get(epoch).copied().unwrap_or_default();
        for place in &segment.classes {
            let Some(class) = of.graph.classes.get(*place) else { continue };
            let number = u16::try_from(base + place + 1).unwrap_or_default();
            if let Rows::From(first, n) = rows {
                let here = judged.class.get_mut(first..first + n).unwrap_or_default();
                let chosen = columns.bool(segment.program.place(class.chosen));
                here.iter_mut()
                    .zip(chosen)
                    .for_each(|(class, yes)| *class |= u16::from(*yes).wrapping_mul(number));
                continue;
            }
            for (at, yes) in columns.bool(segment.program.place(class.chosen)).iter().take(n).enumerate() {
                if *yes != 0 {
                    judged.class.get_mut(rows.row(at)).into_iter().for_each(|class| *class = number);
                }
            }
        }
        if self.bare {
            return;
        }
        let words = judged.finding_words;
        let base = self.batch.finding_bases.get(epoch).copied().unwrap_or_default();
        for place in &segment.findings {
            let Some(finding) = of.graph.findings.get(*place) else { continue };
            let number = base + place;
            for (at, yes) in columns.bool(segment.program.place(finding.found)).iter().take(n).enumerate() {
                if let Some(place) = judged.findings.get_mut(rows.row(at) * words + number / 64) {
                    *place |= u64::from(*yes) << (number % 64);
                }
            }
        }
    }

    /// Runs a program over rows. `breach` gives due instants and lateness, where a breach is priced.
    fn run(
        &self,
        program: &Program,
        columns: &mut Columns,
        epoch: usize,
        rows: Rows<'_>,
        breach: Option<(&[i64], &[i64])>,
        tables: &Tables,
    ) {
        let of_contract = |place: usize, into: &mut dyn FnMut(usize, i64)| {
            // Where one has no answer the tickets of the contract are judged by themselves.
            let table = tables.get(epoch).and_then(|tables| tables.get(place)).map_or(&[][..], Vec::as_slice);
            let of = |contract: &u32| table.get(*contract as usize).copied().unwrap_or_default();
            match rows {
                Rows::From(first, n) => {
                    let here = self.sheet.contract.get(first..first + n).unwrap_or_default();
                    here.iter().enumerate().for_each(|(at, contract)| into(at, of(contract)));
                }
                Rows::These(rows) => {
                    for (at, row) in rows.iter().enumerate() {
                        into(at, self.sheet.contract.get(*row as usize).map_or(0, of));
                    }
                }
            }
        };
        let mut ints = |input: &Input, into: &mut [i64]| match input {
            Input::Fact(place, first) => {
                if let Some(numbers) = self.fact(*place, *first) {
                    rows.gather(&numbers.values, into);
                }
            }
            Input::ReportedAt => {
                if let Some(numbers) = self.sheet.reported() {
                    rows.gather(&numbers.values, into);
                }
            }
            Input::OfContract(place) => {
                of_contract(*place, &mut |at, value| into[at] = value);
            }
            Input::Due => {
                into.iter_mut().zip(breach.map_or(&[][..], |b| b.0)).for_each(|(into, due)| *into = *due)
            }
            Input::Late => {
                into.iter_mut().zip(breach.map_or(&[][..], |b| b.1)).for_each(|(into, late)| *into = *late)
            }
            _ => into.fill(0),
        };
        let mut bools = |input: &Input, into: &mut [u8]| match input {
            Input::Flag(place, first) => match self.fact(*place, *first) {
                Some(numbers) => {
                    for (at, into) in into.iter_mut().enumerate() {
                        *into = u8::from(numbers.values.get(rows.row(at)).is_some_and(|value| *value != 0));
                    }
                }
                None => into.fill(0),
            },
            Input::Known(place) => match self.fact(*place, false) {
                Some(Numbers { valid: Some(valid), .. }) => rows.gather(valid, into),
                Some(_) => into.fill(1),
                None => into.fill(u8::from(false)),
            },
            Input::IsText(of, text) => match self.sheet.texts.get(of) {
                Some(texts) => {
                    let is: Vec<bool> = texts.texts.iter().map(|known| known == text).collect();
                    for (at, into) in into.iter_mut().enumerate() {
                        let code = texts.codes.get(rows.row(at)).copied().unwrap_or(Texts::NONE);
                        // What was not said is the empty text; only the way of reporting can be left out here.
                        let none = text.is_empty() && *of == holdback::graph::TextOf::Via;
                        *into =
                            u8::from(is.get(code as usize).copied().unwrap_or(none && code == Texts::NONE));
                    }
                }
                None => into.fill(u8::from(text.is_empty() && *of == holdback::graph::TextOf::Via)),
            },
            Input::ContractIs(place) => {
                of_contract(*place, &mut |at, value| into[at] = u8::from(value != 0));
            }
            Input::Happened(kind) => self.happened(*kind, rows, into),
            Input::Knew(place, kind) => self.knew(*place, *kind, rows, into),
            _ => into.fill(0),
        };
        let days = |at: i64, period: holdback::Period| {
            self.batch.contract_days().period_end(at, period, holdback::CountRule::ContractLaw)
        };
        program.run(self.arch, columns, rows.len(), &days, &mut ints, &mut bools);
    }

    fn happened(&self, kind: u16, rows: Rows<'_>, into: &mut [u8]) {
        match self.sheet.firsts.get(usize::from(kind)).and_then(Option::as_ref) {
            Some(Numbers { valid: Some(valid), .. }) => rows.gather(valid, into),
            Some(_) => into.fill(1),
            None => into.fill(0),
        }
        self.irregular(rows, |at, history| {
            into.get_mut(at).into_iter().for_each(|into| *into = u8::from(standing(history, kind).is_some()));
        });
    }

    fn knew(&self, place: u16, kind: u16, rows: Rows<'_>, into: &mut [u8]) {
        let place = usize::from(place);
        let given = self.sheet.given.get(place).and_then(Option::as_ref);
        let given = match given {
            Some(given) => Some(given),
            None => self.sheet.facts.get(place).and_then(Option::as_ref),
        };
        let with_report = self.sheet.given.get(place).and_then(Option::as_ref).is_none();
        let is = |numbers: &Numbers, row: usize| {
            let known = numbers.valid.as_ref().is_none_or(|valid| valid.get(row) == Some(&1));
            numbers.values.get(row).copied().filter(|_| known)
        };
        let when = |row: usize| -> Option<i64> {
            let value = given.and_then(|numbers| is(numbers, row))?;
            if with_report { self.sheet.reported().and_then(|numbers| is(numbers, row)) } else { Some(value) }
        };
        let of = usize::from(kind);
        let last = self.sheet.lasts.get(of).and_then(Option::as_ref);
        let last = last.or_else(|| self.sheet.firsts.get(of).and_then(Option::as_ref));
        for (at, into) in into.iter_mut().enumerate() {
            let row = rows.row(at);
            let event = last.and_then(|numbers| is(numbers, row));
            *into = u8::from(matches!((when(row), event), (Some(given), Some(event)) if given <= event));
        }
        self.irregular(rows, |at, history| {
            let event = standing(history, kind);
            let knew = matches!((when(rows.row(at)), event), (Some(given), Some(event)) if given <= event);
            into.get_mut(at).into_iter().for_each(|into| *into = u8::from(knew));
        });
    }

    /// The irregular rows among these, with their histories.
    fn irregular(&self, rows: Rows<'_>, mut take: impl FnMut(usize, &[Moved])) {
        let all = &self.sheet.irregular;
        match rows {
            Rows::From(first, n) => {
                let bound = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
                for place in all.within(bound(first), bound(first + n)) {
                    let row = all.rows.get(place).map_or(0, |row| *row as usize);
                    take(row - first, all.of(place));
                }
            }
            Rows::These(rows) if !all.rows.is_empty() => {
                for (at, row) in rows.iter().enumerate() {
                    if let Ok(place) = all.rows.binary_search(row) {
                        take(at, all.of(place));
                    }
                }
            }
            Rows::These(_) => {}
        }
    }

    /// One clock of some rows. `earlier` are the clocks before it, for one that starts with the breach of another.
    #[expect(clippy::too_many_arguments, reason = "what a clock reads and what it writes")]
    fn clock(
        &self,
        clock: &ClockColumn,
        segment: &Segment,
        columns: &Columns,
        rows: Rows<'_>,
        done: usize,
        earlier: &[ClockRows],
        into: &mut ClockRows,
        doubtful: &mut [u8],
        scratch: &mut Scratch,
    ) {
        let n = rows.len();
        let Some(open) = self.batch.open(clock.calendar) else {
            return (0..n).for_each(|at| mark(doubtful, rows.row(at)));
        };
        let exists = columns.bool(segment.program.place(clock.exists)).get(..n).unwrap_or_default();
        if exists.iter().all(|exists| *exists == 0) {
            return;
        }
        let Scratch { hands, start, stop, has_start, has_stop, stopped, .. } = scratch;
        for column in [&mut *start, &mut *stop, &mut *stopped] {
            column.resize(CHUNK, 0);
        }
        for column in [&mut *has_start, &mut *has_stop] {
            column.resize(CHUNK, 0);
        }
        self.starts(clock, rows, done, earlier, (&mut start[..n], &mut has_start[..n]));
        self.firsts(&clock.stops, rows, (&mut stop[..n], &mut has_stop[..n]));
        let length = match clock.length {
            LengthColumn::Open(node) => columns.int(segment.program.place(node)).get(..n).unwrap_or_default(),
            _ => &[],
        };
        let reach = open.reach();
        let plain = open.is_always()
            && !length.is_empty()
            && reach.0 <= self.batch.years.0
            && self.batch.years.1 <= reach.1;
        if plain {
            let plain = Plain {
                exists,
                start,
                has_start: Some(has_start),
                length,
                stop,
                has_stop: Some(has_stop),
                as_of: self.batch.as_of,
            };
            let range = done..done + n;
            let runs = &mut into.runs;
            let mut out = Into {
                state: &mut runs.state[range.clone()],
                due: &mut runs.due[range.clone()],
                stopped: match self.bare {
                    true => stopped.get_mut(..n).unwrap_or_default(),
                    false => &mut runs.stopped[range.clone()],
                },
                late: &mut runs.late[range.clone()],
            };
            let overflow = plain.run(self.arch, &mut out);
            // Most rows are due long before the end of what is known of the calendar.
            let latest = vectors!(self.arch, [due: &'a [i64] = out.due] -> i64 {
                due.iter().fold(i64::MIN, |latest, due| latest.max(*due))
            });
            let mut of = out.due.iter().zip(exists).zip(has_start.iter());
            let beyond =
                latest >= reach.1 && of.any(|((due, exists), begun)| exists & begun != 0 && *due >= reach.1);
            if overflow || beyond {
                (0..n).for_each(|at| mark(doubtful, rows.row(at)));
            }
            if !self.bare {
                for ((started, start), begun) in
                    runs.started[range.clone()].iter_mut().zip(start.iter()).zip(has_start.iter())
                {
                    *started = start & -i64::from(*begun);
                }
                runs.is_due[range].copy_from_slice(&has_start[..n]);
            }
        } else {
            for at in 0..n {
                let run = match (exists.get(at), has_start.get(at)) {
                    (Some(0), _) => Run::NONE,
                    (_, Some(0)) => Run { state: state::WAITING, ..Run::NONE },
                    _ => {
                        let stop = (has_stop[at] != 0).then_some(stop[at]);
                        let length = self.length(clock, length.get(at).copied(), rows.row(at), open);
                        match regular(open, start[at], length, stop, self.batch.as_of) {
                            Some(run) => run,
                            None => {
                                mark(doubtful, rows.row(at));
                                Run::NONE
                            }
                        }
                    }
                };
                into.runs.set(done + at, run);
            }
        }
        let reasons = self.batch.reasons(&clock.pauses);
        let rules = Rules {
            stops: &clock.stops,
            pauses: &clock.pauses,
            reasons: &reasons,
            pause_max: clock.pause_max,
            open,
            as_of: self.batch.as_of,
        };
        self.irregular(rows, |at, history| {
            if exists.get(at) != Some(&1) {
                return;
            }
            let run = match has_start.get(at) {
                Some(0) => Some(Rules::waiting(history)),
                _ => {
                    let length = self.length(clock, length.get(at).copied(), rows.row(at), open);
                    rules.run(hands, history, start[at], length)
                }
            };
            match run {
                Some(run) => into.runs.set(done + at, run),
                None => mark(doubtful, rows.row(at)),
            }
        });
    }

    fn length(
        &self,
        clock: &ClockColumn,
        span: Option<i64>,
        row: usize,
        open: &crate::open_time::OpenTime,
    ) -> Length {
        let fact = |place: u16| {
            let numbers = self.fact(place, false)?;
            let known = numbers.valid.as_ref().is_none_or(|valid| valid.get(row) == Some(&1));
            numbers.values.get(row).copied().filter(|_| known)
        };
        match clock.length {
            LengthColumn::Open(_) => Length::Open(span.unwrap_or(-1)),
            LengthColumn::Days(period, count) => Length::Days(period, count),
            LengthColumn::Fact(place) => Length::At(fact(place)),
            LengthColumn::Before(place, period, count) => {
                Length::At(fact(place).and_then(|end| open.period_start(end, period, count)))
            }
        }
    }

    fn starts(
        &self,
        clock: &ClockColumn,
        rows: Rows<'_>,
        done: usize,
        earlier: &[ClockRows],
        (start, has_start): (&mut [i64], &mut [u8]),
    ) {
        let parents = match &clock.start {
            StartColumn::On(kinds) => return self.firsts(kinds, rows, (start, has_start)),
            StartColumn::BreachOf(parents) => parents,
        };
        has_start.fill(0);
        for parent in earlier.iter().filter(|parent| parents.contains(&parent.clock)) {
            for at in 0..rows.len() {
                let runs = &parent.runs;
                let missed = matches!(runs.state.get(done + at), Some(&(state::BREACHED | state::LATE)));
                let due = runs.due.get(done + at).copied().unwrap_or_default();
                if missed && due < self.batch.as_of {
                    (start[at], has_start[at]) = (due, 1);
                }
            }
        }
    }

    /// The first event of any of these kinds.
    fn firsts(&self, kinds: &[u16], rows: Rows<'_>, (at, has): (&mut [i64], &mut [u8])) {
        let of = |kind: &u16| self.sheet.firsts.get(usize::from(*kind)).and_then(Option::as_ref);
        let mut kinds = kinds.iter().filter_map(of);
        rows.numbers(kinds.next(), at, has);
        let (mut more, mut has_more) = (vec![0; 0], vec![0; 0]);
        for numbers in kinds {
            more.resize(at.len(), 0);
            has_more.resize(at.len(), 0);
            rows.numbers(Some(numbers), &mut more, &mut has_more);
            for ((at, has), (more, has_more)) in
                at.iter_mut().zip(has.iter_mut()).zip(more.iter().zip(&has_more))
            {
                if *has_more != 0 && (*has == 0 || *more < *at) {
                    (*at, *has) = (*more, 1);
                }
            }
        }
    }

    /// What the breaches of a clock cost.
    #[expect(clippy::too_many_arguments, reason = "what a price reads and what it writes")]
    fn price(
        &self,
        (epoch_place, clock): (usize, usize),
        epoch: &Epoch,
        segment: &Segment,
        columns: &Columns,
        rows: Rows<'_>,
        done: usize,
        into: &mut ClockRows,
        doubtful: &mut [u8],
        scratch: &mut Scratch,
    ) {
        let Some(of) = epoch.graph.clocks.get(clock).and_then(|clock| clock.price.as_ref()) else { return };
        let n = rows.len();
        let is_missed = |state: u8| state == state::BREACHED || state == state::LATE;
        let Some(program) = epoch.prices.get(clock).and_then(Option::as_ref) else {
            let amount = columns.int(segment.program.place(of.amount)).get(..n).unwrap_or_default();
            into.price[done..done + n].copy_from_slice(amount);
            for doubt in &of.doubts {
                let doubts = columns.bool(segment.program.place(*doubt)).get(..n).unwrap_or_default();
                if doubts.iter().fold(0, |any, yes| any | yes) == 0 {
                    continue;
                }
                for (at, yes) in doubts.iter().enumerate() {
                    if *yes != 0 && into.runs.state.get(done + at).is_some_and(|state| is_missed(*state)) {
                        mark(doubtful, rows.row(at));
                    }
                }
            }
            return;
        };
        let missed: Vec<usize> = (0..n)
            .filter(|at| into.runs.state.get(done + at).is_some_and(|state| is_missed(*state)))
            .collect();
        if missed.is_empty() {
            return;
        }
        if of.grows {
            // From when on it costs how much is found out row by row.
            return missed.into_iter().for_each(|at| mark(doubtful, rows.row(at)));
        }
        let picked: Vec<u32> =
            missed.iter().map(|at| u32::try_from(rows.row(*at)).unwrap_or(u32::MAX)).collect();
        let take = |from: &[i64]| -> Vec<i64> {
            missed.iter().map(|at| from.get(done + at).copied().unwrap_or_default()).collect()
        };
        let (due, late) = (take(&into.runs.due), take(&into.runs.late));
        let mut priced = scratch.prices.remove(&(epoch_place, clock)).unwrap_or_else(|| program.columns());
        self.run(
            program,
            &mut priced,
            epoch_place,
            Rows::These(&picked),
            Some((&due, &late)),
            &scratch.tables,
        );
        if priced.overflow {
            picked.iter().for_each(|row| mark(doubtful, *row as usize));
        }
        for doubt in &of.doubts {
            let doubts = priced.bool(program.place(*doubt)).iter().zip(&picked).filter(|(yes, _)| **yes != 0);
            doubts.for_each(|(_, row)| mark(doubtful, *row as usize));
        }
        let amounts = priced.int(program.place(of.amount));
        for (at, amount) in missed.iter().zip(amounts) {
            into.price.get_mut(done + at).into_iter().for_each(|price| *price = *amount);
        }
        scratch.prices.insert((epoch_place, clock), priced);
    }

    /// One row judged by the typed program.
    fn single(&self, row: usize) -> Option<Result<Assessment, EventError>> {
        let contract = self.contracts.get(*self.sheet.contract.get(row)? as usize)?;
        let as_of = Instant::from_micros(self.batch.as_of).ok()?;
        Some(assess(&self.batch.pack, &contract.events, &self.sheet.origin.events(row), as_of))
    }
}

#[cfg(test)]
thread_local! {
    /// How many rows were judged by themselves, for the tests to know.
    pub(crate) static SINGLES: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

fn mark(doubtful: &mut [u8], row: usize) {
    doubtful.get_mut(row).into_iter().for_each(|doubt| *doubt = 1);
}

/// The last event of a kind that stands.
fn standing(history: &[Moved], kind: u16) -> Option<i64> {
    let mut found = None;
    for event in history {
        if matches!(event.kind, kind::REOPENED | kind::REJECTED) && kind::is_revocable(kind) {
            found = None;
        }
        if event.kind == kind {
            found = Some(event.at);
        }
    }
    found
}

/// The hoisted nodes of an epoch for one contract.
pub(crate) fn hoisted(batch: &Batch, epoch: &Epoch, at: [Option<i64>; 2]) -> Vec<Option<i64>> {
    let days = |from: i64, period: holdback::Period| {
        batch.contract_days().period_end(from, period, holdback::CountRule::ContractLaw)
    };
    let ask = |op: &Op| match op {
        Op::ContractAt(which) => Some(at[usize::from(*which)].unwrap_or_default()),
        Op::ContractHas(which) => Some(i64::from(at[usize::from(*which)].is_some())),
        _ => None,
    };
    epoch.hoisted.iter().map(|node| single(&epoch.graph, *node, &days, &ask)).collect()
}

/// Whether a clock may be held for reasons.
pub(crate) fn named_reasons(pauses: &PauseColumn) -> &[std::sync::Arc<str>] {
    match pauses {
        PauseColumn::For(reasons) => reasons,
        _ => &[],
    }
}
