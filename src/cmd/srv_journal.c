/* srv_journal.c - waptserver journal: what was done on this server, and whether the record of it is
 * whole.
 */
#include "base/date.h"
#include "cmd/srv.h"
#include "crypto/digest.h"
#include "os/path.h"
#include "server/journal.h"
#include "server/role_common.h"

#define SHOWN 1000 /* entries, when nothing is said */

struct show {
    struct wa_cli *cli;
    int64_t last;
};

static enum wa_code show_row(void *user, const struct wa_journal_row *r, struct wa_err *err)
{
    struct show *s = user;
    struct wa_cli *cli = s->cli;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char date[WA_DATE_MAX];
    WA_AUTO_BUF struct wa_buf what;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&what, 256u << 10);
    if (wa_json_parse(r->text, 0, &arena, &j, err) != WA_OK)
        return wa_wrap(err, "entry %lld of the journal", (long long)r->seq);
    wa_date_rfc3339(r->at, date);
    wa_json_write(wa_json_get(j, "what"), &what);
    wa_jw_obj(&cli->jw);
    wa_jw_kvi(&cli->jw, "seq", r->seq);
    wa_jw_kvi(&cli->jw, "at", r->at);
    wa_jw_kv(&cli->jw, "digest", r->digest);
    wa_jw_key(&cli->jw, "entry");
    wa_jw_json(&cli->jw, j);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%-8lld %s %-18.*s %-16.*s %s\n", (long long)r->seq, date,
               WA_SV_ARG(wa_json_sv(wa_json_get(j, "act"))),
               WA_SV_ARG(wa_json_sv(wa_json_get(j, "user"))), wa_buf_str(&what));
    s->last = r->seq;
    return WA_OK;
}

static enum wa_code list(struct wa_cli *cli, struct wa_db *db, const char *node, int fd,
                         struct wa_err *err)
{
    WA_UNUSED(fd);
    int64_t after = 0, limit = SHOWN;
    struct show s = {.cli = cli};
    if (wa_cli_int(cli, "after", 0, INT64_MAX, &after, err) != WA_OK ||
        wa_cli_int(cli, "limit", 1, 1000000, &limit, err) != WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_server_journal_read(db, node, after, limit, show_row, &s, err);
    wa_jw_end(&cli->jw);
    return code;
}

static enum wa_code head(struct wa_cli *cli, struct wa_db *db, const char *node, int fd,
                         struct wa_err *err)
{
    WA_UNUSED(fd);
    struct wa_journal_head h;
    if (wa_server_journal_head(db, node, &h, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "node", node);
    wa_jw_kvi(&cli->jw, "seq", h.seq);
    wa_jw_kv(&cli->jw, "digest", h.digest);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%lld:%s\n", (long long)h.seq, h.digest);
    return WA_OK;
}

/* "SEQ:DIGEST", as head writes it. */
static enum wa_code read_head(const char *text, struct wa_journal_head *ret, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(text), seq = {NULL, 0};
    if (!wa_sv_split(&rest, ':', &seq) || !wa_sv_i64(seq, &ret->seq) || ret->seq < 1 ||
        rest.n != sizeof ret->digest - 1)
        return wa_fail(err, WA_E_USAGE,
                       "'%.100s' is no head of a journal: that is a number, ':' and 64 hex digits, "
                       "as 'journal head' and the log write it",
                       text);
    (void)snprintf(ret->digest, sizeof ret->digest, "%.*s", WA_SV_ARG(rest));
    return WA_OK;
}

static enum wa_code verify(struct wa_cli *cli, struct wa_db *db, const char *node,
                           struct wa_err *err)
{
    const char *seen = wa_cli_get(cli, "head", NULL);
    const char *space = seen == NULL ? NULL : strchr(seen, ' ');
    struct wa_journal_head h;
    char of[WA_JOURNAL_NODE];
    uint64_t count = 0;
    if (space != NULL) { /* as a console keeps it: with its chain before it */
        (void)snprintf(of, sizeof of, "%.*s", (int)(space - seen), seen);
        node = of;
        seen = space + 1;
    }
    if ((seen != NULL && read_head(seen, &h, err) != WA_OK) ||
        wa_server_journal_verify(db, node, seen != NULL ? &h : NULL, &count, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kvi(&cli->jw, "entries", (int64_t)count);
    wa_jw_end(&cli->jw);
    wa_cli_say(cli, "%llu entries, each in its place", (unsigned long long)count);
    if (seen == NULL)
        wa_cli_say(cli, "Whether the end was cut off shows with --head and what was seen before: "
                        "the log has it as journal.head.");
    return WA_OK;
}

/* Whether an exported file is whole in itself, and goes together with what is here. */
static enum wa_code verify_archive(struct wa_cli *cli, struct wa_db *db, int fd, struct wa_err *err)
{
    char chain[WA_JOURNAL_NODE], digest[WA_JOURNAL_DIGEST];
    struct wa_journal_head last, base;
    struct wa_err missing = WA_ERR_INIT;
    uint64_t count = 0;
    if (wa_server_journal_check_archive(fd, chain, &last, &count, err) != WA_OK ||
        wa_server_journal_base(db, chain, &base, err) != WA_OK)
        return err->code;
    bool is_here = last.seq == base.seq ||
                   wa_server_journal_digest(db, chain, last.seq, digest, &missing) == WA_OK;
    if (is_here && strcmp(last.digest, last.seq == base.seq ? base.digest : digest) != 0)
        return wa_fail(err, WA_E_REFUSED, "its last entry, %lld, is another one than '%s' has here",
                       (long long)last.seq, chain);
    wa_jw_obj(&cli->jw);
    wa_jw_kvi(&cli->jw, "entries", (int64_t)count);
    wa_jw_end(&cli->jw);
    wa_cli_say(cli, "%llu entries of '%s', each in its place, up to %lld:%s",
               (unsigned long long)count, chain, (long long)last.seq, last.digest);
    if (!is_here)
        wa_cli_say(cli, "Its last entry is not here to be compared: trimmed since, or not yet.");
    return WA_OK;
}

static enum wa_code verify_whichever(struct wa_cli *cli, struct wa_db *db, const char *node, int fd,
                                     struct wa_err *err)
{
    return fd >= 0 ? verify_archive(cli, db, fd, err) : verify(cli, db, node, err);
}

/* fd: the file, made before the rights to make one were given up. */
static enum wa_code export_to(struct wa_cli *cli, struct wa_db *db, const char *node, int fd,
                              struct wa_err *err)
{
    struct wa_journal_head head, last = {.seq = 0};
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    struct wa_digest_sink sink;
    struct wa_fd_sink file;
    char hex[WA_DIGEST_HEX_MAX];
    wa_fd_sink_init(&file, fd);
    if (wa_server_journal_head(db, node, &head, err) != WA_OK ||
        wa_cli_int(cli, "through", 1, head.seq, &head.seq, err) != WA_OK ||
        wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    wa_digest_sink_init(&sink, d, &file.base);
    if (wa_server_journal_export(db, node, head.seq, &sink.base, &last, err) != WA_OK ||
        wa_fd_sync(fd, err) != WA_OK || wa_digest_hex(d, hex, err) != WA_OK)
        return err->code;
    if (wa_cli_has(cli, "trim") && last.seq > 0 &&
        wa_server_journal_trim(db, node, last.seq, hex, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "node", node);
    wa_jw_kvi(&cli->jw, "through", last.seq);
    wa_jw_kv(&cli->jw, "sha256", hex);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%s  %lld:%s\n", hex, (long long)last.seq, last.digest);
    return WA_OK;
}

/* The file that the verb needs, opened as whoever calls. */
static enum wa_code open_file(const struct wa_cli *cli, bool is_export, int *ret,
                              struct wa_err *err)
{
    const char *archive = wa_cli_get(cli, "archive", NULL);
    char where[WA_PATH_MAX];
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath name;
    if (!is_export)
        return archive == NULL ? WA_OK : wa_path_open(archive, ret, err);
    if (cli->arg_count < 2)
        return wa_fail(err, WA_E_USAGE, "into which file?");
    const char *last = wa_path_last(cli->args[1]);
    if (wa_path_dir(cli->args[1], (size_t)(last - cli->args[1]), where, err) != WA_OK ||
        wa_dir_open(where, &dir, err) != WA_OK ||
        wa_relpath_parse(wa_sv(last), &name, err) != WA_OK)
        return err->code;
    return wa_file_create(&dir, &name, 0600, ret, err);
}

static enum wa_code journal(struct wa_cli *cli, struct wa_err *err)
{
    static const struct {
        const char *verb;
        enum wa_code (*run)(struct wa_cli *cli, struct wa_db *db, const char *node, int fd,
                            struct wa_err *err);
    } verbs[] = {
        {"list", list}, {"head", head}, {"verify", verify_whichever}, {"export", export_to}};
    struct wa_server_config c;
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    WA_AUTO_FD int fd = -1;
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    size_t verb = 0;
    while (verb < WA_COUNT(verbs) && strcmp(word, verbs[verb].verb) != 0)
        verb++;
    if (verb == WA_COUNT(verbs))
        return wa_fail(err, WA_E_USAGE, "after journal comes 'list', 'head', 'verify' or 'export'");
    if (open_file(cli, strcmp(word, "export") == 0, &fd, err) != WA_OK ||
        wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_server_open_db(&c, "waptserver/journal", &db, err);
    if (code == WA_OK)
        code = verbs[verb].run(cli, db, wa_cli_get(cli, "node", c.node), fd, err);
    wa_server_config_free(&c);
    return code;
}

static const struct wa_cli_option journal_options[] = {
    WA_SRV_CONFIG_OPTION, {"after", 0, "N"},      {"limit", 0, "N"},   {"head", 0, "HEAD"},
    {"node", 0, "NODE"},  {"archive", 0, "FILE"}, {"through", 0, "N"}, {"trim", 0, NULL},
};

const struct wa_cli_command wa_srv_journal = {
    "journal", journal_options, WA_COUNT(journal_options), 0, 2, journal};
