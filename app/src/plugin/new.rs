//! `holdback plugin new`: a channel that builds and tests green, to begin with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::args::NewArgs;
use crate::new::Target;
use crate::{Console, FINE, Stop};

/// The template's files: their paths in the crate, and their texts.
const FILES: [(&str, &str); 10] = [
    ("Cargo.toml", include_str!("../../template/plugin/manifest.toml")),
    (".gitignore", include_str!("../../template/plugin/gitignore")),
    ("README.md", include_str!("../../template/plugin/README.md")),
    ("src/lib.rs", include_str!("../../template/plugin/guest.rs")),
    ("src/json.rs", include_str!("../../template/plugin/json.rs")),
    ("src/url.rs", include_str!("../../template/plugin/url.rs")),
    ("wit/channel.wit", include_str!("../../../plugins/wit/channel.wit")),
    ("fixtures/plain.json", include_str!("../../template/plugin/fixtures/plain.json")),
    ("fixtures/chinese.json", include_str!("../../template/plugin/fixtures/chinese.json")),
    ("fixtures/answers.json", include_str!("../../template/plugin/fixtures/answers.json")),
];

/// Letters of a name: more, and the host would not take it.
const NAME_MAX: usize = 64;

pub(crate) fn new(args: &NewArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    check_name(&args.name)?;
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(&args.name));
    let files: BTreeMap<String, String> =
        FILES.iter().map(|(path, text)| ((*path).to_owned(), text.replace("@NAME@", &args.name))).collect();
    Target::find(&folder)?.write(&files)?;
    let folder = folder.display();
    console.say(&format!(
        "{folder}: {} files written\n\nBuild and test it, then read its README.md:\n\n  \
         holdback plugin build {folder}\n  holdback plugin test {folder}\n  holdback plugin check {folder}\n",
        files.len()
    ))?;
    Ok(FINE)
}

/// The name is a crate's, a file's and the component's own.
fn check_name(name: &str) -> Result<(), Stop> {
    let fits = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    let starts = name.starts_with(|char: char| char.is_ascii_lowercase());
    if starts && name.len() <= NAME_MAX && name.chars().all(fits) && !name.ends_with('-') && name != "test" {
        return Ok(());
    }
    Err(Stop::Unusable(format!(
        "`{}` cannot be a channel's name: expected a small letter, then at most {} small letters, digits and `-`, such as `my-channel`",
        name.escape_debug(),
        NAME_MAX - 1
    )))
}
