/* journal_seen.c - see journal_seen.h. */
#include "console/journal_seen.h"

#include "base/mem.h"
#include "base/text.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "os/path.h"

#define STEP 1000
#define FILE_MAX (64u << 10) /* bytes: hundreds of servers */

/* One file a server: "NODE SEQ:DIGEST", a line for each chain. */
enum wa_code wa_journal_seen_file(const char *server, char *path, struct wa_err *err)
{
    char name[96], digest[WA_SHA256_HEX];
    if (wa_sha256_hex(server, strlen(server), digest, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "journal-%.16s.head", digest);
    return wa_path_of_config(name, path, err);
}

static bool read_line(struct wa_sv line, struct wa_journal_seen *ret)
{
    struct wa_sv node = {NULL, 0}, seq;
    size_t space = 0;
    if (wa_sv_chr(line, ' ', &space))
        (void)wa_sv_split(&line, ' ', &node);
    if (!wa_sv_split(&line, ':', &seq) || !wa_sv_i64(seq, &ret->seq) || ret->seq < 1 ||
        node.n >= sizeof ret->node || !wa_hex_is(line, 64))
        return false;
    (void)snprintf(ret->node, sizeof ret->node, "%.*s", WA_SV_ARG(node));
    (void)snprintf(ret->digest, sizeof ret->digest, "%.*s", WA_SV_ARG(line));
    return true;
}

static enum wa_code recall(const char *path, struct wa_journal_seens *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_sv rest, line;
    wa_buf_init(&text, FILE_MAX);
    if (wa_path_read(path, FILE_MAX, &text, err) != WA_OK) {
        if (err->code == WA_E_NOT_FOUND)
            wa_err_clear(err);
        return err->code;
    }
    rest = wa_sv_trim(wa_buf_sv(&text));
    while (wa_sv_split(&rest, '\n', &line)) {
        struct wa_journal_seen *s = WA_VEC_PUSH(ret);
        if (s == NULL)
            return wa_nomem(err);
        *s = (struct wa_journal_seen){.seq = 0};
        if (!read_line(line, s))
            return wa_fail(err, WA_E_INVALID, "'%s' is not as it was written: remove it", path);
    }
    return WA_OK;
}

static enum wa_code remember(const char *path, const struct wa_journal_seens *c, struct wa_err *err)
{
    char dir[WA_PATH_MAX];
    WA_AUTO_DIR struct wa_dir made = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, FILE_MAX);
    for (size_t i = 0; i < c->n; i++)
        wa_buf_addf(&text, "%s %lld:%s\n", c->items[i].node, (long long)c->items[i].seq,
                    c->items[i].digest);
    (void)snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (wa_buf_check(&text, err) != WA_OK || wa_dir_make(dir, 0700, &made, err) != WA_OK)
        return err->code;
    return wa_path_replace(path, wa_buf_sv(&text), 0600, err);
}

/* --- asking --- */

static enum wa_code read_chain(const struct wa_json *j, struct wa_journal_seens *to,
                               struct wa_err *err)
{
    struct wa_sv node = wa_json_sv(wa_json_get(j, "node")),
                 digest = wa_json_sv(wa_json_get(j, "digest"));
    int64_t seq = -1;
    if (!wa_json_i64(wa_json_get(j, "seq"), &seq) || seq < 0 || !wa_hex_is(digest, 64) ||
        node.n == 0 || node.n >= WA_JOURNAL_NODE || wa_sv_has(node, WA_SV(" ")) ||
        wa_sv_has(node, WA_SV("\n")))
        return wa_fail(err, WA_E_INVALID, "the server's answer about its journal is none");
    struct wa_journal_seen *s = seq == 0 ? NULL : WA_VEC_PUSH(to);
    if (s == NULL)
        return seq == 0 ? WA_OK : wa_nomem(err);
    s->seq = seq;
    (void)snprintf(s->node, sizeof s->node, "%.*s", WA_SV_ARG(node));
    (void)snprintf(s->digest, sizeof s->digest, "%.*s", WA_SV_ARG(digest));
    return WA_OK;
}

/* The heads of all chains, as the server tells them now. */
static enum wa_code ask_heads(struct wa_client *c, struct wa_journal_seens *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL, *list;
    wa_arena_init(&arena, 1u << 20);
    if (wa_client_call(c, "GET", "/api/v1/journal/head", WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    list = wa_json_get(j, "chains");
    if (list == NULL) /* of an older server */
        return read_chain(j, ret, err);
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (read_chain(wa_json_at(list, i), ret, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* What became of an entry that was seen. A server may say of any that it was trimmed, so that is
 * told to a person, too; only once, as the newer head is kept then. */
enum fate { IS_THERE, IS_TRIMMED, IS_CHANGED };

static enum wa_code ask_seen(struct wa_client *c, const struct wa_journal_seen *before,
                             enum fate *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[96 + 3 * WA_JOURNAL_NODE];
    int64_t trimmed = 0, newest = 0;
    WA_AUTO_BUF struct wa_buf node;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&node, 4u * WA_JOURNAL_NODE);
    wa_url_encode(wa_sv(before->node), &node);
    if (wa_buf_check(&node, err) != WA_OK)
        return err->code;
    (void)snprintf(
        path, sizeof path, "/api/v1/journal/head?seen=%lld%s%s", (long long)before->seq,
        before->node[0] == '\0' ? "" : "&node=", before->node[0] == '\0' ? "" : wa_buf_str(&node));
    if (wa_client_call(c, "GET", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    (void)wa_json_i64(wa_json_get(j, "trimmed"), &trimmed);
    (void)wa_json_i64(wa_json_get(j, "seq"), &newest);
    if (wa_sv_eqs(wa_json_sv(wa_json_get(j, "seen")), before->digest))
        *ret = IS_THERE;
    else
        *ret = before->seq < trimmed && trimmed <= newest ? IS_TRIMMED : IS_CHANGED;
    return WA_OK;
}

/* Asks whether what was seen is there still, and keeps what is there now unless it was changed.
 * *ret_which: the first that is not, with *ret what became of it. */
static enum wa_code check(struct wa_client *c, const char *path, struct wa_journal_seen *ret_which,
                          enum fate *ret, struct wa_err *err)
{
    struct wa_journal_seens before = {0}, now = {0};
    enum wa_code code = recall(path, &before, err);
    *ret = IS_THERE;
    for (size_t i = 0; code == WA_OK && *ret != IS_CHANGED && i < before.n; i++) {
        enum fate fate = IS_THERE;
        code = ask_seen(c, &before.items[i], &fate, err);
        if (code == WA_OK && fate > *ret) {
            *ret = fate;
            *ret_which = before.items[i];
        }
    }
    if (code == WA_OK && *ret != IS_CHANGED && ask_heads(c, &now, err) == WA_OK && now.n > 0)
        code = remember(path, &now, err);
    WA_VEC_FREE(&before);
    WA_VEC_FREE(&now);
    return err->code != WA_OK ? err->code : code;
}

void wa_journal_seen_warn(struct wa_client *c, const char *server, struct wa_buf *out)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    struct wa_journal_seen which = {.seq = 0};
    enum fate fate = IS_THERE;
    if (wa_journal_seen_file(server, path, &err) != WA_OK ||
        check(c, path, &which, &fate, &err) != WA_OK)
        wa_buf_addf(out, wa_text("warning: the server's journal is not checked: %s"), err.text);
    else if (fate == IS_CHANGED)
        wa_buf_addf(
            out,
            wa_text("WARNING: the journal of '%s' was rewritten or cut: entry %lld was seen here "
                    "before with another digest. On the server, 'waptserver journal verify "
                    "--head %lld:%s' says more; '%s' keeps what was seen."),
            server, (long long)which.seq, (long long)which.seq, which.digest, path);
    else if (fate == IS_TRIMMED)
        wa_buf_addf(
            out,
            wa_text("warning: the journal of '%s' was trimmed, with entry %lld, the last that was "
                    "seen here. If no administrator did that, it was cut: the file to which it "
                    "was exported has entry %lld with the digest %s."),
            server, (long long)which.seq, (long long)which.seq, which.digest);
}

/* --- every entry --- */

/* seen: an entry whose digest is asked for, 0 none. */
static enum wa_code ask_head(struct wa_client *c, const char *node, int64_t seen,
                             struct wa_arena *arena, const struct wa_json **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf path;
    wa_buf_init(&path, 1024);
    wa_buf_adds(&path, "/api/v1/journal/head?node=");
    wa_url_encode(wa_sv(node), &path);
    if (seen > 0)
        wa_buf_addf(&path, "&seen=%lld", (long long)seen);
    return wa_buf_check(&path, err) == WA_OK
               ? wa_client_call(c, "GET", wa_buf_str(&path), WA_SV(""), arena, ret, err)
               : err->code;
}

static enum wa_code no_journal(struct wa_err *err)
{
    return wa_fail(err, WA_E_INVALID, "the server's answer about its journal is none");
}

static bool take_digest(const struct wa_json *j, const char *key, char out[WA_JOURNAL_DIGEST])
{
    struct wa_sv digest = wa_json_sv(wa_json_get(j, key));
    if (!wa_hex_is(digest, 64))
        return false;
    (void)snprintf(out, WA_JOURNAL_DIGEST, "%.*s", WA_SV_ARG(digest));
    return true;
}

enum wa_code wa_journal_walk_begin(struct wa_client *c, struct wa_journal_walk *w,
                                   struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (ask_head(c, w->node, 0, &arena, &j, err) != WA_OK)
        return err->code;
    struct wa_sv node = wa_json_sv(wa_json_get(j, "node"));
    if (node.n == 0 || node.n >= sizeof w->node ||
        !wa_json_i64(wa_json_get(j, "trimmed"), &w->seq) || w->seq < 0 ||
        !wa_json_i64(wa_json_get(j, "seq"), &w->total) || w->total < w->seq)
        return no_journal(err);
    (void)snprintf(w->node, sizeof w->node, "%.*s", WA_SV_ARG(node));
    memcpy(w->digest, WA_JOURNAL_FIRST, sizeof w->digest);
    w->is_over = false;
    if (w->seq == 0)
        return WA_OK;
    if (ask_head(c, w->node, w->seq, &arena, &j, err) != WA_OK)
        return err->code;
    return take_digest(j, "seen", w->digest) ? WA_OK : no_journal(err);
}

static enum wa_code check_entry(struct wa_journal_walk *w, const struct wa_journal_seen *kept,
                                const struct wa_json *e, struct wa_err *err)
{
    int64_t seq = 0, at = 0;
    char said[WA_JOURNAL_DIGEST], digest[WA_JOURNAL_DIGEST];
    if (!wa_json_i64(wa_json_get(e, "seq"), &seq) || !wa_json_i64(wa_json_get(e, "at"), &at) ||
        !take_digest(e, "digest", said))
        return no_journal(err);
    if (seq != w->seq + 1)
        return wa_fail(err, WA_E_REFUSED,
                       "entry %lld is missing: after %lld comes %lld. It was taken out",
                       (long long)w->seq + 1, (long long)w->seq, (long long)seq);
    if (wa_journal_digest_of(wa_sv(w->node), seq, at, w->digest,
                             wa_json_sv(wa_json_get(e, "entry")), digest, err) != WA_OK)
        return err->code;
    if (strcmp(digest, said) != 0)
        return wa_fail(err, WA_E_REFUSED,
                       "entry %lld does not fit to those before it: it was changed, or one of them "
                       "was",
                       (long long)seq);
    if (kept != NULL && kept->seq == seq && strcmp(kept->digest, digest) != 0)
        return wa_fail(err, WA_E_REFUSED,
                       "entry %lld was another one when it was last seen here: everything up to it "
                       "may have been written anew",
                       (long long)seq);
    w->seq = seq;
    memcpy(w->digest, digest, sizeof w->digest);
    return WA_OK;
}

static const struct wa_journal_seen *find_seen(const struct wa_journal_seens *all, const char *node)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->items[i].node, node) == 0 || all->items[i].node[0] == '\0')
            return &all->items[i];
    return NULL;
}

/* The server has no more. */
static enum wa_code check_end(struct wa_client *c, struct wa_journal_walk *w,
                              const struct wa_journal_seen *kept, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char newest[WA_JOURNAL_DIGEST];
    int64_t seq = 0;
    wa_arena_init(&arena, 1u << 20);
    if (kept != NULL && kept->seq > w->seq)
        return wa_fail(err, WA_E_REFUSED,
                       "the journal ends at entry %lld, and was seen here up to %lld: its end was "
                       "cut off",
                       (long long)w->seq, (long long)kept->seq);
    if (ask_head(c, w->node, 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (!wa_json_i64(wa_json_get(j, "seq"), &seq) || (seq > 0 && !take_digest(j, "digest", newest)))
        return no_journal(err);
    w->total = seq;
    if (seq > w->seq)
        return WA_OK; /* some came meanwhile */
    w->is_over = true;
    return seq == w->seq && (seq == 0 || strcmp(newest, w->digest) == 0)
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED,
                         "the server says that its newest entry is another one than the last that "
                         "it gave (%lld)",
                         (long long)w->seq);
}

static enum wa_code walk(struct wa_client *c, struct wa_journal_walk *w,
                         const struct wa_journal_seen *kept, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 20);
    wa_buf_init(&path, 1024);
    wa_buf_adds(&path, "/api/v1/journal?node=");
    wa_url_encode(wa_sv(w->node), &path);
    wa_buf_addf(&path, "&after=%lld&limit=%d", (long long)w->seq, STEP);
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_client_call(c, "GET", wa_buf_str(&path), WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *entries = wa_json_get(j, "entries");
    for (size_t i = 0; i < wa_json_count(entries); i++)
        if (check_entry(w, kept, wa_json_at(entries, i), err) != WA_OK)
            return err->code;
    return wa_json_count(entries) > 0 ? WA_OK : check_end(c, w, kept, err);
}

enum wa_code wa_journal_walk_on(struct wa_client *c, const char *path, struct wa_journal_walk *w,
                                struct wa_err *err)
{
    struct wa_journal_seens before = {0};
    enum fate fate = IS_THERE;
    struct wa_journal_seen changed;
    if (recall(path, &before, err) == WA_OK)
        (void)!walk(c, w, find_seen(&before, w->node), err);
    WA_VEC_FREE(&before);
    return err->code == WA_OK && w->is_over ? check(c, path, &changed, &fate, err) : err->code;
}
