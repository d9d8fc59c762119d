/* JSON, read in the little way this channel needs. */
#pragma once
#include "text.h"

/* What is looked for in an answer: two members of the outer object, the first of their name. */
typedef struct {
    bool has_code;
    int64_t code;
    string said;
} answer;

/* Whether the bytes are JSON (RFC 8259, at most 32 levels); what was found in them. */
bool read_answer(notifier_list_u8_t bytes, string code, string said, answer *found);
