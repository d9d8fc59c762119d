//! The host's own folder: installed components, grants, quarantine, and compiled code.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Digest;
use crate::cache::{Cache, PrivateError, private_folder, read_capped, write_private};
use crate::defence::Defences;
use crate::grant::Grant;
use crate::health::Quarantine;

/// A folder of the host's own. Nobody but the user whose program it is may read or write it.
///
/// | in it | is |
/// |---|---|
/// | `components/DIGEST.wasm` | a component, as it was granted |
/// | `grants.toml` | what each may do |
/// | `quarantine.toml` | those that failed too often |
/// | `cache/` | compiled code with a MAC, and its key |
pub struct Home {
    folder: PathBuf,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// It cannot be read or written, or is open to others.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// A file in it is not what the host has written.
    #[error("`{}`: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grants {
    format: u32,
    #[serde(default, rename = "grant")]
    grants: Vec<Grant>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quarantined {
    format: u32,
    #[serde(default)]
    held: Vec<Quarantine>,
}

impl Home {
    /// Opens the folder, and makes it if it is missing.
    ///
    /// # Errors
    /// When it cannot be made, or is open to others.
    pub fn open(folder: &Path) -> Result<Home, HomeError> {
        private_folder(folder)?;
        Ok(Home { folder: folder.to_owned() })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn cache(&self, defences: Defences) -> Result<Cache, HomeError> {
        Ok(Cache::open(&self.folder.join("cache"), defences)?)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, HomeError> {
        let path = self.folder.join(name);
        let malformed = |reason: String| HomeError::Malformed { path: path.clone(), reason };
        let bytes = match read_capped(&path, 1 << 20) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PrivateError::Io { path, error }.into()),
            Ok(bytes) => bytes,
        };
        let text = String::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        toml::from_str(&text).map(Some).map_err(|error| malformed(error.to_string()))
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<(), HomeError> {
        let path = self.folder.join(name);
        let text = toml::to_string_pretty(value)
            .map_err(|error| HomeError::Malformed { path: path.clone(), reason: error.to_string() })?;
        write_private(&path, text.as_bytes()).map_err(|error| PrivateError::Io { path, error }.into())
    }

    /// All grants.
    ///
    /// # Errors
    /// When the file cannot be read or is not the host's.
    pub fn grants(&self) -> Result<Vec<Grant>, HomeError> {
        let grants: Option<Grants> = self.read("grants.toml")?;
        Ok(grants.map_or_else(Vec::new, |grants| grants.grants))
    }

    /// Writes down a grant in the place of the one of the same name, and keeps the component beside it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn grant(&self, grant: Grant, wasm: &[u8]) -> Result<(), HomeError> {
        let components = self.folder.join("components");
        private_folder(&components)?;
        let path = self.component(grant.digest);
        write_private(&path, wasm).map_err(|error| PrivateError::Io { path, error })?;
        let mut grants = self.grants()?;
        grants.retain(|before| before.name != grant.name);
        grants.push(grant);
        grants.sort_by(|a, b| a.name.cmp(&b.name));
        self.write("grants.toml", &Grants { format: 1, grants })
    }

    /// Takes a grant away. Says whether there was one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn revoke(&self, name: &str) -> Result<bool, HomeError> {
        let mut grants = self.grants()?;
        let before = grants.len();
        grants.retain(|grant| grant.name != name);
        let found = grants.len() < before;
        if found {
            self.write("grants.toml", &Grants { format: 1, grants })?;
        }
        Ok(found)
    }

    /// Where an installed component is.
    pub fn component(&self, digest: Digest) -> PathBuf {
        self.folder.join("components").join(format!("{}.wasm", digest.hex()))
    }

    pub(crate) fn quarantine(&self) -> Result<Vec<Quarantine>, HomeError> {
        let held: Option<Quarantined> = self.read("quarantine.toml")?;
        Ok(held.map_or_else(Vec::new, |held| held.held))
    }

    pub(crate) fn keep_quarantine(&self, held: Vec<Quarantine>) -> Result<(), HomeError> {
        self.write("quarantine.toml", &Quarantined { format: 1, held })
    }
}
