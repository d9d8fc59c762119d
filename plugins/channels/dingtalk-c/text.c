/* Texts with a length, and texts that grow. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

static void reserve(buffer *to, size_t more)
{
    if (to->room - to->len >= more)
        return;
    size_t room = (to->len + more) * 2;
    if (room < to->len + more)
        abort();
    to->ptr = realloc(to->ptr, room);
    if (to->ptr == NULL)
        abort();
    to->room = room;
}

void put(buffer *to, string text)
{
    reserve(to, text.len);
    memcpy(to->ptr + to->len, text.ptr, text.len);
    to->len += text.len;
}

void put_byte(buffer *to, uint8_t byte)
{
    reserve(to, 1);
    to->ptr[to->len++] = byte;
}

void put_unsigned(buffer *to, uint64_t number)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number);
    put(to, (string){digits + at, sizeof digits - at});
}

void put_number(buffer *to, int64_t number)
{
    if (number < 0)
        put_byte(to, '-');
    put_unsigned(to, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void put_quoted(buffer *to, string text)
{
    static const char hex[] = "0123456789abcdef";
    put_byte(to, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        uint8_t letter = byte == '\n' ? 'n' : byte == '\r' ? 'r' : byte == '\t' ? 't' : byte == '"' || byte == '\\' ? byte : 0;
        if (letter) {
            put_byte(to, '\\');
            put_byte(to, letter);
        } else if (byte < 0x20) {
            put(to, TEXT("\\u00"));
            put_byte(to, (uint8_t)hex[byte >> 4]);
            put_byte(to, (uint8_t)hex[byte & 15]);
        } else {
            put_byte(to, byte);
        }
    }
    put_byte(to, '"');
}

static bool control(uint8_t byte)
{
    return byte < 0x20 || byte == 0x7f;
}

void put_escaped(buffer *to, string text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        switch (byte) {
        case '\\': case '`': case '*': case '_': case '[': case ']': case '<': case '>': case '#':
            put_byte(to, '\\');
            put_byte(to, byte);
            break;
        default:
            put_byte(to, control(byte) ? ' ' : byte);
        }
    }
}

void put_line(buffer *to, string text)
{
    for (size_t i = 0; i < text.len; i++)
        put_byte(to, control(text.ptr[i]) ? ' ' : text.ptr[i]);
}

void put_base64(buffer *to, const uint8_t *bytes, size_t len)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (i + 1 < len)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < len)
            group |= bytes[i + 2];
        put_byte(to, (uint8_t)alphabet[group >> 18]);
        put_byte(to, (uint8_t)alphabet[group >> 12 & 63]);
        put_byte(to, i + 1 < len ? (uint8_t)alphabet[group >> 6 & 63] : '=');
        put_byte(to, i + 2 < len ? (uint8_t)alphabet[group & 63] : '=');
    }
}

string finish(buffer *of)
{
    return (string){of->ptr, of->len};
}

bool equal(string a, string b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

string cut(string text, size_t bytes)
{
    const string mark = TEXT("…");
    if (text.len <= bytes)
        return text;
    if (bytes < mark.len)
        return TEXT("");
    size_t end = bytes - mark.len;
    while (end > 0 && (text.ptr[end] & 0xc0) == 0x80)
        end--;
    buffer short_one = {0};
    put(&short_one, (string){text.ptr, end});
    put(&short_one, mark);
    return finish(&short_one);
}
