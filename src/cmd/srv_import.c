/* srv_import.c - waptserver import: what a WAPT 1.8 server knew. */
#include "base/mem.h"
#include "cmd/srv.h"
#include "server/import.h"

#define SHOWN_MAX                                                                                  \
    200 /* of what was not taken; --json tells all of it, up to this many of a kind                \
         */

struct telling {
    struct wa_cli *cli;
    int64_t told[WA_IM_KINDS];
};

static void on_left_out(void *user, enum wa_import_kind kind, const char *name, const char *why)
{
    struct telling *t = user;
    char text[WA_ERR_TEXT_MAX + 512];
    if (t->told[kind]++ >= SHOWN_MAX)
        return;
    wa_jw_obj(&t->cli->jw);
    wa_jw_kv(&t->cli->jw, "what", wa_import_name(kind));
    wa_jw_kv(&t->cli->jw, "name", name);
    wa_jw_kv(&t->cli->jw, "why", why);
    wa_jw_end(&t->cli->jw);
    (void)snprintf(text, sizeof text, "%s '%s': %s", wa_text(wa_import_name(kind)), name, why);
    wa_cli_tame(text);
    wa_cli_say(t->cli, "not taken: %s", text);
}

static void on_progress(void *user, int64_t done, int64_t total)
{
    const struct telling *t = user;
    wa_cli_progress(t->cli, wa_text("machines"), (uint64_t)done, (uint64_t)total);
}

static void write_counts(struct wa_cli *cli, const struct wa_import *im)
{
    wa_jw_key(&cli->jw, "counts");
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < WA_IM_KINDS; i++) {
        const struct wa_import_count *c = &im->counts[i];
        wa_jw_obj(&cli->jw);
        wa_jw_kv(&cli->jw, "what", wa_import_name((enum wa_import_kind)i));
        wa_jw_kvi(&cli->jw, "found", c->found);
        wa_jw_kvi(&cli->jw, "taken", c->taken);
        wa_jw_kvi(&cli->jw, "there", c->there);
        wa_jw_kvi(&cli->jw, "left_out", c->left_out);
        wa_jw_end(&cli->jw);
    }
    wa_jw_end(&cli->jw);
}

static enum wa_code print_counts(struct wa_cli *cli, const struct wa_import *im, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {{WA_TEXT("what"), false},
                                                   {WA_TEXT("found"), false},
                                                   {WA_TEXT("taken"), false},
                                                   {WA_TEXT("there already"), false},
                                                   {WA_TEXT("not taken"), false}};
    WA_AUTO_TABLE struct wa_cli_table table;
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    for (size_t i = 0; i < WA_IM_KINDS; i++) {
        const struct wa_import_count *c = &im->counts[i];
        const int64_t numbers[] = {c->found, c->taken, c->there, c->left_out};
        wa_cli_table_cell(&table, wa_sv(wa_text(wa_import_name((enum wa_import_kind)i))));
        for (size_t k = 0; k < WA_COUNT(numbers); k++) {
            char text[24];
            (void)snprintf(text, sizeof text, "%lld", (long long)numbers[k]);
            wa_cli_table_cell(&table, wa_sv(text));
        }
    }
    return wa_cli_table_print(&table, cli, err);
}

static enum wa_code import(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_server_config c;
    struct telling t = {.cli = cli};
    struct wa_import im = {.config = &c,
                           .from = wa_cli_get(cli, "from", ""),
                           .ini = wa_cli_get(cli, "ini", NULL),
                           .is_dry = wa_cli_has(cli, "dry-run"),
                           .left_out = on_left_out,
                           .progress = on_progress,
                           .user = &t};
    if (wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_key(&cli->jw, "left_out");
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_server_import(&im, err);
    wa_cli_progress(cli, "", 0, 0);
    wa_jw_end(&cli->jw);
    write_counts(cli, &im);
    wa_jw_end(&cli->jw);
    wa_server_config_free(&c);
    if (code != WA_OK)
        return code;
    if (im.is_dry)
        wa_cli_say(cli, "nothing was written: without --dry-run it would be");
    else
        wa_cli_say(cli, "a server that is running shows the machines after its next start");
    return print_counts(cli, &im, err);
}

static const struct wa_cli_option options[] = {
    WA_SRV_CONFIG_OPTION, {"from", 0, "URL"}, {"ini", 0, "FILE"}, {"dry-run", 'n', NULL}};

const struct wa_cli_command wa_srv_import = {"import", options, WA_COUNT(options), 0, 0, import};
