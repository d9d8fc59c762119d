/* What the bindings and the channel need of the C library; libc.c has it. */
#pragma once
#include <stddef.h>

void *malloc(size_t size);
void *realloc(void *old, size_t size);
void free(void *ptr);
_Noreturn void abort(void);
