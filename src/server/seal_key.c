/* seal_key.c - keys under which the database's secrets are sealed, each of one process alone. They
 * are made where they are missing, and can't be made again: what was sealed opens with them only.
 */
#include "base/mem.h"
#include "codec/base64.h"
#include "os/rand.h"
#include "server/role_common.h"

enum wa_code wa_server_make_seal_key(const char *dir, const char *name, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    uint8_t key[WA_SEAL_KEY];
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, 256);
    (void)snprintf(path, sizeof path, "%s/private/%s", dir, name);
    if (wa_path_stat(path, &st, &missing) == WA_OK)
        return WA_OK;
    if (wa_rand_bytes(key, sizeof key, err) != WA_OK)
        return err->code;
    wa_base64url_encode(key, sizeof key, &text);
    wa_wipe(key, sizeof key);
    wa_buf_addc(&text, '\n');
    return wa_buf_check(&text, err) == WA_OK ? wa_path_replace(path, wa_buf_sv(&text), 0600, err)
                                             : err->code;
}

enum wa_code wa_server_read_seal_key(const struct wa_server_config *c, const char *name,
                                     uint8_t key[WA_SEAL_KEY], struct wa_err *err)
{
    char file[64];
    WA_AUTO_BUF_SECRET struct wa_buf text;
    WA_AUTO_BUF_SECRET struct wa_buf bytes;
    wa_buf_init(&text, 1024);
    wa_buf_init(&bytes, 1024);
    (void)snprintf(file, sizeof file, "private/%s", name);
    if (wa_server_secret(c, file, file, &text, err) != WA_OK)
        return err->code;
    if (wa_base64url_decode(wa_buf_sv(&text), &bytes, err) == WA_E_NOMEM)
        return err->code;
    if (err->code != WA_OK || bytes.n != WA_SEAL_KEY) {
        wa_err_clear(err);
        return wa_fail(err, WA_E_CONFIG, "'%s' is no key: take it from the backup", file);
    }
    memcpy(key, bytes.p, WA_SEAL_KEY);
    return WA_OK;
}
