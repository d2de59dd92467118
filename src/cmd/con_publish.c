/* con_publish.c - waptconsole publish: signs the state of the server's repository, after looking at
 * it as a machine would.
 *
 * The server is believed in nothing: the root is the one this person was given, and those that
 * follow it; the last list is not older than the one seen here before; every package that is new or
 * changed is fetched and verified whole. Root and last list are remembered, below
 * ~/.config/wapt/repositories.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "cmd/repo_state.h"
#include "codec/url.h"
#include "os/clock.h"
#include "os/path.h"
#include "repo/follow.h"

struct publishing {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_dir known; /* root.json, last.json */
    struct wa_repo_job job;
    char temp[WA_PATH_MAX];
    bool has_temp;
};

static enum wa_code fetch(struct publishing *p, const char *name, size_t max, struct wa_buf *out,
                          bool *ret_found, struct wa_err *err)
{
    char path[WA_RELPATH_MAX + 8];
    struct wa_buf_sink sink;
    wa_buf_sink_init(&sink, out);
    (void)snprintf(path, sizeof path, "/wapt/%s", name);
    return wa_client_fetch(p->client, path, max, &sink.base, ret_found, err);
}

static enum wa_code send(struct publishing *p, const char *what, struct wa_sv json,
                         struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_mem_source source;
    char path[64];
    wa_arena_init(&arena, 1u << 20);
    wa_mem_source_init(&source, json.p, json.n);
    (void)snprintf(path, sizeof path, "/api/v1/repository/%s", what);
    return wa_client_upload(p->client, path, &source.base, NULL, NULL, &arena, &j, err);
}

/* --- what is remembered --- */

static enum wa_code open_known(struct publishing *p, struct wa_err *err)
{
    WA_AUTO_STR char *server = NULL;
    char path[WA_PATH_MAX], name[320];
    struct wa_url url;
    const char *given = wa_cli_get(p->cli, "known", NULL);
    if (given != NULL)
        return wa_dir_make(given, 0700, &p->known, err);
    if (wa_cli_get(p->cli, "server", NULL) != NULL
            ? wa_sv_dup(wa_sv(wa_cli_get(p->cli, "server", NULL)), &server, err) != WA_OK
            : wa_get_conf(p->cli, "wapt_server", &server, err) != WA_OK)
        return err->code;
    if (wa_url_parse(wa_sv(server), &url, err) != WA_OK)
        return err->code;
    (void)snprintf(name, sizeof name, "repositories/%s-%u", url.host, (unsigned)url.port);
    if (wa_path_of_config(name, path, err) != WA_OK)
        return err->code;
    return wa_dir_make(path, 0700, &p->known, err);
}

/* The root known here, or the one that is given now. */
static enum wa_code first_root(struct publishing *p, struct wa_buf *json, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    const char *given = wa_cli_get(p->cli, "root", NULL);
    if (given != NULL)
        return wa_path_read(given, WA_ROOT_BYTES_MAX, json, err);
    enum wa_code code = wa_publish_read(&p->known, "root.json", WA_ROOT_BYTES_MAX, json, &why);
    if (code == WA_E_NOT_FOUND)
        return wa_fail(err, WA_E_CONFIG,
                       "no root of this repository is known here: give --root FILE, as its "
                       "administrators gave it to you");
    return code == WA_OK ? WA_OK : wa_fail(err, code, "%s", why.text);
}

/* Walks to the newest root; each is remembered. */
static enum wa_code find_root(struct publishing *p, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (first_root(p, &json, err) != WA_OK ||
        wa_root_read(wa_buf_sv(&json), &p->job.root, err) != WA_OK ||
        wa_root_check(p->job.root, err) != WA_OK ||
        wa_publish_write(&p->known, "root.json", wa_buf_sv(&json), err) != WA_OK)
        return err->code;
    for (unsigned steps = 0; steps < WA_ROOT_STEPS_MAX; steps++) {
        WA_AUTO(wa_root) struct wa_root *next = NULL;
        char name[48];
        bool is_there = false;
        wa_buf_clear(&json);
        (void)snprintf(name, sizeof name, "%lld.root.json", (long long)p->job.root->version + 1);
        if (fetch(p, name, WA_ROOT_BYTES_MAX, &json, &is_there, err) != WA_OK)
            return err->code;
        if (!is_there)
            break;
        if (wa_root_read(wa_buf_sv(&json), &next, err) != WA_OK ||
            wa_root_check_next(p->job.root, next, err) != WA_OK ||
            wa_publish_write(&p->known, "root.json", wa_buf_sv(&json), err) != WA_OK)
            return err->code;
        wa_root_free(p->job.root);
        p->job.root = WA_TAKE(next);
    }
    return wa_root_check_dates(p->job.root, wa_clock_now(), err);
}

/* --- what the server has --- */

static enum wa_code read_seen(struct publishing *p, struct wa_published **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    enum wa_code code =
        wa_publish_read(&p->known, "last.json", WA_PUBLISHED_BYTES_MAX, &json, &why);
    if (code == WA_E_NOT_FOUND)
        return WA_OK;
    return code == WA_OK ? wa_published_read(wa_buf_sv(&json), ret, err)
                         : wa_fail(err, code, "%s", why.text);
}

static enum wa_code check_seen(const struct wa_published *seen, const struct wa_published *last,
                               const struct wa_root *root, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (seen == NULL || wa_published_check_signer(seen, root, wa_clock_now(), NULL, &why) != WA_OK)
        return WA_OK; /* of another repository, or of somebody who may no more */
    if (last == NULL || last->version < seen->version)
        return wa_fail(
            err, WA_E_REFUSED,
            "the server has list %lld, and %lld was there before: somebody rolls it back",
            last == NULL ? 0 : (long long)last->version, (long long)seen->version);
    if (last->version == seen->version && strcmp(last->sha256, seen->sha256) != 0)
        return wa_fail(err, WA_E_REFUSED, "the server has another list %lld than before",
                       (long long)seen->version);
    return WA_OK;
}

/* The list in force: the one before the server's proposal. */
static enum wa_code find_last(struct publishing *p, int64_t version, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO(wa_published) struct wa_published *seen = NULL;
    char name[48];
    bool is_there = false;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    (void)snprintf(name, sizeof name, "%lld.published.json", (long long)version);
    if (version > 0 && fetch(p, name, WA_PUBLISHED_BYTES_MAX, &json, &is_there, err) != WA_OK)
        return err->code;
    if (is_there && wa_published_read(wa_buf_sv(&json), &p->job.last, err) != WA_OK)
        return err->code;
    if (read_seen(p, &seen, err) != WA_OK ||
        check_seen(seen, p->job.last, p->job.root, err) != WA_OK)
        return err->code;
    return wa_repo_job_known(p->cli, &p->job, err);
}

static enum wa_code fetch_file(struct publishing *p, const struct wa_published_file *f,
                               struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_fd_sink sink;
    char path[WA_RELPATH_MAX + 8];
    bool is_there = false;
    if (wa_relpath_parse(f->name, &name, err) != WA_OK ||
        wa_file_create(&p->job.dir, &name, 0600, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    wa_cli_say(p->cli, "fetching '%.*s' to verify it", WA_SV_ARG(f->name));
    (void)snprintf(path, sizeof path, "/wapt/%.*s", WA_SV_ARG(f->name));
    if (wa_client_fetch(p->client, path, f->length, &sink.base, &is_there, err) != WA_OK)
        return wa_wrap(err, "'%.*s'", WA_SV_ARG(f->name));
    return is_there ? WA_OK
                    : wa_fail(err, WA_E_NOT_FOUND, "the server lacks '%.*s'", WA_SV_ARG(f->name));
}

static enum wa_code fetch_new(struct publishing *p, const struct wa_published *proposal,
                              struct wa_err *err)
{
    for (size_t i = 0; i < proposal->file_count; i++) {
        const struct wa_published_file *f = &proposal->files[i];
        const struct wa_published_file *old =
            p->job.known == NULL ? NULL : wa_published_find(p->job.known, f->name);
        if (old != NULL && old->length == f->length && strcmp(old->sha256, f->sha256) == 0)
            continue;
        if (fetch_file(p, f, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* The index and what is new of it, in a directory of its own. The proposal only says where to look.
 */
static enum wa_code fetch_state(struct publishing *p, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO_BUF struct wa_buf index;
    WA_AUTO(wa_published) struct wa_published *proposal = NULL;
    bool has_proposal = false, has_index = false;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    wa_buf_init(&index, WA_INDEX_PACKED_BYTES_MAX);
    if (fetch(p, WA_PROPOSAL_NAME, WA_PUBLISHED_BYTES_MAX, &json, &has_proposal, err) != WA_OK ||
        fetch(p, "Packages", WA_INDEX_PACKED_BYTES_MAX, &index, &has_index, err) != WA_OK)
        return err->code;
    if (!has_proposal || !has_index)
        return wa_fail(
            err, WA_E_NOT_FOUND,
            "the server proposes nothing to publish: does it have a root (--send-root)?");
    if (wa_published_read(wa_buf_sv(&json), &proposal, err) != WA_OK ||
        find_last(p, proposal->version - 1, err) != WA_OK ||
        wa_temp_dir("wapt-publish", p->temp, err) != WA_OK)
        return err->code;
    p->has_temp = true;
    if (wa_dir_open(p->temp, &p->job.dir, err) != WA_OK ||
        wa_publish_write(&p->job.dir, "Packages", wa_buf_sv(&index), err) != WA_OK)
        return err->code;
    return fetch_new(p, proposal, err);
}

/* --- the command --- */

static enum wa_code run(struct publishing *p, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    const char *root = wa_cli_get(p->cli, "send-root", NULL);
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    if (p->cli->json && !wa_cli_has(p->cli, "yes"))
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    if (open_known(p, err) != WA_OK ||
        (p->client == NULL && wa_con_connect(p->cli, &p->client, err) != WA_OK))
        return err->code;
    if (root != NULL && (wa_path_read(root, WA_ROOT_BYTES_MAX, &json, err) != WA_OK ||
                         send(p, "root", wa_buf_sv(&json), err) != WA_OK))
        return wa_wrap(err, "the root '%s'", root);
    wa_buf_clear(&json);
    if (find_root(p, err) != WA_OK || wa_repo_job_options(p->cli, &p->job, err) != WA_OK ||
        fetch_state(p, err) != WA_OK)
        return err->code;
    p->job.o.is_partial = true;
    if (wa_repo_job_prepare(p->cli, &p->job, err) != WA_OK ||
        wa_repo_job_confirm(p->cli, err) != WA_OK ||
        wa_repo_job_sign(p->cli, &p->job, &json, err) != WA_OK ||
        send(p, "published", wa_buf_sv(&json), err) != WA_OK ||
        wa_publish_write(&p->known, "last.json", wa_buf_sv(&json), err) != WA_OK)
        return err->code;
    wa_cli_out(p->cli, "list %lld is published\n", (long long)p->job.o.version);
    return WA_OK;
}

enum wa_code wa_con_publish_list(struct wa_cli *cli, struct wa_client *c,
                                 const struct wa_get_signer *signer, struct wa_err *err)
{
    struct publishing p = {.cli = cli, .client = c, .known = WA_DIR_INIT};
    wa_repo_job_init(&p.job);
    p.job.signer = signer;
    wa_jw_obj(&cli->jw);
    enum wa_code code = run(&p, err);
    wa_jw_kvi(&cli->jw, "version", code == WA_OK ? p.job.o.version : 0);
    wa_jw_end(&cli->jw);
    wa_repo_job_fini(&p.job);
    wa_dir_close(&p.known);
    if (c == NULL)
        wa_client_close(p.client);
    if (p.has_temp)
        wa_temp_remove(p.temp);
    return code;
}

static enum wa_code publish(struct wa_cli *cli, struct wa_err *err)
{
    return wa_con_publish_list(cli, NULL, NULL, err);
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    WA_GET_SIGNER_OPTIONS,
    WA_CON_PUBLISH_OPTIONS,
};
const struct wa_cli_command wa_con_publish = {"publish", options, WA_COUNT(options), 0, 0, publish};
