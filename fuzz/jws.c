/* jws - a token and a set of keys, as a provider answers them: what is accepted has its three
 * parts, and one of the set's keys.
 *
 * Input: the token, a newline, the set. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_sv rest = wa_sv_n((const char *)data, size), token = {NULL, 0};
    const struct wa_json *set = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jws j;
    wa_arena_init(&arena, 64u << 20);
    if (!wa_sv_split(&rest, '\n', &token) || wa_jws_parse(token, &arena, &j, &err) != WA_OK)
        return 0;
    if (!wa_json_is(j.claims, WA_JSON_OBJECT) || j.input.p != token.p || j.input.n >= token.n)
        abort();
    if (wa_json_parse(rest, 0, &arena, &set, &err) == WA_OK &&
        wa_jws_check(&j, set, &err) == WA_OK && wa_json_count(wa_json_get(set, "keys")) == 0)
        abort();
    return 0;
}
