/* api_health.c - whether the server can work, and how it is in numbers.
 *
 * Readiness is for whoever asks, so it says no more than the parts' names. Numbers are for a
 * configured address or somebody with the right: they tell how large an organisation is.
 */
#include "server/api.h"
#include "server/check.h"

#define SPACE_MIN (64u << 20) /* bytes: below, uploads and the database are about to fail */

/* --- readiness --- */

static bool has_database(struct wa_store *s)
{
    struct wa_stmt *q;
    struct wa_err away = WA_ERR_INIT;
    bool row = false;
    if (wa_db_is_lost(s->db) ||
        wa_db_prepare(s->db, "SELECT MAX(seq) FROM journal", &q, &away) != WA_OK ||
        wa_step(q, &row, &away) != WA_OK)
        return false;
    if (row)
        wa_reset(q);
    return true;
}

static bool has_space(const struct wa_store *s)
{
    uint64_t least = 0;
    unsigned percent = 0;
    wa_server_space(&s->child.config, &least, &percent);
    return least >= SPACE_MIN;
}

/* To all who have asked meanwhile. */
static void answer_ready(struct wa_store *s, bool has_signer)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_jw w;
    struct wa_store_request *r = s->ready_asked, *next;
    bool database = has_database(s), disk = has_space(s);
    bool is_ready = database && disk && has_signer;
    wa_buf_init(&out, 1024);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kvb(&w, "ready", is_ready);
    wa_jw_kvb(&w, "database", database);
    wa_jw_kvb(&w, "signer", has_signer);
    wa_jw_kvb(&w, "disk", disk);
    wa_jw_end(&w);
    for (s->ready_asked = NULL; r != NULL; r = next) {
        next = r->next;
        wa_store_answer(r, is_ready ? 200 : 503, wa_buf_sv(&out));
    }
}

static void on_signed(struct wa_store *s, void *user, struct wa_sv payload)
{
    WA_UNUSED(user);
    answer_ready(s, wa_sv_eqs(payload, "{\"ready\":true}"));
}

/* The signer is asked whether it is there: one such question at a time, and all who ask get its
 * answer. Nobody who asks often makes a balancer believe that the server is not ready. */
static enum wa_code call_ready(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    if (s->ready_asked == NULL &&
        wa_store_ask(s, WA_SR_SIGNER, WA_SV("{\"ready\":true}"), on_signed, NULL, err) != WA_OK)
        return err->code;
    c->request->next = s->ready_asked;
    s->ready_asked = c->request;
    c->is_later = true;
    return WA_OK;
}

/* --- numbers --- */

static bool is_configured(const struct wa_store *s, const char *peer)
{
    struct wa_sv rest = wa_sv(s->child.config.metrics_addresses), one;
    while (rest.n > 0 && wa_sv_split(&rest, ',', &one))
        if (wa_sv_eqs(one, peer))
            return true;
    return false;
}

static enum wa_code call_metrics(struct wa_api_call *c, struct wa_err *err)
{
    if (!is_configured(c->store, c->request->peer) &&
        (wa_api_find_caller(c, err) != WA_OK ||
         wa_api_need(c, WA_MAY_METRICS, "reading metrics", err) != WA_OK))
        return err->code;
    c->type = "metrics";
    return wa_metrics_write(c->store, c->out, err);
}

/* --- what fronts answer --- */

/* They stand in the table for the description: no front asks the store about them. */
static enum wa_code call_front(struct wa_api_call *c, struct wa_err *err)
{
    WA_UNUSED(c);
    return wa_fail(err, WA_E_NOT_FOUND, "a front answers this by itself");
}

/* --- the calls --- */

static const struct wa_api_route routes[] = {
    {"GET", "/ping", 0, true, call_front, "Version and identity of the server, as clients ask",
     NULL, NULL, "Ping"},
    {"GET", "/healthz", 0, true, call_front, "Whether a front answers", NULL, NULL, "Health"},
    {"GET", "/readyz", 0, true, call_ready, "Whether the server can work", NULL, NULL, "Ready"},
    {"GET", "/metrics", 0, true, call_metrics,
     "How the server is, for Prometheus: from a configured address, or with the right 'metrics'",
     NULL, NULL, "Metrics"},
};
const struct wa_api_resource wa_api_health_calls = {routes, WA_COUNT(routes)};
