/* Notices to a custom robot of a DingTalk group, as markdown, in the security mode that signs: ../dingtalk in C. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

/* What the robot takes, what a list of messages has room for, and what an operator wants to read of somebody else's message, in bytes. */
#define MARKDOWN 20000
#define TITLE 200
#define REASON 500

#define ORIGIN TEXT("https://oapi.dingtalk.com")
#define TOKEN TEXT("token")
#define SIGNING TEXT("signing")

typedef holdback_channel_types_part_t part;
typedef holdback_channel_types_list_part_t parts;
typedef holdback_channel_types_contact_t contact;
typedef holdback_channel_types_outcome_t outcome;
typedef exports_holdback_channel_channel_delivery_t delivery;
typedef holdback_channel_types_http_response_t http_response;

static void *all(size_t size)
{
    void *block = malloc(size);
    if (block == NULL)
        abort();
    return memset(block, 0, size);
}

static part text_part(string text)
{
    return (part){.tag = HOLDBACK_CHANNEL_TYPES_PART_TEXT, .val.text = text};
}

static part secret_part(string slot)
{
    return (part){.tag = HOLDBACK_CHANNEL_TYPES_PART_SECRET, .val.secret = slot};
}

static parts only(part one)
{
    part *list = all(sizeof *list);
    *list = one;
    return (parts){list, 1};
}

/* What is there and not empty. */
static string given(notifier_option_string_t text)
{
    return text.is_some ? text.val : TEXT("");
}

static bool chinese(string locale)
{
    return equal(locale, TEXT("zh")) || (locale.len >= 3 && memcmp(locale.ptr, "zh-", 3) == 0);
}

static string about(const delivery *of)
{
    static const struct {
        const char *code, *zh, *en;
    } known[] = {
        {"escalated", "升级", "escalated"},
        {"breached", "违约", "breached"},
        {"penalised", "扣款", "penalised"},
        {"reversed", "冲回", "reversed"},
        {"closed", "结算", "closed"},
        {"stopped", "停止核算", "stopped"},
        {"deposit_low", "保证金不足", "deposit low"},
        {"deposit_exhausted", "保证金用尽", "deposit exhausted"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (equal(of->notice.about, (string){(uint8_t *)known[i].code, strlen(known[i].code)})) {
            const char *word = chinese(of->locale) ? known[i].zh : known[i].en;
            return (string){(uint8_t *)word, strlen(word)};
        }
    }
    return of->notice.about;
}

static string level(const delivery *of)
{
    bool zh = chinese(of->locale);
    switch (of->level) {
    case HOLDBACK_CHANNEL_TYPES_LEVEL_INFO: return zh ? TEXT("提示") : TEXT("Info");
    case HOLDBACK_CHANNEL_TYPES_LEVEL_WARNING: return zh ? TEXT("预警") : TEXT("Warning");
    default: return zh ? TEXT("严重") : TEXT("Critical");
    }
}

static string headline(const delivery *of)
{
    bool zh = chinese(of->locale);
    buffer line = {0};
    put(&line, zh ? TEXT("【") : TEXT(""));
    put(&line, level(of));
    put(&line, zh ? TEXT("】") : TEXT(": "));
    put_line(&line, of->title.len ? of->title : about(of));
    return finish(&line);
}

static string names(const delivery *of)
{
    buffer names = {0};
    for (size_t i = 0; i < of->to.len; i++) {
        if (names.len)
            put(&names, chinese(of->locale) ? TEXT("、") : TEXT(", "));
        put(&names, of->to.ptr[i].name);
    }
    return finish(&names);
}

static void lines(buffer *markdown, const delivery *of)
{
    bool zh = chinese(of->locale);
    const struct {
        string label, value;
    } all[] = {
        {zh ? TEXT("级别") : TEXT("Level"), level(of)},
        {zh ? TEXT("事件") : TEXT("Event"), about(of)},
        {zh ? TEXT("合同") : TEXT("Contract"), of->notice.contract},
        {zh ? TEXT("工单") : TEXT("Ticket"), given(of->notice.ticket)},
        {zh ? TEXT("事项") : TEXT("Subject"), given(of->notice.subject)},
        {zh ? TEXT("条款") : TEXT("Clause"), given(of->notice.clause)},
        {zh ? TEXT("时限") : TEXT("Clock"), given(of->notice.clock)},
        {zh ? TEXT("应于") : TEXT("Due"), given(of->notice.due)},
        {zh ? TEXT("金额") : TEXT("Amount"), of->notice.amount.is_some ? of->notice.amount.val.text : TEXT("")},
        {zh ? TEXT("发生") : TEXT("At"), of->notice.at},
        {zh ? TEXT("角色") : TEXT("Role"), of->notice.role},
        {zh ? TEXT("通知") : TEXT("To"), names(of)},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].value.len == 0)
            continue;
        put(markdown, TEXT("\n- "));
        put(markdown, all[i].label);
        put(markdown, zh ? TEXT("：") : TEXT(": "));
        put_escaped(markdown, all[i].value);
    }
}

/* A phone as the robot knows it: without the country, if that is China. Empty if there is none. */
static string mobile(const contact *of)
{
    string phone = given(of->phone);
    if (phone.len >= 3 && memcmp(phone.ptr, "+86", 3) == 0)
        return (string){phone.ptr + 3, phone.len - 3};
    return phone;
}

static bool has_mobile(const contact *of)
{
    return given(of->phone).len > 0;
}

/* Who is called: phones into one list, the handles of those without a phone into the other, all of them into the text. */
static void mentions(const delivery *of, buffer *mobiles, buffer *users, buffer *text)
{
    for (int handles = 0; handles < 2; handles++) {
        buffer *list = handles ? users : mobiles;
        for (size_t i = 0; i < of->to.len; i++) {
            const contact *one = &of->to.ptr[i];
            if (has_mobile(one) == (handles == 1) || (handles && !one->handle.is_some))
                continue;
            string called = handles ? one->handle.val : mobile(one);
            put_byte(list, list->len ? ',' : '[');
            put_quoted(list, called);
            put(text, text->len ? TEXT(" @") : TEXT("\n\n@"));
            put(text, called);
        }
        put(list, list->len ? TEXT("]") : TEXT("[]"));
    }
}

static string body(const delivery *of)
{
    string line = headline(of);
    buffer markdown = {0}, mobiles = {0}, users = {0}, called = {0};
    put(&markdown, TEXT("#### "));
    put_escaped(&markdown, line);
    put(&markdown, TEXT("\n\n"));
    put_escaped(&markdown, of->notice.text);
    put(&markdown, TEXT("\n"));
    lines(&markdown, of);
    mentions(of, &mobiles, &users, &called);

    /* Who is called has to stand in the text as well, so room for that is kept. */
    buffer fitting = {0};
    put(&fitting, cut(finish(&markdown), called.len > MARKDOWN ? 0 : MARKDOWN - called.len));
    put(&fitting, finish(&called));

    buffer json = {0};
    put(&json, TEXT("{\"msgtype\":\"markdown\",\"markdown\":{\"title\":"));
    put_quoted(&json, cut(line, TITLE));
    put(&json, TEXT(",\"text\":"));
    put_quoted(&json, cut(finish(&fitting), MARKDOWN));
    put(&json, TEXT("},\"at\":{\"atMobiles\":"));
    put(&json, finish(&mobiles));
    put(&json, TEXT(",\"atUserIds\":"));
    put(&json, finish(&users));
    put(&json, TEXT(",\"isAtAll\":false}}"));
    return finish(&json);
}

static string refused(const holdback_channel_signing_refusal_t *refusal)
{
    buffer why = {0};
    switch (refusal->tag) {
    case HOLDBACK_CHANNEL_SIGNING_REFUSAL_NO_SECRET_IN_KEY:
        return TEXT("the key holds no secret");
    case HOLDBACK_CHANNEL_SIGNING_REFUSAL_UNKNOWN_SECRET:
        put(&why, TEXT("no secret in slot `"));
        put(&why, refusal->val.unknown_secret);
        put(&why, TEXT("`"));
        return finish(&why);
    case HOLDBACK_CHANNEL_SIGNING_REFUSAL_TOO_MUCH:
        return TEXT("more is signed than a call may ask for");
    default:
        put(&why, TEXT("the key does not fit: "));
        put(&why, refusal->val.unfit_key);
        return finish(&why);
    }
}

void exports_holdback_channel_channel_describe(exports_holdback_channel_channel_description_t *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->name = TEXT("dingtalk-c");
    ret->version = TEXT("1.0.0");
    ret->about = TEXT("A custom robot of a DingTalk group, signed; the channel in C.");

    ret->wants.ptr = all(sizeof *ret->wants.ptr);
    ret->wants.len = 1;
    ret->wants.ptr[0].tag = HOLDBACK_CHANNEL_TYPES_HOST_REQUEST_ORIGIN;
    ret->wants.ptr[0].val.origin = ORIGIN;

    ret->secrets.ptr = all(2 * sizeof *ret->secrets.ptr);
    ret->secrets.len = 2;
    ret->secrets.ptr[0].name = TOKEN;
    ret->secrets.ptr[0].about = TEXT("The access_token at the end of the robot's webhook URL.");
    ret->secrets.ptr[1].name = SIGNING;
    ret->secrets.ptr[1].about = TEXT("The secret that the robot's security settings show for signing: it begins with SEC.");
    for (size_t i = 0; i < ret->secrets.len; i++) {
        ret->secrets.ptr[i].encoding.tag = HOLDBACK_CHANNEL_TYPES_SECRET_ENCODING_TEXT;
        ret->secrets.ptr[i].required = true;
    }

    ret->per_minute = (notifier_option_u32_t){true, 20};
    ret->idempotency = HOLDBACK_CHANNEL_TYPES_IDEMPOTENCY_NONE;
    ret->supports.ptr = all(sizeof *ret->supports.ptr);
    ret->supports.len = 1;
    ret->supports.ptr[0] = TEXT("mention");
}

bool exports_holdback_channel_channel_render(exports_holdback_channel_channel_delivery_t *of,
                                             exports_holdback_channel_channel_request_t *ret, notifier_string_t *err)
{
    buffer timestamp = {0}, first = {0}, sign = {0};
    put_unsigned(&timestamp, of->now_ms);
    put(&first, finish(&timestamp));
    put(&first, TEXT("\n"));

    /* The secret is both the key and the end of what is signed. */
    holdback_channel_signing_part_t key_parts[] = {secret_part(SIGNING)};
    holdback_channel_signing_key_t key = {
        .algorithm = HOLDBACK_CHANNEL_SIGNING_ALGORITHM_HMAC_SHA256,
        .parts = {key_parts, 1},
    };
    holdback_channel_signing_part_t message_parts[] = {text_part(finish(&first)), secret_part(SIGNING)};
    holdback_channel_signing_list_part_t message = {message_parts, 2};
    notifier_list_u8_t signature;
    holdback_channel_signing_refusal_t refusal;
    if (!holdback_channel_signing_sign(&key, &message, &signature, &refusal)) {
        *err = refused(&refusal);
        return false;
    }
    put_base64(&sign, signature.ptr, signature.len);

    memset(ret, 0, sizeof *ret);
    ret->tag = HOLDBACK_CHANNEL_TYPES_REQUEST_HTTP;
    holdback_channel_types_http_request_t *http = &ret->val.http;
    http->method = HOLDBACK_CHANNEL_TYPES_METHOD_POST;
    http->origin = ORIGIN;
    http->path = only(text_part(TEXT("/robot/send")));
    http->query.ptr = all(3 * sizeof *http->query.ptr);
    http->query.len = 3;
    http->query.ptr[0] = (holdback_channel_types_query_item_t){TEXT("access_token"), only(secret_part(TOKEN))};
    http->query.ptr[1] = (holdback_channel_types_query_item_t){TEXT("timestamp"), only(text_part(finish(&timestamp)))};
    http->query.ptr[2] = (holdback_channel_types_query_item_t){TEXT("sign"), only(text_part(finish(&sign)))};
    http->headers.ptr = all(sizeof *http->headers.ptr);
    http->headers.len = 1;
    http->headers.ptr[0] = (holdback_channel_types_header_t){
        TEXT("content-type"), only(text_part(TEXT("application/json; charset=utf-8")))};
    http->body = only(text_part(body(of)));
    return true;
}

/* The milliseconds of a retry-after in seconds; a date is passed over. */
static notifier_option_u64_t retry_after(const http_response *response)
{
    const notifier_option_u64_t none = {0};
    for (size_t i = 0; i < response->headers.len; i++) {
        if (!equal(response->headers.ptr[i].name, TEXT("retry-after")))
            continue;
        string value = response->headers.ptr[i].value;
        while (value.len && (*value.ptr == ' ' || *value.ptr == '\t'))
            value = (string){value.ptr + 1, value.len - 1};
        while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
            value.len--;
        uint64_t seconds = 0;
        for (size_t j = 0; j < value.len; j++) {
            uint8_t digit = (uint8_t)(value.ptr[j] - '0');
            if (digit > 9 || seconds > (UINT64_MAX - digit) / 10)
                return none;
            seconds = seconds * 10 + digit;
        }
        if (value.len == 0 || seconds > UINT64_MAX / 1000)
            return none;
        return (notifier_option_u64_t){true, seconds * 1000};
    }
    return none;
}

static string status(uint16_t code, string after)
{
    buffer text = {0};
    put(&text, TEXT("status "));
    put_number(&text, code);
    put(&text, after);
    return finish(&text);
}

static string reason(const answer *said)
{
    buffer line = {0}, text = {0};
    put_line(&line, said->said);
    put(&text, TEXT("errcode "));
    put_number(&text, said->code);
    put(&text, TEXT(": "));
    put(&text, cut(finish(&line), REASON));
    return finish(&text);
}

static void judge_body(const http_response *response, outcome *ret)
{
    answer said;
    if (!read_answer(response->body, TEXT("errcode"), TEXT("errmsg"), &said) || !said.has_code) {
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_UNKNOWN;
        ret->val.unknown = (notifier_option_string_t){true, status(response->status, TEXT(" without an errcode"))};
    } else if (said.code == 0) {
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_DELIVERED;
    } else if (said.code == 130101) {
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_RATE_LIMITED;
    } else if (said.code == -1) {
        /* The system is busy. */
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_RETRY;
        ret->val.retry = reason(&said);
    } else {
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_PERMANENT;
        ret->val.permanent = reason(&said);
    }
}

void exports_holdback_channel_channel_judge(exports_holdback_channel_channel_delivery_t *of,
                                            exports_holdback_channel_channel_response_t *response, outcome *ret)
{
    (void)of;
    memset(ret, 0, sizeof *ret);
    if (response->tag != HOLDBACK_CHANNEL_TYPES_RESPONSE_HTTP) {
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_PERMANENT;
        ret->val.permanent = TEXT("a mail server's answer to a request over HTTP");
        return;
    }
    const http_response *http = &response->val.http;
    uint16_t code = http->status;
    if (code >= 200 && code < 300) {
        judge_body(http, ret);
    } else if (code == 429) {
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_RATE_LIMITED;
        ret->val.rate_limited = retry_after(http);
    } else if (code == 408 || (code >= 500 && code < 600)) {
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_RETRY;
        ret->val.retry = status(code, TEXT(""));
    } else {
        ret->tag = HOLDBACK_CHANNEL_TYPES_OUTCOME_PERMANENT;
        ret->val.permanent = status(code, TEXT(""));
    }
}

void exports_holdback_channel_channel_on_callback(exports_holdback_channel_channel_callback_t *callback,
                                                  exports_holdback_channel_channel_callback_outcome_t *ret)
{
    (void)callback;
    ret->tag = HOLDBACK_CHANNEL_TYPES_CALLBACK_OUTCOME_REJECT;
    ret->val.reject = TEXT("this channel takes no calls");
}
