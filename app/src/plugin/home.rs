//! The host's folder, and hosts with and without it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use holdback_plugins::{Compiler, Host, HostConfig, HostError, LogLine, SignaturePolicy};

use super::{escaped, limited};
use crate::Stop;

/// What a host takes from the machine it runs on.
pub(crate) struct Machine {
    /// Where components are compiled.
    pub(crate) compiler: Compiler,
    /// The host's folder unless another is named; nothing where none is to be used unasked.
    pub(crate) home: Option<PathBuf>,
    /// Someone at a terminal can be asked.
    pub(crate) asks: bool,
}

impl Machine {
    /// That of the program: its own file compiles, in a process of its own, and its folder is where the user's data is.
    pub(crate) fn of_the_program() -> Machine {
        // Should the program not know its own file, compiling fails; it is never done without limits instead.
        let program = std::env::current_exe().unwrap_or_else(|_| "holdback".into());
        let args = vec!["compile-worker".into()];
        let compiler = Compiler::Child { program, args, limits: holdback_plugins::CompileLimits::default() };
        Machine { compiler, home: usual_home(), asks: std::io::IsTerminal::is_terminal(&std::io::stdin()) }
    }

    /// That of a caller of [`crate::run`]: no other process, no folder, nobody to ask.
    pub(crate) fn of_a_caller() -> Machine {
        Machine { compiler: Compiler::Here, home: None, asks: false }
    }
}

/// Where the host's folder is by the environment.
fn usual_home() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = || {
        // The specification of such folders has paths that are not absolute passed over.
        let named = folder("XDG_DATA_HOME").filter(|path| path.is_absolute());
        named.or_else(|| Some(folder("HOME")?.join(".local/share")))
    };
    folder("HOLDBACK_HOME").or_else(|| Some(data()?.join("holdback")))
}

/// Lines that components wrote.
pub(crate) type Lines = Arc<Mutex<Vec<String>>>;

/// Makes hosts for one command.
pub(crate) struct Hosts {
    compiler: Compiler,
    /// The folder that was named, else the usual one.
    folder: Option<PathBuf>,
    /// It was named: one that cannot be used is not passed over.
    named: bool,
    lines: Lines,
}

/// Lines that are kept: a component may write 64 in each call.
const LINES: usize = 1_000;

/// The policy's file in the host's folder.
const SIGNERS: &str = "signers";

impl Hosts {
    pub(crate) fn new(machine: &Machine, named: Option<&Path>) -> Hosts {
        let folder = named.map(Path::to_owned).or_else(|| machine.home.clone());
        Hosts { compiler: machine.compiler.clone(), folder, named: named.is_some(), lines: Lines::default() }
    }

    /// The host's folder, whether it is there or not.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Whether the folder was named on the command line.
    pub(crate) fn is_named(&self) -> bool {
        self.named
    }

    /// What components have written to the log since they were last asked for.
    pub(crate) fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn config(&self) -> HostConfig {
        let lines = Arc::clone(&self.lines);
        let keep = move |line: &LogLine<'_>| {
            let text = format!("{}: {}: {}", line.component, super::word(&line.level), line.text);
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() < LINES {
                lines.push(text);
            }
        };
        HostConfig { log: Some(Arc::new(keep)), ..HostConfig::new(self.compiler.clone()) }
    }

    /// A host without a folder: nothing is cached, and a quarantine ends with it. With `fuel` it counts instructions, not time.
    pub(crate) fn without_folder(&self, fuel: Option<u64>) -> Result<Host, Stop> {
        Host::new(HostConfig { fuel, ..self.config() }).map_err(unusable)
    }

    /// A host with its folder, which must be there or be made. `signed` asks for the signatures that the folder's policy asks for.
    pub(crate) fn with_folder(&self, signed: bool) -> Result<Host, Stop> {
        let Some(folder) = &self.folder else {
            let expected = "name one with --home, or set HOLDBACK_HOME";
            return Err(Stop::Unusable(format!("the host has no folder: {expected}")));
        };
        self.open(folder, signed)
    }

    /// A host with its folder if it has one that can be used. One that was not named and cannot be used is passed over, with a note on
    /// why.
    pub(crate) fn perhaps_with_folder(&self, signed: bool) -> Result<(Host, Option<String>), Stop> {
        match &self.folder {
            Some(folder) => match self.open(folder, signed) {
                Err(Stop::Unusable(why)) if !self.named => {
                    let note = format!("components are compiled anew each time: {why}");
                    Ok((self.without_folder(None)?, Some(note)))
                }
                done => Ok((done?, None)),
            },
            None => Ok((self.without_folder(None)?, None)),
        }
    }

    fn open(&self, folder: &Path, signed: bool) -> Result<Host, Stop> {
        let mut config = HostConfig { home: Some(folder.to_owned()), ..self.config() };
        // The folder is proved to be the user's own before its policy is believed.
        holdback_plugins::Home::open(folder).map_err(|error| unusable(error.into()))?;
        if signed {
            config.signatures = self.signers()?;
        }
        Host::new(config).map_err(unusable)
    }

    /// Whose signatures components must bear, by the folder's policy.
    fn signers(&self) -> Result<SignaturePolicy, Stop> {
        let Some(path) = self.folder.as_ref().map(|folder| folder.join(SIGNERS)) else {
            return Ok(SignaturePolicy::any());
        };
        if !path.exists() {
            return Ok(SignaturePolicy::any());
        }
        let told = |why: String| Stop::Unusable(format!("{}: {why}", path.display()));
        let text = String::from_utf8(limited(&path, 64 << 10)?).map_err(|_| told("not UTF-8".to_owned()))?;
        let keys = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let policy = SignaturePolicy::required(keys).map_err(|error| told(error.to_string()))?;
        // An empty policy would let everything through that the file was written to keep out.
        match policy.is_required() {
            true => Ok(policy),
            false => Err(told("names no key: expected minisign public keys, a line each".to_owned())),
        }
    }
}

/// Why there is no host.
fn unusable(error: HostError) -> Stop {
    Stop::Unusable(escaped(&error.to_string()))
}
