/* get_enrol.c - wapt-get enrol: what an enrolment kit says becomes this machine's configuration,
 * and its service registers it.
 *
 * Root alone may do it, as for any of these files. What is there already stays, unless it is of the
 * same server or --force says otherwise; the configuration comes last, so that nothing half-done
 * counts.
 */
#include "base/mem.h"
#include "cmd/get.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"
#include "os/priv.h"
#include "os/proc.h"
#include "proto/kit.h"

#define DEFAULT_CONFIG "/opt/wapt/wapt-get.ini"
#define SYSTEMD "/run/systemd/system"

static enum wa_code check_there(const char *file, const char *server, bool force,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err why = WA_ERR_INIT;
    char known[1024] = "";
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    enum wa_code code = wa_path_read(file, WA_INI_BYTES_MAX, &text, &why);
    if (code == WA_E_NOT_FOUND || force)
        return WA_OK;
    if (code != WA_OK)
        return wa_fail(err, code, "%s", why.text);
    if (wa_kit_server(wa_buf_sv(&text), known, sizeof known, &why) == WA_OK &&
        strcmp(known, server) == 0)
        return WA_OK;
    return wa_fail(err, WA_E_EXISTS,
                   "this machine is set up already (%s, '%s'): --force has the kit take its place",
                   known[0] != '\0' ? known : wa_text("for no server"), file);
}

static enum wa_code put(const struct wa_dir *dir, const char *name, struct wa_sv bytes,
                        uint32_t mode, struct wa_err *err)
{
    struct wa_relpath path;
    return wa_relpath_parse(wa_sv(name), &path, err) == WA_OK
               ? wa_file_replace(dir, &path, bytes, mode, err)
               : err->code;
}

static enum wa_code put_trust(const struct wa_dir *dir, const struct wa_kit *k, struct wa_err *err)
{
    for (size_t i = 0; i < k->trust.n; i++) {
        WA_AUTO_BUF struct wa_buf pem;
        char name[64];
        wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
        (void)snprintf(name, sizeof name, "ssl/%.16s.crt", wa_cert_fingerprint(k->trust.items[i]));
        if (wa_cert_write_pem(k->trust.items[i], &pem, err) != WA_OK ||
            wa_buf_check(&pem, err) != WA_OK || put(dir, name, wa_buf_sv(&pem), 0644, err) != WA_OK)
            return err->code;
    }
    return k->root.n > 0 ? put(dir, "root.json", k->root, 0644, err) : WA_OK;
}

/* --- what was there --- */

struct before {
    const struct wa_cli *cli;
    const struct wa_kit *kit;
    const struct wa_dir *base;
};

static enum wa_code set_aside(const struct before *b, const char *name, struct wa_err *err)
{
    struct wa_relpath from, to;
    struct wa_stat st;
    struct wa_err absent = WA_ERR_INIT;
    char aside[WA_PATH_MAX];
    (void)snprintf(aside, sizeof aside, "%.1000s.replaced", name);
    if (wa_relpath_parse(wa_sv(name), &from, err) != WA_OK ||
        wa_relpath_parse(wa_sv(aside), &to, err) != WA_OK)
        return err->code;
    if (wa_file_stat(b->base, &from, &st, &absent) == WA_E_NOT_FOUND)
        return WA_OK;
    if (wa_file_rename(b->base, &from, b->base, &to, err) == WA_OK)
        wa_cli_say(b->cli, "no longer trusted here: %s is %s now", name, aside);
    return err->code;
}

/* Whoever was trusted before, and is not in the kit. */
static enum wa_code set_anchor_aside(void *user, const char *name, const struct wa_stat *st,
                                     struct wa_err *err)
{
    const struct before *b = user;
    char own[64], path[WA_PATH_MAX];
    if (!st->is_file || (!wa_sv_ends(wa_sv(name), ".crt") && !wa_sv_ends(wa_sv(name), ".pem")))
        return WA_OK;
    for (size_t i = 0; i < b->kit->trust.n; i++) {
        (void)snprintf(own, sizeof own, "%.16s.crt", wa_cert_fingerprint(b->kit->trust.items[i]));
        if (strcmp(own, name) == 0)
            return WA_OK;
    }
    (void)snprintf(path, sizeof path, "ssl/%.900s", name);
    return set_aside(b, path, err);
}

static enum wa_code replace(const struct wa_cli *cli, const struct wa_dir *base,
                            const struct wa_kit *k, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir ssl = WA_DIR_INIT;
    struct before b = {cli, k, base};
    struct wa_relpath name;
    if (wa_relpath_parse(WA_SV("ssl"), &name, err) != WA_OK ||
        wa_dir_open_sub(base, &name, &ssl, err) != WA_OK ||
        wa_dir_list(&ssl, set_anchor_aside, &b, err) != WA_OK)
        return err->code;
    return k->root.n > 0 ? WA_OK : set_aside(&b, "root.json", err);
}

static enum wa_code make_folder(const char *base, const char *name, uint32_t mode,
                                struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    char path[WA_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", base, name);
    return n < (int)sizeof path ? wa_dir_make(path, mode, &dir, err)
                                : wa_fail(err, WA_E_LIMIT, "the path is too long");
}

static enum wa_code apply(const struct wa_cli *cli, const char *file, const struct wa_kit *k,
                          struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    const char *last = wa_path_last(file);
    char base[WA_PATH_MAX];
    if (wa_path_dir(file, (size_t)(last - file), base, err) != WA_OK ||
        wa_dir_make(base, 0755, &dir, err) != WA_OK ||
        make_folder(base, "ssl", 0755, err) != WA_OK ||
        make_folder(base, "private", 0700, err) != WA_OK ||
        (wa_cli_has(cli, "force") && replace(cli, &dir, k, err) != WA_OK) ||
        put_trust(&dir, k, err) != WA_OK ||
        put(&dir, "private/enrolment-token", k->token, 0600, err) != WA_OK)
        return err->code;
    return put(&dir, last, k->config, 0644, err);
}

/* Its unit registers the machine with the token, and removes that when it has been of use. */
static enum wa_code start(bool *ret_started, struct wa_err *err)
{
    static const char *const argv[] = {"/usr/bin/systemctl", "restart", "waptservice.service",
                                       NULL};
    static const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
    const int fds[] = {-1, 2, 2};
    const struct wa_spawn what = {.path = argv[0],
                                  .argv = argv,
                                  .envp = envp,
                                  .cwd = "/",
                                  .fds = fds,
                                  .fd_count = WA_COUNT(fds)};
    struct wa_proc proc;
    struct wa_exit end;
    struct wa_stat st;
    struct wa_err none = WA_ERR_INIT;
    if (wa_path_stat(SYSTEMD, &st, &none) != WA_OK)
        return WA_OK;
    if (wa_proc_spawn(&what, &proc, err) != WA_OK || wa_proc_wait(&proc, -1, &end, err) != WA_OK)
        return err->code;
    if (end.kind != WA_EXIT_STATUS || end.value != 0)
        return wa_fail(err, WA_E_FAILED,
                       "waptservice does not start: see 'systemctl status "
                       "waptservice'");
    *ret_started = true;
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    WA_AUTO_KIT struct wa_kit k = {.root = WA_SV("")};
    char file[WA_PATH_MAX], server[1024];
    bool started = false;
    wa_arena_init(&arena, 4 * WA_KIT_BYTES_MAX);
    wa_buf_init(&text, WA_KIT_BYTES_MAX);
    if (!wa_priv_is_root())
        return wa_fail(err, WA_E_DENIED, "only root sets this machine up");
    if (wa_cli_config(cli, DEFAULT_CONFIG, file, err) != WA_OK ||
        wa_path_read(cli->args[0], WA_KIT_BYTES_MAX, &text, err) != WA_OK ||
        wa_kit_read(wa_buf_sv(&text), &arena, &k, err) != WA_OK ||
        wa_kit_server(k.config, server, sizeof server, err) != WA_OK)
        return wa_wrap(err, "the kit '%s'", cli->args[0]);
    if (k.expires <= wa_clock_now())
        return wa_fail(err, WA_E_REFUSED, "the kit '%s' has expired: make another one",
                       cli->args[0]);
    if (check_there(file, server, wa_cli_has(cli, "force"), err) != WA_OK ||
        apply(cli, file, &k, err) != WA_OK ||
        (!wa_cli_has(cli, "no-start") && start(&started, err) != WA_OK))
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "server", server);
    wa_jw_kvi(&cli->jw, "certificates", (int64_t)k.trust.n);
    wa_jw_kvb(&cli->jw, "root", k.root.n > 0);
    wa_jw_kvb(&cli->jw, "started", started);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%s\n", server);
    if (!cli->json)
        wa_cli_say(cli, started ? "waptservice is started, and registers this machine"
                                : WA_TEXT("start waptservice: then it registers this machine"));
    return WA_OK;
}

static const struct wa_cli_option options[] = {{"force", 'f', NULL}, {"no-start", 0, NULL}};
const struct wa_cli_command wa_get_enrol = {"enrol", options, WA_COUNT(options), 1, 1, run};
