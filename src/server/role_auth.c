/* role_auth.c - checks passwords against their hashes, slowly on purpose, where it holds nobody up.
 */
#include "crypto/pwhash.h"
#include "os/rand.h"
#include "server/answers.h"
#include "server/role_common.h"

enum wa_code wa_auth_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                            struct wa_err *err)
{
    struct wa_sv hash = {NULL, 0}, rest = request;
    char text[WA_PWHASH_MAX];
    struct wa_err why = WA_ERR_INIT;
    const char *nobody = user;
    if (!wa_sv_split(&rest, '\n', &hash) || hash.n >= sizeof text || rest.p == NULL)
        return wa_fail(err, WA_E_INVALID, "a question that is not well formed");
    memcpy(text, hash.p, hash.n);
    text[hash.n] = '\0';
    bool is_somebody = strcmp(text, WA_S_NO_HASH) != 0;
    bool is_right = wa_pwhash_check(rest, is_somebody ? text : nobody, &why) == WA_OK;
    wa_buf_adds(answer, is_somebody && is_right ? "ok" : "no");
    return wa_buf_check(answer, err);
}

int wa_server_auth(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    char nobody[WA_PWHASH_MAX]; /* checked for users who do not exist, so that they take as long */
    char password[65];
    enum wa_code code = wa_server_child_init(&c, WA_SR_AUTH, config_file, &err);
    if (code == WA_OK && wa_rand_hex(password, 32, &err) == WA_OK)
        code = wa_pwhash_make(wa_sv(password), nobody, &err);
    else
        code = err.code;
    if (code == WA_OK)
        code = wa_server_child_confine(&c, WA_SR_AUTH, WA_PRIV_FDS | WA_PRIV_THREADS, NULL, NULL,
                                       &err);
    if (code == WA_OK)
        code = wa_server_child_serve(WA_SR_AUTH, WA_S_CHECKED, wa_auth_answer, nobody, &err);
    return wa_server_child_end(&c, code, &err);
}
