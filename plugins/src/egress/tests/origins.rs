use proptest::prelude::*;

use super::*;

#[test]
fn an_origin_in_its_one_spelling_is_taken() {
    for text in [
        "https://example.com",
        "https://oapi.dingtalk.com",
        "https://example.com:8443",
        "http://helpdesk.internal:8080",
        "https://xn--fiq228c.example",
        "https://8.8.8.8",
        "https://[2001:4860:4860::8888]",
        "https://[::ffff:7f00:1]",
        "http://a_b-c.example",
        "https://localhost",
    ] {
        let origin = Origin::parse(text).unwrap();
        assert_eq!(origin.to_string(), text);
        let json = serde_json::to_string(&origin).unwrap();
        assert_eq!(serde_json::from_str::<Origin>(&json).unwrap(), origin);
    }
}

#[test]
fn another_spelling_is_refused_with_the_one_that_is_meant() {
    for (written, canonical) in [
        ("https://Example.com", "https://example.com"),
        ("HTTPS://example.com", "https://example.com"),
        ("https://example.com.", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("https://example.com:08443", "https://example.com:8443"),
        ("https://example.com:", "https://example.com"),
        ("https://ex%61mple.com", "https://example.com"),
        ("https://中文.example", "https://xn--fiq228c.example"),
        ("https://exam\u{ad}ple.com", "https://example.com"),
        ("https://example.com\t", "https://example.com"),
        ("https://exa\nmple.com", "https://example.com"),
        ("http://2130706433", "http://127.0.0.1"),
        ("http://0x7f.1", "http://127.0.0.1"),
        ("http://0x7f000001", "http://127.0.0.1"),
        ("http://127.1", "http://127.0.0.1"),
        ("http://0177.0.0.1", "http://127.0.0.1"),
        ("http://127.0.0.1.", "http://127.0.0.1"),
        ("http://127.0.0.01", "http://127.0.0.1"),
        ("http://１２７.０.０.１", "http://127.0.0.1"),
        ("http://127。0。0。1", "http://127.0.0.1"),
        ("http://①②⑦.0.0.1", "http://127.0.0.1"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"),
        ("http://[2001:DB8::1]", "http://[2001:db8::1]"),
    ] {
        match Origin::parse(written) {
            Err(OriginError::Spelling { canonical: named, .. }) => assert_eq!(named, canonical, "{written}"),
            other => panic!("{written}: {other:?}"),
        }
    }
}

#[test]
fn more_than_an_origin_is_refused_and_not_shown() {
    for (written, what) in [
        ("https://user:hunter2@example.com", "a user"),
        ("https://@example.com", "a user"),
        ("https://example.com@evil.example", "a user"),
        ("https://example.com/", "a path"),
        ("https://example.com/in", "a path"),
        ("https://example.com\\@evil.example", "a path"),
        ("https:///example.com", "a path"),
        ("https://example.com?team=1", "a query"),
        ("https://example.com#a", "a fragment"),
    ] {
        let error = Origin::parse(written).unwrap_err();
        assert_eq!(error, OriginError::More(what), "{written}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn what_is_no_origin_is_refused() {
    for text in [
        "",
        "example.com",
        "//example.com",
        "https:example.com",
        "https:/example.com",
        "https:\\\\example.com",
        "https://",
        "https://..",
        "https://a..b",
        "https://.example.com",
        "https://exa mple.com",
        "https://example.com:65536",
        "https://example.com:x",
        "https://1.2.3.4.5",
        "https://256.0.0.1",
        "https://[fe80::1%25eth0]",
        "https://[::1",
        "https://a,b",
        "https://a;b",
        "https://a\0b",
        " https://example.com",
    ] {
        assert!(Origin::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(Origin::parse("https://example.com:0"), Err(OriginError::PortZero));
    for other in ["ftp://example.com", "file://example.com", "ws://example.com", "gopher://example.com:70"] {
        assert!(matches!(Origin::parse(other), Err(OriginError::Scheme(_))), "{other}");
    }
    assert!(Origin::parse(&format!("https://{}.example", "a".repeat(64))).is_err());
    assert!(Origin::parse(&format!("https://{}", "a.".repeat(600))).is_err());
}

#[test]
fn an_error_is_one_line_and_short() {
    let error = Origin::parse(&format!("\r\n\u{1b}[31m{}", "x".repeat(100_000))).unwrap_err().to_string();
    assert!(error.len() < 300 && !error.chars().any(char::is_control), "{error}");
}

#[test]
fn clear_text_is_granted_within_ones_own_network_only() {
    let origin: Origin = "http://helpdesk.internal".parse().unwrap();
    assert!(AllowedOrigin::new(origin.clone(), Network::Private).is_ok());
    assert!(AllowedOrigin::new(origin.clone(), Network::Loopback).is_ok());
    assert!(matches!(AllowedOrigin::new(origin, Network::Public), Err(OriginError::ClearText(_))));
    let read = |text: &str| toml::from_str::<AllowedOrigin>(text);
    let public = read("origin = \"https://example.com\"").unwrap();
    assert_eq!(public.network(), Network::Public);
    assert_eq!(read(&toml::to_string(&public).unwrap()).unwrap(), public);
    assert!(read("origin = \"http://example.com\"").is_err());
    assert!(read("origin = \"http://example.com\"\nnetwork = \"private\"").is_ok());
}

proptest! {
    #[test]
    fn what_is_taken_is_written_back_as_it_was(text in "(https?|HTTP)://[a-zA-Z0-9.:@/\\[\\]%\\\\_-]{1,24}") {
        if let Ok(origin) = Origin::parse(&text) {
            prop_assert_eq!(origin.to_string(), text.clone());
            // And another parser reads the same in it.
            let uri: ureq::http::Uri = text.parse().unwrap();
            prop_assert_eq!(uri.host().unwrap(), origin.host().to_string());
            prop_assert_eq!(uri.port_u16().unwrap_or_else(|| origin.port()), origin.port());
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,40}") {
        let _ = Origin::parse(&text);
        let _ = Origin::parse(&format!("https://{text}"));
    }
}
