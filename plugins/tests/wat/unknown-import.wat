;; A component that wants something of the host that no world offers.
(component
  (import "vendor:clocks/wall@1.0.0" (instance
    (export "now" (func (result u64))))))
