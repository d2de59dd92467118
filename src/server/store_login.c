/* store_login.c - who people are to the directory, as machines ask (service_auth_type =
 * waptserver-ldap).
 *
 * A machine that was taken over could ask as well, to guess passwords or to lock people out: each
 * machine and each person has a counter of wrong ones. What the directory says about somebody with
 * a wrong password is for our log alone. A password is kept nowhere and logged nowhere.
 */
#include "base/mem.h"
#include "net/ldap.h"
#include "os/clock.h"
#include "proto/login.h"
#include "server/login_directory.h"
#include "server/store_priv.h"

#define ASKED_MAX 16u         /* each may take the directory's time-out */
#define MEMORY_MAX (8u << 20) /* bytes: a statement as a tree of nodes, twice */

/* --- asking the directory --- */

struct asking {
    wa_store_reply_fn fn;
    void *user;
};

static void on_answer(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct asking *a = user;
    s->asked--;
    a->fn(s, a->user, payload);
    wa_free(a);
}

static void write_question(const struct wa_directory_who *who, struct wa_sv password,
                           const char *const *groups, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "user", who->user);
    if (who->sid != NULL)
        wa_jw_kv(&w, "sid", who->sid);
    if (password.p != NULL)
        wa_jw_kvsv(&w, "password", password);
    else
        wa_jw_kvb(&w, "check", true);
    wa_jw_key(&w, "groups");
    wa_jw_arr(&w);
    for (size_t i = 0; groups[i] != NULL; i++)
        wa_jw_s(&w, groups[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

enum wa_code wa_store_ask_directory(struct wa_store *s, const struct wa_directory_who *who,
                                    struct wa_sv password, const char *const *groups,
                                    wa_store_reply_fn fn, void *data, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf question;
    wa_buf_init(&question, WA_FRONT_PERSON_MAX);
    if (s->child.config.ldap_servers[0] == '\0')
        return wa_fail(err, WA_E_DENIED,
                       "this server knows no directory: set ldap_auth_server in its configuration");
    if (s->asked >= ASKED_MAX)
        return wa_fail(err, WA_E_BUSY, "too many are logging in: try again in a minute");
    write_question(who, password, groups, &question);
    if (wa_buf_check(&question, err) != WA_OK)
        return err->code;
    struct asking *a = wa_calloc(1, sizeof *a);
    if (a == NULL)
        return wa_nomem(err);
    *a = (struct asking){fn, data};
    if (wa_store_ask(s, WA_SR_DIRECTORY, wa_buf_sv(&question), on_answer, a, err) != WA_OK) {
        wa_free(a);
        return err->code;
    }
    s->asked++;
    return WA_OK;
}

/* --- a machine's question --- */

struct login {
    struct wa_store_request *request;
    struct wa_arena arena;
    struct wa_login_msg msg;
    char uuid[WA_UUID_MAX + 1];
    char person[WA_PAM_USER_MAX + 1]; /* the name in the one form in which it is counted */
};

static void login_free(struct login *l)
{
    wa_arena_fini(&l->arena);
    wa_free(l);
}

static enum wa_code read_answer(const struct login *l, struct wa_sv payload,
                                struct wa_login_answer *ret, char reason[WA_LDAP_REASON_MAX],
                                struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL, *groups = NULL;
    struct wa_sv why = {0};
    const struct wa_json_field fields[] = {
        {"right", WA_WANT_BOOL, true, 0, &ret->is_right},
        {"groups", WA_WANT_ARRAY, true, WA_AUTH_GROUPS_MAX, &groups},
        {"reason", WA_WANT_SV, true, WA_LDAP_REASON_MAX - 1, &why},
    };
    wa_arena_init(&arena, MEMORY_MAX);
    if (wa_json_answer(payload, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the directory's answer", err) != WA_OK)
        return err->code;
    (void)snprintf(reason, WA_LDAP_REASON_MAX, "%.*s", WA_SV_ARG(why));
    for (size_t i = 0; l->msg.groups[i] != NULL; i++)
        for (size_t k = 0; k < wa_json_count(groups); k++)
            ret->in_group[i] =
                ret->in_group[i] || wa_sv_eqs(wa_json_sv(wa_json_at(groups, k)), l->msg.groups[i]);
    return WA_OK;
}

static void log_decision(const struct login *l, bool is_right, const char *why)
{
    wa_log(&l->request->store->child.log, is_right ? WA_LOG_INFO : WA_LOG_WARNING,
           is_right ? "person.known" : "person.refused", WA_LF_S("user", l->person),
           WA_LF_S("uuid", l->uuid), WA_LF_S("peer", l->request->peer), WA_LF_S("why", why));
}

static void on_directory(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct login *l = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_login_answer a = {.is_right = false};
    char reason[WA_LDAP_REASON_MAX] = "";
    WA_AUTO_BUF struct wa_buf body;
    wa_buf_init(&body, WA_FRONT_PERSON_MAX);
    if (read_answer(l, payload, &a, reason, &err) == WA_OK) {
        if (a.is_right)
            wa_throttle_good(&s->persons, l->uuid, l->person);
        log_decision(l, a.is_right, reason);
        wa_login_answer_write(&a, l->msg.groups, &body);
        wa_store_answer(l->request, 200, wa_buf_sv(&body));
    } else {
        if (wa_store_ended_before(payload))
            wa_throttle_back(&s->persons, l->uuid, l->person);
        log_decision(l, false, err.text);
        wa_store_answer_err(l->request, &err);
    }
    login_free(l);
}

static enum wa_code start(struct login *l, struct wa_err *err)
{
    struct wa_store *s = l->request->store;
    struct wa_envelope e;
    if (wa_envelope_parse(wa_buf_sv(&l->request->body), WA_PURPOSE_LOGIN, &l->arena, &e, err) !=
            WA_OK ||
        wa_login_read(e.statement, &l->arena, &l->msg, err) != WA_OK ||
        wa_store_check_sender(s, &e, l->request->machine, l->msg.uuid, l->msg.time, err) != WA_OK)
        return err->code;
    (void)snprintf(l->uuid, sizeof l->uuid, "%.*s", WA_SV_ARG(l->msg.uuid));
    wa_directory_name(l->msg.user, l->person);
    if (wa_throttle_begin(&s->persons, l->uuid, l->person, wa_clock_now(), err) != WA_OK)
        return err->code;
    const struct wa_directory_who who = {l->msg.user, NULL};
    if (wa_store_ask_directory(s, &who, l->msg.password, l->msg.groups, on_directory, l, err) !=
        WA_OK)
        wa_throttle_back(&s->persons, l->uuid, l->person); /* nobody has looked at it */
    return err->code;
}

void wa_store_login(struct wa_store_request *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct login *l = wa_calloc(1, sizeof *l);
    if (l == NULL) {
        (void)wa_nomem(&err);
        wa_store_answer_err(r, &err);
        return;
    }
    l->request = r;
    wa_arena_init(&l->arena, MEMORY_MAX);
    if (start(l, &err) == WA_OK)
        return;
    log_decision(l, false, err.text);
    wa_store_refuse_sender(r, &err);
    login_free(l);
}
