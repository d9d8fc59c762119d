//! Writing a channel: new, build, test, check, bench.

use std::process::Command;

use serde_json::json;

use super::{Desk, changed, root, webhook};

/// Whether this machine's Rust can build guests.
fn has_target() -> bool {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc runs");
    let sysroot = String::from_utf8(sysroot.stdout).expect("UTF-8");
    std::path::Path::new(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown/lib").is_dir()
}

/// A crate and its own folder for what the compiler makes: its flags are not those of an outer `cargo test`.
#[test]
fn a_new_channel_builds_and_tests_green() {
    let desk = Desk::new();
    desk.plugin(&["new", "my-channel"]).says(0, &["10 files written", "holdback plugin build my-channel"]);
    let built = desk.plugin(&["build", "my-channel"]);
    if !has_target() {
        built.says(2, &["rustup target add wasm32-unknown-unknown"]);
        return;
    }
    built.says(0, &["my-channel/my-channel.wasm", "sha256:", "by rustc"]);
    let tested = desk.plugin(&["test", "my-channel"]);
    tested.says(0, &["plain.json", "chinese.json", "answers.json", "3 fixtures, 0 failed", "fuel"]);
    let again = desk.plugin(&["test", "my-channel"]);
    assert_eq!(tested.out, again.out, "instructions are counted, so that every run is the same");
    desk.plugin(&["check", "my-channel"]).says(
        0,
        &[
            "my-channel 0.1.0",
            "setting `url`",
            "token (required)",
            "200 ms, 16 MiB",
            "holdback:channel@1.0.0",
        ],
    );

    // A fixture that no longer holds is shown with the path to the field.
    let plain = desk.path("my-channel/fixtures/plain.json");
    let text = std::fs::read_to_string(&plain).expect("a fixture");
    std::fs::write(&plain, text.replacen("\\\"level\\\":\\\"critical\\\"", "\\\"level\\\":\\\"info\\\"", 1))
        .expect("written");
    desk.plugin(&["test", "my-channel"]).says(
        1,
        &[
            "DIFFERS",
            "request.http.body[0].text».level",
            "expected  \"info\"",
            "found     \"critical\"",
            "1 failed",
        ],
    );
    let answer = desk.plugin(&["test", "my-channel", "--format", "json"]).json();
    assert_eq!(answer["failed"], 1);
    let difference = &answer["fixtures"][2]["differences"][0];
    assert_eq!(difference["path"], "request.http.body[0].text».level");

    // A fixture with a field that is none of a fixture's is told with its place.
    std::fs::write(&plain, text.replacen("\"about\"", "\"colour\": 1,\n  \"about\"", 1)).expect("written");
    desk.plugin(&["test", "my-channel"])
        .says(1, &["UNUSABLE", "line 2, column", "unknown field `colour`", "expected one of"]);
}

#[test]
fn what_cannot_be_a_new_channel_is_refused_and_nothing_is_written() {
    let desk = Desk::new();
    for (args, said) in [
        (&["new", "My Channel"][..], "cannot be a channel's name"),
        (&["new", "-x"], "-x"),
        (&["new", "1st"], "cannot be a channel's name"),
        (&["new", "x", "--dir", "no/such/folder"], "the folder `no/such` does not exist"),
    ] {
        desk.plugin(args).says(2, &[said]);
    }
    desk.write("full/file", "text");
    desk.plugin(&["new", "x", "--dir", "full"]).says(2, &["exists and is not empty"]);
    let names: Vec<_> =
        std::fs::read_dir(desk.path("")).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, ["full"]);
}

#[test]
fn a_folder_without_a_crate_and_a_module_that_is_none_are_not_built() {
    let desk = Desk::new();
    desk.write("empty/file", "text");
    desk.plugin(&["build", "empty"]).says(2, &["no Cargo.toml in it", "holdback plugin new"]);
    desk.plugin(&["test", "empty"]).says(2, &["no component in it", "holdback plugin build empty"]);
    desk.write("text.wasm", "hello");
    desk.plugin(&["build", "--module", "text.wasm"]).says(2, &["text.wasm: not a wasm module"]);
    desk.write("core.wasm", b"\0asm\x01\0\0\0");
    desk.plugin(&["build", "--module", "core.wasm"]).says(2, &["no `component-type` section"]);
    desk.write("webhook.wasm", webhook());
    desk.plugin(&["build", "--module", "webhook.wasm"]).says(2, &["a component already"]);
}

/// The stories beside the shipped channels' sources, on the components that ship.
#[test]
fn shipped_components_hold_their_fixtures() {
    let desk = Desk::new();
    for name in ["webhook", "dingtalk", "feishu", "email", "ladder"] {
        let fixtures = root().join("plugins/channels").join(name).join("fixtures");
        let fixtures = fixtures.to_str().expect("UTF-8");
        desk.plugin(&["test", name, "--fixtures", fixtures]).says(0, &[" 0 failed"]);
    }
}

#[test]
fn without_fixtures_nothing_is_green() {
    let desk = Desk::new();
    desk.plugin(&["test", "webhook"]).says(2, &["--fixtures"]);
    desk.write("a/webhook.wasm", webhook());
    desk.plugin(&["test", "a/webhook.wasm"]).says(2, &["no fixtures"]);
    std::fs::create_dir(desk.path("a/fixtures")).expect("a folder");
    desk.plugin(&["test", "a/webhook.wasm"]).says(2, &["no fixtures in it"]);
    // One that expects nothing could not fail, and is no test.
    desk.write("a/fixtures/vacuous.json", r#"{"about": "nothing"}"#);
    desk.plugin(&["test", "a/webhook.wasm"]).says(1, &["UNUSABLE", "nothing is expected"]);
}

#[test]
fn check_tells_what_a_component_is_and_asks_for() {
    let desk = Desk::new();
    desk.plugin(&["check", "webhook"]).says(
        0,
        &[
            "webhook 1.0.0",
            "ships with the program",
            "world `notifier`",
            "sha256:",
            "setting `url`",
            "Limits",
        ],
    );
    desk.plugin(&["check", "ladder"]).says(0, &["world `escalator`"]);
    desk.write("copy.wasm", changed(webhook()));
    let answer = desk.plugin(&["check", "copy.wasm", "--format", "json"]).json();
    assert_eq!((&answer["world"], &answer["description"]["name"]), (&json!("notifier"), &json!("webhook")));
    assert_eq!(answer["size"], changed(webhook()).len());
    assert_eq!(answer["signature"], "none, and none is required");
    assert_eq!(answer["grant"], "none");
    assert!(
        answer["imports"]
            .as_array()
            .expect("imports")
            .iter()
            .all(|import| { import.as_str().is_some_and(|import| import.starts_with("holdback:channel/")) })
    );
}

#[test]
fn bench_measures_and_counts() {
    let desk = Desk::new();
    let answer = desk.plugin(&["bench", "webhook", "--calls", "20", "--format", "json"]).json();
    assert_eq!(answer["calls"], 20);
    let number = |name: &str| answer[name].as_f64().expect("a number");
    assert!(number("median_us") > 0.0 && number("median_us") <= number("p99_us"), "{answer}");
    assert!(number("p99_us") <= number("max_us") && number("fuel") > 1_000.0, "{answer}");
    desk.plugin(&["bench", "ladder", "--calls", "3"]).says(0, &["ladder 1.0.0", "median", "p99"]);
    desk.plugin(&["bench", "webhook", "--calls", "0"]).says(2, &["--calls"]);
    desk.plugin(&["bench", "webhok"]).says(2, &["did you mean `webhook`?"]);
}
