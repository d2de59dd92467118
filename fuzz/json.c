/* json.c - what the JSON parser takes is written as JSON that it takes again, to the same text. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses and writes; false when the text is refused. */
static bool once(struct wa_sv text, unsigned flags, struct wa_buf *out, struct wa_buf *pretty)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;

    wa_arena_init(&arena, 16u << 20);
    if (wa_json_parse(text, flags, &arena, &j, &err) != WA_OK)
        return false;
    wa_json_write(j, out);
    wa_json_write_pretty(j, pretty);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_BUF struct wa_buf a, b, c, pretty, ignored;
    unsigned flags = size > 0 && data[size - 1] == '\n' ? WA_JSON_LONE_SURROGATES : 0;
    struct wa_buf *all[] = {&a, &b, &c, &pretty, &ignored};

    for (size_t i = 0; i < WA_COUNT(all); i++)
        wa_buf_init(all[i], 16u << 20);
    if (!once(wa_sv_n(data, size), flags, &a, &pretty) || a.failed != WA_OK ||
        pretty.failed != WA_OK)
        return 0;
    if (!once(wa_buf_sv(&a), flags, &b, &ignored) || !wa_sv_eq(wa_buf_sv(&a), wa_buf_sv(&b)))
        abort();
    if (!once(wa_buf_sv(&pretty), flags, &c, &ignored) || !wa_sv_eq(wa_buf_sv(&a), wa_buf_sv(&c)))
        abort();
    return 0;
}
