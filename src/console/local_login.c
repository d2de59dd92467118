/* local_login.c - logging in at the server: by a password, by the person's Kerberos ticket, or by a
 * certificate whose key is unlocked here.
 *
 * A page names the way and, for a password, types it: neither ticket nor key nor session ever comes
 * near it. A session by certificate keeps its key for TLS until it ends, also when the key is
 * locked for signing meanwhile.
 */
#include "base/mem.h"
#include "console/local_priv.h"

struct login {
    struct wa_local_who who;
    struct wa_local_link *link;
    struct wa_arena arena; /* secret */
    struct wa_sv user, password, code;
    enum wa_client_way way;
    bool needs_code;
};

struct wa_local_link *wa_local_link_new(void)
{
    struct wa_local_link *link = wa_calloc(1, sizeof *link);
    if (link != NULL)
        link->refs = 1;
    return link;
}

static enum wa_code give_code(void *user, struct wa_buf *out, struct wa_err *err)
{
    struct login *login = user;
    login->needs_code = login->code.n == 0;
    if (login->needs_code)
        return wa_fail(err, WA_E_AUTH, "the code of the second factor is needed");
    wa_buf_addsv(out, login->code);
    return wa_buf_check(out, err);
}

static enum wa_code log_in(struct wa_local_job *job, struct wa_err *err)
{
    struct login *login = job->own;
    char name[256];
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(login->user));
    const struct wa_client_options o = {.server = job->local->o->server,
                                        .trust = &job->trust,
                                        .proxy = job->local->o->proxy,
                                        .user = name,
                                        .password = login->password,
                                        .way = login->way,
                                        .ask_code = give_code,
                                        .ask_user = login,
                                        .stop = job->stop};
    return wa_client_open(&o, &login->link->client, err) == WA_OK
               ? wa_local_server_who(job, login->link->client, &login->who, err)
               : err->code;
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
    wa_local_server_refused(l, err);
    wa_buf_adds(&job->out, "{}");
    if (err->code != WA_OK || wa_buf_check(&job->out, err) != WA_OK)
        return;
    wa_local_oidc_stop(l);
    wa_local_server_entered(l, login->link, &login->who);
    login->link = NULL;
}

static void login_fini(struct wa_local_job *job)
{
    struct login *login = job->own;
    if (login->link != NULL)
        wa_local_link_release(job->local, login->link);
    wa_arena_fini_secret(&login->arena);
    wa_cert_free(job->trust.own);
    wa_key_free(job->trust.own_key);
    job->trust.own = NULL;
    job->trust.own_key = NULL;
    wa_free(login);
}

/* The certificate by which the job shows itself: its key is unlocked. */
static enum wa_code show_key(struct wa_local_job *job, struct wa_sv id, struct wa_err *err)
{
    struct wa_local_key *k = wa_local_key_find(job->local, id);
    if (k == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no such key");
    if (!wa_local_key_is_open(k))
        return wa_fail(err, WA_E_CONFLICT, "the key is locked: unlock it first");
    job->trust.own = wa_cert_ref(k->chain.items[0]);
    job->trust.own_key = wa_key_ref(k->key);
    return WA_OK;
}

static enum wa_code read_login(struct wa_local_job *job, struct wa_sv body, struct wa_err *err)
{
    struct login *login = job->own;
    const struct wa_json *j = NULL;
    struct wa_sv way = WA_SV("password"), key = WA_SV("");
    const struct wa_json_field fields[] = {
        {"way", WA_WANT_SV, false, 16, &way},
        {"user", WA_WANT_SV, false, sizeof login->who.user - 1, &login->user},
        {"password", WA_WANT_SV, false, 1024, &login->password},
        {"code", WA_WANT_SV, false, 64, &login->code},
        {"key", WA_WANT_SV, false, 16, &key}};
    if (wa_json_parse(body, 0, &login->arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the login", err) != WA_OK)
        return err->code;
    if (wa_sv_eqs(way, "password"))
        login->way = WA_CLIENT_PASSWORD;
    else if (wa_sv_eqs(way, "kerberos"))
        login->way = WA_CLIENT_KERBEROS;
    else if (wa_sv_eqs(way, "certificate"))
        login->way = WA_CLIENT_CERTIFICATE;
    else
        return wa_fail(err, WA_E_INVALID, "nobody logs in that way");
    return login->way == WA_CLIENT_CERTIFICATE ? show_key(job, key, err) : WA_OK;
}

void wa_local_login(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    struct login *login = job == NULL ? NULL : wa_calloc(1, sizeof *login);
    if (job == NULL)
        return;
    if (login == NULL) {
        (void)wa_nomem(&err);
        wa_local_job_refuse(job, &err);
        return;
    }
    wa_arena_init(&login->arena, 1u << 20);
    login->link = wa_local_link_new();
    job->own = login;
    job->work = log_in;
    job->done = logged_in;
    job->fini = login_fini;
    if (login->link == NULL)
        (void)wa_nomem(&err);
    if (err.code != WA_OK || read_login(job, body, &err) != WA_OK)
        wa_local_job_refuse(job, &err);
    else
        wa_local_job_start(job);
}
