//! What an operator allows: grant, list, reset, revoke.

use serde_json::json;

use super::{Desk, changed, webhook};

const ORIGIN: &str = "https://hooks.example.com";

#[test]
fn a_grant_is_shown_kept_listed_and_taken_away() {
    let desk = Desk::new();
    desk.plugin(&["list"]).says(0, &["webhook", "dingtalk", "ladder", "escalator", "ships"]);
    let args = ["grant", "webhook", "--origin", ORIGIN, "--secret", "signing=env:HOOK_SECRET", "--yes"];
    desk.plugin(&args).says(
        0,
        &[
            "Asks for",
            "the origin of the URL in setting `url`",
            "Would be granted",
            "send to  https://hooks.example.com (public)",
            "secret   signing, from env:HOOK_SECRET",
            "granted to webhook 1.0.0",
            "as things are now nothing can be sent: secret `signing`",
        ],
    );
    let answer = desk.plugin(&["list", "--format", "json"]).json();
    let row = answer["components"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["name"] == "webhook")
        .expect("it");
    assert_eq!(row["grant"]["allow"]["origins"], json!([{ "origin": ORIGIN, "network": "public" }]));
    assert_eq!(row["grant"]["secrets"], json!({ "signing": "env:HOOK_SECRET" }));
    desk.plugin(&["check", "webhook"]).says(0, &["hooks.example.com (public); secret"]);
    desk.plugin(&["grant", "webhook", "--revoke"]).says(0, &["may do nothing any more"]);
    desk.plugin(&["check", "webhook"]).says(0, &["Grant      none"]);
    desk.plugin(&["grant", "webhook", "--revoke"]).says(2, &["`webhook` is granted nothing"]);
}

#[test]
fn nothing_is_granted_unasked_and_nobody_is_asked_without_a_terminal() {
    let desk = Desk::new();
    desk.plugin(&["grant", "webhook", "--origin", ORIGIN]).says(2, &["--yes", "no terminal"]);
    for (args, said) in [
        (&["grant", "webhook", "--secret", "sining=env:A", "--yes"][..], "did not ask for secret `sining`"),
        (
            &["grant", "dingtalk", "--origin", "https://evil.example", "--yes"],
            "did not ask for `https://evil.example`",
        ),
        (&["grant", "ladder", "--origin", ORIGIN, "--yes"], "did not ask for"),
        (
            &[
                "grant",
                "webhook",
                "--mail-server",
                "mail.example.com:465",
                "--mail-from",
                "a@example.com",
                "--recipient",
                "@example.com",
                "--yes",
            ],
            "did not ask for mail",
        ),
        (
            &["grant", "webhook", "--secret", "signing=hunter2", "--yes"],
            "--secret signing: a secret is named by its place",
        ),
        (&["grant", "webhook", "--secret", "hunter2", "--yes"], "expected SLOT=env:NAME"),
        (
            &["grant", "webhook", "--secret", "signing=env:A", "--secret", "signing=env:B", "--yes"],
            "named twice",
        ),
        (&["grant", "webhook", "--origin", "http://hooks.example.com", "--yes"], "clear text"),
        (&["grant", "webhook", "--origin", "https://u:p@hooks.example.com", "--yes"], "a user"),
        (&["grant", "webhook", "--origin", "https://hooks.example.com/in", "--yes"], "a path"),
        (&["grant", "webhook", "--origin", "http://127.1=loopback", "--yes"], "expected `http://127.0.0.1`"),
        (&["grant", "webhook", "--origin", "https://a.example=lan", "--yes"], "`lan` is no network"),
        (&["grant", "webhook", "--reset", "--revoke"], "--revoke"),
    ] {
        let came = desk.plugin(args);
        came.says(2, &[said]);
        assert!(!came.err.contains("hunter2"), "what may be a secret is not repeated: {}", came.err);
    }
    assert!(!desk.path("home/grants.toml").exists());
}

#[test]
fn fixed_origins_are_granted_as_asked() {
    let desk = Desk::new();
    desk.plugin(&["grant", "dingtalk", "--asked", "--yes"])
        .says(0, &["send to  https://oapi.dingtalk.com (public)"]);
}

#[test]
fn a_component_that_has_changed_is_asked_for_anew() {
    let desk = Desk::new();
    desk.write("mine.wasm", webhook());
    desk.plugin(&["grant", "mine.wasm", "--origin", ORIGIN, "--yes"]).says(0, &[]);
    desk.write("mine.wasm", changed(webhook()));
    desk.write("to.toml", "name = \"x\"\n[settings]\nurl = \"https://hooks.example.com/\"\n");
    desk.plugin(&["send", "mine.wasm", "--to", "to.toml"]).says(2, &["it has changed", "grant it anew"]);
    desk.plugin(&["check", "mine.wasm"]).says(0, &["it has changed"]);
    desk.plugin(&["grant", "mine.wasm"])
        .says(2, &["another component of that name; this one is new", "--yes"]);
    desk.plugin(&["grant", "mine.wasm", "--origin", ORIGIN, "--yes"]).says(0, &["granted to webhook"]);
    // The installed one and the program's own of the same name are told apart.
    let answer = desk.plugin(&["list", "--format", "json"]).json();
    let rows = answer["components"].as_array().expect("rows");
    let of_name: Vec<_> = rows.iter().filter(|row| row["name"] == "webhook").collect();
    assert_eq!(of_name.len(), 2, "{answer}");
    assert_eq!([&of_name[0]["ships"], &of_name[1]["ships"]], [&json!(true), &json!(false)]);
    assert!(of_name[0].get("grant").is_none() && of_name[1].get("grant").is_some(), "{answer}");
}

#[test]
fn an_installed_component_that_was_tampered_with_is_not_used() {
    let desk = Desk::new();
    desk.write("mine.wasm", changed(webhook()));
    desk.plugin(&["grant", "mine.wasm", "--origin", ORIGIN, "--yes"]).says(0, &[]);
    let installed =
        std::fs::read_dir(desk.path("home/components")).expect("a folder").flatten().next().expect("one");
    std::fs::write(installed.path(), webhook()).expect("written");
    desk.plugin(&["list"]).says(1, &["unusable", "it has changed"]);
}

#[test]
fn quarantine_ends_when_the_operator_says_so() {
    let desk = Desk::new();
    desk.plugin(&["list"]).says(0, &[]);
    let digest = desk.plugin(&["check", "webhook", "--format", "json"]).json()["digest"].clone();
    let digest = digest.as_str().expect("a digest");
    let held =
        format!("format = 1\n[[held]]\ndigest = \"{digest}\"\nreason = \"trapped: x\"\nsince_ms = 1\n");
    desk.write("home/quarantine.toml", held);
    desk.plugin(&["list"]).says(0, &["in quarantine until it is reset: it trapped: x"]);
    desk.plugin(&["check", "webhook"]).says(0, &["in quarantine"]);
    desk.plugin(&["grant", "webhook", "--reset"]).says(0, &["is out of quarantine"]);
    assert!(!desk.plugin(&["list"]).out.contains("quarantine"));
    desk.plugin(&["grant", "webhook", "--reset"]).says(0, &["was in no quarantine"]);
}
