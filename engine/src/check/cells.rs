//! All tickets, cut into cells: by the numbers in force, and by every combination of the facts that have few values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use rhai::ImmutableString;

use super::value::number;
use super::walk::{Assumed, Cell};
use crate::event::Kind;
use crate::policy::ClauseScript;
use crate::program::{Case, Function, Op};
use crate::terms::TermsInForce;
use crate::ticket::{FactType, Value as FactValue};
use crate::vocabulary::{Asked, Sort, Value};
use crate::{Instant, Pack};

/// At most so many cells are looked at one by one; facts beyond are left open.
const CELLS_MAX: usize = 20_000;
/// Instants lie in these years, or nearer the pack's own dates where these lie outside.
const YEARS: (i32, i32) = (1990, 2100);
/// What calendars know.
const DATES: (i32, i32) = (1901, 2290);

/// What functions ask for.
#[derive(Default)]
pub(super) struct Asks {
    /// By place: whether the fact is read as first given, and as it stands.
    pub(super) facts: BTreeMap<u16, [bool; 2]>,
    pub(super) contract: [bool; 2],
    pub(super) via: bool,
    pub(super) clock: bool,
    pub(super) terms: BTreeSet<usize>,
    pub(super) kinds: Vec<Kind>,
    /// The numbers written in them, by sort.
    pub(super) numbers: Vec<(Sort, i64)>,
    pub(super) texts: Vec<ImmutableString>,
    /// How many parts they have.
    pub(super) nodes: u64,
}

impl Asks {
    pub(super) fn of<'a>(functions: impl IntoIterator<Item = &'a Function>) -> Asks {
        let mut asks = Asks::default();
        for function in functions {
            function.body.walk(&mut |node| asks.note(&node.op));
        }
        asks
    }

    fn note(&mut self, op: &Op) {
        self.nodes += 1;
        match op {
            Op::Fact { place, first, .. } => {
                let read = self.facts.entry(*place).or_default();
                if let Some(read) = read.get_mut(usize::from(!first)) {
                    *read = true;
                }
            }
            Op::Knows(place) => drop(self.facts.entry(*place).or_default()),
            Op::ContractHas(which) => self.contract(usize::from(*which)),
            Op::Ask(Asked::SignedAt) => self.contract(0),
            Op::Ask(Asked::AcceptedAt) => self.contract(1),
            Op::Ask(Asked::Clock) => self.clock = true,
            Op::Ask(Asked::Via) => self.via = true,
            Op::Term(place) => drop(self.terms.insert(usize::from(*place))),
            Op::Has(kind) if !self.kinds.contains(kind) => self.kinds.push(*kind),
            Op::Const(value) => self.constant(value),
            Op::Switch(switch) => {
                for (case, _) in &switch.cases {
                    match case {
                        Case::Value(value) => self.constant(value),
                        Case::Range(first, last) => {
                            self.numbers.extend([(Sort::Count, *first), (Sort::Count, *last)]);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn contract(&mut self, which: usize) {
        if let Some(read) = self.contract.get_mut(which) {
            *read = true;
        }
    }

    fn constant(&mut self, value: &Value) {
        if let Value::Text(text) = value {
            if !self.texts.contains(text) {
                self.texts.push(text.clone());
            }
        } else if let Some(number) = number(value).filter(|number| !self.numbers.contains(number)) {
            self.numbers.push(number);
        }
    }
}

/// A stretch of report dates over which the numbers are the same.
#[derive(Clone)]
pub(super) struct Window {
    pub(super) terms: Arc<TermsInForce>,
    pub(super) reported: (i64, i64),
}

/// The report dates for which clauses are all in force, cut where a term they read changes.
///
/// A clause without `from` counts from the first date on which one of these terms has a value.
pub(super) fn windows(pack: &Pack, clauses: &[&ClauseScript], terms: &BTreeSet<usize>) -> Vec<Window> {
    let words = &pack.policy.words;
    let dates = terms.iter().filter_map(|term| words.terms.list.get(*term)).flat_map(|term| &term.values);
    let mut dates: Vec<NaiveDate> = dates.map(|(from, _)| clipped(*from)).collect();
    dates.sort_unstable();
    dates.dedup();
    let year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    let first = dates.first().copied().unwrap_or_else(|| clipped(words_begin(pack)));
    let mut begin = clauses.iter().filter_map(|clause| clause.from).max().map_or(first, clipped);
    let until = clauses.iter().filter_map(|clause| clause.until).min().map(clipped);
    // Ten years at least, wherever the dates of the pack lie.
    let last = dates.last().copied().unwrap_or(begin).max(begin) + Days::new(3_650);
    let end = until.unwrap_or_else(|| clipped(year(YEARS.1).max(last)));
    dates.retain(|date| begin < *date && *date < end);
    dates.push(end);
    let mut windows = Vec::new();
    for date in dates {
        if let (Some(from), Some(to)) = (day_begins(pack, begin), day_begins(pack, date))
            && from < to
        {
            windows.push(Window { terms: words.terms.on(begin), reported: (from, to - 1) });
        }
        begin = date;
    }
    windows
}

/// The first date on which any term has a value.
fn words_begin(pack: &Pack) -> NaiveDate {
    let terms = pack.policy.words.terms.list.iter();
    let first = terms.filter_map(|term| term.values.first()).map(|(from, _)| *from).min();
    first.or(NaiveDate::from_ymd_opt(2020, 1, 1)).unwrap_or_default()
}

fn clipped(date: NaiveDate) -> NaiveDate {
    let year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    // A value for all dates holds from the beginning of time.
    let least = if date == NaiveDate::MIN { YEARS.0 } else { DATES.0 };
    date.clamp(year(least), year(DATES.1))
}

/// When a day of the contract begins, in microseconds.
fn day_begins(pack: &Pack, date: NaiveDate) -> Option<i64> {
    pack.schema.days.end_of_day(date.pred_opt()?).ok().map(Instant::micros)
}

/// Between which instants all that is told lies.
pub(super) fn instants(windows: &[Window]) -> (i64, i64) {
    let year = |year| {
        let date = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_hms_opt(0, 0, 0);
        date.map_or(0, |at| at.and_utc().timestamp_micros())
    };
    let low = windows.iter().map(|window| window.reported.0).min().unwrap_or(i64::MAX);
    let high = windows.iter().map(|window| window.reported.1).max().unwrap_or(i64::MIN);
    (low.min(year(YEARS.0)), high.max(year(YEARS.1)))
}

/// All cells, by number.
pub(super) struct Space {
    pub(super) windows: Vec<Window>,
    instants: (i64, i64),
    facts: Vec<(u16, Vec<Assumed>)>,
    /// How many facts the schema has.
    places: usize,
    contract: [Vec<Option<bool>>; 2],
    clocks: Vec<Option<ImmutableString>>,
}

impl Space {
    /// The cells of what is asked for; `effort` bounds how many, in parts of the program.
    pub(super) fn new(
        pack: &Pack,
        windows: Vec<Window>,
        asks: &Asks,
        clocks: &[ImmutableString],
        effort: u64,
    ) -> Space {
        let most = usize::try_from(effort / asks.nodes.max(1)).unwrap_or(usize::MAX).clamp(1, CELLS_MAX);
        let mut space = Space {
            instants: instants(&windows),
            windows,
            facts: Vec::new(),
            places: pack.schema.facts.len(),
            contract: asks
                .contract
                .map(|asked| if asked { vec![Some(false), Some(true)] } else { vec![None] }),
            clocks: match asks.clock {
                true => clocks.iter().cloned().map(Some).collect(),
                false => vec![None],
            },
        };
        let options = asks.facts.iter().filter_map(|(place, read)| {
            let fact = pack.schema.facts.get(usize::from(*place))?;
            Some((*place, options(&fact.of, *read)))
        });
        let mut options: Vec<(u16, Vec<Assumed>)> = options.collect();
        options.sort_by_key(|(place, options)| (options.len(), *place));
        for (place, options) in options {
            if space.len().saturating_mul(options.len()) <= most {
                space.facts.push((place, options));
            }
        }
        space.facts.sort_by_key(|(place, _)| *place);
        space
    }

    pub(super) fn len(&self) -> usize {
        let facts = self.facts.iter().map(|(_, options)| options.len());
        let others = [self.windows.len(), self.contract[0].len(), self.contract[1].len(), self.clocks.len()];
        facts.chain(others).fold(1, usize::saturating_mul)
    }

    /// The cell of a number below [`Space::len`].
    pub(super) fn cell(&self, mut number: usize) -> Option<Cell> {
        let mut take = |n: usize| {
            let at = number % n.max(1);
            number /= n.max(1);
            at
        };
        let clock = self.clocks.get(take(self.clocks.len()))?.clone();
        let mut facts = vec![Assumed::Open; self.places];
        for (place, options) in self.facts.iter().rev() {
            let option = options.get(take(options.len()))?.clone();
            if let Some(fact) = facts.get_mut(usize::from(*place)) {
                *fact = option;
            }
        }
        let [signed, accepted] = &self.contract;
        let contract = [*signed.get(take(signed.len()))?, *accepted.get(take(accepted.len()))?];
        let window = self.windows.get(take(self.windows.len()))?;
        Some(Cell {
            terms: Arc::clone(&window.terms),
            reported: window.reported,
            instants: self.instants,
            facts,
            contract,
            clock,
        })
    }
}

/// What a fact may be: not known, or each of its values where these are few.
fn options(of: &FactType, [first, current]: [bool; 2]) -> Vec<Assumed> {
    let values: Vec<Option<FactValue>> = match of {
        FactType::Bool => [true, false].map(|yes| Some(FactValue::Bool(yes))).into(),
        FactType::OneOf(values) => values.iter().map(|value| Some(FactValue::Text(value.clone()))).collect(),
        _ => vec![None],
    };
    let any = vec![None];
    let firsts = if first { &values } else { &any };
    let currents = if current { &values } else { &any };
    let told = firsts.iter().flat_map(|first| {
        currents.iter().map(move |current| Assumed::Told([first.clone(), current.clone()]))
    });
    told.chain([Assumed::Unknown]).collect()
}
