//! The components that ship with the program.

/// A component that ships with the program: built from `plugins/channels`, and proved to be by `.ci/run`.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name.
    pub name: &'static str,
    /// Its file.
    pub wasm: &'static [u8],
}

/// All of them.
pub const SHIPPED: [Shipped; 5] = [
    Shipped { name: "dingtalk", wasm: include_bytes!("../components/dingtalk.wasm") },
    Shipped { name: "email", wasm: include_bytes!("../components/email.wasm") },
    Shipped { name: "feishu", wasm: include_bytes!("../components/feishu.wasm") },
    Shipped { name: "ladder", wasm: include_bytes!("../components/ladder.wasm") },
    Shipped { name: "webhook", wasm: include_bytes!("../components/webhook.wasm") },
];

/// The one of a name.
pub fn shipped(name: &str) -> Option<Shipped> {
    SHIPPED.into_iter().find(|shipped| shipped.name == name)
}
