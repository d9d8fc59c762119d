//! What a file is, read from its bytes before anything is compiled.

use wasmparser::{Encoding, Parser, Payload};

use crate::Digest;

/// The package and the version that this host speaks.
pub(crate) const PACKAGE: &str = "holdback:channel";
pub(crate) const VERSION: &str = "1.0.0";

/// What a component may import. `types` has no functions; it is how components name shared types.
const IMPORTS: [&str; 3] = ["types", "log", "signing"];

/// The world a component lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// A channel for notices.
    Notifier,
    /// A ladder of escalation.
    Escalator,
}

/// What a component's file says of itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Inspection {
    /// The digest of the file.
    pub digest: Digest,
    /// Its bytes.
    pub size: usize,
    /// The world it lives in.
    pub world: World,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
}

/// Why a file is no component for this host: what was found, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// Over the size that is taken.
    #[error("the file has {found} bytes; a component may have {limit}")]
    TooLarge {
        /// Bytes found.
        found: u64,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not WebAssembly.
    #[error(
        "not WebAssembly: the file begins with {found}; a component begins with `\\0asm` (if it is text, build it first: `holdback plugin build`)"
    )]
    NotWasm {
        /// The first bytes, or that there are none.
        found: String,
    },
    /// Compiled already, by this host or another.
    #[error("a compiled .cwasm file; only .wasm is taken, since compiled code cannot be checked")]
    Compiled,
    /// A core module.
    #[error("a core module; a component is expected (`holdback plugin build` makes one of it)")]
    CoreModule,
    /// The bytes end early or are not well formed.
    #[error("broken at byte {offset}: {reason}")]
    Malformed {
        /// Where.
        offset: usize,
        /// Why.
        reason: String,
    },
    /// It wants what this host does not give.
    #[error(
        "imports `{import}`; a component may import `{PACKAGE}/log@{VERSION}` and `{PACKAGE}/signing@{VERSION}`, and nothing else{hint}"
    )]
    ForbiddenImport {
        /// The import.
        import: String,
        /// What to do about it, or nothing.
        hint: &'static str,
    },
    /// Another version of the interface.
    #[error("speaks `{found}`; this host speaks version {VERSION}")]
    Version {
        /// The interface with its version.
        found: String,
    },
    /// It exports neither world.
    #[error("exports {}; `{PACKAGE}/channel@{VERSION}` (a notifier) or `{PACKAGE}/escalation@{VERSION}` (an escalator) is expected", listed(.0))]
    NoWorld(Vec<String>),
    /// It exports both worlds.
    #[error("exports both `channel` and `escalation`; a component lives in one world")]
    BothWorlds,
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// Reads a component's outermost imports and exports.
///
/// # Errors
/// What was found instead of a component for this host.
pub fn inspect(bytes: &[u8], limit: usize) -> Result<Inspection, InspectError> {
    inspect_with(bytes, limit, true)
}

pub(crate) fn inspect_with(
    bytes: &[u8],
    limit: usize,
    guard_imports: bool,
) -> Result<Inspection, InspectError> {
    if bytes.len() > limit {
        return Err(InspectError::TooLarge { found: bytes.len() as u64, limit });
    }
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(InspectError::Compiled);
    }
    if !bytes.starts_with(b"\0asm") {
        let head = &bytes[..bytes.len().min(8)];
        let found = if head.is_empty() { "nothing".to_owned() } else { format!("`{}`", head.escape_ascii()) };
        return Err(InspectError::NotWasm { found });
    }
    let (imports, exports) = names(bytes)?;
    if guard_imports {
        for import in &imports {
            allowed(import)?;
        }
    }
    let world = world(&exports)?;
    Ok(Inspection { digest: Digest::of(bytes), size: bytes.len(), world, imports, exports })
}

/// The names of the outermost imports and exports.
fn names(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), InspectError> {
    let broken = |error: wasmparser::BinaryReaderError| InspectError::Malformed {
        offset: error.offset(),
        reason: error.message().to_owned(),
    };
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(broken)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(InspectError::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth = depth.saturating_add(1)
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(broken)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(broken)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

fn allowed(import: &str) -> Result<(), InspectError> {
    let (path, version) = import.split_once('@').unwrap_or((import, ""));
    let own = path.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/'));
    match own {
        Some(interface) if IMPORTS.contains(&interface) && version == VERSION => Ok(()),
        Some(interface) if IMPORTS.contains(&interface) => {
            Err(InspectError::Version { found: import.to_owned() })
        }
        _ => Err(InspectError::ForbiddenImport {
            import: import.to_owned(),
            hint: if import.starts_with("wasi:") {
                "; build for wasm32-unknown-unknown, which brings no WASI"
            } else {
                ""
            },
        }),
    }
}

fn world(exports: &[String]) -> Result<World, InspectError> {
    let mut found = None;
    for export in exports {
        let (path, version) = export.split_once('@').unwrap_or((export, ""));
        let world = match path.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/')) {
            Some("channel") => World::Notifier,
            Some("escalation") => World::Escalator,
            _ => continue,
        };
        if version != VERSION {
            return Err(InspectError::Version { found: export.clone() });
        }
        if found.replace(world).is_some_and(|before| before != world) {
            return Err(InspectError::BothWorlds);
        }
    }
    found.ok_or_else(|| InspectError::NoWorld(exports.to_vec()))
}
