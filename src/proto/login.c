/* login.c - the words in which a machine asks its server about a local user, and the answer.
 *
 * The server could be anybody's by now: its answer is about what was asked and nothing else.
 */
#include "proto/login.h"

#include "proto/hostid.h"

enum wa_code wa_login_write(const struct wa_login_msg *m, struct wa_buf *text, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", WA_PURPOSE_LOGIN);
    wa_jw_kvsv(&w, "uuid", m->uuid);
    wa_jw_kvi(&w, "time", m->time);
    wa_jw_kvsv(&w, "user", m->user);
    wa_jw_kvsv(&w, "password", m->password);
    wa_jw_key(&w, "groups");
    wa_jw_arr(&w);
    for (size_t i = 0; m->groups != NULL && m->groups[i] != NULL; i++)
        wa_jw_s(&w, m->groups[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(text, err);
}

static enum wa_code read_groups(const struct wa_json *list, struct wa_arena *arena,
                                const char *const **ret, struct wa_err *err)
{
    size_t n = wa_json_count(list);
    const char **groups = wa_arena_alloc(arena, n + 1, sizeof *groups);
    if (groups == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++) {
        struct wa_sv name = wa_json_sv(wa_json_at(list, i));
        if (name.n == 0 || name.n > WA_NAME_MAX || memchr(name.p, 0, name.n) != NULL)
            return wa_fail(err, WA_E_INVALID, "a login with a group of no name");
        groups[i] = wa_arena_strdup(arena, name);
        if (groups[i] == NULL)
            return wa_nomem(err);
    }
    groups[n] = NULL;
    *ret = groups;
    return WA_OK;
}

enum wa_code wa_login_read(const struct wa_json *statement, struct wa_arena *arena,
                           struct wa_login_msg *ret, struct wa_err *err)
{
    struct wa_login_msg m = {.time = 0};
    struct wa_sv purpose = {0};
    const struct wa_json *groups = NULL;
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"uuid", WA_WANT_SV, true, WA_UUID_MAX, &m.uuid},
        {"time", WA_WANT_I64, true, 0, &m.time},
        {"user", WA_WANT_SV, true, WA_PAM_USER_MAX, &m.user},
        {"password", WA_WANT_SV, true, WA_PAM_PASSWORD_MAX, &m.password},
        {"groups", WA_WANT_ARRAY, true, WA_AUTH_GROUPS_MAX, &groups},
    };
    if (wa_json_read(statement, fields, WA_COUNT(fields), "a login", err) != WA_OK ||
        read_groups(groups, arena, &m.groups, err) != WA_OK)
        return err->code;
    if (!wa_hostid_is_valid(m.uuid) || m.user.n == 0 || m.password.n == 0 ||
        memchr(m.user.p, 0, m.user.n) != NULL)
        return wa_fail(err, WA_E_INVALID, "a login without a machine, a name or a password");
    *ret = m;
    return WA_OK;
}

void wa_login_answer_write(const struct wa_login_answer *a, const char *const *groups,
                           struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "accepted", a->is_right);
    wa_jw_key(&w, "groups");
    wa_jw_arr(&w);
    for (size_t i = 0; a->is_right && groups != NULL && groups[i] != NULL; i++)
        if (a->in_group[i])
            wa_jw_s(&w, groups[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

enum wa_code wa_login_answer_read(const struct wa_json *j, const char *const *groups,
                                  struct wa_login_answer *ret, struct wa_err *err)
{
    struct wa_login_answer a = {.is_right = false};
    const struct wa_json *in = NULL;
    const struct wa_json_field fields[] = {
        {"accepted", WA_WANT_BOOL, true, 0, &a.is_right},
        {"groups", WA_WANT_ARRAY, true, WA_AUTH_GROUPS_MAX, &in},
    };
    if (wa_json_read_lax(j, fields, WA_COUNT(fields), "an answer to a login", err) != WA_OK)
        return err->code;
    for (size_t k = 0; k < wa_json_count(in); k++) {
        bool is_asked = false;
        for (size_t i = 0; groups != NULL && groups[i] != NULL && i < WA_AUTH_GROUPS_MAX; i++) {
            if (!wa_sv_eqs(wa_json_sv(wa_json_at(in, k)), groups[i]))
                continue;
            a.in_group[i] = true;
            is_asked = true;
        }
        if (!is_asked || !a.is_right)
            return wa_fail(err, WA_E_REFUSED, "the answer to a login says what was not asked");
    }
    *ret = a;
    return WA_OK;
}

void wa_login_binding(const char *fingerprint, char out[WA_LOGIN_BINDING_SIZE])
{
    (void)snprintf(out, WA_LOGIN_BINDING_SIZE, "wapt-login:%.64s", fingerprint);
}
