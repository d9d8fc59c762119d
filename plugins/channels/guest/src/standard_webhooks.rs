//! Standard Webhooks 1.0: three headers that say who sent a body, and when.

use crate::signing::{self, Algorithm, Key, Refusal};
use crate::types::{Callback, Header, Part};
use crate::{base64, header, secret, url};

/// How far a sender's clock may be away, in seconds.
pub const TOLERANCE: u64 = 5 * 60;

fn key(algorithm: Algorithm, slot: &str) -> Key {
    Key { algorithm, parts: secret(slot), derive: Vec::new() }
}

/// What is signed: id, instant and body, with dots between them.
fn message(id: &str, seconds: &str, body: &[u8]) -> Vec<Part> {
    vec![Part::Text(format!("{id}.{seconds}.")), Part::Bytes(body.to_vec())]
}

/// The three headers for a body, signed by the slots of both kinds of key that are given.
///
/// What a header cannot carry is percent-encoded in the id, and so are dots, for what is signed to have one reading.
pub fn headers(
    id: &str,
    now_ms: u64,
    body: &str,
    hmac: &str,
    ed25519: Option<&str>,
) -> Result<Vec<Header>, Refusal> {
    let id = url::encode_but(id, |byte| byte.is_ascii_graphic() && !matches!(byte, b'.' | b'%' | b'"'));
    let seconds = (now_ms / 1000).to_string();
    let message = message(&id, &seconds, body.as_bytes());
    let mut signature =
        format!("v1,{}", base64::encode(&signing::sign(&key(Algorithm::HmacSha256, hmac), &message)?));
    if let Some(slot) = ed25519 {
        signature.push_str(" v1a,");
        signature.push_str(&base64::encode(&signing::sign(&key(Algorithm::Ed25519, slot), &message)?));
    }
    Ok(vec![
        header("webhook-id", id),
        header("webhook-timestamp", seconds),
        header("webhook-signature", signature),
    ])
}

/// Whether a request from outside was signed by the same secret within the last minutes. An error says what is missing.
///
/// Only `v1` is looked at: who calls in has the shared secret, and an ed25519 slot holds our own seed.
pub fn verify(callback: &Callback, hmac: &str) -> Result<(), String> {
    let header = |name: &str| {
        let found = callback.headers.iter().find(|header| header.name == name);
        found.map(|header| header.value.as_str()).ok_or_else(|| format!("no header `{name}`"))
    };
    let id = header("webhook-id")?;
    let written = header("webhook-timestamp")?;
    let signatures = header("webhook-signature")?;
    let seconds: u64 =
        written.parse().map_err(|_| "`webhook-timestamp` is no number of seconds".to_owned())?;
    if seconds.abs_diff(callback.now_ms / 1000) > TOLERANCE {
        return Err("signed more than five minutes from now".to_owned());
    }
    let key = key(Algorithm::HmacSha256, hmac);
    let message = message(id, written, &callback.body);
    // A sender that changes its secret signs with the old and the new one; more than a few are noise.
    for signature in signatures.split(' ').filter_map(|one| one.strip_prefix("v1,")).take(8) {
        let Some(signature) = base64::decode(signature) else { continue };
        match signing::verify(&key, &message, &signature) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(refusal) => return Err(refused(&refusal)),
        }
    }
    Err("no signature fits".to_owned())
}

/// A refusal in words.
pub fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoSecretInKey => "the key holds no secret".to_owned(),
        Refusal::UnknownSecret(slot) => format!("no secret in slot `{slot}`"),
        Refusal::TooMuch => "more is signed than a call may ask for".to_owned(),
        Refusal::UnfitKey(why) => format!("the key does not fit: {why}"),
    }
}
