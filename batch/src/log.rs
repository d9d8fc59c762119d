//! An event log: one row an event, the rows of a ticket together.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Schema;
use holdback::graph::TextOf;
use holdback::{CONTRACT_KINDS, Event, Pack};

use crate::BatchError;
use crate::batch::Batch;
use crate::cells::{Faults, Names, fact, instants, refused, strings, texts};
use crate::clocks::kind;
use crate::error::Refused;
use crate::sheet::{Histories, Moved, Numbers, Origin, Sheet, Texts};
use crate::table::{Nobody, contracts_of, json_of};
use holdback::hint;

/// What a column of a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    Id,
    Contract,
    Ticket,
    Kind,
    At,
    Via,
    Actor,
    Reason,
    /// Nothing that a clause or a clock looks at.
    Note,
    Fact(u16),
    /// Data of an event of the contract.
    Data,
}

/// Which columns a log has.
#[derive(Clone, Debug)]
pub(crate) struct LogLayout {
    pub(crate) columns: Vec<(usize, String, Tells)>,
}

/// Data keys of events of the contract, as columns; `from` and `until` of announced downtime are texts.
const CONTRACT_DATA: [&str; 9] =
    ["amount", "penalty", "duty", "outage", "service", "from", "until", "window", "clocks"];

impl LogLayout {
    /// Whether a table is a log rather than a ticket table.
    pub(crate) fn fits(schema: &Schema) -> bool {
        schema.field_with_name("kind").is_ok() && schema.field_with_name("at").is_ok()
    }

    pub(crate) fn of(pack: &Pack, schema: &Schema) -> Result<LogLayout, BatchError> {
        let mut columns: Vec<(usize, String, Tells)> = Vec::new();
        for (place, field) in schema.fields().iter().enumerate() {
            let name = field.name().as_str();
            // A fact may be called as a field of events is: `data.kind`, or a second column `kind`.
            let fact = name.strip_prefix("data.").unwrap_or(name);
            let again = columns.iter().any(|(_, known, _)| known == name) || fact != name;
            let of_fact = || pack.facts().iter().position(|known| known.name == fact);
            let tells = match if again { "" } else { name } {
                "id" => Tells::Id,
                "contract" => Tells::Contract,
                "ticket" => Tells::Ticket,
                "kind" => Tells::Kind,
                "at" => Tells::At,
                "via" => Tells::Via,
                "actor" => Tells::Actor,
                "reason" => Tells::Reason,
                "note" | "receipt" => Tells::Note,
                _ => match of_fact().and_then(|at| u16::try_from(at).ok()) {
                    Some(fact) => Tells::Fact(fact),
                    None if CONTRACT_DATA.contains(&fact) => Tells::Data,
                    None => {
                        let facts = pack.facts().iter().map(|fact| fact.name.as_str());
                        let own =
                            ["id", "contract", "ticket", "kind", "at", "via", "actor", "reason", "note"];
                        let near = hint(name, facts.chain(own));
                        return Err(BatchError::Unknown { column: name.to_owned(), hint: near });
                    }
                },
            };
            let name = if matches!(tells, Tells::Fact(_) | Tells::Data) { fact } else { name };
            columns.push((place, name.to_owned(), tells));
        }
        let layout = LogLayout { columns };
        for (tells, column, expected) in [
            (Tells::Ticket, "ticket", "expected the ticket of each event"),
            (Tells::Kind, "kind", "expected what happened"),
            (Tells::At, "at", "expected when it happened"),
        ] {
            if layout.place(tells).is_none() {
                let near = hint(column, schema.fields().iter().map(|field| field.name().as_str()));
                return Err(BatchError::Missing { column: column.to_owned(), expected, hint: near });
            }
        }
        if layout.place(Tells::Contract).is_none() && pack.contracts.len() != 1 {
            let (column, hint) = ("contract".to_owned(), String::new());
            return Err(BatchError::Missing {
                column,
                expected: "expected the contract of each event",
                hint,
            });
        }
        Ok(layout)
    }

    pub(crate) fn place(&self, tells: Tells) -> Option<usize> {
        self.columns.iter().find(|(_, _, known)| *known == tells).map(|(place, ..)| *place)
    }
}

/// The tickets of a log laid out.
pub(crate) struct LaidLog {
    pub(crate) sheet: Sheet,
    /// Events that were left out; the others of their tickets count.
    pub(crate) refused: Vec<Refused>,
    /// Events of the contracts themselves.
    pub(crate) of_contracts: Vec<Event>,
}

/// A column of a log that gives a fact.
struct FactColumn {
    of: u16,
    numbers: Numbers,
    texts: Option<Texts>,
}

/// A fact as a ticket has it.
struct Folded {
    first: Vec<i64>,
    now: Vec<i64>,
    given: Vec<i64>,
    valid: Vec<u8>,
    first_code: Vec<u32>,
    code: Vec<u32>,
}

/// When something happened in each ticket.
struct Happened {
    first: Vec<i64>,
    last: Vec<i64>,
    valid: Vec<u8>,
}

/// Lays a log out, in which the rows of each ticket are together and whole. `first` is the number of its first row in the input.
#[expect(clippy::too_many_lines, reason = "one pass over the rows, whose parts need each other")]
pub(crate) fn lay_log(
    batch: &Batch,
    layout: &LogLayout,
    log: &RecordBatch,
    names: &mut Names,
    first: u64,
) -> Result<LaidLog, BatchError> {
    let rows = log.num_rows();
    let pack = &batch.pack;
    let (mut faults, mut doubtful_rows): (Faults, Vec<u32>) = Default::default();
    let column = |tells| layout.columns.iter().find(|(_, _, known)| *known == tells);
    let array = |tells| column(tells).and_then(|(place, name, _)| Some((name, log.columns().get(*place)?)));
    let only = pack.contracts.first().map_or("", String::as_str);
    let contract: ScalarBuffer<u32> = match array(Tells::Contract) {
        None => vec![names.number(only); rows].into(),
        Some((name, array)) => contracts_of(batch, name, array, names, &mut faults)?,
    };
    let tickets = match array(Tells::Ticket) {
        Some((name, array)) => strings(name, array)?,
        None => StringArray::new_null(rows),
    };
    let kinds: Vec<u16> = match array(Tells::Kind) {
        None => Vec::new(),
        Some((name, array)) => {
            let of = texts(name, array)?;
            let known: Vec<Option<u16>> =
                of.texts.iter().map(|text| batch.kinds.get(&**text).copied()).collect();
            let mut kinds = Vec::with_capacity(rows);
            for (row, code) in of.codes.iter().enumerate() {
                let kind = known.get(*code as usize).copied().flatten();
                if kind.is_none() {
                    let text = of.texts.get(*code as usize).map_or("", |text| text);
                    let near = hint(text, pack.event_kinds());
                    faults.push((
                        row,
                        name.clone(),
                        format!("unknown kind `{}`{near}", crate::cells::short(text)),
                    ));
                }
                kinds.push(kind.unwrap_or(u16::MAX));
            }
            kinds
        }
    };
    let at = match array(Tells::At) {
        Some((name, array)) => {
            let numbers = instants(name, array, None, &mut faults, &mut doubtful_rows, &mut 0)?;
            for row in (0..rows).filter(|row| array.is_null(*row)) {
                faults.push((row, name.clone(), "when it happened is missing".to_owned()));
            }
            numbers
        }
        None => Numbers { values: Vec::new().into(), valid: None },
    };
    let ids = array(Tells::Id).map(|(name, array)| strings(name, array)).transpose()?;
    let via = array(Tells::Via).map(|(name, array)| texts(name, array)).transpose()?;
    let reasons = array(Tells::Reason).map(|(name, array)| texts(name, array)).transpose()?;
    // The reasons that clocks name have the first numbers, the others those after them.
    let reason_numbers: Vec<u32> = reasons.as_ref().map_or(Vec::new(), |reasons| {
        let own = batch.asked.reasons.len();
        let number = |(at, text): (usize, &Arc<str>)| {
            batch.asked.reasons.iter().position(|reason| reason == text).unwrap_or(own + at) + 1
        };
        reasons.texts.iter().enumerate().map(number).map(|n| u32::try_from(n).unwrap_or(u32::MAX)).collect()
    });
    let reason = |row: usize| -> u32 {
        let code =
            reasons.as_ref().and_then(|reasons| reasons.codes.get(row)).copied().unwrap_or(Texts::NONE);
        reason_numbers.get(code as usize).copied().unwrap_or_default()
    };
    let mut facts = Vec::new();
    for (place, name, tells) in &layout.columns {
        let (Tells::Fact(of), Some(array)) = (tells, log.columns().get(*place)) else { continue };
        let Some(known) = pack.facts().get(usize::from(*of)) else { continue };
        let (numbers, texts) = fact(name, &known.of, array, pack.currency, &mut faults, &mut doubtful_rows)?;
        facts.push(FactColumn { of: *of, numbers, texts });
    }
    for row in 0..rows {
        let of_contract =
            kinds.get(row).is_some_and(|kind| (16..16 + CONTRACT_KINDS.len()).contains(&usize::from(*kind)));
        let no_ticket = tickets.is_null(row) || tickets.value(row).is_empty();
        if no_ticket != of_contract && kinds.get(row) != Some(&u16::MAX) {
            let reason = match of_contract {
                true => "an event of the contract itself: the ticket must be absent",
                false => "an event of a ticket: the ticket is missing",
            };
            faults.push((row, "ticket".to_owned(), reason.to_owned()));
        }
    }
    let mut refused = refused(faults, first);
    let mut bad = vec![false; if refused.is_empty() { 0 } else { rows }];
    refused.iter().for_each(|(row, _)| bad.get_mut(*row as usize).into_iter().for_each(|bad| *bad = true));
    doubtful_rows.sort_unstable();

    let asked = &batch.asked;
    let mut happened: Vec<Option<Happened>> = asked
        .firsts
        .iter()
        .map(|asked| asked.then(|| Happened { first: Vec::new(), last: Vec::new(), valid: Vec::new() }))
        .collect();
    let mut folded: Vec<Folded> = facts
        .iter()
        .map(|_| Folded {
            first: Vec::new(),
            now: Vec::new(),
            given: Vec::new(),
            valid: Vec::new(),
            first_code: Vec::new(),
            code: Vec::new(),
        })
        .collect();
    let mut sheet = Sheet {
        rows: 0,
        contract: Vec::new().into(),
        firsts: Vec::new(),
        lasts: Vec::new(),
        first_facts: vec![None; pack.facts().len()],
        facts: vec![None; pack.facts().len()],
        given: vec![None; pack.facts().len()],
        texts: HashMap::new(),
        irregular: Histories::default(),
        doubtful: Vec::new(),
        left_out: Vec::new(),
        later: 0,
        origin: Box::new(Nobody),
    };
    let mut of_contracts_rows: Vec<usize> = Vec::new();
    let (mut contracts, mut vias): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    let (mut ends, mut order): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::with_capacity(rows));
    let mut events: Vec<Moved> = Vec::new();
    let mut row = 0;
    while row < rows {
        if tickets.is_null(row) || tickets.value(row).is_empty() {
            if bad.get(row) != Some(&true) {
                of_contracts_rows.push(row);
            }
            row += 1;
            continue;
        }
        let begin = row;
        let (of, ticket) = (contract[row], tickets.value(row));
        row += 1;
        while row < rows && contract[row] == of && tickets.is_valid(row) && tickets.value(row) == ticket {
            row += 1;
        }
        let from = order.len();
        let (mut irregular, mut sorted, mut before, mut doubt) = (false, true, i64::MIN, false);
        #[expect(clippy::needless_range_loop, reason = "a row of several columns")]
        for event in begin..row {
            if bad.get(event) == Some(&true) {
                continue;
            }
            let when = at.values[event];
            sorted &= before <= when && (ids.is_none() || before < when);
            before = when;
            irregular |= kind::IRREGULAR.contains(&kinds[event]);
            doubt |= !doubtful_rows.is_empty() && doubtful_rows.binary_search(&(event as u32)).is_ok();
            order.push(u32::try_from(event).unwrap_or(u32::MAX));
        }
        if !sorted {
            let id = |row: u32| ids.as_ref().map_or("", |ids| ids.value(row as usize));
            let own = &mut order[from..];
            own.sort_by(|a, b| (at.values[*a as usize], id(*a)).cmp(&(at.values[*b as usize], id(*b))));
        }
        if let Some(ids) = &ids {
            told_twice(log, layout, ids, &mut order, from, first, &mut refused);
        }
        if order.len() == from {
            // Nothing of the ticket is left.
            continue;
        }
        ends.push(u32::try_from(order.len()).unwrap_or(u32::MAX));
        let place = sheet.rows;
        sheet.rows += 1;
        contracts.push(of);
        for happened in happened.iter_mut().flatten() {
            happened.first.push(0);
            happened.last.push(0);
            happened.valid.push(0);
        }
        for folded in &mut folded {
            folded.first.push(0);
            folded.now.push(0);
            folded.given.push(0);
            folded.valid.push(0);
            folded.first_code.push(Texts::NONE);
            folded.code.push(Texts::NONE);
        }
        vias.push(Texts::NONE);
        events.clear();
        let mut reported = false;
        for (nth, event) in order[from..].iter().enumerate() {
            let event = *event as usize;
            let (when, of) = (at.values[event], kinds[event]);
            if when > batch.as_of {
                sheet.later += (order.len() - from - nth) as u64;
                break;
            }
            if let Some(Some(happened)) = happened.get_mut(usize::from(of)) {
                if happened.valid[place] == 0 {
                    (happened.first[place], happened.valid[place]) = (when, 1);
                }
                happened.last[place] = when;
            }
            if of == kind::REPORTED && !reported {
                reported = true;
                vias[place] =
                    via.as_ref().and_then(|via| via.codes.get(event)).copied().unwrap_or(Texts::NONE);
            }
            for (column, folded) in facts.iter().zip(&mut folded) {
                if column.numbers.valid.as_ref().is_some_and(|valid| valid[event] == 0) {
                    continue;
                }
                let value = column.numbers.values[event];
                let code = column.texts.as_ref().map_or(Texts::NONE, |texts| texts.codes[event]);
                if folded.valid[place] == 0 {
                    (folded.first[place], folded.given[place], folded.valid[place]) = (value, when, 1);
                    folded.first_code[place] = code;
                }
                (folded.now[place], folded.code[place]) = (value, code);
            }
            if irregular {
                let reason = if matches!(of, kind::PAUSED | kind::RESUMED) { reason(event) } else { 0 };
                events.push(Moved { at: when, kind: of, reason });
            }
        }
        if irregular {
            sheet.irregular.push(u32::try_from(place).unwrap_or(u32::MAX), events.iter().copied());
        }
        if doubt {
            sheet.doubtful.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
    }
    let valid = |valid: Vec<u8>| if valid.contains(&0) { Some(valid) } else { None };
    for (of, happened) in happened.into_iter().enumerate() {
        let Some(happened) = happened else {
            sheet.firsts.push(None);
            sheet.lasts.push(None);
            continue;
        };
        let valid = valid(happened.valid);
        let last = Numbers { values: happened.last.into(), valid: valid.clone() };
        sheet.lasts.push(Some(last).filter(|_| asked.lasts.get(of) == Some(&true)));
        sheet.firsts.push(Some(Numbers { values: happened.first.into(), valid }));
    }
    for (column, folded) in facts.into_iter().zip(folded) {
        let place = usize::from(column.of);
        let valid = valid(folded.valid);
        sheet.given[place] = Some(Numbers { values: folded.given.into(), valid: valid.clone() });
        sheet.first_facts[place] = Some(Numbers { values: folded.first.into(), valid: valid.clone() });
        sheet.facts[place] = Some(Numbers { values: folded.now.into(), valid });
        if let Some(texts) = column.texts {
            let known = texts.texts;
            let first = Texts { codes: folded.first_code.into(), texts: known.clone() };
            sheet.texts.insert(TextOf::Fact(column.of, true), first);
            sheet
                .texts
                .insert(TextOf::Fact(column.of, false), Texts { codes: folded.code.into(), texts: known });
        }
    }
    if let Some(via) = via {
        sheet.texts.insert(TextOf::Via, Texts { codes: vias.into(), texts: via.texts });
    }
    sheet.contract = contracts.into();
    let origin = Events {
        log: log.clone(),
        layout: layout.clone(),
        tickets,
        ids,
        names: Arc::clone(&names.names),
        numbers: contract,
        ends,
        order,
    };
    if asked.texts.contains(&TextOf::Id) {
        let texts: Vec<Arc<str>> = (0..sheet.rows).map(|row| origin.ticket(row).into()).collect();
        let codes = (0..u32::try_from(sheet.rows).unwrap_or(u32::MAX)).collect();
        sheet.texts.insert(TextOf::Id, Texts { codes, texts });
    }
    let of_contracts = of_contracts_rows.into_iter().filter_map(|row| origin.event(row, None)).collect();
    sheet.origin = Box::new(origin);
    refused.sort_by_key(|(row, _)| *row);
    let refused = refused.into_iter().map(|(_, refused)| refused).collect();
    Ok(LaidLog { sheet, refused, of_contracts })
}

/// Takes out of the order the events whose id came before: the same event again, or another one, which is refused.
fn told_twice(
    log: &RecordBatch,
    layout: &LogLayout,
    ids: &StringArray,
    order: &mut Vec<u32>,
    from: usize,
    first: u64,
    refused: &mut Vec<(u32, Refused)>,
) {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut again: Vec<u32> = Vec::new();
    let mut rows: Vec<u32> = order.get(from..).unwrap_or_default().to_vec();
    // The first telling stands, wherever the second says that it belongs.
    rows.sort_unstable();
    for row in rows {
        let id = ids.value(row as usize);
        let Some(known) = seen.get(id) else {
            seen.insert(id, row);
            continue;
        };
        again.push(row);
        let differs = layout.columns.iter().find(|(place, _, tells)| {
            let cell = |row: u32| log.columns().get(*place).map(|array| json_of(array, row as usize, None));
            *tells != Tells::Note && cell(*known) != cell(row)
        });
        if let Some((_, name, _)) = differs {
            let reason = format!("event `{id}` was told before with other content; the first telling stands");
            let column = Some(name.clone());
            refused.push((row, Refused { row: first + u64::from(row), column, reason }));
        }
    }
    if !again.is_empty() {
        let kept: Vec<u32> = order.drain(from..).filter(|row| !again.contains(row)).collect();
        order.extend(kept);
    }
}

/// The rows of a log told as events.
struct Events {
    log: RecordBatch,
    layout: LogLayout,
    tickets: StringArray,
    ids: Option<StringArray>,
    names: Arc<Vec<Arc<str>>>,
    numbers: ScalarBuffer<u32>,
    /// Where the events of each ticket end in the order.
    ends: Vec<u32>,
    order: Vec<u32>,
}

impl Events {
    fn of(&self, row: usize) -> &[u32] {
        let end = self.ends.get(row).map_or(0, |end| *end as usize);
        let begin =
            row.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize);
        self.order.get(begin..end).unwrap_or_default()
    }

    /// One row as an event; `nth` of its ticket, if it is a ticket's.
    fn event(&self, row: usize, nth: Option<usize>) -> Option<Event> {
        let number = self.numbers.get(row).map_or(0, |number| *number as usize);
        let contract = self.names.get(number).map_or("", |name| name);
        let ticket = nth.map(|_| self.tickets.value(row).to_owned());
        let own = self.ids.as_ref().filter(|ids| ids.is_valid(row)).map(|ids| ids.value(row).to_owned());
        let made = match (&ticket, nth) {
            (Some(ticket), Some(nth)) => format!("{contract}/{ticket}/{nth:08}"),
            _ => format!("{contract}/row {:012}", row + 1),
        };
        let text = |array: &ArrayRef| json_of(array, row, None).as_str().map(str::to_owned);
        let mut event = Event {
            id: own.unwrap_or(made),
            contract: contract.to_owned(),
            ticket,
            kind: String::new(),
            at: holdback::Instant::MIN,
            actor: None,
            via: None,
            data: serde_json::Map::new(),
        };
        for (place, name, tells) in &self.layout.columns {
            let Some(array) = self.log.columns().get(*place).filter(|array| array.is_valid(row)) else {
                continue;
            };
            match tells {
                Tells::Kind => event.kind = text(array)?,
                Tells::At => event.at = text(array)?.parse().ok()?,
                Tells::Via => event.via = text(array),
                Tells::Actor => event.actor = text(array),
                Tells::Reason | Tells::Data => {
                    event.data.insert(name.clone(), json_of(array, row, None));
                }
                Tells::Fact(_) => {
                    let of = Some(array.data_type()).map(|of| match of {
                        arrow::datatypes::DataType::Boolean => holdback::FactType::Bool,
                        of if of.is_integer() => holdback::FactType::Integer,
                        _ => holdback::FactType::Text,
                    });
                    event.data.insert(name.clone(), json_of(array, row, of.as_ref()));
                }
                Tells::Id | Tells::Contract | Tells::Ticket | Tells::Note => {}
            }
        }
        Some(event)
    }
}

impl Origin for Events {
    fn events(&self, row: usize) -> Vec<Event> {
        self.of(row)
            .iter()
            .enumerate()
            .filter_map(|(nth, row)| self.event(*row as usize, Some(nth)))
            .collect()
    }

    fn ticket(&self, row: usize) -> &str {
        self.of(row).first().map_or("", |row| self.tickets.value(*row as usize))
    }
}
