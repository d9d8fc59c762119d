//! Signatures that a component asks for, by keys that it never sees.
//!
//! A key is put together from parts, since channels disagree about where the secret goes: DingTalk wants it in the key and in the
//! message, Feishu in the key behind a timestamp, Tencent in the first key of a chain.

use ed25519_dalek::{Signature, Signer as _, SigningKey};
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::defence::{Defence, Defences};
use crate::secret::Secrets;
use crate::wire::{Algorithm, Key, Part, Refusal};

/// What one call of a component may still sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Signatures; each step of a derived key counts as one.
    pub(crate) signatures: u32,
    /// Bytes of keys and messages.
    pub(crate) bytes: usize,
}

impl Default for Budget {
    /// 64 signatures and 1 MiB: the limits of the interface.
    fn default() -> Budget {
        Budget { signatures: 64, bytes: 1024 * 1024 }
    }
}

impl Budget {
    fn spend(&mut self, signatures: usize, bytes: usize) -> Result<(), Refusal> {
        let signatures = u32::try_from(signatures).map_err(|_| Refusal::TooMuch)?;
        let left = Budget {
            signatures: self.signatures.checked_sub(signatures).ok_or(Refusal::TooMuch)?,
            bytes: self.bytes.checked_sub(bytes).ok_or(Refusal::TooMuch)?,
        };
        *self = left;
        Ok(())
    }
}

/// The raw signature of a message.
///
/// # Errors
/// A key without a secret or that does not fit the algorithm, a secret that is not there, and more than the budget allows.
pub(crate) fn sign(
    secrets: &Secrets,
    defences: &Defences,
    key: &Key,
    message: &[Part],
    budget: &mut Budget,
) -> Result<Vec<u8>, Refusal> {
    let (whole, message) = put_together(secrets, defences, key, message, budget)?;
    let signature = match key.algorithm {
        Algorithm::HmacSha1 => mac::<Hmac<Sha1>>(&whole, &message)?.finalize().into_bytes().to_vec(),
        Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(&whole, &message)?.finalize().into_bytes().to_vec(),
        Algorithm::HmacSha512 => mac::<Hmac<Sha512>>(&whole, &message)?.finalize().into_bytes().to_vec(),
        Algorithm::Ed25519 => seed(&whole)?.sign(&message).to_bytes().to_vec(),
    };
    Ok(signature)
}

/// Whether a signature is right, compared in constant time. One of the wrong length is wrong, not an error.
///
/// # Errors
/// As for [`sign`].
pub(crate) fn verify(
    secrets: &Secrets,
    defences: &Defences,
    key: &Key,
    message: &[Part],
    signature: &[u8],
    budget: &mut Budget,
) -> Result<bool, Refusal> {
    let (whole, message) = put_together(secrets, defences, key, message, budget)?;
    Ok(match key.algorithm {
        Algorithm::HmacSha1 => mac::<Hmac<Sha1>>(&whole, &message)?.verify_slice(signature).is_ok(),
        Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(&whole, &message)?.verify_slice(signature).is_ok(),
        Algorithm::HmacSha512 => mac::<Hmac<Sha512>>(&whole, &message)?.verify_slice(signature).is_ok(),
        Algorithm::Ed25519 => match Signature::from_slice(signature) {
            Ok(signature) => seed(&whole)?.verifying_key().verify_strict(&message, &signature).is_ok(),
            Err(_) => false,
        },
    })
}

/// The bytes of parts, one after the other.
///
/// # Errors
/// The name of a secret that is not there.
pub(crate) fn fill(secrets: &Secrets, parts: &[Part]) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut length = 0usize;
    for part in parts {
        length = length.saturating_add(bytes_of(secrets, part)?.len());
    }
    // In one piece from the start: a vector that grows leaves copies of secrets behind.
    let mut whole = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        whole.extend_from_slice(bytes_of(secrets, part)?);
    }
    Ok(whole)
}

/// The bytes of one part.
///
/// # Errors
/// The name of a secret that is not there.
pub(crate) fn bytes_of<'a>(secrets: &'a Secrets, part: &'a Part) -> Result<&'a [u8], String> {
    match part {
        Part::Text(text) => Ok(text.as_bytes()),
        Part::Bytes(bytes) => Ok(bytes),
        Part::Secret(slot) => secrets.get(slot).ok_or_else(|| slot.clone()),
    }
}

type Filled = Zeroizing<Vec<u8>>;

/// The key at the end of its chain, and the message. The budget is spent before anything is copied or computed.
fn put_together(
    secrets: &Secrets,
    defences: &Defences,
    key: &Key,
    message: &[Part],
    budget: &mut Budget,
) -> Result<(Filled, Filled), Refusal> {
    let secret = key.parts.iter().any(|part| matches!(part, Part::Secret(_)));
    if !secret && defences.on(Defence::SecretInKey) {
        return Err(Refusal::NoSecretInKey);
    }
    let all = key.parts.iter().chain(key.derive.iter().flatten()).chain(message);
    let mut bytes = 0usize;
    for part in all {
        bytes = bytes.saturating_add(bytes_of(secrets, part).map_err(Refusal::UnknownSecret)?.len());
    }
    budget.spend(key.derive.len().saturating_add(1), bytes)?;

    let mut whole = fill(secrets, &key.parts).map_err(Refusal::UnknownSecret)?;
    if key.algorithm == Algorithm::Ed25519 {
        if !key.derive.is_empty() {
            return Err(Refusal::UnfitKey("ed25519 has no derived keys".to_owned()));
        }
        if !matches!(key.parts.as_slice(), [Part::Secret(_)]) {
            return Err(Refusal::UnfitKey("a key of ed25519 is one secret and nothing else".to_owned()));
        }
    }
    for step in &key.derive {
        let step = fill(secrets, step).map_err(Refusal::UnknownSecret)?;
        whole = Zeroizing::new(match key.algorithm {
            Algorithm::HmacSha1 => mac::<Hmac<Sha1>>(&whole, &step)?.finalize().into_bytes().to_vec(),
            Algorithm::HmacSha256 => mac::<Hmac<Sha256>>(&whole, &step)?.finalize().into_bytes().to_vec(),
            Algorithm::HmacSha512 => mac::<Hmac<Sha512>>(&whole, &step)?.finalize().into_bytes().to_vec(),
            Algorithm::Ed25519 => return Err(Refusal::UnfitKey("ed25519 has no derived keys".to_owned())),
        });
    }
    let message = fill(secrets, message).map_err(Refusal::UnknownSecret)?;
    Ok((whole, message))
}

fn mac<M: hmac::Mac + hmac::KeyInit>(key: &[u8], message: &[u8]) -> Result<M, Refusal> {
    let unfit = |_| Refusal::UnfitKey("no key of this length".to_owned());
    let mut mac = <M as hmac::KeyInit>::new_from_slice(key).map_err(unfit)?;
    mac.update(message);
    Ok(mac)
}

fn seed(key: &[u8]) -> Result<SigningKey, Refusal> {
    let unfit = |_| Refusal::UnfitKey(format!("a seed of ed25519 has 32 bytes, this one has {}", key.len()));
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(key.try_into().map_err(unfit)?);
    Ok(SigningKey::from_bytes(&seed))
}

#[cfg(test)]
mod tests;
