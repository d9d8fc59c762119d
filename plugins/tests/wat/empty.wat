;; A component that is for no world: it imports nothing and exports nothing.
(component)
