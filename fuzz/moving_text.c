/* moving_text.c - values of WAPT's database: whatever the bytes, text comes out as UTF-8 within its
 * cap, a line as one that is fit to be shown, and keys as a JSON list of texts. */
#include <stdint.h>
#include <stdlib.h>

#include "agent/moving.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "pkg/unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAP 300u

static void check_text(struct wa_sv bytes)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, CAP);
    wa_old_text(bytes, CAP, &text);
    if (text.failed != WA_OK || !wa_utf8_valid(wa_buf_sv(&text)) ||
        strlen(wa_buf_str(&text)) != text.n)
        abort();
}

static void check_line(struct wa_sv bytes)
{
    WA_AUTO_BUF struct wa_buf line;
    uint32_t cp;
    wa_buf_init(&line, CAP);
    wa_old_line(bytes, CAP, &line);
    struct wa_sv got = wa_buf_sv(&line);
    if (line.failed != WA_OK || wa_unicode_strip(got).n != got.n ||
        strlen(wa_buf_str(&line)) != line.n)
        abort();
    for (size_t at = 0; at < got.n;)
        if (!wa_utf8_next(got, &at, &cp) || !wa_utf8_is_shown(cp))
            abort();
}

static void check_keys(struct wa_sv bytes)
{
    WA_AUTO_BUF struct wa_buf keys;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&keys, 8 * WA_OLD_KEYS_MAX);
    wa_arena_init(&arena, 64u << 20);
    if (wa_old_keys(bytes, &keys, &err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&keys), 0, &arena, &j, &err) != WA_OK ||
        !wa_json_is(j, WA_JSON_ARRAY))
        abort();
    for (size_t i = 0; i < wa_json_count(j); i++)
        if (!wa_json_is(wa_json_at(j, i), WA_JSON_STRING))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv bytes = wa_sv_n(data, size);
    check_text(bytes);
    check_line(bytes);
    check_keys(bytes);
    return 0;
}
