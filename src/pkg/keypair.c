/* keypair.c - a person's key as files. */
#include "pkg/keypair.h"

#include "pkg/control.h"

#define FILES_MAX 3

void wa_keypair_fini(struct wa_keypair *k)
{
    wa_dir_close(&k->dir);
}

static enum wa_code name_file(const char *name, const char *end, struct wa_relpath *ret,
                              struct wa_err *err)
{
    char file[WA_NAME_MAX + 8];
    (void)snprintf(file, sizeof file, "%s.%s", name, end);
    return wa_relpath_parse(wa_sv(file), ret, err);
}

enum wa_code wa_keypair_open(const char *folder, const char *cn, struct wa_keypair *ret,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf name;
    *ret = (struct wa_keypair){.dir = WA_DIR_INIT};
    wa_buf_init(&name, WA_NAME_MAX - 4);
    wa_sanitize_filename(wa_sv(cn), &name);
    (void)snprintf(ret->folder, sizeof ret->folder, "%s", folder);
    if (wa_buf_check(&name, err) != WA_OK ||
        name_file(wa_buf_str(&name), "pem", &ret->key, err) != WA_OK ||
        name_file(wa_buf_str(&name), "crt", &ret->cert, err) != WA_OK ||
        name_file(wa_buf_str(&name), "csr", &ret->request, err) != WA_OK)
        return wa_wrap(err, "file name for '%s'", cn);
    /* Private unless it exists already: a key will be in it. */
    return wa_dir_make(ret->folder, 0700, &ret->dir, err);
}

enum wa_code wa_keypair_new_key(const char *kind, int64_t rsa_bits, struct wa_key **ret,
                                struct wa_err *err)
{
    if (strcmp(kind, "p-256") == 0)
        return wa_key_new_p256(ret, err);
    if (strcmp(kind, "rsa") != 0)
        return wa_fail(err, WA_E_USAGE, "a key is 'rsa' or 'p-256', not '%s'", kind);
    if (rsa_bits < WA_RSA_BITS_MIN || rsa_bits > WA_RSA_BITS_MAX)
        return wa_fail(err, WA_E_USAGE, "an RSA key has %d to %d bits", (int)WA_RSA_BITS_MIN,
                       (int)WA_RSA_BITS_MAX);
    return wa_key_new_rsa((unsigned)rsa_bits, ret, err);
}

enum wa_code wa_keypair_check_password(struct wa_sv password, struct wa_err *err)
{
    return password.n >= WA_KEY_PASSWORD_MIN
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "the password of a key has %u characters at least",
                         WA_KEY_PASSWORD_MIN);
}

/* Takes the name before anything is written, so that no file of another is ever replaced. */
static enum wa_code claim(const struct wa_keypair *k, const struct wa_keypair_file *f, bool force,
                          bool *ret_new, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    enum wa_code code = wa_file_create(&k->dir, f->name, 0600, &fd, err);
    *ret_new = code == WA_OK;
    if (code == WA_E_EXISTS && force) {
        wa_err_clear(err);
        return WA_OK;
    }
    return code == WA_E_EXISTS ? wa_fail(err, WA_E_EXISTS, "'%s/%s' exists: --force overwrites it",
                                         k->folder, f->name->p)
                               : code;
}

enum wa_code wa_keypair_write(const struct wa_keypair *k, const struct wa_keypair_file *files,
                              size_t count, bool force, struct wa_err *err)
{
    struct wa_err ignored = WA_ERR_INIT;
    bool is_new[FILES_MAX] = {false};
    enum wa_code code = WA_OK;
    for (size_t i = 0; code == WA_OK && i < count && i < FILES_MAX; i++)
        code = claim(k, &files[i], force, &is_new[i], err);
    for (size_t i = 0; code == WA_OK && i < count && i < FILES_MAX; i++)
        code = wa_file_replace(&k->dir, files[i].name, files[i].bytes, files[i].mode, err);
    for (size_t i = 0; code != WA_OK && i < count && i < FILES_MAX; i++)
        if (is_new[i])
            (void)!wa_file_remove(&k->dir, files[i].name, &ignored);
    return code;
}
