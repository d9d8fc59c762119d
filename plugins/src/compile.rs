//! Compiling, away from the host: a hostile component can make a compiler take all the time and memory there is.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use crate::sandbox::{Kind, compiling};
use crate::{CompileLimits, Limits};

/// Where components are compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// In a process of its own with [`CompileLimits`]: a program that calls [`compile_worker`] with the arguments that follow these.
    /// The program `holdback` is one, with the argument `compile-worker`.
    Child {
        /// The program.
        program: PathBuf,
        /// Its first arguments.
        args: Vec<OsString>,
        /// What it may take.
        limits: CompileLimits,
    },
    /// In this process, without limits: for components that you have built yourself, and for tests.
    Here,
}

/// Why a component was not compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// It is not valid, or uses what this host leaves out.
    #[error("does not compile: {0}")]
    Invalid(String),
    /// It took more than a compilation may.
    #[error("took more than compiling may take ({0})")]
    TooMuch(String),
    /// The compiler's process could not be run.
    #[error("the compiler `{program}` could not be run: {reason}")]
    Program {
        /// The program.
        program: String,
        /// What the system said.
        reason: String,
    },
}

impl Compiler {
    pub(crate) fn compile(&self, wasm: &[u8], kind: Kind) -> Result<Vec<u8>, CompileError> {
        match self {
            Compiler::Here => here(wasm, kind).map_err(CompileError::Invalid),
            Compiler::Child { program, args, limits } => {
                let mut command = Command::new(program);
                command.args(args).arg(limits.memory.to_string()).arg(limits.seconds.to_string());
                command.arg(if kind.fuel { "fuel" } else { "epochs" });
                child(command, wasm, limits)
            }
        }
    }
}

fn here(wasm: &[u8], kind: Kind) -> Result<Vec<u8>, String> {
    let engine = compiling(kind).map_err(|error| format!("{error:#}"))?;
    engine.precompile_component(wasm).map_err(|error| format!("{error:#}"))
}

fn child(mut command: Command, wasm: &[u8], limits: &CompileLimits) -> Result<Vec<u8>, CompileError> {
    let name = command.get_program().display().to_string();
    let program = |reason: String| CompileError::Program { program: name.clone(), reason };
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| program(error.to_string()))?;
    let (Some(mut stdin), Some(mut stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(program("no pipes".to_owned()));
    };
    let (told, done) = mpsc::channel();
    let run = std::thread::scope(|scope| {
        // A compiler that fails before it has read everything closes the pipe: its own words say why.
        scope.spawn(move || drop(stdin.write_all(wasm)));
        let words = scope.spawn(move || {
            let mut words = Vec::new();
            let _ = stderr.take(4 << 10).read_to_end(&mut words);
            String::from_utf8_lossy(&words).trim().to_owned()
        });
        scope.spawn(move || {
            let mut code = Vec::new();
            let read = stdout.read_to_end(&mut code).map(|_| code);
            let _ = told.send(read);
        });
        let code = done.recv_timeout(limits.outer);
        if code.is_err() {
            let _ = child.kill();
        }
        let status = child.wait();
        (code, status, words.join().unwrap_or_default())
    });
    match run {
        (Ok(Ok(code)), Ok(status), _) if status.success() => Ok(code),
        (Err(_), ..) => Err(CompileError::TooMuch(format!("{} s", limits.outer.as_secs()))),
        (Ok(Err(error)), ..) => Err(program(error.to_string())),
        (_, Err(error), _) => Err(program(error.to_string())),
        (_, Ok(status), words) => Err(match status.code() {
            Some(INVALID) => CompileError::Invalid(words),
            Some(UNUSABLE) => program(words),
            // Killed by the system, or out of memory, which ends a program without a code of its own.
            _ => {
                CompileError::TooMuch(format!("{} MiB, {} s; {status}", limits.memory >> 20, limits.seconds))
            }
        }),
    }
}

/// The component is not valid.
const INVALID: i32 = 3;
/// The worker was not asked as it should be.
const UNUSABLE: i32 = 4;

/// The compiler's process: takes a component on standard input and gives compiled code on standard output, within limits that it
/// sets on itself before it reads a byte. Gives back the exit code. For embedders whose own program is to be the
/// [`Compiler::Child`]: call it first thing, with the arguments that the host has added.
pub fn compile_worker(
    args: &[String],
    stdin: &mut dyn Read,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> u8 {
    let done = work(args, stdin).and_then(|code| {
        let io = |error: std::io::Error| (UNUSABLE, error.to_string());
        stdout.write_all(&code).map_err(io)?;
        stdout.flush().map_err(io)
    });
    match done {
        Ok(()) => 0,
        Err((code, reason)) => {
            let _ = writeln!(stderr, "{reason}");
            u8::try_from(code).unwrap_or(u8::MAX)
        }
    }
}

fn work(args: &[String], stdin: &mut dyn Read) -> Result<Vec<u8>, (i32, String)> {
    let usage = || (UNUSABLE, "expected: BYTES SECONDS fuel|epochs".to_owned());
    let [memory, seconds, kind] = args else { return Err(usage()) };
    let memory: u64 = memory.parse().map_err(|_| usage())?;
    let seconds: u64 = seconds.parse().map_err(|_| usage())?;
    let kind = match kind.as_str() {
        "fuel" => Kind { fuel: true },
        "epochs" => Kind { fuel: false },
        _ => return Err(usage()),
    };
    confine(memory, seconds).map_err(|error| (UNUSABLE, format!("limits cannot be set: {error}")))?;
    let mut wasm = Vec::new();
    let limit = Limits::default().component as u64;
    stdin.take(limit).read_to_end(&mut wasm).map_err(|error| (UNUSABLE, error.to_string()))?;
    here(&wasm, kind).map_err(|reason| (INVALID, reason))
}

/// Holds this process to so much memory and processor time, no core dump and no file.
#[cfg(unix)]
fn confine(memory: u64, seconds: u64) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let set = |resource, limit| {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })
            .map_err(std::io::Error::from)
    };
    set(Resource::As, memory)?;
    set(Resource::Cpu, seconds)?;
    set(Resource::Core, 0)?;
    set(Resource::Fsize, 0)
}

#[cfg(not(unix))]
fn confine(_: u64, _: u64) -> std::io::Result<()> {
    Ok(())
}
