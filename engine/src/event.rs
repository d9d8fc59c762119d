//! Stage 1: what happened, as a helpdesk tells it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::nearest::hint;
use crate::{Instant, MoneyError, TimeError};

/// Something that happened to a ticket or to the contract itself.
///
/// `at` is when it happened, not when it was told: late and repeated tellings end in the same answers. Two events of
/// one instant are ordered by their ids.
///
/// ```
/// use holdback::Event;
/// let event = Event::from_json(r#"{"id": "7", "contract": "school-2026", "ticket": "T1", "kind": "reported",
///     "at": "2026-03-02T10:00:00+08:00", "via": "phone", "data": {"kind": "failure"}}"#)?;
/// assert_eq!(event.at.to_string(), "2026-03-02T02:00:00Z");
/// # Ok::<(), holdback::EventError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Unique among all events. The same id with the same content is ignored, with other content refused.
    pub id: String,
    /// The contract it belongs to.
    pub contract: String,
    /// The ticket it happened to; absent for events of the contract itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// What happened: one of [`TICKET_KINDS`], [`CONTRACT_KINDS`], or a kind that the pack declares.
    pub kind: String,
    /// When it happened, to the microsecond.
    pub at: Instant,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// How it came: phone, web, written, monitor ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Facts that the event carries, typed by the pack.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Json>,
}

/// The kinds of ticket events that every pack knows.
pub const TICKET_KINDS: [&str; 16] = [
    "reported",
    "responded",
    "dispatched",
    "plan_proposed",
    "plan_agreed",
    "work_started",
    "resolved",
    "accepted",
    "rejected",
    "reopened",
    "paused",
    "resumed",
    "updated",
    "cancelled",
    "closed",
    "opinion_given",
];

/// The kinds of contract events that every pack knows.
pub const CONTRACT_KINDS: [&str; 17] = [
    "signed",
    "project_accepted",
    "deposit_paid",
    "deposit_released",
    "penalty_confirmed",
    "penalty_waived",
    "duty_done",
    "outage_started",
    "outage_ended",
    "downtime_planned",
    "invoiced",
    "penalty_disputed",
    "dispute_ended",
    "force_majeure_started",
    "force_majeure_ended",
    "settled",
    "ended",
];

/// What the events of a contract may carry, beside `reason` and `note`: the kind, the data keys.
///
/// `duty_done` also carries the facts that the pack declares, as evidence.
pub(crate) const CONTRACT_DATA: [(&str, &[&str]); 12] = [
    ("deposit_paid", &["amount"]),
    ("deposit_released", &["amount"]),
    ("penalty_confirmed", &["penalty"]),
    ("penalty_waived", &["penalty"]),
    ("penalty_disputed", &["penalty"]),
    ("dispute_ended", &["penalty"]),
    ("duty_done", &["duty"]),
    ("outage_started", &["outage", "service"]),
    ("outage_ended", &["outage", "service"]),
    ("downtime_planned", &["from", "until", "service"]),
    ("invoiced", &["amount", "service"]),
    ("force_majeure_started", &["window", "clocks"]),
];

/// Data keys that ticket events may carry in every pack, beside the pack's own facts.
pub(crate) const TICKET_DATA: [&str; 3] = ["reason", "note", "receipt"];

/// Why an event is refused. The sender's fault, in order of precedence; a refused event changes nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Not JSON, or not the shape of an event.
    #[error("not an event: {0}")]
    Malformed(String),
    /// A field that must hold something is empty.
    #[error("event `{id}`: `{field}` is empty")]
    Empty {
        /// The event's id.
        id: String,
        /// The empty field.
        field: &'static str,
    },
    /// No pack was opened for this contract.
    #[error("event `{id}`: unknown contract `{contract}`{hint}")]
    UnknownContract {
        /// The event's id.
        id: String,
        /// The contract it names.
        contract: String,
        /// The nearest known one, or nothing.
        hint: String,
    },
    /// A kind that neither the program nor the pack knows.
    #[error("event `{id}`: unknown kind `{kind}`{hint}")]
    UnknownKind {
        /// The event's id.
        id: String,
        /// The kind it names.
        kind: String,
        /// The nearest known one, or nothing.
        hint: String,
    },
    /// A ticket kind without a ticket, or a contract kind with one.
    #[error("event `{id}`: `{kind}` is an event of {expected}")]
    Scope {
        /// The event's id.
        id: String,
        /// Its kind.
        kind: String,
        /// What the kind belongs to.
        expected: &'static str,
    },
    /// Data that the pack's ticket schema does not have.
    #[error("event `{id}`: `{kind}` carries unknown data `{fact}`{hint}")]
    UnknownFact {
        /// The event's id.
        id: String,
        /// Its kind.
        kind: String,
        /// The data key.
        fact: String,
        /// The nearest known one, or nothing.
        hint: String,
    },
    /// Data that the kind needs and the event lacks.
    #[error("event `{id}`: `{kind}` needs `{fact}` in its data: {expected}")]
    MissingFact {
        /// The event's id.
        id: String,
        /// Its kind.
        kind: String,
        /// The data key.
        fact: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// Data of another type than the schema says.
    #[error("event `{id}`: `{fact}` is {found}: expected {expected}")]
    FactType {
        /// The event's id.
        id: String,
        /// The data key.
        fact: String,
        /// What came.
        found: String,
        /// What the schema says.
        expected: String,
    },
    /// A time in the data that cannot be read.
    #[error("event `{id}`: `{fact}`: {source}")]
    Time {
        /// The event's id.
        id: String,
        /// The data key.
        fact: String,
        /// Why.
        source: TimeError,
    },
    /// An amount in the data that is not money of the contract's currency.
    #[error("event `{id}`: `{fact}`: {source}")]
    Money {
        /// The event's id.
        id: String,
        /// The data key.
        fact: String,
        /// Why.
        source: MoneyError,
    },
    /// The id was used before, for something else. What was told first stands.
    #[error("event `{id}` was told before with other content: `{field}` differs; the first telling stands")]
    Conflict {
        /// The event's id.
        id: String,
        /// The first field that differs.
        field: &'static str,
    },
}

impl Event {
    /// Reads one JSON object: an event as it is, or a CloudEvents 1.0 envelope (`specversion` present: `source` is the
    /// contract, `subject` the ticket, `type` the kind with or without `holdback.` before it, `time` the instant).
    ///
    /// # Errors
    /// [`EventError::Malformed`] with what the reader stumbled on.
    pub fn from_json(text: &str) -> Result<Event, EventError> {
        let malformed = |e: serde_json::Error| EventError::Malformed(e.to_string());
        if !text.contains("\"specversion\"") {
            return serde_json::from_str(text).map_err(malformed);
        }
        Event::from_value(serde_json::from_str(text).map_err(malformed)?)
    }

    /// Reads an event or a CloudEvents envelope from a JSON value.
    ///
    /// # Errors
    /// [`EventError::Malformed`] with what the reader stumbled on.
    pub fn from_value(value: Json) -> Result<Event, EventError> {
        let malformed = |e: serde_json::Error| EventError::Malformed(e.to_string());
        if value.get("specversion").is_some() {
            return serde_json::from_value::<CloudEvent>(value).map_err(malformed)?.open();
        }
        serde_json::from_value(value).map_err(malformed)
    }

    /// The CloudEvents 1.0 envelope in which the event travels.
    pub fn to_cloud_event(&self) -> Json {
        let mut object = serde_json::json!({
            "specversion": "1.0", "id": self.id, "source": self.contract, "type": format!("holdback.{}", self.kind),
            "time": self.at, "datacontenttype": "application/json", "data": self.data,
        });
        if let Some(fields) = object.as_object_mut() {
            for (name, value) in [("subject", &self.ticket), ("actor", &self.actor), ("via", &self.via)] {
                if let Some(text) = value {
                    fields.insert(name.to_owned(), Json::String(text.clone()));
                }
            }
        }
        object
    }

    /// The order of one ticket's events: by instant, then by id.
    pub fn order(&self) -> (Instant, &str) {
        (self.at, &self.id)
    }

    /// The first field in which two tellings of one id differ.
    pub(crate) fn difference(&self, other: &Event) -> Option<&'static str> {
        [
            ("contract", self.contract == other.contract),
            ("ticket", self.ticket == other.ticket),
            ("kind", self.kind == other.kind),
            ("at", self.at == other.at),
            ("actor", self.actor == other.actor),
            ("via", self.via == other.via),
            ("data", self.data == other.data),
        ]
        .into_iter()
        .find_map(|(field, same)| (!same).then_some(field))
    }
}

#[derive(Deserialize)]
struct CloudEvent {
    specversion: String,
    id: String,
    source: String,
    subject: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    time: Instant,
    actor: Option<String>,
    via: Option<String>,
    #[serde(default)]
    data: Map<String, Json>,
}

impl CloudEvent {
    fn open(self) -> Result<Event, EventError> {
        if self.specversion != "1.0" {
            let text = format!("`specversion` is `{}`: expected `1.0`", self.specversion);
            return Err(EventError::Malformed(text));
        }
        Ok(Event {
            kind: self.kind.strip_prefix("holdback.").unwrap_or(&self.kind).to_owned(),
            id: self.id,
            contract: self.source,
            ticket: self.subject,
            at: self.time,
            actor: self.actor,
            via: self.via,
            data: self.data,
        })
    }
}

/// An event kind as a small number: the built-in ticket kinds, the contract kinds, then those the pack declares.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) struct Kind(pub(crate) u16);

impl Kind {
    pub(crate) const REPORTED: Kind = Kind(0);
    pub(crate) const RESOLVED: Kind = Kind(6);
    pub(crate) const ACCEPTED: Kind = Kind(7);
    pub(crate) const REJECTED: Kind = Kind(8);
    pub(crate) const REOPENED: Kind = Kind(9);
    pub(crate) const PAUSED: Kind = Kind(10);
    pub(crate) const RESUMED: Kind = Kind(11);
    pub(crate) const CANCELLED: Kind = Kind(13);
    pub(crate) const CLOSED: Kind = Kind(14);
    pub(crate) const SIGNED: Kind = Kind(16);
    pub(crate) const PROJECT_ACCEPTED: Kind = Kind(17);
    pub(crate) const DEPOSIT_PAID: Kind = Kind(18);
    pub(crate) const DEPOSIT_RELEASED: Kind = Kind(19);
    pub(crate) const PENALTY_CONFIRMED: Kind = Kind(20);
    pub(crate) const PENALTY_WAIVED: Kind = Kind(21);
    pub(crate) const DUTY_DONE: Kind = Kind(22);
    pub(crate) const OUTAGE_STARTED: Kind = Kind(23);
    pub(crate) const OUTAGE_ENDED: Kind = Kind(24);
    pub(crate) const DOWNTIME_PLANNED: Kind = Kind(25);
    pub(crate) const INVOICED: Kind = Kind(26);
    pub(crate) const PENALTY_DISPUTED: Kind = Kind(27);
    pub(crate) const DISPUTE_ENDED: Kind = Kind(28);
    pub(crate) const FORCE_MAJEURE_STARTED: Kind = Kind(29);
    pub(crate) const FORCE_MAJEURE_ENDED: Kind = Kind(30);
    pub(crate) const SETTLED: Kind = Kind(31);
    pub(crate) const ENDED: Kind = Kind(32);

    /// Belongs to the contract, not to a ticket.
    pub(crate) fn of_contract(self) -> bool {
        (16..33).contains(&self.0)
    }

    /// A stop by this kind is taken back by `reopened` and `rejected`.
    pub(crate) fn is_revocable(self) -> bool {
        matches!(self, Kind::RESOLVED | Kind::ACCEPTED | Kind::CLOSED)
    }
}

/// All kinds that one pack knows.
#[derive(Clone, Debug)]
pub(crate) struct Kinds {
    names: Vec<String>,
    /// Other names of declared kinds.
    aliases: Vec<(String, Kind)>,
}

impl Kinds {
    pub(crate) fn with_declared(declared: &[String]) -> Kinds {
        let built_in = TICKET_KINDS.iter().chain(&CONTRACT_KINDS).map(|kind| (*kind).to_owned());
        Kinds { names: built_in.chain(declared.iter().cloned()).collect(), aliases: Vec::new() }
    }

    /// Gives a kind another name in scripts.
    pub(crate) fn name_also(&mut self, kind: Kind, alias: String) {
        self.aliases.push((alias, kind));
    }

    /// The kind that the pack calls so in Chinese.
    pub(crate) fn alias(&self, zh: &str) -> Option<Kind> {
        self.aliases.iter().find(|(alias, _)| alias == zh).map(|(_, kind)| *kind)
    }

    /// What the pack calls a declared kind in Chinese.
    pub(crate) fn name_zh(&self, name: &str) -> Option<&str> {
        let kind = self.find(name)?;
        self.aliases.iter().find(|(_, of)| *of == kind).map(|(alias, _)| alias.as_str())
    }

    pub(crate) fn find(&self, name: &str) -> Option<Kind> {
        self.names.iter().position(|kind| kind == name).and_then(|i| u16::try_from(i).ok()).map(Kind)
    }

    /// All names, by number.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub(crate) fn name(&self, kind: Kind) -> &str {
        self.names.get(usize::from(kind.0)).map_or("", String::as_str)
    }

    pub(crate) fn hint(&self, name: &str) -> String {
        hint(name, self.names.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_built_in_kinds_are_their_names() {
        let kinds = Kinds::with_declared(&[]);
        for (kind, name) in [
            (Kind::REPORTED, "reported"),
            (Kind::RESOLVED, "resolved"),
            (Kind::ACCEPTED, "accepted"),
            (Kind::REJECTED, "rejected"),
            (Kind::REOPENED, "reopened"),
            (Kind::PAUSED, "paused"),
            (Kind::RESUMED, "resumed"),
            (Kind::CANCELLED, "cancelled"),
            (Kind::CLOSED, "closed"),
            (Kind::SIGNED, "signed"),
            (Kind::PROJECT_ACCEPTED, "project_accepted"),
            (Kind::DEPOSIT_PAID, "deposit_paid"),
            (Kind::DEPOSIT_RELEASED, "deposit_released"),
            (Kind::PENALTY_CONFIRMED, "penalty_confirmed"),
            (Kind::PENALTY_WAIVED, "penalty_waived"),
            (Kind::DUTY_DONE, "duty_done"),
            (Kind::OUTAGE_STARTED, "outage_started"),
            (Kind::OUTAGE_ENDED, "outage_ended"),
            (Kind::DOWNTIME_PLANNED, "downtime_planned"),
            (Kind::INVOICED, "invoiced"),
            (Kind::PENALTY_DISPUTED, "penalty_disputed"),
            (Kind::DISPUTE_ENDED, "dispute_ended"),
            (Kind::FORCE_MAJEURE_STARTED, "force_majeure_started"),
            (Kind::FORCE_MAJEURE_ENDED, "force_majeure_ended"),
            (Kind::SETTLED, "settled"),
            (Kind::ENDED, "ended"),
        ] {
            assert_eq!(kinds.find(name), Some(kind), "{name}");
        }
        assert!(CONTRACT_KINDS.iter().all(|name| kinds.find(name).is_some_and(Kind::of_contract)));
        assert!(!TICKET_KINDS.iter().any(|name| kinds.find(name).is_some_and(Kind::of_contract)));
    }

    #[test]
    fn a_declared_kind_has_a_second_name() {
        let mut kinds = Kinds::with_declared(&["receipt_sent".to_owned()]);
        let kind = kinds.find("receipt_sent").unwrap();
        kinds.name_also(kind, "回执已发".to_owned());
        assert_eq!(kinds.alias("回执已发"), Some(kind));
        assert_eq!((kinds.alias("receipt_sent"), kinds.find("回执已发")), (None, None));
    }

    #[test]
    fn an_event_survives_its_cloudevents_envelope() {
        let event = Event::from_json(
            r#"{"id":"1","contract":"c","ticket":"t","kind":"reported","at":"2026-01-01T00:00:00Z","data":{"a":1}}"#,
        )
        .unwrap();
        let envelope = event.to_cloud_event().to_string();
        assert_eq!(Event::from_json(&envelope).unwrap(), event);
    }

    #[test]
    fn a_misspelt_field_is_refused_by_name() {
        let error = Event::from_json(
            r#"{"id":"1","contract":"c","tickt":"t","kind":"x","at":"2026-01-01T00:00:00Z"}"#,
        );
        assert!(error.unwrap_err().to_string().contains("tickt"));
    }
}
