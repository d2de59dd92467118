/* con_journal.c - waptconsole journal: what was done, and every entry of it verified here; and the
 * warning at each login when the server's journal is not what was seen before, which goes on: what
 * a machine runs does not hang on the server's word.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "console/journal_seen.h"

void wa_con_check_journal(const struct wa_cli *cli, struct wa_client *c, const char *server)
{
    WA_AUTO_BUF struct wa_buf warning;
    wa_buf_init(&warning, 16384);
    wa_journal_seen_warn(c, server, &warning);
    if (warning.n > 0)
        wa_cli_say(cli, "%s", wa_buf_str(&warning));
}

/* --- the command --- */

static enum wa_code verify(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    WA_AUTO_CON_SERVER struct wa_con_server server = {.server = NULL};
    struct wa_journal_walk walk = {.node = ""};
    char path[WA_PATH_MAX];
    (void)snprintf(walk.node, sizeof walk.node, "%s", wa_cli_get(cli, "node", ""));
    if (wa_con_server_read(cli, &server, err) != WA_OK ||
        wa_journal_seen_file(server.server, path, err) != WA_OK ||
        wa_journal_walk_begin(c, &walk, err) != WA_OK)
        return err->code;
    while (!walk.is_over) {
        if (wa_journal_walk_on(c, path, &walk, err) != WA_OK)
            return err->code;
        wa_cli_progress(cli, wa_text("entries"), (uint64_t)walk.seq, (uint64_t)walk.total);
    }
    wa_cli_progress(cli, "", 0, 0);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "node", walk.node);
    wa_jw_kvi(&cli->jw, "entries", walk.seq);
    wa_jw_kv(&cli->jw, "digest", walk.digest);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli,
               wa_text("%lld entries fit to each other, and to what was seen here before; the "
                       "newest is %s\n"),
               (long long)walk.seq, walk.digest);
    return WA_OK;
}

/* The newest of them: what was done by whom, as the server wrote it. */
static enum wa_code show(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *head = NULL, *j = NULL;
    int64_t last = 100, seq = 0;
    char path[160];
    const char *node = wa_cli_get(cli, "node", "");
    wa_arena_init(&arena, 256u << 20);
    if (strlen(node) >= WA_JOURNAL_NODE || strpbrk(node, "&=?#/ ") != NULL)
        return wa_fail(err, WA_E_USAGE, "'%s' is no server's node", node);
    if (wa_cli_int(cli, "last", 1, 1000, &last, err) != WA_OK)
        return err->code;
    (void)snprintf(path, sizeof path, "/api/v1/journal/head%s%s", node[0] != '\0' ? "?node=" : "",
                   node);
    if (wa_client_call(c, "GET", path, WA_SV(""), &arena, &head, err) != WA_OK)
        return err->code;
    (void)wa_json_i64(wa_json_get(head, "seq"), &seq);
    (void)snprintf(path, sizeof path, "/api/v1/journal?after=%lld&limit=%lld%s%s",
                   (long long)(seq > last ? seq - last : 0), (long long)last,
                   node[0] != '\0' ? "&node=" : "", node);
    if (wa_client_call(c, "GET", path, WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    static const struct wa_con_column columns[] = {{WA_TEXT("entry"), "seq", false, false},
                                                   {WA_TEXT("when"), "at", true, false},
                                                   {WA_TEXT("what"), "entry", false, true}};
    const struct wa_json *rows = wa_json_get(j, "entries");
    wa_jw_json(&cli->jw, rows);
    return wa_con_rows(cli, rows, columns, WA_COUNT(columns), err);
}

static enum wa_code journal(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    const char *word = cli->arg_count > 0 ? cli->args[0] : "show";
    bool is_verify = strcmp(word, "verify") == 0;
    if (!is_verify && strcmp(word, "show") != 0)
        return wa_fail(err, WA_E_USAGE, "after journal comes 'show' or 'verify'");
    if (wa_con_connect(cli, &c, err) != WA_OK)
        return err->code;
    return is_verify ? verify(cli, c, err) : show(cli, c, err);
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS, {"last", 0, "N"}, {"node", 0, "NODE"}};
const struct wa_cli_command wa_con_journal = {"journal", options, WA_COUNT(options), 0, 1, journal};
