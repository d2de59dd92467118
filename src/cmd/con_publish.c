/* con_publish.c - waptconsole publish: signs the state of the server's repository, after looking at
 * it as a machine would (console/publishing.h).
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "cmd/repo_state.h"
#include "console/publishing.h"

struct publishing {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_dir known; /* root.json, last.json */
    struct wa_publishing work;
    const struct wa_get_signer *signer; /* by whom, borrowed; NULL: as the command line says */
    char *const *revoked;               /* besides those of --revoke */
    size_t revoked_count;
};

enum wa_code wa_con_open_known(const struct wa_cli *cli, struct wa_dir *ret, struct wa_err *err)
{
    WA_AUTO_STR char *server = NULL;
    const char *given = wa_cli_get(cli, "known", NULL);
    if (given != NULL)
        return wa_known_open_path(given, ret, err);
    if (wa_cli_get(cli, "server", NULL) != NULL
            ? wa_sv_dup(wa_sv(wa_cli_get(cli, "server", NULL)), &server, err) != WA_OK
            : wa_get_conf(cli, "wapt_server", &server, err) != WA_OK)
        return err->code;
    if (server == NULL)
        return wa_con_which_server(err);
    return wa_known_open(server, ret, err);
}

static enum wa_code send_root(struct publishing *p, const char *path, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_path_read(path, WA_ROOT_BYTES_MAX, &json, err) != WA_OK ||
        wa_known_send(p->client, "root", wa_buf_sv(&json), err) != WA_OK)
        return wa_wrap(err, "the root '%s'", path);
    return WA_OK;
}

static enum wa_code find_root(struct publishing *p, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    const char *given = wa_cli_get(p->cli, "root", NULL);
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (given != NULL && wa_path_read(given, WA_ROOT_BYTES_MAX, &json, err) != WA_OK)
        return err->code;
    return wa_publishing_find_root(&p->work, &p->known, p->client, wa_buf_sv(&json), err);
}

static void say_fetching(void *user, struct wa_sv file)
{
    wa_cli_say(user, "fetching '%.*s' to verify it", WA_SV_ARG(file));
}

static enum wa_code show(struct publishing *p, struct wa_err *err)
{
    struct wa_repo_told t = {.cli = p->cli};
    wa_repo_job_say_unknown(p->cli, &p->work.unknown);
    wa_jw_key(&p->cli->jw, "files");
    wa_jw_arr(&p->cli->jw);
    enum wa_code code = wa_publish_job_prepare(&p->work.job, wa_repo_tell, &t, err);
    wa_jw_end(&p->cli->jw);
    if (p->work.job.next != NULL)
        wa_repo_job_say_counts(&t, &p->work.job);
    return code;
}

static enum wa_code commit(struct publishing *p, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer loaded = {.key = NULL};
    const struct wa_get_signer *s = p->signer != NULL ? p->signer : &loaded;
    return p->signer != NULL || wa_get_signer_load(p->cli, &loaded, err) == WA_OK
               ? wa_publishing_commit(&p->work, &p->known, p->client, s->chain.items[0], s->key,
                                      err)
               : err->code;
}

static enum wa_code revoke(struct publishing *p, struct wa_err *err)
{
    for (size_t i = 0; i < p->revoked_count; i++)
        if (wa_publish_job_revoke(&p->work.job, wa_sv(p->revoked[i]), err) != WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code run(struct publishing *p, struct wa_err *err)
{
    const char *root = wa_cli_get(p->cli, "send-root", NULL);
    if (p->cli->json && !wa_cli_has(p->cli, "yes"))
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    if (wa_con_open_known(p->cli, &p->known, err) != WA_OK ||
        (p->client == NULL && wa_con_connect(p->cli, &p->client, err) != WA_OK))
        return err->code;
    if ((root != NULL && send_root(p, root, err) != WA_OK) || find_root(p, err) != WA_OK ||
        wa_repo_job_options(p->cli, &p->work.job, err) != WA_OK || revoke(p, err) != WA_OK ||
        wa_publishing_fetch(&p->work, &p->known, p->client, say_fetching, p->cli, err) != WA_OK ||
        show(p, err) != WA_OK || wa_repo_job_confirm(p->cli, err) != WA_OK ||
        commit(p, err) != WA_OK)
        return err->code;
    wa_cli_out(p->cli, "list %lld is published\n", (long long)p->work.job.o.version);
    return WA_OK;
}

enum wa_code wa_con_publish_list(struct wa_cli *cli, struct wa_client *c,
                                 const struct wa_get_signer *signer, char *const *revoked,
                                 size_t revoked_count, struct wa_err *err)
{
    struct publishing p = {.cli = cli,
                           .client = c,
                           .known = WA_DIR_INIT,
                           .signer = signer,
                           .revoked = revoked,
                           .revoked_count = revoked_count};
    wa_publishing_init(&p.work);
    wa_jw_obj(&cli->jw);
    enum wa_code code = run(&p, err);
    wa_jw_kvi(&cli->jw, "version", code == WA_OK ? p.work.job.o.version : 0);
    wa_jw_end(&cli->jw);
    wa_publishing_fini(&p.work);
    wa_dir_close(&p.known);
    if (c == NULL)
        wa_client_close(p.client);
    return code;
}

static enum wa_code publish(struct wa_cli *cli, struct wa_err *err)
{
    return wa_con_publish_list(cli, NULL, NULL, NULL, 0, err);
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    WA_GET_SIGNER_OPTIONS,
    WA_CON_PUBLISH_OPTIONS,
};
const struct wa_cli_command wa_con_publish = {"publish", options, WA_COUNT(options), 0, 0, publish};
