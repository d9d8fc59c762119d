//! Secrets: read once from where the operator keeps them, held in memory that is wiped, and cut out of whatever is shown.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::wire::{SecretEncoding, SecretSlot};

/// What a source may hold at most, in bytes.
const MOST: usize = 16 * 1024;

/// A shorter secret could not be cut out of a text without cutting out what is none, in bytes.
const FEWEST: usize = 4;

/// Wiped when dropped.
type Bytes = Zeroizing<Vec<u8>>;

/// With or without `=` at the end: people lose it when they copy.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where the operator keeps a secret. Written `env:NAME` or `file:PATH`.
///
/// ```
/// use holdback_plugins::SecretSource;
/// let source: SecretSource = "env:DINGTALK_SECRET".parse()?;
/// assert_eq!(source.to_string(), "env:DINGTALK_SECRET");
/// assert!("SECabcdef".parse::<SecretSource>().is_err(), "the secret itself is not a place");
/// # Ok::<(), holdback_plugins::SecretError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretSource {
    /// A variable of the environment.
    Env(String),
    /// A file that only its owner can read.
    File(PathBuf),
}

/// Why secrets cannot be used. No text of it shows what a secret holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Neither `env:NAME` nor `file:PATH`. What was written is not shown: it may be the secret itself.
    #[error("a secret is named by its place, `env:NAME` or `file:PATH`; what is written is neither")]
    Source,
    /// A source for a slot that the component does not describe.
    #[error("the component has no secret `{slot}`; it has {}", listed(.known))]
    Unknown {
        /// The slot as the operator wrote it.
        slot: String,
        /// The slots there are.
        known: Vec<String>,
    },
    /// No source for a slot that is required.
    #[error("secret `{0}` is required and has no place: name one, `env:NAME` or `file:PATH`")]
    Missing(String),
    /// The place cannot be read.
    #[error("secret `{slot}` cannot be read from `{place}`: {reason}")]
    Unreadable {
        /// The slot.
        slot: String,
        /// The source as it is written.
        place: String,
        /// What the system says.
        reason: String,
    },
    /// A file that others can read or change.
    #[error("secret `{slot}`: others than its owner can use `{path}`; mend it with `chmod 600 {path}`")]
    Exposed {
        /// The slot.
        slot: String,
        /// The file.
        path: String,
    },
    /// More than 16 KiB.
    #[error("secret `{0}` is longer than 16 KiB")]
    TooLong(String),
    /// Fewer than 4 bytes; an empty one too.
    #[error("secret `{0}` is empty or shorter than 4 bytes; so short a one cannot be kept out of logs")]
    TooShort(String),
    /// Not what stands before the secrets of this slot.
    #[error("secret `{slot}` does not begin with `{prefix}`")]
    Prefix {
        /// The slot.
        slot: String,
        /// What it should begin with.
        prefix: String,
    },
    /// Not base64.
    #[error("secret `{0}` is not base64 (RFC 4648, section 4)")]
    Base64(String),
}

/// The secrets of one destination: what is in each slot.
///
/// They are wiped when it is dropped, and shown by nothing.
pub struct Secrets {
    slots: BTreeMap<String, SecretSlice<u8>>,
    /// All that has to be cut out of a text, and the slot it comes from; the longest first.
    forms: Vec<(Bytes, String)>,
}

impl Secrets {
    /// Reads the secrets of a component's slots from where the operator keeps them. One line break at the end is cut.
    ///
    /// A slot that is not required may be without a source.
    ///
    /// # Errors
    /// A slot that the component does not have, a required one without a source, a place that cannot be read, a file that
    /// others can read, and content that is empty, longer than 16 KiB, shorter than 4 bytes or not in the slot's encoding.
    pub fn load(
        sources: &BTreeMap<String, SecretSource>,
        slots: &[SecretSlot],
    ) -> Result<Secrets, SecretError> {
        if let Some(slot) = sources.keys().find(|name| slots.iter().all(|slot| slot.name != **name)) {
            let known = slots.iter().map(|slot| slot.name.clone()).collect();
            return Err(SecretError::Unknown { slot: slot.clone(), known });
        }
        let mut read = Vec::new();
        for slot in slots {
            match sources.get(&slot.name) {
                Some(source) => {
                    let text = source.read(&slot.name)?;
                    let content = decode(slot, &text)?;
                    if content.len() < FEWEST {
                        return Err(SecretError::TooShort(slot.name.clone()));
                    }
                    read.push((slot.name.clone(), content, text));
                }
                None if slot.required => return Err(SecretError::Missing(slot.name.clone())),
                None => {}
            }
        }
        Ok(Secrets::of(read))
    }

    /// Secrets as an operator would write them, for fixtures: each is decoded as its slot says. A required one may be missing.
    ///
    /// # Errors
    /// A slot that the component does not have, and content that is not in the slot's encoding.
    pub fn from_texts(
        texts: &BTreeMap<String, String>,
        slots: &[SecretSlot],
    ) -> Result<Secrets, SecretError> {
        let mut read = Vec::new();
        for (name, text) in texts {
            let Some(slot) = slots.iter().find(|slot| slot.name == *name) else {
                let known = slots.iter().map(|slot| slot.name.clone()).collect();
                return Err(SecretError::Unknown { slot: name.clone(), known });
            };
            let text = Zeroizing::new(text.clone().into_bytes());
            read.push((name.clone(), decode(slot, &text)?, text));
        }
        Ok(Secrets::of(read))
    }

    /// Secrets as they are given, for tests: nothing is decoded.
    #[cfg(test)]
    pub(crate) fn from_values<N: Into<String>, V: Into<Vec<u8>>>(
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Secrets {
        let values = values.into_iter().map(|(slot, content)| {
            let content = Zeroizing::new(content.into());
            (slot.into(), content.clone(), content)
        });
        Secrets::of(values.collect())
    }

    /// No secrets.
    pub fn none() -> Secrets {
        Secrets::of(Vec::new())
    }

    fn of(read: Vec<(String, Bytes, Bytes)>) -> Secrets {
        let mut slots = BTreeMap::new();
        let mut forms = Vec::new();
        for (slot, content, text) in read {
            forms.extend(shown_as(&content).chain(shown_as(&text)).map(|form| (form, slot.clone())));
            slots.insert(slot, SecretSlice::from(content.to_vec()));
        }
        forms.sort_by(|(one, _), (other, _)| {
            other.len().cmp(&one.len()).then_with(|| one.as_slice().cmp(other))
        });
        forms.dedup_by(|(one, _), (other, _)| one == other);
        Secrets { slots, forms }
    }

    /// What is in a slot.
    pub(crate) fn get(&self, slot: &str) -> Option<&[u8]> {
        self.slots.get(slot).map(|secret| secret.expose_secret())
    }

    /// The text without the secrets: `«slot»` stands wherever one was, as it is or in a form in which it is sent or quoted
    /// (percent-encoded, base64, hex, JSON).
    pub fn redact(&self, text: &str) -> String {
        match String::from_utf8(self.redact_bytes(text.as_bytes())) {
            Ok(text) => text,
            // A secret of arbitrary bytes may end within a character.
            Err(bytes) => String::from_utf8_lossy(bytes.as_bytes()).into_owned(),
        }
    }

    /// The same for bytes.
    pub(crate) fn redact_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let [first, others @ ..] = rest {
            match self.forms.iter().find(|(form, _)| rest.starts_with(form)) {
                Some((form, slot)) => {
                    shown.extend_from_slice(format!("«{slot}»").as_bytes());
                    rest = rest.get(form.len()..).unwrap_or_default();
                }
                None => {
                    shown.push(*first);
                    rest = others;
                }
            }
        }
        shown
    }

    /// The length of the longest form that is cut out, in bytes; 0 if there is none.
    pub(crate) fn longest(&self) -> usize {
        self.forms.first().map_or(0, |(form, _)| form.len())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl SecretSource {
    fn read(&self, slot: &str) -> Result<Bytes, SecretError> {
        let mut content = match self {
            SecretSource::Env(name) => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "an operator may keep secrets in the environment"
                )]
                let value = std::env::var(name);
                Zeroizing::new(
                    value.map_err(|reason| self.unreadable(slot, &reason_of(&reason)))?.into_bytes(),
                )
            }
            SecretSource::File(path) => self.read_file(slot, path)?,
        };
        if content.len() > MOST {
            return Err(SecretError::TooLong(slot.to_owned()));
        }
        if content.last() == Some(&b'\n') {
            content.pop();
            if content.last() == Some(&b'\r') {
                content.pop();
            }
        }
        if content.is_empty() {
            return Err(SecretError::TooShort(slot.to_owned()));
        }
        Ok(content)
    }

    fn read_file(&self, slot: &str, path: &Path) -> Result<Bytes, SecretError> {
        let unreadable = |reason: std::io::Error| self.unreadable(slot, &reason.to_string());
        // Asked before it is opened, since to open a pipe may wait for ever.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(self.unreadable(slot, "it is no regular file"));
        }
        #[expect(clippy::disallowed_methods, reason = "an operator may keep secrets in files")]
        let file = std::fs::File::open(path).map_err(unreadable)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // Of the file that is open, not of the name: that may point elsewhere by now.
            if file.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
                let path = path.display().to_string();
                return Err(SecretError::Exposed { slot: slot.to_owned(), path });
            }
        }
        // In one piece from the start: a vector that grows leaves copies behind.
        let mut content = Zeroizing::new(Vec::with_capacity(MOST + 64));
        file.take(MOST as u64 + 1).read_to_end(&mut content).map_err(unreadable)?;
        Ok(content)
    }

    fn unreadable(&self, slot: &str, reason: &str) -> SecretError {
        SecretError::Unreadable { slot: slot.to_owned(), place: self.to_string(), reason: reason.to_owned() }
    }
}

/// The error's own text for a variable that is no Unicode shows its content.
fn reason_of(error: &std::env::VarError) -> String {
    match error {
        std::env::VarError::NotPresent => "it is not set".to_owned(),
        std::env::VarError::NotUnicode(_) => "it is not UTF-8".to_owned(),
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) => write!(f, "env:{name}"),
            SecretSource::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl FromStr for SecretSource {
    type Err = SecretError;
    fn from_str(text: &str) -> Result<SecretSource, SecretError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() && name.chars().all(plain) => {
                Ok(SecretSource::Env(name.to_owned()))
            }
            Some(("file", path)) if !path.is_empty() && !path.contains('\0') => {
                Ok(SecretSource::File(path.into()))
            }
            _ => Err(SecretError::Source),
        }
    }
}

impl TryFrom<String> for SecretSource {
    type Error = SecretError;
    fn try_from(text: String) -> Result<SecretSource, SecretError> {
        text.parse()
    }
}

impl From<SecretSource> for String {
    fn from(source: SecretSource) -> String {
        source.to_string()
    }
}

fn listed(slots: &[String]) -> String {
    match slots {
        [] => "none".to_owned(),
        slots => slots.iter().map(|slot| format!("`{slot}`")).collect::<Vec<_>>().join(", "),
    }
}

fn decode(slot: &SecretSlot, text: &[u8]) -> Result<Bytes, SecretError> {
    let SecretEncoding::Base64(prefix) = &slot.encoding else {
        return Ok(Zeroizing::new(text.to_vec()));
    };
    let prefix = prefix.as_deref().unwrap_or_default();
    let encoded = text
        .strip_prefix(prefix.as_bytes())
        .ok_or_else(|| SecretError::Prefix { slot: slot.name.clone(), prefix: prefix.to_owned() })?;
    // The decoder's own error names the byte that it stumbled over.
    BASE64.decode(encoded).map(Zeroizing::new).map_err(|_| SecretError::Base64(slot.name.clone()))
}

/// The forms in which a secret may come to sight.
fn shown_as(secret: &[u8]) -> impl Iterator<Item = Bytes> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent = crate::egress::percent(secret);
    let mut forms = vec![
        secret.to_vec(),
        percent.to_ascii_lowercase().into_bytes(),
        percent.replace("%20", "+").into_bytes(),
        percent.into_bytes(),
        hex.to_ascii_uppercase().into_bytes(),
        hex.into_bytes(),
        STANDARD_NO_PAD.encode(secret).into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
    ];
    if let Ok(text) = std::str::from_utf8(secret) {
        let json = serde_json::Value::from(text).to_string();
        forms.push(json.trim_start_matches('"').trim_end_matches('"').as_bytes().to_vec());
    }
    // Within the base64 of something longer, `user:password` for one, it begins at any of three places. What it shares with
    // its neighbours is left out; what is then very short would be found by chance.
    for before in 1..=2 {
        let mut shifted = vec![0; before];
        shifted.extend_from_slice(secret);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            let whole = text.get((before * 8).div_ceil(6)..shifted.len() * 8 / 6).unwrap_or_default();
            if whole.len() >= 8 {
                forms.push(whole.as_bytes().to_vec());
            }
        }
    }
    // In the base64 of something longer it ends within a character, too.
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        let text = engine.encode(secret);
        let whole = text.get(..secret.len() * 8 / 6).unwrap_or_default();
        if whole.len() >= 8 {
            forms.push(whole.as_bytes().to_vec());
        }
    }
    forms.into_iter().filter(|form| form.len() >= FEWEST).map(Zeroizing::new)
}

#[cfg(test)]
mod tests;
