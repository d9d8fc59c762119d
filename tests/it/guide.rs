//! The guides of rules/: every snippet is run, every command exists, and both languages show the same.

#![expect(clippy::disallowed_methods, reason = "tests read the tree and what the program writes")]

mod blocks;
mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use blocks::{BASE, Block, Document, add_headings, files};
use holdback::{Code, Event, Pack, assess, run_cases};
use serde_json::json;

const GUIDE: [&str; 2] = ["README.md", "README.zh.md"];
const COOKBOOK: [&str; 2] = ["cookbook.md", "cookbook.zh.md"];

fn documents() -> impl Iterator<Item = Document> {
    GUIDE.into_iter().chain(COOKBOOK).map(Document::open)
}

fn none(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}\n  {}\n", faults.join("\n  "));
}

/// The blocks of a document with the base pack of the guide before them.
fn with_base(document: &Document) -> Vec<Block> {
    let mut all = document.blocks.clone();
    if !all.iter().any(|block| block.name == BASE) {
        let guide = Document::open(GUIDE[0]);
        all.splice(0..0, guide.blocks.into_iter().filter(|block| block.name == BASE));
    }
    all
}

/// The pack around the mistakes that the guide shows; it has no clause of its own.
const MISTAKES: &str = "refused";

/// The packs that a document's blocks make.
fn pack_names(blocks: &[Block]) -> BTreeSet<String> {
    let part = |block: &&Block| {
        ["pack", "terms", "contract", "cases", "clause"].contains(&block.mark.as_str())
            && block.name != MISTAKES
    };
    blocks.iter().filter(part).map(|block| block.name.clone()).collect()
}

fn load(files: BTreeMap<String, String>, name: &str) -> Arc<Pack> {
    Arc::new(Pack::from_files(files).unwrap_or_else(|faults| panic!("the pack `{name}`:\n{faults}")))
}

#[test]
fn every_snippet_is_marked() {
    for document in documents() {
        none("a block without a mark is run by nothing", &document.faults);
        assert!(document.blocks.len() > 20, "{}: only {} blocks", document.file, document.blocks.len());
    }
}

#[test]
fn every_snippet_holds() {
    let mut faults = Vec::new();
    for document in documents() {
        let blocks = with_base(&document);
        for name in pack_names(&blocks) {
            let pack = load(files(&blocks, &name), &name);
            let outcomes = run_cases(&pack);
            for outcome in outcomes.iter().filter(|outcome| !outcome.differences.is_empty()) {
                faults.push(format!("{}: `{}`: {:?}", document.file, outcome.name, outcome.differences));
            }
            let tried: BTreeSet<&str> = outcomes.iter().map(|outcome| outcome.clause.as_str()).collect();
            let carried = blocks.iter().filter(|block| block.is("clause", &name) && name != BASE);
            faults.extend(
                carried
                    .filter(|block| block.clause().is_some_and(|id| !tried.contains(id)))
                    .map(|block| format!("{}: no case is about this clause", block.place)),
            );
        }
    }
    none("what a reader copies must work", &faults);
}

/// A ticket that reaches every corner of the mistakes that the guide shows.
fn faults_of(files: BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let pack = Pack::from_files(files).map_err(|faults| faults.to_string())?;
    let event = |id: &str, kind: &str, at: &str| {
        let data = json!({ "matter": "question", "hours_agreed": 5 });
        let event =
            json!({ "id": id, "contract": "C1", "ticket": "T1", "kind": kind, "at": at, "data": data });
        Event::from_json(&event.to_string()).expect("an event")
    };
    let events = [
        event("1", "reported", "2026-03-02T10:00:00+08:00"),
        event("2", "resolved", "2026-03-02T13:00:00+08:00"),
    ];
    let as_of = "2026-03-03T10:00:00+08:00".parse().expect("an instant");
    let assessment = assess(&pack, &[], &events, as_of).expect("events of the pack");
    Ok(assessment.fault.iter().map(ToString::to_string).collect())
}

#[test]
fn what_the_guide_calls_refused_is_refused() {
    for document in documents() {
        for block in document.blocks.iter().filter(|block| block.mark == "refused") {
            let place = &block.place;
            assert!(Code::named(&block.name).is_some(), "{place}: no code `{}`", block.name);
            match faults_of(with_mistake(&document.blocks, block)) {
                Err(faults) => {
                    let other: Vec<&str> =
                        faults.lines().filter(|line| !line.contains(&block.name)).collect();
                    assert!(other.is_empty(), "{place}: refused for something else: {other:?}");
                }
                Ok(faults) => assert!(!faults.is_empty(), "{place}: neither refused nor stopped"),
            }
        }
        for block in document.blocks.iter().filter(|block| block.mark == "warned") {
            assert!(Code::named(&block.name).is_some(), "{}: no code `{}`", block.place, block.name);
            let faults = faults_of(with_mistake(&document.blocks, block));
            assert_eq!(faults, Ok(Vec::new()), "{}: a warning refuses nothing", block.place);
        }
    }
}

/// The pack of mistakes with the block as its clause.
fn with_mistake(blocks: &[Block], block: &Block) -> BTreeMap<String, String> {
    let mut files = files(blocks, MISTAKES);
    let id = block.clause().unwrap_or_else(|| panic!("{}: no `//! clause:`", block.place)).to_owned();
    files.insert(format!("clauses/{id}.rhai"), block.text.clone());
    add_headings(files.entry("contract.md".to_owned()).or_default(), &[id]);
    files
}

#[test]
fn a_message_shown_is_the_message_told() {
    let mut shown = 0;
    for document in documents() {
        for block in document.blocks.iter().filter(|block| block.mark == "message") {
            let mistake = document.blocks.iter().find(|other| other.is("refused", &block.name));
            let mistake = mistake.unwrap_or_else(|| panic!("{}: nothing shows this mistake", block.place));
            let told = match faults_of(with_mistake(&document.blocks, mistake)) {
                Err(faults) => faults,
                Ok(faults) => faults.join("\n"),
            };
            let (place, words) = block.text.split_once(&format!(": {}: ", block.name)).unwrap_or_else(|| {
                panic!("{}: expected `file:line:column: {}: message`", block.place, block.name)
            });
            let names = words.split('`').skip(1).step_by(2);
            let (line, column) = place.rsplit_once(':').expect("file:line:column");
            let told_column = told.strip_prefix(&format!("{line}:")).and_then(|rest| rest.split(':').next());
            let told_column = told_column.unwrap_or_else(|| panic!("{}: told was {told}", block.place));
            // The place of a fact may be its name or the dot before it.
            let (shown_at, told_at): (i32, i32) = (column.parse().unwrap(), told_column.parse().unwrap());
            assert!((shown_at - told_at).abs() <= 1, "{}: told was {told}", block.place);
            for name in names {
                assert!(told.contains(name), "{}: `{name}` is not in {told}", block.place);
            }
            shown += 1;
        }
    }
    assert_eq!(shown, 2, "a message in each language of the guide");
}

#[test]
fn both_languages_show_the_same() {
    for [english, chinese] in [GUIDE, COOKBOOK] {
        let (english, chinese) = (Document::open(english), Document::open(chinese));
        for (a, b) in english.blocks.iter().zip(&chinese.blocks) {
            assert_eq!(
                (&a.mark, &a.name, &a.text),
                (&b.mark, &b.name, &b.text),
                "{} and {}",
                a.place,
                b.place
            );
        }
        assert_eq!(english.blocks.len(), chinese.blocks.len(), "{} and {}", english.file, chinese.file);
        let headings = |document: &Document| document.prose.lines().filter(|l| l.starts_with("## ")).count();
        assert_eq!(headings(&english), headings(&chinese), "{} and {}", english.file, chinese.file);
        let rows = |document: &Document| document.prose.lines().filter(|l| l.starts_with('|')).count();
        assert_eq!(rows(&english), rows(&chinese), "{} and {}: rows of tables", english.file, chinese.file);
    }
}

#[test]
fn every_recipe_is_whole() {
    for file in COOKBOOK {
        let document = Document::open(file);
        let names = pack_names(&document.blocks);
        assert!(names.len() >= 12, "{file}: {names:?}");
        for name in names {
            for mark in ["contract", "terms", "clause", "cases"] {
                assert!(
                    document.blocks.iter().any(|block| block.is(mark, &name)),
                    "{file}: `{name}` lacks `{mark}`"
                );
            }
            let cases = run_cases(&load(files(&with_base(&document), &name), &name)).len();
            assert!(cases >= 2, "{file}: `{name}` has {cases} cases");
        }
    }
}

/// `word(` in the prose's code.
fn words_called(code: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, _) in code.match_indices('(') {
        let word: Vec<char> =
            code[..at].chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let word: String = word.into_iter().rev().collect();
        if word.chars().next().is_some_and(char::is_alphabetic) {
            words.push(word);
        }
    }
    words
}

#[test]
fn every_word_of_the_prose_is_in_a_snippet_that_runs() {
    // The vocabulary's own words are checked where the page is generated.
    let mut written = holdback::vocabulary_page();
    for document in documents() {
        let text = std::fs::read_to_string(crate::rules::root().join("rules").join(&document.file))
            .expect("a guide");
        let scripts =
            document.blocks.iter().filter(|block| block.language == "rhai").map(|block| &block.text);
        scripts.for_each(|script| written.push_str(script));
        // The words as the reader sees them, beside those that run today.
        text.split("```rhai")
            .skip(1)
            .for_each(|rest| written.push_str(rest.split("```").next().unwrap_or("")));
    }
    let mut faults = Vec::new();
    for document in documents() {
        for code in document.prose.split('`').skip(1).step_by(2) {
            for word in words_called(code).into_iter().filter(|word| !written.contains(&format!("{word}("))) {
                faults.push(format!("{}: `{word}(` in `{code}`", document.file));
            }
        }
    }
    none("a word that no snippet uses may be misspelt", &faults);
}

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        for target in document.prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or("");
            let there = file.is_empty() || crate::rules::root().join("rules").join(file).exists();
            assert!(there, "{}: the link `{target}` leads nowhere", document.file);
        }
    }
}
