;; A notifier whose `render` grows a table for ever: a store limit that counts memory alone does not see it.
;;
;; This is the core module. A test embeds the world `notifier` of plugins/wit in it (`wit_component::embed_component_metadata`) and makes a
;; component of it (`holdback_plugins::componentize::componentize`). Rust's compiler has no way to write `table.grow`.
(module
  (memory (export "memory") 1)
  (table $table 1 funcref)

  (data (i32.const 1024) "table-growth")
  (data (i32.const 1040) "1.0.0")
  (data (i32.const 1056) "For tests: grows a table.")
  ;; The description, in the canonical layout: three strings, then three empty lists.
  (data (i32.const 2048) "\00\04\00\00\0c\00\00\00" "\10\04\00\00\05\00\00\00" "\20\04\00\00\19\00\00\00")
  ;; At 48 `per-minute`: none. At 56 `idempotency`: none. At 60 `supports`: empty.
  (data (i32.const 2104) "\01")

  ;; Arguments are laid one after the other from the second half of the page on; a call is the instance's only one.
  (global $next (mut i32) (i32.const 32768))
  (func (export "cabi_realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (local $block i32)
    (local.set $block (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.set $next (i32.add (local.get $block) (local.get $size)))
    (local.get $block))

  (func (export "holdback:channel/channel@1.0.0#describe") (result i32)
    (i32.const 2048))

  (func (export "holdback:channel/channel@1.0.0#render") (param i32) (result i32)
    ;; Whether it grew or was refused, it is asked for more.
    (loop $again
      (drop (table.grow $table (ref.null func) (i32.const 65536)))
      (br $again))
    unreachable)

  (func (export "holdback:channel/channel@1.0.0#judge") (param i32) (result i32)
    unreachable)

  (func (export "holdback:channel/channel@1.0.0#on-callback")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32) (result i32)
    unreachable))
