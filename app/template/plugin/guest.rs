//! A channel for Holdback's notices: a JSON object, posted to the URL in the setting `url`.
//!
//! `render` makes the request, `judge` says what the answer means; the host sends. wit/channel.wit documents every type.

mod json;
mod url;

wit_bindgen::generate!({ path: "wit", world: "notifier" });

use exports::holdback::channel::channel::Guest;
use holdback::channel::types::{
    Callback, CallbackOutcome, Delivery, Description, Header, HostRequest, HttpRequest, Idempotency, Level, Method, Outcome, Part,
    QueryItem, Request, Response, SecretEncoding, SecretSlot, Setting, SettingKind,
};

/// The secret's slot. The host puts its content into the request after this component has returned.
const TOKEN: &str = "token";

struct Channel;

impl Guest for Channel {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            about: "JSON to any HTTP server.".to_owned(),
            // What is not asked for here can never be granted.
            wants: vec![HostRequest::Setting("url".to_owned())],
            secrets: vec![SecretSlot {
                name: TOKEN.to_owned(),
                about: "What the receiver knows this host by; sent as a bearer token.".to_owned(),
                encoding: SecretEncoding::Text,
                required: true,
            }],
            settings: vec![Setting {
                name: "url".to_owned(),
                about: "Where the receiver listens.".to_owned(),
                kind: SettingKind::Url,
                required: true,
                example: Some("https://hooks.example.com/in?team=1".to_owned()),
            }],
            per_minute: None,
            // The receiver is told the delivery's id, by which it can drop doubles.
            idempotency: Idempotency::Keyed,
            supports: Vec::new(),
        }
    }

    fn render(delivery: Delivery) -> Result<Request, String> {
        let setting = delivery.settings.iter().find(|setting| setting.name == "url");
        let url = url::parse(&setting.ok_or("setting `url` is missing")?.value)?;
        let text = |text: &str| vec![Part::Text(text.to_owned())];
        let header = |name: &str, value: Vec<Part>| Header { name: name.to_owned(), value };
        let token = vec![Part::Text("Bearer ".to_owned()), Part::Secret(TOKEN.to_owned())];
        Ok(Request::Http(HttpRequest {
            method: Method::Post,
            origin: url.origin,
            path: text(&url.path),
            query: url.query.iter().map(|(name, value)| QueryItem { name: name.clone(), value: text(value) }).collect(),
            headers: vec![
                header("content-type", text("application/json; charset=utf-8")),
                header("idempotency-key", text(&delivery.id)),
                header("authorization", token),
            ],
            body: text(&body(&delivery)),
        }))
    }

    fn judge(_: Delivery, response: Response) -> Outcome {
        let Response::Http(response) = response else {
            return Outcome::Permanent("a mail server's answer to a request over HTTP".to_owned());
        };
        let status = response.status;
        match status {
            200..=299 => Outcome::Delivered(None),
            429 => Outcome::RateLimited(None),
            408 | 500..=599 => Outcome::Retry(format!("status {status}")),
            _ => Outcome::Permanent(format!("status {status}")),
        }
    }

    fn on_callback(_: Callback) -> CallbackOutcome {
        CallbackOutcome::Reject("this channel takes no calls".to_owned())
    }
}

export!(Channel);

/// What is sent.
fn body(delivery: &Delivery) -> String {
    let notice = &delivery.notice;
    let level = match delivery.level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Critical => "critical",
    };
    let mut object = json::Object::default();
    object.text("title", &delivery.title);
    object.text("level", level);
    object.text("text", &notice.text);
    object.text("contract", &notice.contract);
    object.maybe("ticket", notice.ticket.as_deref());
    object.maybe("clause", notice.clause.as_deref());
    object.maybe("due", notice.due.as_deref());
    object.maybe("amount", notice.amount.as_ref().map(|amount| amount.text.as_str()));
    object.text("group", &delivery.dedup_key);
    object.finish()
}
