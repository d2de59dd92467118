/* journal_verify.c - whether the chains are whole: each entry in its place, each link to another
 * chain leading to the entry that was seen, each trimming backed by the entry that tells of it.
 *
 * Read in pages: a journal may be long. Trimming is here too, since it must leave just what this
 * accepts.
 */
#include "base/mem.h"
#include "server/journal.h"

#define PAGE 500

/* --- verifying --- */

struct chain {
    struct wa_db *db;
    char node[WA_JOURNAL_NODE];
    struct wa_journal_head base, at; /* where it goes on from; the entry that was checked last */
    uint64_t count;
    const struct wa_journal_head *head; /* that was seen before, of this chain; NULL: none */
    bool has_head, is_trim_told;
};

static enum wa_code damaged(const struct wa_journal_row *r, const char *how, struct wa_err *err)
{
    return wa_fail(err, WA_E_REFUSED, "the journal of '%.*s' is damaged at entry %lld: %s",
                   WA_SV_ARG(r->node), (long long)r->seq, how);
}

/* The entry of another chain that was its head when this one was written. */
static enum wa_code check_link(struct chain *c, const struct wa_journal_row *r,
                               const struct wa_json *what, struct wa_err *err)
{
    char node[WA_JOURNAL_NODE], digest[WA_JOURNAL_DIGEST];
    struct wa_journal_head base;
    struct wa_err missing = WA_ERR_INIT;
    int64_t seq = 0;
    (void)snprintf(node, sizeof node, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(what, "node"))));
    if (!wa_sv_i64(wa_json_sv(wa_json_get(what, "seq")), &seq))
        return damaged(r, "it is a link to nowhere", err);
    if (wa_server_journal_base(c->db, node, &base, err) != WA_OK)
        return err->code;
    if (seq < base.seq)
        return WA_OK; /* trimmed since */
    enum wa_code code = WA_OK;
    if (seq == base.seq)
        memcpy(digest, base.digest, sizeof digest);
    else
        code = wa_server_journal_digest(c->db, node, seq, digest, &missing);
    if (code != WA_OK && code != WA_E_NOT_FOUND) {
        *err = missing;
        return code;
    }
    if (code == WA_OK && wa_sv_eqs(wa_json_sv(wa_json_get(what, "digest")), digest))
        return WA_OK;
    return wa_fail(err, WA_E_REFUSED,
                   "the journal of '%s' was cut or rewritten: '%s' saw entry %lld with another "
                   "digest (entry %lld)",
                   node, c->node, (long long)seq, (long long)r->seq);
}

static void note_trim(struct chain *c, const struct wa_json *what)
{
    int64_t seq = 0;
    if (wa_sv_i64(wa_json_sv(wa_json_get(what, "through")), &seq) && seq == c->base.seq &&
        wa_sv_eqs(wa_json_sv(wa_json_get(what, "digest")), c->base.digest))
        c->is_trim_told = true;
}

static enum wa_code check_meaning(struct chain *c, const struct wa_journal_row *r, bool is_link,
                                  struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(r->text, 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (is_link)
        return check_link(c, r, wa_json_get(j, "what"), err);
    note_trim(c, wa_json_get(j, "what"));
    return WA_OK;
}

static enum wa_code check_row(void *user, const struct wa_journal_row *r, struct wa_err *err)
{
    struct chain *c = user;
    char digest[WA_JOURNAL_DIGEST];
    if (r->seq != c->at.seq + 1)
        return damaged(r, "entries before it are missing", err);
    if (wa_journal_digest_of(r->node, r->seq, r->at, c->at.digest, r->text, digest, err) != WA_OK)
        return err->code;
    if (strcmp(digest, r->digest) != 0)
        return damaged(r, "it, or what stood before it, was changed", err);
    if (c->head != NULL && r->seq == c->head->seq) {
        if (strcmp(digest, c->head->digest) != 0)
            return damaged(r, "it is another one than was seen before: the journal was rewritten",
                           err);
        c->has_head = true;
    }
    memcpy(c->at.digest, digest, sizeof digest);
    c->at.seq = r->seq;
    c->count++;
    bool is_link = wa_sv_starts(r->text, "{\"act\":\"journal.link\"");
    return is_link || wa_sv_starts(r->text, "{\"act\":\"journal.trimmed\"")
               ? check_meaning(c, r, is_link, err)
               : WA_OK;
}

static enum wa_code verify_chain(struct chain *c, struct wa_err *err)
{
    uint64_t before;
    if (wa_server_journal_base(c->db, c->node, &c->base, err) != WA_OK)
        return err->code;
    c->at = c->base;
    c->has_head = c->head == NULL || c->head->seq < c->base.seq ||
                  (c->head->seq == c->base.seq && strcmp(c->head->digest, c->base.digest) == 0);
    do {
        before = c->count;
        if (wa_server_journal_read(c->db, c->node, c->at.seq, PAGE, check_row, c, err) != WA_OK)
            return err->code;
    } while (c->count > before);
    if (c->base.seq > 0 && !c->is_trim_told)
        return wa_fail(err, WA_E_REFUSED,
                       "the journal of '%s' begins after entry %lld, and no entry says that what "
                       "was before was trimmed",
                       c->node, (long long)c->base.seq);
    if (!c->has_head && c->head->seq > 0)
        return wa_fail(err, WA_E_REFUSED,
                       "the journal of '%s' was cut off: entry %lld was seen before, and is gone",
                       c->node, (long long)c->head->seq);
    return WA_OK;
}

enum wa_code wa_server_journal_chains(struct wa_db *db, struct wa_journal_links *ret,
                                      struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db,
                      "SELECT node FROM journal UNION SELECT node FROM journal_bases ORDER BY node",
                      &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row) {
        struct wa_journal_link *l = WA_VEC_PUSH(ret);
        if (l == NULL) {
            wa_reset(s);
            return wa_nomem(err);
        }
        wa_col_text(s, 0, l->node, sizeof l->node);
    }
    return err->code;
}

enum wa_code wa_server_journal_verify(struct wa_db *db, const char *node,
                                      const struct wa_journal_head *head, uint64_t *ret_count,
                                      struct wa_err *err)
{
    struct wa_journal_links chains = {0};
    uint64_t count = 0;
    bool is_there = head == NULL || head->seq == 0;
    enum wa_code code = wa_server_journal_chains(db, &chains, err);
    for (size_t i = 0; code == WA_OK && i < chains.n; i++) {
        struct chain c = {.db = db};
        memcpy(c.node, chains.items[i].node, sizeof c.node);
        if (strcmp(c.node, node) == 0) {
            c.head = head;
            is_there = true;
        }
        code = verify_chain(&c, err);
        count += c.count;
    }
    WA_VEC_FREE(&chains);
    if (code == WA_OK && !is_there)
        return wa_fail(err, WA_E_REFUSED,
                       "the journal of '%s' was cut off: entry %lld was seen before, and is gone",
                       node, (long long)head->seq);
    if (code == WA_OK)
        *ret_count = count;
    return code;
}

/* --- trimming --- */

static enum wa_code take_out(struct wa_db *db, const char *node, int64_t through,
                             const char *digest, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO journal_bases (node, seq, digest) VALUES (?, ?, ?) ON CONFLICT "
                      "(node) DO UPDATE SET seq = excluded.seq, digest = excluded.digest",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, node);
    wa_bind_i64(s, 1, through);
    wa_bind_s(s, 2, digest);
    if (wa_run(s, err) != WA_OK ||
        wa_db_prepare(db, "DELETE FROM journal WHERE node = ? AND seq <= ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, node);
    wa_bind_i64(s, 1, through);
    return wa_run(s, err);
}

enum wa_code wa_server_journal_trim(struct wa_db *db, const char *node, int64_t through,
                                    const char *archive_sha256, struct wa_err *err)
{
    char digest[WA_JOURNAL_DIGEST], seq[24];
    (void)snprintf(seq, sizeof seq, "%lld", (long long)through);
    if (wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (wa_server_journal_digest(db, node, through, digest, err) == WA_OK) {
        const struct wa_journal_act act = {.act = "journal.trimmed",
                                           .user = WA_SV("root"),
                                           .peer = "",
                                           .what = {{"through", wa_sv(seq)},
                                                    {"digest", wa_sv(digest)},
                                                    {"archive", wa_sv(archive_sha256)}}};
        if (wa_server_journal_add(db, node, &act, err) == WA_OK &&
            take_out(db, node, through, digest, err) == WA_OK && wa_db_commit(db, err) == WA_OK)
            return WA_OK;
    }
    wa_db_rollback(db);
    return err->code;
}
