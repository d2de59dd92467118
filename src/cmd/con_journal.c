/* con_journal.c - remembers how far each server's journal had come, and asks at the next login
 * whether what was there then is there still: a server whose journal was rewritten or cut can't
 * hide it from a console that has seen it whole.
 *
 * It warns, and goes on: what a machine runs does not hang on the server's word.
 */
#include "base/mem.h"
#include "base/vec.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "os/path.h"

#define NODE_MAX 128u
#define FILE_MAX (64u << 10) /* bytes: hundreds of servers */

struct seen {
    char node[NODE_MAX]; /* of the chain; "": of the only one, as files of before have it */
    int64_t seq;
    char digest[65];
};
struct chains {
    WA_VEC(struct seen);
};

/* One file a server: "NODE SEQ:DIGEST", a line for each chain. */
static enum wa_code file_of(const char *server, char path[WA_PATH_MAX], struct wa_err *err)
{
    char name[96], digest[WA_SHA256_HEX];
    if (wa_sha256_hex(server, strlen(server), digest, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "journal-%.16s.head", digest);
    return wa_path_of_config(name, path, err);
}

static bool read_line(struct wa_sv line, struct seen *ret)
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

static enum wa_code recall(const char *path, struct chains *ret, struct wa_err *err)
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
        struct seen *s = WA_VEC_PUSH(ret);
        if (s == NULL)
            return wa_nomem(err);
        *s = (struct seen){.seq = 0};
        if (!read_line(line, s))
            return wa_fail(err, WA_E_INVALID, "'%s' is not as it was written: remove it", path);
    }
    return WA_OK;
}

static enum wa_code remember(const char *path, const struct chains *c, struct wa_err *err)
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

static enum wa_code read_chain(const struct wa_json *j, struct chains *to, struct wa_err *err)
{
    struct wa_sv node = wa_json_sv(wa_json_get(j, "node")),
                 digest = wa_json_sv(wa_json_get(j, "digest"));
    int64_t seq = -1;
    if (!wa_json_i64(wa_json_get(j, "seq"), &seq) || seq < 0 || !wa_hex_is(digest, 64) ||
        node.n == 0 || node.n >= NODE_MAX || wa_sv_has(node, WA_SV(" ")) ||
        wa_sv_has(node, WA_SV("\n")))
        return wa_fail(err, WA_E_INVALID, "the server's answer about its journal is none");
    struct seen *s = seq == 0 ? NULL : WA_VEC_PUSH(to);
    if (s == NULL)
        return seq == 0 ? WA_OK : wa_nomem(err);
    s->seq = seq;
    (void)snprintf(s->node, sizeof s->node, "%.*s", WA_SV_ARG(node));
    (void)snprintf(s->digest, sizeof s->digest, "%.*s", WA_SV_ARG(digest));
    return WA_OK;
}

/* The heads of all chains, as the server tells them now. */
static enum wa_code ask_heads(struct wa_client *c, struct chains *ret, struct wa_err *err)
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

/* Whether what was seen is there still. */
static enum wa_code ask_seen(struct wa_client *c, const struct seen *before, bool *ret_same,
                             struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[96 + 3 * NODE_MAX];
    int64_t trimmed = 0;
    WA_AUTO_BUF struct wa_buf node;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&node, 4u * NODE_MAX);
    wa_url_encode(wa_sv(before->node), &node);
    if (wa_buf_check(&node, err) != WA_OK)
        return err->code;
    (void)snprintf(
        path, sizeof path, "/api/v1/journal/head?seen=%lld%s%s", (long long)before->seq,
        before->node[0] == '\0' ? "" : "&node=", before->node[0] == '\0' ? "" : wa_buf_str(&node));
    if (wa_client_call(c, "GET", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    (void)wa_json_i64(wa_json_get(j, "trimmed"), &trimmed);
    *ret_same =
        before->seq < trimmed || wa_sv_eqs(wa_json_sv(wa_json_get(j, "seen")), before->digest);
    return WA_OK;
}

static enum wa_code check_chains(const struct wa_cli *cli, struct wa_client *c, const char *server,
                                 const char *path, bool *ret_same, struct wa_err *err)
{
    struct chains before = {0}, now = {0};
    enum wa_code code = recall(path, &before, err);
    *ret_same = true;
    for (size_t i = 0; code == WA_OK && *ret_same && i < before.n; i++) {
        const struct seen *s = &before.items[i];
        code = ask_seen(c, s, ret_same, err);
        if (code == WA_OK && !*ret_same)
            wa_cli_say(
                cli,
                "WARNING: the journal of '%s' was rewritten or cut: entry %lld was seen here "
                "before with another digest. On the server, 'waptserver journal verify "
                "--head %lld:%s' says more; '%s' keeps what was seen.",
                server, (long long)s->seq, (long long)s->seq, s->digest, path);
    }
    if (code == WA_OK && *ret_same && ask_heads(c, &now, err) == WA_OK && now.n > 0)
        code = remember(path, &now, err);
    WA_VEC_FREE(&before);
    WA_VEC_FREE(&now);
    return err->code != WA_OK ? err->code : code;
}

void wa_con_check_journal(const struct wa_cli *cli, struct wa_client *c, const char *server)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    bool is_same = false;
    if (file_of(server, path, &err) != WA_OK ||
        check_chains(cli, c, server, path, &is_same, &err) != WA_OK)
        wa_cli_say(cli, "warning: the server's journal is not checked: %s", err.text);
}
