/* srv_journal.c - waptserver journal: what was done on this server, and whether the record of it is
 * whole.
 */
#include "base/date.h"
#include "cmd/srv.h"
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

static enum wa_code list(struct wa_cli *cli, struct wa_db *db, const char *node, struct wa_err *err)
{
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

static enum wa_code head(struct wa_cli *cli, struct wa_db *db, const char *node, struct wa_err *err)
{
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
    struct wa_journal_head h;
    uint64_t count = 0;
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

static enum wa_code journal(struct wa_cli *cli, struct wa_err *err)
{
    static const struct {
        const char *verb;
        enum wa_code (*run)(struct wa_cli *cli, struct wa_db *db, const char *node,
                            struct wa_err *err);
    } verbs[] = {{"list", list}, {"head", head}, {"verify", verify}};
    struct wa_server_config c;
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    size_t verb = 0;
    while (verb < WA_COUNT(verbs) && strcmp(word, verbs[verb].verb) != 0)
        verb++;
    if (verb == WA_COUNT(verbs))
        return wa_fail(err, WA_E_USAGE, "after journal comes 'list', 'head' or 'verify'");
    if (wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_server_open_db(&c, "waptserver/journal", &db, err);
    if (code == WA_OK)
        code = verbs[verb].run(cli, db, c.node, err);
    wa_server_config_free(&c);
    return code;
}

static const struct wa_cli_option journal_options[] = {
    WA_SRV_CONFIG_OPTION,
    {"after", 0, "N"},
    {"limit", 0, "N"},
    {"head", 0, "HEAD"},
};

const struct wa_cli_command wa_srv_journal = {
    "journal", journal_options, WA_COUNT(journal_options), 0, 1, journal};
