;; A component for a version of the interface that does not exist yet.
(component
  (component $inner
    (import "describe" (func $describe (result string)))
    (export "describe" (func $describe)))
  (core module $code
    (memory (export "memory") 1)
    (func (export "describe") (result i32)
      unreachable)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      unreachable))
  (core instance $code (instantiate $code))
  (func $describe (result string)
    (canon lift
      (core func $code "describe")
      (memory $code "memory")
      (realloc (func $code "realloc"))))
  (instance $channel (instantiate $inner (with "describe" (func $describe))))
  (export "holdback:channel/channel@9.0.0" (instance $channel)))
