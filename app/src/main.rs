//! The program `holdback`.

use std::process::ExitCode;

fn main() -> ExitCode {
    holdback_cli::main()
}
