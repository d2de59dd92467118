/* get_conf.c - the packager's own configuration file, ~/.config/wapt/waptconsole.ini. Only what the
 * packaging commands need; the console reads the rest. A missing file is no error.
 */
#include "base/mem.h"
#include "cmd/get.h"
#include "codec/ini.h"
#include "os/fs.h"
#include "os/path.h"

enum wa_code wa_get_conf(const struct wa_cli *cli, const char *key, char **ret, struct wa_err *err)
{
    return wa_get_conf_in(cli, "global", key, ret, err);
}

enum wa_code wa_get_conf_file(const struct wa_cli *cli, struct wa_ini **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    char fallback[WA_PATH_MAX];
    const char *path = wa_cli_get(cli, "config", NULL);
    bool given = path != NULL;
    *ret = NULL;
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    if (!given) {
        struct wa_err why = WA_ERR_INIT;
        path = fallback;
        if (wa_path_of_config("waptconsole.ini", fallback, &why) != WA_OK)
            return WA_OK;
    }
    enum wa_code code = wa_path_read(path, WA_INI_BYTES_MAX, &text, err);
    if (code == WA_E_NOT_FOUND && !given) {
        wa_err_clear(err);
        return WA_OK;
    }
    if (code != WA_OK || wa_ini_parse(wa_buf_sv(&text), path, ret, err) != WA_OK)
        return wa_wrap(err, "reading configuration '%s'", path);
    return WA_OK;
}

enum wa_code wa_get_conf_in(const struct wa_cli *cli, const char *section, const char *key,
                            char **ret, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    if (wa_get_conf_file(cli, &ini, err) != WA_OK)
        return err->code;
    const char *value = ini != NULL ? wa_ini_get(ini, section, key) : NULL;
    *ret = NULL;
    return value != NULL && value[0] != '\0' ? wa_sv_dup(wa_sv(value), ret, err) : WA_OK;
}
