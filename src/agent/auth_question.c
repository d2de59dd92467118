/* auth_question.c - what the manager asks of the processes that check passwords, read there.
 *
 * The manager is trusted, but these processes read what a local user typed, in the manager's words:
 * every text has its cap, none holds a NUL.
 */
#include "agent/auth_question.h"
#include "agent/role_priv.h"
#include "agent/trust_json.h"
#include "base/mem.h"

static enum wa_code read_directory(const struct wa_json *j, struct wa_auth_question *q,
                                   struct wa_err *err)
{
    struct wa_sv servers = {0}, base = {0};
    const struct wa_json *trust = NULL;
    const struct wa_json_field fields[] = {
        {"servers", WA_WANT_SV, true, sizeof q->servers - 1, &servers},
        {"base", WA_WANT_SV, true, sizeof q->base - 1, &base},
        {"ldaps", WA_WANT_BOOL, true, 0, &q->is_ldaps},
        {"trust", WA_WANT_OBJECT, true, 0, &trust},
    };
    if (wa_json_read(j, fields, WA_COUNT(fields), "a directory", err) != WA_OK ||
        wa_trust_read(trust, &q->trust, err) != WA_OK)
        return err->code;
    q->has_directory = true;
    return wa_role_copy(servers, q->servers, sizeof q->servers) &&
                   wa_role_copy(base, q->base, sizeof q->base)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "a directory's name of a wrong form");
}

enum wa_code wa_auth_question_read(struct wa_sv text, struct wa_arena *arena,
                                   struct wa_auth_question *ret, struct wa_err *err)
{
    struct wa_auth_question q = {.user = ""};
    const struct wa_json *j = NULL, *groups = NULL, *directory = NULL;
    struct wa_sv user = {0}, password = {0};
    const struct wa_json_field fields[] = {
        {"user", WA_WANT_SV, true, WA_PAM_USER_MAX, &user},
        {"password", WA_WANT_SV, false, WA_PAM_PASSWORD_MAX, &password},
        {"groups", WA_WANT_ARRAY, true, WA_AUTH_GROUPS_MAX, &groups},
        {"directory", WA_WANT_OBJECT, false, 0, &directory},
    };
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK ||
        (directory != NULL && read_directory(directory, &q, err) != WA_OK))
        return err->code;
    q.has_password = wa_json_get(j, "password") != NULL;
    q.group_count = wa_json_count(groups);
    bool is_good = user.n > 0 && wa_role_copy(user, q.user, sizeof q.user) &&
                   wa_role_copy(password, q.password, sizeof q.password);
    for (size_t i = 0; is_good && i < q.group_count; i++) {
        const struct wa_json *g = wa_json_at(groups, i);
        is_good = wa_json_is(g, WA_JSON_STRING) &&
                  wa_role_copy(wa_json_sv(g), q.groups[i], sizeof q.groups[i]);
    }
    if (is_good)
        *ret = q;
    wa_wipe(q.password, sizeof q.password);
    return is_good ? WA_OK : wa_fail(err, WA_E_INVALID, "a question holds a name of a wrong form");
}

void wa_auth_answer_write(const struct wa_auth_question *q, bool is_right, const bool *in,
                          const char *reason, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "password_ok", is_right);
    wa_jw_key(&w, "groups");
    wa_jw_arr(&w);
    for (size_t i = 0; i < q->group_count; i++) {
        if (in[i])
            wa_jw_s(&w, q->groups[i]);
    }
    wa_jw_end(&w);
    wa_jw_kv(&w, "reason", reason);
    wa_jw_end(&w);
}
