//! What a channel for Holdback's notices is written with.
//!
//! A channel is a type that implements [`Channel`], handed to [`channel!`]; a ladder of escalation one that implements
//! [`Escalation`], handed to [`escalation!`]. The types are those of `plugins/wit/channel.wit`, where they are documented. There is no
//! clock, no network and no environment: a guest that reaches for one (`std::time`, `std::net`, `std::env`) gets an error or a trap.

pub mod base64;
pub mod json;
mod settings;
pub mod standard_webhooks;
pub mod url;
pub mod words;

/// The bindings of both worlds. Made here once, so that every channel shares one set of types.
#[allow(missing_docs)]
mod bindings {
    pub mod notifier {
        wit_bindgen::generate!({
            path: "../../wit",
            world: "notifier",
            pub_export_macro: true,
            export_macro_name: "export_notifier",
            default_bindings_module: "holdback_channel::notifier",
            additional_derives: [Clone, PartialEq],
            generate_all,
        });
    }

    pub mod escalator {
        wit_bindgen::generate!({
            path: "../../wit",
            world: "escalator",
            pub_export_macro: true,
            export_macro_name: "export_escalator",
            default_bindings_module: "holdback_channel::escalator",
            with: {
                "holdback:channel/types@1.0.0": crate::bindings::notifier::holdback::channel::types,
                "holdback:channel/log@1.0.0": crate::bindings::notifier::holdback::channel::log,
                "holdback:channel/signing@1.0.0": crate::bindings::notifier::holdback::channel::signing,
            },
        });
    }
}

#[doc(hidden)]
pub use bindings::{escalator, notifier};

pub use bindings::escalator::exports::holdback::channel::escalation::Guest as Escalation;
pub use bindings::notifier::exports::holdback::channel::channel::Guest as Channel;
pub use bindings::notifier::holdback::channel::{log, signing, types};
pub use settings::{Settings, flag, number, setting};

use types::{
    CallbackOutcome, Contact, Description, Header, Idempotency, Level, Outcome, Part, QueryItem, Response,
};

/// Makes a [`Channel`] the component's.
#[macro_export]
macro_rules! channel {
    ($channel:ident) => {
        $crate::notifier::export_notifier!($channel with_types_in $crate::notifier);
    };
}

/// Makes an [`Escalation`] the component's.
#[macro_export]
macro_rules! escalation {
    ($escalation:ident) => {
        $crate::escalator::export_escalator!($escalation with_types_in $crate::escalator);
    };
}

/// A text as the only part.
pub fn text(text: impl Into<String>) -> Vec<Part> {
    vec![Part::Text(text.into())]
}

/// The content of a slot as the only part.
pub fn secret(slot: &str) -> Vec<Part> {
    vec![Part::Secret(slot.to_owned())]
}

/// A header of text.
pub fn header(name: &str, value: impl Into<String>) -> Header {
    Header { name: name.to_owned(), value: text(value) }
}

/// A query item of text.
pub fn query(name: &str, value: impl Into<String>) -> QueryItem {
    QueryItem { name: name.to_owned(), value: text(value) }
}

/// A description without hosts, secrets and settings, to be filled with `..`.
pub fn described(name: &str, version: &str, about: &str) -> Description {
    Description {
        name: name.to_owned(),
        version: version.to_owned(),
        about: about.to_owned(),
        wants: Vec::new(),
        secrets: Vec::new(),
        settings: Vec::new(),
        per_minute: None,
        idempotency: Idempotency::None,
        supports: Vec::new(),
    }
}

/// What a channel without buttons answers.
pub fn no_callbacks() -> CallbackOutcome {
    CallbackOutcome::Reject("this channel takes no calls".to_owned())
}

/// What an answer of the other kind means. The host does not mix them; a channel has to answer something all the same.
pub fn unlike(response: &Response) -> Outcome {
    Outcome::Permanent(match response {
        Response::Http(_) => "an answer over HTTP to a mail".to_owned(),
        Response::Mail(_) => "a mail server's answer to a request over HTTP".to_owned(),
    })
}

/// The milliseconds of a `retry-after` in seconds. A date is passed over: the guest has no calendar, and the host backs off anyway.
pub fn retry_after(headers: &[types::Pair]) -> Option<u64> {
    let value = headers.iter().find(|header| header.name == "retry-after")?.value.trim();
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    value.parse::<u64>().ok()?.checked_mul(1000)
}

/// A warning in the operator's log.
pub fn warn(message: &str) {
    log::write(Level::Warning, message);
}

/// `text` cut to at most `bytes` bytes of UTF-8, never within a character; `…` shows the cut.
pub fn cut(text: &str, bytes: usize) -> std::borrow::Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= bytes {
        return text.into();
    }
    let mut end = bytes.saturating_sub(MARK.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // Room for less than the mark is room for nothing.
    if bytes < MARK.len() { "".into() } else { format!("{}{MARK}", &text[..end]).into() }
}

/// How people are called in a text: names, one after the other.
pub fn names(to: &[Contact], locale: &str) -> String {
    let mut names = String::new();
    for contact in to {
        if !names.is_empty() {
            names.push_str(if words::chinese(locale) { "、" } else { ", " });
        }
        names.push_str(&contact.name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_never_within_a_character() {
        assert_eq!(cut("违约金", 9), "违约金");
        assert_eq!(cut("违约金", 8), "违…");
        assert_eq!(cut("违约金", 6), "违…");
        assert_eq!(cut("违约金", 5), "…");
        assert_eq!(cut("违约金", 2), "");
    }

    #[test]
    fn only_seconds_are_read_from_retry_after() {
        let header = |value: &str| [types::Pair { name: "retry-after".to_owned(), value: value.to_owned() }];
        assert_eq!(retry_after(&header("120")), Some(120_000));
        assert_eq!(retry_after(&header("Fri, 02 Jan 2026 03:04:05 GMT")), None);
        assert_eq!(retry_after(&header("-1")), None);
        assert_eq!(retry_after(&header("99999999999999999999")), None);
        assert_eq!(retry_after(&[]), None);
    }
}
