use std::io::Write as _;

use super::peers::{good, none, one, read, receiver, serve};
use super::*;

fn build_fails(change: impl FnOnce(&mut HttpRequest), secrets: &Secrets) -> String {
    let (address, received) = good();
    let (origin, allowance) = here(address);
    let mut request = post(&origin);
    change(&mut request);
    let reason = refused(egress(&Names::default(), &[]).http(&request, &allowance, secrets));
    none(&received);
    reason
}

fn build_works(change: impl FnOnce(&mut HttpRequest)) {
    let (address, received) = good();
    let (origin, allowance) = here(address);
    let mut request = post(&origin);
    change(&mut request);
    egress(&Names::default(), &[]).http(&request, &allowance, &Secrets::none()).unwrap();
    one(&received);
}

#[test]
fn a_request_has_bounds() {
    let secrets = Secrets::none();
    let headers =
        |count: usize| (0..count).map(|n| field(&format!("x-{n}"), &[text("1")])).collect::<Vec<_>>();
    build_works(|request| request.headers = headers(32));
    let reason = build_fails(|request| request.headers = headers(33), &secrets);
    assert_eq!(reason, "33 headers; 32 are taken");
    let long = |length: usize| vec![field("x", &[text(&"v".repeat(length - 1))])];
    build_works(|request| request.headers = long(8192));
    let reason = build_fails(|request| request.headers = long(8193), &secrets);
    assert_eq!(reason, "the headers have 8193 bytes; 8192 are taken");
    build_works(|request| request.body = vec![text(&"b".repeat(262_144))]);
    let reason = build_fails(|request| request.body = vec![text(&"b".repeat(262_145))], &secrets);
    assert_eq!(reason, "the body has 262145 bytes; 262144 are taken");
    let reason =
        build_fails(|request| request.path = vec![text(&format!("/{}", "签".repeat(5000)))], &secrets);
    assert!(reason.starts_with("path and query have 45001 bytes"), "{reason}");
    let reason = build_fails(|request| request.method = Method::Get, &secrets);
    assert_eq!(reason, "a GET has no body");
}

#[test]
fn headers_are_tokens_and_visible() {
    let secrets = Secrets::from_values([("token", "two\r\nlines")]);
    for name in ["", "a b", "a:b", "x\r\ny", "签", "a\0"] {
        let reason = build_fails(|request| request.headers = vec![field(name, &[text("1")])], &secrets);
        assert!(reason.ends_with("is no name of a header") && !reason.contains('\r'), "{reason}");
    }
    for value in [text("a\r\nx: y"), text("a\n"), text("a\0"), text("\u{7f}"), text("签"), secret("token")] {
        let reason = build_fails(|request| request.headers = vec![field("x", &[value])], &secrets);
        assert_eq!(reason, "header `x` holds more than visible ASCII, spaces and tabs");
    }
    build_works(|request| request.headers = vec![field("x", &[text("a\tb c~")])]);
}

#[test]
fn what_a_secret_holds_cannot_change_where_a_path_leads() {
    let secrets = Secrets::from_values([("up", "/../admin"), ("host", "/evil.example"), ("dots", "....")]);
    let reason = build_fails(|request| request.path = vec![text("/in"), secret("up")], &secrets);
    assert_eq!(reason, "the path has a segment `.` or `..`");
    let reason = build_fails(|request| request.path = vec![text("/"), secret("host")], &secrets);
    assert_eq!(reason, "the path begins with more than one `/`");
    let reason = build_fails(|request| request.path = vec![secret("nowhere")], &secrets);
    assert_eq!(reason, "secret `nowhere` is not described, or not granted");
    let reason = build_fails(|request| request.path = Vec::new(), &secrets);
    assert_eq!(reason, "the path does not begin with `/`");
}

#[test]
fn an_endless_body_is_cut() {
    let address = serve(|mut stream| {
        read(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let (origin, allowance) = here(address);
    let answer = egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()).unwrap();
    assert_eq!((answer.body.len(), answer.truncated), (65_536, true));
}

#[test]
fn a_body_may_have_64_kib_and_no_more() {
    for (length, truncated) in [(65_536, false), (65_537, true)] {
        let body = "b".repeat(length);
        let (address, _) = receiver(&format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"));
        let (origin, allowance) = here(address);
        let answer =
            egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()).unwrap();
        assert_eq!((answer.body.len(), answer.truncated), (65_536, truncated));
    }
}

#[test]
fn a_secret_where_the_body_is_cut_is_not_shown_in_part() {
    let secrets = Secrets::from_values([("token", "hunter2hunter2")]);
    for before in 65_536 - 40..65_536 + 40 {
        let body = format!(
            "hunter2hunter2 hunter2hunter2{}hunter2hunter2{}",
            "x".repeat(before - 29),
            "y".repeat(70)
        );
        let (address, _) =
            receiver(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
        let (origin, allowance) = here(address);
        let answer = egress(&Names::default(), &[]).http(&post(&origin), &allowance, &secrets).unwrap();
        let shown = String::from_utf8_lossy(&answer.body);
        assert!(answer.body.len() <= 65_536 && answer.truncated);
        assert!(!shown.contains("hun"), "{before}: {}", &shown[shown.len() - 60..]);
    }
}

#[test]
fn a_flood_of_headers_is_no_answer() {
    let many = (0..2000).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    let long = format!("x: {}\r\n", "v".repeat(100_000));
    for flood in [many, long] {
        let (address, _) = receiver(&format!("HTTP/1.1 200 OK\r\n{flood}content-length: 0\r\n\r\n"));
        let (origin, allowance) = here(address);
        lost(egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()));
    }
    let address = serve(|mut stream| {
        read(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x: y\r\n").is_ok() {}
    });
    let (origin, allowance) = here(address);
    lost(egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()));
}
