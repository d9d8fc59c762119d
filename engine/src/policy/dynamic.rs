//! The vocabulary's values as rhai holds them, and back.

use std::any::TypeId;
use std::sync::Arc;

use rhai::{Array, Dynamic, ImmutableString};

use super::view::{AgainView, BreachView, ContractView, FirstView, PeriodView, TermsView, TicketView};
use crate::terms::{Period, Tiers};
use crate::vocabulary::{Cap, Due, Duty, FindingText, Level, Share, Sort, Step, Value, Verdict};
use crate::{Instant, Money, Span};

pub(super) fn to_dynamic(value: Value) -> Dynamic {
    match value {
        Value::Nothing | Value::View(_) => Dynamic::UNIT,
        Value::Bool(yes) => yes.into(),
        Value::Count(n) => n.into(),
        Value::Money(money) => Dynamic::from(money),
        Value::Time(span) => Dynamic::from(span),
        Value::Days(period) => Dynamic::from(period),
        Value::Share(share) => Dynamic::from(share),
        Value::Instant(at) => Dynamic::from(at),
        Value::Text(text) => text.into(),
        Value::Deadline(due) => Dynamic::from(*due),
        Value::Step(step) => Dynamic::from(*step),
        Value::Verdict(verdict) => Dynamic::from(verdict),
        Value::Finding(finding) => Dynamic::from(finding),
        Value::Duty(duty) => Dynamic::from(*duty),
        Value::Level(level) => Dynamic::from(*level),
        Value::Cap(cap) => Dynamic::from(*cap),
        Value::Tiers(tiers) => Dynamic::from(tiers),
        Value::List(items) => items.into_iter().map(to_dynamic).collect::<Array>().into(),
    }
}

/// The value that a script holds; nothing for a thing that the vocabulary does not have.
pub(super) fn to_value(value: &Dynamic) -> Option<Value> {
    fn held<T: Clone + 'static>(value: &Dynamic) -> Option<T> {
        value.read_lock::<T>().map(|held| held.clone())
    }
    let id = value.type_id();
    Some(if id == TypeId::of::<i64>() {
        Value::Count(value.as_int().ok()?)
    } else if id == TypeId::of::<bool>() {
        Value::Bool(value.as_bool().ok()?)
    } else if id == TypeId::of::<ImmutableString>() {
        Value::Text(held(value)?)
    } else if id == TypeId::of::<Money>() {
        Value::Money(held(value)?)
    } else if id == TypeId::of::<Span>() {
        Value::Time(held(value)?)
    } else if id == TypeId::of::<Due>() {
        Value::Deadline(Box::new(held(value)?))
    } else if id == TypeId::of::<Array>() {
        let items = value.read_lock::<Array>()?;
        Value::List(items.iter().map(to_value).collect::<Option<_>>()?)
    } else if id == TypeId::of::<Period>() {
        Value::Days(held(value)?)
    } else if id == TypeId::of::<Share>() {
        Value::Share(held(value)?)
    } else if id == TypeId::of::<Instant>() {
        Value::Instant(held(value)?)
    } else if id == TypeId::of::<Step>() {
        Value::Step(Box::new(held(value)?))
    } else if id == TypeId::of::<Verdict>() {
        Value::Verdict(held(value)?)
    } else if id == TypeId::of::<FindingText>() {
        Value::Finding(held(value)?)
    } else if id == TypeId::of::<Duty>() {
        Value::Duty(Box::new(held(value)?))
    } else if id == TypeId::of::<Level>() {
        Value::Level(Box::new(held(value)?))
    } else if id == TypeId::of::<Arc<Tiers>>() {
        Value::Tiers(held(value)?)
    } else if id == TypeId::of::<Cap>() {
        Value::Cap(Box::new(held(value)?))
    } else if value.is_unit() {
        Value::Nothing
    } else {
        let view = [
            (TypeId::of::<TicketView>(), Sort::Ticket),
            (TypeId::of::<FirstView>(), Sort::First),
            (TypeId::of::<ContractView>(), Sort::Contract),
            (TypeId::of::<TermsView>(), Sort::Terms),
            (TypeId::of::<BreachView>(), Sort::Breach),
            (TypeId::of::<PeriodView>(), Sort::Period),
            (TypeId::of::<AgainView>(), Sort::Again),
        ];
        Value::View(view.into_iter().find(|(known, _)| *known == id)?.1)
    })
}

/// What rhai calls a sort.
pub(super) fn type_of(sort: Sort) -> TypeId {
    match sort {
        Sort::Nothing => TypeId::of::<()>(),
        Sort::Bool => TypeId::of::<bool>(),
        Sort::Count => TypeId::of::<i64>(),
        Sort::Money => TypeId::of::<Money>(),
        Sort::Time => TypeId::of::<Span>(),
        Sort::Days => TypeId::of::<Period>(),
        Sort::Share => TypeId::of::<Share>(),
        Sort::Instant => TypeId::of::<Instant>(),
        Sort::Text => TypeId::of::<ImmutableString>(),
        Sort::Deadline => TypeId::of::<Due>(),
        Sort::Step => TypeId::of::<Step>(),
        Sort::Verdict => TypeId::of::<Verdict>(),
        Sort::Finding => TypeId::of::<FindingText>(),
        Sort::Duty => TypeId::of::<Duty>(),
        Sort::Level => TypeId::of::<Level>(),
        Sort::Cap => TypeId::of::<Cap>(),
        Sort::List => TypeId::of::<Array>(),
        Sort::Ticket => TypeId::of::<TicketView>(),
        Sort::First => TypeId::of::<FirstView>(),
        Sort::Contract => TypeId::of::<ContractView>(),
        Sort::Terms => TypeId::of::<TermsView>(),
        Sort::Breach => TypeId::of::<BreachView>(),
        Sort::SharesByShare | Sort::SharesByCount | Sort::AmountsByShare | Sort::AmountsByCount => {
            TypeId::of::<Arc<Tiers>>()
        }
        Sort::Period => TypeId::of::<PeriodView>(),
        Sort::Again => TypeId::of::<AgainView>(),
    }
}

/// What a value is, in the vocabulary's words.
pub(super) fn name_of(value: &Dynamic) -> String {
    match to_value(value) {
        Some(value) => value.to_string(),
        None => format!("a value of type {}", value.type_name().rsplit("::").next().unwrap_or("?")),
    }
}
