//! The words that clause scripts may use, beside rhai's own.

use std::str::FromStr;
use std::sync::Arc;

use rhai::packages::{BasicArrayPackage, Package};
use rhai::{Array, Dynamic, Engine, ImmutableString};
use rust_decimal::Decimal;

use super::compare::register_comparisons;
use super::view::{
    Answer, BreachView, ContractView, FirstView, Inputs, Share, TermsView, TicketView, Words, fault,
};
use crate::event::Kind;
use crate::nearest::hint;
use crate::terms::{Period, PeriodUnit};
use crate::{Currency, Instant, Money, Rounding, Span};

/// `due(...)` while a script builds it.
#[derive(Clone)]
pub(crate) struct Due {
    pub(crate) name: ImmutableString,
    pub(crate) starts: Vec<Kind>,
    pub(crate) after_breach_of: Option<ImmutableString>,
    pub(crate) length: Option<DueLength>,
    pub(crate) stops: Vec<Kind>,
    pub(crate) calendar: Option<u16>,
    pub(crate) pauses: Option<Vec<ImmutableString>>,
}

#[derive(Clone)]
pub(crate) enum DueLength {
    Span(Span),
    Period(Period),
    Fact(u16),
}

/// `free(...)`, `paid(...)` or `undecided()`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    Free(ImmutableString),
    Paid(ImmutableString),
    Undecided,
}

/// `finding(...)`.
#[derive(Clone)]
pub(crate) struct FindingText(pub(crate) ImmutableString);

/// A step of an escalation ladder while a script builds it.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) clock: ImmutableString,
    pub(crate) at: StepAt,
    pub(crate) roles: Vec<ImmutableString>,
}

/// When a step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum StepAt {
    /// When this share of the clock's time is used.
    Share(Decimal),
    /// At the breach.
    Breach,
    /// So long after the breach.
    After(Span),
}

/// Limits of one evaluation. They are the same in debug and release builds, and stop a hostile script within a few
/// milliseconds and a few megabytes.
pub(crate) const OPERATIONS_MAX: u64 = 20_000;
const CALL_LEVELS_MAX: usize = 16;
const EXPR_DEPTH_MAX: usize = 48;
const STRING_MAX: usize = 1_024;
const ARRAY_MAX: usize = 128;
const MAP_MAX: usize = 64;
const VARIABLES_MAX: usize = 64;
const FUNCTIONS_MAX: usize = 64;

/// An interpreter that knows the words of a pack and nothing else.
pub(crate) fn interpreter(words: &Arc<Words>) -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_max_operations(OPERATIONS_MAX);
    engine.set_max_call_levels(CALL_LEVELS_MAX);
    engine.set_max_expr_depths(EXPR_DEPTH_MAX, EXPR_DEPTH_MAX);
    engine.set_max_string_size(STRING_MAX);
    engine.set_max_array_size(ARRAY_MAX);
    engine.set_max_map_size(MAP_MAX);
    engine.set_max_variables(VARIABLES_MAX);
    engine.set_max_functions(FUNCTIONS_MAX);
    engine.set_max_strings_interned(256);
    engine.set_strict_variables(true);
    engine.set_allow_shadowing(false);
    engine.set_allow_anonymous_fn(false);
    engine.set_fail_on_invalid_map_property(true);
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    // Off, so that the comparisons below stand before rhai's own, which call unlike things unequal without a word.
    engine.set_fast_operators(false);
    for word in ["eval", "print", "debug", "Fn", "call", "curry"] {
        engine.disable_symbol(word);
    }
    engine.register_global_module(BasicArrayPackage::new().as_shared_module());
    register_views(&mut engine, words);
    register_types(&mut engine);
    register_comparisons(&mut engine);
    register_time(&mut engine, words);
    register_money(&mut engine, words.currency);
    register_deadlines(&mut engine, words);
    register_verdicts(&mut engine);
    engine
}

#[expect(deprecated, reason = "on_var is marked volatile, not deprecated; rhai is pinned")]
fn register_views(engine: &mut Engine, words: &Words) {
    engine.on_var(|name, _, context| {
        let inputs = || context.tag().read_lock::<Arc<Inputs>>().map(|inputs| Arc::clone(&inputs));
        Ok(match name {
            "terms" => inputs().map(|inputs| Dynamic::from(TermsView(inputs))),
            "contract" => inputs().map(|inputs| Dynamic::from(ContractView(inputs))),
            _ => None,
        })
    });
    // Known names by getters of their own: an indexer is asked only after rhai has written an error for the missing getter.
    for name in words.schema.facts.iter().map(|fact| fact.name.clone()) {
        let first = name.clone();
        engine.register_get(name.clone(), move |view: &mut TicketView| view.get(&name));
        engine.register_get(first.clone(), move |view: &mut FirstView| view.get(&first));
    }
    for name in ["first", "reported_at", "via", "id"] {
        engine.register_get(name, move |view: &mut TicketView| view.get(name));
    }
    for (place, term) in words.terms.list.iter().enumerate() {
        engine.register_get(&*term.name, move |view: &mut TermsView| view.at(place));
    }
    for name in ["signed_at", "accepted_at"] {
        engine.register_get(name, move |view: &mut ContractView| view.get(name));
    }
    for name in ["clock", "due", "late", "ticket"] {
        engine.register_get(name, move |view: &mut BreachView| view.get(name));
    }
    // Unknown names come here, to be told with the nearest known one.
    engine.register_indexer_get(|view: &mut TicketView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut FirstView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut ContractView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut TermsView, name: &str| view.get(name));
    engine.register_indexer_get(|view: &mut BreachView, name: &str| view.get(name));
    engine.register_fn("knows", |view: &mut TicketView, name: &str| view.knows(name));
    engine.register_fn("has", |view: &mut TicketView, kind: &str| view.has(kind));
    engine.register_fn("has", |view: &mut ContractView, kind: &str| view.has(kind));
}

fn register_types(engine: &mut Engine) {
    engine
        .register_type_with_name::<TicketView>("ticket")
        .register_type_with_name::<FirstView>("first values of the ticket")
        .register_type_with_name::<ContractView>("contract")
        .register_type_with_name::<TermsView>("terms")
        .register_type_with_name::<BreachView>("breach")
        .register_type_with_name::<Money>("money")
        .register_type_with_name::<Span>("time")
        .register_type_with_name::<Period>("days")
        .register_type_with_name::<Share>("share")
        .register_type_with_name::<Instant>("instant")
        .register_type_with_name::<Due>("due")
        .register_type_with_name::<Step>("step")
        .register_type_with_name::<Verdict>("class")
        .register_type_with_name::<FindingText>("finding");
}

fn register_time(engine: &mut Engine, words: &Arc<Words>) {
    fn span(n: i64, unit: i64) -> Answer<Span> {
        match n.checked_mul(unit).and_then(|s| s.checked_mul(1_000_000)) {
            Some(micros) if n >= 0 => Ok(Span::from_micros(micros)),
            Some(_) => fault(format!("a length of time is zero or more, not {n}")),
            None => fault(format!("{n} is too long a time")),
        }
    }
    fn period(n: i64, unit: PeriodUnit) -> Answer<Period> {
        match u32::try_from(n) {
            Ok(n) => Ok(Period { unit, n }),
            Err(_) => fault(format!("a period is zero or more days, not {n}")),
        }
    }
    engine.register_fn("seconds", |n: i64| span(n, 1));
    engine.register_fn("minutes", |n: i64| span(n, 60));
    engine.register_fn("hours", |n: i64| span(n, 3600));
    engine.register_fn("days", |n: i64| period(n, PeriodUnit::Days));
    engine.register_fn("working_days", |n: i64| period(n, PeriodUnit::WorkingDays));
    engine.register_fn("weeks", |n: i64| period(n, PeriodUnit::Weeks));
    engine.register_fn("months", |n: i64| period(n, PeriodUnit::Months));
    engine.register_fn("years", |n: i64| period(n, PeriodUnit::Years));
    engine
        .register_fn("+", |a: Span, b: Span| a.checked_add(b).map_or_else(|| fault("a time overflows"), Ok));
    engine
        .register_fn("-", |a: Span, b: Span| a.checked_sub(b).map_or_else(|| fault("a time overflows"), Ok));
    engine.register_fn("*", |a: Span, n: i64| match a.micros().checked_mul(n) {
        Some(micros) => Ok(Span::from_micros(micros)),
        None => fault("a time overflows"),
    });
    engine.register_fn("-", |a: Instant, b: Instant| a.since(b));
    engine.register_fn("+", |a: Instant, b: Span| a.checked_add(b).or_else(|e| fault(e.to_string())));
    engine.register_fn("started", |a: Span, unit: Span| parts(a, unit, true));
    engine.register_fn("full", |a: Span, unit: Span| parts(a, unit, false));
    let days = Arc::clone(&words.schema.days);
    engine.register_fn("plus", move |from: Instant, period: Period| {
        let end = crate::clock::period_end(&days, from, period, crate::clock::CountRule::ContractLaw);
        end.or_else(|e| fault(e.to_string()))
    });
    engine.register_fn("/", |a: i64, b: i64| match (a.checked_rem(b), a.checked_div(b)) {
        (Some(0), Some(whole)) => Ok(whole),
        (Some(_), _) => {
            fault(format!("{a} / {b} is not a whole number; say `started` or `full` units instead"))
        }
        _ => fault(format!("{a} cannot be divided by {b}")),
    });
}

/// How many units a time has: full ones, or also the one begun.
fn parts(a: Span, unit: Span, begun: bool) -> Answer<i64> {
    if unit.micros() <= 0 {
        return fault("the unit of `started` and `full` must be longer than nothing");
    }
    let (whole, rest) = (a.micros() / unit.micros(), a.micros() % unit.micros());
    Ok(whole + i64::from(begun && rest > 0))
}

fn register_money(engine: &mut Engine, currency: Currency) {
    fn ok(money: Result<Money, crate::MoneyError>) -> Answer<Money> {
        money.or_else(|e| fault(e.to_string()))
    }
    engine.register_fn("money", move |text: &str| ok(Money::parse(text, currency)));
    engine.register_fn("yuan", move |n: i64| yuan(currency, &n.to_string()));
    engine.register_fn("yuan", move |text: &str| yuan(currency, text));
    engine.register_fn("+", |a: Money, b: Money| ok(a.checked_add(b)));
    engine.register_fn("-", |a: Money, b: Money| ok(a.checked_sub(b)));
    engine.register_fn("*", |a: Money, n: i64| ok(a.checked_mul(n)));
    engine.register_fn("*", |n: i64, a: Money| ok(a.checked_mul(n)));
    engine.register_fn("min", |a: Money, b: Money| ok(a.compare(b).map(|o| if o.is_gt() { b } else { a })));
    engine.register_fn("max", |a: Money, b: Money| ok(a.compare(b).map(|o| if o.is_lt() { b } else { a })));
    engine.register_fn("min", |a: i64, b: i64| a.min(b));
    engine.register_fn("max", |a: i64, b: i64| a.max(b));
    engine.register_fn("percent", |n: i64| Share(Decimal::from(n) / Decimal::ONE_HUNDRED));
    engine.register_fn("percent", |text: &str| match Decimal::from_str(text) {
        Ok(n) => Ok(Share(n / Decimal::ONE_HUNDRED)),
        Err(_) => fault(format!("`{text}` is not a number of percent")),
    });
    engine.register_fn("of", |share: Share, money: Money, rounding: &str| {
        ok(rounding.parse::<Rounding>().and_then(|rounding| money.share(share.0, rounding)))
    });
}

fn yuan(currency: Currency, text: &str) -> Answer<Money> {
    if currency.code() != "CNY" {
        return fault(format!("yuan in a contract in {currency}"));
    }
    Money::parse(text, currency).or_else(|e| fault(e.to_string()))
}

fn register_deadlines(engine: &mut Engine, words: &Arc<Words>) {
    engine.register_fn("due", |name: ImmutableString| Due {
        name,
        starts: vec![Kind::REPORTED],
        after_breach_of: None,
        length: None,
        stops: Vec::new(),
        calendar: None,
        pauses: None,
    });
    fn with(due: &mut Due, change: impl FnOnce(&mut Due)) -> Due {
        let mut due = due.clone();
        change(&mut due);
        due
    }
    engine.register_fn("within", |due: &mut Due, span: Span| {
        with(due, |d| d.length = Some(DueLength::Span(span)))
    });
    engine.register_fn("within", |due: &mut Due, period: Period| {
        with(due, |d| d.length = Some(DueLength::Period(period)))
    });
    let schema = Arc::clone(&words.schema);
    engine.register_fn("by", move |due: &mut Due, fact: &str| {
        let found = schema.fact(fact).filter(|place| {
            schema.facts.get(*place).is_some_and(|fact| fact.of == crate::ticket::FactType::Instant)
        });
        match found.and_then(|place| u16::try_from(place).ok()) {
            Some(place) => Ok(with(due, |d| d.length = Some(DueLength::Fact(place)))),
            None => {
                let near = hint(fact, schema.facts.iter().map(|f| f.name.as_str()));
                fault(format!("`{fact}` is not an instant among the ticket's facts{near}"))
            }
        }
    });
    engine.register_fn("after_breach_of", |due: &mut Due, clock: ImmutableString| {
        with(due, |d| d.after_breach_of = Some(clock))
    });
    let calendars = Arc::clone(words);
    engine.register_fn("in_calendar", move |due: &mut Due, name: &str| {
        match calendars.calendars.iter().position(|known| known == name).and_then(|i| u16::try_from(i).ok()) {
            Some(place) => Ok(with(due, |d| d.calendar = Some(place))),
            None => {
                let near = hint(name, calendars.calendars.iter().map(String::as_str));
                fault(format!("unknown calendar `{name}`{near}"))
            }
        }
    });
    engine.register_fn("pauses", |due: &mut Due| with(due, |d| d.pauses = Some(Vec::new())));
    register_lists(engine, words);
}

/// Words that take one name or several.
fn register_lists(engine: &mut Engine, words: &Arc<Words>) {
    type Names = Vec<ImmutableString>;
    fn register<T: Clone + Send + Sync + 'static>(
        engine: &mut Engine,
        word: &str,
        with: impl Fn(&mut T, Names) -> Answer<T> + Clone + Send + Sync + 'static,
    ) {
        type S = ImmutableString;
        let (one, two, three) = (with.clone(), with.clone(), with.clone());
        let (four, five, six, list) = (with.clone(), with.clone(), with.clone(), with);
        engine.register_fn(word, move |t: &mut T, a: S| one(t, vec![a]));
        engine.register_fn(word, move |t: &mut T, a: S, b: S| two(t, vec![a, b]));
        engine.register_fn(word, move |t: &mut T, a: S, b: S, c: S| three(t, vec![a, b, c]));
        engine.register_fn(word, move |t: &mut T, a: S, b: S, c: S, d: S| four(t, vec![a, b, c, d]));
        engine.register_fn(word, move |t: &mut T, a: S, b: S, c: S, d: S, e: S| five(t, vec![a, b, c, d, e]));
        engine.register_fn(word, move |t: &mut T, a: S, b: S, c: S, d: S, e: S, f: S| {
            six(t, vec![a, b, c, d, e, f])
        });
        engine.register_fn(word, move |t: &mut T, names: Array| {
            let names: Option<Names> =
                names.into_iter().map(|name| name.into_immutable_string().ok()).collect();
            names.map_or_else(|| fault("a list of names holds texts only"), |names| list(t, names))
        });
    }
    let kinds = |words: &Words, names: Names| -> Answer<Vec<Kind>> {
        let find = |name: &ImmutableString| match words.schema.kinds.find(name) {
            Some(kind) if kind.of_contract() => {
                fault(format!("`{name}` is an event of the contract, not of a ticket"))
            }
            Some(kind) => Ok(kind),
            None => fault(format!("unknown event kind `{name}`{}", words.schema.kinds.hint(name))),
        };
        names.iter().map(find).collect()
    };
    let (stops, starts) = (Arc::clone(words), Arc::clone(words));
    register(engine, "met_by", move |due: &mut Due, names| {
        let mut due = due.clone();
        due.stops.extend(kinds(&stops, names)?);
        Ok(due)
    });
    register(engine, "starts_on", move |due: &mut Due, names| {
        Ok(Due { starts: kinds(&starts, names)?, ..due.clone() })
    });
    register(engine, "pauses_for", |due: &mut Due, names| {
        let mut due = due.clone();
        due.pauses.get_or_insert_default().extend(names);
        Ok(due)
    });
    register(engine, "notify", |step: &mut Step, names| Ok(Step { roles: names, ..step.clone() }));
}

fn register_verdicts(engine: &mut Engine) {
    engine.register_fn("free", Verdict::Free);
    engine.register_fn("paid", Verdict::Paid);
    engine.register_fn("undecided", || Verdict::Undecided);
    engine.register_fn("finding", FindingText);
    fn step(clock: ImmutableString, at: StepAt) -> Step {
        Step { clock, at, roles: Vec::new() }
    }
    engine.register_fn("at_share", |clock: ImmutableString, share: Share| {
        match share.0 > Decimal::ZERO && share.0 < Decimal::ONE {
            true => Ok(step(clock, StepAt::Share(share.0))),
            false => fault("a step at a share lies between 0 and 100 percent; `at_breach` is the whole"),
        }
    });
    engine.register_fn("at_breach", |clock: ImmutableString| step(clock, StepAt::Breach));
    engine.register_fn("after_breach", |clock: ImmutableString, span: Span| step(clock, StepAt::After(span)));
}
