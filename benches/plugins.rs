//! Channels: an instance made, asked and thrown away; components loaded from the cache.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use holdback_plugins::wire::{Delivery, HttpResponse, Outcome, Request, Response};
use holdback_plugins::{
    Channel, Compiler, Destination, Fixture, Host, HostConfig, SHIPPED, Secrets, shipped,
};

const FIXTURE: &str = include_str!("../plugins/channels/webhook/fixtures/money-and-contacts.json");

fn channel(host: &Host) -> (Channel, Delivery, Request, Response) {
    let fixture = Fixture::from_json(FIXTURE).unwrap();
    let plugin = host.load(shipped("webhook").unwrap().wasm, None).unwrap();
    let secrets = Secrets::from_texts(&fixture.secrets, &plugin.description().secrets).unwrap();
    let channel = host.rehearsal(&plugin, secrets).unwrap();
    let answer = Response::Http(HttpResponse {
        status: 200,
        headers: Vec::new(),
        body: b"ok".to_vec(),
        truncated: false,
    });
    (channel, fixture.delivery.unwrap(), fixture.request.unwrap(), answer)
}

fn calls(c: &mut Criterion) {
    let host = Host::new(HostConfig::new(Compiler::Here)).unwrap();
    let (channel, delivery, request, answer) = channel(&host);
    c.bench_function("plugin: instantiate, render, drop", |b| {
        b.iter(|| assert_eq!(channel.render(black_box(&delivery)).unwrap(), request));
    });
    c.bench_function("plugin: instantiate, judge, drop", |b| {
        b.iter(|| {
            let outcome = channel.judge(black_box(&delivery), black_box(&answer));
            assert!(matches!(outcome, Outcome::Delivered(_)));
        });
    });
    // Criterion gives means; a channel's time is a promise at its 99th percentile.
    let calls = if std::env::args().any(|arg| arg == "--test") { 200 } else { 20_000 };
    let (mut whole, mut inner): (Vec<_>, Vec<_>) = (0..calls)
        .map(|_| {
            let begun = Instant::now();
            let (rendered, spent) = channel.render_measured(&delivery).unwrap();
            let took = begun.elapsed();
            assert_eq!(rendered, request);
            (took, spent.ran)
        })
        .unzip();
    println!("plugin: instantiate, render, drop: {}", percentiles(&mut whole));
    println!("plugin: the component's own render: {}", percentiles(&mut inner));
}

fn percentiles(times: &mut [Duration]) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_nanos() as f64 / 1e3;
    format!(
        "median {:.1} us, p99 {:.1} us, largest {:.1} us ({} calls)",
        at(50),
        at(99),
        at(100),
        times.len()
    )
}

/// The same component under another digest: a custom section, which nothing reads, tells them apart.
fn variant(wasm: &[u8], number: u8) -> Vec<u8> {
    let section = [0, 6, 4, b'n', b'o', b't', b'e', number];
    wasm.iter().chain(&section).copied().collect()
}

fn loading(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let config = HostConfig { home: Some(folder.path().join("home")), ..HostConfig::new(Compiler::Here) };
    let components: Vec<_> =
        SHIPPED.iter().flat_map(|shipped| [variant(shipped.wasm, 1), variant(shipped.wasm, 2)]).collect();
    assert_eq!(components.len(), 10);
    let host = Host::new(config).unwrap();
    let load = || components.iter().map(|wasm| host.load(wasm, None).unwrap().digest()).collect::<Vec<_>>();
    let first = load();
    c.bench_function("plugin: ten components from the cache", |b| b.iter(|| assert_eq!(load(), first)));
}

/// From the engine's notice to a line with what would be sent.
fn sink(c: &mut Criterion) {
    let host = Host::new(HostConfig::new(Compiler::Here)).unwrap();
    let (channel, delivery, ..) = channel(&host);
    let mut destination = Destination::named("bench");
    destination.settings =
        delivery.settings.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
    c.bench_function("plugin: a delivery made of a notice", |b| {
        b.iter(|| Delivery::of(black_box(&delivery).notice.clone(), &destination, 0));
    });
    drop(channel);
}

criterion_group!(benches, calls, loading, sink);
criterion_main!(benches);
