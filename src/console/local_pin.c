/* local_pin.c - the server's certificate, shown to a person who has seen it nowhere yet, and kept
 * when he says, outside the page, that it is the right one.
 *
 * Where one is kept already, another is never taken by way of a page: the server has a new one, or
 * somebody stands in between, and only a person who looks into it can tell.
 */
#include "base/date.h"
#include "base/mem.h"
#include "codec/url.h"
#include "console/local_priv.h"
#include "os/clock.h"

struct look {
    struct wa_cert *cert;
    struct wa_err why; /* not trusted: the reason */
    char sha256[65];   /* what a page says that it has shown; "": it only asks */
    char was[65];
};

static enum wa_code look(struct wa_local_job *job, struct wa_err *err)
{
    struct look *k = job->own;
    struct wa_url url;
    if (wa_tls_look(job->local->o->server, job->local->o->proxy, job->stop, &url, &k->cert, err) !=
        WA_OK)
        return err->code;
    return wa_local_server_ask(job, NULL, &k->why) == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
}

static void look_fini(struct wa_local_job *job)
{
    struct look *k = job->own;
    wa_cert_free(k->cert);
    wa_free(k);
}

/* "AB12 CD34 ...": as people compare it. */
static void group(const char *hex, char out[96])
{
    size_t n = 0;
    for (size_t i = 0; hex[i] != '\0' && i < 64; i++) {
        if (i > 0 && i % 4 == 0)
            out[n++] = ' ';
        out[n++] = (char)(hex[i] >= 'a' ? hex[i] - 'a' + 'A' : hex[i]);
    }
    out[n] = '\0';
}

static bool is_changed(const struct look *k)
{
    return k->was[0] != '\0' && strcmp(k->was, wa_cert_fingerprint(k->cert)) != 0;
}

static bool is_of_today(const struct wa_cert *c)
{
    int64_t now = wa_clock_now();
    return wa_cert_not_before(c) <= now && now <= wa_cert_not_after(c);
}

static void write_look(const struct wa_local *l, const struct look *k, struct wa_buf *out)
{
    char grouped[96];
    struct wa_jw w;
    group(wa_cert_fingerprint(k->cert), grouped);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "server", l->o->server);
    wa_jw_kv(&w, "subject", wa_cert_subject(k->cert));
    wa_jw_kv(&w, "issuer", wa_cert_issuer(k->cert));
    wa_jw_kvi(&w, "not_before", wa_cert_not_before(k->cert));
    wa_jw_kvi(&w, "not_after", wa_cert_not_after(k->cert));
    wa_jw_kv(&w, "sha256", wa_cert_fingerprint(k->cert));
    wa_jw_kv(&w, "grouped", grouped);
    wa_jw_kvb(&w, "trusted", k->why.code == WA_OK);
    wa_jw_kv(&w, "reason", k->why.text);
    wa_jw_kvb(&w, "changed", is_changed(k));
    if (is_changed(k))
        wa_jw_kv(&w, "was", k->was);
    wa_jw_end(&w);
}

static void was_asked(void *user, const struct wa_err *err)
{
    struct wa_local *l = user;
    struct wa_local_pin *pin = &l->pin;
    pin->is_asking = false;
    pin->why = *err;
    if (err->code != WA_OK || l->o->on_pin(l->o->user_data, pin->sha256, &pin->why) != WA_OK)
        return;
    memcpy(l->server.trust.fingerprint, pin->sha256, sizeof l->server.trust.fingerprint);
    l->server.trust.system_cas = false;
    l->server.state = WA_LOCAL_UNKNOWN;
    wa_log(l->o->log, WA_LOG_WARNING, "console.pinned", WA_LF_S("sha256", pin->sha256));
}

static enum wa_code question(struct wa_local *l, const struct look *k, struct wa_buf *text,
                             struct wa_err *err)
{
    char from[WA_DATE_MAX], until[WA_DATE_MAX], grouped[96];
    wa_date_rfc3339(wa_cert_not_before(k->cert), from);
    wa_date_rfc3339(wa_cert_not_after(k->cert), until);
    group(wa_cert_fingerprint(k->cert), grouped);
    wa_buf_addf(text, wa_text("Trust this certificate as that of %s, from now on?"), l->o->server);
    wa_buf_addf(text, "\n  %s\n  %s\n  %s - %s\n  SHA-256 %s\n", wa_cert_subject(k->cert),
                wa_cert_issuer(k->cert), from, until, grouped);
    return wa_buf_check(text, err);
}

static void looked(struct wa_local_job *job, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_local *l = job->local;
    struct look *k = job->own;
    struct wa_local_pin *pin = &l->pin;
    char waiting[WA_LOCAL_WAITING];
    wa_buf_init(&text, 64u << 10);
    if (err->code != WA_OK)
        return;
    if (k->sha256[0] == '\0') {
        write_look(l, k, &job->out);
    } else if (is_changed(k)) {
        (void)wa_fail(err, WA_E_REFUSED,
                      "the server shows another certificate than the one that is kept: somebody "
                      "stands in between, or it has a new one. Find out which before you change "
                      "server_fingerprint in waptconsole.ini");
    } else if (strcmp(k->sha256, wa_cert_fingerprint(k->cert)) != 0) {
        (void)wa_fail(err, WA_E_CONFLICT, "the server shows another certificate by now");
    } else if (k->why.code == WA_E_REFUSED && !is_of_today(k->cert)) {
        *err = k->why; /* nor would it be trusted when it is kept */
    } else if (k->why.code == WA_OK) {
        wa_buf_adds(&job->out, "{\"state\":\"done\"}");
    } else if (question(l, k, &text, err) == WA_OK &&
               wa_local_confirm(l, wa_buf_sv(&text), was_asked, l, err) == WA_OK) {
        memcpy(pin->sha256, k->sha256, sizeof pin->sha256);
        pin->is_asking = true;
        wa_local_confirm_waiting(l, waiting);
        wa_buf_adds(&job->out, waiting);
        job->status = 202;
    }
}

/* sha256 empty: only to show it. */
static void start(struct wa_local *l, struct wa_http_conn *c, struct wa_sv sha256)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    struct look *k = job == NULL ? NULL : wa_calloc(1, sizeof *k);
    if (job == NULL)
        return;
    if (k == NULL) {
        (void)wa_nomem(&err);
        wa_local_job_refuse(job, &err);
        return;
    }
    (void)snprintf(k->sha256, sizeof k->sha256, "%.*s", WA_SV_ARG(sha256));
    memcpy(k->was, job->trust.fingerprint, sizeof k->was);
    job->own = k;
    job->fini = look_fini;
    job->work = look;
    job->done = looked;
    wa_local_job_start(job);
}

void wa_local_pin_show(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_UNUSED(body);
    start(l, c, WA_SV(""));
}

void wa_local_pin_set(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    struct wa_sv sha256 = WA_SV("");
    struct wa_local_pin *pin = &l->pin;
    const struct wa_json_field fields[] = {{"sha256", WA_WANT_SV, true, 64, &sha256}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(body, 0, &arena, &j, &err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the request", &err) != WA_OK) {
        wa_http_answer_err(c, &err);
    } else if (sha256.n != 64) {
        (void)wa_fail(&err, WA_E_INVALID, "a certificate is named by its SHA-256, 64 digits");
        wa_http_answer_err(c, &err);
    } else if (wa_sv_eqs(sha256, pin->sha256) && pin->is_asking) {
        wa_http_answer(c, 202, "application/json", WA_SV("{\"state\":\"gesture\"}"), NULL);
    } else if (wa_sv_eqs(sha256, pin->sha256) && pin->why.code != WA_OK) {
        wa_http_answer_err(c, &pin->why);
        pin->sha256[0] = '\0'; /* told once; then it may be asked again */
    } else {
        start(l, c, sha256);
    }
}
