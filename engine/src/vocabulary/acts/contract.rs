//! What the words of duties, service levels and caps do.

use std::sync::Arc;

use super::{Done, calendar_named, names, no, unfit};
use crate::event::Kind;
use crate::vocabulary::Words;
use crate::vocabulary::value::{
    Begin, Cap, CapPer, DueLength, Duty, DutyWhen, Level, LevelPeriod, Measure, Planned, Value,
};
use crate::{Money, Span};

/// A level looks back over so many months, or waits for so many periods, at most.
const MONTHS_MAX: i64 = 120;

pub(in crate::vocabulary) fn duty(_: &Words, args: &mut [Value]) -> Done {
    let [Value::Text(name)] = args else { return unfit(args) };
    Ok(Value::Duty(Box::new(Duty {
        name: name.as_str().into(),
        when: DutyWhen::Every("".into()),
        begins: Begin::Signed,
        length: None,
        early: Span::ZERO,
        calendar: None,
        needs: Arc::new([]),
    })))
}

/// Takes the duty out of the first argument and changes it.
fn on_duty(args: &mut [Value], change: impl FnOnce(&mut Duty, &[Value]) -> Result<(), String>) -> Done {
    let Some((first, rest)) = args.split_first_mut() else { return unfit(&[]) };
    match std::mem::take(first) {
        Value::Duty(mut duty) => {
            change(&mut duty, rest)?;
            Ok(Value::Duty(duty))
        }
        other => unfit(&[other]),
    }
}

pub(in crate::vocabulary) fn every(_: &Words, args: &mut [Value]) -> Done {
    on_duty(args, |duty, rest| {
        let [Value::Text(rule)] = rest else { return unfit(rest).map(drop) };
        if rule.trim().is_empty() {
            return no("the recurrence rule is empty: expected one such as `FREQ=MONTHLY;BYMONTHDAY=1`");
        }
        duty.when = DutyWhen::Every(rule.clone());
        Ok(())
    })
}

pub(in crate::vocabulary) fn once(_: &Words, args: &mut [Value]) -> Done {
    on_duty(args, |duty, _| {
        duty.when = DutyWhen::Once;
        Ok(())
    })
}

/// A length of time or a period of days.
fn length(args: &[Value]) -> Result<DueLength, String> {
    match args {
        [Value::Time(span)] if span.micros() < 0 => {
            no(format!("a length of time is zero or more, not {span}"))
        }
        [Value::Time(span)] => Ok(DueLength::Span(*span)),
        [Value::Days(period)] => Ok(DueLength::Period(*period)),
        _ => unfit(args).map(|_| DueLength::Span(Span::ZERO)),
    }
}

pub(in crate::vocabulary) fn duty_within(_: &Words, args: &mut [Value]) -> Done {
    on_duty(args, |duty, rest| {
        duty.length = Some(length(rest)?);
        Ok(())
    })
}

pub(in crate::vocabulary) fn early(_: &Words, args: &mut [Value]) -> Done {
    on_duty(args, |duty, rest| match length(rest)? {
        DueLength::Span(span) => {
            duty.early = span;
            Ok(())
        }
        _ => unfit(rest).map(drop),
    })
}

pub(in crate::vocabulary) fn needs(words: &Words, args: &mut [Value]) -> Done {
    on_duty(args, |duty, rest| {
        let mut places: Vec<u16> = duty.needs.to_vec();
        for name in names(rest)? {
            let place = words.fact(&name).and_then(|(place, _)| u16::try_from(place).ok());
            places.push(place.ok_or_else(|| format!("unknown fact `{name}`"))?);
        }
        duty.needs = places.into();
        Ok(())
    })
}

pub(in crate::vocabulary) fn duty_calendar(words: &Words, args: &mut [Value]) -> Done {
    on_duty(args, |duty, rest| {
        duty.calendar = Some(calendar_named(words, rest)?);
        Ok(())
    })
}

/// The event of the contract with which something begins.
fn begin(words: &Words, args: &[Value]) -> Result<Begin, String> {
    let [Value::Text(name)] = args else { return unfit(args).map(|_| Begin::Signed) };
    match words.kind(name) {
        Some(Kind::SIGNED) => Ok(Begin::Signed),
        Some(Kind::PROJECT_ACCEPTED) => Ok(Begin::Accepted),
        _ => no(format!("`{name}` begins nothing: expected `signed` or `project_accepted`")),
    }
}

pub(in crate::vocabulary) fn duty_starts(words: &Words, args: &mut [Value]) -> Done {
    on_duty(args, |duty, rest| {
        duty.begins = begin(words, rest)?;
        Ok(())
    })
}

fn level(name: &str, measure: Measure) -> Value {
    Value::Level(Box::new(Level {
        name: name.into(),
        measure,
        planned: Planned::Announced(Span::ZERO),
        period: LevelPeriod::Month,
        begins: Begin::Signed,
        settles: None,
        calendar: None,
        earned_back: None,
    }))
}

pub(in crate::vocabulary) fn availability(_: &Words, args: &mut [Value]) -> Done {
    let [Value::Text(name)] = args else { return unfit(args) };
    Ok(level(name, Measure::Availability(None)))
}

pub(in crate::vocabulary) fn in_time(_: &Words, args: &mut [Value]) -> Done {
    let Some((Value::Text(name), clocks)) = args.split_first() else { return unfit(args) };
    Ok(level(name, Measure::InTime(names(clocks)?.into())))
}

/// Takes the level out of the first argument and changes it.
fn on_level(args: &mut [Value], change: impl FnOnce(&mut Level, &[Value]) -> Result<(), String>) -> Done {
    let Some((first, rest)) = args.split_first_mut() else { return unfit(&[]) };
    match std::mem::take(first) {
        Value::Level(mut level) => {
            change(&mut level, rest)?;
            Ok(Value::Level(level))
        }
        other => unfit(&[other]),
    }
}

/// Only availability knows outages.
fn of_outages<'l>(level: &'l mut Level, word: &str) -> Result<&'l mut Level, String> {
    match level.measure {
        Measure::Availability(_) => Ok(level),
        Measure::InTime(_) => no(format!("`{word}` is for `availability`, which counts outages")),
    }
}

pub(in crate::vocabulary) fn of_service(_: &Words, args: &mut [Value]) -> Done {
    on_level(args, |level, rest| {
        let [Value::Text(service)] = rest else { return unfit(rest).map(drop) };
        of_outages(level, "of_service")?.measure = Measure::Availability(Some(service.clone()));
        Ok(())
    })
}

pub(in crate::vocabulary) fn announced(_: &Words, args: &mut [Value]) -> Done {
    on_level(args, |level, rest| match length(rest)? {
        DueLength::Span(span) => {
            of_outages(level, "announced")?.planned = Planned::Announced(span);
            Ok(())
        }
        _ => unfit(rest).map(drop),
    })
}

pub(in crate::vocabulary) fn planned_counts(_: &Words, args: &mut [Value]) -> Done {
    on_level(args, |level, _| {
        of_outages(level, "planned_counts")?.planned = Planned::Counts;
        Ok(())
    })
}

fn per(args: &mut [Value], period: LevelPeriod) -> Done {
    on_level(args, |level, _| {
        level.period = period;
        Ok(())
    })
}

pub(in crate::vocabulary) fn per_month(_: &Words, args: &mut [Value]) -> Done {
    per(args, LevelPeriod::Month)
}
pub(in crate::vocabulary) fn per_quarter(_: &Words, args: &mut [Value]) -> Done {
    per(args, LevelPeriod::Quarter)
}
pub(in crate::vocabulary) fn per_year(_: &Words, args: &mut [Value]) -> Done {
    per(args, LevelPeriod::Year)
}

/// So many months or periods, from 1.
fn months(n: i64) -> Result<u32, String> {
    match u32::try_from(n) {
        Ok(n) if (1..=MONTHS_MAX).contains(&i64::from(n)) => Ok(n),
        _ => no(format!("expected 1 to {MONTHS_MAX}, not {n}")),
    }
}

pub(in crate::vocabulary) fn over_months(_: &Words, args: &mut [Value]) -> Done {
    on_level(args, |level, rest| {
        let [Value::Count(n)] = rest else { return unfit(rest).map(drop) };
        level.period = LevelPeriod::Months(months(*n)?);
        Ok(())
    })
}

pub(in crate::vocabulary) fn settles_after(_: &Words, args: &mut [Value]) -> Done {
    on_level(args, |level, rest| {
        level.settles = Some(length(rest)?);
        Ok(())
    })
}

pub(in crate::vocabulary) fn level_calendar(words: &Words, args: &mut [Value]) -> Done {
    on_level(args, |level, rest| {
        level.calendar = Some(calendar_named(words, rest)?);
        Ok(())
    })
}

pub(in crate::vocabulary) fn level_starts(words: &Words, args: &mut [Value]) -> Done {
    on_level(args, |level, rest| {
        level.begins = begin(words, rest)?;
        Ok(())
    })
}

pub(in crate::vocabulary) fn earned_back(_: &Words, args: &mut [Value]) -> Done {
    on_level(args, |level, rest| {
        let [Value::Count(n), Value::Share(share)] = rest else { return unfit(rest).map(drop) };
        level.earned_back = Some((months(*n)?, share.0));
        Ok(())
    })
}

fn cap(per: CapPer, limit: Money) -> Done {
    if limit.minor() < 0 {
        return no(format!("a cap of {limit}: expected zero or more"));
    }
    Ok(Value::Cap(Box::new(Cap { per, limit, clauses: None })))
}

fn cap_of(args: &[Value], per: CapPer) -> Done {
    let [Value::Money(limit)] = args else { return unfit(args) };
    cap(per, *limit)
}

pub(in crate::vocabulary) fn cap_per_ticket(_: &Words, args: &mut [Value]) -> Done {
    cap_of(args, CapPer::Ticket)
}
pub(in crate::vocabulary) fn cap_per_month(_: &Words, args: &mut [Value]) -> Done {
    cap_of(args, CapPer::Month)
}
pub(in crate::vocabulary) fn cap_per_quarter(_: &Words, args: &mut [Value]) -> Done {
    cap_of(args, CapPer::Quarter)
}
pub(in crate::vocabulary) fn cap_per_year(_: &Words, args: &mut [Value]) -> Done {
    cap_of(args, CapPer::Year)
}
pub(in crate::vocabulary) fn cap_in_all(_: &Words, args: &mut [Value]) -> Done {
    cap_of(args, CapPer::Contract)
}

pub(in crate::vocabulary) fn cap_over_months(_: &Words, args: &mut [Value]) -> Done {
    let [Value::Count(n), Value::Money(limit)] = args else { return unfit(args) };
    cap(CapPer::Months(months(*n)?), *limit)
}

pub(in crate::vocabulary) fn for_clauses(_: &Words, args: &mut [Value]) -> Done {
    let Some((first, rest)) = args.split_first_mut() else { return unfit(&[]) };
    match std::mem::take(first) {
        Value::Cap(mut cap) => {
            cap.clauses = Some(names(rest)?.into());
            Ok(Value::Cap(cap))
        }
        other => unfit(&[other]),
    }
}
