/* con_mirror.c - waptconsole mirror: a copy of the repository in a folder, for a web server of
 * another site. Nobody logs in for it; what is copied is judged (repo/mirror.h).
 */
#include "cmd/con.h"
#include "os/clock.h"
#include "os/fs.h"
#include "repo/mirror.h"

struct mirroring {
    struct wa_cli *cli;
    struct wa_client *client;
    bool is_pinned;
    const char *file; /* on its way */
    uint64_t rate;    /* bytes a second; 0: any */
};

static bool show_progress(void *user, uint64_t done, uint64_t total)
{
    const struct mirroring *m = user;
    wa_cli_progress(m->cli, m->file, done, total);
    return true;
}

static enum wa_code fetch(void *user, const char *name, uint64_t from, uint64_t max,
                          struct wa_sink *sink, bool *ret_found, struct wa_err *err)
{
    struct mirroring *m = user;
    char path[WA_NAME_MAX + 2];
    const struct wa_client_rest rest = {.path = path,
                                        .from = from,
                                        .max = max,
                                        .rate_max_bytes_s = m->rate,
                                        .progress = show_progress,
                                        .user = m};
    m->file = name;
    (void)snprintf(path, sizeof path, "/%s", name);
    enum wa_code code = wa_client_fetch_rest(m->client, &rest, sink, ret_found, err);
    wa_cli_progress(m->cli, "", 0, 0);
    return code == WA_E_REFUSED && !m->is_pinned ? wa_con_unknown(err) : code;
}

static void tell(void *user, enum wa_mirror_event event, struct wa_sv file,
                 const struct wa_err *why)
{
    static const char *const names[] = {"fetched", "removed", "refused"};
    const struct mirroring *m = user;
    struct wa_jw *w = &m->cli->jw;
    wa_jw_obj(w);
    wa_jw_kvsv(w, "file", file);
    wa_jw_kv(w, "change", names[event]);
    wa_jw_kv(w, "code", wa_code_name(why != NULL ? why->code : WA_OK));
    wa_jw_kv(w, "error", why != NULL ? why->text : NULL);
    wa_jw_end(w);
    if (why != NULL)
        wa_cli_say(m->cli, "refused %.*s: %s", WA_SV_ARG(file), why->text);
    else
        wa_cli_out(m->cli, "  %-8s %.*s\n", names[event], WA_SV_ARG(file));
}

static enum wa_code read_options(const struct wa_cli *cli, struct wa_buf *root,
                                 struct wa_trust **ret_anchors, uint64_t *ret_rate,
                                 struct wa_err *err)
{
    const char *file = wa_cli_get(cli, "root", NULL);
    const char *trusted = wa_cli_get(cli, "trusted", NULL);
    int64_t kib = 0;
    if (wa_cli_int(cli, "limit-rate", 1, 100 << 20, &kib, err) != WA_OK ||
        (file != NULL && wa_path_read(file, WA_ROOT_BYTES_MAX, root, err) != WA_OK))
        return err->code;
    *ret_rate = (uint64_t)kib << 10;
    if (trusted != NULL && (wa_trust_new(ret_anchors, err) != WA_OK ||
                            wa_trust_add_dir(*ret_anchors, trusted, err) != WA_OK))
        return wa_wrap(err, "trusted certificates");
    return WA_OK;
}

static enum wa_code run(struct mirroring *m, struct wa_mirror_options *o,
                        struct wa_mirror_result *r, struct wa_err *err)
{
    struct wa_jw *w = &m->cli->jw;
    if (wa_con_reach(m->cli, &m->client, &m->is_pinned, err) != WA_OK)
        return err->code;
    wa_jw_obj(w);
    wa_jw_key(w, "files");
    wa_jw_arr(w);
    enum wa_code code = wa_mirror(o, r, err);
    wa_jw_end(w);
    wa_jw_kvi(w, "version", r->version);
    wa_jw_kvi(w, "kept", (int64_t)r->kept);
    wa_jw_kvi(w, "fetched", (int64_t)r->fetched);
    wa_jw_kvi(w, "removed", (int64_t)r->removed);
    wa_jw_kvi(w, "refused", (int64_t)r->refused);
    wa_jw_kvi(w, "bytes", (int64_t)r->bytes);
    wa_jw_end(w);
    if (code != WA_OK)
        return code;
    wa_cli_out(m->cli, "%zu packages fetched (%llu bytes), %zu removed, %zu as before\n",
               r->fetched, (unsigned long long)r->bytes, r->removed, r->kept);
    return r->refused == 0 ? WA_OK
                           : wa_fail(err, WA_E_PARTIAL,
                                     wa_text_n("%zu package is refused", "%zu packages are refused",
                                               r->refused),
                                     r->refused);
}

static enum wa_code mirror(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf root;
    struct mirroring m = {.cli = cli};
    struct wa_mirror_result result = {.version = 0};
    struct wa_mirror_options o = {.dir = cli->args[0],
                                  .fetch = fetch,
                                  .fetch_user = &m,
                                  .verify = wa_cli_has(cli, "force"),
                                  .now = wa_clock_now(),
                                  .tell = tell,
                                  .tell_user = &m};
    wa_buf_init(&root, WA_ROOT_BYTES_MAX);
    if (read_options(cli, &root, &o.anchors, &m.rate, err) == WA_OK) {
        o.root = wa_buf_sv(&root);
        (void)!run(&m, &o, &result, err);
    }
    wa_client_close(m.client);
    wa_trust_free(o.anchors);
    return err->code;
}

static const struct wa_cli_option options[] = {
    {"server", 0, "URL"},       {"server-fingerprint", 0, "SHA256"},
    {"verify-cert", 0, "FILE"}, {"root", 0, "FILE"},
    {"trusted", 't', "DIR"},    {"limit-rate", 0, "KIB"},
    {"force", 'f', NULL}};

const struct wa_cli_command wa_con_mirror = {"mirror", options, WA_COUNT(options), 1, 1, mirror};
