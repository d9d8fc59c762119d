//! What there is when nobody has given anything: a notice, a destination by the settings' examples, secrets that are none.

use std::collections::BTreeMap;

use holdback_plugins::wire::{
    Contact, Description, Ladder, Level, Money, Notice, SecretEncoding, SettingKind, Step,
};
use holdback_plugins::{Destination, Secrets};

use crate::Stop;

/// Where requests are shown to go to when no destination is named. No such host can exist (RFC 2606).
pub(crate) const NOWHERE: &str = "https://example.invalid/holdback";

/// The instant of samples: 2026-03-02T11:00:01+08:00.
pub(crate) const INSTANT_MS: u64 = 1_772_420_401_000;

/// A notice to try a channel with.
pub(crate) fn notice() -> Notice {
    Notice {
        id: "sample".to_owned(),
        contract: "school-2026".to_owned(),
        ticket: Some("T1".to_owned()),
        subject: None,
        about: "penalised".to_owned(),
        role: "contract_manager".to_owned(),
        at: "2026-03-02T11:00:01+08:00".to_owned(),
        clause: Some("1.5(1)".to_owned()),
        clock: Some("dispatch".to_owned()),
        due: Some("2026-03-02T11:00:00+08:00".to_owned()),
        amount: Some(Money { minor: 50_000, currency: "CNY".to_owned(), text: "500.00 CNY".to_owned() }),
        text: "Sample: ticket T1 was dispatched 1 s late (clause 1.5(1)); the penalty is 500.00 CNY."
            .to_owned(),
    }
}

/// A ladder to try an escalator with.
pub(crate) fn ladder(description: &Description) -> Ladder {
    let step = |role: &str, at_ms, level| Step { role: role.to_owned(), at_ms, level, text: None };
    Ladder {
        contract: "school-2026".to_owned(),
        ticket: Some("T1".to_owned()),
        clause: "1.5(1)".to_owned(),
        clock: "dispatch".to_owned(),
        now_ms: INSTANT_MS,
        due_ms: INSTANT_MS - 1_000,
        breached: true,
        acknowledged_by: None,
        taken: vec![step("engineer", INSTANT_MS - 1_000, Level::Warning)],
        contracted: vec![step("contract_manager", INSTANT_MS + 3_600_000, Level::Critical)],
        roles: vec!["engineer".to_owned(), "contract_manager".to_owned()],
        settings: settings(description)
            .into_iter()
            .map(|(name, value)| holdback_plugins::wire::Pair { name, value })
            .collect(),
    }
}

/// A destination of whatever a component requires.
pub(crate) fn destination(description: &Description) -> Destination {
    let contact = Contact {
        name: "Example".to_owned(),
        email: Some("someone@example.invalid".to_owned()),
        phone: Some("+8613800000000".to_owned()),
        handle: Some("example".to_owned()),
    };
    Destination { to: vec![contact], settings: settings(description), ..Destination::named("sample") }
}

/// The settings that a component requires: URLs lead nowhere, all else is as the component's own example has it.
pub(crate) fn settings(description: &Description) -> BTreeMap<String, String> {
    let required = description.settings.iter().filter(|setting| setting.required);
    let value = |kind, example: Option<String>| match kind {
        SettingKind::Url => NOWHERE.to_owned(),
        SettingKind::Text => example.unwrap_or_else(|| "example".to_owned()),
        SettingKind::Number => example.unwrap_or_else(|| "1".to_owned()),
        SettingKind::Flag => example.unwrap_or_else(|| "false".to_owned()),
    };
    required.map(|setting| (setting.name.clone(), value(setting.kind, setting.example.clone()))).collect()
}

/// Something in each slot that is required, so that what is signed can be shown. It is no secret: anybody can make such signatures, and
/// no receiver takes them.
pub(crate) fn secrets(description: &Description) -> Result<Secrets, Stop> {
    // 32 bytes, which is what an ed25519 seed has, as they are and in base64.
    const TEXT: &str = "holdback sample: it is no secret";
    const BASE64: &str = "aG9sZGJhY2sgc2FtcGxlOiBpdCBpcyBubyBzZWNyZXQ=";
    let value = |encoding: &SecretEncoding| match encoding {
        SecretEncoding::Text => TEXT.to_owned(),
        SecretEncoding::Base64(prefix) => format!("{}{BASE64}", prefix.as_deref().unwrap_or_default()),
    };
    let required = description.secrets.iter().filter(|slot| slot.required);
    let texts = required.map(|slot| (slot.name.clone(), value(&slot.encoding))).collect();
    Secrets::from_texts(&texts, &description.secrets).map_err(|error| Stop::Unusable(error.to_string()))
}
