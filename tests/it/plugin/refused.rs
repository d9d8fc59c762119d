//! What is no component for this host: refused with what was found and what was expected, by every command.

use super::{Desk, changed, webhook};

/// A component without exports that imports one instance.
fn importing(name: &str) -> Vec<u8> {
    let mut wasm = b"\0asm\x0d\0\x01\0".to_vec();
    // One type: an instance with nothing in it.
    wasm.extend([7, 3, 1, 0x42, 0]);
    let length = u8::try_from(name.len()).expect("short");
    wasm.extend([10, length + 5, 1, 0, length]);
    wasm.extend(name.as_bytes());
    wasm.extend([5, 0]);
    wasm
}

/// Some bytes with all of these replaced by as many others.
fn replaced(bytes: &[u8], these: &[u8], others: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        bytes.windows(these.len()).enumerate().filter(|(_, part)| *part == these).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "there are none of them");
    for at in places {
        bytes[at..at + these.len()].copy_from_slice(others);
    }
    bytes
}

#[test]
fn what_is_no_component_is_refused_with_what_was_found() {
    let desk = Desk::new();
    let whole = webhook();
    let newer = replaced(&whole, b"channel/channel@1.0.0", b"channel/channel@2.0.0");
    for (name, bytes, said) in [
        ("text.wasm", b"fn main() {}".to_vec(), &["not WebAssembly", "`fn main(`", "\\0asm"][..]),
        ("nothing.wasm", Vec::new(), &["begins with nothing"]),
        ("core.wasm", b"\0asm\x01\0\0\0".to_vec(), &["a core module", "a component is expected"]),
        ("half.wasm", whole[..whole.len() / 2].to_vec(), &["broken at byte"]),
        (
            "wasi.wasm",
            importing("wasi:cli/environment@0.2.0"),
            &["`wasi:cli/environment@0.2.0`", "brings no WASI"],
        ),
        ("other.wasm", importing("my:own/thing@1.0.0"), &["`my:own/thing@1.0.0`", "and nothing else"]),
        (
            "old.wasm",
            importing("holdback:channel/log@0.9.0"),
            &["speaks `holdback:channel/log@0.9.0`", "version 1.0.0"],
        ),
        ("newer.wasm", newer, &["speaks `holdback:channel/channel@2.0.0`", "version 1.0.0"]),
        (
            "bare.wasm",
            b"\0asm\x0d\0\x01\0".to_vec(),
            &["exports nothing", "a notifier", "an escalator", "expected"],
        ),
    ] {
        desk.write(name, bytes);
        desk.plugin(&["check", name]).says(1, said).says(1, &["refused: ", name]);
        desk.plugin(&["grant", name, "--yes"]).says(2, said);
        let answer = desk.plugin(&["check", name, "--format", "json"]).json();
        assert!(answer["refused"].as_str().is_some_and(|why| why.contains(said[0])), "{name}: {answer}");
    }
    assert!(!desk.path("home/grants.toml").exists(), "nothing was granted");
}

#[test]
fn a_file_that_is_too_large_is_refused_by_its_size() {
    let desk = Desk::new();
    let file = std::fs::File::create(desk.path("large.wasm")).expect("a file");
    file.set_len(200 << 20).expect("a sparse file");
    // Nothing of it is read: it would begin with zeros, which is told otherwise.
    desk.plugin(&["check", "large.wasm"])
        .says(1, &["the file has 209715200 bytes", "a component may have 33554432"]);
    desk.plugin(&["grant", "large.wasm", "--yes"]).says(2, &["209715200 bytes"]);
}

#[test]
fn compiled_code_is_never_taken() {
    let desk = Desk::new();
    desk.plugin(&["check", "webhook"]).says(0, &[]);
    let cached = std::fs::read_dir(desk.path("home/cache")).expect("a cache").flatten();
    let cached = cached.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "cwasm"));
    let cached = std::fs::read(cached.expect("compiled code")).expect("it can be read");
    // Behind its proof lies what the compiler gave.
    desk.write("mine.cwasm", &cached[32..]);
    desk.plugin(&["check", "mine.cwasm"]).says(1, &["a compiled .cwasm file", "only .wasm is taken"]);
    desk.write("mine.wasm", &cached[32..]);
    desk.plugin(&["grant", "mine.wasm", "--yes"]).says(2, &["a compiled .cwasm file"]);
}

#[test]
fn what_is_not_there_is_told_with_the_nearest_name() {
    let desk = Desk::new();
    for (name, said) in [
        ("webhok", "did you mean `webhook`?"),
        ("nothing-like-it", "expected `dingtalk`"),
        ("no/such.wasm", "no/such.wasm: no such file"),
    ] {
        for command in ["check", "test", "bench", "grant"] {
            desk.plugin(&[command, name]).says(2, &[said]);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_home_that_others_can_get_at_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    std::fs::create_dir(desk.path("home")).expect("a folder");
    std::fs::set_permissions(desk.path("home"), std::fs::Permissions::from_mode(0o755)).expect("opened");
    let home = desk.path("home");
    let home = home.to_str().expect("UTF-8");
    for args in
        [&["grant", "webhook", "--yes"][..], &["list", "--home", home], &["check", "webhook", "--home", home]]
    {
        desk.plugin(args).says(2, &["is open to others (mode 755", "chmod 700"]);
    }
    // What needs no folder goes on without one that nobody has named.
    desk.plugin(&["check", "webhook"]).says(0, &["note: ", "is open to others"]);
    std::fs::set_permissions(desk.path("home"), std::fs::Permissions::from_mode(0o700)).expect("closed");
    desk.plugin(&["list"]).says(0, &["webhook"]);
}

#[test]
fn only_signed_components_run_where_the_host_asks_for_signatures() {
    let desk = Desk::new();
    desk.write("mine.wasm", changed(webhook()));
    desk.plugin(&["list"]).says(0, &[]);
    desk.write("home/signers", "# us\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n");
    desk.plugin(&["grant", "mine.wasm", "--yes"]).says(2, &["not signed", "RWQf6LRCGA9i53"]);
    desk.write("mine.wasm.minisig", "untrusted comment: none\n");
    desk.plugin(&["grant", "mine.wasm", "--yes"]).says(2, &["no minisign signature"]);
    desk.plugin(&["check", "webhook"]).says(0, &["none; it ships with the program"]);
    desk.write("home/signers", "# nobody\n");
    desk.plugin(&["check", "mine.wasm", "--home", "home"]).says(2, &["signers: names no key"]);
}
