//! A zip that holds exactly one file.

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::read::ZipFile;

use super::LogNotes;

/// The largest zip that is taken from standard input, where it must be held whole.
pub(super) const BYTES_MAX: u64 = 256 << 20;

/// Opens the one file of a zip, and hands it over with its name.
///
/// # Errors
/// A zip that is damaged, or holds none or several files; or what the reader says.
pub(super) fn open<R: Read + Seek>(
    input: R,
    read: impl FnOnce(&str, ZipFile<'_, R>) -> Result<LogNotes, String>,
) -> Result<LogNotes, String> {
    let unusable = |error: zip::result::ZipError| format!("the zip cannot be read: {error}");
    let mut archive = ZipArchive::new(input).map_err(unusable)?;
    // What a desktop adds to a zip of its own accord is not counted.
    let own =
        |name: &str| name.ends_with('/') || name.starts_with("__MACOSX/") || name.ends_with(".DS_Store");
    let files: Vec<String> = archive.file_names().filter(|name| !own(name)).map(str::to_owned).collect();
    let [name] = files.as_slice() else {
        let mut names: Vec<String> = files.iter().take(5).map(|name| format!("`{name}`")).collect();
        names.sort();
        let list = if names.is_empty() {
            String::new()
        } else {
            format!(" ({}{})", names.join(", "), if files.len() > 5 { ", ..." } else { "" })
        };
        return Err(format!("the zip holds {} files{list}: expected exactly one", files.len()));
    };
    let file = archive.by_name(name).map_err(unusable)?;
    read(name, file)
}
