//! Who vouches for a component.

use minisign_verify::{PublicKey, Signature};

/// Whose signature a component must bear. Signatures are minisign's (ed25519 over the file; `minisign -S`), in a file of the component's
/// name with `.minisig` after it.
#[derive(Clone, Default)]
pub struct SignaturePolicy {
    keys: Vec<(String, PublicKey)>,
}

/// Why a signature is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The policy asks for one.
    #[error("not signed; a signature by {0} is required")]
    Missing(String),
    /// None of the keys has made it, or the file is another.
    #[error("the signature is by none of {0}, or of another file")]
    Wrong(String),
    /// No minisign signature.
    #[error("no minisign signature: {0}")]
    Malformed(String),
    /// No minisign public key.
    #[error("`{0}` is no minisign public key (the line of 56 letters in its .pub file)")]
    Key(String),
}

impl SignaturePolicy {
    /// Any component, signed or not. A grant is still for one digest.
    pub fn any() -> SignaturePolicy {
        SignaturePolicy::default()
    }

    /// Only components signed by one of these public keys, in minisign's base64.
    ///
    /// # Errors
    /// [`SignatureError::Key`] for what is no key.
    pub fn required<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<SignaturePolicy, SignatureError> {
        let key = |text: &str| {
            let key =
                PublicKey::from_base64(text.trim()).map_err(|_| SignatureError::Key(text.to_owned()))?;
            Ok((text.trim().to_owned(), key))
        };
        Ok(SignaturePolicy { keys: keys.into_iter().map(key).collect::<Result<_, _>>()? })
    }

    /// Whether it asks for signatures.
    pub fn is_required(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Gives back the key that vouches for a file; nothing if none need.
    pub(crate) fn check(
        &self,
        bytes: &[u8],
        signature: Option<&str>,
    ) -> Result<Option<String>, SignatureError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let names = || self.keys.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let text = signature.ok_or_else(|| SignatureError::Missing(names()))?;
        let signature =
            Signature::decode(text).map_err(|error| SignatureError::Malformed(error.to_string()))?;
        let by = self.keys.iter().find(|(_, key)| key.verify(bytes, &signature, false).is_ok());
        by.map(|(name, _)| Some(name.clone())).ok_or_else(|| SignatureError::Wrong(names()))
    }
}
