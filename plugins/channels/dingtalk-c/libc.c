/* The C library of this channel. Memory is handed out from the end of the data and never taken back: an instance lives for one call,
 * and the host caps what it may have. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 65536u
#define ALIGN 16u

extern unsigned char __heap_base;
static uintptr_t next;

/* The size of a block stands before it, for realloc. */
void *malloc(size_t size)
{
    if (next == 0)
        next = ((uintptr_t)&__heap_base + ALIGN - 1) / ALIGN * ALIGN;
    if (size > SIZE_MAX - 2 * ALIGN - PAGE)
        return NULL;
    size_t whole = (size + ALIGN - 1) / ALIGN * ALIGN + ALIGN;
    uintptr_t end;
    if (__builtin_add_overflow(next, whole, &end))
        return NULL;
    size_t pages = (end + (PAGE - 1)) / PAGE;
    size_t have = __builtin_wasm_memory_size(0);
    if (end > UINTPTR_MAX - PAGE || (pages > have && __builtin_wasm_memory_grow(0, pages - have) == SIZE_MAX))
        return NULL;
    *(size_t *)next = size;
    void *block = (void *)(next + ALIGN);
    next = end;
    return block;
}

void *realloc(void *old, size_t size)
{
    if (old == NULL)
        return malloc(size);
    size_t had = *(size_t *)((uintptr_t)old - ALIGN);
    if (size <= had)
        return old;
    void *block = malloc(size);
    if (block != NULL)
        memcpy(block, old, had);
    return block;
}

void free(void *ptr)
{
    (void)ptr;
}

_Noreturn void abort(void)
{
    __builtin_trap();
}

void *memcpy(void *to, const void *from, size_t len)
{
    unsigned char *at = to;
    const unsigned char *of = from;
    while (len--)
        *at++ = *of++;
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    unsigned char *at = to;
    const unsigned char *of = from;
    if (at <= of)
        return memcpy(to, from, len);
    while (len--)
        at[len] = of[len];
    return to;
}

void *memset(void *to, int byte, size_t len)
{
    unsigned char *at = to;
    while (len--)
        *at++ = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    for (; len--; x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text)
{
    size_t len = 0;
    while (text[len])
        len++;
    return len;
}
