/* con_intake.c - packages that are taken over: shown first, with who signed them, then signed anew,
 * uploaded one by one, and published as a list if that is asked for.
 *
 * Each is verified before it is signed, and each has a result of its own; what fails keeps no other
 * from coming.
 */
#include "cmd/con_intake.h"

#include <stdlib.h>

#include "base/mem.h"
#include "os/fs.h"

enum wa_code wa_con_intake_requests(struct wa_con_intake *t, struct wa_err *err)
{
    if (t->cli->arg_count > WA_COUNT(t->requests))
        return wa_fail(err, WA_E_USAGE, "at most %zu packages at once", WA_COUNT(t->requests));
    for (size_t i = 0; i < t->cli->arg_count; i++)
        if (wa_request_parse(wa_sv(t->cli->args[i]), &t->requests[i], err) != WA_OK)
            return err->code;
    t->wish.requests = t->requests;
    t->wish.request_count = t->cli->arg_count;
    return WA_OK;
}

void wa_con_intake_fini(struct wa_con_intake *t)
{
    wa_intake_free(t->in);
    wa_get_signer_fini(&t->signer);
    wa_trust_free(t->anchors);
    if (t->from != t->server)
        wa_client_close(t->from);
    wa_client_close(t->server);
    wa_free(t->base);
    wa_free(t->section);
    wa_free(t->trusted);
}

/* --- the plan --- */

static void show_row(struct wa_cli_table *table, const struct wa_con_intake *t,
                     const struct wa_import_item *item)
{
    const struct wa_control *c = item->entry;
    const char *maturity =
        t->wish.maturity != NULL ? t->wish.maturity : wa_control_get(c, WA_A_MATURITY);
    const char *const cells[] = {
        wa_control_get(c, WA_A_PACKAGE),
        wa_control_get(c, WA_A_VERSION),
        wa_control_get(c, WA_A_SIGNER),
        wa_control_get(c, WA_A_SIZE),
        item->package,
        maturity,
        item->ours != NULL ? wa_control_get(item->ours, WA_A_VERSION) : "",
        item->needed_by != NULL ? wa_control_get(item->needed_by, WA_A_PACKAGE) : "",
    };
    for (size_t i = 0; i < WA_COUNT(cells); i++)
        wa_cli_table_cell(table, wa_sv(cells[i]));
}

static enum wa_code show_plan(struct wa_con_intake *t, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {
        {WA_TEXT("package"), true},  {WA_TEXT("version"), false}, {WA_TEXT("signer"), true},
        {WA_TEXT("bytes"), false},   {WA_TEXT("here"), true},     {WA_TEXT("maturity"), false},
        {WA_TEXT("is here"), false}, {WA_TEXT("needed by"), true}};
    WA_AUTO_TABLE struct wa_cli_table table;
    const struct wa_import_plan *plan = wa_intake_plan(t->in);
    size_t refused = 0;
    const struct wa_intake_refused *r = wa_intake_refused(t->in, &refused);
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    for (size_t i = 0; i < plan->n; i++)
        show_row(&table, t, &plan->items[i]);
    if (plan->n > 0 && wa_cli_table_print(&table, t->cli, err) != WA_OK)
        return err->code;
    if (t->cli->json)
        return WA_OK;
    for (size_t i = 0; i < refused && (t->wish.request_count > 0 || t->o.file_count > 0); i++)
        wa_cli_say(t->cli, "%s(=%s) is refused: %s", wa_control_get(&r[i].entry, WA_A_PACKAGE),
                   wa_control_get(&r[i].entry, WA_A_VERSION), r[i].why);
    for (size_t i = 0; i < plan->missing.n; i++)
        wa_cli_say(t->cli, "missing, there and here: %s", plan->missing.items[i]);
    if (plan->current_count > 0)
        wa_cli_say(t->cli, "%zu packages are here already, as new or newer", plan->current_count);
    if (plan->n == 0)
        wa_cli_say(t->cli, "nothing to do");
    return WA_OK;
}

/* --- the work --- */

static enum wa_code copy_out(struct wa_con_intake *t, const char *path, struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int from = -1;
    WA_AUTO_FD int to = -1;
    struct wa_relpath name;
    char text[2 * WA_NAME_MAX + 1];
    const char *folder = wa_cli_get(t->cli, "output", ".");
    wa_control_init(&c);
    if (wa_get_control(path, &c, err) != WA_OK ||
        wa_control_filename(&c, NULL, text, err) != WA_OK ||
        wa_relpath_parse(wa_sv(text), &name, err) != WA_OK ||
        wa_dir_open(folder, &dir, err) != WA_OK || wa_path_open(path, &from, err) != WA_OK ||
        wa_tree_remove(&dir, &name, err) != WA_OK ||
        wa_file_create(&dir, &name, 0644, &to, err) != WA_OK ||
        wa_fd_copy(from, to, WA_PACKAGE_BYTES_MAX, err) != WA_OK)
        return err->code;
    wa_cli_out(t->cli, "%s/%s\n", folder, name.p);
    return WA_OK;
}

static enum wa_code take_one(struct wa_con_intake *t, size_t i, struct wa_err *err)
{
    const struct wa_import_item *item = &wa_intake_plan(t->in)->items[i];
    char path[WA_PATH_MAX];
    wa_cli_say(t->cli, "fetching and verifying '%s'", wa_control_get(item->entry, WA_A_PACKAGE));
    if (wa_intake_fetch(t->in, i, NULL, err) != WA_OK ||
        wa_intake_sign(t->in, i, &t->signer.signer, path, err) != WA_OK)
        return err->code;
    if (wa_cli_has(t->cli, "output"))
        return copy_out(t, path, err);
    if (wa_con_upload_one(t->cli, t->server, path, err) != WA_OK)
        return err->code;
    return t->removes_old ? wa_intake_remove_old(t->server, item, NULL, err) : WA_OK;
}

static enum wa_code take_all(struct wa_con_intake *t, bool is_done, struct wa_err *err)
{
    const struct wa_import_plan *plan = wa_intake_plan(t->in);
    struct wa_get_tally tally = {0, 0, WA_OK};
    wa_jw_key(&t->cli->jw, "packages");
    wa_jw_arr(&t->cli->jw);
    for (size_t i = 0; i < plan->n; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (is_done && take_one(t, i, &why) == WA_OK)
            wa_err_clear(&why);
        wa_jw_obj(&t->cli->jw);
        wa_intake_write_item(&t->wish, &plan->items[i], &t->cli->jw);
        wa_jw_kv(&t->cli->jw, "code", wa_code_name(why.code));
        wa_jw_kv(&t->cli->jw, "error", why.code == WA_OK ? NULL : why.text);
        wa_jw_end(&t->cli->jw);
        wa_get_count(t->cli, &tally, &why);
    }
    wa_jw_end(&t->cli->jw);
    return wa_get_outcome(&tally, "could not be taken over", err);
}

static enum wa_code ask(struct wa_con_intake *t, struct wa_err *err)
{
    if (wa_cli_has(t->cli, "yes"))
        return WA_OK;
    if (t->cli->json)
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    return wa_cli_confirm("Sign these packages and take them over?", "--yes", err);
}

static enum wa_code work(struct wa_con_intake *t, bool is_done, struct wa_err *err)
{
    bool publishes = is_done && wa_cli_has(t->cli, "publish") && !wa_cli_has(t->cli, "output");
    if (is_done && (ask(t, err) != WA_OK || wa_get_signer_load(t->cli, &t->signer, err) != WA_OK))
        return err->code;
    if (take_all(t, is_done, err) != WA_OK)
        return err->code;
    if (!publishes) {
        if (is_done && !t->cli->json && !wa_cli_has(t->cli, "output"))
            wa_cli_say(t->cli,
                       "where there is a root, machines see it after 'waptconsole publish'");
        return WA_OK;
    }
    wa_jw_key(&t->cli->jw, "published");
    return wa_con_publish_list(t->cli, t->server, &t->signer, NULL, 0, err);
}

enum wa_code wa_con_intake_run(struct wa_con_intake *t, struct wa_err *err)
{
    t->o.anchors = t->anchors;
    t->o.from = t->from;
    t->o.here = t->server;
    t->o.wish = &t->wish;
    if (wa_intake_open(&t->o, &t->in, err) != WA_OK || show_plan(t, err) != WA_OK)
        return err->code;
    size_t refused = 0;
    bool is_done = wa_intake_plan(t->in)->n > 0 && !wa_cli_has(t->cli, "dry-run");
    wa_jw_obj(&t->cli->jw);
    wa_intake_write_rest(t->in, false, &t->cli->jw);
    enum wa_code code = work(t, is_done, err);
    wa_jw_end(&t->cli->jw);
    if (code == WA_OK && t->o.file_count > 0)
        (void)wa_intake_refused(t->in, &refused);
    return refused == 0
               ? code
               : wa_fail(err, is_done ? WA_E_PARTIAL : WA_E_REFUSED,
                         wa_text_n("%zu file is refused", "%zu files are refused", refused),
                         refused);
}
