/* folders.c - who may write where the agent works, and what it trusts (F2C, F2D): checked at each
 * start, mended where that is enough, else the start is refused.
 *
 * Rights are mended, since a wrong umask is common; an owner is not: somebody else put it there.
 */
#include "agent/folders.h"
#include "agent/health.h"
#include "os/priv.h"

struct folder {
    const char *name; /* below the base directory; "" itself */
    uint32_t mode;
};
static const struct folder folders[] = {
    {"", 0755},
    {"private", 0700},
    {"private/tmp", 0700},
    {"private/index", 0700},
    {"private/crl", 0700},
    {"private/stage", 0700},
    {"private/packages", 0700},
    {"private/persistent", 0700},
    {"private/icons", 0700},
    {"db", 0700},
    {"cache", 0700},
    {"run", 0755},
    {"log", 0750},
    {"ssl", 0755},
};

static bool is_mode_wrong(const struct folder *f, const struct wa_stat *st)
{
    return f->mode == 0755 ? (st->mode & 0022u) != 0 : (st->mode & 07777u) != f->mode;
}

/* Wrong rights are named and mended; an owner that is not root's is not mended but refused:
 * somebody else put it there. */
static enum wa_code check_folder(struct wa_manager *m, const struct folder *f, struct wa_err *err)
{
    char path[2 * WA_PATH_MAX];
    struct wa_stat st;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    (void)snprintf(path, sizeof path, "%s%s%s", m->config.base, f->name[0] != '\0' ? "/" : "",
                   f->name);
    if (wa_dir_make(path, f->mode, &dir, err) != WA_OK || wa_path_stat(path, &st, err) != WA_OK)
        return err->code;
    if (!st.is_dir)
        return wa_fail(err, WA_E_CONFIG, "'%s' is not a directory", path);
    if (st.uid != 0)
        return wa_fail(
            err, WA_E_DENIED,
            "'%s' belongs to uid %u instead of root: whoever owns it could change the agent", path,
            (unsigned)st.uid);
    if (!is_mode_wrong(f, &st))
        return WA_OK;
    wa_log(&m->log, WA_LOG_WARNING, "rights.mended", WA_LF_S("path", path),
           WA_LF_I("mode", st.mode), WA_LF_I("now", f->mode));
    return wa_dir_set_mode(&dir, f->mode, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "mending the rights of '%s'", path);
}

/* Nobody but root may be able to replace a directory that decides. */
static enum wa_code check_parents(const char *base, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", base);
    for (char *slash = strrchr(path, '/'); slash != NULL; slash = strrchr(path, '/')) {
        struct wa_stat st;
        slash[slash == path ? 1 : 0] = '\0';
        if (wa_path_stat(path, &st, err) != WA_OK)
            return err->code;
        bool sticky = (st.mode & 01000u) != 0;
        if (st.uid != 0 || ((st.mode & 0022u) != 0 && !sticky))
            return wa_fail(err, WA_E_DENIED, "'%s', above '%s', is writable by others than root",
                           path, base);
        if (slash == path)
            break;
    }
    return WA_OK;
}

/* Whether the reader of trusted certificates would look into a file of this name. */
static bool is_word_of_trust(struct wa_sv name)
{
    return wa_sv_ends(name, ".crt") || wa_sv_ends(name, ".pem") || wa_sv_ends(name, ".crl") ||
           wa_sv_ends(name, "revoked.txt");
}

static enum wa_code check_anchor(void *user, const char *name, const struct wa_stat *st,
                                 struct wa_err *err)
{
    const char *dir = user;
    if (!is_word_of_trust(wa_sv(name)))
        return WA_OK;
    if (st->is_link)
        return wa_fail(err, WA_E_DENIED, "'%s' in '%s' is a link: put the file itself there", name,
                       dir);
    if (st->uid != 0 || (st->mode & 0022u) != 0)
        return wa_fail(err, WA_E_DENIED,
                       "'%s' in '%s' is writable by others than root: whoever owns it decides what "
                       "is trusted here",
                       name, dir);
    return WA_OK;
}

/* What is trusted is the administrator's to say, wherever the directory lies: no other may write
 * it, the files in it, or what is above. */
static enum wa_code check_certs_dir(const char *path, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_stat st;
    if (wa_path_stat(path, &st, err) != WA_OK) {
        if (err->code != WA_E_NOT_FOUND)
            return err->code;
        wa_err_clear(err); /* then nothing is trusted, and each task says so */
        return WA_OK;
    }
    if (!st.is_dir)
        return wa_fail(err, WA_E_CONFIG, "'%s' is not a directory", path);
    if (st.uid != 0 || (st.mode & 0022u) != 0)
        return wa_fail(err, WA_E_DENIED, "'%s' is writable by others than root", path);
    if (check_parents(path, err) != WA_OK || wa_dir_open(path, &dir, err) != WA_OK)
        return err->code;
    return wa_dir_list(&dir, check_anchor, (void *)(uintptr_t)path, err);
}

/* --- files --- */

/* What it says is done here: whoever can write it could have. */
static enum wa_code check_config_file(const char *file, struct wa_err *err)
{
    struct wa_stat st;
    if (wa_path_stat(file, &st, err) != WA_OK)
        return err->code;
    if (st.uid == 0 && (st.mode & 0002u) == 0 && (st.gid == 0 || (st.mode & 0020u) == 0))
        return WA_OK;
    return wa_fail(err, WA_E_DENIED,
                   "'%s' is writable by others than root: look whether all of it is yours, then "
                   "'chown root:root' and 'chmod 644' it",
                   file);
}

struct secrets {
    struct wa_manager *m; /* NULL: only look */
    struct wa_dir *dir;
};

/* Keys and tokens are files in private/ itself; what lies in folders below can't be reached by
 * others. */
static enum wa_code check_secret(void *user, const char *name, const struct wa_stat *st,
                                 struct wa_err *err)
{
    struct secrets *s = user;
    struct wa_relpath path;
    WA_AUTO_DIR struct wa_dir file = WA_DIR_INIT; /* its descriptor is all that is used */
    if (!st->is_file || (st->uid == 0 && (st->mode & 0077u) == 0))
        return WA_OK;
    if (st->uid != 0)
        return wa_fail(err, WA_E_DENIED, "'private/%s' belongs to uid %u instead of root", name,
                       (unsigned)st->uid);
    if (s->m == NULL)
        return wa_fail(err, WA_E_DENIED, "'private/%s' has the rights %o", name, st->mode);
    if (wa_relpath_parse(wa_sv(name), &path, err) != WA_OK ||
        wa_file_open(s->dir, &path, &file.fd, err) != WA_OK ||
        wa_dir_set_mode(&file, 0600, err) != WA_OK)
        return wa_wrap(err, "mending the rights of 'private/%s'", name);
    wa_log(&s->m->log, WA_LOG_WARNING, "rights.mended", WA_LF_S("path", name),
           WA_LF_I("mode", st->mode), WA_LF_I("now", 0600));
    return WA_OK;
}

static enum wa_code check_secrets(const char *base, struct wa_manager *m, struct wa_err *err)
{
    char path[WA_PATH_MAX + 16];
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct secrets s = {.m = m, .dir = &dir};
    (void)snprintf(path, sizeof path, "%s/private", base);
    return wa_dir_open(path, &dir, err) == WA_OK ? wa_dir_list(&dir, check_secret, &s, err)
                                                 : err->code;
}

/* --- only looking --- */

static enum wa_code look_folder(const char *base, const struct folder *f, struct wa_err *err)
{
    char path[2 * WA_PATH_MAX];
    struct wa_stat st;
    (void)snprintf(path, sizeof path, "%s%s%s", base, f->name[0] != '\0' ? "/" : "", f->name);
    if (wa_path_stat(path, &st, err) != WA_OK) {
        if (err->code == WA_E_NOT_FOUND) /* the next start makes it */
            wa_err_clear(err);
        return err->code;
    }
    if (!st.is_dir)
        return wa_fail(err, WA_E_CONFIG, "'%s' is not a directory", path);
    if (st.uid == 0 && !is_mode_wrong(f, &st))
        return WA_OK;
    return wa_fail(err, WA_E_CONFLICT,
                   "'%s' of uid %u has the rights %o, which should be root's, %o", path,
                   (unsigned)st.uid, st.mode, f->mode);
}

static void say_rights(const struct wa_health_report *r, const char *what, enum wa_health bad,
                       const char *remedy, const char *good, const struct wa_err *err)
{
    if (err->code == WA_OK)
        wa_health_say(r, what, WA_HEALTH_GOOD, NULL, "%s", good);
    else
        wa_health_say(r, what, bad, remedy, "%s", err->text);
}

void wa_health_rights(const struct wa_agent_config *c, const struct wa_health_report *r)
{
    struct wa_err base = WA_ERR_INIT, secrets = WA_ERR_INIT;
    bool is_root = wa_priv_is_root();
    if (check_parents(c->base, &base) == WA_OK && check_config_file(c->file, &base) == WA_OK &&
        check_certs_dir(c->public_certs_dir, &base) == WA_OK)
        for (size_t i = 0; base.code == WA_OK && i < WA_COUNT(folders); i++)
            if (is_root || strncmp(folders[i].name, "private/", 8) != 0)
                base.code = look_folder(c->base, &folders[i], &base);
    say_rights(r, "base-directory", WA_HEALTH_ERROR,
               "make root the owner, and take the right to write from others; then restart",
               "only administrators write there", &base);
    if (!is_root)
        wa_health_say(r, "private-directory", WA_HEALTH_UNKNOWN, NULL, "only root can see it");
    else {
        secrets.code = check_secrets(c->base, NULL, &secrets);
        say_rights(r, "private-directory", WA_HEALTH_ERROR,
                   "make it root's and unreadable for others; if somebody read the key: 'wapt-get "
                   "reset-uuid', then register",
                   "only root reads there", &secrets);
    }
}

enum wa_code wa_folders_check_config(const struct wa_agent_config *c, struct wa_err *err)
{
    if (check_certs_dir(c->public_certs_dir, err) != WA_OK)
        return wa_wrap(err, "public_certs_dir");
    return check_config_file(c->file, err);
}

enum wa_code wa_folders_check(struct wa_manager *m, struct wa_err *err)
{
    if (check_parents(m->config.base, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(folders); i++)
        if (check_folder(m, &folders[i], err) != WA_OK)
            return wa_wrap(err, "the agent's folders");
    if (wa_folders_check_config(&m->config, err) != WA_OK ||
        check_secrets(m->config.base, m, err) != WA_OK)
        return err->code;
    return wa_dir_open(m->config.base, &m->base, err);
}
