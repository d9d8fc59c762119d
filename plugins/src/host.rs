//! The host: takes components in, and gives channels and ladders out.

use std::path::PathBuf;
use std::sync::Arc;

use crate::bounds::OutOfBounds;
use crate::cache::{Cache, load};
use crate::compile::{CompileError, Compiler};
use crate::defence::{Defence, Defences};
use crate::grant::{Grant, GrantError};
use crate::health::{Health, Quarantine};
use crate::home::{Home, HomeError};
use crate::inspect::{InspectError, Inspection, inspect_with};
use crate::sandbox::{Fault, LogSink, Ready, Sandbox};
use crate::secret::{SecretError, Secrets};
use crate::signature::{SignatureError, SignaturePolicy};
use crate::wire::{Description, Setting, SettingKind};
use crate::{Digest, Limits, bounds};

/// How a host is to be.
#[derive(Clone)]
pub struct HostConfig {
    /// What a component may take.
    pub limits: Limits,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// The host's own folder. Without one nothing is cached, and quarantine ends with the process.
    pub home: Option<PathBuf>,
    /// Whose signature components must bear.
    pub signatures: SignaturePolicy,
    /// Counts instructions instead of time, this many a call: the same run everywhere, and slower.
    pub fuel: Option<u64>,
    /// Calls at the same time.
    pub threads: usize,
    /// Where components' log lines go.
    pub log: Option<Arc<LogSink>>,
}

impl HostConfig {
    /// The usual limits, two calls at a time, any component, no folder, no log.
    pub fn new(compiler: Compiler) -> HostConfig {
        HostConfig {
            limits: Limits::default(),
            compiler,
            home: None,
            signatures: SignaturePolicy::any(),
            fuel: None,
            threads: 2,
            log: None,
        }
    }
}

/// Why a component is not taken, or a host cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The host cannot run components at all.
    #[error("{0}")]
    Sandbox(String),
    /// The host's folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The file is no component for this host.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Nobody vouches for it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It does not start, or cannot say what it is.
    #[error("the component {0}")]
    Fault(#[from] Fault),
    /// What it says of itself is outside of the interface's bounds.
    #[error("the component's description is outside of the interface's bounds: {0}")]
    Bounds(#[from] OutOfBounds),
    /// What it may do.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// Its secrets.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Its settings.
    #[error("setting `{name}` {reason}")]
    Setting {
        /// The setting.
        name: String,
        /// What is wrong, and what is expected.
        reason: String,
    },
}

/// Runs components for notices and ladders.
///
/// ```
/// use holdback_plugins::{Compiler, Host, HostConfig, shipped};
/// let host = Host::new(HostConfig::new(Compiler::Here))?;
/// let webhook = shipped("webhook").ok_or("not shipped")?;
/// let plugin = host.load(webhook.wasm, None)?;
/// assert_eq!(plugin.description().name, "webhook");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Host {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) sandbox: Sandbox,
    pub(crate) health: Health,
    pub(crate) defences: Defences,
    compiler: Compiler,
    signatures: SignaturePolicy,
    home: Option<Home>,
    cache: Option<Cache>,
}

/// A component that was taken in: inspected, compiled, and asked what it is.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) inspection: Arc<Inspection>,
    pub(crate) description: Arc<Description>,
    pub(crate) ready: Ready,
    signed_by: Option<String>,
}

impl Plugin {
    /// What its file says.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Its name to the host.
    pub fn digest(&self) -> Digest {
        self.inspection.digest
    }

    /// The key whose signature it bears, if signatures are required.
    pub fn signed_by(&self) -> Option<&str> {
        self.signed_by.as_deref()
    }
}

impl Host {
    /// Makes a host: an engine, its threads, its folder.
    ///
    /// # Errors
    /// When components cannot be run here, or the folder cannot be used.
    pub fn new(config: HostConfig) -> Result<Host, HostError> {
        Host::with(config, Defences::default())
    }

    pub(crate) fn with(config: HostConfig, defences: Defences) -> Result<Host, HostError> {
        let HostConfig { limits, compiler, home, signatures, fuel, threads, log } = config;
        let home = home.as_deref().map(Home::open).transpose()?;
        let cache = home.as_ref().map(|home| home.cache(defences.clone())).transpose()?;
        let health = match &home {
            Some(home) => Health::with(home.quarantine()?),
            None => Health::default(),
        };
        let sandbox =
            Sandbox::new(limits, fuel, threads.max(1), log, defences.clone()).map_err(HostError::Sandbox)?;
        Ok(Host { inner: Arc::new(Inner { sandbox, health, defences, compiler, signatures, home, cache }) })
    }

    /// Whether instances come from a pool; else the machine had too little address space for one.
    pub fn is_pooled(&self) -> bool {
        self.inner.sandbox.is_pooled()
    }

    /// The host's folder.
    pub fn home(&self) -> Option<&Home> {
        self.inner.home.as_ref()
    }

    /// Takes a component in: looks at its bytes, asks for a signature if the policy does, compiles it or finds it compiled, and asks it
    /// what it is. Nothing is granted by that.
    ///
    /// # Errors
    /// What was found instead of a component for this host.
    pub fn load(&self, wasm: &[u8], signature: Option<&str>) -> Result<Plugin, HostError> {
        let Inner { sandbox, defences, compiler, signatures, cache, .. } = &*self.inner;
        let inspection = inspect_with(wasm, sandbox.limits().component, defences.on(Defence::ImportCheck))?;
        let signed_by = signatures.check(wasm, signature)?;
        let (digest, hash) = (inspection.digest, sandbox.hash());
        let cached = cache.as_ref().and_then(|cache| cache.get(digest, sandbox.engine(), hash));
        let component = match cached {
            Some(component) => component,
            None => {
                let code = compiler.compile(wasm, sandbox.kind())?;
                if let Some(cache) = cache {
                    cache.put(digest, hash, &code);
                }
                load(sandbox.engine(), &code).map_err(|error| CompileError::Invalid(format!("{error:#}")))?
            }
        };
        let short = digest.short();
        let ready = sandbox.ready(&component, inspection.world, &short)?;
        let description = sandbox.describe(&ready)?;
        if defences.on(Defence::AnswerBounds) {
            bounds::description(&description)?;
        }
        let ready = ready.named(&description.name);
        Ok(Plugin { inspection: Arc::new(inspection), description: Arc::new(description), ready, signed_by })
    }

    /// A granted component from the host's folder, by its name.
    ///
    /// # Errors
    /// When it was not granted, has changed since, or does not load.
    pub fn granted(&self, name: &str, signature: Option<&str>) -> Result<Option<(Plugin, Grant)>, HostError> {
        let Some(home) = self.home() else { return Ok(None) };
        let Some(grant) = home.grants()?.into_iter().find(|grant| grant.name == name) else {
            return Ok(None);
        };
        let path = home.component(grant.digest);
        let limit = self.inner.sandbox.limits().component as u64;
        let wasm = crate::cache::read_capped(&path, limit)
            .map_err(|error| HomeError::Private(crate::PrivateError::Io { path, error }))?;
        let plugin = self.load(&wasm, signature)?;
        grant.fits_with(plugin.digest(), plugin.description(), &self.inner.defences)?;
        Ok(Some((plugin, grant)))
    }

    /// The secrets of a grant, read now.
    ///
    /// # Errors
    /// Which secret is missing or cannot be used; never its content.
    pub fn secrets(&self, plugin: &Plugin, grant: &Grant) -> Result<Secrets, HostError> {
        Ok(Secrets::load(&grant.secrets, &plugin.description.secrets)?)
    }

    /// The components in quarantine.
    pub fn quarantine(&self) -> Vec<Quarantine> {
        self.inner.health.quarantine()
    }

    /// Ends a component's quarantine. Says whether it was in it.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn reset(&self, digest: Digest) -> Result<bool, HostError> {
        let Some(left) = self.inner.health.reset(digest) else { return Ok(false) };
        if let Some(home) = self.home() {
            home.keep_quarantine(left)?;
        }
        Ok(true)
    }
}

impl Inner {
    /// Runs a call of a component that is admitted, and notes how it went.
    pub(crate) fn watched<T>(
        &self,
        digest: Digest,
        now_ms: u64,
        call: impl FnOnce(&Sandbox) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let guarded = self.defences.on(Defence::Quarantine);
        if guarded {
            self.health.admit(digest, now_ms)?;
        }
        let done = call(&self.sandbox);
        match &done {
            Ok(_) => self.health.worked(digest),
            Err(fault) if guarded => {
                let held = self.health.failed(digest, fault, now_ms);
                if let (Some(held), Some(home)) = (held, &self.home) {
                    // Kept in memory all the same: a full disk must not let it run again in this process.
                    let _ = home.keep_quarantine(held);
                }
            }
            Err(_) => {}
        }
        done
    }
}

/// Holds settings against those that a component describes.
pub(crate) fn check_settings(
    asked: &[Setting],
    given: &std::collections::BTreeMap<&str, &str>,
) -> Result<(), HostError> {
    let wrong = |name: &str, reason: String| HostError::Setting { name: name.to_owned(), reason };
    for name in given.keys() {
        if !asked.iter().any(|setting| setting.name == *name) {
            let known: Vec<_> = asked.iter().map(|setting| format!("`{}`", setting.name)).collect();
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", known.join(", "))
            };
            return Err(wrong(name, format!("is none of the component's; {known}")));
        }
    }
    for setting in asked {
        let Some(value) = given.get(setting.name.as_str()) else {
            if setting.required {
                return Err(wrong(&setting.name, format!("is required: {}", setting.about)));
            }
            continue;
        };
        let fits = match setting.kind {
            SettingKind::Text => !value.chars().any(|char| char.is_control() && char != '\n'),
            SettingKind::Number => value.parse::<i64>().is_ok(),
            SettingKind::Flag => matches!(*value, "true" | "false"),
            SettingKind::Url => crate::egress::Origin::of_url(value).is_ok(),
        };
        if !fits {
            let expected = match setting.kind {
                SettingKind::Text => "a text without control characters",
                SettingKind::Number => "a whole number",
                SettingKind::Flag => "`true` or `false`",
                SettingKind::Url => "`https://`, a host, and perhaps a path and a query",
            };
            // A URL may hold what is secret, and is not shown.
            let shown = if setting.kind == SettingKind::Url {
                "not what is expected".to_owned()
            } else {
                format!("`{value}`")
            };
            return Err(wrong(&setting.name, format!("is {shown}: {expected}")));
        }
    }
    Ok(())
}
