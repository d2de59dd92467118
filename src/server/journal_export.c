/* journal_export.c - a chain, or its beginning, as a file of lines, which proves itself: for what
 * is kept elsewhere before it is trimmed here.
 *
 *   {"format":"wapt-journal","node":"wapt1","after":0,"digest":"000..."}   where it goes on from
 *   {"seq":1,"at":1790000000,"digest":"...","entry":"{...}"}              entries, in their order
 *   {"through":120,"digest":"..."}                                        the last of them again
 */
#include "base/mem.h"
#include "codec/json.h"
#include "os/pipe.h"
#include "server/journal.h"

#define PAGE 500
#define LINE_MAX (256u << 10) /* bytes: an entry of 64 KiB, escaped */

struct export
{
    struct wa_sink *out;
    struct wa_journal_head last;
    int64_t through;
    uint64_t count;
};

static enum wa_code write_line(struct wa_sink *out, struct wa_buf *line, struct wa_err *err)
{
    wa_buf_addc(line, '\n');
    return wa_buf_check(line, err) == WA_OK ? out->write(out, line->p, line->n, err) : err->code;
}

static enum wa_code write_row(void *user, const struct wa_journal_row *r, struct wa_err *err)
{
    struct export *e = user;
    WA_AUTO_BUF struct wa_buf line;
    struct wa_jw w;
    wa_buf_init(&line, LINE_MAX);
    if (r->seq > e->through)
        return WA_OK;
    wa_jw_init(&w, &line);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "seq", r->seq);
    wa_jw_kvi(&w, "at", r->at);
    wa_jw_kv(&w, "digest", r->digest);
    wa_jw_kvsv(&w, "entry", r->text);
    wa_jw_end(&w);
    e->last.seq = r->seq;
    (void)snprintf(e->last.digest, sizeof e->last.digest, "%s", r->digest);
    e->count++;
    return write_line(e->out, &line, err);
}

static enum wa_code write_mark(struct wa_sink *out, const char *node, const char *key,
                               const struct wa_journal_head *h, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf line;
    struct wa_jw w;
    wa_buf_init(&line, 4096);
    wa_jw_init(&w, &line);
    wa_jw_obj(&w);
    if (node != NULL) {
        wa_jw_kv(&w, "format", "wapt-journal");
        wa_jw_kv(&w, "node", node);
    }
    wa_jw_kvi(&w, key, h->seq);
    wa_jw_kv(&w, "digest", h->digest);
    wa_jw_end(&w);
    return write_line(out, &line, err);
}

enum wa_code wa_server_journal_export(struct wa_db *db, const char *node, int64_t through,
                                      struct wa_sink *out, struct wa_journal_head *ret_last,
                                      struct wa_err *err)
{
    struct export e = {.out = out, .through = through};
    uint64_t before;
    if (wa_server_journal_base(db, node, &e.last, err) != WA_OK ||
        write_mark(out, node, "after", &e.last, err) != WA_OK)
        return err->code;
    do {
        before = e.count;
        if (wa_server_journal_read(db, node, e.last.seq, PAGE, write_row, &e, err) != WA_OK)
            return err->code;
    } while (e.count > before);
    *ret_last = e.last;
    return write_mark(out, NULL, "through", &e.last, err);
}

/* --- verifying --- */

struct reading {
    char node[WA_JOURNAL_NODE];
    struct wa_journal_head at;
    uint64_t count;
    bool has_begun, has_ended;
};

static enum wa_code begin(struct reading *r, const struct wa_json *j, struct wa_err *err)
{
    struct wa_sv digest = wa_json_sv(wa_json_get(j, "digest"));
    r->has_begun = true;
    (void)snprintf(r->node, sizeof r->node, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "node"))));
    (void)snprintf(r->at.digest, sizeof r->at.digest, "%.*s", WA_SV_ARG(digest));
    return wa_sv_eqs(wa_json_sv(wa_json_get(j, "format")), "wapt-journal") &&
                   wa_json_i64(wa_json_get(j, "after"), &r->at.seq) && r->at.seq >= 0 &&
                   digest.n == WA_JOURNAL_DIGEST - 1u
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "it is no exported journal");
}

static enum wa_code end(struct reading *r, const struct wa_json *j, struct wa_err *err)
{
    int64_t seq = 0;
    r->has_ended = true;
    return wa_json_i64(wa_json_get(j, "through"), &seq) && seq == r->at.seq &&
                   wa_sv_eqs(wa_json_sv(wa_json_get(j, "digest")), r->at.digest)
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "it was cut off after entry %lld",
                         (long long)r->at.seq);
}

static enum wa_code take_line(struct reading *r, struct wa_sv line, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char digest[WA_JOURNAL_DIGEST];
    int64_t seq = 0, at = 0;
    wa_arena_init(&arena, 4u << 20);
    if (r->has_ended)
        return wa_fail(err, WA_E_REFUSED, "it goes on behind its end");
    if (wa_json_parse(line, 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (!r->has_begun)
        return begin(r, j, err);
    if (wa_json_get(j, "through") != NULL)
        return end(r, j, err);
    struct wa_sv text = wa_json_sv(wa_json_get(j, "entry"));
    if (!wa_json_i64(wa_json_get(j, "seq"), &seq) || !wa_json_i64(wa_json_get(j, "at"), &at) ||
        seq <= r->at.seq || seq - r->at.seq != 1)
        return wa_fail(err, WA_E_REFUSED, "entries after %lld are missing in it",
                       (long long)r->at.seq);
    if (wa_journal_digest_of(wa_sv(r->node), seq, at, r->at.digest, text, digest, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(wa_json_sv(wa_json_get(j, "digest")), digest))
        return wa_fail(err, WA_E_REFUSED, "entry %lld, or what stood before it, was changed",
                       (long long)seq);
    r->at.seq = seq;
    memcpy(r->at.digest, digest, sizeof digest);
    r->count++;
    return WA_OK;
}

enum wa_code wa_server_journal_check_archive(int fd, char node[WA_JOURNAL_NODE],
                                             struct wa_journal_head *ret_last, uint64_t *ret_count,
                                             struct wa_err *err)
{
    struct reading r = {.count = 0};
    WA_AUTO_BUF struct wa_buf b;
    char piece[16384];
    ptrdiff_t n;
    wa_buf_init(&b, 2u * LINE_MAX);
    while ((n = wa_pipe_read(fd, piece, sizeof piece)) > 0) {
        struct wa_sv rest = wa_sv_n(piece, (size_t)n);
        size_t at = 0;
        while (wa_sv_chr(rest, '\n', &at)) {
            wa_buf_add(&b, rest.p, at);
            if (wa_buf_check(&b, err) != WA_OK || take_line(&r, wa_buf_sv(&b), err) != WA_OK)
                return err->code;
            wa_buf_clear(&b);
            rest = wa_sv_sub(rest, at + 1, rest.n);
        }
        wa_buf_add(&b, rest.p, rest.n);
        if (wa_buf_check(&b, err) != WA_OK)
            return err->code;
    }
    if (n < 0)
        return wa_fail(err, WA_E_IO, "it can't be read");
    if (!r.has_ended || b.n > 0)
        return wa_fail(err, WA_E_REFUSED, "it was cut off after entry %lld", (long long)r.at.seq);
    memcpy(node, r.node, WA_JOURNAL_NODE);
    *ret_last = r.at;
    *ret_count = r.count;
    return WA_OK;
}
