/* tokens.c - enrolment tokens: made, listed and revoked on the server itself, beside the running
 * server.
 *
 * The database knows only a token's SHA-256; its first digits are its name.
 */
#include "base/mem.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/rand.h"
#include "proto/token.h"
#include "server/journal.h"
#include "server/role_common.h"
#include "server/store_db.h"

static enum wa_code note(struct wa_db *db, const struct wa_server_config *c, const char *act,
                         const char *digest, int64_t uses, struct wa_err *err)
{
    char number[24];
    (void)snprintf(number, sizeof number, "%lld", (long long)uses);
    const struct wa_journal_act a = {.act = act,
                                     .user = WA_SV("root"),
                                     .peer = "",
                                     .what = {{"token", wa_sv_sub(wa_sv(digest), 0, WA_TOKEN_ID)},
                                              {uses > 0 ? "uses" : NULL, wa_sv(number)}}};
    return wa_server_journal_add(db, c->node, &a, err);
}

/* The token and its entry in the journal. */
static enum wa_code add(struct wa_db *db, const struct wa_server_config *c, const char *digest,
                        int64_t expires, int64_t uses, struct wa_err *err)
{
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (wa_store_add_token(db, digest, expires, uses, err) == WA_OK &&
        note(db, c, "token.made", digest, uses, err) == WA_OK && wa_db_commit(db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(db);
    return err->code;
}

static enum wa_code drop(struct wa_db *db, const struct wa_server_config *c, const char *id,
                         struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM tokens WHERE substr(sha256, 1, 12) = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) > 0 ? note(db, c, "token.revoked", id, 0, err)
                                 : wa_fail(err, WA_E_NOT_FOUND, "there is no token '%s'", id);
}

enum wa_code wa_server_enrol_token(const struct wa_server_config *c, int64_t uses, int64_t seconds,
                                   char *text, char id[WA_TOKEN_ID + 1], struct wa_err *err)
{
    char path[WA_PATH_MAX], digest[WA_SHA256_HEX];
    uint8_t secret[WA_TOKEN_SECRET];
    struct wa_token token;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_server_path(c, "private/tls.crt", path, err) != WA_OK ||
        wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &chain, err) != WA_OK ||
        wa_rand_bytes(secret, sizeof secret, err) != WA_OK ||
        wa_token_make(wa_cert_fingerprint(chain.items[0]), secret, &token, err) != WA_OK ||
        wa_sha256_hex(token.text, strlen(token.text), digest, err) != WA_OK ||
        wa_server_open_db(c, "waptserver/tokens", &db, err) != WA_OK ||
        add(db, c, digest, wa_clock_now() + seconds, uses, err) != WA_OK)
        return wa_wrap(err, "making an enrolment token");
    memcpy(text, token.text, sizeof token.text);
    (void)snprintf(id, WA_TOKEN_ID + 1, "%.12s", digest);
    wa_wipe(secret, sizeof secret);
    wa_wipe(&token, sizeof token);
    return WA_OK;
}

enum wa_code wa_server_list_tokens(const struct wa_server_config *c, wa_token_fn fn, void *user,
                                   struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    struct wa_stmt *s;
    bool row = false;
    enum wa_code code = wa_server_open_db(c, "waptserver/tokens", &db, err);
    if (code == WA_OK)
        code = wa_db_prepare(
            db, "SELECT sha256, expires, uses FROM tokens ORDER BY expires, sha256", &s, err);
    if (code == WA_OK)
        code = wa_step(s, &row, err);
    for (; code == WA_OK && row; code = wa_step(s, &row, err)) {
        char id[WA_TOKEN_ID + 1];
        wa_col_text(s, 0, id, sizeof id);
        fn(user, id, wa_col_i64(s, 1), wa_col_i64(s, 2));
    }
    return code == WA_OK ? WA_OK : wa_wrap(err, "listing the enrolment tokens");
}

enum wa_code wa_server_revoke_token(const struct wa_server_config *c, const char *id,
                                    struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    if (!wa_hex_is(wa_sv(id), WA_TOKEN_ID))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the name of a token: 'list' shows them", id);
    if (wa_server_open_db(c, "waptserver/tokens", &db, err) != WA_OK ||
        wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (drop(db, c, id, err) == WA_OK && wa_db_commit(db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(db);
    return wa_wrap(err, "revoking an enrolment token");
}
