//! The checker over any clause file of a small pack.
#![no_main]

#[allow(dead_code, reason = "each target runs one of the bodies")]
#[path = "../bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::check(bytes));
