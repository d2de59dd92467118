/* get_package.c - packages named on the command line, as files or as source directories, and what
 * commands over several of them share.
 */
#include "base/mem.h"
#include "cmd/get.h"
#include "codec/csv.h"
#include "codec/hex.h"
#include "codec/ini.h"
#include "os/fs.h"
#include "os/path.h"
#include "pkg/members_dir.h"

#include <errno.h>

struct wa_get_package {
    struct wa_dir dir;
    struct wa_dir_members *dir_members;
    int fd;
    struct wa_fd_source source;
    struct wa_archive_members *archive;
};

void wa_get_package_free(struct wa_get_package *p)
{
    if (p == NULL)
        return;
    wa_dir_members_free(p->dir_members);
    wa_archive_members_free(p->archive);
    wa_dir_close(&p->dir);
    wa_fd_close(&p->fd);
    wa_free(p);
}

static enum wa_code open_file(struct wa_get_package *p, struct wa_err *err)
{
    if (wa_fd_source_init(&p->source, p->fd, err) != WA_OK)
        return err->code;
    return wa_archive_members_open(&p->source.base, &p->archive, err);
}

static enum wa_code open_dir(struct wa_get_package *p, const char *path, struct wa_err *err)
{
    if (wa_dir_open(path, &p->dir, err) != WA_OK)
        return err->code;
    return wa_dir_members_open(&p->dir, &p->dir_members, err);
}

enum wa_code wa_get_package_open(const char *path, struct wa_get_package **ret, struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = wa_calloc(1, sizeof *p);
    struct wa_stat st;
    if (p == NULL)
        return wa_nomem(err);
    p->dir.fd = -1;
    p->fd = -1;
    if (wa_path_open(path, &p->fd, err) != WA_OK || wa_fd_stat(p->fd, &st, err) != WA_OK)
        return err->code;
    if (!st.is_dir && !st.is_file)
        return wa_fail(err, WA_E_INVALID, "'%s' is neither a file nor a directory", path);
    if ((st.is_dir ? open_dir(p, path, err) : open_file(p, err)) != WA_OK)
        return wa_wrap(err, "'%s'", path);
    *ret = WA_TAKE(p);
    return WA_OK;
}

struct wa_members *wa_get_package_members(struct wa_get_package *p)
{
    return p->archive != NULL ? wa_archive_members_get(p->archive)
                              : wa_dir_members_get(p->dir_members);
}

enum wa_code wa_get_control(const char *path, struct wa_control *ret, struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    size_t i;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_sink_init(&sink, &text);
    if (wa_get_package_open(path, &p, err) != WA_OK)
        return err->code;
    struct wa_members *m = wa_get_package_members(p);
    if (!wa_members_find(m, "WAPT/control", &i))
        return wa_fail(err, WA_E_INVALID, "'%s' is not a package: it has no WAPT/control", path);
    if (m->read(m, i, &sink.base, err) != WA_OK ||
        wa_control_parse(wa_buf_sv(&text), ret, err) != WA_OK)
        return wa_wrap(err, "'%s'", path);
    return WA_OK;
}

const struct wa_dir *wa_get_package_dir(const struct wa_get_package *p)
{
    return p->archive != NULL ? NULL : &p->dir;
}

/* Who may order where dir is the agent's directory: its configuration lies beside it. Without one,
 * or one that this user may not read, nobody is known to. */
static enum wa_code let_order(const char *dir, struct wa_trust *t, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    char path[2 * WA_PATH_MAX], fingerprint[65];
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    (void)snprintf(path, sizeof path, "%s/../wapt-get.ini", dir);
    if (wa_path_read(path, WA_INI_BYTES_MAX, &text, &why) != WA_OK ||
        wa_ini_parse(wa_buf_sv(&text), path, &ini, &why) != WA_OK)
        return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    struct wa_sv item, signers = wa_sv(wa_ini_get(ini, "actions", "signers"));
    while (wa_csv_next(&signers, &item))
        if (wa_hex_fingerprint(item, fingerprint) &&
            wa_trust_let_order(t, wa_sv(fingerprint), err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_get_anchors(const struct wa_cli *cli, struct wa_trust **ret, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_STR char *configured = NULL;
    char agents[WA_PATH_MAX];
    const char *dir = wa_cli_get(cli, "trusted", NULL);
    if (dir == NULL && wa_get_conf(cli, "public_certs_dir", &configured, err) != WA_OK)
        return err->code;
    bool is_given = dir != NULL || configured != NULL;
    if (!is_given && wa_path_of_agent("ssl", agents, err) != WA_OK)
        return err->code;
    if (dir == NULL)
        dir = configured != NULL ? configured : agents;
    if (wa_trust_new(&t, err) != WA_OK || wa_trust_add_dir(t, dir, err) != WA_OK)
        return wa_wrap(err, !is_given ? "trusted certificates (--trusted DIR names others)"
                                      : wa_text("trusted certificates"));
    if (let_order(dir, t, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(t);
    return WA_OK;
}

void wa_get_count(const struct wa_cli *cli, struct wa_get_tally *t, const struct wa_err *why)
{
    if (why->code == WA_OK) {
        t->good++;
        return;
    }
    if (t->bad++ == 0)
        t->first = why->code;
    if (!cli->json)
        wa_cli_say(cli, "%s", why->text);
}

enum wa_code wa_get_outcome(const struct wa_get_tally *t, const char *what, struct wa_err *err)
{
    if (t->bad == 0)
        return WA_OK;
    return wa_fail(err, t->good == 0 ? t->first : WA_E_PARTIAL, "%zu of %zu %s", t->bad,
                   t->good + t->bad, wa_text(what));
}
