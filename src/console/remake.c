/* remake.c - a package of somebody else's, or of another maturity, signed anew with one's own key.
 *
 * First everything is verified, by the trust that holds for where it comes from; then only what was
 * verified is copied, by the digests of that moment. No member is unpacked, none is run.
 */
#include "console/import.h"

#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"
#include "pkg/template.h"

static enum wa_code check_entry(const struct wa_control *is, const struct wa_control *entry,
                                struct wa_err *err)
{
    if (entry == NULL ||
        (wa_entry_same(is, entry) &&
         strcmp(wa_control_get(is, WA_A_SIGNATURE), wa_control_get(entry, WA_A_SIGNATURE)) == 0))
        return WA_OK;
    return wa_fail(err, WA_E_REFUSED, "it is another package than the index says");
}

enum wa_code wa_remake_verify(const char *path, const struct wa_remake *r, struct wa_verdict *v,
                              struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_fd_source source;
    if (wa_path_open(path, &fd, err) != WA_OK || wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_archive_members_open(&source.base, &members, err) != WA_OK ||
        wa_verify_package(wa_archive_members_get(members), r->anchors, wa_clock_now(), NULL, NULL,
                          v, err) != WA_OK)
        return err->code;
    return check_entry(&v->control, r->entry, err);
}

enum wa_code wa_remake_sign(const char *path, const struct wa_remake *r, const struct wa_verdict *v,
                            const struct wa_signer *signer, char *ret_path, struct wa_err *err)
{
    const struct wa_build_options o = {.only = &v->manifest,
                                       .maturity = r->maturity,
                                       .set_package = r->package,
                                       .set_depends = r->depends,
                                       .set_conflicts = r->conflicts};
    if (r->package != NULL && wa_template_check_name(r->package, err) != WA_OK)
        return err->code;
    return wa_sign_package(path, signer, &o, ret_path, err);
}
