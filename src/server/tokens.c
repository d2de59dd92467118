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
#include "server/role_common.h"
#include "server/store_db.h"

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
        wa_store_add_token(db, digest, wa_clock_now() + seconds, uses, err) != WA_OK)
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
        (void)snprintf(id, sizeof id, "%.*s", WA_SV_ARG(wa_col_sv(s, 0)));
        fn(user, id, wa_col_i64(s, 1), wa_col_i64(s, 2));
    }
    return code == WA_OK ? WA_OK : wa_wrap(err, "listing the enrolment tokens");
}

enum wa_code wa_server_revoke_token(const struct wa_server_config *c, const char *id,
                                    struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    struct wa_stmt *s;
    if (!wa_hex_is(wa_sv(id), WA_TOKEN_ID))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the name of a token: 'list' shows them", id);
    if (wa_server_open_db(c, "waptserver/tokens", &db, err) != WA_OK ||
        wa_db_prepare(db, "DELETE FROM tokens WHERE substr(sha256, 1, 12) = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, id);
    if (wa_run(s, err) != WA_OK)
        return wa_wrap(err, "revoking an enrolment token");
    return wa_db_changes(db) > 0 ? WA_OK
                                 : wa_fail(err, WA_E_NOT_FOUND, "there is no token '%s'", id);
}
