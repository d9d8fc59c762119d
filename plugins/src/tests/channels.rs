//! Whole deliveries: the hostile guest against the way out, and the shipped channels on their fixtures.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use super::*;
use crate::wire::{Contact, Outcome};
use crate::{
    Allowance, AllowedOrigin, Egress, EgressConfig, Fixture, Grant, MailAllowance, MailTls, Network, Origin,
    Report, World,
};

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn component(path: &str) -> Vec<u8> {
    fs::read(plugins().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn hostile() -> Vec<u8> {
    component("tests/components/hostile.wasm")
}

/// A receiver on this machine that answers 200 to everything, and what it received.
fn receiver() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let (told, received) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let (mut text, mut piece) = (Vec::new(), [0; 4096]);
            while let Ok(read) = stream.read(&mut piece) {
                text.extend_from_slice(&piece[..read]);
                let shown = String::from_utf8_lossy(&text).to_ascii_lowercase();
                let length = shown
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|rest| rest.split('\r').next()?.parse().ok());
                let body = shown.find("\r\n\r\n").map(|at| text.len() - at - 4);
                if read == 0 || body.is_some_and(|body| body >= length.unwrap_or(0)) {
                    break;
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            if told.send(String::from_utf8_lossy(&text).into_owned()).is_err() {
                return;
            }
        }
    });
    (origin, received)
}

fn granted(host: &Host, plugin: &Plugin, origin: &str) -> Channel {
    let mut grant = Grant::none(plugin.digest(), plugin.description());
    let origin: Origin = origin.parse().expect("an origin");
    let mail = MailAllowance {
        server: "127.0.0.1".to_owned(),
        port: 9,
        tls: MailTls::None,
        network: Network::Loopback,
        from: "alerts@example.test".to_owned(),
        login: None,
        recipients: vec!["@example.test".to_owned()],
    };
    let origins = vec![AllowedOrigin::new(origin, Network::Loopback).expect("a grant")];
    grant.allow = Allowance { origins, mail: Some(mail) };
    let secrets = Secrets::from_values([("token", "exampletoken0001"), ("signing", "examplesigning01")]);
    host.channel(plugin, grant, secrets).expect("a notifier")
}

fn deliver(channel: &Channel, origin: &str, mode: &str) -> Report {
    let url = format!("{origin}/in");
    let mut to = delivery(&[("mode", mode), ("url", &url)]);
    to.to = vec![Contact {
        name: "A".to_owned(),
        email: Some("a@example.test".to_owned()),
        ..Contact::default()
    }];
    channel.deliver(&to, &Egress::new(EgressConfig::default()).expect("a way out"))
}

#[test]
fn what_a_hostile_guest_renders_goes_nowhere() {
    let rows = [
        ("loop", "the component ran longer than 200 ms"),
        ("log-flood", "the component ran longer than 200 ms"),
        ("sign-flood", "the component ran longer than 200 ms"),
        ("memory", "the component wanted more than 16777216 bytes of memory"),
        ("handles", "the component trapped"),
        // Rust keeps its frames in memory, whose end they run into.
        ("stack", "the component trapped"),
        ("trap", "the component trapped"),
        ("header-bomb", "the component trapped"),
        ("huge-body", "the component trapped"),
        ("huge-string", "the component trapped"),
        ("foreign-host", "refused: `https://foreign.example.test` is not granted"),
        ("absolute-path", "refused: "),
        ("double-slash", "refused: "),
        ("userinfo", "refused: "),
        ("origin-with-path", "refused: "),
        ("hex-address", "refused: "),
        ("decimal-address", "refused: "),
        ("mapped-v6", "refused: "),
        ("crlf-header", "refused: "),
        ("host-header", "refused: "),
        ("crlf-subject", "refused: "),
        ("foreign-recipient", "refused: "),
        ("unknown-secret-in-body", "refused: "),
        ("nonsense", "the component refuses: mode `nonsense` is not known"),
    ];
    let wasm = hostile();
    let (origin, received) = receiver();
    for (mode, expected) in rows {
        // A host for each: faults would put the component aside.
        let host = Host::new(config()).expect("a host");
        let channel = granted(&host, &load(&host, &wasm), &origin);
        let report = deliver(&channel, &origin, mode);
        let passing = expected.starts_with("the component ") && !expected.contains("refuses");
        let told = match &report.outcome {
            Outcome::Retry(told) if passing => told,
            Outcome::Permanent(told) if !passing => told,
            other => panic!("{mode}: {other:?}"),
        };
        assert!(told.starts_with(expected), "{mode}: {told}");
        // The next one is served.
        let later = delivery(&[("url", &format!("{origin}/in"))]).again(u64::MAX / 2);
        let report = channel.deliver(&later, &Egress::new(EgressConfig::default()).expect("a way out"));
        assert_eq!(report.outcome, Outcome::Delivered(None), "after {mode}");
        let got = received.recv_timeout(Duration::from_secs(5)).expect("the honest one");
        assert!(got.starts_with("POST /in HTTP/1.1\r\n"), "{mode}: {got}");
        assert!(received.try_recv().is_err(), "{mode}: one request, and no other");
    }
}

#[test]
fn a_guest_gets_a_signature_and_never_a_secret() {
    let (origin, received) = receiver();
    let host = Host::new(config()).expect("a host");
    let channel = granted(&host, &load(&host, &hostile()), &origin);
    for (mode, expected) in [("no-secret-key", "refused: "), ("unknown-secret", "refused: ")] {
        assert_eq!(deliver(&channel, &origin, mode).outcome, Outcome::Delivered(None));
        let got = received.recv_timeout(Duration::from_secs(5)).expect("a request");
        assert!(
            got.rsplit("\r\n\r\n").next().is_some_and(|body| body.starts_with(expected)),
            "{mode}: {got}"
        );
    }
    // Where the operator has granted both, the host fills it in; the report shows the slot.
    let report = deliver(&channel, &origin, "secret-in-body");
    let got = received.recv_timeout(Duration::from_secs(5)).expect("a request");
    assert!(got.ends_with("token=exampletoken0001"), "{got}");
    let shown = serde_json::to_string(&report).expect("JSON");
    assert!(!shown.contains("exampletoken0001") && shown.contains(r#"{"secret":"token"}"#), "{shown}");
    assert!(!format!("{report:?}").contains("exampletoken0001"));
}

#[test]
fn what_is_rendered_does_not_hang_on_the_machine() {
    let (origin, received) = receiver();
    let host = Host::new(config()).expect("a host");
    let channel = granted(&host, &load(&host, &hostile()), &origin);
    assert_eq!(deliver(&channel, &origin, "nan").outcome, Outcome::Delivered(None));
    let got = received.recv_timeout(Duration::from_secs(5)).expect("a request");
    assert!(got.ends_with("7ff8000000000000 7ff8000000000000"), "{got}");
}

#[test]
fn a_trap_at_the_second_attempt_leaves_the_first_as_it_was() {
    let (origin, received) = receiver();
    let host = Host::new(config()).expect("a host");
    let channel = granted(&host, &load(&host, &hostile()), &origin);
    let first = delivery(&[("mode", "trap-second"), ("url", &format!("{origin}/in"))]);
    let egress = Egress::new(EgressConfig::default()).expect("a way out");
    assert_eq!(channel.deliver(&first, &egress).outcome, Outcome::Delivered(None));
    assert!(received.recv_timeout(Duration::from_secs(5)).is_ok());
    let second = channel.deliver(&first.again(2_000_000_000_000), &egress);
    assert!(matches!(second.outcome, Outcome::Retry(_)), "{second:?}");
    let third = Delivery { attempt: 3, ..delivery(&[("url", &format!("{origin}/in"))]).again(u64::MAX) };
    assert_eq!(channel.deliver(&third, &egress).outcome, Outcome::Delivered(None));
}

#[test]
fn nothing_is_sent_without_a_grant() {
    let (origin, received) = receiver();
    let host = Host::new(config()).expect("a host");
    let channel = host.rehearsal(&load(&host, &hostile()), Secrets::none()).expect("a notifier");
    for mode in ["", "mail"] {
        let outcome = deliver(&channel, &origin, mode).outcome;
        assert!(
            matches!(&outcome, Outcome::Permanent(told) if told.contains("not granted")),
            "{mode}: {outcome:?}"
        );
    }
    assert!(received.try_recv().is_err());
}

/// The fixtures of a folder, in the order of their names.
fn fixtures(folder: &Path) -> Vec<(String, Fixture)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a text");
        let fixture = Fixture::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.display().to_string(), fixture)
    };
    paths.into_iter().map(read).collect()
}

fn rehearse(wasm: &str, folder: &str, at_least: usize) {
    let host = Host::new(HostConfig { fuel: Some(50_000_000), ..config() }).expect("a host");
    let plugin = load(&host, &component(wasm));
    let all = fixtures(&plugins().join("channels").join(folder).join("fixtures"));
    assert!(all.len() >= at_least, "{folder}: {} fixtures", all.len());
    let mut wrong = Vec::new();
    for (path, fixture) in all {
        let done = fixture.run(&host, &plugin).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(done.calls > 0, "{path}");
        wrong.extend(done.differences.into_iter().map(|difference| (path.clone(), difference)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn shipped_channels_do_what_their_fixtures_say() {
    for name in ["webhook", "dingtalk", "feishu", "email", "ladder"] {
        rehearse(&format!("components/{name}.wasm"), name, 6);
    }
}

#[test]
fn dingtalk_in_c_is_dingtalk_in_rust() {
    rehearse("components/dingtalk-c.wasm", "dingtalk", 6);
}

#[test]
fn published_signatures_come_out_through_the_interface() {
    rehearse("tests/components/hostile.wasm", "hostile", 6);
}

#[test]
fn what_ships_asks_for_nothing_of_the_system() {
    for shipped in crate::SHIPPED {
        let found =
            crate::inspect(shipped.wasm, 1 << 20).unwrap_or_else(|error| panic!("{}: {error}", shipped.name));
        let own = found.imports.iter().all(|import| import.starts_with("holdback:channel/"));
        assert!(own && found.size < 200_000, "{}: {found:?}", shipped.name);
        assert_eq!(found.world == World::Escalator, shipped.name == "ladder");
    }
}

/// The contract's steps stand whatever is proposed; what is no step of this ladder does not count.
#[test]
fn a_ladder_is_held_against_the_contract() {
    let host = Host::new(config()).expect("a host");
    let plugin = load(&host, &component("components/ladder.wasm"));
    let step = |role: &str, at_ms| crate::wire::Step {
        role: role.to_owned(),
        at_ms,
        level: Level::Critical,
        text: None,
    };
    let ladder = crate::wire::Ladder {
        contract: "school-2026".to_owned(),
        ticket: Some("T1".to_owned()),
        clause: "1.3".to_owned(),
        clock: "repair".to_owned(),
        now_ms: 10_000_000,
        due_ms: 9_000_000,
        breached: true,
        acknowledged_by: None,
        taken: Vec::new(),
        contracted: vec![step("director", 10_900_000)],
        roles: vec!["engineer".to_owned(), "director".to_owned()],
        settings: vec![Pair { name: "every_minutes".to_owned(), value: "20".to_owned() }],
    };
    let escalator = host.escalator(&plugin).expect("an escalator");
    let next = escalator.next(&ladder).expect("steps");
    assert!(next.steps.contains(&step("director", 10_900_000)), "{next:?}");
    assert!(!next.proposed.is_empty() && next.refused.is_empty(), "{next:?}");
    assert!(next.steps.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms), "{next:?}");
    // The same component on a ladder that has no such role: nothing of it counts, the contract's step stands.
    let stranger = crate::wire::Ladder { roles: vec!["nobody".to_owned()], ..ladder.clone() };
    let next = escalator.next(&stranger).expect("steps");
    assert!(next.steps.contains(&step("director", 10_900_000)), "{next:?}");
    // An acknowledged one has no steps but the contract's.
    let taken_on = crate::wire::Ladder { acknowledged_by: Some("A".to_owned()), ..ladder };
    let next = escalator.next(&taken_on).expect("steps");
    assert_eq!(next.steps, [step("director", 10_900_000)]);
}

/// The files of the tree are those whose digests are written down, and so those that `build-components --check` compares with.
#[test]
fn digests_are_those_of_the_files() {
    for folder in ["components", "tests/components"] {
        let text = fs::read_to_string(plugins().join(folder).join("digests.toml")).expect("digests");
        let digests: toml::Table = text.parse().expect("TOML");
        let files = fs::read_dir(plugins().join(folder)).expect("a folder").flatten();
        let wasm = files.filter(|entry| entry.path().extension().is_some_and(|end| end == "wasm")).count();
        assert_eq!(wasm, digests.len(), "{folder}: each file has a digest, and each digest a file");
        for (name, digest) in &digests {
            let found = crate::Digest::of(&component(&format!("{folder}/{name}.wasm"))).to_string();
            assert_eq!(found.strip_prefix("sha256:"), digest["sha256"].as_str(), "{folder}/{name}.wasm");
        }
    }
}
