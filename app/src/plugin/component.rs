//! Which component is meant: a file, a folder in which one was built, a name.

use std::path::{Path, PathBuf};

use holdback_plugins::{Digest, Grant, Home, Host, InspectError, Limits, Plugin, SHIPPED, shipped};

use super::home::Hosts;
use super::{escaped, limited};
use crate::{Stop, did_you_mean};

/// A component as it was found, not yet looked at.
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) wasm: Vec<u8>,
    /// Its minisign signature.
    pub(crate) signature: Option<String>,
}

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    /// It ships with the program.
    Shipped(&'static str),
    /// It is installed in the host's folder.
    Granted(Box<Grant>),
    /// A file.
    File(PathBuf),
}

/// What a name means that both a granted component and a shipped one have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rather {
    /// The one that may do something.
    Granted,
    /// The program's own.
    Shipped,
}

/// Why there is no component to look at.
pub(crate) enum Missing {
    /// There is a file, and it is refused before it is read.
    Refused(String),
    /// There is none.
    Stop(Stop),
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Stop {
        match missing {
            Missing::Refused(why) => Stop::Unusable(why),
            Missing::Stop(stop) => stop,
        }
    }
}

impl From<Stop> for Missing {
    fn from(stop: Stop) -> Missing {
        Missing::Stop(stop)
    }
}

impl Found {
    /// Finds what is meant. A file is read only if it is of a size that a component may have.
    pub(crate) fn find(meant: &Path, hosts: &Hosts, rather: Rather) -> Result<Found, Missing> {
        if meant.is_dir() {
            return Found::file(&built_in(meant)?);
        }
        if meant.exists() {
            return Found::file(meant);
        }
        let name = meant.to_str().filter(|name| is_name(name));
        let Some(name) = name else {
            let why = format!("{}: no such file", meant.display());
            return Err(Stop::Unusable(why).into());
        };
        let grants = grants(hosts)?;
        let granted = grants.iter().find(|grant| grant.name == name);
        match (shipped(name), granted) {
            (Some(shipped), None) => Ok(Found::shipped(shipped)),
            (Some(shipped), Some(_)) if rather == Rather::Shipped => Ok(Found::shipped(shipped)),
            (_, Some(granted)) => Found::granted(granted.clone(), hosts),
            (None, None) => {
                let known = SHIPPED.iter().map(|shipped| shipped.name);
                let known: Vec<&str> = known.chain(grants.iter().map(|grant| grant.name.as_str())).collect();
                let near = did_you_mean(name, known.iter().copied());
                let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                let why = format!(
                    "`{name}` is no file, and no component of that name is known: expected {}",
                    known.join(", ")
                );
                Err(Stop::Unusable(format!("{why}{near}")).into())
            }
        }
    }

    fn shipped(shipped: holdback_plugins::Shipped) -> Found {
        Found { place: Place::Shipped(shipped.name), wasm: shipped.wasm.to_vec(), signature: None }
    }

    fn granted(grant: Grant, hosts: &Hosts) -> Result<Found, Missing> {
        let folder = hosts.folder().unwrap_or(Path::new("."));
        let home = Home::open(folder).map_err(|error| Stop::Unusable(error.to_string()))?;
        let found = Found::file(&home.component(grant.digest))?;
        Ok(Found { place: Place::Granted(Box::new(grant)), ..found })
    }

    fn file(path: &Path) -> Result<Found, Missing> {
        let limit = Limits::default().component;
        let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if !size.is_file() {
            return Err(Stop::Unusable(format!("{}: no regular file", path.display())).into());
        }
        if size.len() > limit as u64 {
            let error = InspectError::TooLarge { found: size.len(), limit };
            return Err(Missing::Refused(format!("{}: {error}", path.display())));
        }
        let wasm = limited(path, limit)?;
        let beside = signature_beside(path);
        let signature = if beside.is_file() { Some(signature_in(&beside)?) } else { None };
        Ok(Found { place: Place::File(path.to_owned()), wasm, signature })
    }

    /// Whether the program vouches for it itself.
    pub(crate) fn is_shipped(&self) -> bool {
        matches!(self.place, Place::Shipped(_))
    }

    /// Where it comes from, for people.
    pub(crate) fn place(&self) -> String {
        match &self.place {
            Place::Shipped(name) => format!("{name} (ships with the program)"),
            Place::Granted(grant) => format!("{} (granted)", grant.name),
            Place::File(path) => path.display().to_string(),
        }
    }

    /// Lets a host take it in.
    pub(crate) fn load(&self, host: &Host) -> Result<Plugin, String> {
        let taken = host.load(&self.wasm, self.signature.as_deref());
        taken.map_err(|error| format!("{}: {}", self.place(), escaped(&error.to_string())))
    }
}

/// What is granted in the host's folder; nothing if there is no folder.
pub(crate) fn grants(hosts: &Hosts) -> Result<Vec<Grant>, Stop> {
    let Some(folder) = hosts.folder().filter(|folder| folder.exists()) else { return Ok(Vec::new()) };
    let home = match Home::open(folder) {
        // One that nobody has named is as good as none; whoever needs it says why it cannot be used.
        Err(_) if !hosts.is_named() => return Ok(Vec::new()),
        home => home,
    };
    home.and_then(|home| home.grants()).map_err(|error| Stop::Unusable(error.to_string()))
}

/// Where a component's signature is looked for.
pub(crate) fn signature_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}

/// A file of a signature.
pub(crate) fn signature_in(path: &Path) -> Result<String, Stop> {
    let text = limited(path, 8 << 10)?;
    String::from_utf8(text)
        .map_err(|_| Stop::Unusable(format!("{}: no minisign signature: not UTF-8", path.display())))
}

/// The one component in a guest crate's folder.
fn built_in(folder: &Path) -> Result<PathBuf, Stop> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "wasm"));
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Stop::Unusable(format!(
            "{0}: no component in it: expected one .wasm file (`holdback plugin build {0}` makes it)",
            folder.display()
        ))),
        more => {
            let names: Vec<String> = more.iter().map(|path| format!("`{}`", path.display())).collect();
            let names = names.join(", ");
            Err(Stop::Unusable(format!(
                "{}: more than one component in it: name one of {names}",
                folder.display()
            )))
        }
    }
}

/// Whether it can be the name of a component rather than a path.
fn is_name(text: &str) -> bool {
    !text.ends_with(".wasm") && text.chars().all(|char| char.is_ascii_alphanumeric() || "-_".contains(char))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Stop {
    Stop::Unusable(format!("{}: cannot be read: {error}", path.display()))
}

/// A component as people call it: name, version and the beginning of its digest.
pub(crate) fn called(plugin: &Plugin) -> String {
    let description = plugin.description();
    format!("{} {} ({})", escaped(&description.name), escaped(&description.version), short(plugin.digest()))
}

/// The beginning of a digest.
pub(crate) fn short(digest: Digest) -> String {
    format!("sha256:{}", digest.short())
}
