//! The way out against real peers on loopback. Each `attack_` is tried twice: with all defences, and without the one that stands
//! against it.

mod addresses;
mod http;
mod limits;
mod mail;
mod origins;
mod peers;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::address::Resolve;
use super::*;
use crate::wire::{Field, HttpRequest, Method, Part};

/// Names with the addresses that a test gives them, and how often one was asked for.
#[derive(Clone, Default)]
struct Names {
    names: BTreeMap<String, Vec<IpAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Names {
    fn of(names: &[(&str, &[&str])]) -> Names {
        let read = |all: &[&str]| all.iter().map(|address| address.parse().unwrap()).collect();
        let names = names.iter().map(|(name, all)| ((*name).to_owned(), read(all))).collect();
        Names { names, asked: Arc::default() }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Names {
    fn addresses(&self, name: &str, _: Duration) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.names.get(name).cloned().ok_or_else(|| io::Error::other("no such name"))
    }
}

fn impatient() -> EgressConfig {
    EgressConfig { connect: Duration::from_secs(5), whole: Duration::from_secs(8), roots: String::new() }
}

fn egress(names: &Names, off: &[Defence]) -> Egress {
    Egress::with(impatient(), Box::new(names.clone()), Defences::without(off)).unwrap()
}

/// One that gives up after a second.
fn hasty() -> Egress {
    let config =
        EgressConfig { connect: Duration::from_secs(1), whole: Duration::from_secs(1), ..impatient() };
    Egress::new(config).unwrap()
}

fn granted(origin: &str, network: Network) -> Allowance {
    let origin = AllowedOrigin::new(origin.parse().unwrap(), network).unwrap();
    Allowance { origins: vec![origin], mail: None }
}

fn here(address: SocketAddr) -> (String, Allowance) {
    let origin = format!("http://{address}");
    let allowance = granted(&origin, Network::Loopback);
    (origin, allowance)
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn secret(slot: &str) -> Part {
    Part::Secret(slot.to_owned())
}

fn field(name: &str, value: &[Part]) -> Field {
    Field { name: name.to_owned(), value: value.to_vec() }
}

fn post(origin: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        origin: origin.to_owned(),
        path: vec![text("/in")],
        query: Vec::new(),
        headers: Vec::new(),
        body: vec![text("{}")],
    }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, SendError>) -> String {
    match answer {
        Err(SendError::Refused(reason)) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

fn not_sent<T: std::fmt::Debug>(answer: Result<T, SendError>) -> String {
    match answer {
        Err(SendError::NotSent(reason)) => reason,
        other => panic!("not `not sent`: {other:?}"),
    }
}

fn lost<T: std::fmt::Debug>(answer: Result<T, SendError>) -> String {
    match answer {
        Err(SendError::Lost(reason)) => reason,
        other => panic!("not lost: {other:?}"),
    }
}

#[test]
fn patience_has_a_beginning_and_an_end() {
    let with = |connect, whole| {
        let config = EgressConfig {
            connect: Duration::from_millis(connect),
            whole: Duration::from_millis(whole),
            ..EgressConfig::default()
        };
        Egress::new(config).map(|_| ())
    };
    assert_eq!(with(5000, 15_000), Ok(()));
    assert_eq!(with(1, 600_000), Ok(()));
    assert_eq!(with(0, 1), Err(EgressError::Patience("connect")));
    assert_eq!(with(1, 0), Err(EgressError::Patience("whole")));
    assert_eq!(with(1, 600_001), Err(EgressError::Patience("whole")));
    assert_eq!(with(2, 1), Err(EgressError::Patience("connect")));
    let roots = EgressConfig { roots: "no certificate".to_owned(), ..EgressConfig::default() };
    assert!(matches!(Egress::new(roots), Err(EgressError::Roots(_))));
}
