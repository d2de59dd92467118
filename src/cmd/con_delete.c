/* con_delete.c - waptconsole delete-package: packages leave the server's repository, after a look
 * at who has them and who needs them. What the server says of that is a warning, and no more.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/url.h"
#include "console/intake.h"
#include "console/removal.h"

struct removal {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_index index;
    const struct wa_control *entry; /* whose dependents are told */
};

/* How many machines have it, as they say. */
static enum wa_code count_hosts(struct removal *r, const struct wa_control *c, int64_t *ret,
                                struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    wa_buf_init(&path, 4096);
    wa_buf_adds(&path, "/api/v1/hosts?limit=1&package=");
    wa_url_encode(wa_sv(wa_control_get(c, WA_A_PACKAGE)), &path);
    wa_buf_adds(&path, "&package_version=%3D");
    wa_url_encode(wa_sv(wa_control_get(c, WA_A_VERSION)), &path);
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_client_call(r->client, "GET", wa_buf_str(&path), WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    return wa_json_i64(wa_json_get(j, "total"), ret)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "the server does not say how many machines have it");
}

static void tell_dependent(void *user, const struct wa_control *needed, const struct wa_control *by,
                           struct wa_sv requirement)
{
    struct removal *r = user;
    if (needed != r->entry)
        return;
    wa_jw_s(&r->cli->jw, wa_control_get(by, WA_A_PACKAGE));
    wa_cli_out(r->cli, "  needed by %s(=%s): %.*s\n", wa_control_get(by, WA_A_PACKAGE),
               wa_control_get(by, WA_A_VERSION), WA_SV_ARG(requirement));
}

static enum wa_code warn_of(struct removal *r, const char *file, struct wa_err *err)
{
    struct wa_jw *w = &r->cli->jw;
    int64_t hosts = 0;
    r->entry = wa_removal_find(&r->index, wa_sv(file));
    if (r->entry != NULL && count_hosts(r, r->entry, &hosts, err) != WA_OK)
        return err->code;
    wa_jw_obj(w);
    wa_jw_kv(w, "file", file);
    wa_jw_kv(w, "package", r->entry != NULL ? wa_control_get(r->entry, WA_A_PACKAGE) : NULL);
    wa_jw_kv(w, "version", r->entry != NULL ? wa_control_get(r->entry, WA_A_VERSION) : NULL);
    wa_jw_kvi(w, "hosts", hosts);
    wa_cli_out(r->cli, "%s\n", file);
    if (hosts > 0)
        wa_cli_out(r->cli,
                   wa_text_n("  %zu machine has it, and keeps it\n",
                             "  %zu machines have it, and keep it\n", (size_t)hosts),
                   (size_t)hosts);
    wa_jw_key(w, "needed_by");
    wa_jw_arr(w);
    if (r->entry != NULL)
        wa_removal_breaks(&r->index, r->cli->args, r->cli->arg_count, tell_dependent, r);
    wa_jw_end(w);
    wa_jw_end(w);
    return WA_OK;
}

/* JSON: only of a dry run. */
static enum wa_code warn(struct removal *r, struct wa_err *err)
{
    if (wa_intake_index(r->client, "/wapt", &r->index, err) != WA_OK)
        return wa_wrap(err, "the index of the server");
    wa_jw_arr(&r->cli->jw);
    for (size_t i = 0; i < r->cli->arg_count; i++)
        if (warn_of(r, r->cli->args[i], err) != WA_OK)
            return err->code;
    wa_jw_end(&r->cli->jw);
    return WA_OK;
}

static enum wa_code delete_all(struct removal *r, struct wa_err *err)
{
    struct wa_cli *cli = r->cli;
    if (wa_con_connect(cli, &r->client, err) != WA_OK)
        return err->code;
    if (wa_cli_has(cli, "dry-run"))
        return warn(r, err);
    if (!wa_cli_has(cli, "yes") &&
        (warn(r, err) != WA_OK || wa_cli_confirm("Delete them?", "--yes", err) != WA_OK))
        return err->code;
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        if (wa_intake_delete(r->client, wa_sv(cli->args[i]), err) != WA_OK)
            return err->code;
        if (wa_cli_has(cli, "yes"))
            wa_cli_out(cli, "%s\n", cli->args[i]);
        wa_jw_s(&cli->jw, cli->args[i]);
    }
    wa_jw_end(&cli->jw);
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct removal r = {.cli = cli};
    if (cli->json && !wa_cli_has(cli, "yes") && !wa_cli_has(cli, "dry-run"))
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    wa_index_init(&r.index);
    enum wa_code code = delete_all(&r, err);
    wa_index_fini(&r.index);
    wa_client_close(r.client);
    return code;
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    {"yes", 'y', NULL},
    {"dry-run", 'n', NULL},
};
const struct wa_cli_command wa_con_delete_package = {
    "delete-package", options, WA_COUNT(options), 1, SIZE_MAX, run};
