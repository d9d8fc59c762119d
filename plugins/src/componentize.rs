//! From a guest's sources to a component: the compiler, then the encoder. Here and not in a tool of its own, so that an author
//! needs nothing but Rust's wasm target.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wit_component::ComponentEncoder;

/// Rust's name for what guests are built for: wasm without any system beneath it, hence without imports of one.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Not a core module at all.
    #[error("not a wasm module: {0}")]
    NotAModule(String),
    /// The bytes are a component already.
    #[error("this is a component already, and needs no encoding")]
    AlreadyAComponent,
    /// Nothing says which world the module is for.
    #[error(
        "the module has no `component-type` section: it was built without the bindings of a world (in Rust, `channel!` or \
         `escalation!` of `holdback-channel`)"
    )]
    NoComponentType,
    /// The module is not what its world asks for.
    #[error("no component can be made of the module: {0}")]
    Encoding(String),
    /// The compiler is not there.
    #[error("cannot run {program}: {why}")]
    NoCompiler {
        /// What was to be run.
        program: String,
        /// What the system said.
        why: std::io::Error,
    },
    /// The compiler has no library for the target.
    #[error("the compiler has no {TARGET}: run `rustup target add {TARGET}`")]
    NoTarget,
    /// The sources do not compile.
    #[error("the guest in {folder} does not build:\n{output}")]
    Compile {
        /// Its folder.
        folder: PathBuf,
        /// What the compiler said.
        output: String,
    },
    /// It compiled, and there is no module.
    #[error("{folder} makes no module: its [lib] needs `crate-type = [\"cdylib\"]`")]
    NoModule {
        /// Its folder.
        folder: PathBuf,
    },
    /// A file could not be read.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
}

/// Makes a component of a core module that carries its world in a `component-type` section. No adapter is laid beneath
/// it: a module that imports a system (WASI) is refused.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    if wasmparser::Parser::is_component(module) {
        return Err(BuildError::AlreadyAComponent);
    }
    let module = without_producers(module)?;
    // The encoder knows a module by the section alone, and without one says that an import is unknown, which helps nobody.
    let mut typed = false;
    for payload in wasmparser::Parser::new(0).parse_all(&module) {
        let payload = payload.map_err(|error| BuildError::NotAModule(error.to_string()))?;
        if let wasmparser::Payload::CustomSection(section) = payload {
            typed |= section.name().starts_with("component-type");
        }
    }
    if !typed {
        return Err(BuildError::NoComponentType);
    }
    let encode = || ComponentEncoder::default().validate(true).module(&module)?.encode();
    encode().map_err(|error| BuildError::Encoding(format!("{error:#}")))
}

/// The module without the sections that only name the tools it was made by: a kilobyte that nothing reads.
fn without_producers(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    let bad = |error: wasmparser::BinaryReaderError| BuildError::NotAModule(error.to_string());
    const HEAD: usize = 8;
    let head = module.get(..HEAD).filter(|head| head.starts_with(b"\0asm"));
    let mut kept =
        head.ok_or_else(|| BuildError::NotAModule("it does not begin with \\0asm".to_owned()))?.to_vec();
    let mut reader = wasmparser::BinaryReader::new(&module[HEAD..], HEAD);
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8().map_err(bad)?;
        let content = reader.read_reader().map_err(bad)?;
        let mut content = content;
        let dropped = id == 0
            && matches!(content.read_string().map_err(bad)?, "producers" | "name" | "target_features");
        if !dropped {
            kept.extend_from_slice(&module[start..reader.original_position()]);
        }
    }
    Ok(kept)
}

/// The compiler that builds guests.
#[derive(Clone, Debug)]
pub struct Toolchain {
    cargo: OsString,
    rustc: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    /// What the author can do if the target is missing is a matter of rustup alone.
    ships_target: bool,
}

impl Toolchain {
    /// The cargo on the path, with rustup's wasm target.
    pub fn user() -> Toolchain {
        Toolchain {
            cargo: "cargo".into(),
            rustc: "rustc".into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            ships_target: true,
        }
    }

    /// Debian's compiler (`rustc-web`, `cargo-web`, `rust-web-src`, `lld-22`). It ships no library for wasm, so the standard library is
    /// built along from its sources; that is a switch of nightly compilers, hence `RUSTC_BOOTSTRAP`.
    pub fn debian() -> Toolchain {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut first = OsString::from("/usr/bin:");
        first.push(path);
        let mut environment: Vec<(OsString, OsString)> = vec![
            ("RUSTC_BOOTSTRAP".into(), "1".into()),
            ("RUSTC".into(), "/usr/bin/rustc".into()),
            ("PATH".into(), first),
        ];
        // Its own `rust-lld` is a link that holds only if the package of the same version of lld is installed.
        if !Path::new("/usr/bin/rust-lld").exists()
            && let Some(linker) = other_linker()
        {
            environment.push(("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER".into(), linker.into()));
        }
        Toolchain {
            cargo: "/usr/bin/cargo".into(),
            rustc: "/usr/bin/rustc".into(),
            arguments: vec!["-Zbuild-std=std,panic_abort".into()],
            environment,
            ships_target: false,
        }
    }

    /// The compiler's name and version, as it says itself: `rustc 1.96.0 (ac68faa20 2026-05-25)`. Debian's says in it that it was built
    /// from a source tarball, which tells it from rustup's of the same version: their bytes differ.
    pub fn version(&self) -> Result<String, BuildError> {
        self.ask_rustc(&["--version"])
    }

    fn ask_rustc(&self, arguments: &[&str]) -> Result<String, BuildError> {
        let mut command = Command::new(&self.rustc);
        command.args(arguments).envs(self.environment.iter().cloned());
        Ok(String::from_utf8_lossy(&run(&mut command)?.stdout).trim().to_owned())
    }
}

/// A linker for wasm that another package or toolchain has left here.
fn other_linker() -> Option<PathBuf> {
    let named = |folder: &Path, fits: &dyn Fn(&str) -> bool| {
        let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(fits))
            .collect();
        found.sort();
        found
    };
    if let Some(linker) = named(Path::new("/usr/bin"), &|name| name.starts_with("wasm-ld")).pop() {
        return Some(linker);
    }
    let home = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".rustup")))?;
    named(&home.join("toolchains"), &|_| true).into_iter().rev().find_map(|toolchain| {
        named(&toolchain.join("lib/rustlib"), &|_| true)
            .into_iter()
            .map(|host| host.join("bin/rust-lld"))
            .find(|lld| lld.exists())
    })
}

/// A guest that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The name of its library, which the component's file is called by.
    pub name: String,
    /// The component.
    pub component: Vec<u8>,
    /// The compiler.
    pub compiler: String,
}

/// Builds the guest crate in `folder` and makes a component of it.
///
/// The same sources and compiler give the same bytes wherever they lie: paths in messages of panics are those of the sources
/// alone, and flags of the surroundings (`RUSTFLAGS`) are left out.
pub fn build_guest(folder: &Path, toolchain: &Toolchain) -> Result<Built, BuildError> {
    let compiler = toolchain.version()?;
    let folder = folder.canonicalize().map_err(|why| BuildError::File { path: folder.to_owned(), why })?;
    let cargo = |verb: &str| {
        let mut command = Command::new(&toolchain.cargo);
        command.current_dir(&folder).arg(verb).envs(toolchain.environment.iter().cloned());
        // Set by an outer `cargo run` for its own compiler, which need not be this one.
        for outer in ["CARGO", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"]
        {
            command.env_remove(outer);
        }
        command
    };
    let located = run(cargo("locate-project").args(["--workspace", "--message-format", "plain"]))?;
    let manifest = PathBuf::from(String::from_utf8_lossy(&located.stdout).trim());
    let workspace = manifest.parent().unwrap_or(&folder);
    // A guest that is built for the first time has no lock yet; one that has is built from what it says.
    let locked = workspace.join("Cargo.lock").is_file().then_some("--locked");
    // First, so that the folders of the crates are there to be named in the flags.
    run(cargo("fetch").args(locked))?;
    let mut command = cargo("build");
    command
        .args(["--release", "--target", TARGET, "--message-format=json-render-diagnostics"])
        .args(locked)
        .args(&toolchain.arguments)
        .env("CARGO_ENCODED_RUSTFLAGS", remaps(workspace, toolchain)?);
    let output = match run(&mut command) {
        Ok(output) => output,
        Err(BuildError::Compile { output, .. }) if toolchain.ships_target && lacks_target(&output) => {
            return Err(BuildError::NoTarget);
        }
        Err(BuildError::Compile { output, .. }) => return Err(BuildError::Compile { folder, output }),
        Err(error) => return Err(error),
    };
    let path =
        module_of(&output.stdout, &folder).ok_or_else(|| BuildError::NoModule { folder: folder.clone() })?;
    let module = read(&path)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
    Ok(Built { name, component: componentize(&module)?, compiler })
}

/// Builds the guest in `folder` by its own script: `build.sh OUT` writes a core module to `OUT`, and `build.sh --version` says which
/// compiler it takes. For languages that have no cargo.
pub fn build_by_script(folder: &Path) -> Result<Built, BuildError> {
    let folder = folder.canonicalize().map_err(|why| BuildError::File { path: folder.to_owned(), why })?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let script = |argument: &std::ffi::OsStr| {
        let mut command = Command::new(folder.join("build.sh"));
        command.current_dir(&folder).arg(argument);
        run(&mut command)
    };
    let version = script("--version".as_ref())?.stdout;
    let compiler = String::from_utf8_lossy(&version).lines().next().unwrap_or_default().trim().to_owned();
    let path = std::env::temp_dir().join(format!("holdback-{name}-{}.wasm", std::process::id()));
    script(path.as_os_str())?;
    let module = read(&path);
    // What is left behind is a small file in a folder that is cleared anyway.
    let _ = std::fs::remove_file(&path);
    Ok(Built { name, component: componentize(&module?)?, compiler })
}

#[expect(clippy::disallowed_methods, reason = "the module that a compiler has just written")]
fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    std::fs::read(path).map_err(|why| BuildError::File { path: path.to_owned(), why })
}

/// Runs a command to its end; one that fails is an error with all it said.
fn run(command: &mut Command) -> Result<std::process::Output, BuildError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().map_err(|why| BuildError::NoCompiler { program, why })?;
    if output.status.success() {
        return Ok(output);
    }
    let folder = command.get_current_dir().unwrap_or(Path::new(".")).to_owned();
    Err(BuildError::Compile { folder, output: String::from_utf8_lossy(&output.stderr).into_owned() })
}

fn lacks_target(output: &str) -> bool {
    output.contains(&format!("`{TARGET}` target may not be installed"))
        || output.contains("rustup target add")
}

/// Flags that take this machine out of the module: every folder that sources come from gets a name of its own.
fn remaps(workspace: &Path, toolchain: &Toolchain) -> Result<OsString, BuildError> {
    let sysroot = PathBuf::from(toolchain.ask_rustc(&["--print", "sysroot"])?);
    let mut from = Vec::new();
    let sources = sysroot.join("lib/rustlib/src/rust");
    if let Ok(real) = sources.canonicalize() {
        from.push((real, "/rust"));
    }
    from.push((sources, "/rust"));
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    if let Some(home) = home {
        // A mirror has a folder of its own there; a crate's bytes are the same from all of them.
        for registry in std::fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten() {
            from.push((registry.path(), "/crates"));
        }
        from.push((home, "/cargo"));
    }
    // Crates that a workspace shares lie beside the guest. Were its own folder named as well, every guest would have flags of
    // its own, and the standard library be built for each of them.
    from.push((workspace.to_owned(), "/guest"));
    // The last fitting one counts, so the longest comes last.
    from.sort_by_key(|(path, _)| path.as_os_str().len());
    let mut flags = OsString::new();
    for (path, to) in from {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(path);
        flags.push("=");
        flags.push(to);
    }
    Ok(flags)
}

/// The module among what cargo says it has made, of the package in this folder.
fn module_of(messages: &[u8], folder: &Path) -> Option<PathBuf> {
    let manifest = folder.join("Cargo.toml");
    let manifest = manifest.canonicalize().unwrap_or(manifest);
    messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .find_map(|message| {
            let of = message.get("manifest_path")?.as_str()?;
            if Path::new(of).canonicalize().ok()? != manifest {
                return None;
            }
            let files = message.get("filenames")?.as_array()?;
            files
                .iter()
                .filter_map(|file| file.as_str())
                .find(|file| file.ends_with(".wasm"))
                .map(PathBuf::from)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugins() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn wat(name: &str) -> Vec<u8> {
        wat::parse_file(plugins().join("tests/wat").join(name)).unwrap()
    }

    #[test]
    fn what_is_written_as_text_is_valid() {
        // A host that refuses them refuses what they are, not a slip of the pen.
        for name in ["core-module", "empty", "wasi", "unknown-import", "version-9", "table-growth"] {
            let bytes = wat(&format!("{name}.wat"));
            let valid = wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all())
                .validate_all(&bytes);
            assert!(valid.is_ok(), "{name}: {:?}", valid.err());
        }
    }

    #[test]
    fn a_module_without_a_world_is_refused_by_what_it_lacks() {
        let error = componentize(&wat("core-module.wat")).unwrap_err();
        assert!(matches!(error, BuildError::NoComponentType), "{error}");
        assert!(error.to_string().contains("`component-type` section"), "{error}");
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(matches!(componentize(&wat("empty.wat")), Err(BuildError::AlreadyAComponent)));
        for bytes in
            [&b""[..], b"\0as", b"<html>", b"\0asm\x01\0\0\0\x00\xff", b"\0asm\x01\0\0\0\x00\x02\x05a"]
        {
            assert!(matches!(componentize(bytes), Err(BuildError::NotAModule(_))), "{bytes:?}");
        }
    }

    fn with_world(mut module: Vec<u8>, world: &str) -> Vec<u8> {
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(plugins().join("wit")).unwrap();
        let world = resolve.select_world(&[package], Some(world)).unwrap();
        wit_component::embed_component_metadata(
            &mut module,
            &resolve,
            world,
            wit_component::StringEncoding::UTF8,
        )
        .unwrap();
        module
    }

    #[test]
    fn a_module_with_its_world_becomes_a_component() {
        let component = componentize(&with_world(wat("table-growth.wat"), "notifier")).unwrap();
        assert!(wasmparser::Parser::is_component(&component));
    }

    #[test]
    fn a_module_for_another_world_is_refused_by_what_is_missing() {
        let error = componentize(&with_world(wat("table-growth.wat"), "escalator")).unwrap_err();
        assert!(error.to_string().contains("escalation"), "{error}");
    }

    #[test]
    fn a_module_that_imports_a_system_is_refused() {
        let module = wat::parse_str(
            r#"(module
                (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
                (memory (export "memory") 1))"#,
        );
        let error = componentize(&with_world(module.unwrap(), "notifier")).unwrap_err();
        assert!(error.to_string().contains("wasi_snapshot_preview1"), "{error}");
    }

    #[test]
    fn the_components_of_the_tree_name_no_folder_of_a_machine() {
        for folder in ["components", "tests/components"] {
            for entry in std::fs::read_dir(plugins().join(folder)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_none_or(|end| end != "wasm") {
                    continue;
                }
                let bytes = read(&path).unwrap();
                for name in ["/root", "/home", "/tmp", "/usr", ".cargo", "wasi"] {
                    let found = bytes.windows(name.len()).any(|window| window == name.as_bytes());
                    assert!(!found, "{} holds {name}", path.display());
                }
            }
        }
    }

    #[test]
    fn what_the_compiler_says_without_a_target_is_understood() {
        assert!(lacks_target("note: the `wasm32-unknown-unknown` target may not be installed"));
        assert!(!lacks_target("error[E0425]: cannot find value `x` in this scope"));
    }
}
