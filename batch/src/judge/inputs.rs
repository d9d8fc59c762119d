//! Programs run over rows: what they ask is looked up in the sheet.

use super::rows::Rows;
use super::{Judge, Table, Tables};
use crate::clocks::kind;
use crate::kernel::{Bound, Columns, Given, Input, Program};
use crate::sheet::{Moved, Numbers, Texts};

impl Judge<'_> {
    /// What a program asks of rows. Columns of rows that lie together are read where they lie. `breach` gives due instants and lateness,
    /// where a breach is priced.
    pub(super) fn bind<'b>(
        &'b self,
        program: &Program,
        columns: &mut Columns,
        epoch: usize,
        rows: Rows<'_>,
        breach: Option<(&'b [i64], &'b [i64])>,
        tables: &Tables,
    ) -> Bound<'b> {
        let ints = |numbers: Option<&'b Numbers>| match numbers {
            Some(numbers) => rows.slice(&numbers.values).map_or(Given::Each, Given::Ints),
            None => Given::Same(0),
        };
        let known = |numbers: Option<&'b Numbers>| match numbers {
            Some(Numbers { valid: Some(valid), .. }) => rows.slice(valid).map_or(Given::Each, Given::Bools),
            Some(_) => Given::Same(1),
            None => Given::Same(0),
        };
        program.bind(columns, |input| match input {
            Input::Fact(place, first) => ints(self.fact(*place, *first)),
            Input::ReportedAt => ints(self.sheet.reported()),
            Input::Known(place) => known(self.fact(*place, false)),
            Input::Happened(kind) if self.sheet.irregular.rows.is_empty() => known(self.first(*kind)),
            Input::Flag(place, first) if self.fact(*place, *first).is_none() => Given::Same(0),
            Input::OfContract(place) | Input::ContractIs(place) => {
                let table = tables.get(epoch).and_then(|tables| tables.get(*place));
                table.and_then(Table::same).map_or(Given::Each, Given::Same)
            }
            Input::Due => Given::Ints(breach.map_or(&[], |breach| breach.0)),
            Input::Late => Given::Ints(breach.map_or(&[], |breach| breach.1)),
            Input::Flag(..) | Input::IsText(..) | Input::Happened(_) | Input::Knew(..) => Given::Each,
        })
    }

    /// Runs a program over a chunk of rows. `from` is the first one's place among those that are bound.
    #[expect(clippy::too_many_arguments, reason = "what a run reads and where it works")]
    pub(super) fn run(
        &self,
        program: &Program,
        columns: &mut Columns,
        bound: &Bound<'_>,
        epoch: usize,
        rows: Rows<'_>,
        from: usize,
        tables: &Tables,
    ) {
        let table = |place: usize| {
            let table = tables.get(epoch).and_then(|tables| tables.get(place));
            table.map_or(&[][..], |table| table.values.as_slice())
        };
        let mut ints = |input: &Input, into: &mut [i64]| match input {
            Input::Fact(place, first) => {
                let numbers = self.fact(*place, *first);
                numbers.into_iter().for_each(|numbers| rows.gather(&numbers.values, into));
            }
            Input::ReportedAt => {
                self.sheet.reported().into_iter().for_each(|numbers| rows.gather(&numbers.values, into));
            }
            Input::OfContract(place) => {
                let table = table(*place);
                // Where one has no answer the tickets of the contract are judged by themselves.
                let of = |contract: u32| table.get(contract as usize).copied().unwrap_or_default();
                rows.each(&self.sheet.contract, into, of);
            }
            _ => into.fill(0),
        };
        let mut bools = |input: &Input, into: &mut [u8]| match input {
            Input::Flag(place, first) => match self.fact(*place, *first) {
                Some(numbers) => rows.each(&numbers.values, into, |value| u8::from(value != 0)),
                None => into.fill(0),
            },
            Input::Known(place) => match self.fact(*place, false) {
                Some(Numbers { valid: Some(valid), .. }) => rows.gather(valid, into),
                Some(_) => into.fill(1),
                None => into.fill(0),
            },
            Input::IsText(of, text) => {
                // What was not said is the empty text; only the way of reporting can be left out here.
                let none = text.is_empty() && *of == holdback::graph::TextOf::Via;
                match self.sheet.texts.get(of) {
                    Some(texts) => {
                        // A dictionary may have a text more than once.
                        let is: Vec<bool> = texts.texts.iter().map(|known| known == text).collect();
                        rows.each(&texts.codes, into, |code| {
                            let none = none && code == Texts::NONE;
                            u8::from(is.get(code as usize).copied().unwrap_or(none))
                        });
                    }
                    None => into.fill(u8::from(none)),
                }
            }
            Input::ContractIs(place) => {
                let table = table(*place);
                let of =
                    |contract: u32| u8::from(table.get(contract as usize).is_some_and(|value| *value != 0));
                rows.each(&self.sheet.contract, into, of);
            }
            Input::Happened(kind) => self.happened(*kind, rows, into),
            Input::Knew(place, kind) => self.knew(*place, *kind, rows, into),
            _ => into.fill(0),
        };
        let days = |at: i64, period: holdback::Period| {
            self.batch.contract_days().period_end(at, period, holdback::CountRule::ContractLaw)
        };
        program.run(self.arch, columns, bound, (from, rows.len()), &days, &mut ints, &mut bools);
    }

    /// The first events of a kind.
    pub(super) fn first(&self, kind: u16) -> Option<&Numbers> {
        self.sheet.firsts.get(usize::from(kind)).and_then(Option::as_ref)
    }

    pub(super) fn happened(&self, kind: u16, rows: Rows<'_>, into: &mut [u8]) {
        match self.first(kind) {
            Some(Numbers { valid: Some(valid), .. }) => rows.gather(valid, into),
            Some(_) => into.fill(1),
            None => into.fill(0),
        }
        self.irregular(rows, |at, history| {
            into.get_mut(at).into_iter().for_each(|into| *into = u8::from(standing(history, kind).is_some()));
        });
    }

    pub(super) fn knew(&self, place: u16, kind: u16, rows: Rows<'_>, into: &mut [u8]) {
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
}

/// The last event of a kind that stands.
pub(super) fn standing(history: &[Moved], kind: u16) -> Option<i64> {
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
