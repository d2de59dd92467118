/* keyfile.c - see keyfile.h. The new file is written beside the old one, encrypted, and renamed. */
#include "pkg/keyfile.h"

#include "os/path.h"
#include "os/proc.h"
#include "pkg/keypair.h"

static enum wa_code check_file(const char *path, struct wa_stat *ret, struct wa_err *err)
{
    char real[WA_PATH_MAX];
    if (wa_path_stat(path, ret, err) != WA_OK)
        return err->code;
    if (ret->is_link)
        return wa_path_real(path, real, err) == WA_OK
                   ? wa_fail(err, WA_E_REFUSED, "'%s' is a link: name the file itself, '%s'", path,
                             real)
                   : err->code;
    if (!ret->is_file)
        return wa_fail(err, WA_E_INVALID, "'%s' is no file", path);
    if (ret->uid != wa_proc_own_uid())
        return wa_fail(err, WA_E_REFUSED,
                       "'%s' belongs to another account: its owner changes the password", path);
    return WA_OK;
}

/* The whole file is replaced: what else is in it would be lost. */
static enum wa_code check_content(const char *path, struct wa_sv pem, bool *ret_encrypted,
                                  struct wa_err *err)
{
    size_t blocks = 0;
    *ret_encrypted = wa_sv_has(pem, WA_SV("ENCRYPTED"));
    for (size_t i = 0; i < pem.n; i++)
        blocks += wa_sv_starts(wa_sv_sub(pem, i, pem.n - i), "-----BEGIN ");
    if (!wa_sv_has(pem, WA_SV("PRIVATE KEY-----")))
        return wa_fail(err, WA_E_INVALID,
                       "'%s' has no private key: name the key's own file, NAME.pem", path);
    return blocks == 1 ? WA_OK
                       : wa_fail(err, WA_E_REFUSED,
                                 "'%s' holds more than a private key: put that into files of their "
                                 "own first",
                                 path);
}

enum wa_code wa_keyfile_open(const char *path, wa_passphrase_fn ask, void *user,
                             struct wa_keyfile *ret, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    *ret = (struct wa_keyfile){.key = NULL};
    if (snprintf(ret->path, sizeof ret->path, "%s", path) >= (int)sizeof ret->path)
        return wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", path);
    if (check_file(path, &ret->was, err) != WA_OK ||
        wa_path_read(path, WA_KEY_BYTES_MAX, &pem, err) != WA_OK ||
        check_content(path, wa_buf_sv(&pem), &ret->was_encrypted, err) != WA_OK)
        return err->code;
    return wa_key_read_pem(wa_buf_sv(&pem), path, ask, user, &ret->key, err);
}

static bool is_the_same(const struct wa_stat *a, const struct wa_stat *b)
{
    return a->inode == b->inode && a->mtime == b->mtime && a->mtime_ns == b->mtime_ns &&
           a->size == b->size && a->is_file && b->is_file;
}

enum wa_code wa_keyfile_set_password(const struct wa_keyfile *k, struct wa_sv password,
                                     struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    struct wa_stat now;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    if (wa_keypair_check_password(password, err) != WA_OK ||
        wa_key_write_pem(k->key, password, &pem, err) != WA_OK ||
        wa_path_stat(k->path, &now, err) != WA_OK)
        return err->code;
    if (!is_the_same(&k->was, &now))
        return wa_fail(err, WA_E_CONFLICT,
                       "'%s' has just been changed by somebody else: nothing was written", k->path);
    return wa_path_replace(k->path, wa_buf_sv(&pem), (now.mode & 0600u) | 0400u, err);
}

void wa_keyfile_fini(struct wa_keyfile *k)
{
    wa_key_free(k->key);
    k->key = NULL;
}
