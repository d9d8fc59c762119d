//! What a component answers, held within the interface's bounds before anything else looks at it.

use crate::wire::{CallbackOutcome, Description, HttpRequest, Mail, Outcome, Part, Request, Step};

/// A text for people, in an outcome or a refusal.
const TEXT: usize = 1 << 10;
/// A name.
const NAME: usize = 64;
/// Entries of any list in a description.
const LIST: usize = 32;
/// Steps of a ladder.
pub(crate) const STEPS: usize = 32;
/// Headers and query items, each.
pub(crate) const FIELDS: usize = 32;
/// Bytes of headers together; of the path and the query together.
pub(crate) const FIELD_BYTES: usize = 8 << 10;
/// Bytes of a body; of a mail's texts together.
pub(crate) const BODY: usize = 256 << 10;
/// Recipients of a mail.
pub(crate) const RECIPIENTS: usize = 50;

/// What is outside of the interface's bounds: what it is, how much was found, how much may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {found}; {expected}")]
pub struct OutOfBounds {
    what: String,
    found: String,
    expected: String,
}

fn at_most(what: &str, found: usize, limit: usize) -> Result<(), OutOfBounds> {
    if found <= limit {
        return Ok(());
    }
    Err(OutOfBounds {
        what: what.to_owned(),
        found: found.to_string(),
        expected: format!("at most {limit} are expected"),
    })
}

fn bytes(parts: &[Part]) -> usize {
    let one = |part: &Part| match part {
        Part::Text(text) => text.len(),
        Part::Bytes(bytes) => bytes.len(),
        Part::Secret(name) => name.len(),
    };
    parts.iter().map(one).fold(0, usize::saturating_add)
}

fn name(what: &str, text: &str) -> Result<(), OutOfBounds> {
    let fits = !text.is_empty()
        && text.len() <= NAME
        && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_');
    if fits {
        return Ok(());
    }
    Err(OutOfBounds {
        what: what.to_owned(),
        found: format!("`{}`", text.chars().take(NAME).collect::<String>().escape_debug()),
        expected: format!("1 to {NAME} letters, digits, `-` and `_` are expected"),
    })
}

pub(crate) fn description(is: &Description) -> Result<(), OutOfBounds> {
    name("the component's name", &is.name)?;
    let numbers: Vec<_> = is.version.split('.').collect();
    if numbers.len() != 3 || numbers.iter().any(|number| number.parse::<u32>().is_err()) {
        return Err(OutOfBounds {
            what: "the component's version".to_owned(),
            found: format!("`{}`", is.version.chars().take(NAME).collect::<String>().escape_debug()),
            expected: "three numbers are expected, `1.0.0`".to_owned(),
        });
    }
    at_most("bytes of `about`", is.about.len(), TEXT)?;
    for (what, found) in [
        ("hosts wanted", is.wants.len()),
        ("secrets", is.secrets.len()),
        ("settings", is.settings.len()),
        ("words of `supports`", is.supports.len()),
    ] {
        at_most(what, found, LIST)?;
    }
    for slot in &is.secrets {
        name("a secret's name", &slot.name)?;
        at_most("bytes of a secret's `about`", slot.about.len(), TEXT)?;
    }
    for setting in &is.settings {
        name("a setting's name", &setting.name)?;
        at_most("bytes of a setting's `about`", setting.about.len(), TEXT)?;
    }
    once("secret", is.secrets.iter().map(|slot| slot.name.as_str()))?;
    once("setting", is.settings.iter().map(|setting| setting.name.as_str()))?;
    for word in &is.supports {
        name("a word of `supports`", word)?;
    }
    Ok(())
}

fn once<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), OutOfBounds> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(OutOfBounds {
                what: format!("{what} `{name}`"),
                found: "described twice".to_owned(),
                expected: "once is expected".to_owned(),
            });
        }
    }
    Ok(())
}

pub(crate) fn request(request: &Request) -> Result<(), OutOfBounds> {
    match request {
        Request::Http(request) => http(request),
        Request::Mail(request) => mail(request),
    }
}

fn http(request: &HttpRequest) -> Result<(), OutOfBounds> {
    let fields = |fields: &[crate::wire::Field]| {
        fields
            .iter()
            .map(|field| field.name.len().saturating_add(bytes(&field.value)))
            .fold(0, usize::saturating_add)
    };
    at_most("bytes of the origin", request.origin.len(), 300)?;
    at_most("headers", request.headers.len(), FIELDS)?;
    at_most("bytes of headers", fields(&request.headers), FIELD_BYTES)?;
    at_most("query items", request.query.len(), FIELDS)?;
    at_most(
        "bytes of path and query",
        bytes(&request.path).saturating_add(fields(&request.query)),
        FIELD_BYTES,
    )?;
    at_most("bytes of the body", bytes(&request.body), BODY)
}

fn mail(mail: &Mail) -> Result<(), OutOfBounds> {
    at_most("recipients", mail.to.len(), RECIPIENTS)?;
    for to in &mail.to {
        at_most("bytes of a recipient", to.len(), 320)?;
    }
    at_most("bytes of the subject", mail.subject.len(), 998)?;
    at_most("bytes of the thread", mail.thread.as_ref().map_or(0, String::len), TEXT)?;
    let html = mail.html.as_ref().map_or(0, String::len);
    at_most("bytes of the texts", mail.text.len().saturating_add(html), BODY)
}

pub(crate) fn outcome(outcome: &Outcome) -> Result<(), OutOfBounds> {
    let text = match outcome {
        Outcome::Delivered(text) | Outcome::Accepted(text) | Outcome::Unknown(text) => text.as_deref(),
        Outcome::Retry(text) | Outcome::Permanent(text) => Some(text.as_str()),
        Outcome::RateLimited(_) => None,
    };
    at_most("bytes of the outcome's text", text.map_or(0, str::len), TEXT)
}

pub(crate) fn refusal(text: &str) -> Result<(), OutOfBounds> {
    at_most("bytes of the reason", text.len(), TEXT)
}

pub(crate) fn callback(outcome: &CallbackOutcome) -> Result<(), OutOfBounds> {
    match outcome {
        CallbackOutcome::Ack(ack) => {
            at_most("bytes of the dedup key", ack.dedup_key.len(), TEXT)?;
            at_most("bytes of who acknowledged", ack.by.as_ref().map_or(0, String::len), TEXT)
        }
        CallbackOutcome::Ignore(text) | CallbackOutcome::Reject(text) => refusal(text),
    }
}

pub(crate) fn steps(steps: &[Step]) -> Result<(), OutOfBounds> {
    at_most("steps", steps.len(), STEPS)?;
    for step in steps {
        at_most("bytes of a step's text", step.text.as_ref().map_or(0, String::len), TEXT)?;
    }
    Ok(())
}
