/* api_journal.c - the journal, for those who look after people, and its head, for everybody: a
 * console keeps the head it has seen, and asks the next time what became of it.
 */
#include "server/api_page.h"

#define PAGE 1000
#define PAGE_MAX 5000

struct page {
    struct wa_jw w;
    int64_t left, last; /* rows, and the last one's number */
    bool has_more;
};

static enum wa_code write_row(void *user, const struct wa_journal_row *r, struct wa_err *err)
{
    struct page *p = user;
    struct wa_jw *w = &p->w;
    if (p->left-- == 0) {
        p->has_more = true;
        return WA_OK;
    }
    p->last = r->seq;
    wa_jw_obj(w);
    wa_jw_kvi(w, "seq", r->seq);
    wa_jw_kvi(w, "at", r->at);
    wa_jw_kv(w, "digest", r->digest);
    wa_jw_kvsv(w, "entry", r->text);
    wa_jw_end(w);
    return wa_buf_check(w->out, err);
}

/* The chain that is asked for: this server's, unless the query names another. */
static enum wa_code read_node(const struct wa_api_call *c, char *out, size_t size,
                              struct wa_err *err)
{
    if (wa_api_text(c, "node", out, size, err) == WA_OK && out[0] == '\0')
        (void)snprintf(out, size, "%s", c->store->child.config.node);
    return err->code;
}

static enum wa_code call_journal(struct wa_api_call *c, struct wa_err *err)
{
    struct page p = {.left = 0};
    struct wa_jw *w = &p.w;
    int64_t after = 0, limit = PAGE;
    char node[WA_JOURNAL_NODE];
    if (read_node(c, node, sizeof node, err) != WA_OK ||
        wa_api_number(c, "after", 0, INT64_MAX, &after, err) != WA_OK ||
        wa_api_number(c, "limit", 1, PAGE_MAX, &limit, err) != WA_OK)
        return err->code;
    p.left = limit;
    wa_jw_init(w, c->out);
    wa_jw_obj(w);
    wa_jw_kv(w, "node", node);
    wa_jw_key(w, "entries");
    wa_jw_arr(w);
    enum wa_code code =
        wa_server_journal_read(c->store->db, node, after, limit + 1, write_row, &p, err);
    wa_jw_end(w);
    if (p.has_more)
        wa_api_page_next_number(w, p.last);
    wa_jw_end(w);
    return code;
}

static enum wa_code write_chains(struct wa_db *db, struct wa_jw *w, struct wa_err *err)
{
    struct wa_journal_links chains = {0};
    wa_jw_key(w, "chains");
    wa_jw_arr(w);
    enum wa_code code = wa_server_journal_chains(db, &chains, err);
    for (size_t i = 0; code == WA_OK && i < chains.n; i++) {
        struct wa_journal_head head;
        code = wa_server_journal_head(db, chains.items[i].node, &head, err);
        if (code != WA_OK)
            break;
        wa_jw_obj(w);
        wa_jw_kv(w, "node", chains.items[i].node);
        wa_jw_kvi(w, "seq", head.seq);
        wa_jw_kv(w, "digest", head.digest);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    WA_VEC_FREE(&chains);
    return code;
}

/* The digest of an entry, also of the one after which the chain goes on; *ret_found false: it is
 * not there. */
static enum wa_code digest_of(struct wa_db *db, const char *node, int64_t seq,
                              const struct wa_journal_head *base, char *digest, bool *ret_found,
                              struct wa_err *err)
{
    struct wa_err missing = WA_ERR_INIT;
    enum wa_code code = WA_OK;
    *ret_found = false;
    if (seq == 0)
        return WA_OK;
    if (seq == base->seq)
        memcpy(digest, base->digest, sizeof base->digest);
    else
        code = wa_server_journal_digest(db, node, seq, digest, &missing);
    *ret_found = code == WA_OK;
    return code == WA_OK || code == WA_E_NOT_FOUND ? WA_OK : wa_fail(err, code, "%s", missing.text);
}

static enum wa_code call_journal_head(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_db *db = c->store->db;
    struct wa_journal_head head, base;
    struct wa_jw w;
    char node[WA_JOURNAL_NODE], digest[WA_JOURNAL_DIGEST];
    bool has_seen = false;
    int64_t seen = 0;
    if (read_node(c, node, sizeof node, err) != WA_OK ||
        wa_api_number(c, "seen", 1, INT64_MAX, &seen, err) != WA_OK ||
        wa_server_journal_head(db, node, &head, err) != WA_OK ||
        wa_server_journal_base(db, node, &base, err) != WA_OK ||
        digest_of(db, node, seen, &base, digest, &has_seen, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "node", node);
    wa_jw_kvi(&w, "seq", head.seq);
    wa_jw_kv(&w, "digest", head.digest);
    wa_jw_kvi(&w, "trimmed", base.seq);
    if (has_seen)
        wa_jw_kv(&w, "seen", digest);
    enum wa_code code = write_chains(db, &w, err);
    wa_jw_end(&w);
    return code;
}

/* --- the calls --- */

static const struct wa_api_param journal_params[] = {
    {"node", "The chain of this server, if not of the one that is asked", false},
    WA_API_PAGE_PARAMS,
    {NULL, NULL, false}};
static const struct wa_api_param head_params[] = {
    {"node", "The chain of this server, if not of the one that is asked", false},
    {"seen", "An entry seen before: what its digest is now", true},
    {NULL, NULL, false}};

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/journal", WA_MAY_PEOPLE, false, call_journal, "What was done, by whom",
     journal_params, NULL, "Journal"},
    {"GET", "/api/v1/journal/head", WA_MAY_VIEW, false, call_journal_head,
     "The newest entry of the journal, by its digest", head_params, NULL, "JournalHead"},
};
const struct wa_api_resource wa_api_journal_calls = {routes, WA_COUNT(routes)};
