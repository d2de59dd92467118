/* folders.c - who may write where the agent works, and what it trusts (F2C, F2D): checked at each
 * start, mended where that is enough, else the start is refused.
 *
 * Rights are mended, since a wrong umask is common; an owner is not: somebody else put it there.
 */
#include "agent/manager_priv.h"

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
    {"db", 0700},
    {"cache", 0700},
    {"run", 0755},
    {"log", 0750},
    {"ssl", 0755},
};

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
    bool wrong = f->mode == 0755 ? (st.mode & 0022u) != 0 : (st.mode & 07777u) != f->mode;
    if (!wrong)
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

enum wa_code wa_folders_check(struct wa_manager *m, struct wa_err *err)
{
    if (check_parents(m->config.base, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(folders); i++)
        if (check_folder(m, &folders[i], err) != WA_OK)
            return wa_wrap(err, "the agent's folders");
    if (check_certs_dir(m->config.public_certs_dir, err) != WA_OK)
        return wa_wrap(err, "public_certs_dir");
    return wa_dir_open(m->config.base, &m->base, err);
}
