//! From the engine's notice to what a channel renders.

use holdback::DecisionKind;

use crate::Digest;
use crate::wire::{Contact, Delivery, Level, Money, Notice, Pair};

/// Where a notice goes and how: what an operator sets for one destination of a channel. Written as TOML or JSON.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// What the operator calls it.
    pub name: String,
    /// The language of what is sent: `en` or `zh`.
    #[serde(default = "english")]
    pub locale: String,
    /// Whom to tell.
    #[serde(default)]
    pub to: Vec<Contact>,
    /// The channel's settings.
    #[serde(default)]
    pub settings: std::collections::BTreeMap<String, String>,
}

impl Destination {
    /// A destination without settings.
    pub fn named(name: &str) -> Destination {
        Destination { name: name.to_owned(), locale: english(), to: Vec::new(), settings: Default::default() }
    }
}

fn english() -> String {
    "en".to_owned()
}

impl From<&holdback::Notice> for Notice {
    fn from(from: &holdback::Notice) -> Notice {
        let text = |text: &std::sync::Arc<str>| text.to_string();
        Notice {
            id: from.id.clone(),
            contract: from.contract.to_string(),
            ticket: from.ticket.as_ref().map(text),
            subject: from.subject.as_ref().map(text),
            about: word(from.about),
            role: from.role.clone(),
            at: from.at.to_string(),
            clause: from.clause.as_ref().map(text),
            clock: from.clock.as_ref().map(text),
            due: from.due.map(|due| due.to_string()),
            amount: from.amount.map(|amount| Money {
                minor: amount.minor(),
                currency: amount.currency().code().to_owned(),
                text: amount.to_string(),
            }),
            text: from.text.clone(),
        }
    }
}

/// The word that a decision's kind has in JSON.
fn word(kind: DecisionKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        _ => format!("{kind:?}").to_lowercase(),
    }
}

fn level(about: &str) -> Level {
    match about {
        "escalated" | "deposit_low" | "found" => Level::Warning,
        "breached" | "late" | "penalised" | "accrued" | "deposit_exhausted" | "stopped" => Level::Critical,
        _ => Level::Info,
    }
}

impl Delivery {
    /// A notice for a destination: its first attempt, at an instant given as Unix time in milliseconds.
    ///
    /// The same notice for the same destination has the same id, so that a receiver can drop doubles.
    pub fn of(notice: Notice, destination: &Destination, now_ms: u64) -> Delivery {
        let about = notice.ticket.as_deref().or(notice.subject.as_deref()).unwrap_or(&notice.contract);
        let title = match &notice.clause {
            Some(clause) => format!("{about}: {}, {clause}", notice.about.replace('_', " ")),
            None => format!("{about}: {}", notice.about.replace('_', " ")),
        };
        // Clause, ticket and clock make one obligation; never its level, so that what comes later joins what came before.
        let obligation =
            [Some(notice.contract.as_str()), notice.ticket.as_deref(), notice.subject.as_deref()]
                .into_iter()
                .chain([notice.clause.as_deref(), notice.clock.as_deref()])
                .map(|part| part.unwrap_or("-"))
                .collect::<Vec<_>>()
                .join("/");
        let id = Digest::of(format!("{}\n{}", destination.name, notice.id).as_bytes()).hex();
        Delivery {
            id: format!("dlv_{}", id.get(..32).unwrap_or(&id)),
            attempt: 1,
            now_ms,
            deadline_ms: None,
            dedup_key: Digest::of(obligation.as_bytes()).hex(),
            level: level(&notice.about),
            locale: destination.locale.clone(),
            title,
            notice,
            to: destination.to.clone(),
            settings: pairs(&destination.settings),
            facts: Vec::new(),
        }
    }

    /// The next attempt, at its own instant.
    pub fn again(mut self, now_ms: u64) -> Delivery {
        self.attempt = self.attempt.saturating_add(1);
        self.now_ms = now_ms;
        self
    }
}

fn pairs(settings: &std::collections::BTreeMap<String, String>) -> Vec<Pair> {
    settings.iter().map(|(name, value)| Pair { name: name.clone(), value: value.clone() }).collect()
}
