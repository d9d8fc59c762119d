//! The fuzz targets on a stable compiler: over their corpora, and over a bounded number of changed inputs.

#![expect(
    clippy::disallowed_methods,
    reason = "corpora are read from the tree, and the time of each input is measured"
)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../../fuzz/bodies.rs"]
pub(crate) mod bodies;

use bodies::generate::choices::Choices;

/// So many changed inputs for each target in the usual run.
const CHANGED: u64 = 400;
/// No input may take longer; measured again before it counts, since machines are busy.
const TIME_MAX: Duration = Duration::from_secs(1);
/// Inputs grow no longer than this.
const LENGTH_MAX: usize = 1 << 14;

/// Pieces of the language and of the files, for changed inputs.
const PIECES: [&str; 48] = [
    "fn ",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    "=>",
    "|",
    "..",
    "..=",
    "_",
    "\"",
    "'",
    "`",
    "//",
    "/*",
    "*/",
    "\r\n",
    "\u{feff}",
    "\0",
    "if ",
    "else ",
    "switch ",
    "for i in 0..9 ",
    "let x = ",
    "return ",
    "ticket",
    ".first",
    "terms.",
    "合同",
    "小时(2)",
    "9223372036854775807",
    "-1",
    "1e9",
    "due(\"a\")",
    ".within(",
    "//! clause: 1\n",
    "//! from: 2026-01-01\n",
    "\n--- pack.toml\n",
    "\n--- terms.toml\n",
    "values = [",
    "[facts.",
    "\"data\":{",
    "\"at\":\"2026-03-02T10:00:00+08:00\"",
    "\u{202e}",
];

/// The corpus of a target, in the order of its names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// An input changed in a few places.
fn changed(dice: &mut Choices, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = dice.pick(corpus);
    for _ in 0..=dice.below(5) {
        let at = dice.below(input.len() + 1);
        let end = (at + dice.below(40)).min(input.len());
        match dice.below(8) {
            0 if at < input.len() => input[at] ^= 1 << dice.below(8),
            1 => drop(input.drain(at..end)),
            2 => input.truncate(at),
            3 => {
                let copy = input[at..end].to_vec();
                let times = 1 + dice.below(30);
                drop(input.splice(at..at, copy.repeat(times)));
            }
            4 => {
                let other = dice.pick(corpus);
                let from = dice.below(other.len() + 1);
                input.truncate(at);
                input.extend(&other[from..]);
            }
            5 => drop(
                input.splice(at..end, (0..dice.below(9)).map(|_| dice.below(256) as u8).collect::<Vec<_>>()),
            ),
            _ => drop(input.splice(at..at, dice.pick(&PIECES).bytes())),
        }
    }
    input.truncate(LENGTH_MAX);
    input
}

/// Runs a target on one input, and fails when it takes too long three times.
fn run(target: fn(&[u8]), input: &[u8]) {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        target(input);
        best = best.min(start.elapsed());
        if best <= TIME_MAX {
            return;
        }
    }
    panic!("takes {best:?}: {:?}", String::from_utf8_lossy(input));
}

/// A longer run is asked for by so many seconds.
fn seconds() -> u64 {
    std::env::var("HOLDBACK_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn fuzz(name: &str, target: fn(&[u8])) {
    let corpus = corpus(name);
    assert!(corpus.len() >= 15, "{name}: {} inputs", corpus.len());
    corpus.iter().for_each(|input| run(target, input));
    let until = Instant::now() + Duration::from_secs(seconds());
    let mut seed = 0;
    while seed < CHANGED || Instant::now() < until {
        let input = changed(&mut Choices::random(seed), &corpus);
        // What is being run when it panics can be seen.
        let shown = input.clone();
        let result = std::panic::catch_unwind(move || run(target, &input));
        if let Err(panic) = result {
            println!("{name}, seed {seed}: {:?}", String::from_utf8_lossy(&shown));
            std::panic::resume_unwind(panic);
        }
        seed += 1;
    }
    println!("{name}: {} inputs and {seed} changed ones", corpus.len());
}

#[test]
fn packs_of_any_files_are_told() {
    fuzz("pack_load", bodies::pack_load);
}

#[test]
fn any_clause_file_is_checked() {
    fuzz("check", bodies::check);
}

#[test]
fn evaluators_agree_on_any_script() {
    fuzz("evaluators", bodies::evaluators);
}

#[test]
fn events_of_any_bytes_are_read_or_refused() {
    fuzz("events", bodies::events);
}

/// Were made-up clauses refused, the evaluators would not be asked.
#[test]
fn made_up_clauses_are_taken() {
    let mut refused = Vec::new();
    for seed in 0..200 {
        let mut dice = Choices::random(seed);
        let bytes: Vec<u8> = (0..2_000).map(|_| dice.below(256) as u8).collect();
        refused.extend(bodies::refusal(&bytes));
    }
    assert!(refused.len() < 10, "{} of 200: {refused:#?}", refused.len());
}
