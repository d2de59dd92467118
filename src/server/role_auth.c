/* role_auth.c - passwords against their hashes, slowly on purpose, where it holds nobody up; and
 * second factors, whose secrets are sealed with a key that this process alone has.
 *
 * It answers yes or no, makes hashes and sealed secrets, and keeps nothing: the store counts wrong
 * ones and knows which codes were used, so that the next one after a crash goes on from there.
 */
#include "base/mem.h"
#include "codec/base64.h"
#include "crypto/pwhash.h"
#include "crypto/totp.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/answers.h"
#include "server/role_common.h"

/* A hash of another program's goes with the first login: its owner's password is known now. */
static void replace(struct wa_sv password, const char *hash, struct wa_buf *answer)
{
    char fresh[WA_PWHASH_MAX];
    struct wa_err why = WA_ERR_INIT;
    if (wa_pwhash_is_foreign(hash) && wa_pwhash_make(password, fresh, &why) == WA_OK)
        wa_buf_addf(answer, "\n%s", fresh);
}

static enum wa_code check_password(const struct wa_auth_keys *k, struct wa_sv hash,
                                   struct wa_sv password, struct wa_buf *answer, struct wa_err *err)
{
    char text[WA_PWHASH_MAX] = "";
    struct wa_err why = WA_ERR_INIT;
    if (hash.n < sizeof text) /* else it is of nothing: who can write the database stops nobody */
        (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(hash));
    bool is_somebody = strcmp(text, WA_S_NO_HASH) != 0;
    bool is_right = wa_pwhash_check(password, is_somebody ? text : k->nobody, &why) == WA_OK;
    wa_buf_adds(answer, is_somebody && is_right ? "ok" : "no");
    if (is_somebody && is_right)
        replace(password, text, answer);
    return wa_buf_check(answer, err);
}

/* "no" where it can't be: an empty one, one too long. */
static enum wa_code make_hash(struct wa_sv password, struct wa_buf *answer, struct wa_err *err)
{
    char hash[WA_PWHASH_MAX];
    struct wa_err why = WA_ERR_INIT;
    wa_buf_adds(answer, wa_pwhash_make(password, hash, &why) == WA_OK ? hash : "no");
    return wa_buf_check(answer, err);
}

/* A new secret: sealed for the database, and as its owner's authenticator wants it. */
static enum wa_code make_factor(const struct wa_auth_keys *k, struct wa_sv user,
                                struct wa_buf *answer, struct wa_err *err)
{
    uint8_t secret[WA_TOTP_SECRET];
    if (wa_rand_bytes(secret, sizeof secret, err) != WA_OK ||
        wa_seal(k->seal, user, wa_sv_n(secret, sizeof secret), answer, err) != WA_OK)
        return err->code;
    wa_buf_addc(answer, '\n');
    wa_base32_encode(secret, sizeof secret, answer);
    wa_wipe(secret, sizeof secret);
    return wa_buf_check(answer, err);
}

/* user, sealed secret, last step, code. The step that the code is of, or "no". */
static enum wa_code check_code(const struct wa_auth_keys *k, struct wa_sv rest,
                               struct wa_buf *answer, struct wa_err *err)
{
    struct wa_sv user, sealed, last;
    int64_t after = 0, step = 0;
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO_BUF_SECRET struct wa_buf secret;
    wa_buf_init(&secret, WA_SEALED_MAX);
    if (!wa_sv_split(&rest, '\n', &user) || !wa_sv_split(&rest, '\n', &sealed) ||
        !wa_sv_split(&rest, '\n', &last) || !wa_sv_i64(last, &after) || rest.p == NULL)
        return wa_fail(err, WA_E_INVALID, "a question that is not well formed");
    if (wa_unseal(k->seal, user, sealed, &secret, &why) == WA_OK &&
        wa_totp_check(wa_buf_sv(&secret), rest, wa_clock_now(), after, &step, err) != WA_OK)
        return err->code;
    if (step > 0)
        wa_buf_addf(answer, "%lld", (long long)step);
    else
        wa_buf_adds(answer, "no");
    return wa_buf_check(answer, err);
}

enum wa_code wa_auth_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                            struct wa_err *err)
{
    const struct wa_auth_keys *k = user;
    struct wa_sv what = {NULL, 0}, rest = request;
    if (!wa_sv_split(&rest, '\n', &what) || rest.p == NULL)
        return wa_fail(err, WA_E_INVALID, "a question that is not well formed");
    if (wa_sv_eqs(what, WA_S_MAKE))
        return make_hash(rest, answer, err);
    if (wa_sv_eqs(what, WA_S_FACTOR))
        return make_factor(k, rest, answer, err);
    return wa_sv_eqs(what, WA_S_CODE) ? check_code(k, rest, answer, err)
                                      : check_password(k, what, rest, answer, err);
}

/* --- start --- */

int wa_server_auth(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_auth_keys keys = {.nobody = ""};
    char password[65];
    enum wa_code code = wa_server_child_init(&c, WA_SR_AUTH, config_file, &err);
    if (code == WA_OK)
        code = wa_server_read_seal_key(&c.config, WA_PEOPLE_KEY, keys.seal, &err);
    if (code == WA_OK && wa_rand_hex(password, 32, &err) == WA_OK)
        code = wa_pwhash_make(wa_sv(password), keys.nobody, &err);
    else
        code = err.code;
    if (code == WA_OK)
        code = wa_server_child_confine(&c, WA_SR_AUTH, WA_PRIV_FDS | WA_PRIV_THREADS, NULL, NULL,
                                       &err);
    if (code == WA_OK)
        code = wa_server_child_serve(WA_SR_AUTH, WA_S_CHECKED, wa_auth_answer, &keys, &err);
    wa_wipe(&keys, sizeof keys);
    return wa_server_child_end(&c, code, &err);
}
