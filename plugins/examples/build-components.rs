//! Builds the components of `plugins/channels` from their sources, or checks that those in the tree are what the sources make.
//!
//!     cargo run -p holdback-plugins --example build-components -- [--toolchain debian] [--check] [--out DIR] [NAME...]
//!
//! Without `--check` it writes `plugins/components/*.wasm`, `plugins/tests/components/*.wasm` and the digests beside them. With it, it builds
//! into a temporary folder and compares. Exit 0: the same bytes. Exit 1: other bytes from the recorded compiler, or no component at
//! all. Exit 3: `differs: other compiler`; the rebuilt components lie in the folder it names, for the tests to be run on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use holdback_plugins::componentize::{self, Built, Toolchain};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Where a component's folder of digests lies, beneath `plugins/`.
const SHIPPED: &str = "components";
const FOR_TESTS: &str = "tests/components";

/// What is built, and where it goes.
const COMPONENTS: [(&str, &str); 7] = [
    ("dingtalk", SHIPPED),
    ("dingtalk-c", SHIPPED),
    ("email", SHIPPED),
    ("feishu", SHIPPED),
    ("ladder", SHIPPED),
    ("webhook", SHIPPED),
    ("hostile", FOR_TESTS),
];

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    toolchain: Toolchain,
    check: bool,
    out: Option<PathBuf>,
    names: Vec<String>,
}

fn arguments() -> Result<Arguments, String> {
    let mut found = Arguments { toolchain: Toolchain::user(), check: false, out: None, names: Vec::new() };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("after {argument} comes a value"));
        match argument.as_str() {
            "--check" => found.check = true,
            "--out" => found.out = Some(value()?.into()),
            "--toolchain" => {
                found.toolchain = match value()?.as_str() {
                    "user" => Toolchain::user(),
                    "debian" => Toolchain::debian(),
                    other => return Err(format!("toolchain `{other}` is not known: user, debian")),
                }
            }
            name if COMPONENTS.iter().any(|(known, _)| *known == name) => found.names.push(name.to_owned()),
            other => {
                return Err(format!(
                    "`{other}` is neither a component nor a flag; the head of this file says how it is used"
                ));
            }
        }
    }
    Ok(found)
}

/// One component in `digests.toml`.
#[derive(Deserialize)]
struct Digest {
    sha256: String,
    bytes: usize,
    compiler: String,
}

type Digests = BTreeMap<String, Digest>;

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = arguments()?;
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = match (&arguments.out, arguments.check) {
        (Some(out), _) => out.clone(),
        (None, true) => std::env::temp_dir().join(format!("holdback-components-{}", std::process::id())),
        (None, false) => plugins.to_owned(),
    };
    let mut differs = Vec::new();
    let mut wrong = Vec::new();
    for place in [SHIPPED, FOR_TESTS] {
        let recorded = read_digests(&plugins.join(place))?;
        let mut digests = read_digests(&out.join(place))?;
        for (name, _) in COMPONENTS.iter().filter(|(_, to)| *to == place) {
            if !arguments.names.is_empty() && !arguments.names.iter().any(|wanted| wanted == name) {
                continue;
            }
            let built = build(&plugins.join("channels").join(name), &arguments.toolchain)?;
            let folder = out.join(place);
            std::fs::create_dir_all(&folder)?;
            write(&folder.join(format!("{name}.wasm")), &built.component)?;
            let digest = Digest {
                sha256: hex(&Sha256::digest(&built.component)),
                bytes: built.component.len(),
                compiler: built.compiler,
            };
            println!("{name:12} {:>7} bytes  sha256 {}  {}", digest.bytes, digest.sha256, digest.compiler);
            if arguments.check {
                match recorded.get(*name) {
                    Some(was) if was.sha256 == digest.sha256 => {}
                    Some(was) if was.compiler != digest.compiler => {
                        differs.push(format!("{name}, recorded with {}", was.compiler))
                    }
                    Some(was) => wrong.push(format!("{name}: recorded {} ({} bytes)", was.sha256, was.bytes)),
                    None => wrong.push(format!("{name}: no digest is recorded")),
                }
            }
            digests.insert((*name).to_owned(), digest);
        }
        if !digests.is_empty() {
            write(&out.join(place).join("digests.toml"), written(&digests).as_bytes())?;
        }
    }
    if !wrong.is_empty() {
        return Err(format!(
            "not what the sources make:\n  {}\nrebuilt in {}",
            wrong.join("\n  "),
            out.display()
        )
        .into());
    }
    if !differs.is_empty() {
        println!("differs: other compiler\n  {}\nrebuilt in {}", differs.join("\n  "), out.display());
        return Ok(ExitCode::from(3));
    }
    if arguments.check {
        if arguments.out.is_none() {
            std::fs::remove_dir_all(&out)?;
        }
        println!("the components are what the sources make");
    }
    Ok(ExitCode::SUCCESS)
}

/// A folder with a `Cargo.toml` is Rust; one with a `build.sh` makes a core module by itself.
fn build(folder: &Path, toolchain: &Toolchain) -> Result<Built, componentize::BuildError> {
    if folder.join("Cargo.toml").exists() {
        return componentize::build_guest(folder, toolchain);
    }
    componentize::build_by_script(folder)
}

#[expect(clippy::disallowed_methods, reason = "an author's tool, not the engine")]
fn read_digests(folder: &Path) -> Result<Digests, Box<dyn std::error::Error>> {
    let path = folder.join("digests.toml");
    if !path.exists() {
        return Ok(Digests::new());
    }
    Ok(toml::from_str(&std::fs::read_to_string(path)?)?)
}

#[expect(clippy::disallowed_methods, reason = "an author's tool, not the engine")]
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::write(path, bytes)
}

fn written(digests: &Digests) -> String {
    let mut text = String::from(
        "# What was built, and by which compiler: `build-components --check` compares. Written by `build-components`.\n",
    );
    for (name, digest) in digests {
        let Digest { sha256, bytes, compiler } = digest;
        // Writing to a String does not fail.
        let _ =
            write!(text, "\n[{name}]\nsha256 = \"{sha256}\"\nbytes = {bytes}\ncompiler = \"{compiler}\"\n");
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
