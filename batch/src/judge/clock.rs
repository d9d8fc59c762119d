//! One clock over rows: regular ones by columns, the others by their histories.

use holdback::graph::{ClockColumn, LengthColumn, StartColumn};

use super::rows::Rows;
use super::{ClockRows, Judge, Scratch, mark};
use crate::clocks::{Into, Length, Plain, Rules, Run, regular, state};
use crate::kernel::{CHUNK, ONES, Values};
use crate::open_time::OpenTime;
use crate::plan::Segment;
use crate::sheet::Moved;

impl Judge<'_> {
    /// The irregular rows among these, with their histories.
    pub(super) fn irregular(&self, rows: Rows<'_>, mut take: impl FnMut(usize, &[Moved])) {
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
    pub(super) fn clock(
        &self,
        clock: &ClockColumn,
        segment: &Segment,
        values: Values<'_>,
        rows: Rows<'_>,
        done: usize,
        earlier: &[ClockRows],
        into: &mut ClockRows,
        doubtful: &mut [u8],
        scratch: &mut Scratch,
    ) {
        let n = rows.len();
        let Some(open) = self.batch.open(clock.calendar) else {
            into.runs.clear(done..done + n);
            return (0..n).for_each(|at| mark(doubtful, rows.row(at)));
        };
        let exists = values.bool(segment.program.place(clock.exists));
        if exists.iter().fold(0, |any, exists| any | exists) == 0 {
            return into.runs.clear(done..done + n);
        }
        let Scratch { hands, start, stop, has_start, has_stop, stopped, .. } = scratch;
        for column in [&mut *start, &mut *stop, &mut *stopped] {
            column.resize(CHUNK, 0);
        }
        for column in [&mut *has_start, &mut *has_stop] {
            column.resize(CHUNK, 0);
        }
        let (start, has_start) =
            self.starts(clock, rows, done, earlier, (&mut start[..n], &mut has_start[..n]));
        let (stop, has_stop) = self.firsts(&clock.stops, rows, (&mut stop[..n], &mut has_stop[..n]));
        let length = match clock.length {
            LengthColumn::Open(node) => values.int(segment.program.place(node)),
            _ => &[],
        };
        let reach = open.reach();
        let plain = open.is_always()
            && !length.is_empty()
            && reach.0 <= self.batch.years.0
            && self.batch.years.1 <= reach.1;
        if plain {
            let plain = Plain { exists, start, has_start, length, stop, has_stop, as_of: self.batch.as_of };
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
            let (overflow, latest) = plain.run(self.arch, &mut out);
            // Most rows are due long before the end of what is known of the calendar.
            if overflow || latest >= reach.1 {
                (0..n).for_each(|at| mark(doubtful, rows.row(at)));
            }
            if !self.bare {
                for ((started, start), begun) in
                    runs.started[range.clone()].iter_mut().zip(start.iter()).zip(has_start.iter())
                {
                    *started = start & -i64::from(*begun);
                }
                runs.is_due[range].copy_from_slice(has_start);
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

    fn length(&self, clock: &ClockColumn, span: Option<i64>, row: usize, open: &OpenTime) -> Length {
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

    /// When the clock starts, and whether it does; in the scratch columns where they do not lie so already.
    fn starts<'s>(
        &'s self,
        clock: &ClockColumn,
        rows: Rows<'_>,
        done: usize,
        earlier: &[ClockRows],
        (start, has_start): (&'s mut [i64], &'s mut [u8]),
    ) -> (&'s [i64], &'s [u8]) {
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
        (start, has_start)
    }

    /// The first event of any of these kinds, and whether there is one.
    fn firsts<'s>(
        &'s self,
        kinds: &[u16],
        rows: Rows<'_>,
        (at, has): (&'s mut [i64], &'s mut [u8]),
    ) -> (&'s [i64], &'s [u8]) {
        let mut kinds = kinds.iter().filter_map(|kind| self.first(*kind));
        let (first, second) = (kinds.next(), kinds.next());
        if let (Some(numbers), None) = (first, second)
            && let Some(values) = rows.slice(&numbers.values)
        {
            let valid = match &numbers.valid {
                None => ONES.get(..at.len()),
                Some(valid) => rows.slice(valid),
            };
            if let Some(valid) = valid {
                return (values, valid);
            }
        }
        rows.numbers(first, at, has);
        let (mut more, mut has_more) = (vec![0; 0], vec![0; 0]);
        for numbers in second.into_iter().chain(kinds) {
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
        (at, has)
    }
}
