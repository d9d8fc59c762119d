//! Notices to a custom robot of a DingTalk group (钉钉自定义机器人), as markdown, in the security mode that signs.
//!
//! The robot answers 200 whatever happens: what counts is `errcode` in the body. `../dingtalk-c` is the same channel in C and gives the
//! same bytes; a change here is a change there.

use holdback_channel::json::{Json, Object};
use holdback_channel::signing::{self, Algorithm, Key};
use holdback_channel::types::{
    Callback, CallbackOutcome, Contact, Delivery, Description, HostRequest, HttpRequest, HttpResponse,
    Method, Outcome, Part, QueryItem, Request, Response, SecretEncoding, SecretSlot,
};
use holdback_channel::{
    Channel, base64, cut, described, header, no_callbacks, query, retry_after, secret, standard_webhooks,
    text, unlike, words,
};

const ORIGIN: &str = "https://oapi.dingtalk.com";
const TOKEN: &str = "token";
const SIGNING: &str = "signing";
/// What the robot takes, in bytes.
const TEXT: usize = 20_000;
/// What a list of messages has room for, in bytes.
const TITLE: usize = 200;
/// What an operator wants to read of somebody else's message, in bytes.
const REASON: usize = 500;

struct Dingtalk;

impl Channel for Dingtalk {
    fn describe() -> Description {
        Description {
            wants: vec![HostRequest::Origin(ORIGIN.to_owned())],
            secrets: vec![
                SecretSlot {
                    name: TOKEN.to_owned(),
                    about: "The access_token at the end of the robot's webhook URL.".to_owned(),
                    encoding: SecretEncoding::Text,
                    required: true,
                },
                SecretSlot {
                    name: SIGNING.to_owned(),
                    about:
                        "The secret that the robot's security settings show for signing: it begins with SEC."
                            .to_owned(),
                    encoding: SecretEncoding::Text,
                    required: true,
                },
            ],
            per_minute: Some(20),
            supports: vec!["mention".to_owned()],
            ..described("dingtalk", env!("CARGO_PKG_VERSION"), "A custom robot of a DingTalk group, signed.")
        }
    }

    fn render(delivery: Delivery) -> Result<Request, String> {
        let timestamp = delivery.now_ms.to_string();
        // The secret is both the key and the end of what is signed.
        let key = Key { algorithm: Algorithm::HmacSha256, parts: secret(SIGNING), derive: Vec::new() };
        let message = [Part::Text(format!("{timestamp}\n")), Part::Secret(SIGNING.to_owned())];
        let sign = signing::sign(&key, &message).map_err(|refusal| standard_webhooks::refused(&refusal))?;
        Ok(Request::Http(HttpRequest {
            method: Method::Post,
            origin: ORIGIN.to_owned(),
            path: text("/robot/send"),
            query: vec![
                QueryItem { name: "access_token".to_owned(), value: secret(TOKEN) },
                query("timestamp", timestamp),
                query("sign", base64::encode(&sign)),
            ],
            headers: vec![header("content-type", "application/json; charset=utf-8")],
            body: text(body(&delivery)),
        }))
    }

    fn judge(_: Delivery, response: Response) -> Outcome {
        let Response::Http(response) = response else { return unlike(&response) };
        match response.status {
            200..=299 => judge_body(&response),
            429 => Outcome::RateLimited(retry_after(&response.headers)),
            status @ (408 | 500..=599) => Outcome::Retry(format!("status {status}")),
            status => Outcome::Permanent(format!("status {status}")),
        }
    }

    fn on_callback(_: Callback) -> CallbackOutcome {
        no_callbacks()
    }
}

fn judge_body(response: &HttpResponse) -> Outcome {
    let body = Json::parse(&response.body);
    let Some(code) = body.as_ref().and_then(|body| body.get("errcode")).and_then(Json::integer) else {
        return Outcome::Unknown(Some(format!("status {} without an errcode", response.status)));
    };
    let said = body.as_ref().and_then(|body| body.get("errmsg")).and_then(Json::text).unwrap_or("");
    let reason = || format!("errcode {code}: {}", cut(&words::one_line(said), REASON));
    match code {
        0 => Outcome::Delivered(None),
        130_101 => Outcome::RateLimited(None),
        // The system is busy.
        -1 => Outcome::Retry(reason()),
        _ => Outcome::Permanent(reason()),
    }
}

fn body(delivery: &Delivery) -> String {
    let headline = words::headline(delivery);
    let mut markdown = format!("#### {}\n\n{}\n", escaped(&headline), escaped(&delivery.notice.text));
    for (label, value) in words::lines(delivery) {
        markdown.push_str(&format!("\n- {label}{}{}", words::colon(&delivery.locale), escaped(&value)));
    }
    let mobiles: Vec<&str> = delivery.to.iter().filter_map(mobile).collect();
    let users: Vec<&str> =
        delivery.to.iter().filter(|to| mobile(to).is_none()).filter_map(|to| to.handle.as_deref()).collect();
    // Who is called has to stand in the text as well, so room for that is kept.
    let mut mentions = String::new();
    for called in mobiles.iter().chain(&users) {
        mentions.push_str(if mentions.is_empty() { "\n\n@" } else { " @" });
        mentions.push_str(called);
    }
    let mut markdown = cut(&markdown, TEXT.saturating_sub(mentions.len())).into_owned();
    markdown.push_str(&mentions);
    Object::new()
        .text("msgtype", "markdown")
        .object(
            "markdown",
            Object::new().text("title", &cut(&headline, TITLE)).text("text", &cut(&markdown, TEXT)),
        )
        .object(
            "at",
            Object::new().texts("atMobiles", mobiles).texts("atUserIds", users).flag("isAtAll", false),
        )
        .finish()
}

/// A phone as the robot knows it: without the country, if that is China.
fn mobile(contact: &Contact) -> Option<&str> {
    let phone = contact.phone.as_deref().filter(|phone| !phone.is_empty())?;
    Some(phone.strip_prefix("+86").unwrap_or(phone))
}

/// Nothing of a notice is to be read as markdown, or as a second line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            letter if letter.is_ascii_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

holdback_channel::channel!(Dingtalk);
