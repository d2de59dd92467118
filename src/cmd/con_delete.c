/* con_delete.c - waptconsole delete-package: packages leave the server's repository, after a look
 * at who has them, what needs them, and which machines are assigned them. What the server says of
 * that is a warning, and no more.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/url.h"
#include "console/intake.h"
#include "console/removal.h"

#define OWN_SHOWN 10u /* machines, by name */

struct removal {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_index index;
    const struct wa_control *entry; /* whose dependents are told */
};

/* A page of the machines of which a query says something; version: NULL, it says nothing of one. */
static enum wa_code ask_hosts(struct removal *r, const char *query, const char *package,
                              const char *version, struct wa_arena *arena,
                              const struct wa_json **ret, int64_t *ret_total, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf path;
    wa_buf_init(&path, 4096);
    wa_buf_addf(&path, "/api/v1/hosts?sort=name&limit=%u&%s=", OWN_SHOWN, query);
    wa_url_encode(wa_sv(package), &path);
    if (version != NULL) {
        wa_buf_adds(&path, "&package_version=%3D");
        wa_url_encode(wa_sv(version), &path);
    }
    if (wa_buf_check(&path, err) != WA_OK ||
        wa_client_call(r->client, "GET", wa_buf_str(&path), WA_SV(""), arena, ret, err) != WA_OK)
        return err->code;
    return wa_json_i64(wa_json_get(*ret, "total"), ret_total)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "the server does not say how many machines have it");
}

/* Who has it, as the machines say. */
static enum wa_code count_hosts(struct removal *r, const struct wa_control *c, int64_t *ret,
                                struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *ignored = NULL;
    wa_arena_init(&arena, 16u << 20);
    return ask_hosts(r, "package", wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_VERSION),
                     &arena, &ignored, ret, err);
}

/* The machines whose own packages need it, as the server verified these at their upload. */
static enum wa_code tell_assigned(struct removal *r, size_t i, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_jw *w = &r->cli->jw;
    const struct wa_json *j = NULL;
    int64_t total = 0;
    wa_arena_init(&arena, 16u << 20);
    if (wa_removal_is_last(&r->index, r->cli->args, r->cli->arg_count, i) &&
        ask_hosts(r, "group", wa_control_get(r->entry, WA_A_PACKAGE), NULL, &arena, &j, &total,
                  err) != WA_OK)
        return err->code;
    const struct wa_json *hosts = wa_json_get(j, "hosts");
    if (total > 0)
        wa_cli_out(r->cli,
                   wa_text_n("  %zu machine is assigned it by its own package, and could not be "
                             "brought up to date any more:\n",
                             "  %zu machines are assigned it by their own packages, and could not "
                             "be brought up to date any more:\n",
                             (size_t)total),
                   (size_t)total);
    wa_jw_key(w, "assigned_to");
    wa_jw_obj(w);
    wa_jw_kvi(w, "total", total);
    wa_jw_key(w, "names");
    wa_jw_arr(w);
    for (size_t k = 0; k < wa_json_count(hosts); k++) {
        char name[WA_NAME_MAX + 1];
        (void)snprintf(name, sizeof name, "%.*s",
                       WA_SV_ARG(wa_json_sv(wa_json_get(wa_json_at(hosts, k), "name"))));
        wa_jw_s(w, name);
        wa_cli_tame(name);
        wa_cli_out(r->cli, "    %s\n", name);
    }
    wa_jw_end(w);
    wa_jw_end(w);
    if (total > (int64_t)wa_json_count(hosts))
        wa_cli_out(r->cli, "    %s\n", "...");
    return WA_OK;
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

static enum wa_code warn_of(struct removal *r, size_t at, struct wa_err *err)
{
    struct wa_jw *w = &r->cli->jw;
    const char *file = r->cli->args[at];
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
    if (tell_assigned(r, at, err) != WA_OK)
        return err->code;
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
        if (warn_of(r, i, err) != WA_OK)
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
