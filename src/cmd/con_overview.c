/* con_overview.c - waptconsole overview: the numbers of the console's first page, for who has no
 * browser at hand, and for monitoring. What is a reason to act is for the reader to say.
 */
#include "base/date.h"
#include "cmd/con.h"

/* In the order of the schema Overview (docs/api.md). */
static const struct {
    const char *key, *title;
    bool is_time;
} shown[] = {{"hosts", WA_TEXT("machines"), false},
             {"reachable", WA_TEXT("connected"), false},
             {"unseen_30_days", WA_TEXT("not seen for 30 days"), false},
             {"errors", WA_TEXT("in error"), false},
             {"to_upgrade", WA_TEXT("to upgrade"), false},
             {"audit_errors", WA_TEXT("with an audit in error"), false},
             {"audit_warnings", WA_TEXT("with an audit that warns"), false},
             {"certificates_ending", WA_TEXT("whose certificate ends within a week"), false},
             {"actions_failed_today", WA_TEXT("orders that failed in the last day"), false},
             {"rollouts_running", WA_TEXT("roll-outs under way"), false},
             {"rollouts_halted", WA_TEXT("roll-outs that stopped themselves"), false},
             {"uploads_refused", WA_TEXT("uploads refused in the last week"), false},
             {"webhooks_off", WA_TEXT("webhooks switched off"), false},
             {"journal_missing", WA_TEXT("acts that the journal lacks"), false},
             {"disk_free_percent", WA_TEXT("percent free of the server's fullest disk"), false},
             {"clock_off_s", WA_TEXT("seconds between the servers' clocks"), false},
             {"backup_at", WA_TEXT("last backup of the server"), true},
             {"server_certificate_until", WA_TEXT("the server's certificate ends"), true},
             {"authority_until", WA_TEXT("the machines' authority ends"), true}};

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_TABLE struct wa_cli_table table;
    const struct wa_cli_column titles[] = {{WA_TEXT("what"), true}, {WA_TEXT("now"), false}};
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    wa_cli_table_init(&table, titles, WA_COUNT(titles));
    if (wa_con_connect(cli, &c, err) != WA_OK ||
        wa_client_call(c, "GET", "/api/v1/overview", WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_json(&cli->jw, j);
    for (size_t i = 0; i < WA_COUNT(shown); i++) {
        char text[WA_DATE_MAX];
        int64_t n = 0;
        if (!wa_json_i64(wa_json_get(j, shown[i].key), &n))
            continue; /* an older server's */
        if (!shown[i].is_time)
            (void)snprintf(text, sizeof text, "%lld", (long long)n);
        else if (n > 0)
            wa_date_rfc3339(n, text);
        else
            (void)snprintf(text, sizeof text, "-");
        wa_cli_table_cell(&table, wa_sv(wa_text(shown[i].title)));
        wa_cli_table_cell(&table, wa_sv(text));
    }
    return wa_cli_table_print(&table, cli, err);
}

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS};
const struct wa_cli_command wa_con_overview = {"overview", options, WA_COUNT(options), 0, 0, run};
