//! What an operator allows a component: never more than it asked for, and for that very component only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::defence::{Defence, Defences};
use crate::egress::{Allowance, Origin};
use crate::secret::SecretSource;
use crate::wire::{Description, Want};

/// What one component may do. Written down when the operator grants it; holds for one digest and one set of wishes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What the component calls itself.
    pub name: String,
    /// The component.
    pub digest: Digest,
    /// What it asked for when this was granted: see [`asked`].
    pub asked: Digest,
    /// Where it may send to.
    #[serde(default)]
    pub allow: Allowance,
    /// Where the secrets of its slots are.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
}

/// Why a grant does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// Another component.
    #[error(
        "`{name}` was granted as {granted}, and this is {found}: it has changed; look at it with `holdback plugin check` and grant it anew"
    )]
    Changed {
        /// What it calls itself.
        name: String,
        /// The digest that was granted.
        granted: Digest,
        /// This one's.
        found: Digest,
    },
    /// The same component asks for something else.
    #[error("`{0}` asks for something else than when it was granted; grant it anew")]
    AskedElse(String),
    /// More than it asked for.
    #[error("`{name}` did not ask for {what}; it may be granted {asked}")]
    NotAsked {
        /// What it calls itself.
        name: String,
        /// What was to be granted.
        what: String,
        /// What it asked for.
        asked: String,
    },
    /// It was never granted anything.
    #[error("`{name}` ({digest}) is not granted: `holdback plugin grant` does that")]
    None {
        /// What it calls itself.
        name: String,
        /// The component.
        digest: Digest,
    },
}

/// The digest of what a component asks for: hosts, secrets and settings.
pub fn asked(description: &Description) -> Digest {
    let Description { wants, secrets, settings, .. } = description;
    // Lists of plain records: this cannot fail, and if it did, no grant would fit.
    Digest::of(&serde_json::to_vec(&(wants, secrets, settings)).unwrap_or_default())
}

impl Grant {
    /// A grant of nothing, for a component as it is.
    pub fn none(digest: Digest, description: &Description) -> Grant {
        Grant {
            name: description.name.clone(),
            digest,
            asked: asked(description),
            allow: Allowance::default(),
            secrets: BTreeMap::new(),
        }
    }

    /// Whether the grant is for this component, and no more than it asks for.
    ///
    /// # Errors
    /// Which part is not.
    pub fn fits(&self, digest: Digest, description: &Description) -> Result<(), GrantError> {
        self.fits_with(digest, description, &Defences::default())
    }

    pub(crate) fn fits_with(
        &self,
        digest: Digest,
        description: &Description,
        defences: &Defences,
    ) -> Result<(), GrantError> {
        if defences.on(Defence::GrantBinding) {
            let name = self.name.clone();
            if self.digest != digest {
                return Err(GrantError::Changed { name, granted: self.digest, found: digest });
            }
            if self.asked != asked(description) {
                return Err(GrantError::AskedElse(name));
            }
        }
        let not_asked = |what: String, asked: Vec<String>| GrantError::NotAsked {
            name: self.name.clone(),
            what,
            asked: if asked.is_empty() { "none of that kind".to_owned() } else { asked.join(", ") },
        };
        for allowed in &self.allow.origins {
            if !wants_origin(description, allowed.origin()) {
                let asked = description.wants.iter().map(|want| match want {
                    Want::Origin(origin) => format!("`{origin}`"),
                    Want::Setting(setting) => format!("the origin of setting `{setting}`"),
                    Want::Mail => "mail".to_owned(),
                });
                return Err(not_asked(format!("`{}`", allowed.origin()), asked.collect()));
            }
        }
        if self.allow.mail.is_some() && !description.wants.contains(&Want::Mail) {
            return Err(not_asked("mail".to_owned(), Vec::new()));
        }
        for slot in self.secrets.keys() {
            if !description.secrets.iter().any(|asked| asked.name == *slot) {
                let asked = description.secrets.iter().map(|slot| format!("`{}`", slot.name));
                return Err(not_asked(format!("secret `{slot}`"), asked.collect()));
            }
        }
        Ok(())
    }
}

/// Whether a component has asked for an origin: by name, or as the one in a setting, which the operator chooses.
fn wants_origin(description: &Description, origin: &Origin) -> bool {
    description.wants.iter().any(|want| match want {
        Want::Origin(wanted) => Origin::parse(wanted).is_ok_and(|wanted| wanted == *origin),
        Want::Setting(_) => true,
        Want::Mail => false,
    })
}
