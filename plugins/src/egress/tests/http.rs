use std::io::Write as _;
use std::net::TcpListener;
use std::time::Instant;

use super::peers::{certified, good, none, one, read, receiver, secured, serve};
use super::*;

#[test]
fn a_request_arrives_as_it_was_meant() {
    let (address, received) = good();
    let (origin, allowance) = here(address);
    let secrets = Secrets::from_values([("token", "T0/B0/to ken"), ("sign", "a+b/c=="), ("key", "k-123456")]);
    let request = HttpRequest {
        path: vec![text("/ser%76ices/"), secret("token"), text("?#签")],
        query: vec![field("sign", &[secret("sign")]), field("a&b", &[text("1 2"), Part::Bytes(vec![0xff])])],
        headers: vec![
            field("Authorization", &[text("Bearer "), secret("key")]),
            field("X-Ticket", &[text("T-1001")]),
        ],
        body: vec![text("{\"key\":\""), secret("key"), text("\"}")],
        ..post(&origin)
    };
    let mut trace = Trace::default();
    let answer =
        egress(&Names::default(), &[]).http_traced(&request, &allowance, &secrets, &mut trace).unwrap();
    assert_eq!((answer.status, answer.body.as_slice(), answer.truncated), (200, b"ok".as_slice(), false));
    assert_eq!(answer.headers[0].name, "content-length");

    let came = one(&received);
    assert_eq!(
        came.line(),
        "POST /ser%2576ices/T0/B0/to%20ken%3F%23%E7%AD%BE?sign=a%2Bb%2Fc%3D%3D&a%26b=1%202%FF HTTP/1.1"
    );
    assert_eq!(came.body, b"{\"key\":\"k-123456\"}");
    assert_eq!(came.header("authorization"), Some("Bearer k-123456"));
    assert_eq!(came.header("x-ticket"), Some("T-1001"));
    assert_eq!(came.header("host"), Some(address.to_string().as_str()));
    assert_eq!(came.header("content-length"), Some("18"));
    assert_eq!(came.header("user-agent"), Some(concat!("holdback/", env!("CARGO_PKG_VERSION"))));
    for absent in ["content-type", "accept", "accept-encoding", "cookie", "expect", "transfer-encoding"] {
        assert_eq!(came.header(absent), None, "{absent}");
    }

    let steps: Vec<String> = trace.steps.iter().map(Step::to_string).collect();
    assert_eq!(steps[0], format!("to {origin}"));
    assert_eq!(
        steps[1..4],
        ["granted, loopback", "resolved to 127.0.0.1", &format!("connected to {address}")]
    );
    assert!(steps[4].starts_with("sent ") && steps[5] == "answered 200, 2 bytes", "{steps:?}");
    assert!(!steps.concat().contains("123456"));
}

#[test]
fn the_other_methods_arrive_too() {
    for (method, name) in [(Method::Put, "PUT"), (Method::Patch, "PATCH"), (Method::Get, "GET")] {
        let (address, received) = good();
        let (origin, allowance) = here(address);
        let request = HttpRequest { method, body: Vec::new(), ..post(&origin) };
        egress(&Names::default(), &[]).http(&request, &allowance, &Secrets::none()).unwrap();
        let came = one(&received);
        assert_eq!(came.line(), format!("{name} /in HTTP/1.1"));
        assert_eq!(came.header("content-length"), if method == Method::Get { None } else { Some("0") });
    }
}

#[test]
fn a_receiver_under_tls_has_to_prove_its_name() {
    let (root, config) = certified("receiver.test");
    let (address, received) = secured(config);
    let names = Names::of(&[("receiver.test", &["127.0.0.1"]), ("other.test", &["127.0.0.1"])]);
    let with = |roots: &str| {
        let config = EgressConfig { roots: roots.to_owned(), ..impatient() };
        Egress::with(config, Box::new(names.clone()), Defences::default()).unwrap()
    };
    let send = |egress: &Egress, name: &str| {
        let origin = format!("https://{name}:{}", address.port());
        egress.http(&post(&origin), &granted(&origin, Network::Loopback), &Secrets::none())
    };
    assert_eq!(send(&with(&root), "receiver.test").unwrap().status, 200);
    assert_eq!(one(&received).header("host"), Some(format!("receiver.test:{}", address.port()).as_str()));
    assert_eq!(names.asked(), 1, "a name is looked up once");

    assert!(not_sent(send(&with(&root), "other.test")).starts_with("no TLS with `other.test`"));
    let (stranger, _) = certified("receiver.test");
    not_sent(send(&with(&stranger), "receiver.test"));
    not_sent(send(&with(""), "receiver.test"));
    none(&received);
}

#[test]
fn clear_text_is_no_answer_under_tls() {
    let (address, _) = good();
    let origin = format!("https://{address}");
    let answer = egress(&Names::default(), &[]).http(
        &post(&origin),
        &granted(&origin, Network::Loopback),
        &Secrets::none(),
    );
    not_sent(answer);
}

#[test]
fn whatever_the_status_it_is_an_answer() {
    for status in [204, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503] {
        let location = "location: http://127.0.0.1:1/elsewhere";
        let (address, received) = receiver(&format!(
            "HTTP/1.1 {status} So\r\n{location}\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n"
        ));
        let (origin, allowance) = here(address);
        let answer =
            egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()).unwrap();
        assert_eq!(answer.status, status);
        assert!(answer.headers.iter().any(|header| header.name == "retry-after" && header.value == "7"));
        one(&received);
    }
}

#[test]
fn a_body_is_not_unpacked() {
    let (address, _) =
        receiver("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1fabc");
    let (origin, allowance) = here(address);
    let answer = egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()).unwrap();
    assert_eq!(answer.body, b"\x1fabc");
}

#[test]
fn who_is_not_there_was_sent_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (origin, allowance) = here(closed);
    not_sent(hasty().http(&post(&origin), &allowance, &Secrets::none()));
    let allowance = granted("https://nowhere.test", Network::Public);
    let answer =
        egress(&Names::default(), &[]).http(&post("https://nowhere.test"), &allowance, &Secrets::none());
    assert!(not_sent(answer).starts_with("no address for `nowhere.test`"));
    let names = Names::of(&[("nowhere.test", &[])]);
    not_sent(egress(&names, &[]).http(&post("https://nowhere.test"), &allowance, &Secrets::none()));
}

#[test]
fn a_second_address_is_tried_when_the_first_is_not_there() {
    let (address, received) = good();
    let names = Names::of(&[("receiver.test", &["127.0.0.2", "127.0.0.1"])]);
    let origin = format!("http://receiver.test:{}", address.port());
    let allowance = granted(&origin, Network::Loopback);
    egress(&names, &[]).http(&post(&origin), &allowance, &Secrets::none()).unwrap();
    one(&received);
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    // Tests cannot change their own environment; so one is run again in an environment with a proxy that is not there.
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "egress::tests::http::a_request_arrives_as_it_was_meant"])
        .envs(
            ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"]
                .map(|name| (name, "http://127.0.0.1:1")),
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_connection_that_ends_without_an_answer_is_lost() {
    let address = serve(|mut stream| {
        read(&mut stream);
    });
    let (origin, allowance) = here(address);
    lost(egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()));
    let (address, _) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok");
    let (origin, allowance) = here(address);
    lost(egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()));
    let (address, _) = receiver("220 mail.test ESMTP\r\n");
    let (origin, allowance) = here(address);
    lost(egress(&Names::default(), &[]).http(&post(&origin), &allowance, &Secrets::none()));
}

#[test]
fn who_hangs_is_not_waited_for() {
    let starts = [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
        "HTTP/1.1 100 C\r\n\r\n",
    ];
    for start in starts {
        let address = serve(move |mut stream| {
            read(&mut stream);
            stream.write_all(start.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_secs(20));
        });
        let (origin, allowance) = here(address);
        in_time(|| lost(hasty().http(&post(&origin), &allowance, &Secrets::none())));
    }
}

#[test]
fn who_drips_is_not_waited_for() {
    for start in [
        "HTTP/1.1 200 OK\r\nx: ",
        "HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let address = serve(move |mut stream| {
            read(&mut stream);
            stream.write_all(start.as_bytes()).unwrap();
            while stream.write_all(b".").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let (origin, allowance) = here(address);
        in_time(|| lost(hasty().http(&post(&origin), &allowance, &Secrets::none())));
    }
}

#[test]
fn who_does_not_read_is_not_waited_for() {
    let address = serve(|stream| {
        std::thread::sleep(Duration::from_secs(20));
        drop(stream);
    });
    let (origin, allowance) = here(address);
    let request = HttpRequest { body: vec![text(&"x".repeat(256 * 1024))], ..post(&origin) };
    in_time(|| lost(hasty().http(&request, &allowance, &Secrets::none())));
}

#[test]
fn who_does_not_shake_hands_is_not_waited_for() {
    let address = serve(|stream| {
        std::thread::sleep(Duration::from_secs(20));
        drop(stream);
    });
    let origin = format!("https://{address}");
    in_time(|| {
        not_sent(hasty().http(&post(&origin), &granted(&origin, Network::Loopback), &Secrets::none()))
    });
}

#[expect(clippy::disallowed_methods, reason = "patience is measured")]
fn in_time<T>(what: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = what();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    done
}

#[test]
fn attack_an_origin_that_is_not_granted() {
    let (granted, _) = good();
    let (target, received) = good();
    let (_, allowance) = here(granted);
    let request = post(&format!("http://{target}"));
    let answer = egress(&Names::default(), &[]).http(&request, &allowance, &Secrets::none());
    assert_eq!(refused(answer), format!("`http://{target}` is not granted; granted is `http://{granted}`"));
    none(&received);
    let off = egress(&Names::default(), &[Defence::AllowList]);
    off.http(&request, &allowance, &Secrets::none()).unwrap();
    one(&received);
}

#[test]
fn a_grant_is_for_scheme_host_and_port() {
    let names = Names::of(&[("receiver.test", &["127.0.0.1"])]);
    let allowance = granted("https://receiver.test", Network::Loopback);
    for other in [
        "http://receiver.test",
        "https://receiver.test:8443",
        "https://sub.receiver.test",
        "https://receiver.test.evil.example",
        "https://xreceiver.test",
    ] {
        refused(egress(&names, &[]).http(&post(other), &allowance, &Secrets::none()));
    }
    let nothing = Allowance::default();
    let reason =
        refused(egress(&names, &[]).http(&post("https://receiver.test"), &nothing, &Secrets::none()));
    assert!(reason.ends_with("granted is nothing"), "{reason}");
    assert_eq!(names.asked(), 0, "what is not granted is not even looked up");
}

#[test]
fn attack_a_name_with_an_address_of_ours() {
    let (address, received) = good();
    let origin = format!("https://evil.example:{}", address.port());
    let allowance = granted(&origin, Network::Public);
    // A public address in front does not help: whoever answers look-ups chooses the order.
    for addresses in [["127.0.0.1"].as_slice(), &["8.8.8.8", "127.0.0.1"], &["::ffff:127.0.0.1"]] {
        let names = Names::of(&[("evil.example", addresses)]);
        let reason = refused(egress(&names, &[]).http(&post(&origin), &allowance, &Secrets::none()));
        assert!(reason.contains("loopback; granted is public"), "{reason}");
        assert_eq!(names.asked(), 1);
    }
    // Without the check the connection is made; only TLS, which an attacker has no lack of, ends it here.
    let names = Names::of(&[("evil.example", &["127.0.0.1"])]);
    let (root, config) = certified("evil.example");
    let (address, secured) = secured(config);
    let origin = format!("https://evil.example:{}", address.port());
    let config = EgressConfig { roots: root, ..impatient() };
    let off = Egress::with(config, Box::new(names), Defences::without(&[Defence::AddressCheck])).unwrap();
    off.http(&post(&origin), &granted(&origin, Network::Public), &Secrets::none()).unwrap();
    one(&secured);
    none(&received);
}

#[test]
fn attack_a_host_in_another_spelling() {
    let (address, received) = good();
    let (_, allowance) = here(address);
    for host in ["0x7f.1", "2130706433", "127.1", "0177.0.0.1", "１２７.0.0.1", "127.0.0.1."] {
        let request = post(&format!("http://{host}:{}", address.port()));
        let reason = refused(egress(&Names::default(), &[]).http(&request, &allowance, &Secrets::none()));
        assert!(reason.ends_with(&format!("expected `http://{address}`")), "{reason}");
        none(&received);
        let off = egress(&Names::default(), &[Defence::CanonicalHost]);
        off.http(&request, &allowance, &Secrets::none()).unwrap();
        one(&received);
    }
}

#[test]
fn attack_more_than_an_origin() {
    let (address, received) = good();
    let (origin, allowance) = here(address);
    for more in [
        format!("http://oapi.dingtalk.com@{address}"),
        format!("{origin}/admin"),
        format!("{origin}?a=b"),
        format!("{origin}#"),
        format!("{origin}\\"),
    ] {
        refused(egress(&Names::default(), &[]).http(&post(&more), &allowance, &Secrets::none()));
        none(&received);
        let off = egress(&Names::default(), &[Defence::OriginOnly]);
        off.http(&post(&more), &allowance, &Secrets::none()).unwrap();
        one(&received);
    }
}

#[test]
fn attack_an_answer_that_points_elsewhere() {
    let (inside, reached) = good();
    let (address, _) = receiver(&format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{inside}/admin\r\ncontent-length: 0\r\n\r\n"
    ));
    let (origin, allowance) = here(address);
    let request = HttpRequest { headers: vec![field("x-token", &[secret("token")])], ..post(&origin) };
    let secrets = Secrets::from_values([("token", "for the receiver only")]);
    assert_eq!(egress(&Names::default(), &[]).http(&request, &allowance, &secrets).unwrap().status, 302);
    none(&reached);
    let off = egress(&Names::default(), &[Defence::NoRedirects]);
    assert_eq!(off.http(&request, &allowance, &secrets).unwrap().status, 200);
    assert_eq!(one(&reached).header("x-token"), Some("for the receiver only"));
}

#[test]
fn attack_headers_that_frame_the_request() {
    let (address, received) = good();
    let (origin, allowance) = here(address);
    let with =
        |name: &str, value: &str| HttpRequest { headers: vec![field(name, &[text(value)])], ..post(&origin) };
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "connection",
        "TE",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
        "proxy-authorization",
        "Proxy-Connection",
    ] {
        let reason =
            refused(egress(&Names::default(), &[]).http(&with(name, "x"), &allowance, &Secrets::none()));
        assert_eq!(reason, format!("header `{}` is the host's", name.to_lowercase()));
    }
    none(&received);
    let off = egress(&Names::default(), &[Defence::HeaderRules]);
    off.http(&with("Host", "admin.internal"), &allowance, &Secrets::none()).unwrap();
    assert_eq!(one(&received).header("host"), Some("admin.internal"));
}

#[test]
fn attack_an_answer_that_quotes_a_secret() {
    let body = r#"{"bad":"hunter2hunter2","url":"/hunter2hunter2","b":"aHVudGVyMmh1bnRlcjI"}"#;
    let (address, _) = receiver(&format!(
        "HTTP/1.1 401 No\r\nx-echo: hunter2hunter2\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    let (origin, allowance) = here(address);
    let secrets = Secrets::from_values([("token", "hunter2hunter2")]);
    let answer = egress(&Names::default(), &[]).http(&post(&origin), &allowance, &secrets).unwrap();
    let shown = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
    assert!(shown.contains("«token»") && !shown.contains("hunter2") && !shown.contains("aHVudG"), "{shown}");
    let off = egress(&Names::default(), &[Defence::Redaction]);
    let answer = off.http(&post(&origin), &allowance, &secrets).unwrap();
    assert!(String::from_utf8_lossy(&answer.body).contains("hunter2hunter2"));
}

#[test]
fn attack_a_failure_that_quotes_a_secret() {
    let secrets = Secrets::from_values([("token", "hunter2hunter2")]);
    let allowance = granted("https://receiver.test", Network::Public);
    // A component cannot know a secret; an operator who mistakes a setting for one would write it here.
    let request = post("https://hunter2hunter2.example");
    let reason = refused(egress(&Names::default(), &[]).http(&request, &allowance, &secrets));
    assert!(reason.starts_with("`https://«token».example` is not granted"), "{reason}");
    let off = egress(&Names::default(), &[Defence::Redaction]);
    assert!(refused(off.http(&request, &allowance, &secrets)).contains("hunter2hunter2"));
}
