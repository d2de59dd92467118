/* con_journal.c - remembers how far each server's journal had come, and asks at the next login
 * whether what was there then is there still: a server whose journal was rewritten or cut can't
 * hide it from a console that has seen it whole.
 *
 * It warns, and goes on: what a machine runs does not hang on the server's word.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "os/path.h"

struct seen {
    int64_t seq; /* 0: nothing is remembered */
    char digest[65];
};

/* One file a server: "SEQ:DIGEST". */
static enum wa_code file_of(const char *server, char path[WA_PATH_MAX], struct wa_err *err)
{
    char name[96], digest[WA_SHA256_HEX];
    if (wa_sha256_hex(server, strlen(server), digest, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "journal-%.16s.head", digest);
    return wa_path_of_config(name, path, err);
}

static enum wa_code recall(const char *path, struct seen *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_sv rest, seq;
    struct seen s = {.seq = 0};
    wa_buf_init(&text, 256);
    if (wa_path_read(path, 256, &text, err) != WA_OK) {
        if (err->code != WA_E_NOT_FOUND)
            return err->code;
        wa_err_clear(err);
        *ret = s;
        return WA_OK;
    }
    rest = wa_sv_trim(wa_buf_sv(&text));
    if (!wa_sv_split(&rest, ':', &seq) || !wa_sv_i64(seq, &s.seq) || s.seq < 1 ||
        !wa_hex_is(rest, 64))
        return wa_fail(err, WA_E_INVALID, "'%s' is not as it was written: remove it", path);
    memcpy(s.digest, rest.p, 64);
    *ret = s;
    return WA_OK;
}

static enum wa_code remember(const char *path, const struct seen *s, struct wa_err *err)
{
    char text[128], dir[WA_PATH_MAX];
    WA_AUTO_DIR struct wa_dir made = WA_DIR_INIT;
    (void)snprintf(text, sizeof text, "%lld:%s\n", (long long)s->seq, s->digest);
    (void)snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
    return wa_dir_make(dir, 0700, &made, err) == WA_OK
               ? wa_path_replace(path, wa_sv(text), 0600, err)
               : err->code;
}

/* What the server says now, of its head and of what was seen. */
static enum wa_code ask(struct wa_client *c, const struct seen *before, struct seen *now,
                        bool *ret_same, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[96] = "/api/v1/journal/head";
    struct wa_sv digest;
    wa_arena_init(&arena, 64u << 10);
    if (before->seq > 0)
        (void)snprintf(path, sizeof path, "/api/v1/journal/head?seen=%lld", (long long)before->seq);
    if (wa_client_call(c, "GET", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    digest = wa_json_sv(wa_json_get(j, "digest"));
    if (!wa_json_i64(wa_json_get(j, "seq"), &now->seq) || now->seq < 0 || !wa_hex_is(digest, 64))
        return wa_fail(err, WA_E_INVALID, "the server's answer about its journal is none");
    memcpy(now->digest, digest.p, 64);
    now->digest[64] = '\0';
    *ret_same = before->seq == 0 || wa_sv_eqs(wa_json_sv(wa_json_get(j, "seen")), before->digest);
    return WA_OK;
}

void wa_con_check_journal(const struct wa_cli *cli, struct wa_client *c, const char *server)
{
    char path[WA_PATH_MAX];
    struct seen before = {.seq = 0}, now = {.seq = 0};
    struct wa_err err = WA_ERR_INIT;
    bool is_same = false;
    if (file_of(server, path, &err) != WA_OK || recall(path, &before, &err) != WA_OK ||
        ask(c, &before, &now, &is_same, &err) != WA_OK) {
        wa_cli_say(cli, "warning: the server's journal is not checked: %s", err.text);
        return;
    }
    if (!is_same) {
        wa_cli_say(cli,
                   "WARNING: the journal of '%s' was rewritten or cut: entry %lld was seen here "
                   "before with another digest. On the server, 'waptserver journal verify --head "
                   "%lld:%s' says more; '%s' keeps what was seen.",
                   server, (long long)before.seq, (long long)before.seq, before.digest, path);
        return;
    }
    if (now.seq > 0 && remember(path, &now, &err) != WA_OK)
        wa_cli_say(cli, "warning: the server's journal can't be remembered: %s", err.text);
}
