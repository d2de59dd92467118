/* role_common.c - start, confinement and the serving loop of the server's small helpers. */
#include "server/role_common.h"

#include "base/text.h"
#include "net/tls.h"
#include "server/store_db.h"

#include "os/local.h"
#include "os/pipe.h"
#include "os/proc.h"

#define NOBODY 65534u

enum wa_code wa_server_child_init(struct wa_server_child *c, enum wa_server_role role,
                                  const char *config_file, struct wa_err *err)
{
    char name[32];
    *c = (struct wa_server_child){.log = {.fd = -1}};
    (void)snprintf(name, sizeof name, "waptserver/%s", wa_server_role_name(role));
    wa_log_init(&c->log, 2, WA_LOG_INFO, name);
    wa_proc_ignore_broken_pipes();
    if (wa_server_config_read(config_file, &c->config, err) != WA_OK)
        return err->code;
    if (role != WA_SR_STORE && role != WA_SR_SEARCH && role != WA_SR_REPORT)
        wa_server_config_forget_databases(&c->config);
    if (role != WA_SR_HOOK && role != WA_SR_OIDC)
        wa_server_config_forget_proxy(&c->config);
    return WA_OK;
}

void wa_server_child_ready(void)
{
    (void)wa_pipe_write(0, "r", 1); /* a supervisor that has gone takes us with it */
}

bool wa_server_ids(const struct wa_server_config *c, uint32_t *ret_uid, uint32_t *ret_gid)
{
    struct wa_err missing = WA_ERR_INIT;
    *ret_uid = *ret_gid = NOBODY;
    return wa_user_ids(c->user, ret_uid, ret_gid, &missing) == WA_OK;
}

/* The sanitizers' own memory is larger than any limit. */
static uint64_t memory_limit(uint64_t bytes)
{
#if defined(__SANITIZE_ADDRESS__)
    WA_UNUSED(bytes);
    return 0;
#else
    return bytes;
#endif
}

static size_t add_paths(const char **to, size_t n, size_t max, const char *const *paths)
{
    for (; paths != NULL && *paths != NULL && n + 1 < max; paths++)
        to[n++] = *paths;
    to[n] = NULL;
    return n;
}

/* A database elsewhere: its name is looked up, its certificate checked, its password read again
 * with each connection. */
const char *const *wa_server_reads(const char *database, const char *const *more,
                                   struct wa_server_reads *r)
{
    size_t n = add_paths(r->paths, 0, WA_COUNT(r->paths), more);
    if (database[0] == '\0')
        return r->paths;
    wa_db_url_files(database, &r->files);
    for (size_t i = 0; i < r->files.n && n + 1 < WA_COUNT(r->paths); i++)
        r->paths[n++] = r->files.paths[i];
    (void)add_paths(r->paths, n, WA_COUNT(r->paths), wa_priv_net_paths());
    return r->paths;
}

enum wa_code wa_server_child_confine(struct wa_server_child *c, enum wa_server_role role,
                                     unsigned allow, const char *const *reads,
                                     const char *const *writes, struct wa_err *err)
{
    char name[32], line[WA_PRIV_LINE_MAX];
    uint32_t uid = NOBODY, gid = NOBODY;
    (void)snprintf(name, sizeof name, "waptserver/%s", wa_server_role_name(role));
    if (wa_priv_is_root() && !wa_server_ids(&c->config, &uid, &gid))
        wa_log(&c->log, WA_LOG_WARNING, "account.missing", WA_LF_S("user", c->config.user),
               WA_LF_I("uid", uid));
    const struct wa_priv p = {.name = name,
                              .allow = allow,
                              .set_ids = wa_priv_is_root(),
                              .uid = uid,
                              .gid = gid,
                              .read_paths = reads,
                              .write_paths = writes,
                              .limit_memory_bytes = memory_limit(c->memory_bytes),
                              .no_core = true};
    if (wa_priv_drop(&p, line, err) != WA_OK)
        return err->code;
    wa_log(&c->log, WA_LOG_INFO, "process.confined", WA_LF_S("left", line));
    return WA_OK;
}

void wa_server_hide(struct wa_err *err)
{
    enum wa_code code = err->code;
    if (wa_code_http(code) < 500)
        return;
    wa_err_clear(err);
    (void)wa_fail(err, code,
                  code == WA_E_NO_SPACE ? WA_TEXT("the server's disk is full")
                  : code == WA_E_UNREACHABLE
                      ? WA_TEXT("the server's database is away: try again later")
                      : WA_TEXT("the server could not do it: its log says why"));
}

enum wa_code wa_server_trust(const struct wa_server_config *c, const char *whom, struct wa_buf *pem,
                             struct wa_tls_trust *ret, struct wa_err *err)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"", "0", "false", "no", "off"};
    char path[WA_PATH_MAX];
    bool is_file = true;
    for (size_t i = 0; i < WA_COUNT(yes); i++)
        ret->system_cas = ret->system_cas || wa_sv_ieqs(wa_sv(whom), yes[i]);
    for (size_t i = 0; i < WA_COUNT(no); i++)
        is_file = is_file && !wa_sv_ieqs(wa_sv(whom), no[i]);
    if (is_file && !ret->system_cas) {
        if (wa_server_path(c, whom, path, err) != WA_OK ||
            wa_path_read(path, WA_CERTFILE_BYTES_MAX, pem, err) != WA_OK)
            return wa_wrap(err, "reading whom to trust");
    }
    ret->pem = wa_buf_sv(pem);
    return WA_OK;
}

enum wa_code wa_server_secret(const struct wa_server_config *c, const char *file, const char *what,
                              struct wa_buf *out, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    struct wa_stat st;
    if (wa_server_path(c, file, path, err) != WA_OK || wa_path_stat(path, &st, err) != WA_OK ||
        wa_path_read(path, 1024, out, err) != WA_OK)
        return wa_wrap(err, "%s", what);
    if ((st.mode & 077) != 0) /* B4 */
        return wa_fail(err, WA_E_CONFIG, "others than its owner can read '%s': chmod 600 '%s'",
                       path, path);
    while (out->n > 0 && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
        out->p[--out->n] = '\0';
    return WA_OK;
}

int wa_server_child_end(struct wa_server_child *c, enum wa_code code, const struct wa_err *err)
{
    if (code != WA_OK)
        wa_log_err(&c->log, WA_LOG_ERROR, "process.failed", err);
    wa_server_config_free(&c->config);
    return wa_code_exit(code);
}

enum wa_code wa_server_child_serve(enum wa_server_role role, uint16_t answer_type,
                                   wa_server_answer_fn fn, void *user, struct wa_err *err)
{
    WA_AUTO(wa_chan) struct wa_chan *chan = NULL;
    if (wa_chan_new(3, wa_server_rules(WA_SR_STORE, role), &chan, err) != WA_OK)
        return err->code;
    wa_server_child_ready();
    for (;;) {
        struct wa_chan_msg msg;
        WA_AUTO_BUF struct wa_buf answer;
        wa_buf_init(&answer, WA_IPC_MESSAGE_MAX);
        enum wa_code code = wa_chan_hear(chan, -1, &msg, err);
        if (code == WA_E_NOT_FOUND) {
            wa_err_clear(err);
            return WA_OK; /* the store has ended: so do we */
        }
        if (code != WA_OK || fn(user, msg.payload, &answer, err) != WA_OK ||
            wa_chan_send(chan, answer_type, msg.id, wa_buf_sv(&answer), -1, err) != WA_OK)
            return err->code;
    }
}

enum wa_code wa_server_drop_to_db(const struct wa_server_config *c, unsigned more,
                                  const char *const *reads, const char *name, struct wa_err *err)
{
    char db[WA_PATH_MAX], line[WA_PRIV_LINE_MAX];
    struct wa_priv p = {
        .name = name, .allow = WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | more, .set_ids = true};
    const char *const writes[] = {db, NULL};
    struct wa_server_reads all;
    if (wa_server_path(c, "db", db, err) != WA_OK)
        return err->code;
    if (c->database[0] != '\0')
        p.allow |= WA_PRIV_NET;
    p.read_paths = wa_server_reads(c->database, reads, &all);
    p.write_paths = writes;
    if (wa_priv_is_root()) {
        if (!wa_server_ids(c, &p.uid, &p.gid))
            wa_err_clear(err); /* nobody, as the server itself */
        if (wa_priv_drop(&p, line, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_server_open_db(const struct wa_server_config *c, const char *name,
                               struct wa_db **ret, struct wa_err *err)
{
    return wa_server_drop_to_db(c, 0, NULL, name, err) == WA_OK
               ? wa_store_open(c->dir, c->database, ret, err)
               : err->code;
}
