/* JSON, read in the little way this channel needs: all of it is checked, two members of the outer object are kept. */
#include "json.h"

#define LEVELS 32

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} reader;

/* What a value was, as far as it matters. */
typedef struct {
    enum { OTHER, NUMBER, STRING } kind;
    string number;
    buffer text;
} value;

static bool read_value(reader *in, int levels, value *into, answer *members, string code, string said);

static int peek(const reader *in)
{
    return in->at < in->end ? *in->at : -1;
}

static void space(reader *in)
{
    while (peek(in) == ' ' || peek(in) == '\n' || peek(in) == '\r' || peek(in) == '\t')
        in->at++;
}

static bool take(reader *in, string word)
{
    if ((size_t)(in->end - in->at) < word.len || !equal((string){(uint8_t *)in->at, word.len}, word))
        return false;
    in->at += word.len;
    return true;
}

static bool digits(reader *in)
{
    const uint8_t *start = in->at;
    while (peek(in) >= '0' && peek(in) <= '9')
        in->at++;
    return in->at > start;
}

static bool read_number(reader *in, string *number)
{
    const uint8_t *start = in->at;
    take(in, TEXT("-"));
    const uint8_t *whole = in->at;
    if (!digits(in) || (*whole == '0' && in->at > whole + 1))
        return false;
    if (take(in, TEXT(".")) && !digits(in))
        return false;
    if (peek(in) == 'e' || peek(in) == 'E') {
        in->at++;
        if (peek(in) == '+' || peek(in) == '-')
            in->at++;
        if (!digits(in))
            return false;
    }
    *number = (string){(uint8_t *)start, (size_t)(in->at - start)};
    return true;
}

static bool hex(reader *in, uint32_t *read)
{
    *read = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        int digit = peek(in);
        if (digit >= '0' && digit <= '9')
            digit -= '0';
        else if (digit >= 'a' && digit <= 'f')
            digit -= 'a' - 10;
        else if (digit >= 'A' && digit <= 'F')
            digit -= 'A' - 10;
        else
            return false;
        *read = *read << 4 | (uint32_t)digit;
    }
    return true;
}

/* What follows \u: a character, or both halves of one. Half a character is no text. */
static bool read_escape(reader *in, buffer *text)
{
    uint32_t letter, second;
    if (!hex(in, &letter))
        return false;
    if (letter >= 0xdc00 && letter < 0xe000)
        return false;
    if (letter >= 0xd800 && letter < 0xdc00) {
        if (!take(in, TEXT("\\u")) || !hex(in, &second) || second < 0xdc00 || second >= 0xe000)
            return false;
        letter = 0x10000 + ((letter - 0xd800) << 10) + (second - 0xdc00);
    }
    if (letter < 0x80) {
        put_byte(text, (uint8_t)letter);
        return true;
    }
    if (letter < 0x800) {
        put_byte(text, (uint8_t)(0xc0 | letter >> 6));
    } else {
        if (letter < 0x10000) {
            put_byte(text, (uint8_t)(0xe0 | letter >> 12));
        } else {
            put_byte(text, (uint8_t)(0xf0 | letter >> 18));
            put_byte(text, (uint8_t)(0x80 | (letter >> 12 & 0x3f)));
        }
        put_byte(text, (uint8_t)(0x80 | (letter >> 6 & 0x3f)));
    }
    put_byte(text, (uint8_t)(0x80 | (letter & 0x3f)));
    return true;
}

static bool read_string(reader *in, buffer *text)
{
    if (!take(in, TEXT("\"")))
        return false;
    for (;;) {
        int byte = peek(in);
        if (byte < 0x20)
            return false;
        in->at++;
        if (byte == '"')
            return true;
        if (byte != '\\') {
            put_byte(text, (uint8_t)byte);
            continue;
        }
        byte = peek(in);
        if (byte < 0)
            return false;
        in->at++;
        switch (byte) {
        case '"': case '\\': case '/': put_byte(text, (uint8_t)byte); break;
        case 'b': put_byte(text, '\b'); break;
        case 'f': put_byte(text, '\f'); break;
        case 'n': put_byte(text, '\n'); break;
        case 'r': put_byte(text, '\r'); break;
        case 't': put_byte(text, '\t'); break;
        case 'u':
            if (!read_escape(in, text))
                return false;
            break;
        default: return false;
        }
    }
}

/* A whole number that fits, written as one. */
static bool integer(string number, int64_t *read)
{
    bool negative = number.len > 0 && number.ptr[0] == '-';
    int64_t sum = 0;
    for (size_t i = negative; i < number.len; i++) {
        int digit = number.ptr[i] - '0';
        if (digit < 0 || digit > 9)
            return false;
        /* Counted downwards: the smallest number has no counterpart above. */
        if (sum < INT64_MIN / 10 || sum * 10 < INT64_MIN + digit)
            return false;
        sum = sum * 10 - digit;
    }
    if (!negative && sum == INT64_MIN)
        return false;
    *read = negative ? sum : -sum;
    return true;
}

static bool read_object(reader *in, int levels, answer *members, string code, string said)
{
    bool code_seen = false, said_seen = false;
    in->at++;
    space(in);
    if (take(in, TEXT("}")))
        return true;
    for (;;) {
        buffer name = {0};
        value member = {0};
        space(in);
        if (!read_string(in, &name))
            return false;
        space(in);
        if (!take(in, TEXT(":")) || !read_value(in, levels, &member, NULL, code, said))
            return false;
        if (members != NULL && !code_seen && equal(finish(&name), code)) {
            code_seen = true;
            members->has_code = member.kind == NUMBER && integer(member.number, &members->code);
        } else if (members != NULL && !said_seen && equal(finish(&name), said)) {
            said_seen = true;
            if (member.kind == STRING)
                members->said = finish(&member.text);
        }
        space(in);
        if (take(in, TEXT("}")))
            return true;
        if (!take(in, TEXT(",")))
            return false;
    }
}

static bool read_list(reader *in, int levels)
{
    in->at++;
    space(in);
    if (take(in, TEXT("]")))
        return true;
    for (;;) {
        value member = {0};
        if (!read_value(in, levels, &member, NULL, TEXT(""), TEXT("")))
            return false;
        space(in);
        if (take(in, TEXT("]")))
            return true;
        if (!take(in, TEXT(",")))
            return false;
    }
}

static bool read_value(reader *in, int levels, value *into, answer *members, string code, string said)
{
    if (levels-- == 0)
        return false;
    space(in);
    switch (peek(in)) {
    case 'n': return take(in, TEXT("null"));
    case 't': return take(in, TEXT("true"));
    case 'f': return take(in, TEXT("false"));
    case '"': into->kind = STRING; return read_string(in, &into->text);
    case '[': return read_list(in, levels);
    case '{': return read_object(in, levels, members, code, said);
    default: into->kind = NUMBER; return read_number(in, &into->number);
    }
}

/* The interface gives bytes, and JSON is UTF-8: no half characters, no second spellings, no surrogates. */
static bool utf8(const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        uint8_t first = *at++;
        if (first < 0x80)
            continue;
        int more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0;
        if (more == 0 || end - at < more)
            return false;
        uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (*at < low || *at > high)
            return false;
        for (int i = 1; i < more; i++)
            if ((at[i] & 0xc0) != 0x80)
                return false;
        at += more;
    }
    return true;
}

bool read_answer(notifier_list_u8_t bytes, string code, string said, answer *found)
{
    reader in = {bytes.ptr, bytes.ptr + bytes.len};
    value outer = {0};
    *found = (answer){.said = TEXT("")};
    if (!utf8(in.at, in.end) || !read_value(&in, LEVELS, &outer, found, code, said))
        return false;
    space(&in);
    return in.at == in.end;
}
