/* journal.c - the chain of what was done: adding, reading, verifying.
 *
 * One appender a node: the store, or a command beside it, each inside a transaction that holds the
 * database's write lock.
 */
#include "server/journal.h"

#include "base/buf.h"
#include "base/mem.h"
#include "crypto/digest.h"
#include "os/clock.h"

/* sql: a row of the node's, sequence number and digest. */
static enum wa_code read_head(struct wa_db *db, const char *sql, const char *node,
                              struct wa_journal_head *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    struct wa_journal_head h = {.seq = 0, .digest = WA_JOURNAL_FIRST};
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, node);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row) {
        h.seq = wa_col_i64(s, 0);
        wa_col_text(s, 1, h.digest, sizeof h.digest);
        wa_reset(s);
    }
    *ret = h;
    return WA_OK;
}

enum wa_code wa_server_journal_head(struct wa_db *db, const char *node, struct wa_journal_head *ret,
                                    struct wa_err *err)
{
    return read_head(db, "SELECT seq, digest FROM journal WHERE node = ? ORDER BY seq DESC LIMIT 1",
                     node, ret, err);
}

enum wa_code wa_server_journal_base(struct wa_db *db, const char *node, struct wa_journal_head *ret,
                                    struct wa_err *err)
{
    return read_head(db, "SELECT seq, digest FROM journal_bases WHERE node = ?", node, ret, err);
}

static enum wa_code insert(struct wa_db *db, const char *node, int64_t seq, int64_t at,
                           const char *digest, struct wa_sv text, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO journal (node, seq, at, digest, entry) VALUES (?, ?, ?, ?, ?)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, node);
    wa_bind_i64(s, 1, seq);
    wa_bind_i64(s, 2, at);
    wa_bind_s(s, 3, digest);
    wa_bind_sv(s, 4, text);
    return wa_run(s, err);
}

static void write_act(const struct wa_journal_act *a, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "act", a->act);
    wa_jw_kvsv(&w, "user", a->user);
    wa_jw_kv(&w, "peer", a->peer);
    wa_jw_key(&w, "what");
    wa_jw_obj(&w);
    for (size_t i = 0; i < WA_JOURNAL_FIELDS && a->what[i].key != NULL; i++)
        wa_jw_kvsv(&w, a->what[i].key, a->what[i].value);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

enum wa_code wa_server_journal_add(struct wa_db *db, const char *node,
                                   const struct wa_journal_act *a, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_journal_head head;
    char digest[WA_JOURNAL_DIGEST];
    int64_t now = wa_clock_now();
    wa_buf_init(&text, WA_JOURNAL_ENTRY_MAX);
    write_act(a, &text);
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_server_journal_head(db, node, &head, err) != WA_OK ||
        wa_journal_digest_of(wa_sv(node), head.seq + 1, now, head.digest, wa_buf_sv(&text), digest,
                             err) != WA_OK ||
        insert(db, node, head.seq + 1, now, digest, wa_buf_sv(&text), err) != WA_OK)
        return wa_wrap(err, "writing the journal");
    return WA_OK;
}

enum wa_code wa_server_journal_digest(struct wa_db *db, const char *node, int64_t seq,
                                      char ret[WA_JOURNAL_DIGEST], struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT digest FROM journal WHERE node = ? AND seq = ?", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(s, 0, node);
    wa_bind_i64(s, 1, seq);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (!row)
        return wa_fail(err, WA_E_NOT_FOUND, "the journal has no entry %lld", (long long)seq);
    wa_col_text(s, 0, ret, WA_JOURNAL_DIGEST);
    wa_reset(s);
    return WA_OK;
}

/* Each row of a statement over (node, seq, at, digest, entry). */
static enum wa_code each(struct wa_stmt *s, wa_journal_fn fn, void *user, struct wa_err *err)
{
    bool row = true;
    while (wa_step(s, &row, err) == WA_OK && row) {
        char digest[WA_JOURNAL_DIGEST];
        wa_col_text(s, 3, digest, sizeof digest);
        const struct wa_journal_row r = {.node = wa_col_sv(s, 0),
                                         .seq = wa_col_i64(s, 1),
                                         .at = wa_col_i64(s, 2),
                                         .digest = digest,
                                         .text = wa_col_sv(s, 4)};
        if (fn(user, &r, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    }
    return err->code;
}

enum wa_code wa_server_journal_read(struct wa_db *db, const char *node, int64_t after,
                                    int64_t limit, wa_journal_fn fn, void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT node, seq, at, digest, entry FROM journal WHERE node = ? AND seq > ? "
                      "ORDER BY seq LIMIT ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, node);
    wa_bind_i64(s, 1, after);
    wa_bind_i64(s, 2, limit);
    return each(s, fn, user, err);
}

/* --- links --- */

/* Whether the chain has more than links since seq. */
static enum wa_code has_news(struct wa_db *db, const char *node, int64_t seq, bool *ret,
                             struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "SELECT 1 FROM journal WHERE node = ? AND seq > ? AND entry NOT LIKE "
                      "'{\"act\":\"journal.link\"%' LIMIT 1",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, node);
    wa_bind_i64(s, 1, seq);
    if (wa_step(s, ret, err) == WA_OK && *ret)
        wa_reset(s);
    return err->code;
}

static enum wa_code link_one(struct wa_db *db, const char *node, struct wa_journal_link *l,
                             struct wa_err *err)
{
    struct wa_journal_head head;
    bool is_new = false;
    char seq[24];
    if (has_news(db, l->node, l->seq, &is_new, err) != WA_OK || !is_new ||
        wa_server_journal_head(db, l->node, &head, err) != WA_OK)
        return err->code;
    (void)snprintf(seq, sizeof seq, "%lld", (long long)head.seq);
    const struct wa_journal_act act = {
        .act = "journal.link",
        .peer = "",
        .what = {{"node", wa_sv(l->node)}, {"seq", wa_sv(seq)}, {"digest", wa_sv(head.digest)}}};
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (wa_server_journal_add(db, node, &act, err) == WA_OK && wa_db_commit(db, err) == WA_OK) {
        l->seq = head.seq;
        return WA_OK;
    }
    wa_db_rollback(db);
    return err->code;
}

static enum wa_code find_link(struct wa_journal_links *links, struct wa_sv node, struct wa_err *err)
{
    for (size_t i = 0; i < links->n; i++)
        if (wa_sv_eqs(node, links->items[i].node))
            return WA_OK;
    struct wa_journal_link *l = WA_VEC_PUSH(links);
    if (l == NULL)
        return wa_nomem(err);
    *l = (struct wa_journal_link){.seq = 0};
    (void)snprintf(l->node, sizeof l->node, "%.*s", WA_SV_ARG(node));
    return WA_OK;
}

enum wa_code wa_server_journal_link(struct wa_db *db, const char *node,
                                    struct wa_journal_links *links, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, "SELECT DISTINCT node FROM journal WHERE node <> ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, node);
    while (wa_step(s, &row, err) == WA_OK && row)
        if (find_link(links, wa_col_sv(s, 0), err) != WA_OK) {
            wa_reset(s);
            break;
        }
    for (size_t i = 0; err->code == WA_OK && i < links->n; i++)
        if (link_one(db, node, &links->items[i], err) != WA_OK)
            break;
    return err->code;
}
