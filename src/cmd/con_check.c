/* con_check.c - a package before it is sent: is it whole, and signed by somebody who is trusted?
 * The server asks the same with its own trust; here the person learns it before gigabytes are on
 * their way.
 */
#include "cmd/con.h"

enum wa_code wa_con_check_package(struct wa_cli *cli, const char *path, struct wa_control *ret,
                                  struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    bool is_known = false;
    wa_verdict_init(&v);
    if (wa_get_package_open(path, &p, err) != WA_OK)
        return err->code;
    if (wa_get_package_dir(p) != NULL)
        return wa_fail(err, WA_E_INVALID, "'%s' is a folder: 'wapt-get build-package' packs it",
                       path);
    if (wa_get_judge(cli, p, &v, &is_known, err) != WA_OK)
        return wa_wrap(err, "'%s' is not sent", path);
    if (!cli->json)
        wa_cli_say(cli, "%s: signed by %s (%.16s)%s", path, v.trust.signer_cn,
                   v.trust.signer_fingerprint,
                   is_known ? "" : wa_text("; who is trusted is not known here, see --trusted"));
    return ret != NULL ? wa_control_copy(&v.control, ret, err) : WA_OK;
}
