/* local_server.c - the session at the server: who is logged in, and how long it is kept
 * (local_login.c and local_oidc.c begin it).
 *
 * The session's token stays in struct wa_client: no page ever sees it.
 */
#include "base/mem.h"
#include "console/journal_seen.h"
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
    l->server.who = (struct wa_local_who){.user = ""};
    wa_local_link_release(l, link);
}

void wa_local_server_lost(struct wa_local *l, const struct wa_local_link *link)
{
    if (l->server.link != link || link == NULL)
        return;
    drop_link(l);
    l->server.state = WA_LOCAL_LOGIN;
}

void wa_local_server_entered(struct wa_local *l, struct wa_local_link *link,
                             const struct wa_local_who *who)
{
    struct wa_local_server *s = &l->server;
    drop_link(l);
    wa_client_set_stop(link->client, NULL); /* each job has its own */
    s->link = link;
    s->who = *who;
    wa_local_server_heard(l);
    wa_log(l->o->log, WA_LOG_INFO, "console.login", WA_LF_S("user", who->user));
}

void wa_local_server_refused(struct wa_local *l, const struct wa_err *err)
{
    if (err->code == WA_E_REFUSED)
        l->server.state = WA_LOCAL_UNKNOWN; /* its certificate, perhaps: asked again */
    if (err->code == WA_E_UNREACHABLE || err->code == WA_E_TIMEOUT)
        wa_local_server_doubt(l);
}

static void copy(const struct wa_json *j, const char *key, char *out, size_t size)
{
    struct wa_sv s = wa_json_sv(wa_json_get(j, key));
    if (s.n < size)
        (void)snprintf(out, size, "%.*s", WA_SV_ARG(s));
}

/* As each login of a command's. */
static void look_at_journal(const struct wa_local_job *job, struct wa_client *c,
                            struct wa_local_who *who)
{
    WA_AUTO_BUF struct wa_buf warning;
    wa_buf_init(&warning, 16384);
    wa_journal_seen_warn(c, job->local->o->server, &warning);
    (void)snprintf(who->journal, sizeof who->journal, "%s",
                   warning.n > 0 ? wa_buf_str(&warning) : "");
}

enum wa_code wa_local_server_who(const struct wa_local_job *job, struct wa_client *c,
                                 struct wa_local_who *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (wa_client_call(c, "GET", "/api/v1/session", WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    *ret = (struct wa_local_who){.user = ""};
    copy(j, "user", ret->user, sizeof ret->user);
    copy(j, "role", ret->role, sizeof ret->role);
    copy(j, "rights", ret->rights, sizeof ret->rights);
    ret->has_factor = wa_json_bool(wa_json_get(j, "second_factor"));
    ret->lacks_factor = wa_json_bool(wa_json_get(j, "lacks_second_factor"));
    if (!ret->lacks_factor) /* else nothing may be asked */
        look_at_journal(job, c, ret);
    return WA_OK;
}

void wa_local_server_write(struct wa_local *l, struct wa_jw *w)
{
    static const char *const states[] = {"unreachable", "unreachable", "pin", "login", "connected"};
    const struct wa_local_server *s = &l->server;
    wa_jw_obj(w);
    wa_jw_kv(w, "url", l->o->server);
    wa_jw_kv(w, "state", states[s->state]);
    wa_jw_kv(w, "user", s->link != NULL ? s->who.user : l->o->user);
    wa_jw_key(w, "roles");
    wa_jw_arr(w);
    if (s->who.role[0] != '\0')
        wa_jw_s(w, s->who.role);
    wa_jw_end(w);
    wa_jw_kv(w, "rights", s->who.rights);
    wa_jw_kvb(w, "second_factor", s->who.has_factor);
    wa_jw_kvb(w, "lacks_second_factor", s->who.lacks_factor);
    wa_jw_kv(w, "journal", s->who.journal[0] != '\0' ? s->who.journal : NULL);
    wa_jw_kv(w, "login", l->o->login);
    wa_jw_kv(w, "message", s->message);
    wa_jw_key(w, "ways");
    wa_jw_obj(w);
    wa_jw_kvb(w, "password", true);
    wa_jw_kvb(w, "oidc", s->ways.oidc);
    wa_jw_kvb(w, "certificate", s->ways.certificate);
    wa_jw_kvb(w, "kerberos", s->ways.kerberos);
    wa_jw_end(w);
    wa_jw_end(w);
}

void wa_local_server_logout(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_UNUSED(body);
    wa_local_oidc_stop(l);
    drop_link(l);
    if (l->server.state == WA_LOCAL_CONNECTED)
        l->server.state = WA_LOCAL_LOGIN;
    wa_local_keys_sweep(l, true);
    wa_http_answer(c, 200, "application/json", WA_SV("{}"), NULL);
}
