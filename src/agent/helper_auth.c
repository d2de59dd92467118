/* helper_auth.c - the manager asks whether a password is a user's and in which groups the user is:
 * this machine's own accounts (the auth process), or a directory (the directory process).
 *
 * The auth process runs code that is not ours; its answer can be wrong only about what was asked: a
 * group that was not asked for, or a password accepted that was not given, is a broken rule and no
 * answer at all.
 */
#include "agent/auth_question.h"
#include "agent/helper_priv.h"
#include "agent/trust_json.h"
#include "os/clock.h"

#define GRACE_MS 2000u /* ms: to start it */

static void question_write(const struct wa_ldap_where *where, const char *user,
                           struct wa_sv password, const char *const *groups, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "user", user);
    if (password.p != NULL) {
        wa_jw_kvsv(&w, "password", password);
    }
    wa_jw_key(&w, "groups");
    wa_jw_arr(&w);
    for (size_t i = 0; groups != NULL && groups[i] != NULL; i++) {
        wa_jw_s(&w, groups[i]);
    }
    wa_jw_end(&w);
    if (where != NULL) {
        wa_jw_key(&w, "directory");
        wa_jw_obj(&w);
        wa_jw_kv(&w, "servers", where->servers);
        wa_jw_kv(&w, "base", where->base);
        wa_jw_kvb(&w, "ldaps", where->is_ldaps);
        wa_jw_key(&w, "trust");
        wa_trust_write(&w, where->trust);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
}

/* Marks name in every place where it was asked for; false when it was not. */
static bool mark(const char *const *groups, struct wa_sv name, struct wa_auth_answer *answer)
{
    bool is_asked = false;
    for (size_t i = 0; groups != NULL && groups[i] != NULL && i < WA_AUTH_GROUPS_MAX; i++) {
        if (wa_sv_eqs(name, groups[i])) {
            answer->in_group[i] = true;
            is_asked = true;
        }
    }
    return is_asked;
}

enum wa_code wa_auth_answer_read(struct wa_sv text, const char *const *groups, bool has_password,
                                 struct wa_auth_answer *ret, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    wa_arena_init(&arena, 8 * WA_ROLE_AUTH_MAX);
    const struct wa_json *j = NULL, *in = NULL;
    struct wa_auth_answer a = {0};
    struct wa_sv reason = {0};
    const struct wa_json_field fields[] = {
        {"password_ok", WA_WANT_BOOL, true, 0, &a.password_ok},
        {"groups", WA_WANT_ARRAY, true, WA_AUTH_GROUPS_MAX, &in},
        {"reason", WA_WANT_SV, true, 0, &reason},
    };
    enum wa_code code = wa_json_parse(text, 0, &arena, &j, err);
    if (code == WA_OK && wa_json_get(j, "code") != NULL) {
        return wa_role_error_read(text, err);
    }
    if (code == WA_OK) {
        code = wa_json_read(j, fields, WA_COUNT(fields), "an answer", err);
    }
    if (code == WA_E_NOMEM) {
        return code;
    }
    bool is_good = code == WA_OK && (has_password || !a.password_ok);
    for (size_t i = 0; is_good && i < wa_json_count(in); i++) {
        const struct wa_json *g = wa_json_at(in, i);
        is_good = wa_json_is(g, WA_JSON_STRING) && mark(groups, wa_json_sv(g), &a);
    }
    if (!is_good) {
        return wa_fail(err, WA_E_REFUSED, "the auth process answered something that was not asked");
    }
    *ret = a;
    return WA_OK;
}

/* where NULL: this machine's own accounts. */
static enum wa_code ask(struct wa_launcher *l, const struct wa_ldap_where *where, const char *user,
                        struct wa_sv password, const char *const *groups,
                        struct wa_auth_answer *ret, struct wa_err *err)
{
    enum wa_role role = where != NULL ? WA_ROLE_DIRECTORY : WA_ROLE_AUTH;
    struct wa_talk t = {.silence_ms = WA_AUTH_TIMEOUT_MS + GRACE_MS};
    struct wa_buf WA_AUTO_BUF_SECRET question;
    struct wa_chan_msg answer;
    size_t count = 0;
    wa_buf_init(&question, where != NULL ? WA_ROLE_JSON_MAX : WA_ROLE_AUTH_MAX);
    while (groups != NULL && groups[count] != NULL) {
        count++;
    }
    if (count > WA_AUTH_GROUPS_MAX || user[0] == '\0') {
        return wa_fail(err, WA_E_INTERNAL, "cannot ask about no user, or more than %u groups",
                       WA_AUTH_GROUPS_MAX);
    }
    question_write(where, user, password, groups, &question);
    enum wa_code code = wa_buf_check(&question, err);
    if (code != WA_OK) {
        return code;
    }
    code = wa_talk_begin(&t, l, role, (WA_AUTH_TIMEOUT_MS + 2 * GRACE_MS) / 1000, err);
    if (code == WA_OK) {
        code = wa_talk_send(&t, WA_M_AUTH_ASK, 1, wa_buf_sv(&question), -1, err);
    }
    if (code == WA_OK) {
        code = wa_talk_recv(&t, 1, &answer, err);
    }
    if (code == WA_OK) {
        code = wa_auth_answer_read(answer.payload, groups, password.p != NULL, ret, err);
    }
    wa_talk_end(&t);
    return code;
}

enum wa_code wa_helper_auth(struct wa_launcher *l, const char *user, struct wa_sv password,
                            const char *const *groups, struct wa_auth_answer *ret,
                            struct wa_err *err)
{
    return ask(l, NULL, user, password, groups, ret, err);
}

enum wa_code wa_helper_directory(struct wa_launcher *l, const struct wa_ldap_where *where,
                                 const char *user, struct wa_sv password, const char *const *groups,
                                 struct wa_auth_answer *ret, struct wa_err *err)
{
    if (password.n == 0)
        return wa_fail(err, WA_E_INTERNAL, "cannot ask a directory without a password");
    return ask(l, where, user, password, groups, ret, err);
}
