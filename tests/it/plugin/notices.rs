//! `holdback run --out`: with each notice the request that a channel would make of it.

use std::path::Path;

use serde_json::Value;

use super::{Came, Desk, root};

const EVENTS: &str = "tests/data/records/events.ndjson";

fn run(desk: &Desk, out: &str, more: &[&str]) -> Came {
    let (pack, events) = (root().join("rules/school-after-sales"), root().join(EVENTS));
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let (pack, events) = (text(&pack), text(&events));
    let args = [&["run", &pack, &events, "--out", out], more].concat();
    desk.holdback(&args)
}

fn notices(desk: &Desk, out: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(desk.path(out).join("notices.ndjson")).expect("notices");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn notices_are_rendered_by_a_shipped_component_in_their_order() {
    let desk = Desk::new();
    let plain = run(&desk, "plain", &["--channel", "none"]);
    assert!(!plain.out.contains("\nNotices"), "{}", plain.out);
    let came = run(&desk, "out", &[]);
    came.says(
        plain.code.expect("a code"),
        &["rendered by webhook 1.0.0 (sha256:", "none sent: out/notices.ndjson"],
    );
    let (plain, rendered) = (notices(&desk, "plain"), notices(&desk, "out"));
    assert!(plain.len() > 10, "{}", plain.len());
    let digest = desk.plugin(&["check", "webhook", "--format", "json"]).json()["digest"].clone();
    let bare: Vec<Value> = rendered
        .iter()
        .map(|line| {
            let mut line = line.clone();
            let fields = line.as_object_mut().expect("an object");
            let request = fields.remove("rendered").expect("a request");
            assert_eq!(fields.remove("by").as_ref(), Some(&digest));
            assert_eq!(request["http"]["origin"], "https://example.invalid", "nobody is meant");
            line
        })
        .collect();
    assert_eq!(bare, plain, "the same lines as without a component");
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(desk.path("out/summary.json")).expect("it"))
            .expect("JSON");
    assert_eq!(summary["notices"]["rendered"], plain.len());
    // The same log gives the same bytes, with compiled code from the cache or without.
    run(&desk, "again", &["--home", "other-home"]);
    let bytes = |out: &str| std::fs::read(desk.path(out).join("notices.ndjson")).expect("notices");
    assert!(bytes("again") == bytes("out"));
}

#[test]
fn a_destination_gives_the_language_and_the_address() {
    let desk = Desk::new();
    desk.write(
        "to.toml",
        "name = \"duty\"\nlocale = \"zh\"\nto = [{ name = \"王\" }]\n[settings]\nurl = \"https://hooks.example.com/in\"\n",
    );
    run(&desk, "out", &["--destination", "to.toml"]);
    let first = &notices(&desk, "out")[0];
    assert_eq!(first["rendered"]["http"]["origin"], "https://hooks.example.com");
    run(&desk, "mail", &["--channel", "email", "--destination", "to.toml"])
        .says(1, &["Notices that could not be rendered", "setting `url`", "and "]);
    let first = &notices(&desk, "mail")[0];
    assert!(
        first.get("rendered").is_none() && first["not_rendered"].is_string(),
        "the notice is kept: {first}"
    );
}

#[test]
fn what_cannot_render_is_refused_before_the_log_is_read() {
    let desk = Desk::new();
    desk.write("text.wasm", "hello");
    for (channel, said) in [
        ("webhok", "did you mean `webhook`?"),
        ("ladder", "is an escalator, and renders nothing"),
        ("text.wasm", "not WebAssembly"),
    ] {
        run(&desk, "out", &["--channel", channel]).says(2, &[said]);
        assert!(!desk.path("out").exists(), "{channel}: nothing is written");
    }
    run(&desk, "out", &["--destination", "no.toml"]).says(2, &["no.toml: cannot be read"]);
    desk.holdback(&["run", "a", "b", "--channel", "webhook"]).says(2, &["--out"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_home_that_cannot_be_written_stops_no_run() {
    let desk = Desk::new();
    let args = ["rules/school-after-sales", EVENTS].map(|path| root().join(path).display().to_string());
    let mut command = desk.command(&["run", &args[0], &args[1], "--out", "out"]);
    let came = Came::of(command.env("HOLDBACK_HOME", "/proc/holdback").output().expect("the program runs"));
    assert!(
        came.out.contains("rendered by webhook") && came.err.contains("compiled anew each time"),
        "{}",
        came.err
    );
}
