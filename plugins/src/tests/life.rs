//! How components live: pool and fall-back, signatures, determinism.

use super::guests::{endless, honest, rendering};
use super::*;
use crate::{HostError, SignatureError, SignaturePolicy};

#[test]
fn fuel_makes_a_run_the_same_everywhere() {
    let fuel = Some(100_000);
    let spent = || {
        let host = Host::new(HostConfig { fuel, ..config() }).expect("a host");
        let work = "(local $i i32) (loop $on (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
            (i32.const 1000)))) i32.const 256";
        let (ready, sandbox) = (load(&host, &rendering(work)).ready, &host.inner.sandbox);
        let secrets = Arc::new(Secrets::none());
        let (_, spent) = sandbox.render(&ready, &secrets, delivery(&[])).expect("an answer");
        spent.fuel.expect("counted")
    };
    let first = spent();
    assert!(first > 4_000, "{first}");
    assert_eq!(first, spent());
    let host = Host::new(HostConfig { fuel, ..config() }).expect("a host");
    assert_eq!(fault(&host, &endless()), Fault::Fuel { limit: 100_000 });
}

#[test]
fn more_calls_than_the_pool_has_places_wait() {
    let host = Host::new(HostConfig { threads: 2, ..config() }).expect("a host");
    assert!(host.is_pooled());
    let good = channel(&host, &honest());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(good.render(&delivery(&[])), Err(RenderError::Refused("no".to_owned())));
                }
            });
        }
    });
}

#[test]
fn only_signed_components_are_taken_where_that_is_required() {
    let pair = minisign::KeyPair::generate_unencrypted_keypair().expect("keys");
    let other = minisign::KeyPair::generate_unencrypted_keypair().expect("keys");
    let wasm = honest();
    let sign = |pair: &minisign::KeyPair, bytes: &[u8]| {
        minisign::sign(None, &pair.sk, bytes, None, None).expect("a signature").to_string()
    };
    let policy = SignaturePolicy::required([pair.pk.to_base64().as_str()]).expect("a key");
    let host = Host::new(HostConfig { signatures: policy, ..config() }).expect("a host");
    let refused = |signature: Option<&str>| match host.load(&wasm, signature) {
        Err(HostError::Signature(error)) => error,
        _ => panic!("a refusal was expected"),
    };
    assert!(matches!(refused(None), SignatureError::Missing(_)));
    assert!(matches!(refused(Some("RWQ")), SignatureError::Malformed(_)));
    assert!(matches!(refused(Some(&sign(&other, &wasm))), SignatureError::Wrong(_)));
    assert!(matches!(refused(Some(&sign(&pair, &endless()))), SignatureError::Wrong(_)));
    let taken = host.load(&wasm, Some(&sign(&pair, &wasm))).expect("a plugin");
    assert_eq!(taken.signed_by(), Some(pair.pk.to_base64().as_str()));
    // Without the policy all of them are taken.
    assert!(Host::new(config()).expect("a host").load(&wasm, None).is_ok());
    assert!(matches!(SignaturePolicy::required(["no key"]), Err(SignatureError::Key(_))));
}

#[test]
fn nan_has_one_form() {
    // 0/0 and its negation differ in the sign bit on most machines; canonical, they do not.
    let nan = "(if (i64.ne (i64.reinterpret_f64 (f64.div (f64.const 0) (f64.const 0)))
        (i64.const 0x7ff8000000000000)) (then unreachable)) i32.const 256";
    let host = Host::new(config()).expect("a host");
    assert_eq!(
        channel(&host, &rendering(nan)).render(&delivery(&[])),
        Err(RenderError::Refused("no".to_owned()))
    );
}
