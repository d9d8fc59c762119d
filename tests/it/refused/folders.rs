//! Packs on disk: what is read, what is left alone, and what is refused by the name of its file.

#![expect(clippy::disallowed_methods, reason = "these packs are written to disk first")]

use std::fs;
use std::path::{Path, PathBuf};

use holdback::{Check, Pack};

use super::files;

/// A folder of its own below the test binary's, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packs").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The good pack in a folder of its own, its clauses in one of the given name.
fn good(name: &str, clauses: &str) -> PathBuf {
    let folder = folder(name);
    fs::create_dir(folder.join(clauses)).unwrap();
    for (path, mut text) in files() {
        if path == "pack.toml" && clauses != "clauses" {
            text = text.replace("[facts.kind]", &format!("clauses = \"{clauses}\"\n[facts.kind]"));
        }
        fs::write(folder.join(path.replace("clauses/", &format!("{clauses}/"))), text).unwrap();
    }
    folder
}

/// `file:line:column: code` of all errors and of all warnings; an error shuts every door, a warning none.
fn errors_and_warnings(folder: &Path) -> [Vec<String>; 2] {
    let Check { pack, diagnostics, .. } = Pack::check_folder(folder);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        diagnostics.iter().partition(|diagnostic| diagnostic.is_error());
    let refused = !errors.is_empty();
    let opened = Pack::open(folder);
    assert_eq!((pack.is_none(), opened.is_err()), (refused, refused));
    match opened {
        Ok(pack) => assert!(pack.warnings().iter().eq(warnings.iter().copied())),
        Err(faults) => assert!(faults.0.iter().eq(errors.iter().copied())),
    }
    [errors, warnings].map(|told| told.iter().map(|told| format!("{}: {}", told.place, told.code)).collect())
}

/// `file:line:column: code` of all errors.
fn told(folder: &Path) -> Vec<String> {
    let [errors, _] = errors_and_warnings(folder);
    errors
}

#[test]
fn a_good_folder_is_taken_whatever_else_lies_in_it() {
    let folder = good("good", "条款");
    assert_eq!(told(&folder), [""; 0]);
    // Other files, other folders and hidden ones are left alone, even when they could not be read.
    fs::write(folder.join("notes.docx"), [0xFF, 0xFE, 0]).unwrap();
    fs::write(folder.join(".draft.toml"), [0xFF]).unwrap();
    fs::create_dir_all(folder.join("old/deeper")).unwrap();
    fs::write(folder.join("old/9.rhai"), [0xC3, 0x28]).unwrap();
    fs::write(folder.join("old/deeper/9.rhai"), "x").unwrap();
    fs::File::create(folder.join("old/log.json")).unwrap().set_len(100 << 20).unwrap();
    assert_eq!(told(&folder), [""; 0]);
}

#[test]
fn marks_and_line_ends_of_other_systems_move_no_place() {
    let folder = good("marks", "clauses");
    let [_, warnings] = errors_and_warnings(&folder);
    assert!(warnings.contains(&"clauses/1.rhai:6:36: W0904".to_owned()), "{warnings:?}");
    for file in ["pack.toml", "terms.toml", "contract.md", "clauses/1.rhai", "clauses/2.rhai"] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        fs::write(folder.join(file), format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    }
    assert_eq!(errors_and_warnings(&folder), [Vec::new(), warnings]);
    let terms = fs::read_to_string(folder.join("terms.toml")).unwrap();
    fs::write(folder.join("terms.toml"), terms.replace("\"CNY\"", "\"元\"")).unwrap();
    assert_eq!(told(&folder), ["terms.toml:3:8: E0804"]);
}

#[test]
fn files_that_are_no_text_are_refused_with_their_place() {
    let folder = good("encodings", "clauses");
    let text = fs::read_to_string(folder.join("contract.md")).unwrap();
    let mut bytes = text.replace("[2] Urgent", "[2] 紧急 ").into_bytes();
    bytes.extend_from_slice(b"\xBD\xF4\xBC\xB1\n");
    fs::write(folder.join("contract.md"), &bytes).unwrap();
    // UTF-16 with its mark.
    fs::write(folder.join("terms.toml"), b"\xFF\xFE[\0f\0").unwrap();
    fs::write(folder.join("clauses/2.rhai"), b"//! clause: 2\n\0").unwrap();
    let expected = ["clauses/2.rhai:2:1: E0801", "contract.md:4:1: E0801", "terms.toml:1:1: E0801"];
    assert_eq!(told(&folder), expected);
    let text = Pack::open(&folder).unwrap_err().to_string();
    for words in [format!("byte {}, in line 4", bytes.len() - 5), "GBK".to_owned(), "UTF-16".to_owned()] {
        assert!(text.contains(&words), "{text}");
    }
}

#[test]
fn a_file_of_a_hundred_megabytes_is_not_read() {
    let folder = good("large", "clauses");
    for file in ["clauses/1.rhai", "cases/1.toml", "large.md"] {
        fs::create_dir_all(folder.join("cases")).unwrap();
        fs::File::create(folder.join(file)).unwrap().set_len(100 << 20).unwrap();
    }
    assert_eq!(told(&folder), ["cases/1.toml: E0801", "clauses/1.rhai: E0801", "large.md: E0801"]);
    let text = Pack::open(&folder).unwrap_err().to_string();
    assert!(text.contains("104857600 bytes: expected at most 4194304"), "{text}");
}

#[test]
fn more_files_than_a_pack_has_are_refused() {
    let folder = good("many", "clauses");
    fs::create_dir(folder.join("cases")).unwrap();
    for i in 0..2_000 {
        fs::write(folder.join(format!("cases/{i:04}.toml")), "").unwrap();
    }
    let told = told(&folder);
    assert!(told.iter().all(|told| told.ends_with(": E0801")) && told.len() == 1, "{told:?}");
}

#[cfg(unix)]
#[test]
fn links_stay_within_the_pack_and_pipes_are_not_read() {
    use std::os::unix::fs::symlink;
    let folder = good("links", "clauses");
    fs::rename(folder.join("contract.md"), folder.join("the-contract.md")).unwrap();
    symlink("the-contract.md", folder.join("contract.md")).unwrap();
    assert_eq!(told(&folder), [""; 0]);
    let outside = folder.parent().unwrap().join("outside.rhai");
    fs::write(&outside, "//! clause: 2\n").unwrap();
    fs::remove_file(folder.join("clauses/2.rhai")).unwrap();
    symlink(&outside, folder.join("clauses/2.rhai")).unwrap();
    symlink("/nowhere/at/all", folder.join("lost.md")).unwrap();
    symlink("/", folder.join("cases")).unwrap();
    assert_eq!(told(&folder), ["cases: E0801", "clauses/2.rhai: E0801", "lost.md: E0801"]);
    let text = Pack::open(&folder).unwrap_err().to_string();
    assert!(text.contains("clauses/2.rhai: E0801: is a link that leads out"), "{text}");
    fs::remove_file(folder.join("terms.toml")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.join("terms.toml")).status();
    if made.is_ok_and(|status| status.success()) {
        let text = Pack::open(&folder).unwrap_err().to_string();
        assert!(text.contains("terms.toml: E0801: is no file but a pipe"), "{text}");
    }
}

#[test]
fn a_folder_that_is_none_is_named() {
    let folder = folder("none").join("missing");
    assert_eq!(told(&folder), [format!("{}: E0801", folder.display())]);
    let empty = self::folder("empty");
    assert_eq!(told(&empty), ["pack.toml: E0801"]);
}
