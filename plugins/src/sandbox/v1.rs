//! Version 1.0 of the interface: its bindings, and the way from and to [`crate::wire`]. A later version gets a file of its own beside
//! this one; what a component may do is decided below both, in `state.rs` and in [`crate::egress`].

use super::state::State;
use crate::wire;

/// World `notifier`.
pub(super) mod notifier {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "notifier",
        // What lives in the bindings is seen by this file alone.
        additional_derives: [PartialEq],
    });
}

/// World `escalator`, with the types of `notifier`.
pub(super) mod escalator {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "escalator",
        with: {
            "holdback:channel/types": super::notifier::holdback::channel::types,
            "holdback:channel/log": super::notifier::holdback::channel::log,
            "holdback:channel/signing": super::notifier::holdback::channel::signing,
        },
    });
}

use notifier::holdback::channel::{log, signing, types};

impl types::Host for State {}

impl log::Host for State {
    fn write(&mut self, level: types::Level, message: String) {
        self.lines.write(level.into(), &message);
    }
}

impl signing::Host for State {
    fn sign(&mut self, key: signing::Key, message: Vec<types::Part>) -> Result<Vec<u8>, signing::Refusal> {
        State::sign(self, &key.into(), &all(message)).map_err(Into::into)
    }

    fn verify(
        &mut self,
        key: signing::Key,
        message: Vec<types::Part>,
        signature: Vec<u8>,
    ) -> Result<bool, signing::Refusal> {
        State::verify(self, &key.into(), &all(message), &signature).map_err(Into::into)
    }
}

/// The same list in the other's types.
pub(super) fn all<A: Into<B>, B>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(Into::into).collect()
}

/// Records with the same fields, and variants with the same cases: the way from one to the other.
macro_rules! same {
    (enum $a:path, $b:path: $($case:ident),*) => {
        impl From<$a> for $b {
            fn from(from: $a) -> $b {
                match from { $(<$a>::$case => <$b>::$case),* }
            }
        }
    };
    (record $a:path, $b:path: $($field:ident),* $(; lists: $($list:ident),*)? $(; some: $($option:ident),*)?) => {
        impl From<$a> for $b {
            fn from(from: $a) -> $b {
                $b {
                    $($field: from.$field.into(),)*
                    $($($list: all(from.$list),)*)?
                    $($($option: from.$option.map(Into::into),)*)?
                }
            }
        }
    };
    (variant $a:path, $b:path: $($case:ident),*) => {
        impl From<$a> for $b {
            fn from(from: $a) -> $b {
                type A = $a;
                type B = $b;
                match from { $(A::$case(value) => B::$case(value.into()),)* }
            }
        }
    };
}

// To the component.
same!(enum wire::Level, types::Level: Info, Warning, Critical);
same!(record wire::Money, types::Money: minor, currency, text);
same!(record wire::Pair, types::Pair: name, value);
same!(record wire::Contact, types::Contact: name, email, phone, handle);
same!(record wire::Notice, types::Notice:
    id, contract, ticket, subject, about, role, at, clause, clock, due, text; some: amount);
same!(record wire::Delivery, types::Delivery:
    id, attempt, now_ms, deadline_ms, dedup_key, level, locale, title, notice; lists: to, settings, facts);
same!(record wire::HttpResponse, types::HttpResponse: status, body, truncated; lists: headers);
same!(record wire::MailResponse, types::MailResponse: code, lines);
same!(variant wire::Response, types::Response: Http, Mail);
same!(record wire::Callback, types::Callback: method, path, query, body, now_ms; lists: headers, settings);
same!(record wire::Ladder, types::Ladder:
    contract, ticket, clause, clock, now_ms, due_ms, breached, acknowledged_by, roles; lists: taken, contracted, settings);
same!(record wire::Step, types::Step: role, at_ms, level, text);

// From the component.
same!(enum types::Level, wire::Level: Info, Warning, Critical);
same!(record types::Step, wire::Step: role, at_ms, level, text);
same!(enum types::Method, wire::Method: Post, Put, Patch, Get);
same!(variant types::Part, wire::Part: Text, Bytes, Secret);
same!(record types::Header, wire::Field: name; lists: value);
same!(record types::QueryItem, wire::Field: name; lists: value);
same!(record types::HttpRequest, wire::HttpRequest: method, origin; lists: path, query, headers, body);
same!(record types::Mail, wire::Mail: to, subject, text, html, thread);
same!(variant types::Request, wire::Request: Http, Mail);
same!(variant types::Outcome, wire::Outcome: Delivered, Accepted, RateLimited, Retry, Permanent, Unknown);
same!(record types::Acknowledgement, wire::Acknowledgement: dedup_key, by);
same!(variant types::CallbackOutcome, wire::CallbackOutcome: Ack, Ignore, Reject);
same!(record types::SecretSlot, wire::SecretSlot: name, about, encoding, required);
same!(enum types::SettingKind, wire::SettingKind: Text, Url, Number, Flag);
same!(record types::Setting, wire::Setting: name, about, kind, required, example);
same!(enum types::Idempotency, wire::Idempotency: Keyed, None);
same!(record types::Description, wire::Description:
    name, version, about, per_minute, idempotency, supports; lists: wants, secrets, settings);
same!(enum signing::Algorithm, wire::Algorithm: HmacSha1, HmacSha256, HmacSha512, Ed25519);

impl From<types::SecretEncoding> for wire::SecretEncoding {
    fn from(from: types::SecretEncoding) -> wire::SecretEncoding {
        match from {
            types::SecretEncoding::Text => wire::SecretEncoding::Text,
            types::SecretEncoding::Base64(prefix) => wire::SecretEncoding::Base64(prefix),
        }
    }
}

impl From<types::HostRequest> for wire::Want {
    fn from(from: types::HostRequest) -> wire::Want {
        match from {
            types::HostRequest::Origin(origin) => wire::Want::Origin(origin),
            types::HostRequest::Setting(setting) => wire::Want::Setting(setting),
            types::HostRequest::Mail => wire::Want::Mail,
        }
    }
}

impl From<signing::Key> for wire::Key {
    fn from(from: signing::Key) -> wire::Key {
        let signing::Key { algorithm, parts, derive } = from;
        wire::Key {
            algorithm: algorithm.into(),
            parts: all(parts),
            derive: derive.into_iter().map(all).collect(),
        }
    }
}

impl From<wire::Refusal> for signing::Refusal {
    fn from(from: wire::Refusal) -> signing::Refusal {
        match from {
            wire::Refusal::NoSecretInKey => signing::Refusal::NoSecretInKey,
            wire::Refusal::UnknownSecret(name) => signing::Refusal::UnknownSecret(name),
            wire::Refusal::TooMuch => signing::Refusal::TooMuch,
            wire::Refusal::UnfitKey(reason) => signing::Refusal::UnfitKey(reason),
        }
    }
}
