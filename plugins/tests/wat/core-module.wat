;; A core module: what a compiler makes, before it is a component. It holds even the right export, and is refused all the same.
(module
  (func (export "holdback:channel/channel@1.0.0#describe") (result i32)
    unreachable))
