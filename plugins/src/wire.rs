//! What passes between the host and a component, independent of the version of the interface.
//!
//! The fields are those of `plugins/wit/channel.wit`, which is their documentation of record; `sandbox/v1.rs` turns them into the
//! bindings of that version and back. Written as JSON they make the fixtures of a channel.

use serde::{Deserialize, Serialize};

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something will go wrong if nobody acts.
    Warning,
    /// It has gone wrong: a promise was broken, or money is due.
    Critical,
}

/// A sum of money in its currency's smallest coin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Fen, cents: exact.
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// For people: `500.00 CNY`.
    pub text: String,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Whom to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// As people call them.
    pub name: String,
    /// An address for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// As dialled, with the country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Their id in the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

/// What the engine says: [`holdback::Notice`] in the interface's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Unique and stable.
    pub id: String,
    /// The contract.
    pub contract: String,
    /// Absent for news of the contract itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The occurrence of a duty, or the period of a service level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What happened: `escalated`, `penalised` ...
    pub about: String,
    /// The role that is told.
    pub role: String,
    /// When it took effect, RFC 3339.
    pub at: String,
    /// The clause it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// The clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// When the clock is or was due, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// The amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// One plain sentence.
    pub text: String,
}

/// One notice for one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Delivery {
    /// Unique, and the same at every attempt.
    pub id: String,
    /// 1 for the first.
    pub attempt: u32,
    /// The instant of this attempt, Unix time in milliseconds.
    pub now_ms: u64,
    /// After this nobody needs it, Unix time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// The same for all news of one obligation.
    pub dedup_key: String,
    /// How much it matters.
    pub level: Level,
    /// `zh` or `en`.
    pub locale: String,
    /// One short line.
    pub title: String,
    /// What the engine says.
    pub notice: Notice,
    /// Whom to tell.
    #[serde(default)]
    pub to: Vec<Contact>,
    /// What the operator has set for this destination.
    #[serde(default)]
    pub settings: Vec<Pair>,
    /// More about the notice.
    #[serde(default)]
    pub facts: Vec<Pair>,
}

/// A piece of a text that the host puts together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(#[serde(with = "bytes")] Vec<u8>),
    /// The content of a secret's slot, by its name.
    Secret(String),
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// GET.
    Get,
}

/// A header or a query item: a name, and the parts of its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The parts of the value.
    pub value: Vec<Part>,
}

/// A request as its pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Scheme, host and port, as the component wrote it. Nothing is believed of it before [`crate::Origin::parse`] has taken it.
    pub origin: String,
    /// Not encoded.
    pub path: Vec<Part>,
    /// Not encoded.
    #[serde(default)]
    pub query: Vec<Field>,
    /// Headers beside those that are the host's.
    #[serde(default)]
    pub headers: Vec<Field>,
    /// The body.
    #[serde(default)]
    pub body: Vec<Part>,
}

/// A mail as its pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Addresses.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same for those who read HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Mails of one thread are shown together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

/// What a component wants to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Over HTTP.
    Http(HttpRequest),
    /// Over SMTP.
    Mail(Mail),
}

/// An answer over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    #[serde(default)]
    pub headers: Vec<Pair>,
    /// What came, up to the limit. In JSON a text, or `{"base64": ...}` if it is none.
    #[serde(default, with = "bytes")]
    pub body: Vec<u8>,
    /// There was more of it.
    #[serde(default)]
    pub truncated: bool,
}

/// A mail server's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailResponse {
    /// The reply code, RFC 5321.
    pub code: u16,
    /// Its lines, without the code.
    #[serde(default)]
    pub lines: Vec<String>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Over HTTP.
    Http(HttpResponse),
    /// Over SMTP.
    Mail(MailResponse),
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The receiver has it; its id there, if it gave one.
    Delivered(Option<String>),
    /// The receiver has taken it on, and may fail later.
    Accepted(Option<String>),
    /// Too fast; milliseconds to wait, if it said so.
    RateLimited(Option<u64>),
    /// Not now; the same again may work.
    Retry(String),
    /// Never.
    Permanent(String),
    /// Nobody knows whether it arrived.
    Unknown(Option<String>),
}

/// How the host reads what the operator has put in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretEncoding {
    /// The bytes of the text itself.
    Text,
    /// Base64 after this prefix, if there is one.
    Base64(Option<String>),
}

/// A secret that a component wants to use and never sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSlot {
    /// The slot's name.
    pub name: String,
    /// For the operator.
    pub about: String,
    /// How its text is read.
    pub encoding: SecretEncoding,
    /// Nothing is rendered without it.
    pub required: bool,
}

/// The kind of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    /// Any text.
    Text,
    /// Scheme, host, path and query.
    Url,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
}

/// What the operator sets for a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// For the operator.
    pub about: String,
    /// Its kind.
    pub kind: SettingKind,
    /// Nothing is rendered without it.
    pub required: bool,
    /// An example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// Where a component wants to send to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Want {
    /// Always this origin.
    Origin(String),
    /// The origin of the URL in this setting.
    Setting(String),
    /// Mail.
    Mail,
}

/// Whether the receiver takes the same delivery twice for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idempotency {
    /// A delivery of unknown fate may be sent again.
    Keyed,
    /// It is left to a person.
    None,
}

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Description {
    /// Letters, digits and `-`.
    pub name: String,
    /// Three numbers.
    pub version: String,
    /// For the operator.
    pub about: String,
    /// Where it wants to send to.
    pub wants: Vec<Want>,
    /// Secrets it wants to use.
    pub secrets: Vec<SecretSlot>,
    /// Settings it reads.
    pub settings: Vec<Setting>,
    /// Deliveries to one destination in a minute that the receiver bears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
    /// Whether the receiver drops doubles.
    pub idempotency: Idempotency,
    /// Words that grow.
    pub supports: Vec<String>,
}

/// A request that came in from a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Callback {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// As it came, without `?`.
    #[serde(default)]
    pub query: String,
    /// Names in lower case.
    #[serde(default)]
    pub headers: Vec<Pair>,
    /// As it came, byte for byte.
    #[serde(default, with = "bytes")]
    pub body: Vec<u8>,
    /// When it came, Unix time in milliseconds.
    pub now_ms: u64,
    /// What the operator has set.
    #[serde(default)]
    pub settings: Vec<Pair>,
}

/// What a request from a channel means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackOutcome {
    /// Somebody has taken it on.
    Ack(Acknowledgement),
    /// Genuine, and nothing to do.
    Ignore(String),
    /// Not genuine, or not understood.
    Reject(String),
}

/// Who has taken what on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Acknowledgement {
    /// Of the delivery that is acknowledged.
    pub dedup_key: String,
    /// Who did it, as the channel calls them.
    #[serde(default)]
    pub by: Option<String>,
}

/// Where a ladder of escalation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ladder {
    /// The contract.
    pub contract: String,
    /// The ticket.
    #[serde(default)]
    pub ticket: Option<String>,
    /// The clause.
    pub clause: String,
    /// The clock.
    pub clock: String,
    /// Now, Unix time in milliseconds.
    pub now_ms: u64,
    /// When the clock is or was due, Unix time in milliseconds.
    pub due_ms: u64,
    /// The clock is breached.
    pub breached: bool,
    /// Who has taken it on.
    #[serde(default)]
    pub acknowledged_by: Option<String>,
    /// Steps taken so far, oldest first.
    #[serde(default)]
    pub taken: Vec<Step>,
    /// Steps of the contract itself that are still to come.
    #[serde(default)]
    pub contracted: Vec<Step>,
    /// The roles that may be told.
    pub roles: Vec<String>,
    /// What the operator has set.
    #[serde(default)]
    pub settings: Vec<Pair>,
}

/// A step of a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// The role that is told.
    pub role: String,
    /// When, Unix time in milliseconds.
    pub at_ms: u64,
    /// How much it matters.
    pub level: Level,
    /// One line.
    #[serde(default)]
    pub text: Option<String>,
}

/// The algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC (RFC 2104) with SHA-1; for receivers that know nothing better.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// RFC 8032; the key is one secret of 32 bytes, a seed.
    Ed25519,
}

/// A key, put together from parts of which at least one is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The parts, one after the other.
    pub parts: Vec<Part>,
    /// Steps of a derived key.
    pub derive: Vec<Vec<Part>>,
}

/// Why a signature is refused to a component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A key without a secret proves nothing.
    #[error("the key holds no secret")]
    NoSecretInKey,
    /// Not described, or not granted.
    #[error("secret `{0}` is not described, or not granted")]
    UnknownSecret(String),
    /// More than a call may ask for.
    #[error("more signatures or bytes than a call may ask for")]
    TooMuch,
    /// The key does not fit the algorithm.
    #[error("the key does not fit: {0}")]
    UnfitKey(String),
}

/// Bytes in JSON: as a text where they are one, so that fixtures can be read.
mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written<'a> {
        Text(std::borrow::Cow<'a, str>),
        Base64 { base64: String },
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Written::Text(text.into()).serialize(to),
            Err(_) => Written::Base64 { base64: STANDARD.encode(bytes) }.serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        match Written::deserialize(from)? {
            Written::Text(text) => Ok(text.into_owned().into_bytes()),
            Written::Base64 { base64 } => STANDARD.decode(base64).map_err(D::Error::custom),
        }
    }
}
