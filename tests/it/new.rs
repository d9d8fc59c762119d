//! `holdback new`: a pack that is accepted as it is, or nothing at all.

#![expect(clippy::disallowed_methods, reason = "tests read what the program writes")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use holdback::{Pack, run_cases};

fn holdback(args: &[&str], folder: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_holdback");
    Command::new(program).args(args).current_dir(folder).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The cases of the pack in a folder, all of which must hold.
fn cases(folder: &Path) -> usize {
    let pack = Arc::new(Pack::open(folder).unwrap_or_else(|faults| panic!("{faults}")));
    let outcomes = run_cases(&pack);
    for outcome in &outcomes {
        assert_eq!(outcome.differences, [], "{}: {}", outcome.file, outcome.name);
    }
    outcomes.len()
}

#[test]
fn a_new_pack_holds_its_cases_in_every_zone_currency_and_language() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, more) in [
        ("a", &[][..]),
        ("b", &["--language", "zh", "--contract", "HT-2026/015 (二)"]),
        ("c", &["--currency", "JPY", "--zone", "Asia/Tokyo"]),
        ("d", &["--currency", "KWD", "--zone", "America/St_Johns", "--name", "Kuwait desk"]),
        ("e", &["--zone", "Australia/Lord_Howe", "--currency", "AUD", "--language", "zh"]),
        ("医院", &["--zone", "UTC"]),
    ] {
        let made = holdback(&[&["new", name], more].concat(), folder.path());
        assert_eq!(made.status.code(), Some(0), "{name}: {}", text(&made.stderr));
        assert_eq!(cases(&folder.path().join(name)), 9, "{name}");
        let blank = names(&folder.path().join(name)).into_iter().find(|file| {
            let path = folder.path().join(name).join(file);
            path.is_file() && std::fs::read_to_string(path).expect("text").contains('@')
        });
        assert_eq!(blank, None, "{name}: a blank was left open");
        let events = format!("{name}/example.csv");
        let ran = holdback(&["run", name, &events, "--strict"], folder.path());
        assert_eq!(ran.status.code(), Some(0), "{name}: {}", text(&ran.stderr));
        let told = text(&holdback(&["explain", name, &events, "--ticket", "T1"], folder.path()).stdout);
        assert!(told.contains("response: MISSED, done 30 min late"), "{name}: {told}");
    }
    let kuwait = Pack::open(&folder.path().join("d")).expect("a pack");
    assert_eq!((kuwait.name.as_str(), &*kuwait.contracts), ("Kuwait desk", &["Kuwait desk".to_owned()][..]));
    assert_eq!(names(folder.path()).len(), 6, "no other folder is left behind");
}

#[test]
fn an_empty_folder_is_filled_and_a_full_one_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    let here = holdback(&["new", "."], &empty);
    assert_eq!(here.status.code(), Some(0), "{}", text(&here.stderr));
    assert_eq!(cases(&empty), 9);
    assert_eq!(Pack::open(&empty).expect("a pack").name, "empty");
    let before = names(&empty);

    let again = holdback(&["new", "empty", "--language", "zh"], folder.path());
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("empty: exists and is not empty"), "{}", text(&again.stderr));
    assert_eq!(names(&empty), before);
    assert_eq!(names(folder.path()), ["empty"]);
}

#[test]
fn what_cannot_be_used_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "text").expect("written");
    let long = "x".repeat(101);
    for (args, said) in [
        (&["new", "file"][..], "file: exists and is no folder"),
        (&["new", "nowhere/pack"], "the folder `nowhere` does not exist"),
        (&["new", ".."], ".."),
        (&["new", "a\"b"], "cannot stand in it"),
        (&["new", "p", "--name", ""], "--name ``: is empty"),
        (&["new", "p", "--name", " x"], "no space at either end"),
        (&["new", "p", "--name", &long], "at most 100 characters"),
        (&["new", "p", "--contract", "C1,C2"], "--contract `C1,C2`: `,` cannot stand in it"),
        (&["new", "p", "--contract", "C@1"], "`@` cannot stand in it"),
        (&["new", "p", "--contract", "C\n1"], "cannot stand in it"),
        (&["new", "p", "--currency", "YUAN"], "--currency: `YUAN` is not a currency code"),
        (&["new", "p", "--zone", "Asia/Shanghi"], "did you mean `Asia/Shanghai`"),
        (&["new", "p", "--language", "fr"], "fr"),
        (&["new"], "PACK"),
    ] {
        let refused = holdback(args, folder.path());
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(said) && !told.contains("panicked"), "{args:?}: {told}");
        assert_eq!(names(folder.path()), ["file"], "{args:?}: nothing is written");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_stays_as_it_was() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a folder");
    symlink("nowhere", folder.path().join("dangling")).expect("a link");
    let refused = holdback(&["new", "dangling"], folder.path());
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert_eq!(names(folder.path()), ["dangling"]);
    // Nobody can make folders there.
    let proc = holdback(&["new", "/proc/pack"], folder.path());
    assert_eq!(proc.status.code(), Some(2), "{}", text(&proc.stderr));
    assert!(text(&proc.stderr).contains("cannot be written"), "{}", text(&proc.stderr));
}
