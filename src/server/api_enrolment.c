/* api_enrolment.c - enrolment tokens that people make from afar, short-lived and counted, for the
 * kits that waptconsole writes. 'waptserver enrol-token' lists and revokes them.
 */
#include "base/mem.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/token.h"
#include "server/api.h"
#include "server/store_db.h"
#include "server/store_priv.h"

#define USES_MAX 10000
#define SECONDS_MAX (7 * 86400)

static enum wa_code keep(struct wa_api_call *c, const char *digest, int64_t expires, int64_t uses,
                         struct wa_err *err)
{
    struct wa_store *s = c->store;
    char number[24];
    (void)snprintf(number, sizeof number, "%lld", (long long)uses);
    const struct wa_journal_act act = {
        .act = "token.made",
        .user = wa_sv(c->who.user),
        .peer = c->request->peer,
        .what = {{"token", wa_sv_sub(wa_sv(digest), 0, WA_TOKEN_ID)}, {"uses", wa_sv(number)}}};
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_store_add_token(s->db, digest, expires, uses, err) == WA_OK &&
        wa_store_note(s, &act, err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

/* The fingerprint is who asks' word: it tells the machine which server to believe, and a token that
 * names another one is of no use here. */
static enum wa_code call_make(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv given = {NULL, 0};
    int64_t uses = 1, seconds = 86400;
    const struct wa_json_field fields[] = {{"server_fingerprint", WA_WANT_SV, true, 64, &given},
                                           {"uses", WA_WANT_I64, false, 0, &uses},
                                           {"seconds", WA_WANT_I64, false, 0, &seconds}};
    char fingerprint[65], digest[WA_SHA256_HEX];
    uint8_t secret[WA_TOKEN_SECRET];
    struct wa_token token;
    struct wa_jw w;
    wa_arena_init(&arena, 64u << 10);
    if (!wa_server_lets_in(&c->store->child.config, "token"))
        return wa_fail(err, WA_E_DENIED,
                       "tokens let nobody in here (registration in waptserver.ini)");
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "an enrolment token", err) != WA_OK)
        return err->code;
    if (uses < 1 || uses > USES_MAX || seconds < 60 || seconds > SECONDS_MAX)
        return wa_fail(err, WA_E_USAGE,
                       "a token is for 1 to %d machines, and lasts a minute to seven days",
                       USES_MAX);
    (void)snprintf(fingerprint, sizeof fingerprint, "%.*s", WA_SV_ARG(given));
    int64_t expires = wa_clock_now() + seconds;
    if (wa_rand_bytes(secret, sizeof secret, err) != WA_OK ||
        wa_token_make(fingerprint, secret, &token, err) != WA_OK ||
        wa_sha256_hex(token.text, strlen(token.text), digest, err) != WA_OK ||
        keep(c, digest, expires, uses, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "id", wa_sv_sub(wa_sv(digest), 0, WA_TOKEN_ID));
    wa_jw_kv(&w, "token", token.text);
    wa_jw_kvi(&w, "expires", expires);
    wa_jw_end(&w);
    wa_wipe(secret, sizeof secret);
    wa_wipe(&token, sizeof token);
    return WA_OK;
}

static const struct wa_api_route routes[] = {
    {"POST", "/api/v1/enrol-tokens", WA_MAY_ENROL, false, call_make,
     "Make a token with which new machines register; it is shown once", NULL, "NewEnrolToken",
     "Token"},
};
const struct wa_api_resource wa_api_enrolment_calls = {routes, WA_COUNT(routes)};
