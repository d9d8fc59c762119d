//! The host against components that mean it no good. `plugins/README.md` has the table: attack, defence, test.

#![expect(clippy::disallowed_methods, reason = "tests read and write files, and measure")]

mod attacks;
mod channels;
mod files;
mod guests;
mod home;
mod life;

use std::sync::Arc;
use std::time::Duration;

use crate::defence::{Defence, Defences};
use crate::wire::{Delivery, Level, Notice, Pair};
use crate::{Channel, Compiler, Fault, Host, HostConfig, Limits, Plugin, RenderError, Secrets};

pub(crate) fn config() -> HostConfig {
    HostConfig::new(Compiler::Here)
}

pub(crate) fn host_without(config: HostConfig, off: &[Defence]) -> Host {
    Host::with(config, Defences::without(off)).expect("a host")
}

/// A host with fuel for its brake, for attacks whose defence is switched off: without any brake they would not end.
pub(crate) fn braked(limits: Limits) -> Host {
    let fuel = Some(200_000_000);
    Host::new(HostConfig { limits, fuel, ..config() }).expect("a host")
}

pub(crate) fn delivery(settings: &[(&str, &str)]) -> Delivery {
    Delivery {
        id: "dlv_1".to_owned(),
        attempt: 1,
        now_ms: 1_767_323_045_000,
        deadline_ms: None,
        dedup_key: "key".to_owned(),
        level: Level::Warning,
        locale: "en".to_owned(),
        title: "T1: escalated".to_owned(),
        notice: Notice {
            id: "n1".to_owned(),
            contract: "school-2026".to_owned(),
            ticket: Some("T1".to_owned()),
            subject: None,
            about: "escalated".to_owned(),
            role: "service_manager".to_owned(),
            at: "2026-01-02T03:04:05Z".to_owned(),
            clause: Some("1.3".to_owned()),
            clock: Some("repair".to_owned()),
            due: Some("2026-01-02T03:04:05Z".to_owned()),
            amount: None,
            text: "the repair is due".to_owned(),
        },
        to: Vec::new(),
        settings: settings
            .iter()
            .map(|(name, value)| Pair { name: (*name).to_owned(), value: (*value).to_owned() })
            .collect(),
        facts: Vec::new(),
    }
}

pub(crate) fn channel(host: &Host, wasm: &[u8]) -> Channel {
    let plugin = load(host, wasm);
    host.rehearsal(&plugin, Secrets::none()).expect("a notifier")
}

pub(crate) fn load(host: &Host, wasm: &[u8]) -> Plugin {
    host.load(wasm, None).unwrap_or_else(|error| panic!("{error}"))
}

/// How a component fails to render.
pub(crate) fn fault(host: &Host, wasm: &[u8]) -> Fault {
    match channel(host, wasm).render(&delivery(&[])) {
        Err(RenderError::Fault(fault)) => fault,
        other => panic!("a fault was expected, not {other:?}"),
    }
}

pub(crate) fn short(limits: Limits) -> Limits {
    Limits { time: Duration::from_millis(50), ..limits }
}

pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(crate) type Shared<T> = Arc<std::sync::Mutex<T>>;
