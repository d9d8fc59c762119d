//! A ticket table: one row a ticket, a column for each fact and each kind of event.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Schema;
use holdback::graph::TextOf;
use holdback::{CONTRACT_KINDS, Event, FactType, Instant, Pack, TICKET_KINDS};
use serde_json::Value as Json;

use crate::BatchError;
use crate::batch::Batch;
use crate::cells::{Faults, Names, coded, fact, instants, refused, strings, take_out, texts};
use crate::clocks::kind;
use crate::error::Refused;
use crate::kernel::vectors;
use crate::sheet::{Histories, Moved, Numbers, Origin, Sheet, Texts};
use holdback::hint;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Contract,
    Ticket,
    Via,
    /// Why the ticket was paused.
    PauseReason,
    Kind(u16),
    Fact(u16),
}

/// Which columns a ticket table has.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) columns: Vec<(usize, String, Holds)>,
}

impl Layout {
    /// What each column of a table holds. A column is named as a fact, or as a kind of event with or without `_at`.
    pub(crate) fn of(pack: &Pack, schema: &Schema) -> Result<Layout, BatchError> {
        let kinds: Vec<&str> = pack.event_kinds().collect();
        let mut columns: Vec<(usize, String, Holds)> = Vec::new();
        for (place, field) in schema.fields().iter().enumerate() {
            let name = field.name().as_str();
            let of_fact = || {
                pack.facts().iter().position(|fact| fact.name == name).and_then(|at| u16::try_from(at).ok())
            };
            let kind = name.strip_suffix("_at").unwrap_or(name);
            let of_kind =
                || kinds.iter().position(|known| *known == kind).and_then(|at| u16::try_from(at).ok());
            let holds = match name {
                "contract" => Holds::Contract,
                "ticket" => Holds::Ticket,
                "via" => Holds::Via,
                "paused_reason" => Holds::PauseReason,
                _ => match (of_fact(), of_kind()) {
                    (Some(fact), _) => Holds::Fact(fact),
                    (None, Some(_)) if CONTRACT_KINDS.contains(&kind) => {
                        return Err(BatchError::Unknown {
                            column: name.to_owned(),
                            hint: ": it is an event of the contract, not of a ticket".to_owned(),
                        });
                    }
                    (None, Some(kind)) => Holds::Kind(kind),
                    (None, None) => return Err(unknown(pack, name)),
                },
            };
            if let Some((_, first, _)) = columns.iter().find(|(_, _, known)| *known == holds) {
                let (first, second, what) = (first.clone(), name.to_owned(), kind.to_owned());
                return Err(BatchError::Twice { first, second, what });
            }
            columns.push((place, name.to_owned(), holds));
        }
        let layout = Layout { columns };
        let missing = |column: &str, expected| BatchError::Missing {
            column: column.to_owned(),
            expected,
            hint: hint(column, schema.fields().iter().map(|field| field.name().as_str())),
        };
        if layout.place(Holds::Ticket).is_none() {
            return Err(missing("ticket", "expected the ticket's id"));
        }
        if layout.place(Holds::Contract).is_none() && pack.contracts.len() != 1 {
            return Err(missing("contract", "expected the contract of each ticket"));
        }
        if layout.place(Holds::Kind(kind::REPORTED)).is_none() {
            return Err(missing("reported_at", "expected when each ticket was reported"));
        }
        Ok(layout)
    }

    pub(crate) fn place(&self, holds: Holds) -> Option<usize> {
        self.columns.iter().find(|(_, _, known)| *known == holds).map(|(place, ..)| *place)
    }
}

fn unknown(pack: &Pack, column: &str) -> BatchError {
    let facts = pack.facts().iter().map(|fact| fact.name.clone());
    let kinds =
        pack.event_kinds().filter(|kind| !CONTRACT_KINDS.contains(kind)).map(|kind| format!("{kind}_at"));
    let known: Vec<String> =
        facts.chain(kinds).chain(["contract", "ticket", "via"].map(str::to_owned)).collect();
    BatchError::Unknown { column: column.to_owned(), hint: hint(column, known.iter().map(String::as_str)) }
}

/// A sheet and the rows that were left out of it.
pub(crate) struct Laid {
    pub(crate) sheet: Sheet,
    pub(crate) refused: Vec<(u32, Refused)>,
}

/// Lays a ticket table out. `first` is the number of its first row in the input.
pub(crate) fn lay(
    batch: &Batch,
    layout: &Layout,
    table: &RecordBatch,
    names: &mut Names,
    first: u64,
) -> Result<Laid, BatchError> {
    let rows = table.num_rows();
    let pack = &batch.pack;
    let (mut faults, mut doubtful): (Faults, Vec<u32>) = Default::default();
    let mut sheet = Sheet {
        rows,
        contract: Vec::new().into(),
        firsts: vec![None; batch.asked.firsts.len()],
        lasts: Vec::new(),
        first_facts: Vec::new(),
        facts: vec![None; pack.facts().len()],
        given: Vec::new(),
        texts: HashMap::new(),
        irregular: Histories::default(),
        doubtful: Vec::new(),
        left_out: Vec::new(),
        later: 0,
        origin: Box::new(Nobody),
    };
    let mut kinds: Vec<u16> = Vec::new();
    let mut tickets = None;
    let mut reasons = None;
    for (place, name, holds) in &layout.columns {
        let Some(array) = table.columns().get(*place) else { continue };
        match holds {
            Holds::Contract => {
                sheet.contract = contracts_of(batch, name, array, names, &mut faults)?;
            }
            Holds::Ticket => {
                let of = strings(name, array)?;
                let begins = of.value_offsets();
                let ends = begins.get(1..).unwrap_or_default();
                // Most tables lack none: that is seen in one go.
                let empty = vectors!(pulp::Arch::new(), [begins: &'a [i32] = begins, ends: &'a [i32] = ends] -> i32 {
                    begins.iter().zip(ends).fold(0, |any, (begin, end)| any | i32::from(begin == end))
                });
                let rows = if empty != 0 || of.null_count() > 0 { rows } else { 0 };
                for row in (0..rows).filter(|row| of.is_null(*row) || of.value(*row).is_empty()) {
                    faults.push((row, name.clone(), "the ticket's id is missing".to_owned()));
                }
                if batch.asked.texts.contains(&TextOf::Id) {
                    sheet.texts.insert(TextOf::Id, texts(name, array)?);
                }
                tickets = Some(of);
            }
            Holds::Via => {
                sheet.texts.insert(TextOf::Via, texts(name, array)?);
            }
            Holds::PauseReason => reasons = Some(texts(name, array)?),
            Holds::Kind(of) => {
                let asked =
                    batch.asked.firsts.get(usize::from(*of)) == Some(&true) || kind::IRREGULAR.contains(of);
                if !asked && *of != kind::RESUMED {
                    // Nobody looks at it; that it holds instants is checked all the same.
                    instants(name, array, Some(batch.as_of), &mut faults, &mut doubtful, &mut sheet.later)?;
                    continue;
                }
                let numbers =
                    instants(name, array, Some(batch.as_of), &mut faults, &mut doubtful, &mut sheet.later)?;
                if let Some(place) = sheet.firsts.get_mut(usize::from(*of)) {
                    *place = Some(numbers);
                }
                kinds.push(*of);
            }
            Holds::Fact(of) => {
                let Some(known) = pack.facts().get(usize::from(*of)) else { continue };
                let (numbers, texts) =
                    fact(name, &known.of, array, pack.currency, &mut faults, &mut doubtful)?;
                if let Some(texts) = texts {
                    sheet.texts.insert(TextOf::Fact(*of, true), texts.clone());
                    sheet.texts.insert(TextOf::Fact(*of, false), texts);
                }
                if let Some(place) = sheet.facts.get_mut(usize::from(*of)) {
                    *place = Some(numbers);
                }
            }
        }
    }
    if layout.place(Holds::Contract).is_none() {
        let only = pack.contracts.first().map_or("", String::as_str);
        sheet.contract = vec![names.number(only); rows].into();
    }
    if let Some(place) = layout.place(Holds::Kind(kind::REPORTED)) {
        let reported = table.column(place);
        let rows = if reported.null_count() > 0 { rows } else { 0 };
        for row in (0..rows).filter(|row| reported.is_null(*row)) {
            let name = table.schema_ref().field(place).name().clone();
            faults.push((row, name, "the ticket was never reported: expected an instant".to_owned()));
        }
    }
    let refused = refused(faults, first);
    leave_out(&mut sheet, &refused);
    irregular(&mut sheet, &kinds, reasons.as_ref(), batch);
    doubtful.sort_unstable();
    doubtful.dedup();
    doubtful.retain(|row| refused.binary_search_by_key(row, |(row, _)| *row).is_err());
    sheet.doubtful = doubtful;
    let tickets = tickets.unwrap_or_else(|| StringArray::new_null(rows));
    sheet.origin = Box::new(Rows {
        table: table.clone(),
        layout: layout.clone(),
        pack: Arc::clone(pack),
        tickets,
        names: Arc::clone(&names.names),
        numbers: sheet.contract.clone(),
    });
    Ok(Laid { sheet, refused })
}

/// No contract has these numbers: that of nobody's rows, and that of a name which was not looked up yet.
const NOBODY: u32 = u32::MAX;
const UNSEEN: u32 = u32::MAX - 1;

/// The numbers of the contracts of all rows. One that is missing or unknown is a fault of its row.
pub(crate) fn contracts_of(
    batch: &Batch,
    column: &str,
    array: &ArrayRef,
    names: &mut Names,
    faults: &mut Faults,
) -> Result<ScalarBuffer<u32>, BatchError> {
    let (codes, known) = coded(column, array)?;
    let mut number_of = |code: usize| match known.is_valid(code) && batch.takes(known.value(code)) {
        true => names.number(known.value(code)),
        false => NOBODY,
    };
    let mut numbers = vec![UNSEEN; known.len()];
    // Of a dictionary larger than its rows most names are looked up for nothing.
    if known.len() <= codes.len() / 8 {
        numbers.iter_mut().enumerate().for_each(|(code, number)| *number = number_of(code));
    } else {
        for code in &codes {
            if let Some(number) = numbers.get_mut(*code as usize).filter(|number| **number == UNSEEN) {
                *number = number_of(*code as usize);
            }
        }
    }
    let most = |numbers: &[u32]| {
        vectors!(pulp::Arch::new(), [numbers: &'a [u32] = numbers] -> u32 {
            numbers.iter().fold(0, |most, number| most.max(*number))
        })
    };
    // Files from one writer mostly number their contracts as they come, and so does this.
    if numbers.iter().enumerate().all(|(code, number)| code == *number as usize)
        && (most(&codes) as usize) < numbers.len()
    {
        return Ok(codes);
    }
    let number = |code: &u32| numbers.get(*code as usize).copied().unwrap_or(NOBODY);
    let mut all: Vec<u32> = codes.iter().map(number).collect();
    if most(&all) < NOBODY {
        return Ok(all.into());
    }
    for (row, (number, code)) in all.iter_mut().zip(&codes).enumerate().filter(|(_, (n, _))| **n == NOBODY) {
        let code = *code as usize;
        let reason = match code < known.len() && known.is_valid(code) {
            true => {
                let hint = hint(known.value(code), batch.pack.contracts.iter().map(String::as_str));
                format!("unknown contract `{}`{hint}", crate::cells::short(known.value(code)))
            }
            false => "the contract is missing".to_owned(),
        };
        faults.push((row, column.to_owned(), reason));
        *number = 0;
    }
    Ok(all.into())
}

/// Rows that were refused count as never reported.
pub(crate) fn leave_out(sheet: &mut Sheet, refused: &[(u32, Refused)]) {
    let rows = sheet.rows;
    if let Some(Some(reported)) = sheet.firsts.first_mut() {
        refused.iter().for_each(|(row, _)| take_out(&mut reported.valid, rows, *row as usize));
    }
    sheet.left_out = refused.iter().map(|(row, _)| *row).collect();
}

/// Rows with pauses, reopenings and the like get their whole history.
fn irregular(sheet: &mut Sheet, kinds: &[u16], reasons: Option<&Texts>, batch: &Batch) {
    let Sheet { firsts, irregular, rows, .. } = sheet;
    let kinds: Vec<(u16, &Numbers)> =
        kinds.iter().filter_map(|of| Some((*of, firsts.get(usize::from(*of))?.as_ref()?))).collect();
    let is = |numbers: &Numbers, row: usize| {
        let known = numbers.valid.as_ref().is_none_or(|valid| valid.get(row) == Some(&1));
        numbers.values.get(row).copied().filter(|_| known)
    };
    let moving: Vec<&Numbers> =
        kinds.iter().filter(|(of, _)| kind::IRREGULAR.contains(of)).map(|(_, numbers)| *numbers).collect();
    if moving.iter().all(|numbers| numbers.valid.as_ref().is_some_and(|valid| !valid.contains(&1))) {
        return;
    }
    let number = |row: usize| -> u32 {
        let text = reasons.and_then(|texts| texts.texts.get(*texts.codes.get(row)? as usize));
        let known = |text: &Arc<str>| batch.asked.reasons.iter().position(|reason| reason == text);
        // A reason that no clock names is one like another.
        text.map_or(0, |text| known(text).and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(u32::MAX))
    };
    for row in 0..*rows {
        if moving.iter().all(|numbers| is(numbers, row).is_none()) {
            continue;
        }
        let mut events: Vec<Moved> = kinds
            .iter()
            .filter_map(|(of, numbers)| {
                let reason = if matches!(*of, kind::PAUSED | kind::RESUMED) { number(row) } else { 0 };
                Some(Moved { at: is(numbers, row)?, kind: *of, reason })
            })
            .collect();
        events.sort_by_key(|event| (event.at, event.kind));
        irregular.push(u32::try_from(row).unwrap_or(u32::MAX), events);
    }
}

/// No ticket at all.
pub(crate) struct Nobody;

impl Origin for Nobody {
    fn events(&self, _: usize) -> Vec<Event> {
        Vec::new()
    }
    fn ticket(&self, _: usize) -> &str {
        ""
    }
}

/// The rows of a ticket table told as events.
struct Rows {
    table: RecordBatch,
    layout: Layout,
    pack: Arc<Pack>,
    tickets: StringArray,
    names: Arc<Vec<Arc<str>>>,
    numbers: ScalarBuffer<u32>,
}

impl Origin for Rows {
    fn ticket(&self, row: usize) -> &str {
        if row < self.tickets.len() && self.tickets.is_valid(row) { self.tickets.value(row) } else { "" }
    }

    /// One event for each instant of the row, told in the order of the kinds; the facts come with the report.
    fn events(&self, row: usize) -> Vec<Event> {
        let number = self.numbers.get(row).map_or(0, |number| *number as usize);
        let contract = self.names.get(number).map_or("", |name| name).to_owned();
        let ticket = self.ticket(row).to_owned();
        let kinds: Vec<&str> = self.pack.event_kinds().collect();
        let mut events = Vec::new();
        let mut data = serde_json::Map::new();
        let (mut via, mut reason) = (None, None);
        for (place, name, holds) in &self.layout.columns {
            let Some(array) = self.table.columns().get(*place).filter(|array| array.is_valid(row)) else {
                continue;
            };
            match holds {
                Holds::Via => via = json_of(array, row, None).as_str().map(str::to_owned),
                Holds::PauseReason => reason = json_of(array, row, None).as_str().map(str::to_owned),
                Holds::Fact(of) => {
                    let of = self.pack.facts().get(usize::from(*of));
                    data.insert(name.clone(), json_of(array, row, of.map(|fact| &fact.of)));
                }
                Holds::Kind(of) => {
                    let Some(at) =
                        json_of(array, row, None).as_str().and_then(|at| at.parse::<Instant>().ok())
                    else {
                        continue;
                    };
                    events.push(Event {
                        id: format!("{ticket}/{of:04}"),
                        contract: contract.clone(),
                        ticket: Some(ticket.clone()),
                        kind: kinds.get(usize::from(*of)).map_or(String::new(), |kind| (*kind).to_owned()),
                        at,
                        actor: None,
                        via: None,
                        data: serde_json::Map::new(),
                    });
                }
                Holds::Contract | Holds::Ticket => {}
            }
        }
        for event in &mut events {
            if event.kind == TICKET_KINDS[usize::from(kind::REPORTED)] {
                event.via.clone_from(&via);
                event.data = data.clone();
            } else if let (Some(reason), "paused" | "resumed") = (&reason, event.kind.as_str()) {
                event.data.insert("reason".to_owned(), Json::String(reason.clone()));
            }
        }
        events
    }
}

/// A cell as an event's data have it.
pub(crate) fn json_of(array: &ArrayRef, row: usize, of: Option<&FactType>) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    if array.data_type().is_temporal() {
        let (mut faults, mut doubtful) = Default::default();
        let one = array.slice(row, 1);
        let numbers = instants("", &one, None, &mut faults, &mut doubtful, &mut 0);
        let at = numbers.ok().and_then(|numbers| numbers.values.first().copied());
        return at
            .and_then(|at| Instant::from_micros(at).ok())
            .map_or(Json::Null, |at| Json::String(at.to_string()));
    }
    let shown = arrow::util::display::array_value_to_string(array, row).unwrap_or_default();
    match of {
        Some(FactType::Bool) => Json::Bool(shown == "true"),
        Some(FactType::Integer) => shown.parse::<i64>().map_or(Json::Null, Json::from),
        _ => Json::String(shown),
    }
}
