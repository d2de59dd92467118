/* server_helpers - what the store, taken over, could ask of signer, auth and wake: a key signs only
 * what the signer composes, only a right password is right, and whoever is woken gets an answer.
 * And what search makes of a path and of what a machine reports: one short line of text. */
#include <stdlib.h>

#include "base/utf8.h"
#include "codec/json.h"
#include "crypto/key.h"
#include "proto/action.h"
#include "proto/envelope.h"
#include "server/answers.h"
#include "server/columns.h"
#include "server/wake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_signed(const struct wa_key *key, struct wa_sv answer)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *relay = NULL;
    struct wa_envelope e;
    struct wa_sv line;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 64u << 20);
    while (answer.n > 0 && wa_sv_split(&answer, '\n', &line)) {
        if (!wa_sv_starts(line, WA_RELAY_BEGINS) ||
            wa_json_parse(line, 0, &arena, &relay, &err) != WA_OK ||
            !wa_sv_starts(wa_json_sv(wa_json_get(relay, "leaf")), "{\"purpose\":\"wapt-relay\",") ||
            wa_envelope_open(wa_json_get(relay, "batch"), "wapt-relay-batch", &arena, &e, &err) !=
                WA_OK ||
            wa_envelope_check(&e, key, &err) != WA_OK)
            abort();
    }
}

/* A certificate that is a TLS client's and no authority, or a list. */
static bool is_authoritys(struct wa_sv answer)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 8u << 20);
    if (wa_json_parse(answer, 0, &arena, &j, &err) != WA_OK)
        abort();
    struct wa_sv pem = wa_json_sv(wa_json_get(j, "certificate"));
    if (pem.n > 0 && (wa_certs_read_pem(pem, 1, &certs, &err) != WA_OK ||
                      wa_cert_is_ca(certs.items[0]) || wa_cert_may_sign_code(certs.items[0])))
        abort();
    return pem.n > 0 || wa_sv_starts(wa_json_sv(wa_json_get(j, "crl")), "-----BEGIN X509 CRL-----");
}

/* The paths, a newline, what a machine reports. */
static void check_columns(struct wa_sv text)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf value;
    struct wa_columns c;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv paths;
    wa_arena_init(&arena, 64u << 20);
    wa_buf_init(&value, WA_COLUMN_VALUE_MAX);
    if (!wa_sv_split(&text, '\n', &paths) || wa_columns_read(paths, &c, &err) != WA_OK ||
        wa_json_parse(text, 0, &arena, &j, &err) != WA_OK)
        return;
    for (size_t i = 0; i < c.n; i++) {
        wa_buf_clear(&value);
        wa_column_value(&c.items[i], j, &value);
        if (value.failed != WA_OK || !wa_utf8_valid(wa_buf_sv(&value)))
            abort();
        for (size_t k = 0; k < value.n; k++)
            if ((unsigned char)value.p[k] < 0x20)
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wa_cert_request ca = {
        .cn = "authority", .is_ca = true, .path_length = 0, .days = 100};
    static struct wa_key *key;
    static struct wa_cert *authority;
    static char nobody[] = "no hash at all";
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&answer, 64u << 20);
    if (key == NULL && (wa_key_new_p256(&key, &err) != WA_OK ||
                        wa_cert_issue(&ca, key, NULL, NULL, &authority, &err) != WA_OK))
        abort();
    if (size == 0)
        return 0;
    struct wa_sv text = wa_sv_n(data + 1, size - 1);
    if (data[0] == 'w') {
        struct wa_wake_where nowhere = {.port_count = 0};
        if (wa_wake_answer(&nowhere, text, &answer, &err) != WA_OK || answer.n == 0)
            abort();
    } else if (data[0] == 'c') {
        check_columns(text);
    } else if (data[0] % 2 == 0) {
        struct wa_signer_keys keys = {key, key, {authority, key}};
        if (wa_signer_answer(&keys, text, &answer, &err) != WA_OK) {
            if (answer.n > 0)
                abort();
        } else if (wa_sv_starts(wa_buf_sv(&answer), WA_RELAY_BEGINS)) {
            check_signed(key, wa_buf_sv(&answer));
        } else if (!is_authoritys(wa_buf_sv(&answer)) &&
                   !wa_sv_starts(wa_buf_sv(&answer), "{\"signed\":\"{\\\"purpose\\\":"
                                                     "\\\"wapt-repo-timestamp\\\"")) {
            abort();
        }
    } else if (!wa_sv_starts(text, "$") && /* a real hash takes its time */
               wa_auth_answer(nobody, text, &answer, &err) == WA_OK &&
               !wa_sv_eqs(wa_buf_sv(&answer), "no")) {
        abort();
    }
    return 0;
}
