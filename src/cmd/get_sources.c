/* get_sources.c - makes folders with the sources of a package, whole or not at all.
 *
 * A folder grows under a name of its own beside its final place and is renamed there at the end;
 * nothing that exists is written over. Nobody who may write there too can guess that name, and have
 * a folder of his own under it. What is copied are regular files only, so no link in a folder can
 * bring in what lies elsewhere.
 */
#include "cmd/get_sources.h"

#include "base/mem.h"
#include "os/path.h"
#include "os/rand.h"

#include <stdlib.h>

static enum wa_code root_of(const struct wa_cli *cli, char out[WA_PATH_MAX], struct wa_err *err)
{
    WA_AUTO_STR char *configured = NULL;
    if (wa_get_conf(cli, "default_sources_root", &configured, err) != WA_OK)
        return err->code;
    if (configured == NULL)
        return wa_path_of_home("waptdev", out, err) == WA_OK
                   ? WA_OK
                   : wa_wrap(err, "default_sources_root is not set");
    int n = snprintf(out, WA_PATH_MAX, "%s", configured);
    return n < (int)WA_PATH_MAX ? WA_OK
                                : wa_fail(err, WA_E_LIMIT, "the path of the sources is too long");
}

/* "a/b/" is "b" in "a"; the folder that holds it must not be made by chance. */
static enum wa_code split(const char *given, char parent[WA_PATH_MAX], struct wa_get_sources *s,
                          struct wa_err *err)
{
    struct wa_relpath name;
    struct wa_sv last = wa_path_name(given);
    if (last.n > WA_NAME_MAX || wa_relpath_parse(last, &name, err) != WA_OK)
        return wa_fail(err, WA_E_USAGE, "'%s' can't be a folder of sources", given);
    if (wa_path_dir(given, (size_t)(last.p - given), parent, err) != WA_OK)
        return err->code;
    memcpy(s->final, name.p, name.n + 1); /* at most WA_NAME_MAX, as above */
    return WA_OK;
}

static enum wa_code check_free(const struct wa_get_sources *s, const struct wa_relpath *name,
                               const char *path, struct wa_err *err)
{
    struct wa_stat st;
    enum wa_code code = wa_file_stat(&s->parent, name, &st, err);
    if (code == WA_OK)
        return wa_fail(err, WA_E_EXISTS,
                       "'%s' exists already: nothing is written over it, name another folder",
                       path);
    if (code == WA_E_NOT_FOUND)
        wa_err_clear(err);
    return err->code;
}

enum wa_code wa_get_sources_begin(const struct wa_cli *cli, const char *given,
                                  struct wa_get_sources *s, struct wa_err *err)
{
    struct wa_relpath name;
    char temp[64] = ".wapt-new-", parent[WA_PATH_MAX];
    if (given == NULL) {
        if (root_of(cli, parent, err) != WA_OK ||
            wa_dir_make(parent, 0755, &s->parent, err) != WA_OK)
            return err->code;
    } else if (split(given, parent, s, err) != WA_OK ||
               wa_dir_open(parent, &s->parent, err) != WA_OK ||
               wa_relpath_parse(wa_sv(s->final), &name, err) != WA_OK ||
               check_free(s, &name, given, err) != WA_OK) {
        return err->code;
    }
    size_t n = strlen(parent);
    if (n + 1 >= sizeof s->path)
        return wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", parent);
    memcpy(s->path, parent, n + 1);
    if (!wa_path_is_separator(parent[n - 1]))
        memcpy(s->path + n, "/", 2);
    if (wa_rand_hex(temp + strlen(temp), 16, err) != WA_OK)
        return err->code;
    if (wa_relpath_parse(wa_sv(temp), &s->temp, err) != WA_OK ||
        wa_dir_make_sub(&s->parent, &s->temp, 0755, err) != WA_OK)
        return wa_wrap(err, "making a folder in '%s'", parent);
    return wa_dir_open_sub(&s->parent, &s->temp, &s->dir, err);
}

enum wa_code wa_get_sources_control(struct wa_get_sources *s, const struct wa_control *c,
                                    struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_relpath name;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    if (wa_control_write(c, false, &text, err) != WA_OK)
        return err->code;
    wa_buf_addc(&text, '\n');
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_relpath_parse(WA_SV("WAPT/control"), &name, err) != WA_OK)
        return err->code;
    return wa_file_replace(&s->dir, &name, wa_buf_sv(&text), 0644, err);
}

enum wa_code wa_get_sources_copy(struct wa_get_sources *s, int fd, const struct wa_relpath *name,
                                 struct wa_err *err)
{
    WA_AUTO_FD int out = -1;
    struct wa_stat st;
    if (wa_fd_stat(fd, &st, err) != WA_OK ||
        wa_file_create(&s->dir, name, (st.mode & 0100u) != 0 ? 0755 : 0644, &out, err) != WA_OK)
        return err->code;
    return wa_fd_copy(fd, out, WA_INSTALLER_BYTES_MAX, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "copying '%s'", name->p);
}

struct copying {
    struct wa_get_sources *s;
    const struct wa_dir *from;
    const char *below;
};

static enum wa_code copy_one(void *user, const struct wa_relpath *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    struct copying *c = user;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath target;
    char text[2 * WA_RELPATH_MAX + 2];
    WA_UNUSED(st);
    (void)snprintf(text, sizeof text, "%s%s%s", c->below, c->below[0] == '\0' ? "" : "/", name->p);
    if (wa_relpath_parse(wa_sv(text), &target, err) != WA_OK ||
        wa_file_open(c->from, name, &fd, err) != WA_OK)
        return err->code;
    return wa_get_sources_copy(c->s, fd, &target, err);
}

enum wa_code wa_get_sources_copy_dir(struct wa_get_sources *s, const struct wa_dir *from,
                                     const char *below, struct wa_err *err)
{
    struct copying c = {s, from, below};
    return wa_dir_walk_files(from, copy_one, &c, err);
}

/* formats.md 1.4, "edit directory name". */
static enum wa_code name_of(const struct wa_cli *cli, const struct wa_control *c,
                            struct wa_buf *out, struct wa_err *err)
{
    static const enum wa_attr parts[] = {WA_A_ARCHITECTURE, WA_A_MATURITY, WA_A_LOCALE};
    WA_AUTO_STR char *suffix = NULL;
    if (wa_get_conf(cli, "default_sources_suffix", &suffix, err) != WA_OK)
        return err->code;
    wa_buf_adds(out, wa_control_get(c, WA_A_PACKAGE));
    for (size_t i = 0; i < WA_COUNT(parts); i++) {
        const char *value = wa_control_get(c, parts[i]);
        if (value[0] == '\0' || strcmp(value, "all") == 0)
            continue;
        wa_buf_addc(out, '_');
        for (; *value != '\0'; value++)
            wa_buf_addc(out, *value == ',' ? '-' : *value);
    }
    wa_buf_addf(out, "-%s", suffix == NULL ? "wapt" : suffix);
    return wa_buf_check(out, err);
}

enum wa_code wa_get_sources_end(const struct wa_cli *cli, struct wa_get_sources *s,
                                const struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf name;
    struct wa_relpath final;
    wa_buf_init(&name, WA_RELPATH_MAX);
    if (s->final[0] != '\0')
        wa_buf_adds(&name, s->final);
    else if (name_of(cli, c, &name, err) != WA_OK)
        return err->code;
    if (wa_buf_check(&name, err) != WA_OK ||
        wa_relpath_parse(wa_buf_sv(&name), &final, err) != WA_OK)
        return err->code;
    size_t n = strlen(s->path);
    if (n + final.n >= sizeof s->path)
        return wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", final.p);
    (void)snprintf(s->path + n, sizeof s->path - n, "%s", final.p);
    if (wa_sv_chr(wa_sv(final.p), '/', &n))
        return wa_fail(err, WA_E_INVALID, "'%s' can't be the name of a folder", final.p);
    if (check_free(s, &final, s->path, err) != WA_OK ||
        wa_file_rename(&s->parent, &s->temp, &s->parent, &final, err) != WA_OK)
        return err->code;
    s->temp.n = 0;
    return WA_OK;
}

void wa_get_sources_fini(struct wa_get_sources *s)
{
    struct wa_err ignored = WA_ERR_INIT; /* what is left over has a name that tells */
    wa_dir_close(&s->dir);
    if (s->temp.n > 0 && wa_tree_remove(&s->parent, &s->temp, &ignored) != WA_OK)
        wa_err_clear(&ignored);
    wa_dir_close(&s->parent);
}

/* --- what new packages have in common --- */

/* The name in the packager's own certificate. */
static enum wa_code own_name(const struct wa_cli *cli, char **ret, struct wa_err *err)
{
    WA_AUTO_STR char *path = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    const char *user = getenv("USER");
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_get_conf(cli, "personal_certificate_path", &path, err) != WA_OK)
        return err->code;
    if (path == NULL)
        return wa_sv_dup(wa_sv(user != NULL ? user : ""), ret, err);
    if (wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &chain, err) != WA_OK)
        return wa_wrap(err, "personal_certificate_path");
    return wa_sv_dup(wa_sv(wa_cert_cn(chain.items[0])), ret, err);
}

enum wa_code wa_get_defaults_load(const struct wa_cli *cli, struct wa_get_defaults *ret,
                                  struct wa_err *err)
{
    WA_AUTO_GET_DEFAULTS struct wa_get_defaults d = {0};
    const char *maintainer = wa_cli_get(cli, "maintainer", NULL);
    const char *maturity = wa_cli_get(cli, "maturity", NULL);
    if (wa_get_conf(cli, "default_package_prefix", &d.prefix, err) != WA_OK)
        return err->code;
    if ((maturity != NULL ? wa_sv_dup(wa_sv(maturity), &d.maturity, err)
                          : wa_get_conf(cli, "default_maturity", &d.maturity, err)) != WA_OK)
        return err->code;
    if ((maintainer != NULL ? wa_sv_dup(wa_sv(maintainer), &d.maintainer, err)
                            : own_name(cli, &d.maintainer, err)) != WA_OK)
        return err->code;
    *ret = d;
    d = (struct wa_get_defaults){0};
    ret->options.prefix = ret->prefix == NULL ? "tis" : ret->prefix;
    ret->options.maturity = ret->maturity;
    ret->options.maintainer = ret->maintainer;
    return WA_OK;
}

void wa_get_defaults_fini(struct wa_get_defaults *d)
{
    wa_free(d->prefix);
    wa_free(d->maturity);
    wa_free(d->maintainer);
}
