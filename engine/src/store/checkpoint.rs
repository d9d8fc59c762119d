//! A signed word on how far a store has come, to hand to the other party.

use ed25519_dalek::{Signature, Signer, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::Digest;
use crate::Instant;

/// What a store holds up to some record, signed. Who keeps one can have any later state of the store proved to continue it.
///
/// ```
/// use holdback::store::{Checkpoint, SigningKey, Tree};
/// let key = SigningKey::from_seed([7; 32]);
/// let at = "2026-03-02T10:00:00Z".parse()?;
/// let checkpoint = Checkpoint::sign("desk", &Tree::default(), at, &key);
/// assert!(checkpoint.check().is_ok());
/// assert!(Checkpoint { size: 1, ..checkpoint }.check().is_err());
/// # Ok::<(), holdback::TimeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The version of this JSON.
    pub format: u32,
    /// The store's name, as its keeper gives it.
    pub store: String,
    /// How many records.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// The engine's time then.
    pub at: Instant,
    /// The keeper's public key: 64 hexadecimal digits.
    pub key: Digest,
    /// The signature (ed25519): 128 hexadecimal digits.
    pub signature: String,
}

/// Why a checkpoint is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The key or the signature is none.
    #[error("the checkpoint's `{0}` is no ed25519 {0}: it was altered, or is not a checkpoint")]
    Malformed(&'static str),
    /// The signature is not the key's over this content.
    #[error(
        "the checkpoint of `{store}` at record {size} does not carry its signature: it was altered; ask for it anew"
    )]
    Signature {
        /// The store.
        store: String,
        /// Its size.
        size: u64,
    },
}

/// A key that signs checkpoints.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a seed: 32 random bytes that are kept secret.
    pub fn from_seed(seed: [u8; 32]) -> SigningKey {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// Its public half, by which others know it.
    pub fn public(&self) -> Digest {
        Digest(self.0.verifying_key().to_bytes())
    }
}

impl Checkpoint {
    /// Signs the state of a tree.
    pub fn sign(store: &str, tree: &super::Tree, at: Instant, key: &SigningKey) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            format: crate::assess::FORMAT,
            store: store.to_owned(),
            size: tree.size(),
            root: tree.root(),
            at,
            key: key.public(),
            signature: String::new(),
        };
        let signature = key.0.sign(checkpoint.signed().as_bytes()).to_bytes();
        checkpoint.signature = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        checkpoint
    }

    /// The text that is signed.
    fn signed(&self) -> String {
        let Checkpoint { format, store, size, root, at, .. } = self;
        format!("holdback checkpoint {format}\n{store:?}\n{size}\n{root}\n{at}\n")
    }

    /// Whether it is what its key signed. Whose key that is, the reader must know.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn check(&self) -> Result<(), CheckpointError> {
        let key = VerifyingKey::from_bytes(&self.key.0).map_err(|_| CheckpointError::Malformed("key"))?;
        let halves = self.signature.split_at_checked(64).filter(|(_, last)| last.len() == 64);
        let bytes =
            halves.and_then(|(first, last)| Some([first.parse::<Digest>().ok()?, last.parse().ok()?]));
        let [first, last] = bytes.ok_or(CheckpointError::Malformed("signature"))?;
        let signature = Signature::from_components(first.0, last.0);
        let wrong = || CheckpointError::Signature { store: self.store.clone(), size: self.size };
        key.verify_strict(self.signed().as_bytes(), &signature).map_err(|_| wrong())
    }
}
