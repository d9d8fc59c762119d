//! `holdback plugin send`: one notice, to a receiver on this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread::JoinHandle;

use serde_json::Value;

use super::{Came, Desk, SECRET};

/// A receiver that takes one request, answers it, and gives back what came.
fn receiver(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let came = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().expect("a request");
        let mut all = Vec::new();
        let mut part = [0; 4096];
        while !whole(&all) {
            let read = peer.read(&mut part).expect("a request");
            assert!(read > 0, "the request ends early: {}", String::from_utf8_lossy(&all));
            all.extend(&part[..read]);
        }
        peer.write_all(answer.as_bytes()).expect("an answer");
        String::from_utf8(all).expect("UTF-8")
    });
    (origin, came)
}

/// Whether the body has all the bytes that its head promises.
fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| body.len() >= length)
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The webhook granted to this origin, and a destination there.
fn granted(desk: &Desk, origin: &str) {
    let local = format!("{origin}=loopback");
    let args = ["grant", "webhook", "--origin", &local, "--secret", "signing=env:HOOK_SECRET", "--yes"];
    desk.plugin(&args).says(0, &["(loopback)"]);
    desk.write("to.toml", format!("name = \"here\"\n[settings]\nurl = \"{origin}/in?team=1\"\n"));
}

fn send(desk: &Desk, more: &[&str], stdin: &str) -> Came {
    let args = [&["plugin", "send", "webhook", "--to", "to.toml"], more].concat();
    let mut command = desk.command(&args);
    command.env("HOOK_SECRET", SECRET).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    // It is closed early where nothing is read from it.
    let _ = pipe.write_all(stdin.as_bytes());
    drop(pipe);
    Came::of(child.wait_with_output().expect("the program ends"))
}

#[test]
fn a_notice_is_delivered_and_each_step_shown() {
    let desk = Desk::new();
    let (origin, came) = receiver(OK);
    granted(&desk, &origin);
    let line = r#"{"format":1,"id":"n1","contract":"c","ticket":"T1","about":"penalised","role":"r","at":"2026-03-02T11:00:01+08:00","amount":{"amount":"500.00","currency":"CNY"},"text":"late","rendered":{},"by":"x"}"#;
    let sent = send(&desk, &["--notice", "-"], line);
    sent.says(
        0,
        &[
            "webhook 1.0.0",
            "Rendered",
            &format!("POST {origin}/in?team=1"),
            "webhook-signature: v1,",
            "granted, loopback",
            "resolved to 127.0.0.1",
            "connected to 127.0.0.1:",
            "answered 200",
            "status 200, 2 bytes: ok",
            "\ndelivered",
        ],
    );
    let key = SECRET.trim_start_matches("whsec_");
    assert!(!sent.out.contains(key) && !sent.err.contains(key), "{}{}", sent.out, sent.err);
    let request = came.join().expect("a request");
    assert!(request.starts_with("POST /in?team=1 HTTP/1.1\r\n"), "{request}");
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    assert!(head.to_lowercase().contains("webhook-id: dlv_") && !request.contains(key), "{request}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["data"]["notice"]["amount"]["minor"], 50_000);
}

#[test]
fn an_answer_that_is_no_delivery_is_a_finding() {
    let desk = Desk::new();
    let (origin, came) = receiver(BUSY);
    granted(&desk, &origin);
    let sent = send(&desk, &["--format", "json"], "");
    assert_eq!(sent.code, Some(1), "{}", sent.err);
    assert!(sent.json()["outcome"].get("retry").is_some(), "{}", sent.out);
    came.join().expect("a request");
    // Nobody listens there any more.
    send(&desk, &[], "").says(1, &["to be tried again"]);
}

#[test]
fn a_dry_run_sends_nothing() {
    let desk = Desk::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    granted(&desk, &format!("http://{}", listener.local_addr().expect("an address")));
    send(&desk, &["--dry-run"], "").says(0, &["Rendered", "webhook-signature", "Nothing was sent."]);
    listener.set_nonblocking(true).expect("set");
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn what_is_not_granted_is_not_sent() {
    let desk = Desk::new();
    desk.write("to.toml", "name = \"x\"\n[settings]\nurl = \"https://hooks.example.com/\"\n");
    send(&desk, &[], "").says(2, &["`webhook`", "is not granted", "holdback plugin grant"]);
    granted(&desk, "http://127.0.0.1:9");
    desk.write("to.toml", "name = \"x\"\n[settings]\nurl = \"http://127.0.0.1:10/\"\n");
    send(&desk, &[], "").says(1, &["failed for good: refused", "127.0.0.1:10"]);
    desk.write("to.toml", "name = \"x\"\n[settings]\nurll = \"http://127.0.0.1:9/\"\n");
    send(&desk, &[], "").says(1, &["setting `urll` is none of the component's", "`url`"]);
    desk.write("to.toml", "nam = \"x\"\n");
    send(&desk, &[], "").says(2, &["to.toml", "unknown field `nam`", "expected"]);
    send(&desk, &["--to", "no.toml"], "").says(2, &["--to"]);
}

#[test]
fn what_is_no_notice_is_told() {
    let desk = Desk::new();
    granted(&desk, "http://127.0.0.1:9");
    for (stdin, said) in [
        ("", "standard input: nothing in it"),
        ("nonsense", "standard input: no notice"),
        (r#"{"id":"1"}"#, "missing field"),
    ] {
        send(&desk, &["--notice", "-"], stdin).says(2, &[said, "expected a line of `notices.ndjson`"]);
    }
    send(&desk, &["--notice", "no.json"], "").says(2, &["no.json: cannot be read"]);
}
