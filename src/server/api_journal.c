/* api_journal.c - the journal, for those who look after people, and its head, for everybody: a
 * console keeps the head it has seen, and asks the next time what became of it.
 */
#include "server/api.h"

#define PAGE 1000
#define PAGE_MAX 5000

static enum wa_code write_row(void *user, const struct wa_journal_row *r, struct wa_err *err)
{
    struct wa_jw *w = user;
    wa_jw_obj(w);
    wa_jw_kvi(w, "seq", r->seq);
    wa_jw_kvi(w, "at", r->at);
    wa_jw_kv(w, "digest", r->digest);
    wa_jw_kvsv(w, "entry", r->text);
    wa_jw_end(w);
    return wa_buf_check(w->out, err);
}

static enum wa_code call_journal(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_jw w;
    int64_t after = 0, limit = PAGE;
    const char *node = c->store->child.config.node;
    if (wa_api_number(c, "after", 0, INT64_MAX, &after, err) != WA_OK ||
        wa_api_number(c, "limit", 1, PAGE_MAX, &limit, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "node", node);
    wa_jw_key(&w, "entries");
    wa_jw_arr(&w);
    enum wa_code code =
        wa_server_journal_read(c->store->db, node, after, limit, write_row, &w, err);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return code;
}

static enum wa_code call_journal_head(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_journal_head head;
    struct wa_jw w;
    char digest[WA_JOURNAL_DIGEST];
    struct wa_err missing = WA_ERR_INIT;
    int64_t seen = 0;
    const char *node = c->store->child.config.node;
    if (wa_api_number(c, "seen", 1, INT64_MAX, &seen, err) != WA_OK ||
        wa_server_journal_head(c->store->db, node, &head, err) != WA_OK)
        return err->code;
    enum wa_code code = seen == 0
                            ? WA_E_NOT_FOUND
                            : wa_server_journal_digest(c->store->db, node, seen, digest, &missing);
    if (code != WA_OK && code != WA_E_NOT_FOUND)
        return wa_fail(err, code, "%s", missing.text);
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "node", node);
    wa_jw_kvi(&w, "seq", head.seq);
    wa_jw_kv(&w, "digest", head.digest);
    if (code == WA_OK)
        wa_jw_kv(&w, "seen", digest);
    wa_jw_end(&w);
    return WA_OK;
}

/* --- the calls --- */

static const struct wa_api_param journal_params[] = {
    {"after", "Only entries after this one", true},
    {"limit", "At most so many, 1,000 if not said", true},
    {NULL, NULL, false}};
static const struct wa_api_param head_params[] = {
    {"seen", "An entry seen before: what its digest is now", true}, {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/journal", WA_MAY_PEOPLE, false, call_journal, "What was done, by whom",
     journal_params, NULL, "Journal"},
    {"GET", "/api/v1/journal/head", WA_MAY_VIEW, false, call_journal_head,
     "The newest entry of the journal, by its digest", head_params, NULL, "JournalHead"},
};
const struct wa_api_resource wa_api_journal_calls = {routes, WA_COUNT(routes)};
