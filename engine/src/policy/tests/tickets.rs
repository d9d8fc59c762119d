//! Tickets made up at random: facts known and not, extremes of every sort.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::generate::choices::Choices;
use crate::event::Kind;
use crate::ticket::{ContractFacts, FactType, Facts, Value};
use crate::vocabulary::{AgainInputs, BreachInputs, Inputs, LevelInputs, Words};
use crate::{Instant, Money, Span};

/// Everything that a clause is asked about.
pub(super) struct Ticket {
    pub(super) inputs: Arc<Inputs>,
    pub(super) breach: BreachInputs,
    pub(super) period: Arc<LevelInputs>,
    pub(super) again: Arc<AgainInputs>,
}

fn instant(dice: &mut Choices) -> Instant {
    let at = |text: &str| text.parse().unwrap();
    match dice.below(7) {
        0 => at("2026-03-02T10:00:00+08:00"),
        1 => at("2025-12-31T23:59:59.999999+08:00"),
        2 => at("2024-02-29T00:00:00Z"),
        3 => Instant::MIN,
        4 => Instant::MAX,
        5 => at("2299-12-31T12:00:00Z"),
        _ => Instant::from_seconds(1_767_196_800 + dice.number() % 100_000_000).unwrap_or(Instant::MIN),
    }
}

fn number(dice: &mut Choices) -> i64 {
    match dice.below(8) {
        0 => 0,
        1 => 1,
        2..5 => i64::try_from(dice.below(40)).unwrap_or(0),
        5 => -1 - i64::try_from(dice.below(9)).unwrap_or(0),
        6 => dice.pick(&[i64::MAX, i64::MIN, i64::MAX - 1]),
        _ => dice.number(),
    }
}

fn span(dice: &mut Choices) -> Span {
    match dice.below(6) {
        0 => Span::ZERO,
        1 => Span::from_micros(1),
        2 => Span::hours(1),
        3 => Span::seconds(i64::try_from(dice.below(50_000)).unwrap_or(0)),
        4 => Span::from_micros(i64::MAX),
        _ => Span::from_micros(dice.number().saturating_abs()),
    }
}

fn value(dice: &mut Choices, of: &FactType, words: &Words) -> Value {
    match of {
        FactType::Bool => Value::Bool(dice.one_in(2)),
        FactType::Integer => Value::Integer(number(dice)),
        FactType::Money => Value::Money(Money::from_minor(number(dice), words.currency)),
        FactType::Text => Value::Text((dice.pick(&["x", "", "故障", "web", "a } b"])).into()),
        FactType::Instant => Value::Instant(instant(dice)),
        FactType::OneOf(values) => Value::Text(dice.pick(values).clone()),
    }
}

/// Makes up a ticket.
pub(super) fn ticket(dice: &mut Choices, words: &Arc<Words>, [clocks, levels]: &[Vec<&str>; 2]) -> Ticket {
    let unknown = 2 + dice.below(9);
    let mut facts = Facts::default();
    for fact in &words.schema.facts {
        let known = !dice.one_in(unknown);
        let first = known.then(|| value(dice, &fact.of, words));
        let current =
            if dice.one_in(3) { known.then(|| value(dice, &fact.of, words)) } else { first.clone() };
        facts.first.push(first);
        facts.current.push(current);
    }
    let reported_at = instant(dice);
    let via = [None, Some("web"), Some("phone"), Some("")];
    let via = dice.pick(&via).map(Into::into);
    let contract = ContractFacts {
        signed_at: (!dice.one_in(4)).then(|| instant(dice)),
        accepted_at: (!dice.one_in(4)).then(|| instant(dice)),
    };
    let kind = |dice: &mut Choices| Kind(u16::try_from(dice.below(28)).unwrap_or(0));
    let standing = (0..dice.below(5)).map(|_| (kind(dice), instant(dice))).collect();
    let given = facts.first.iter().map(|fact| fact.as_ref().map(|_| instant(dice))).collect();
    let zone = chrono_tz::Asia::Shanghai;
    let on = reported_at.to_chrono().with_timezone(&zone).date_naive();
    let inputs = Inputs::new(
        Arc::clone(words),
        words.terms.on(on),
        (dice.pick(&["T-1", "工单", ""])).into(),
        reported_at,
        via,
        facts,
        contract,
        standing,
        given,
    );
    // A breach is of a clock that the clause sets.
    let clock = if clocks.is_empty() { "repair" } else { dice.pick(clocks) }.into();
    let breach = BreachInputs { clock, due: instant(dice), late: span(dice) };
    let both: Vec<&str> = clocks.iter().chain(levels).copied().collect();
    let (period, again) = (Arc::new(period(dice, words, levels)), Arc::new(again(dice, words, &both)));
    Ticket { inputs: Arc::new(inputs), breach, period, again }
}

/// A closed period of a level that the clause sets.
fn period(dice: &mut Choices, words: &Words, names: &[&str]) -> LevelInputs {
    let name = if names.is_empty() { "repair" } else { dice.pick(names) }.into();
    let total = i64::try_from(dice.below(60)).unwrap_or(0);
    let missed = total.min(i64::try_from(dice.below(6)).unwrap_or(0));
    let share = Decimal::new(i64::try_from(90_000 + dice.below(10_001)).unwrap_or(0), 5);
    let invoiced = Money::from_minor(i64::try_from(dice.below(60_000)).unwrap_or(0), words.currency);
    let (from, until) = (instant(dice), instant(dice));
    LevelInputs { name, from, until, share, total, missed, downtime: span(dice), invoiced }
}

/// A penalty with earlier breaches.
fn again(dice: &mut Choices, words: &Words, names: &[&str]) -> AgainInputs {
    let clock = if names.is_empty() { "repair" } else { dice.pick(names) }.into();
    let at = instant(dice);
    let mut earlier: Vec<Instant> =
        (0..dice.below(5)).map(|_| instant(dice)).filter(|earlier| *earlier <= at).collect();
    earlier.sort_unstable();
    let amount = Money::from_minor(i64::try_from(dice.below(60_000)).unwrap_or(0), words.currency);
    AgainInputs { clock, at, amount, earlier: earlier.into() }
}

/// A quiet ticket: every fact known but `paid_by`, seven of 40 seats, three hours late.
pub(super) fn settled(policy: &super::Policy) -> Ticket {
    with_text(policy, "x")
}

/// The same with another text in its memo.
pub(super) fn with_text(policy: &super::Policy, memo: &str) -> Ticket {
    let words = &policy.words;
    let at = |text: &str| text.parse().unwrap();
    let value = |name: &str, of: &FactType| match (name, of) {
        ("paid_by", _) => None,
        ("students", _) => Some(Value::Integer(40)),
        ("visited", _) => Some(Value::Bool(false)),
        (_, FactType::Bool) => Some(Value::Bool(true)),
        (_, FactType::Integer) => Some(Value::Integer(7)),
        (_, FactType::Money) => Some(Value::Money(Money::from_minor(1250, words.currency))),
        (_, FactType::Text) => Some(Value::Text(memo.into())),
        (_, FactType::Instant) => Some(Value::Instant(at("2026-03-04T00:00:00+08:00"))),
        (_, FactType::OneOf(values)) => values.first().cloned().map(Value::Text),
    };
    let facts: Vec<Option<Value>> =
        words.schema.facts.iter().map(|fact| value(&fact.name, &fact.of)).collect();
    let reported_at: Instant = at("2026-03-02T10:00:00+08:00");
    let inputs = Inputs::new(
        Arc::clone(words),
        words.terms.on(chrono::NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()),
        "T-1".into(),
        reported_at,
        Some("phone".into()),
        Facts { first: facts.clone(), current: facts },
        ContractFacts { signed_at: Some(at("2026-02-01T09:00:00+08:00")), accepted_at: None },
        vec![(Kind::REPORTED, reported_at), (Kind::CLOSED, at("2026-03-03T10:00:00+08:00"))],
        vec![Some(reported_at); words.schema.facts.len()],
    );
    let breach = BreachInputs { clock: "repair".into(), due: reported_at, late: Span::hours(3) };
    let money = |minor| Money::from_minor(minor, words.currency);
    let period = LevelInputs {
        name: "repair".into(),
        from: at("2026-03-01T00:00:00+08:00"),
        until: at("2026-04-01T00:00:00+08:00"),
        share: Decimal::new(995, 3),
        total: 40,
        missed: 2,
        downtime: Span::hours(3),
        invoiced: money(100_000),
    };
    let again =
        AgainInputs { clock: "repair".into(), at: reported_at, amount: money(500), earlier: [].into() };
    Ticket { inputs: Arc::new(inputs), breach, period: Arc::new(period), again: Arc::new(again) }
}
