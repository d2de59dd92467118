/* con_check.c - a package before it is sent: is it whole, and signed by somebody who is trusted?
 * The server asks the same with its own trust; here the person learns it before gigabytes are on
 * their way.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "os/clock.h"

static bool show_progress(void *user, uint64_t done, uint64_t total)
{
    if (total > (64u << 20)) /* smaller ones are done before anybody could read it */
        wa_cli_progress(user, "checking", done, total);
    return true;
}

/* Trust that a person set up counts; where there is none, *ret is NULL. */
static enum wa_code find_anchors(const struct wa_cli *cli, struct wa_trust **ret,
                                 struct wa_err *err)
{
    WA_AUTO_STR char *configured = NULL;
    if (wa_get_conf(cli, "public_certs_dir", &configured, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_get_anchors(cli, ret, err);
    if (code == WA_OK || configured != NULL || wa_cli_get(cli, "trusted", NULL) != NULL ||
        (code != WA_E_NOT_FOUND && code != WA_E_CONFIG))
        return code;
    wa_err_clear(err);
    return WA_OK;
}

/* The signer named in the package as its own anchor: whole and unaltered, whoever that is. */
static enum wa_code trust_itself(struct wa_members *m, struct wa_trust **ret, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err untrusted = WA_ERR_INIT;
    wa_verdict_init(&v);
    if (wa_trust_new(&t, err) != WA_OK)
        return err->code;
    if (wa_verify_package(m, t, wa_clock_now(), NULL, NULL, &v, &untrusted) == WA_OK ||
        v.chain.n == 0) {
        *err = untrusted;
        return err->code;
    }
    if (wa_trust_add(t, v.chain.items[0], err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(t);
    return WA_OK;
}

enum wa_code wa_con_check_package(struct wa_cli *cli, const char *path, struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    wa_verdict_init(&v);
    if (wa_get_package_open(path, &p, err) != WA_OK)
        return err->code;
    if (wa_get_package_dir(p) != NULL)
        return wa_fail(err, WA_E_INVALID, "'%s' is a folder: 'wapt-get build-package' packs it",
                       path);
    struct wa_members *m = wa_get_package_members(p);
    if (find_anchors(cli, &anchors, err) != WA_OK)
        return err->code;
    bool is_known = anchors != NULL;
    if ((!is_known && trust_itself(m, &anchors, err) != WA_OK) ||
        wa_verify_package(m, anchors, wa_clock_now(), show_progress, cli, &v, err) != WA_OK)
        return wa_wrap(err, "'%s' is not sent", path);
    wa_cli_progress(cli, "", 0, 0);
    if (!cli->json)
        wa_cli_say(cli, "%s: signed by %s (%.16s)%s", path, v.trust.signer_cn,
                   v.trust.signer_fingerprint,
                   is_known ? "" : "; who is trusted is not known here, see --trusted");
    return WA_OK;
}
