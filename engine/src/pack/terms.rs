//! terms.toml: every term with its unit and its dated values, each checked where it stands.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::names::{self, Names, unwritable};
use super::source::{At, Faults, Source};
use super::syntax::parse;
use super::table::{Table, Value};
use super::tiers::tiers;
use crate::Currency;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::hint;
use crate::terms::{Term, TermError, TermValue, TierUnit, UNITS};
use crate::vocabulary::WIDTH;

/// Every date on which some term changes makes another version of all terms.
const DATES_MAX: usize = 1_000;

/// The terms of a pack and where they say what they say.
#[derive(Default)]
pub(super) struct TermList {
    pub(super) list: Vec<Term>,
    pub(super) places: BTreeMap<String, TermPlaces>,
}

/// Where a term of terms.toml says what it says.
pub(super) struct TermPlaces {
    pub(super) name: Place,
    pub(super) clause: At<String>,
    pub(super) unit: Place,
    /// The date from which it first has a value.
    pub(super) first: Option<At<NaiveDate>>,
}

/// Reads terms.toml. Without a currency every currency is taken: what is wrong is the currency.
pub(super) fn terms(source: &Source<'_>, currency: Option<Currency>, faults: &mut Faults) -> TermList {
    let mut terms = TermList::default();
    let Some(file) = parse(source, faults) else {
        faults.doubt("terms.toml");
        return terms;
    };
    let mut known = Names::new(Code::TERM, "the term");
    let entries = Table::root(source, file.get_ref()).all(faults);
    for (name, _) in &entries {
        known.take(name, faults);
    }
    for (name, value) in entries {
        named(&name, faults);
        let read = value.table(faults).and_then(|table| term(&name, table, currency, &mut known, faults));
        match read {
            Some((term, places)) => {
                terms.list.push(term);
                terms.places.insert(name.value, places);
            }
            None => faults.doubt(name.value),
        }
    }
    if terms.list.len() > WIDTH {
        let message = format!("{} terms: a pack has at most {WIDTH}", terms.list.len());
        faults.add(Code::TERM, Place::file(source.file), message);
        terms.list.truncate(WIDTH);
    }
    let dates = terms.list.iter().flat_map(|term| term.values.iter().map(|(from, _)| *from));
    let dates: BTreeSet<NaiveDate> = dates.collect();
    if dates.len() > DATES_MAX {
        let message = format!("values from {} dates: a pack has at most {DATES_MAX}", dates.len());
        faults.add(Code::TERM, Place::file(source.file), message);
        terms.list.clear();
        faults.doubt("terms.toml");
    }
    terms
}

fn named(name: &At<String>, faults: &mut Faults) {
    if let Some(why) = unwritable(&name.value) {
        faults.add(Code::TERM, name.place.clone(), format!("term `{}` is {why}", name.value));
    }
    names::spelling(name, faults);
}

fn term(
    name: &At<String>,
    mut table: Table<'_>,
    currency: Option<Currency>,
    known: &mut Names,
    faults: &mut Faults,
) -> Option<(Term, TermPlaces)> {
    let clause = table.need_text("clause", faults);
    let unit = table.need_text("unit", faults);
    let of = table.get("of");
    let doc = table.text("doc", faults).map(|doc| doc.value).unwrap_or_default();
    let zh = table.text("zh", faults);
    let values = table.need("values", faults);
    table.end(faults);
    if let Some(zh) = &zh {
        named(zh, faults);
        known.take(zh, faults);
    }
    let (clause, unit) = (clause?, unit?);
    let of = allowed(&name.value, &unit.value, of.as_ref(), &unit.place, faults);
    let currency = in_currency(&name.value, &unit, currency, faults)?;
    let mut term = Term {
        name: name.value.as_str().into(),
        clause: clause.value.clone(),
        unit: unit.value,
        of,
        doc,
        zh: zh.map(|zh| zh.value),
        values: Vec::new(),
    };
    let first = values.and_then(|values| dated(&mut term, &values, currency, faults));
    Some((term, TermPlaces { name: name.place.clone(), clause, unit: unit.place, first }))
}

/// The texts that a one-of allows.
fn allowed(
    name: &str,
    unit: &str,
    of: Option<&Value<'_>>,
    unit_place: &Place,
    faults: &mut Faults,
) -> Vec<String> {
    let list = of.map(|of| of.texts(faults)).unwrap_or_default();
    match of {
        Some(of) if unit != "one-of" => {
            let message = format!("term `{name}`: `of` belongs to the unit `one-of`, not to `{unit}`");
            let told = Diagnostic::new(Code::TERM, of.key.clone(), message);
            faults.tell(told.related(unit_place.clone(), "the unit"));
        }
        Some(of) if list.is_empty() && of.value.get_ref().as_array().is_some_and(|list| list.is_empty()) => {
            let message = format!("term `{name}`: `of` is empty: expected the texts that the term allows");
            faults.add(Code::TERM, of.place.clone(), message);
        }
        None if unit == "one-of" => {
            let message =
                format!("term `{name}` is a one-of without `of`: expected the texts that it allows");
            faults.add(Code::TERM, unit_place.clone(), message);
        }
        _ => {}
    }
    let mut known: BTreeMap<&str, &Place> = BTreeMap::new();
    for text in &list {
        if let Some(first) = known.insert(&text.value, &text.place) {
            let message = format!("term `{name}`: `{}` stands twice in `of`", text.value);
            let told = Diagnostic::new(Code::TERM, text.place.clone(), message);
            faults.tell(told.related(first.clone(), "it stands here first"));
        }
    }
    list.into_iter().map(|text| text.value).collect()
}

/// The currency to read a term's values in; nothing, and a fault, for a unit that cannot be.
fn in_currency(
    name: &str,
    unit: &At<String>,
    contract: Option<Currency>,
    faults: &mut Faults,
) -> Option<Currency> {
    let fallback = contract.or_else(|| "CNY".parse().ok());
    if UNITS.split(", ").any(|known| known == unit.value) {
        return fallback;
    }
    let of = match TierUnit::parse(&unit.value) {
        Some(tiers) => tiers.gives.ok_or(()),
        None => unit.value.parse().map_err(drop),
    };
    match (of, contract) {
        (Ok(of), Some(contract)) if of != contract => {
            let message = format!(
                "term `{name}`: the unit `{}` is not money of this contract: expected an amount of {contract}, \
                 the contract's currency",
                unit.value
            );
            let told = Diagnostic::new(Code::TERM, unit.place.clone(), message);
            faults.tell(told.label(format!("pack.toml says {contract}")));
            None
        }
        (Ok(of), _) => Some(of),
        (Err(_), _) => {
            let near = hint(&unit.value, UNITS.split(", "));
            let error = TermError::Unit {
                name: name.to_owned(),
                unit: unit.value.clone(),
                units: UNITS.to_owned(),
                hint: near,
            };
            faults.tell(
                Diagnostic::new(Code::TERM, unit.place.clone(), error.to_string()).label("no such unit"),
            );
            None
        }
    }
}

/// Reads the dated values of a term into it, and gives the first date.
fn dated(
    term: &mut Term,
    values: &Value<'_>,
    currency: Currency,
    faults: &mut Faults,
) -> Option<At<NaiveDate>> {
    let entries = values.items(faults);
    if entries.is_empty() && values.value.get_ref().is_array() {
        let example = "expected at least one `{ from = 2026-01-01, value = ... }`";
        let message = format!("term `{}` has no values: {example}", term.name);
        faults.add(Code::TERM, values.place.clone(), message);
    }
    let mut dates: Vec<At<NaiveDate>> = Vec::new();
    // A date that cannot be read may be the first.
    let mut whole = true;
    for entry in entries {
        let Some(mut table) = entry.table(faults) else { continue };
        let from = table.need("from", faults).and_then(|from| from.date(faults));
        whole &= from.is_some();
        let value = table.need("value", faults);
        table.end(faults);
        let ordered = from.as_ref().is_none_or(|from| in_order(&term.name, from, &dates, faults));
        whole &= ordered;
        let read = value.and_then(|value| one(term, &value, currency, faults));
        if let Some(from) = from.filter(|_| ordered) {
            if let Some(read) = read {
                term.values.push((from.value, read));
            }
            dates.push(from);
        }
    }
    dates.into_iter().next().filter(|_| whole)
}

/// One value of a term.
fn one(term: &Term, value: &Value<'_>, currency: Currency, faults: &mut Faults) -> Option<TermValue> {
    if let Some(unit) = TierUnit::parse(&term.unit) {
        return tiers(&term.name, unit, value, faults);
    }
    match value.scalar() {
        Some(text) => match term.read(&text, currency) {
            Ok(read) => Some(read),
            Err(error) => {
                let told = Diagnostic::new(Code::TERM, value.place.clone(), error.to_string());
                faults.tell(told.label(format!("not a value in {}", term.unit)));
                None
            }
        },
        None => {
            let message = format!("term `{}`: expected one value in {}", term.name, term.unit);
            faults.add(Code::TERM, value.place.clone(), message);
            None
        }
    }
}

fn in_order(name: &str, from: &At<NaiveDate>, dates: &[At<NaiveDate>], faults: &mut Faults) -> bool {
    let Some(before) = dates.last().filter(|before| before.value >= from.value) else { return true };
    // The same date may stand further up.
    let same = dates.binary_search_by_key(&from.value, |date| date.value).ok();
    let other = same.and_then(|i| dates.get(i)).unwrap_or(before);
    let date = from.value;
    let (message, label) = if other.value == date {
        (format!("term `{name}`: two values from {date}: expected each date once"), "this date again")
    } else {
        let before = before.value;
        (
            format!(
                "term `{name}`: the value from {date} does not come after the one before it, from {before}"
            ),
            "an earlier date",
        )
    };
    let told = Diagnostic::new(Code::TERM_DATES, from.place.clone(), message).label(label);
    faults.tell(told.related(other.place.clone(), format!("the value from {} stands here", other.value)));
    false
}

/// Terms that have no value yet while their clause is in force: `from` gives the date of each clause, if it says one.
pub(super) fn gaps(terms: &TermList, from: &BTreeMap<&str, &At<NaiveDate>>, faults: &mut Faults) {
    let mut earliest: BTreeMap<&str, (&str, &At<NaiveDate>)> = BTreeMap::new();
    for (name, places) in &terms.places {
        let Some(first) = &places.first else { continue };
        let clause = places.clause.value.as_str();
        earliest
            .entry(clause)
            .and_modify(|known| {
                if first.value < known.1.value {
                    *known = (name, first);
                }
            })
            .or_insert((name, first));
    }
    for (name, places) in &terms.places {
        let Some(first) = &places.first else { continue };
        let clause = places.clause.value.as_str();
        let date = first.value;
        let (since, related) = match (from.get(clause), earliest.get(clause)) {
            (Some(from), _) => {
                (from.value, (from.place.clone(), "the clause is in force from here".to_owned()))
            }
            (None, Some((other, begun))) => {
                (begun.value, (begun.place.clone(), format!("the term `{other}` of the clause begins here")))
            }
            (None, None) => continue,
        };
        if since < date {
            let message = format!(
                "term `{name}` has no value before {date}, but its clause `{clause}` is in force from {since}"
            );
            let help =
                format!("give it a value from {since}, or say from when the clause holds: `//! from:`");
            let told = Diagnostic::new(Code::TERM_GAP, first.place.clone(), message);
            faults.tell(told.label("its first value").help(help).related(related.0, related.1));
        }
    }
}
