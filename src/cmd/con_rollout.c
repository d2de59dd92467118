/* con_rollout.c - waptconsole rollout: begins a roll-out by a signed statement, shows how far it
 * is, promotes, pauses, resumes and stops it.
 *
 * Only create signs. The others ask the server, whose rings protect against mistakes; what machines
 * have already is ended by waptconsole cancel, which is signed.
 */
#include "cmd/con_rollout.h"
#include "base/date.h"
#include "base/mem.h"
#include "codec/hex.h"

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    WA_GET_SIGNER_OPTIONS,
    {"hosts", 'H', "HOST,..."},
    {"members-of", 0, "LIST"},
    {"name", 0, "NAME"},
    {"rings", 0, "LIST"},
    {"by-hand", 0, NULL},
    {"success", 0, "PERCENT"},
    {"min-count", 0, "N"},
    {"min-time", 0, "PERIOD"},
    {"errors", 0, "PERCENT"},
    {"error-count", 0, "N"},
    {"windows", 0, "WINDOWS"},
    {"from", 0, "DATE"},
    {"valid", 0, "PERIOD"},
    {"supersedes", 0, "ID"},
    {"force", 'f', NULL},
    {"yes", 'y', NULL},
    {"only-if-not-process-running", 0, NULL},
};

static struct wa_sv get(const struct wa_json *j, const char *key)
{
    return wa_json_sv(wa_json_get(j, key));
}

static int64_t number(const struct wa_json *j, const char *key)
{
    int64_t v = 0;
    (void)wa_json_i64(wa_json_get(j, key), &v);
    return v;
}

/* --- shown --- */

static enum wa_code show_rings(struct wa_cli *cli, const struct wa_json *r, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("ring"), true}, {WA_TEXT("open"), false}, {WA_TEXT("machines"), false}};
    const struct wa_json *counts = wa_json_get(r, "counts");
    const struct wa_json *rings = wa_json_get(wa_json_get(r, "plan"), "rings");
    WA_AUTO_TABLE struct wa_cli_table table;
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    for (size_t i = 0; i < wa_json_count(rings); i++) {
        WA_AUTO_BUF struct wa_buf line;
        wa_buf_init(&line, 4096);
        for (size_t k = 0; k < wa_json_count(counts); k++) {
            const struct wa_json *states = wa_json_get(wa_json_at(counts, k), "states");
            if (number(wa_json_at(counts, k), "ring") != (int64_t)i)
                continue;
            for (size_t s = 0; s < wa_json_count(states); s++) {
                int64_t n = 0;
                (void)wa_json_i64(wa_json_at(states, s), &n);
                wa_buf_addf(&line, "%s%lld %.*s", line.n > 0 ? ", " : "", (long long)n,
                            WA_SV_ARG(wa_json_key_at(states, s)));
            }
        }
        wa_cli_table_cell(&table, get(wa_json_at(rings, i), "name"));
        wa_cli_table_cell(&table, wa_sv((int64_t)i <= number(r, "ring") ? "yes" : "no"));
        wa_cli_table_cell(&table, line.n > 0 ? wa_buf_sv(&line) : WA_SV("-"));
    }
    return wa_cli_table_print(&table, cli, err);
}

static enum wa_code show_list(struct wa_cli *cli, const struct wa_json *list, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("id"), false},    {WA_TEXT("name"), true},   {WA_TEXT("action"), false},
        {WA_TEXT("state"), false}, {WA_TEXT("until"), false}, {WA_TEXT("reason"), true}};
    static const char *const cells[] = {"id", "name", "action", "state"};
    WA_AUTO_TABLE struct wa_cli_table table;
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *r = wa_json_at(list, i);
        char until[WA_DATE_MAX];
        wa_date_rfc3339(number(r, "not_after"), until);
        for (size_t k = 0; k < WA_COUNT(cells); k++)
            wa_cli_table_cell(&table, get(r, cells[k]));
        wa_cli_table_cell(&table, wa_sv(until));
        wa_cli_table_cell(&table, get(r, "reason"));
        wa_jw_json(&cli->jw, r);
    }
    return wa_cli_table_print(&table, cli, err);
}

/* The result is a list in any case. */
static enum wa_code show_one(struct wa_cli *cli, const struct wa_json *r, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf line;
    wa_buf_init(&line, 4096);
    wa_jw_arr(&cli->jw);
    wa_jw_json(&cli->jw, r);
    wa_jw_end(&cli->jw);
    wa_buf_addf(&line, "%.*s '%.*s': %.*s%s%.*s", WA_SV_ARG(get(r, "id")),
                WA_SV_ARG(get(r, "name")), WA_SV_ARG(get(r, "state")),
                get(r, "reason").n > 0 ? ", " : "", WA_SV_ARG(get(r, "reason")));
    if (wa_buf_check(&line, err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "%s\n", wa_buf_str(&line));
    return show_rings(cli, r, err);
}

/* --- the verbs --- */

static enum wa_code call(struct wa_cli *cli, struct wa_client *c, const char *method,
                         const char *id, const char *verb, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char path[96];
    wa_arena_init(&arena, 64u << 20);
    if (!wa_hex_is(wa_sv(id), 32))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the 32 digits of a roll-out", id);
    (void)snprintf(path, sizeof path, "/api/v1/rollouts/%s%s%s", id, verb[0] != '\0' ? "/" : "",
                   verb);
    return wa_client_call(c, method, path, WA_SV(""), &arena, &j, err) == WA_OK
               ? show_one(cli, j, err)
               : err->code;
}

static enum wa_code create(struct wa_cli *cli, struct wa_client *c, const struct wa_signer *signer,
                           struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    const struct wa_json *j = NULL;
    char id[33];
    wa_arena_init(&arena, 64u << 20);
    wa_buf_init(&body, 2u << 20);
    if (wa_con_rollout_make(cli, c, signer, &body, err) != WA_OK ||
        wa_client_call(c, "POST", "/api/v1/rollouts", wa_buf_sv(&body), &arena, &j, err) != WA_OK)
        return err->code;
    (void)snprintf(id, sizeof id, "%.*s", WA_SV_ARG(get(j, "id")));
    return call(cli, c, "GET", id, "", err);
}

static enum wa_code list(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 256u << 20);
    if (wa_client_call(c, "GET", "/api/v1/rollouts?sort=-created", WA_SV(""), &arena, &j, err) !=
        WA_OK)
        return err->code;
    wa_jw_arr(&cli->jw);
    if (show_list(cli, wa_json_get(j, "rollouts"), err) != WA_OK)
        return err->code;
    wa_jw_end(&cli->jw);
    return WA_OK;
}

static enum wa_code run_create(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    if (wa_get_signer_load(cli, &signer, err) != WA_OK || wa_con_connect(cli, &c, err) != WA_OK)
        return err->code;
    return create(cli, c, &signer.signer, err);
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    static const char *const verbs[] = {"show", "promote", "pause", "resume", "stop"};
    const char *verb = cli->args[0];
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    if (strcmp(verb, "create") == 0)
        return run_create(cli, err);
    if (strcmp(verb, "list") == 0 && cli->arg_count == 1)
        return wa_con_connect(cli, &c, err) == WA_OK ? list(cli, c, err) : err->code;
    for (size_t i = 0; i < WA_COUNT(verbs) && cli->arg_count == 2; i++) {
        if (strcmp(verb, verbs[i]) != 0)
            continue;
        if (wa_con_connect(cli, &c, err) != WA_OK)
            return err->code;
        return call(cli, c, i == 0 ? "GET" : "POST", cli->args[1], i == 0 ? "" : verb, err);
    }
    return wa_fail(
        err, WA_E_USAGE,
        "after rollout comes 'create ACTION [PACKAGE]...', 'list', or 'show', 'promote', "
        "'pause', 'resume' or 'stop' with an identifier");
}

const struct wa_cli_command wa_con_rollout = {"rollout", options, WA_COUNT(options), 1, 70, run};
