//! What the words do. Pure: the words of the pack and the arguments in, a value or a plain sentence out.

mod contract;

use std::str::FromStr;
use std::sync::Arc;

use rhai::ImmutableString;
use rust_decimal::Decimal;

use super::Words;
use super::value::{Due, DueLength, FindingText, Share, Step, StepAt, Value, Verdict};
use crate::event::Kind;
use crate::nearest::hint;
use crate::terms::{Period, PeriodUnit, TierBy, TierValue};
use crate::ticket::FactType;
use crate::{Currency, Money, MoneyError, Rounding, Span};
pub(super) use contract::{
    announced, availability, cap_in_all, cap_over_months, cap_per_month, cap_per_quarter, cap_per_ticket,
    cap_per_year, duty, duty_calendar, duty_starts, duty_within, early, earned_back, every, for_clauses,
    in_time, level_calendar, level_starts, needs, of_service, once, over_months, per_month, per_quarter,
    per_year, planned_counts, settles_after,
};

/// A value, or what was wrong.
pub(crate) type Done = Result<Value, String>;
/// What a word does with its arguments. The table has checked their sorts.
pub(crate) type Act = fn(&Words, &mut [Value]) -> Done;

pub(super) const TIME_OVERFLOWS: &str = "a time overflows";

pub(super) fn no<T>(message: impl Into<String>) -> Result<T, String> {
    Err(message.into())
}

pub(super) fn money(result: Result<Money, MoneyError>) -> Done {
    result.map(Value::Money).map_err(|error| error.to_string())
}

/// Arguments that the table does not let through; said, not hidden, should the two ever differ.
fn unfit(args: &[Value]) -> Done {
    let given: Vec<String> = args.iter().map(Value::to_string).collect();
    no(format!("does not take {}", given.join(", ")))
}

fn span(args: &[Value], unit: i64) -> Done {
    let [Value::Count(n)] = args else { return unfit(args) };
    match n.checked_mul(unit).and_then(|s| s.checked_mul(1_000_000)) {
        Some(micros) if *n >= 0 => Ok(Value::Time(Span::from_micros(micros))),
        Some(_) => no(format!("a length of time is zero or more, not {n}")),
        None => no(format!("{n} is too long a time")),
    }
}

fn period(args: &[Value], unit: PeriodUnit) -> Done {
    let [Value::Count(n)] = args else { return unfit(args) };
    match u32::try_from(*n) {
        Ok(n) => Ok(Value::Days(Period { unit, n })),
        Err(_) => no(format!("a period is zero or more days, not {n}")),
    }
}

pub(super) fn seconds(_: &Words, args: &mut [Value]) -> Done {
    span(args, 1)
}
pub(super) fn minutes(_: &Words, args: &mut [Value]) -> Done {
    span(args, 60)
}
pub(super) fn hours(_: &Words, args: &mut [Value]) -> Done {
    span(args, 3_600)
}
pub(super) fn days(_: &Words, args: &mut [Value]) -> Done {
    period(args, PeriodUnit::Days)
}
pub(super) fn working_days(_: &Words, args: &mut [Value]) -> Done {
    period(args, PeriodUnit::WorkingDays)
}
pub(super) fn weeks(_: &Words, args: &mut [Value]) -> Done {
    period(args, PeriodUnit::Weeks)
}
pub(super) fn months(_: &Words, args: &mut [Value]) -> Done {
    period(args, PeriodUnit::Months)
}
pub(super) fn years(_: &Words, args: &mut [Value]) -> Done {
    period(args, PeriodUnit::Years)
}

/// How many units a time has: full ones, or also the one begun.
fn parts(args: &[Value], begun: bool) -> Done {
    if let [Value::Share(share), Value::Share(unit)] = args {
        return parts_of_share(share.0, unit.0, begun);
    }
    let [Value::Time(time), Value::Time(unit)] = args else { return unfit(args) };
    if unit.micros() <= 0 {
        return no("the unit of `started` and `full` must be longer than nothing");
    }
    let (whole, rest) = (time.micros() / unit.micros(), time.micros() % unit.micros());
    Ok(Value::Count(whole + i64::from(begun && rest > 0)))
}

/// How many units a share has; none below nothing.
fn parts_of_share(share: Decimal, unit: Decimal, begun: bool) -> Done {
    if unit <= Decimal::ZERO {
        return no("the unit of `started` and `full` must be more than nothing");
    }
    let Some(parts) = share.max(Decimal::ZERO).checked_div(unit) else { return no("a share overflows") };
    let parts = if begun { parts.ceil() } else { parts.floor() };
    i64::try_from(parts).map(Value::Count).map_err(|_| "a share overflows".to_owned())
}

pub(super) fn started(_: &Words, args: &mut [Value]) -> Done {
    parts(args, true)
}
pub(super) fn full(_: &Words, args: &mut [Value]) -> Done {
    parts(args, false)
}

pub(super) fn plus(words: &Words, args: &mut [Value]) -> Done {
    let [Value::Instant(from), Value::Days(period)] = args else { return unfit(args) };
    let end =
        crate::clock::period_end(&words.schema.days, *from, *period, crate::clock::CountRule::ContractLaw);
    end.map(Value::Instant).map_err(|error| error.to_string())
}

pub(super) fn amount(words: &Words, args: &mut [Value]) -> Done {
    let [Value::Text(text)] = args else { return unfit(args) };
    money(Money::parse(text, words.currency))
}

fn of_yuan(currency: Currency, text: &str) -> Done {
    if currency.code() != "CNY" {
        return no(format!("yuan in a contract in {currency}"));
    }
    money(Money::parse(text, currency))
}

pub(super) fn yuan(words: &Words, args: &mut [Value]) -> Done {
    match args {
        [Value::Count(n)] => of_yuan(words.currency, &n.to_string()),
        [Value::Text(text)] => of_yuan(words.currency, text),
        _ => unfit(args),
    }
}

pub(super) fn percent(_: &Words, args: &mut [Value]) -> Done {
    let n = match args {
        [Value::Count(n)] => Decimal::from(*n),
        [Value::Text(text)] => match Decimal::from_str(text) {
            Ok(n) => n,
            Err(_) => return no(format!("`{text}` is not a number of percent")),
        },
        _ => return unfit(args),
    };
    Ok(Value::Share(Share(n / Decimal::ONE_HUNDRED)))
}

pub(super) fn of(words: &Words, args: &mut [Value]) -> Done {
    let [Value::Share(share), Value::Money(whole), Value::Text(rounding)] = args else { return unfit(args) };
    let rounding = words.rounding(rounding).parse::<Rounding>();
    money(rounding.and_then(|rounding| whole.share(share.0, rounding)))
}

pub(super) fn at(_: &Words, args: &mut [Value]) -> Done {
    let (tiers, x) = match args {
        [Value::Tiers(tiers), Value::Share(x)] if tiers.by() == TierBy::Percent => (tiers, x.0),
        [Value::Tiers(tiers), Value::Count(n)] if tiers.by() == TierBy::Count => (tiers, Decimal::from(*n)),
        _ => return unfit(args),
    };
    Ok(match tiers.at(x) {
        TierValue::Share(share) => Value::Share(Share(share)),
        TierValue::Money(money) => Value::Money(money),
    })
}

/// The less or the more of two amounts or two numbers.
fn either(args: &[Value], more: bool) -> Done {
    let first = match args {
        [Value::Money(a), Value::Money(b)] => {
            let order = a.compare(*b).map_err(|error| error.to_string())?;
            if more { order.is_ge() } else { order.is_le() }
        }
        [Value::Count(a), Value::Count(b)] => {
            if more {
                a >= b
            } else {
                a <= b
            }
        }
        _ => return unfit(args),
    };
    Ok(args.get(usize::from(!first)).cloned().unwrap_or_default())
}

pub(super) fn min(_: &Words, args: &mut [Value]) -> Done {
    either(args, false)
}
pub(super) fn max(_: &Words, args: &mut [Value]) -> Done {
    either(args, true)
}

pub(super) fn due(_: &Words, args: &mut [Value]) -> Done {
    let [Value::Text(name)] = args else { return unfit(args) };
    Ok(Value::Deadline(Box::new(Due::new(name))))
}

/// Takes the deadline out of the first argument and changes it.
fn changed(args: &mut [Value], change: impl FnOnce(&mut Due, &[Value]) -> Result<(), String>) -> Done {
    let Some((first, rest)) = args.split_first_mut() else { return unfit(&[]) };
    match std::mem::take(first) {
        Value::Deadline(mut due) => {
            change(&mut due, rest)?;
            Ok(Value::Deadline(due))
        }
        other => unfit(&[other]),
    }
}

pub(super) fn within(_: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| {
        due.length = match rest {
            [Value::Time(span)] => Some(DueLength::Span(*span)),
            [Value::Days(period)] => Some(DueLength::Period(*period)),
            _ => return unfit(rest).map(drop),
        };
        Ok(())
    })
}

/// The place of a fact that is an instant.
fn date_named(words: &Words, name: &str) -> Result<u16, String> {
    let is_date = |place: usize| words.schema.facts.get(place).is_some_and(|f| f.of == FactType::Instant);
    let found = words.fact(name).filter(|(place, _)| is_date(*place));
    found.and_then(|(place, _)| u16::try_from(place).ok()).ok_or_else(|| {
        let near = hint(name, words.schema.facts.iter().map(|fact| fact.name.as_str()));
        format!("`{name}` is not an instant among the ticket's facts{near}")
    })
}

pub(super) fn by(words: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| {
        let [Value::Text(name)] = rest else { return unfit(rest).map(drop) };
        due.length = Some(DueLength::Fact(date_named(words, name)?));
        Ok(())
    })
}

pub(super) fn before(words: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| {
        let [Value::Text(name), Value::Days(period)] = rest else { return unfit(rest).map(drop) };
        due.length = Some(DueLength::Before(date_named(words, name)?, *period));
        Ok(())
    })
}

pub(super) fn pauses_at_most(_: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| match rest {
        [Value::Time(span)] if span.micros() >= 0 => {
            due.pause_max = Some(*span);
            Ok(())
        }
        [Value::Time(span)] => no(format!("pauses last zero or more, not {span}")),
        _ => unfit(rest).map(drop),
    })
}

pub(super) fn after_breach_of(_: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| {
        let [Value::Text(clock)] = rest else { return unfit(rest).map(drop) };
        due.after_breach_of = Some(clock.as_str().into());
        Ok(())
    })
}

/// The place of the calendar that the one argument names.
fn calendar_named(words: &Words, args: &[Value]) -> Result<u16, String> {
    let [Value::Text(name)] = args else { return unfit(args).map(|_| 0) };
    let place = words.calendars.iter().position(|known| known == name.as_str());
    place.and_then(|place| u16::try_from(place).ok()).ok_or_else(|| {
        let near = hint(name, words.calendars.iter().map(String::as_str));
        format!("unknown calendar `{name}`{near}")
    })
}

pub(super) fn in_calendar(words: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| {
        due.calendar = Some(calendar_named(words, rest)?);
        Ok(())
    })
}

pub(super) fn pauses(_: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, _| {
        due.pauses = Some(Arc::new([]));
        Ok(())
    })
}

/// The texts among the arguments, or in the one list among them.
fn names(args: &[Value]) -> Result<Vec<ImmutableString>, String> {
    let items = match args {
        [Value::List(items)] => items.as_slice(),
        items => items,
    };
    let text = |item: &Value| match item {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    items.iter().map(text).collect::<Option<_>>().ok_or_else(|| "a list of names holds texts only".to_owned())
}

fn kinds(words: &Words, args: &[Value]) -> Result<Vec<Kind>, String> {
    names(args)?.iter().map(|name| words.ticket_kind(name)).collect()
}

pub(super) fn met_by(words: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| {
        due.stops = due.stops.iter().copied().chain(kinds(words, rest)?).collect();
        Ok(())
    })
}

pub(super) fn starts_on(words: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| {
        due.starts = kinds(words, rest)?.into();
        Ok(())
    })
}

pub(super) fn pauses_for(_: &Words, args: &mut [Value]) -> Done {
    changed(args, |due, rest| {
        let before = due.pauses.take();
        due.pauses =
            Some(before.iter().flat_map(|names| names.iter().cloned()).chain(names(rest)?).collect());
        Ok(())
    })
}

fn step(args: &[Value], at: impl FnOnce(&[Value]) -> Result<StepAt, String>) -> Done {
    let Some((Value::Text(clock), rest)) = args.split_first() else { return unfit(args) };
    let clock = clock.as_str().into();
    Ok(Value::Step(Box::new(Step { clock, at: at(rest)?, roles: Arc::new([]) })))
}

pub(super) fn at_share(_: &Words, args: &mut [Value]) -> Done {
    step(args, |rest| match rest {
        [Value::Share(share)] if share.0 > Decimal::ZERO && share.0 < Decimal::ONE => {
            Ok(StepAt::Share(share.0))
        }
        [Value::Share(_)] => no("a step at a share lies between 0 and 100 percent; `at_breach` is the whole"),
        _ => no("a step at a share takes a share"),
    })
}

pub(super) fn at_breach(_: &Words, args: &mut [Value]) -> Done {
    step(args, |_| Ok(StepAt::Breach))
}

pub(super) fn after_breach(_: &Words, args: &mut [Value]) -> Done {
    step(args, |rest| match rest {
        [Value::Time(span)] if span.micros() < 0 => {
            no(format!("a step comes zero or more after the breach, not {span}"))
        }
        [Value::Time(span)] => Ok(StepAt::After(*span)),
        _ => no("a step after the breach takes a time"),
    })
}

pub(super) fn notify(_: &Words, args: &mut [Value]) -> Done {
    let Some((first, rest)) = args.split_first_mut() else { return unfit(&[]) };
    match std::mem::take(first) {
        Value::Step(mut step) => {
            step.roles = names(rest)?.into();
            Ok(Value::Step(step))
        }
        other => unfit(&[other]),
    }
}

fn why(args: &[Value], make: fn(ImmutableString) -> Value) -> Done {
    match args {
        [Value::Text(text)] => Ok(make(text.clone())),
        _ => unfit(args),
    }
}

pub(super) fn free(_: &Words, args: &mut [Value]) -> Done {
    why(args, |text| Value::Verdict(Verdict::Free(text)))
}
pub(super) fn paid(_: &Words, args: &mut [Value]) -> Done {
    why(args, |text| Value::Verdict(Verdict::Paid(text)))
}
pub(super) fn undecided(_: &Words, _: &mut [Value]) -> Done {
    Ok(Value::Verdict(Verdict::Undecided))
}
pub(super) fn finding(_: &Words, args: &mut [Value]) -> Done {
    why(args, |text| Value::Finding(FindingText(text)))
}

/// `knows` and `has` ask the ticket, which an act does not see; the evaluators answer them themselves.
pub(super) fn asked(_: &Words, args: &mut [Value]) -> Done {
    unfit(args)
}
