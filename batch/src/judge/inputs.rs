//! Programs run over rows: what they ask is looked up in the sheet.

use super::rows::Rows;
use super::{Judge, Tables};
use crate::clocks::kind;
use crate::kernel::{Columns, Input, Program};
use crate::sheet::{Moved, Numbers, Texts};

impl Judge<'_> {
    /// Runs a program over rows. `breach` gives due instants and lateness, where a breach is priced.
    pub(super) fn run(
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

    pub(super) fn happened(&self, kind: u16, rows: Rows<'_>, into: &mut [u8]) {
        match self.sheet.firsts.get(usize::from(kind)).and_then(Option::as_ref) {
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
