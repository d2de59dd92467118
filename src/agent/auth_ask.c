/* auth_ask.c - whose word counts for a local user's password and groups: this machine's own
 * accounts, a directory, or the server, as service_auth_type says (F1E).
 *
 * Who answers for the password answers for the groups too: the local group of a name says nothing
 * about somebody whom a directory knows, and the other way round. Who the caller is comes from the
 * kernel in every case. The server's word opens to a local user what the configuration of this
 * machine allows a person of that group, and never more than signed packages that are offered here.
 */
#include "agent/auth_ask.h"
#include "agent/report.h"
#include "codec/csv.h"
#include "os/clock.h"
#include "proto/login.h"

#define ANSWER_MAX WA_ROLE_AUTH_MAX /* bytes */
#define RELAY_MS 20000u             /* ms: the server asks its directory meanwhile */

bool wa_auth_needs_password(const struct wa_agent_config *c)
{
    return strcmp(c->auth_type, "system") != 0;
}

const char *wa_auth_admin_groups(const struct wa_agent_config *c)
{
    return wa_auth_needs_password(c) ? c->ldap_admin_groups : c->admin_groups;
}

/* --- what was told before --- */

static bool has_line(struct wa_sv lines, const char *line)
{
    struct wa_sv one;
    while (wa_sv_split(&lines, '\n', &one))
        if (wa_sv_eqs(one, line))
            return true;
    return false;
}

/* The entry of user, else the one that is over first. Under the lock. */
static struct wa_auth_known *slot_of(struct wa_manager *m, const char *user)
{
    struct wa_auth_known *found = &m->known[0];
    for (size_t i = 0; i < WA_AUTH_KNOWN_MAX; i++) {
        if (strcmp(m->known[i].user, user) == 0)
            return &m->known[i];
        if (m->known[i].until_ms < found->until_ms)
            found = &m->known[i];
    }
    return found;
}

static bool is_valid(const struct wa_auth_known *k, const char *user)
{
    return strcmp(k->user, user) == 0 && wa_clock_mono_ms() < k->until_ms;
}

bool wa_auth_is_known(struct wa_manager *m, const char *user)
{
    wa_lock_take(m->lock);
    bool is_known = is_valid(slot_of(m, user), user);
    wa_lock_give(m->lock);
    return is_known;
}

static void recall(struct wa_manager *m, const char *user, const char *const *groups,
                   struct wa_auth_answer *ret)
{
    *ret = (struct wa_auth_answer){.password_ok = false};
    wa_lock_take(m->lock);
    const struct wa_auth_known *k = slot_of(m, user);
    for (size_t i = 0; is_valid(k, user) && groups[i] != NULL; i++)
        ret->in_group[i] = has_line(wa_buf_sv(&k->groups), groups[i]);
    wa_lock_give(m->lock);
}

/* A wrong password, too: then nothing is known any more. */
static void remember(struct wa_manager *m, const char *user, const char *const *groups,
                     const struct wa_auth_answer *a)
{
    wa_lock_take(m->lock);
    struct wa_auth_known *k = slot_of(m, user);
    wa_buf_fini(&k->groups);
    wa_buf_init(&k->groups, WA_ROLE_AUTH_MAX);
    for (size_t i = 0; a->password_ok && groups[i] != NULL; i++)
        if (a->in_group[i])
            wa_buf_addf(&k->groups, "%s\n", groups[i]);
    bool is_kept = a->password_ok && k->groups.failed == WA_OK;
    (void)snprintf(k->user, sizeof k->user, "%s", user);
    k->until_ms = is_kept ? wa_clock_mono_ms() + (uint64_t)m->config.auth_grace_s * 1000 : 0;
    wa_lock_give(m->lock);
}

void wa_auth_forget(struct wa_manager *m)
{
    for (size_t i = 0; i < WA_AUTH_KNOWN_MAX; i++)
        wa_buf_fini(&m->known[i].groups);
}

/* --- a directory --- */

static enum wa_code ask_directory(struct wa_manager *m, const char *user, struct wa_sv password,
                                  const char *const *groups, struct wa_auth_answer *ret,
                                  struct wa_err *err)
{
    struct wa_tls_trust trust;
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_agent_directory_trust(&m->config, &pem, &trust, err) != WA_OK)
        return err->code;
    const struct wa_ldap_where where = {.servers = m->config.ldap_servers,
                                        .base = m->config.ldap_base,
                                        .is_ldaps = m->config.is_ldaps,
                                        .trust = &trust};
    return wa_helper_directory(m->launcher, &where, user, password, groups, ret, err);
}

/* --- the server --- */

/* The statement, signed, and where it goes. Another thread may exchange key and server meanwhile.
 */
static enum wa_code compose(struct wa_manager *m, const struct wa_login_msg *msg,
                            struct wa_buf *envelope, struct wa_server_call *call,
                            struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    struct wa_login_msg full = *msg;
    wa_buf_init(&text, WA_ROLE_AUTH_MAX);
    wa_lock_take(m->lock);
    full.uuid = wa_sv(m->uuid);
    full.time = wa_clock_now();
    enum wa_code code = m->key != NULL
                            ? wa_login_write(&full, &text, err)
                            : wa_fail(err, WA_E_CONFIG,
                                      "this machine is not registered: its server can't be asked "
                                      "who you are");
    if (code == WA_OK)
        code = wa_envelope_seal(wa_buf_sv(&text), m->key, envelope, err);
    if (code == WA_OK)
        code = wa_server_call_make(m, "/agent/v1/login", call, err);
    wa_lock_give(m->lock);
    return code;
}

static enum wa_code ask_server(struct wa_manager *m, const char *user, struct wa_sv password,
                               const char *const *groups, struct wa_auth_answer *ret,
                               struct wa_err *err)
{
    const struct wa_login_msg msg = {.user = wa_sv(user), .password = password, .groups = groups};
    WA_AUTO_BUF_SECRET struct wa_buf envelope;
    WA_AUTO_BUF struct wa_buf answer;
    WA_AUTO_SERVER_CALL struct wa_server_call call = {.url = ""};
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_login_answer a = {.is_right = false};
    const struct wa_json *j = NULL;
    wa_buf_init(&envelope, WA_FRONT_PERSON_MAX);
    wa_buf_init(&answer, ANSWER_MAX);
    wa_arena_init(&arena, 16 * ANSWER_MAX);
    if (compose(m, &msg, &envelope, &call, err) != WA_OK ||
        wa_server_call(m, &call, wa_buf_sv(&envelope), RELAY_MS, NULL, &answer, err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&answer), 0, &arena, &j, err) != WA_OK ||
        wa_login_answer_read(j, groups, &a, err) != WA_OK)
        return wa_wrap(err, "asking the server who you are");
    *ret = (struct wa_auth_answer){.password_ok = a.is_right};
    for (size_t i = 0; i < WA_COUNT(ret->in_group); i++)
        ret->in_group[i] = a.in_group[i];
    return WA_OK;
}

enum wa_code wa_auth_ask(struct wa_manager *m, const char *user, struct wa_sv password,
                         const char *const *groups, struct wa_auth_answer *ret, struct wa_err *err)
{
    bool is_agents = strcmp(m->config.auth_type, "waptagent-ldap") == 0;
    if (!wa_auth_needs_password(&m->config))
        return wa_helper_auth(m->launcher, user, password, groups, ret, err);
    if (password.p == NULL) {
        recall(m, user, groups, ret);
        return WA_OK;
    }
    *ret = (struct wa_auth_answer){.password_ok = false};
    if (password.n == 0) /* a bind as nobody, which directories let pass */
        return WA_OK;
    if ((is_agents ? ask_directory(m, user, password, groups, ret, err)
                   : ask_server(m, user, password, groups, ret, err)) != WA_OK)
        return err->code;
    remember(m, user, groups, ret);
    return WA_OK;
}
