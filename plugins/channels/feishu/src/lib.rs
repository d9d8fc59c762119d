//! Notices to a custom bot of a Feishu or Lark group (飞书自定义机器人), as a post, in the security mode that signs.
//!
//! The status proves nothing here: what counts is `code` in the body.

use holdback_channel::json::{self, Json, Object};
use holdback_channel::signing::{self, Algorithm, Key};
use holdback_channel::types::{
    Callback, CallbackOutcome, Delivery, Description, HostRequest, HttpRequest, HttpResponse, Method,
    Outcome, Part, Request, Response, SecretEncoding, SecretSlot, Setting, SettingKind,
};
use holdback_channel::{
    Channel, base64, cut, described, header, no_callbacks, retry_after, setting, standard_webhooks, text,
    unlike, words,
};

const FEISHU: &str = "https://open.feishu.cn";
const LARK: &str = "https://open.larksuite.com";
const TOKEN: &str = "token";
const SIGNING: &str = "signing";
/// What the bot takes, in bytes of the whole body.
const BODY: usize = 20_000;
/// Shows where a sentence was cut.
const MARK: &str = "…";
/// What a title and one line have room for, in bytes.
const TITLE: usize = 200;
const LINE: usize = 500;
/// More people than this are not called by one message.
const MENTIONS: usize = 20;

struct Feishu;

impl Channel for Feishu {
    fn describe() -> Description {
        Description {
            wants: vec![HostRequest::Origin(FEISHU.to_owned()), HostRequest::Origin(LARK.to_owned())],
            secrets: vec![
                SecretSlot {
                    name: TOKEN.to_owned(),
                    about: "The last piece of the bot's webhook URL, after /hook/.".to_owned(),
                    encoding: SecretEncoding::Text,
                    required: true,
                },
                SecretSlot {
                    name: SIGNING.to_owned(),
                    about: "The secret that the bot's security settings show for signing.".to_owned(),
                    encoding: SecretEncoding::Text,
                    required: true,
                },
            ],
            settings: vec![Setting {
                name: "site".to_owned(),
                about: "`feishu` (without this setting) or `lark`, where the group is.".to_owned(),
                kind: SettingKind::Text,
                required: false,
                example: Some("lark".to_owned()),
            }],
            per_minute: Some(100),
            supports: vec!["mention".to_owned()],
            ..described(
                "feishu",
                env!("CARGO_PKG_VERSION"),
                "A custom bot of a Feishu or Lark group, signed.",
            )
        }
    }

    fn render(delivery: Delivery) -> Result<Request, String> {
        let origin = match setting(&delivery, "site") {
            None | Some("feishu") => FEISHU,
            Some("lark") => LARK,
            Some(other) => return Err(format!("setting `site` is neither feishu nor lark: {other}")),
        };
        let timestamp = (delivery.now_ms / 1000).to_string();
        // Instant and secret together are the key; nothing is signed by it.
        let key = Key {
            algorithm: Algorithm::HmacSha256,
            parts: vec![Part::Text(format!("{timestamp}\n")), Part::Secret(SIGNING.to_owned())],
            derive: Vec::new(),
        };
        let sign = signing::sign(&key, &[]).map_err(|refusal| standard_webhooks::refused(&refusal))?;
        Ok(Request::Http(HttpRequest {
            method: Method::Post,
            origin: origin.to_owned(),
            path: vec![Part::Text("/open-apis/bot/v2/hook/".to_owned()), Part::Secret(TOKEN.to_owned())],
            query: Vec::new(),
            headers: vec![header("content-type", "application/json; charset=utf-8")],
            body: text(fitting(&delivery, &timestamp, &base64::encode(&sign))),
        }))
    }

    fn judge(_: Delivery, response: Response) -> Outcome {
        let Response::Http(response) = response else { return unlike(&response) };
        match response.status {
            429 => Outcome::RateLimited(retry_after(&response.headers)),
            status @ (408 | 500..=599) => Outcome::Retry(format!("status {status}")),
            // Some codes come with 400, so the body is read there too.
            200..=299 | 400..=499 => judge_body(&response),
            status => Outcome::Permanent(format!("status {status}")),
        }
    }

    fn on_callback(_: Callback) -> CallbackOutcome {
        no_callbacks()
    }
}

fn judge_body(response: &HttpResponse) -> Outcome {
    let status = response.status;
    let body = Json::parse(&response.body);
    let Some(code) = body.as_ref().and_then(|body| body.get("code")).and_then(Json::integer) else {
        return match status {
            400..=499 => Outcome::Permanent(format!("status {status}")),
            _ => Outcome::Unknown(Some(format!("status {status} without a code"))),
        };
    };
    let said = body.as_ref().and_then(|body| body.get("msg")).and_then(Json::text).unwrap_or("");
    match code {
        0 => Outcome::Delivered(None),
        11_232 => Outcome::RateLimited(None),
        _ => Outcome::Permanent(format!("code {code}: {}", cut(&words::one_line(said), LINE))),
    }
}

/// The body, its sentence cut until all of it fits. What counts are the bytes as they are escaped.
fn fitting(delivery: &Delivery, timestamp: &str, sign: &str) -> String {
    let sentence = delivery.notice.text.as_str();
    let whole = body(delivery, timestamp, sign, sentence);
    if whole.len() <= BODY {
        return whole;
    }
    let mut room = BODY.saturating_sub(body(delivery, timestamp, sign, MARK).len());
    let mut kept = String::new();
    let mut escaped = String::new();
    for letter in sentence.chars() {
        escaped.clear();
        json::quote(&mut escaped, letter.encode_utf8(&mut [0; 4]));
        // Without its quotes.
        let Some(left) = room.checked_sub(escaped.len() - 2) else { break };
        room = left;
        kept.push(letter);
    }
    kept.push_str(MARK);
    body(delivery, timestamp, sign, &kept)
}

fn body(delivery: &Delivery, timestamp: &str, sign: &str, sentence: &str) -> String {
    let line = |text: &str| Object::new().text("tag", "text").text("text", text);
    let mut paragraphs = vec![line(sentence)];
    for (label, value) in words::lines(delivery) {
        paragraphs.push(line(&format!(
            "{label}{}{}",
            words::colon(&delivery.locale),
            cut(&words::one_line(&value), LINE)
        )));
    }
    for handle in delivery.to.iter().filter_map(|to| to.handle.as_deref()).take(MENTIONS) {
        paragraphs.push(Object::new().text("tag", "at").text("user_id", &cut(handle, TITLE)));
    }
    let post = Object::new()
        .text("title", &cut(&words::headline(delivery), TITLE))
        .lists("content", paragraphs.into_iter().map(|paragraph| vec![paragraph]));
    let language = if words::chinese(&delivery.locale) { "zh_cn" } else { "en_us" };
    Object::new()
        .text("timestamp", timestamp)
        .text("sign", sign)
        .text("msg_type", "post")
        .object("content", Object::new().object("post", Object::new().object(language, post)))
        .finish()
}

holdback_channel::channel!(Feishu);
