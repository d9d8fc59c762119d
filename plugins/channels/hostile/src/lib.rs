//! A guest for the host's tests: by its setting `mode` it does what a guest must not be able to do.
//!
//! Without a mode it renders a valid request, so that a test can show that the host still serves the next call. It is never shipped.

use std::hint::black_box;

use holdback_channel::signing::{self, Algorithm, Key, Refusal};
use holdback_channel::types::{
    Callback, CallbackOutcome, Delivery, Description, HostRequest, HttpRequest, Level, Mail, Method, Outcome,
    Pair, Part, Request, Response, SecretEncoding, SecretSlot, Setting, SettingKind,
};
use holdback_channel::url::Url;
use holdback_channel::{base64, described, header, log, secret, setting, text};

#[allow(missing_docs)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "holdback:hostile/hostile",
        // Its own resource, to make handles of; all else is the notifier.
        inline: "
            package holdback:hostile;
            interface handles {
                resource handle {
                    constructor();
                }
            }
            world hostile {
                include holdback:channel/notifier@1.0.0;
                export handles;
            }
        ",
        with: {
            "holdback:channel/types@1.0.0": holdback_channel::types,
            "holdback:channel/log@1.0.0": holdback_channel::log,
            "holdback:channel/signing@1.0.0": holdback_channel::signing,
        },
    });
}

use bindings::exports::holdback::channel::channel::Guest;
use bindings::exports::holdback::hostile::handles;

struct Hostile;
struct Handle;

impl handles::Guest for Hostile {
    type Handle = Handle;
}

impl handles::GuestHandle for Handle {
    fn new() -> Handle {
        Handle
    }
}

/// Where it sends without a setting `url`.
const URL: &str = "https://hooks.example.test/in";
const TOKEN: &str = "token";
const SIGNING: &str = "signing";
/// The interface carries 1 MiB.
const MIB: usize = 1 << 20;

impl Guest for Hostile {
    fn describe() -> Description {
        let slot = |name: &str| SecretSlot {
            name: name.to_owned(),
            about: "Any text.".to_owned(),
            encoding: SecretEncoding::Text,
            required: false,
        };
        let setting = |name: &str, kind| Setting {
            name: name.to_owned(),
            about: "See the sources.".to_owned(),
            kind,
            required: false,
            example: None,
        };
        Description {
            wants: vec![HostRequest::Setting("url".to_owned()), HostRequest::Mail],
            // The third is for keys in base64, as Standard Webhooks have them.
            secrets: vec![
                slot(TOKEN),
                slot(SIGNING),
                SecretSlot { encoding: SecretEncoding::Base64(Some("whsec_".to_owned())), ..slot("webhook") },
            ],
            settings: vec![setting("mode", SettingKind::Text), setting("url", SettingKind::Url)],
            ..described(
                "hostile",
                env!("CARGO_PKG_VERSION"),
                "For tests: does what a guest must not be able to do.",
            )
        }
    }

    fn render(delivery: Delivery) -> Result<Request, String> {
        let valid = valid(&delivery)?;
        let http = |request: HttpRequest| Ok(Request::Http(request));
        match setting(&delivery, "mode").unwrap_or("") {
            "" => http(valid),

            // Never comes back.
            "loop" => loop {
                black_box(());
            },
            // Each log line is a call to the host; lines over the limit must not cost time without end.
            "log-flood" => loop {
                log::write(Level::Info, &"flood ".repeat(170));
            },
            // The host signs long messages: the time of the call must count the host's work.
            "sign-flood" => {
                let message = vec![Part::Bytes(vec![0; 512 << 10])];
                loop {
                    let _ = black_box(sign(secret(SIGNING), &message));
                }
            }
            // Allocates and touches, until there is no more.
            "memory" => {
                let mut held: Vec<Vec<u8>> = Vec::new();
                loop {
                    held.push(black_box(vec![1; 64 << 10]));
                }
            }
            // A table of handles that only grows.
            "handles" => loop {
                std::mem::forget(handles::Handle::new(Handle));
            },
            // Recursion that no optimiser unrolls.
            "stack" => http(HttpRequest { body: text(deep(1).to_string()), ..valid }),
            "trap" => core::arch::wasm32::unreachable(),
            // Well at first, broken when tried again.
            "trap-second" if delivery.attempt == 2 => core::arch::wasm32::unreachable(),
            "trap-second" => http(valid),

            // Answers over the interface's limits.
            "header-bomb" => {
                http(HttpRequest { headers: (0..100_000).map(|_| header("x", "y")).collect(), ..valid })
            }
            "huge-body" => http(HttpRequest { body: vec![Part::Bytes(vec![b'x'; 8 * MIB])], ..valid }),
            "huge-string" => http(HttpRequest { path: text(format!("/{}", "x".repeat(4 * MIB))), ..valid }),

            // Other places than the one that was granted, and other spellings of places.
            "foreign-host" => {
                http(HttpRequest { origin: "https://foreign.example.test".to_owned(), ..valid })
            }
            "absolute-path" => http(HttpRequest { path: text("http://evil.test/x"), ..valid }),
            "double-slash" => http(HttpRequest { path: text("//evil.test/x"), ..valid }),
            "userinfo" => http(HttpRequest { origin: format!("{}@evil.test", valid.origin), ..valid }),
            "origin-with-path" => http(HttpRequest { origin: format!("{}/x", valid.origin), ..valid }),
            "hex-address" => http(HttpRequest { origin: "http://0x7f000001".to_owned(), ..valid }),
            "decimal-address" => http(HttpRequest { origin: "http://2130706433".to_owned(), ..valid }),
            "mapped-v6" => http(HttpRequest { origin: "http://[::ffff:127.0.0.1]".to_owned(), ..valid }),

            // A second header, or the host's own.
            "crlf-header" => http(HttpRequest { headers: vec![header("x-a", "a\r\nx-b: b")], ..valid }),
            "host-header" => http(HttpRequest { headers: vec![header("Host", "evil.test")], ..valid }),

            // A second header in a mail, or a recipient outside of the grant.
            "crlf-subject" => Ok(Request::Mail(Mail {
                subject: "a\r\nBcc: victim@evil.test".to_owned(),
                ..mail(&delivery)
            })),
            "foreign-recipient" => {
                Ok(Request::Mail(Mail { to: vec!["victim@evil.test".to_owned()], ..mail(&delivery) }))
            }
            // The valid one.
            "mail" => Ok(Request::Mail(mail(&delivery))),

            // Signs with a key of its own choice; the body says what came of it.
            "no-secret-key" => http(HttpRequest { body: text(result(sign(text("guess"), &[]))), ..valid }),
            "unknown-secret" => {
                http(HttpRequest { body: text(result(sign(secret("undescribed"), &[]))), ..valid })
            }
            "unknown-secret-in-body" => http(HttpRequest { body: secret("undescribed"), ..valid }),
            // Allowed: the operator has granted both the secret and the host.
            "secret-in-body" => http(HttpRequest {
                body: vec![Part::Text("token=".to_owned()), Part::Secret(TOKEN.to_owned())],
                ..valid
            }),
            // The signature of parts from facts, for published vectors: `key.text`, `key.secret`, `message.text`,
            // `message.secret`, each as often as wanted, in their order.
            "sign-vector" => {
                let signature = sign(parts(&delivery.facts, "key"), &parts(&delivery.facts, "message"));
                http(HttpRequest { body: text(result(signature)), ..valid })
            }

            // The bits of NaNs that differ from machine to machine, unless the host makes them one.
            "nan" => {
                let zero = black_box(0.0_f64);
                let signalling = black_box(f64::from_bits(0xfff4_dead_beef_0001));
                let bits = format!("{:016x} {:016x}", (zero / zero).to_bits(), (signalling + 1.0).to_bits());
                http(HttpRequest { body: text(bits), ..valid })
            }
            // Only `judge` misbehaves.
            "bad-outcome" => http(valid),

            other => Err(format!("mode `{other}` is not known")),
        }
    }

    fn judge(delivery: Delivery, _: Response) -> Outcome {
        match setting(&delivery, "mode") {
            Some("bad-outcome") => Outcome::Permanent("x".repeat(MIB)),
            _ => Outcome::Delivered(None),
        }
    }

    fn on_callback(_: Callback) -> CallbackOutcome {
        CallbackOutcome::Ignore("for tests".to_owned())
    }
}

fn valid(delivery: &Delivery) -> Result<HttpRequest, String> {
    let url = Url::parse(setting(delivery, "url").unwrap_or(URL))?;
    Ok(HttpRequest {
        method: Method::Post,
        path: url.path_parts(),
        query: url.query_items(),
        origin: url.origin,
        headers: vec![header("content-type", "text/plain; charset=utf-8")],
        body: text(delivery.notice.text.as_str()),
    })
}

fn mail(delivery: &Delivery) -> Mail {
    Mail {
        to: delivery.to.iter().filter_map(|contact| contact.email.clone()).collect(),
        subject: delivery.title.clone(),
        text: delivery.notice.text.clone(),
        html: None,
        thread: None,
    }
}

fn sign(parts: Vec<Part>, message: &[Part]) -> Result<Vec<u8>, Refusal> {
    signing::sign(&Key { algorithm: Algorithm::HmacSha256, parts, derive: Vec::new() }, message)
}

fn result(signature: Result<Vec<u8>, Refusal>) -> String {
    match signature {
        Ok(bytes) => base64::encode(&bytes),
        Err(refusal) => format!("refused: {}", holdback_channel::standard_webhooks::refused(&refusal)),
    }
}

fn parts(facts: &[Pair], of: &str) -> Vec<Part> {
    facts
        .iter()
        .filter_map(|pair| match pair.name.strip_prefix(of)? {
            ".text" => Some(Part::Text(pair.value.clone())),
            ".secret" => Some(Part::Secret(pair.value.clone())),
            _ => None,
        })
        .collect()
}

#[expect(unconditional_recursion, reason = "that is the attack")]
fn deep(depth: u64) -> u64 {
    let frame = black_box([depth; 32]);
    black_box(deep(frame[0].wrapping_add(1))).wrapping_add(frame[31])
}

bindings::export!(Hostile with_types_in bindings);
