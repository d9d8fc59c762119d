/* Texts with a length, and texts that grow. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notifier.h"

typedef notifier_string_t string;

/* A text under construction. */
typedef struct {
    uint8_t *ptr;
    size_t len;
    size_t room;
} buffer;

/* A literal as a string; it is not copied. */
#define TEXT(literal) ((string){(uint8_t *)(literal), sizeof(literal) - 1})

void put(buffer *to, string text);
void put_byte(buffer *to, uint8_t byte);
void put_unsigned(buffer *to, uint64_t number);
void put_number(buffer *to, int64_t number);
/* As a JSON text, with its quotes. */
void put_quoted(buffer *to, string text);
/* Nothing of it is markdown any more, nor a second line. */
void put_escaped(buffer *to, string text);
/* In base64 (RFC 4648, section 4). */
void put_base64(buffer *to, const uint8_t *bytes, size_t len);
/* Every control character is a space. */
void put_line(buffer *to, string text);
string finish(buffer *of);

bool equal(string a, string b);
/* At most so many bytes of UTF-8, never within a character; an ellipsis shows the cut. */
string cut(string text, size_t bytes);
