//! Guests of a few lines, written in wasm text: each is the world `notifier` with one function that misbehaves.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A guest whose `render` has this body: parameter `$delivery`, its result on the stack.
pub(crate) fn rendering(body: &str) -> Vec<u8> {
    with(body, "", "")
}

/// The same with more definitions.
pub(crate) fn with(render: &str, more: &str, judge: &str) -> Vec<u8> {
    let judge = if judge.is_empty() { "i32.const 400" } else { judge };
    let text = format!(
        r#"(module
  (import "holdback:channel/log@1.0.0" "write" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (global $heap (mut i32) (i32.const 8192))
  (data (i32.const 16) "wat1.0.0a guest of a few lines")
  ;; The description: name, version and about, and nothing else.
  (data (i32.const 64) "\10\00\00\00\03\00\00\00\13\00\00\00\05\00\00\00\18\00\00\00\16\00\00\00")
  ;; err("no"), as `render` gives it.
  (data (i32.const 256) "\01\00\00\00\80\01\00\00\02\00\00\00")
  ;; retry("no"), as `judge` gives it.
  (data (i32.const 384) "no\00\00\00\00\00\00")
  (data (i32.const 400) "\03\00\00\00\00\00\00\00\80\01\00\00\02\00\00\00")
  (func (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.set $heap (i32.add (local.get $at) (local.get $new)))
    (block $fits
      (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (drop (memory.grow (i32.add (i32.div_u (local.get $new) (i32.const 65536)) (i32.const 1)))))
    (local.get $at))
  (func (export "holdback:channel/channel@1.0.0#describe") (result i32) i32.const 64)
  (func $render (export "holdback:channel/channel@1.0.0#render") (param $delivery i32) (result i32)
    {render})
  (func (export "holdback:channel/channel@1.0.0#judge") (param i32) (result i32)
    {judge})
  (func (export "holdback:channel/channel@1.0.0#on-callback")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32) (result i32) unreachable)
  {more}
)"#
    );
    component(&wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}")))
}

/// A component of a core module that has the functions of world `notifier`.
pub(crate) fn component(module: &[u8]) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/wit");
    let (package, _) = resolve.push_path(wit).expect("the interface");
    let world = resolve.select_world(&[package], Some("notifier")).expect("a world");
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("types");
    let encoder = ComponentEncoder::default().module(&module).expect("a module of that world");
    encoder.validate(true).encode().unwrap_or_else(|error| panic!("{error:#}"))
}

/// Refuses to render, as an honest guest may.
pub(crate) fn honest() -> Vec<u8> {
    rendering("i32.const 256")
}

pub(crate) fn endless() -> Vec<u8> {
    rendering("(loop $on (br $on)) unreachable")
}
