//! Notices to any HTTP server: CloudEvents 1.0 in structured mode, signed by Standard Webhooks.
//!
//! Retries carry the same body and the same `webhook-id`, signed anew, so that a receiver can drop doubles. A receiver that has
//! somebody take a notice on calls back with `{"type":"acknowledged","dedup_key":"...","by":"..."}`, signed by the same secret.

use holdback_channel::json::{Json, Object};
use holdback_channel::types::{
    Acknowledgement, Callback, CallbackOutcome, Contact, Delivery, Description, HostRequest, HttpRequest,
    Idempotency, Method, Outcome, Request, Response, SecretEncoding, SecretSlot, Setting, SettingKind,
};
use holdback_channel::url::{self, Url};
use holdback_channel::{
    Channel, described, flag, header, retry_after, setting, standard_webhooks, text, unlike, words,
};

const SIGNING: &str = "signing";
const ED25519: &str = "ed25519";

struct Webhook;

impl Channel for Webhook {
    fn describe() -> Description {
        Description {
            wants: vec![HostRequest::Setting("url".to_owned())],
            secrets: vec![
                SecretSlot {
                    name: SIGNING.to_owned(),
                    about: "The secret shared with the receiver (Standard Webhooks): whsec_ and 24 to 64 bytes in base64.".to_owned(),
                    encoding: SecretEncoding::Base64(Some("whsec_".to_owned())),
                    required: true,
                },
                SecretSlot {
                    name: ED25519.to_owned(),
                    about: "For setting `ed25519`: whsk_ and the seed of 32 bytes in base64. The receiver has the public key.".to_owned(),
                    encoding: SecretEncoding::Base64(Some("whsk_".to_owned())),
                    required: false,
                },
            ],
            settings: vec![
                Setting {
                    name: "url".to_owned(),
                    about: "Where the receiver listens.".to_owned(),
                    kind: SettingKind::Url,
                    required: true,
                    example: Some("https://hooks.example.com/holdback?team=1".to_owned()),
                },
                Setting {
                    name: "source".to_owned(),
                    about: "The `source` of the events, a URI reference. Without it: /contracts/ and the contract.".to_owned(),
                    kind: SettingKind::Text,
                    required: false,
                    example: Some("https://holdback.example.com/".to_owned()),
                },
                Setting {
                    name: "contacts".to_owned(),
                    about: "Give mail addresses and phone numbers to the receiver, not only names.".to_owned(),
                    kind: SettingKind::Flag,
                    required: false,
                    example: Some("true".to_owned()),
                },
                Setting {
                    name: "ed25519".to_owned(),
                    about: "Sign by ed25519 (v1a) as well, for receivers that are not to share a secret.".to_owned(),
                    kind: SettingKind::Flag,
                    required: false,
                    example: Some("true".to_owned()),
                },
            ],
            idempotency: Idempotency::Keyed,
            supports: vec!["acknowledge".to_owned()],
            ..described(
                "webhook",
                env!("CARGO_PKG_VERSION"),
                "CloudEvents 1.0 to any HTTP server, signed by Standard Webhooks.",
            )
        }
    }

    fn render(delivery: Delivery) -> Result<Request, String> {
        let url = Url::parse(setting(&delivery, "url").ok_or("setting `url` is missing")?)?;
        let body = event(&delivery)?;
        let ed25519 = flag(&delivery, "ed25519")?.then_some(ED25519);
        let mut headers = standard_webhooks::headers(&delivery.id, delivery.now_ms, &body, SIGNING, ed25519)
            .map_err(|refusal| standard_webhooks::refused(&refusal))?;
        headers.push(header("content-type", "application/cloudevents+json; charset=UTF-8"));
        Ok(Request::Http(HttpRequest {
            method: Method::Post,
            path: url.path_parts(),
            query: url.query_items(),
            origin: url.origin,
            headers,
            body: text(body),
        }))
    }

    fn judge(_: Delivery, response: Response) -> Outcome {
        let Response::Http(response) = response else { return unlike(&response) };
        let status = response.status;
        match status {
            200..=299 => Outcome::Delivered(None),
            300..=399 => Outcome::Permanent(format!("status {status}: a webhook is not redirected")),
            410 => Outcome::Permanent("status 410: the receiver wants no more".to_owned()),
            429 => Outcome::RateLimited(retry_after(&response.headers)),
            408 | 425 | 500..=599 => Outcome::Retry(format!("status {status}")),
            400..=499 => Outcome::Permanent(format!("status {status}")),
            _ => Outcome::Unknown(Some(format!("status {status} is none"))),
        }
    }

    fn on_callback(callback: Callback) -> CallbackOutcome {
        match acknowledged(&callback) {
            Ok(outcome) => outcome,
            Err(why) => CallbackOutcome::Reject(why),
        }
    }
}

/// The event. Nothing of the attempt is in it: a receiver may compare the bodies of doubles.
fn event(delivery: &Delivery) -> Result<String, String> {
    let notice = &delivery.notice;
    let contacts = flag(delivery, "contacts")?;
    let source = match setting(delivery, "source") {
        Some(source) => source.to_owned(),
        None => format!("/contracts/{}", url::encode(&notice.contract)),
    };
    let amount = notice.amount.as_ref().map(|amount| {
        Object::new()
            .number("minor", amount.minor)
            .text("currency", &amount.currency)
            .text("text", &amount.text)
    });
    let mut told = Object::new()
        .text("id", &notice.id)
        .text("contract", &notice.contract)
        .maybe("ticket", notice.ticket.as_deref())
        .maybe("subject", notice.subject.as_deref())
        .text("about", &notice.about)
        .text("role", &notice.role)
        .text("at", &notice.at)
        .maybe("clause", notice.clause.as_deref())
        .maybe("clock", notice.clock.as_deref())
        .maybe("due", notice.due.as_deref());
    if let Some(amount) = amount {
        told = told.object("amount", amount);
    }
    let facts = delivery.facts.iter().fold(Object::new(), |facts, fact| facts.text(&fact.name, &fact.value));
    let data = Object::new()
        .text("dedup_key", &delivery.dedup_key)
        .text("level", words::level_code(delivery.level))
        .text("locale", &delivery.locale)
        .text("title", &delivery.title)
        .object("notice", told.text("text", &notice.text))
        .objects("to", delivery.to.iter().map(|contact| person(contact, contacts)))
        .object("facts", facts);
    let event = Object::new()
        .text("specversion", "1.0")
        .text("id", &delivery.id)
        .text("source", &source)
        .text("type", &format!("holdback.notice.{}", notice.about))
        .maybe("subject", notice.ticket.as_deref().or(notice.subject.as_deref()))
        .text("time", &notice.at)
        .text("datacontenttype", "application/json")
        .object("data", data);
    Ok(event.finish())
}

fn person(contact: &Contact, addresses: bool) -> Object {
    let person = Object::new().text("name", &contact.name).maybe("handle", contact.handle.as_deref());
    if !addresses {
        return person;
    }
    person.maybe("email", contact.email.as_deref()).maybe("phone", contact.phone.as_deref())
}

/// Our own events come back with the right signature if somebody sends them here: their `type` is another, so nothing happens.
fn acknowledged(callback: &Callback) -> Result<CallbackOutcome, String> {
    if callback.method != "POST" {
        return Err("an acknowledgement is posted".to_owned());
    }
    standard_webhooks::verify(callback, SIGNING)?;
    let body = Json::parse(&callback.body).ok_or("signed, but no JSON")?;
    let kind = body.get("type").and_then(Json::text).ok_or("signed, but without `type`")?;
    if kind != "acknowledged" {
        return Ok(CallbackOutcome::Ignore(format!("nothing to do for `{kind}`")));
    }
    let dedup_key = body.get("dedup_key").and_then(Json::text).filter(|key| !key.is_empty());
    Ok(CallbackOutcome::Ack(Acknowledgement {
        dedup_key: dedup_key.ok_or("acknowledged, but without `dedup_key`")?.to_owned(),
        by: body.get("by").and_then(Json::text).map(str::to_owned),
    }))
}

holdback_channel::channel!(Webhook);
