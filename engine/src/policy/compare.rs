//! Comparisons: like with like, anything else is an error instead of a silent `false`.

use std::cmp::Ordering;

use rhai::{Dynamic, Engine, ImmutableString};

use super::view::{Answer, Share, fault};
use crate::terms::Period;
use crate::{Instant, Money, Span};

/// One comparison for all types: like with like, anything else is an error instead of a silent `false`.
pub(super) fn register_comparisons(engine: &mut Engine) {
    fn equal(a: &Dynamic, b: &Dynamic) -> Answer<bool> {
        match compare(a, b)? {
            Some(order) => Ok(order == Ordering::Equal),
            None => fault(format!("{} cannot be compared", name_of(a))),
        }
    }
    fn order(a: &Dynamic, b: &Dynamic) -> Answer<Ordering> {
        if a.is_bool() {
            return fault("true and false have no order");
        }
        match compare(a, b)? {
            Some(order) => Ok(order),
            None => fault(format!("{} cannot be compared", name_of(a))),
        }
    }
    engine.register_fn("==", |a: Dynamic, b: Dynamic| equal(&a, &b));
    engine.register_fn("!=", |a: Dynamic, b: Dynamic| equal(&a, &b).map(|same| !same));
    engine.register_fn("<", |a: Dynamic, b: Dynamic| order(&a, &b).map(Ordering::is_lt));
    engine.register_fn("<=", |a: Dynamic, b: Dynamic| order(&a, &b).map(Ordering::is_le));
    engine.register_fn(">", |a: Dynamic, b: Dynamic| order(&a, &b).map(Ordering::is_gt));
    engine.register_fn("!", |a: bool| !a);
    engine.register_fn(">=", |a: Dynamic, b: Dynamic| order(&a, &b).map(Ordering::is_ge));
}

/// How two like values stand; nothing for values that have no order; an error for unlike ones.
fn compare(a: &Dynamic, b: &Dynamic) -> Answer<Option<Ordering>> {
    fn like<T: Clone + 'static>(a: &Dynamic, b: &Dynamic) -> Option<(T, T)> {
        Some((a.clone().try_cast()?, b.clone().try_cast()?))
    }
    if a.type_id() != b.type_id() {
        return fault(format!("{} is compared with {}", name_of(a), name_of(b)));
    }
    if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
        return Ok(Some(a.cmp(&b)));
    }
    if let (Ok(a), Ok(b)) = (a.as_immutable_string_ref(), b.as_immutable_string_ref()) {
        return Ok(Some(a.as_str().cmp(b.as_str())));
    }
    if let (Ok(a), Ok(b)) = (a.as_bool(), b.as_bool()) {
        return Ok(Some(a.cmp(&b)));
    }
    if let Some((a, b)) = like::<Money>(a, b) {
        return a.compare(b).map(Some).or_else(|e| fault(e.to_string()));
    }
    if let Some((a, b)) = like::<Span>(a, b) {
        return Ok(Some(a.cmp(&b)));
    }
    if let Some((a, b)) = like::<Instant>(a, b) {
        return Ok(Some(a.cmp(&b)));
    }
    if let Some((a, b)) = like::<Share>(a, b) {
        return Ok(Some(a.0.cmp(&b.0)));
    }
    if let Some((a, b)) = like::<Period>(a, b) {
        return match a.unit == b.unit {
            true => Ok(Some(a.n.cmp(&b.n))),
            false => fault(format!("{a} is compared with {b}")),
        };
    }
    Ok(None)
}

/// What a value is, in the vocabulary's words.
pub(crate) fn name_of(value: &Dynamic) -> String {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return format!("the text `{}`", text.chars().take(40).collect::<String>());
    }
    if let Ok(n) = value.as_int() {
        return format!("the number {n}");
    }
    if let Some(money) = value.read_lock::<Money>() {
        return format!("the amount {}", *money);
    }
    if let Some(span) = value.read_lock::<Span>() {
        return format!("the time {}", *span);
    }
    if let Some(period) = value.read_lock::<Period>() {
        return format!("the period {}", *period);
    }
    if let Some(at) = value.read_lock::<Instant>() {
        return format!("the instant {}", *at);
    }
    if let Some(share) = value.read_lock::<Share>() {
        return format!("the share {}", share.0);
    }
    if let Ok(yes) = value.as_bool() {
        return format!("`{yes}`");
    }
    if value.is_unit() {
        return "nothing".to_owned();
    }
    match value.type_name().rsplit("::").next().unwrap_or("value") {
        "Due" => "a deadline".to_owned(),
        "TicketView" => "the ticket".to_owned(),
        other => format!("a value of type {}", other.to_lowercase()),
    }
}
