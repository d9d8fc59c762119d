//! `holdback plugin build`: a component of a guest crate, or of a core module.

use std::path::{Path, PathBuf};

use holdback_plugins::componentize::{Toolchain, build_guest, componentize};
use holdback_plugins::{Digest, InspectError, Limits, inspect};

use super::args::{BuildArgs, ToolchainName};
use super::limited;
use crate::files::Folder;
use crate::{Console, FINDINGS, FINE, Stop};

pub(crate) fn build(args: &BuildArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let (component, usual, by) = match &args.module {
        Some(module) => {
            let bytes = limited(module, Limits::default().component)?;
            let component = componentize(&bytes)
                .map_err(|error| Stop::Unusable(format!("{}: {error}", module.display())))?;
            (component, beside(module), String::new())
        }
        None => {
            if !args.dir.join("Cargo.toml").is_file() {
                let expected = "expected a guest crate (`holdback plugin new` writes one), or --module FILE";
                return Err(Stop::Unusable(format!(
                    "{}: no Cargo.toml in it: {expected}",
                    args.dir.display()
                )));
            }
            let toolchain = match args.toolchain {
                ToolchainName::Rustup => Toolchain::user(),
                ToolchainName::Debian => Toolchain::debian(),
            };
            let built =
                build_guest(&args.dir, &toolchain).map_err(|error| Stop::Unusable(error.to_string()))?;
            let usual = args.dir.join(format!("{}.wasm", built.name));
            (built.component, usual, format!(", by {}", built.compiler))
        }
    };
    let out = args.out.clone().unwrap_or(usual);
    write(&out, &component)?;
    console.say(&format!(
        "{}: {} bytes, {}{by}\n",
        out.display(),
        component.len(),
        Digest::of(&component)
    ))?;
    // It is written all the same: what is wrong with it is to be looked at.
    match inspect(&component, Limits::default().component) {
        Ok(_) => Ok(FINE),
        Err(error) => {
            console.say(&format!("no host takes it: {}\n", hint(&error)))?;
            Ok(FINDINGS)
        }
    }
}

fn hint(error: &InspectError) -> String {
    super::escaped(&error.to_string())
}

/// `channel.wasm` for a module `channel.core.wasm`, else the module's name with another ending: never the module itself.
fn beside(module: &Path) -> PathBuf {
    let stem = module.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = match stem.strip_suffix(".core").or_else(|| stem.strip_suffix(".module")) {
        Some(stem) => format!("{stem}.wasm"),
        None => format!("{stem}.component.wasm"),
    };
    module.with_file_name(name)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Stop> {
    let expected = || Stop::Unusable(format!("{}: no name of a file", path.display()));
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(expected)?;
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut out = Folder::begin(folder)?;
    out.add(name, bytes)?;
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_never_takes_its_modules_place() {
        let beside = |name: &str| beside(Path::new(name)).display().to_string();
        assert_eq!(beside("out/channel.core.wasm"), "out/channel.wasm");
        assert_eq!(beside("channel.wasm"), "channel.component.wasm");
    }
}
