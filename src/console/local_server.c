/* local_server.c - the session at the server: who is logged in, and how long it is kept.
 *
 * The session's token stays in struct wa_client: no page ever sees it.
 */
#include "base/mem.h"
#include "console/local_priv.h"

/* --- the session, shared with the jobs that use it --- */

static enum wa_code close_link(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local_link *link = job->own;
    WA_UNUSED(err);
    wa_client_set_stop(link->client, job->stop);
    wa_client_close(link->client);
    wa_free(link);
    return WA_OK;
}

void wa_local_link_release(struct wa_local *l, struct wa_local_link *link)
{
    if (link == NULL || --link->refs > 0)
        return;
    struct wa_local_job *job = link->client != NULL ? wa_local_job_new(l, NULL) : NULL;
    if (job == NULL) {
        wa_client_close(link->client);
        wa_free(link);
        return;
    }
    if (l->is_over || l->server.state == WA_LOCAL_UNREACHABLE)
        wa_stop_pull(job->stop); /* it expires by itself */
    job->is_own = true;
    job->own = link;
    job->work = close_link;
    wa_local_job_start(job);
}

static void drop_link(struct wa_local *l)
{
    struct wa_local_link *link = l->server.link;
    l->server.link = NULL;
    l->server.user[0] = l->server.role[0] = l->server.rights[0] = '\0';
    wa_local_link_release(l, link);
}

void wa_local_server_lost(struct wa_local *l, const struct wa_local_link *link)
{
    if (l->server.link != link || link == NULL)
        return;
    drop_link(l);
    l->server.state = WA_LOCAL_LOGIN;
}

void wa_local_server_write(struct wa_local *l, struct wa_jw *w)
{
    static const char *const states[] = {"unreachable", "unreachable", "pin", "login", "connected"};
    const struct wa_local_server *s = &l->server;
    wa_jw_obj(w);
    wa_jw_kv(w, "url", l->o->server);
    wa_jw_kv(w, "state", states[s->state]);
    wa_jw_kv(w, "user", s->link != NULL ? s->user : l->o->user);
    wa_jw_key(w, "roles");
    wa_jw_arr(w);
    if (s->role[0] != '\0')
        wa_jw_s(w, s->role);
    wa_jw_end(w);
    wa_jw_kv(w, "rights", s->rights);
    wa_jw_kv(w, "message", s->message);
    wa_jw_end(w);
}

/* --- logging in --- */

struct login {
    char user[256], role[64], rights[256];
    bool needs_code;
    struct wa_sv code;
    struct wa_local_link *link;
};

static enum wa_code give_code(void *user, struct wa_buf *out, struct wa_err *err)
{
    struct login *login = user;
    login->needs_code = login->code.n == 0;
    if (login->needs_code)
        return wa_fail(err, WA_E_AUTH, "the code of the second factor is needed");
    wa_buf_addsv(out, login->code);
    return wa_buf_check(out, err);
}

static void copy(const struct wa_json *j, const char *key, char *out, size_t size)
{
    struct wa_sv s = wa_json_sv(wa_json_get(j, key));
    if (s.n < size)
        (void)snprintf(out, size, "%.*s", WA_SV_ARG(s));
}

static enum wa_code ask_who(struct login *login, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (wa_client_call(login->link->client, "GET", "/api/v1/session", WA_SV(""), &arena, &j, err) !=
        WA_OK)
        return err->code;
    copy(j, "user", login->user, sizeof login->user);
    copy(j, "role", login->role, sizeof login->role);
    copy(j, "rights", login->rights, sizeof login->rights);
    return WA_OK;
}

static enum wa_code log_in(struct wa_local_job *job, struct wa_err *err)
{
    struct login *login = job->own;
    struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv password = WA_SV("");
    struct wa_sv user = WA_SV("");
    char name[256];
    wa_arena_init(&arena, 1u << 20);
    const struct wa_json_field fields[] = {{"user", WA_WANT_SV, true, sizeof name - 1, &user},
                                           {"password", WA_WANT_SV, true, 1024, &password},
                                           {"code", WA_WANT_SV, false, 64, &login->code}};
    if (wa_json_parse(wa_buf_sv(&job->in), 0, &arena, &j, err) == WA_OK &&
        wa_json_read(j, fields, WA_COUNT(fields), "the login", err) == WA_OK) {
        (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(user));
        const struct wa_client_options o = {.server = job->local->o->server,
                                            .trust = &job->trust,
                                            .user = name,
                                            .password = password,
                                            .ask_code = give_code,
                                            .ask_user = login,
                                            .stop = job->stop};
        if (wa_client_open(&o, &login->link->client, err) == WA_OK)
            (void)!ask_who(login, err);
    }
    wa_arena_fini_secret(&arena);
    return err->code;
}

static void logged_in(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local *l = job->local;
    struct login *login = job->own;
    if (err->code != WA_OK && login->needs_code) {
        wa_err_clear(err);
        wa_buf_adds(&job->out, "{\"needs\":\"code\"}");
        return;
    }
    if (err->code == WA_E_REFUSED)
        l->server.state = WA_LOCAL_UNKNOWN; /* its certificate, perhaps: asked again */
    if (err->code == WA_E_UNREACHABLE || err->code == WA_E_TIMEOUT)
        wa_local_server_doubt(l);
    wa_buf_adds(&job->out, "{}");
    if (err->code != WA_OK || wa_buf_check(&job->out, err) != WA_OK)
        return;
    drop_link(l);
    wa_local_server_heard(l);
    wa_client_set_stop(login->link->client, NULL); /* each job has its own */
    l->server.link = login->link;
    login->link = NULL;
    l->server.state = WA_LOCAL_CONNECTED;
    l->server.message[0] = '\0';
    memcpy(l->server.user, login->user, sizeof l->server.user);
    memcpy(l->server.role, login->role, sizeof l->server.role);
    memcpy(l->server.rights, login->rights, sizeof l->server.rights);
    wa_log(l->o->log, WA_LOG_INFO, "console.login", WA_LF_S("user", login->user));
}

static void login_fini(struct wa_local_job *job)
{
    struct login *login = job->own;
    if (login->link != NULL)
        wa_local_link_release(job->local, login->link);
    wa_free(login);
}

void wa_local_server_login(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    struct login *login = wa_calloc(1, sizeof *login);
    struct wa_local_link *link = wa_calloc(1, sizeof *link);
    if (job == NULL || login == NULL || link == NULL) {
        (void)wa_nomem(&err);
        wa_free(login);
        wa_free(link);
        if (job != NULL)
            wa_local_job_refuse(job, &err);
        return;
    }
    link->refs = 1;
    login->link = link;
    job->own = login;
    job->work = log_in;
    job->done = logged_in;
    job->fini = login_fini;
    wa_buf_addsv(&job->in, body);
    wa_local_job_start(job);
}

void wa_local_server_logout(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_UNUSED(body);
    drop_link(l);
    if (l->server.state == WA_LOCAL_CONNECTED)
        l->server.state = WA_LOCAL_LOGIN;
    wa_local_keys_sweep(l, true);
    wa_http_answer(c, 200, "application/json", WA_SV("{}"), NULL);
}
