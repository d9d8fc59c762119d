//! The guides' commands, run by the built program, with the outputs that the guides print.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use super::blocks::{Block, files};
use super::{documents, pack_names, with_base};

fn holdback(args: &[&str], folder: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_holdback");
    Command::new(program).args(args).current_dir(folder).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Each command's help, by its name.
fn commands() -> BTreeMap<String, String> {
    let help = text(&holdback(&["--help"], Path::new(".")).stdout);
    let list = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("commands");
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    let help_of = |name: &str| text(&holdback(&[name, "--help"], Path::new(".")).stdout);
    names.filter(|name| *name != "help").map(|name| (name.to_owned(), help_of(name))).collect()
}

/// Holds a command line against the program's help.
fn known(line: &str, commands: &BTreeMap<String, String>, place: &str) {
    let mut words = line.split_whitespace().skip(1);
    let command = words.next().unwrap_or("");
    let Some(help) = commands.get(command) else {
        panic!("{place}: the program has no command `{command}`: {line}");
    };
    for option in words.filter(|word| word.starts_with("--")) {
        assert!(help.contains(option), "{place}: `holdback {command}` has no `{option}`: {line}");
    }
}

#[test]
fn every_command_runs_and_prints_what_the_guide_prints() {
    let commands = commands();
    for document in documents() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut printed = String::new();
        for block in &document.blocks {
            match block.mark.as_str() {
                "run" => {
                    for line in block.text.lines() {
                        known(line, &commands, &block.place);
                        printed = run(line, folder.path(), block);
                    }
                }
                "output" => in_order(block, &printed),
                _ => {}
            }
        }
    }
}

fn run(line: &str, folder: &Path, block: &Block) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words.first(), Some(&"holdback"), "{}: {line}", block.place);
    let output = holdback(&words[1..], folder);
    assert_eq!(output.status.code(), Some(0), "{}: {line}: {}", block.place, text(&output.stderr));
    text(&output.stdout)
}

/// Every line that the guide prints is in the output, in this order; the guide may leave lines out.
fn in_order(block: &Block, printed: &str) {
    let mut lines = printed.lines();
    for shown in block.text.lines().filter(|line| !line.trim().is_empty()) {
        assert!(
            lines.any(|line| line.trim_end() == shown.trim_end()),
            "{}: `{shown}` was not printed, or not there:\n{printed}",
            block.place
        );
    }
}

#[test]
fn commands_in_the_prose_exist() {
    let commands = commands();
    let mut seen = 0;
    for document in documents() {
        let prose = document.prose.split('`').skip(1).step_by(2);
        for line in prose.filter(|code| code.starts_with("holdback ")) {
            known(line, &commands, &document.file);
            seen += 1;
        }
    }
    assert!(seen > 4, "the guides name {seen} commands");
}

#[test]
fn events_in_the_guide_are_taken() {
    for document in documents() {
        let blocks = with_base(&document);
        let packs = pack_names(&blocks);
        for block in blocks.iter().filter(|block| block.mark == "events") {
            assert!(packs.contains(&block.name), "{}: no pack `{}`", block.place, block.name);
            let folder = tempfile::tempdir().expect("a folder");
            for (path, text) in files(&blocks, &block.name) {
                let path = folder.path().join(path);
                std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
                std::fs::write(path, text).expect("written");
            }
            std::fs::write(folder.path().join("events"), &block.text).expect("written");
            let output = holdback(&["run", ".", "events", "--format", "json"], folder.path());
            assert_eq!(output.status.code(), Some(0), "{}: {}", block.place, text(&output.stderr));
            let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let header = usize::from(block.language == "csv");
            let events = block.text.lines().count() - header;
            assert_eq!(summary["events"]["taken"], events, "{}", block.place);
        }
    }
}
