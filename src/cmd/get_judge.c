/* get_judge.c - a package or folder against the trust that a person has set up here, or, where
 * there is none, against itself: then it is known whole and unaltered, but not whose word that is.
 */
#include "base/mem.h"
#include "cmd/get.h"
#include "os/clock.h"

/* Trust that a person set up counts; where there is none, *ret stays NULL. */
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

static bool show_progress(void *user, uint64_t done, uint64_t total)
{
    if (total > (64u << 20)) /* smaller ones are done before anybody could read it */
        wa_cli_progress(user, "checking", done, total);
    return true;
}

static enum wa_code verify(struct wa_cli *cli, struct wa_get_package *p,
                           const struct wa_trust *anchors, struct wa_verdict *v, struct wa_err *err)
{
    const struct wa_dir *dir = wa_get_package_dir(p);
    wa_verdict_fini(v);
    wa_verdict_init(v);
    enum wa_code code = dir != NULL ? wa_verify_tree(dir, anchors, wa_clock_now(), v, err)
                                    : wa_verify_package(wa_get_package_members(p), anchors,
                                                        wa_clock_now(), show_progress, cli, v, err);
    wa_cli_progress(cli, "", 0, 0);
    return code;
}

enum wa_code wa_get_judge(struct wa_cli *cli, struct wa_get_package *p, struct wa_verdict *v,
                          bool *ret_is_known, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    struct wa_err untrusted = WA_ERR_INIT;
    if (find_anchors(cli, &anchors, err) != WA_OK)
        return err->code;
    *ret_is_known = anchors != NULL;
    if (anchors != NULL)
        return verify(cli, p, anchors, v, err);
    if (wa_trust_new(&anchors, err) != WA_OK)
        return err->code;
    if (verify(cli, p, anchors, v, &untrusted) == WA_OK || v->failed != WA_CHECK_CHAIN ||
        v->chain.n == 0) {
        *err = untrusted;
        return err->code;
    }
    /* The signer it names is its own anchor. */
    if (wa_trust_add(anchors, v->chain.items[0], err) != WA_OK)
        return err->code;
    return verify(cli, p, anchors, v, err);
}
