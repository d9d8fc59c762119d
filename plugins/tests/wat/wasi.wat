;; A component that wants to write to the process's standard output, as one does that was built for WASI.
(component
  (import "wasi:cli/stdout@0.2.0" (instance
    (export "output-stream" (type (sub resource)))
    (export "get-stdout" (func (result (own 0)))))))
