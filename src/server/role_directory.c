/* role_directory.c - asks the directory who people are: is this a person's password, and in which
 * of these groups is the person. One question after the other, each with its time-out.
 *
 * It is apart from auth, which checks the passwords that we keep ourselves: a directory that is
 * away holds nobody up there, and what it answers is read where there is nothing but one password.
 * Where no directory is configured it waits for nothing.
 */
#include "codec/json.h"
#include "os/fs.h"
#include "server/answers.h"
#include "server/role_common.h"

static enum wa_code read_question(struct wa_sv text, struct wa_arena *arena,
                                  struct wa_ldap_question *ret,
                                  const char *groups[WA_AUTH_GROUPS_MAX + 1], struct wa_err *err)
{
    const struct wa_json *j = NULL, *list = NULL;
    struct wa_sv user = {0}, password = {0}, sid = {0};
    bool is_check = false;
    const struct wa_json_field fields[] = {
        {"user", WA_WANT_SV, true, WA_PAM_USER_MAX, &user},
        {"password", WA_WANT_SV, false, WA_PAM_PASSWORD_MAX, &password},
        {"check", WA_WANT_BOOL, false, 0, &is_check},
        {"sid", WA_WANT_SV, false, 255, &sid},
        {"groups", WA_WANT_ARRAY, true, WA_AUTH_GROUPS_MAX, &list},
    };
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        groups[i] = wa_arena_strdup(arena, wa_json_sv(wa_json_at(list, i)));
        if (groups[i] == NULL)
            return wa_nomem(err);
    }
    groups[wa_json_count(list)] = NULL;
    *ret = (struct wa_ldap_question){wa_arena_strdup(arena, user), password, groups, is_check,
                                     sid.p != NULL ? wa_arena_strdup(arena, sid) : NULL};
    return ret->user != NULL && (sid.p == NULL || ret->sid != NULL) ? WA_OK : wa_nomem(err);
}

static void write_answer(const struct wa_ldap_question *q, const struct wa_ldap_answer *a,
                         const struct wa_err *failed, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    if (failed->code != WA_OK) {
        wa_jw_err(&w, failed);
    } else {
        wa_jw_kvb(&w, "right", a->is_right);
        wa_jw_key(&w, "groups");
        wa_jw_arr(&w);
        for (size_t i = 0; q->groups[i] != NULL; i++)
            if (a->in_group[i])
                wa_jw_s(&w, q->groups[i]);
        wa_jw_end(&w);
        wa_jw_kv(&w, "reason", a->reason);
    }
    wa_jw_end(&w);
}

/* {"sid","unit"}: where a machine's account stands. */
static enum wa_code find_unit(const struct wa_ldap_where *where, const struct wa_json *j,
                              struct wa_arena *arena, bool *ret, struct wa_err *err)
{
    struct wa_sv sid = {0}, unit = {0};
    const struct wa_json_field fields[] = {{"sid", WA_WANT_SV, true, 256, &sid},
                                           {"unit", WA_WANT_SV, true, 2048, &unit}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    const char *s = wa_arena_strdup(arena, sid), *u = wa_arena_strdup(arena, unit);
    return s == NULL || u == NULL ? wa_nomem(err) : wa_ldap_is_below(where, s, u, ret, err);
}

static enum wa_code answer_unit(const struct wa_ldap_where *where, const struct wa_json *j,
                                struct wa_arena *arena, struct wa_buf *out, struct wa_err *err)
{
    struct wa_err failed = WA_ERR_INIT;
    bool is_below = false;
    struct wa_jw w;
    if (find_unit(where, j, arena, &is_below, &failed) == WA_E_NOMEM)
        return wa_nomem(err);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    if (failed.code == WA_OK) {
        wa_jw_kvb(&w, "below", is_below);
    } else {
        wa_jw_err(&w, &failed);
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

enum wa_code wa_directory_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                 struct wa_err *err)
{
    const struct wa_ldap_where *where = user;
    const char *groups[WA_AUTH_GROUPS_MAX + 1];
    struct wa_ldap_question q;
    struct wa_ldap_answer a = {.is_right = false};
    struct wa_err failed = WA_ERR_INIT;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err ignored = WA_ERR_INIT;
    wa_arena_init(&arena, 8u << 20);
    if (wa_json_parse(request, 0, &arena, &j, &ignored) == WA_OK && wa_json_get(j, "unit") != NULL)
        return answer_unit(where, j, &arena, answer, err);
    enum wa_code code = read_question(request, &arena, &q, groups, &failed);
    if (code == WA_OK)
        code = wa_ldap_login(where, &q, &a, &failed);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    write_answer(&q, &a, &failed, answer);
    return wa_buf_check(answer, err);
}

static enum wa_code read_account(const struct wa_server_config *c, struct wa_buf *password,
                                 struct wa_err *err)
{
    if (c->ldap_account[0] == '\0')
        return WA_OK;
    return wa_server_secret(c, c->ldap_password, "ldap_check_password_file", password, err);
}

int wa_server_directory(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls_trust trust = {.host = ""};
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf password;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&password, 1024);
    enum wa_code code = wa_server_child_init(&c, WA_SR_DIRECTORY, config_file, &err);
    if (code == WA_OK)
        code = wa_server_trust(&c.config,
                               c.config.ldap_servers[0] != '\0' ? c.config.ldap_verify : "0", &pem,
                               &trust, &err);
    if (code == WA_OK)
        code = read_account(&c.config, &password, &err);
    if (code == WA_OK)
        code = wa_server_child_confine(&c, WA_SR_DIRECTORY, WA_PRIV_NET | WA_PRIV_FDS,
                                       wa_priv_net_paths(), NULL, &err);
    if (code == WA_OK) {
        struct wa_ldap_where where = {c.config.ldap_servers,
                                      c.config.ldap_base,
                                      c.config.is_ldaps,
                                      &trust,
                                      c.config.ldap_account[0] != '\0' ? c.config.ldap_account
                                                                       : NULL,
                                      wa_buf_sv(&password)};
        code =
            wa_server_child_serve(WA_SR_DIRECTORY, WA_S_WHO_IS, wa_directory_answer, &where, &err);
    }
    return wa_server_child_end(&c, code, &err);
}
