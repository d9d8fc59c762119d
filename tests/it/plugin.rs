//! `holdback plugin` and the rendered notices of `holdback run`, as authors and operators use them.

#![expect(clippy::disallowed_methods, reason = "tests read and write what the program does")]

mod author;
mod notices;
mod operator;
mod refused;
mod sending;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder of the test's own, and a host's folder in it.
struct Desk(tempfile::TempDir);

/// How a command came out.
struct Came {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Desk {
        Desk(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, content).expect("written");
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdback"));
        command.args(args).current_dir(self.0.path()).env("HOLDBACK_HOME", self.path("home"));
        // What a guest needs is compiled once, not once a test run.
        command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests"));
        command.stdin(Stdio::null());
        command
    }

    fn holdback(&self, args: &[&str]) -> Came {
        Came::of(self.command(args).output().expect("the program runs"))
    }

    fn plugin(&self, args: &[&str]) -> Came {
        self.holdback(&[&["plugin"], args].concat())
    }
}

impl Came {
    fn of(output: Output) -> Came {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let came = Came { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!came.err.contains("panicked"), "{}", came.err);
        came
    }

    /// Came out so, and said all of this.
    #[track_caller]
    fn says(&self, code: i32, said: &[&str]) -> &Came {
        let told = format!("{}\n{}", self.out, self.err);
        assert_eq!(self.code, Some(code), "{told}");
        for said in said {
            assert!(told.contains(said), "`{said}` is missing in\n{told}");
        }
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// The shipped webhook's file.
fn webhook() -> Vec<u8> {
    std::fs::read(root().join("plugins/components/webhook.wasm")).expect("it ships")
}

/// The same component with one more custom section: other bytes, the same behaviour.
fn changed(mut wasm: Vec<u8>) -> Vec<u8> {
    wasm.extend([0, 5, 4, b'm', b'o', b'r', b'e']);
    wasm
}

/// A secret as a Standard Webhooks receiver gives it out.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
