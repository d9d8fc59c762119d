//! One test an attack: with the defence the attack fails, without it the same attack succeeds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::guests::{endless, honest, rendering, with};
use super::*;
use crate::sandbox::LogLine;
use crate::{InspectError, STRIKES};

#[test]
fn endless_loop_is_ended_by_its_deadline() {
    let host = Host::new(HostConfig { limits: short(Limits::default()), ..config() }).expect("a host");
    assert_eq!(fault(&host, &endless()), Fault::Time { limit: Duration::from_millis(50) });
    // Without epochs only the brake of this test ends it.
    assert!(matches!(fault(&braked(Limits::default()), &endless()), Fault::Fuel { .. }));
}

#[test]
fn endless_start_is_ended_by_its_deadline() {
    let host = Host::new(HostConfig { limits: short(Limits::default()), ..config() }).expect("a host");
    let wasm = with("unreachable", "(func $start (loop $on (br $on))) (start $start)", "");
    let error = host.load(&wasm, None).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("the component ran longer than 50 ms"));
}

#[test]
fn endless_loop_delays_nobody_else() {
    let host = Host::new(HostConfig { threads: 2, ..config() }).expect("a host");
    let (bad, good) = (channel(&host, &endless()), channel(&host, &honest()));
    std::thread::scope(|scope| {
        let bad = scope.spawn(|| bad.render(&delivery(&[])));
        std::thread::sleep(Duration::from_millis(20));
        let begun = Instant::now();
        let mut calls = 0;
        while !bad.is_finished() {
            assert_eq!(good.render(&delivery(&[])), Err(RenderError::Refused("no".to_owned())));
            calls += 1;
        }
        let each = begun.elapsed() / calls.max(1);
        assert!(
            calls > 20 && each < Duration::from_millis(20),
            "{calls} calls, {each:?} each, beside an endless loop"
        );
    });
}

#[test]
fn a_stalled_host_call_is_given_up() {
    // Neither epochs nor fuel see a call of the host that does not come back: here the operator's log is stuck.
    let stuck: Shared<()> = Arc::default();
    let held = Arc::clone(&stuck);
    let log: Arc<crate::LogSink> = Arc::new(move |_: &LogLine<'_>| drop(held.lock()));
    let logs = rendering("(call $log (i32.const 0) (i32.const 16) (i32.const 3)) i32.const 256");
    let limits = Limits { outer: Duration::from_millis(100), ..Limits::default() };
    let host = Host::new(HostConfig { limits, log: Some(Arc::clone(&log)), ..config() }).expect("a host");
    let guard = stuck.lock();
    assert_eq!(fault(&host, &logs), Fault::Outer { limit: Duration::from_millis(100) });
    // The threads that are lost are replaced: others are served while it is still stuck.
    assert!(matches!(fault(&host, &logs), Fault::Aside(_)), "it waits after a failure");
    let good = channel(&host, &honest());
    for _ in 0..4 {
        assert_eq!(good.render(&delivery(&[])), Err(RenderError::Refused("no".to_owned())));
    }
    drop(guard);
    // Without the outer time-out the call takes as long as the log does.
    let patient = Limits { outer: Duration::from_secs(60), ..Limits::default() };
    let host = Host::new(HostConfig { limits: patient, log: Some(log), ..config() }).expect("a host");
    let guard = stuck.lock();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| channel(&host, &logs).render(&delivery(&[])));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!call.is_finished(), "held up as long as the log is");
        drop(guard);
    });
}

#[test]
fn memory_bomb_is_stopped_at_the_sum() {
    let grows = rendering("(loop $on (drop (memory.grow (i32.const 16))) (br $on)) unreachable");
    let host = Host::new(config()).expect("a host");
    assert_eq!(fault(&host, &grows), Fault::Memory { limit: 16 << 20 });
    // With a higher limit it gets that far.
    let roomy = Limits { memory: 64 << 20, time: Duration::from_secs(5), ..Limits::default() };
    let once = rendering(
        "(if (i32.lt_s (memory.grow (i32.const 700)) (i32.const 0)) (then unreachable)) i32.const 256",
    );
    let host_roomy = Host::new(HostConfig { limits: roomy, ..config() }).expect("a host");
    let got = channel(&host_roomy, &once).render(&delivery(&[]));
    assert_eq!(got, Err(RenderError::Refused("no".to_owned())), "43 MiB were to be had");
    assert_eq!(fault(&host, &once), Fault::Memory { limit: 16 << 20 });
}

#[test]
fn table_growth_is_stopped_at_the_sum() {
    let grow = "(loop $on (drop (table.grow $t (ref.null func) (i32.const 100))) (br $on)) unreachable";
    let grows = with(grow, "(table $t 1 funcref)", "");
    let host = Host::new(config()).expect("a host");
    assert_eq!(fault(&host, &grows), Fault::Tables { limit: 10_000 });
    let once = "(if (i32.lt_s (table.grow $t (ref.null func) (i32.const 20000)) (i32.const 0)) (then unreachable)) i32.const 256";
    let once = with(once, "(table $t 1 funcref)", "");
    let roomy = Limits { table_elements: 100_000, ..Limits::default() };
    let host_roomy = Host::new(HostConfig { limits: roomy, ..config() }).expect("a host");
    assert_eq!(
        channel(&host_roomy, &once).render(&delivery(&[])),
        Err(RenderError::Refused("no".to_owned()))
    );
    assert_eq!(fault(&host, &once), Fault::Tables { limit: 10_000 });
}

#[test]
fn stack_overflow_is_a_fault_of_the_component() {
    let deep = rendering("(call $render (local.get $delivery))");
    let host = Host::new(config()).expect("a host");
    assert_eq!(fault(&host, &deep), Fault::Stack { limit: 512 << 10 });
    // A guest that needs some depth: fine within the usual stack, too deep for a small one.
    let some = "(func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))";
    let some = with("(call $down (i32.const 2000)) i32.const 256", some, "");
    assert_eq!(channel(&host, &some).render(&delivery(&[])), Err(RenderError::Refused("no".to_owned())));
    let small = Host::new(HostConfig { limits: Limits { stack: 16 << 10, ..Limits::default() }, ..config() });
    assert_eq!(fault(&small.expect("a host"), &some), Fault::Stack { limit: 16 << 10 });
}

#[test]
fn log_flood_is_cut_and_counted() {
    let flood = "(local $i i32) (loop $on (call $log (i32.const 1) (i32.const 16) (i32.const 3))
        (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))) i32.const 256";
    let lines: Shared<Vec<String>> = Arc::default();
    let count = |limits: Limits| {
        let kept = Arc::clone(&lines);
        kept.lock().expect("a lock").clear();
        let sink = move |line: &LogLine<'_>| kept.lock().expect("a lock").push(line.text.to_owned());
        let host = Host::new(HostConfig { limits, log: Some(Arc::new(sink)), ..config() }).expect("a host");
        let rendered = channel(&host, &rendering(flood)).render(&delivery(&[]));
        assert_eq!(rendered, Err(RenderError::Refused("no".to_owned())));
        lines.lock().expect("a lock").len()
    };
    assert_eq!(count(Limits::default()), 64);
    assert_eq!(count(Limits { log_lines: u32::MAX, ..Limits::default() }), 1_000);
}

#[test]
fn a_log_line_is_one_line_of_bounded_length() {
    let lines: Shared<Vec<String>> = Arc::default();
    let kept = Arc::clone(&lines);
    let sink = move |line: &LogLine<'_>| kept.lock().expect("a lock").push(line.text.to_owned());
    let limits = Limits { log_line: 11, ..Limits::default() };
    let host = Host::new(HostConfig { limits, log: Some(Arc::new(sink)), ..config() }).expect("a host");
    let data = r#"(data (i32.const 512) "a\0ab\1b[2Jc\e2\80\aed and more")"#;
    let logs = with("(call $log (i32.const 0) (i32.const 512) (i32.const 30)) i32.const 256", data, "");
    let _ = channel(&host, &logs).render(&delivery(&[]));
    assert_eq!(*lines.lock().expect("a lock"), [r"a\nb\u{1b}[2Jc\u{202e}"]);
}

#[test]
fn huge_output_is_stopped_while_it_is_lifted() {
    // err(text) of 8 MiB.
    let huge = "(drop (memory.grow (i32.const 160))) (i32.store (i32.const 260) (i32.const 131072)) (i32.store (i32.const 264) (i32.const 8388608)) i32.const 256";
    let host = Host::new(config()).expect("a host");
    let Fault::Trap(reason) = fault(&host, &rendering(huge)) else { panic!("a trap was expected") };
    assert!(reason.contains("fuel"), "{reason}");
    // With more let through it arrives, and the bounds of the interface catch it.
    let roomy = Limits { host_bytes: 64 << 20, ..Limits::default() };
    let host = Host::new(HostConfig { limits: roomy, ..config() }).expect("a host");
    let rendered = channel(&host, &rendering(huge)).render(&delivery(&[]));
    assert!(matches!(rendered, Err(RenderError::Bounds(_))), "{rendered:?}");
}

#[test]
fn a_component_that_traps_again_and_again_is_put_aside() {
    let traps = rendering("unreachable");
    let host = Host::new(config()).expect("a host");
    let bad = channel(&host, &traps);
    let mut now_ms = 0;
    for strike in 1..=STRIKES {
        let at = delivery(&[]).again(now_ms);
        assert!(matches!(bad.render(&at), Err(RenderError::Fault(Fault::Trap(_)))), "strike {strike}");
        // It waits a second, then two, then four ...
        let soon = delivery(&[]).again(now_ms);
        assert!(
            matches!(bad.render(&soon), Err(RenderError::Fault(Fault::Aside(_)))),
            "after strike {strike}"
        );
        now_ms += 1_000 << (strike - 1);
    }
    // In quarantine, however long one waits, until it is reset; others are not touched by it.
    let later = delivery(&[]).again(u64::MAX);
    let Err(RenderError::Fault(Fault::Aside(why))) = bad.render(&later) else { panic!("in quarantine") };
    assert!(why.contains("quarantine"), "{why}");
    assert_eq!(channel(&host, &honest()).render(&later), Err(RenderError::Refused("no".to_owned())));
    assert_eq!(host.quarantine().len(), 1);
    assert!(host.reset(bad.plugin().digest()).expect("no folder is needed"));
    assert!(matches!(bad.render(&later), Err(RenderError::Fault(Fault::Trap(_)))));
    // Without the defence it runs, and traps, every time.
    let host = host_without(config(), &[Defence::Quarantine]);
    let bad = channel(&host, &traps);
    for _ in 0..2 * STRIKES {
        assert!(matches!(bad.render(&delivery(&[])), Err(RenderError::Fault(Fault::Trap(_)))));
    }
}

#[test]
fn nothing_is_remembered_from_call_to_call() {
    // A guest that answers differently the second time if it can: it counts in its memory.
    let counts = "(i32.store (i32.const 4096) (i32.add (i32.load (i32.const 4096)) (i32.const 1)))
        (if (i32.ne (i32.load (i32.const 4096)) (i32.const 1)) (then unreachable)) i32.const 256";
    let host = Host::new(config()).expect("a host");
    let counting = channel(&host, &rendering(counts));
    for _ in 0..3 {
        assert_eq!(counting.render(&delivery(&[])), Err(RenderError::Refused("no".to_owned())));
    }
}

#[test]
fn foreign_imports_are_refused_before_compiling() {
    let wasm = super::files::importing("wasi:cli/stdout@0.2.0");
    let host = Host::new(config()).expect("a host");
    let refused = host.load(&wasm, None).err();
    let Some(crate::HostError::Inspect(InspectError::ForbiddenImport { import, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(import, "wasi:cli/stdout@0.2.0");
    // Without the look at its bytes it gets as far as linking, where nothing of that name is given.
    let host = host_without(config(), &[Defence::ImportCheck]);
    assert!(matches!(host.load(&wasm, None), Err(crate::HostError::Fault(Fault::Start(_)))));
}

#[test]
fn a_judgement_out_of_bounds_is_permanent_and_says_why() {
    // permanent(text) of 4,000 bytes.
    let judge = "(i32.store8 (i32.const 400) (i32.const 4)) (i32.store (i32.const 408) (i32.const 4000)) (i32.store (i32.const 412) (i32.const 4000)) i32.const 400";
    let wasm = with("i32.const 256", "", judge);
    let answer = crate::wire::Response::Mail(crate::wire::MailResponse { code: 250, lines: Vec::new() });
    let judge = |host: &Host| channel(host, &wasm).judge(&delivery(&[]), &answer);
    let crate::wire::Outcome::Permanent(reason) = judge(&Host::new(config()).expect("a host")) else {
        panic!()
    };
    assert!(reason.contains("at most 1024"), "{reason}");
    let crate::wire::Outcome::Permanent(text) = judge(&host_without(config(), &[Defence::AnswerBounds]))
    else {
        panic!()
    };
    assert_eq!(text.len(), 4_000);
}

#[test]
fn a_failed_judgement_leaves_the_fate_unknown() {
    let wasm = with("i32.const 256", "", "unreachable");
    let host = Host::new(config()).expect("a host");
    let answer = crate::wire::Response::Mail(crate::wire::MailResponse { code: 250, lines: Vec::new() });
    let outcome = channel(&host, &wasm).judge(&delivery(&[]), &answer);
    assert!(matches!(outcome, crate::wire::Outcome::Unknown(Some(_))), "{outcome:?}");
}
