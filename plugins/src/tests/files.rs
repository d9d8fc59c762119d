//! Files that are no component for this host: each is refused with what was found and what was expected.

use super::guests::{component, honest};
use super::*;
use crate::inspect;

/// A component that imports an instance of a name.
pub(crate) fn importing(name: &str) -> Vec<u8> {
    let text = format!(
        r#"(component (import "{name}" (instance)) (instance $i) (export "holdback:channel/channel@1.0.0" (instance $i)))"#
    );
    wat::parse_str(text).expect("a component")
}

fn refused(bytes: &[u8]) -> String {
    match Host::new(config()).expect("a host").load(bytes, None) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_no_component_is_refused_with_what_was_found() {
    let text = |text: &str| wat::parse_str(text).expect("wasm");
    let rows = [
        (Vec::new(), "not WebAssembly: the file begins with nothing"),
        (
            b"MZ\x90\0\x03\0\0\0 and more".to_vec(),
            r"not WebAssembly: the file begins with `MZ\x90\x00\x03\x00\x00\x00`",
        ),
        (b"(component)".to_vec(), "not WebAssembly: the file begins with `(compone`"),
        (text("(module)"), "a core module; a component is expected"),
        (text("(component)"), "exports nothing; `holdback:channel/channel@1.0.0` (a notifier)"),
        (importing("wasi:cli/stdout@0.2.0"), "imports `wasi:cli/stdout@0.2.0`; a component may import"),
        (importing("evil:all/things"), "imports `evil:all/things`; a component may import"),
        (
            importing("holdback:channel/files@1.0.0"),
            "imports `holdback:channel/files@1.0.0`; a component may import",
        ),
        (
            importing("holdback:channel/log@9.0.0"),
            "speaks `holdback:channel/log@9.0.0`; this host speaks version 1.0.0",
        ),
        (
            text(r#"(component (instance $i) (export "holdback:channel/channel@9.0.0" (instance $i)))"#),
            "speaks `holdback:channel/channel@9.0.0`; this host speaks version 1.0.0",
        ),
        (
            text(
                r#"(component (instance $i) (export "holdback:channel/channel@1.0.0" (instance $i))
                    (export "holdback:channel/escalation@1.0.0" (instance $i)))"#,
            ),
            "exports both `channel` and `escalation`",
        ),
        (
            text(r#"(component (instance $i) (export "holdback:channel/channel@1.0.0" (instance $i)))"#),
            "the component could not be started",
        ),
        (
            // memory64 is one of the things that are switched off.
            text(
                r#"(component (core module (memory i64 1)) (instance $i)
                    (export "holdback:channel/channel@1.0.0" (instance $i)))"#,
            ),
            "does not compile",
        ),
    ];
    for (bytes, expected) in rows {
        let told = refused(&bytes);
        assert!(told.starts_with(expected), "{expected}\n  was expected, not\n{told}");
    }
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    let whole = honest();
    let host = Host::new(config()).expect("a host");
    for end in (0..whole.len()).step_by(whole.len() / 60) {
        assert!(host.load(&whole[..end], None).is_err(), "cut at {end}");
    }
}

#[test]
fn a_file_with_a_flipped_bit_never_panics() {
    let whole = honest();
    for place in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        let _ = inspect(&bytes, 1 << 20);
    }
}

#[test]
fn a_large_file_is_refused_by_its_size() {
    let limits = Limits { component: 1_000, ..Limits::default() };
    let host = Host::new(HostConfig { limits, ..config() }).expect("a host");
    let told = host.load(&honest(), None).err().map(|error| error.to_string()).expect("a refusal");
    assert!(told.ends_with("a component may have 1000"), "{told}");
}

#[test]
fn compiled_code_is_never_taken_from_a_file() {
    let compiled = Compiler::Here.compile(&honest(), crate::sandbox::Kind { fuel: false }).expect("code");
    assert!(refused(&compiled).starts_with("a compiled .cwasm file"));
}

#[test]
fn a_module_without_the_interface_s_functions_is_no_component() {
    let made = std::panic::catch_unwind(|| component(&wat::parse_str("(module)").expect("wasm")));
    assert!(made.is_err());
}
