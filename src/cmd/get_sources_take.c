/* get_sources_take.c - sources from an existing folder or package. A package is verified before a
 * byte of it is written, and what is written is what was verified; a folder is the caller's word.
 */
#include "cmd/get_sources.h"
#include "codec/csv.h"
#include "os/clock.h"

static const char *const papers[] = {"WAPT/manifest.sha256", "WAPT/manifest.sha1",
                                     "WAPT/signature.sha256", "WAPT/signature",
                                     "WAPT/certificate.crt"};

void wa_get_unsign(struct wa_control *c)
{
    static const enum wa_attr attrs[] = {WA_A_PACKAGE_UUID,       WA_A_SIGNER,
                                         WA_A_SIGNER_FINGERPRINT, WA_A_SIGNATURE,
                                         WA_A_SIGNATURE_DATE,     WA_A_SIGNED_ATTRIBUTES};
    for (size_t i = 0; i < WA_COUNT(attrs); i++)
        wa_control_unset(c, attrs[i]);
}

static enum wa_code remove_papers(struct wa_get_sources *s, struct wa_err *err)
{
    struct wa_relpath name;
    for (size_t i = 0; i < WA_COUNT(papers); i++)
        if (wa_relpath_parse(wa_sv(papers[i]), &name, err) != WA_OK ||
            wa_tree_remove(&s->dir, &name, err) != WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code extract(const struct wa_cli *cli, struct wa_members *m,
                            struct wa_get_sources *s, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    wa_verdict_init(&v);
    if (wa_get_anchors(cli, &anchors, err) != WA_OK ||
        wa_verify_package(m, anchors, wa_clock_now(), NULL, NULL, &v, err) != WA_OK)
        return err->code;
    return wa_extract_verified(m, &v, &s->dir, err);
}

/* Of the copy: the file of that name may be another one by now. */
static enum wa_code read_control(const struct wa_get_sources *s, struct wa_control *ret,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_relpath name;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    return wa_relpath_parse(WA_SV("WAPT/control"), &name, err) == WA_OK &&
                   wa_file_read(&s->dir, &name, WA_CONTROL_BYTES_MAX, &text, err) == WA_OK
               ? wa_control_parse(wa_buf_sv(&text), ret, err)
               : err->code;
}

enum wa_code wa_get_sources_take(const struct wa_cli *cli, const char *given,
                                 struct wa_get_sources *s, struct wa_control *ret,
                                 struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    if (wa_get_package_open(given, &p, err) != WA_OK) {
        /* A file, given by its path, was meant, else a name. */
        if (err->code == WA_E_NOT_FOUND && strchr(given, '/') == NULL)
            return wa_get_sources_fetch(cli, given, s, ret, err);
        return err->code;
    }
    const struct wa_dir *dir = wa_get_package_dir(p);
    if ((dir != NULL ? wa_get_sources_copy_dir(s, dir, "", err)
                     : extract(cli, wa_get_package_members(p), s, err)) != WA_OK ||
        read_control(s, ret, err) != WA_OK)
        return wa_wrap(err, "'%s'", given);
    wa_get_unsign(ret);
    return remove_papers(s, err);
}

static bool has_item(struct wa_sv list, struct wa_sv wanted)
{
    struct wa_sv item;
    while (wa_csv_next(&list, &item))
        if (wa_sv_eq(item, wanted))
            return true;
    return false;
}

enum wa_code wa_get_add_depends(struct wa_control *c, const char *list, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf all;
    struct wa_sv rest = wa_sv(list), item;
    wa_buf_init(&all, WA_CONTROL_BYTES_MAX);
    wa_buf_adds(&all, wa_control_get(c, WA_A_DEPENDS));
    while (wa_csv_next(&rest, &item))
        if (!has_item(wa_buf_sv(&all), item))
            wa_buf_addf(&all, "%s%.*s", all.n > 0 ? "," : "", WA_SV_ARG(item));
    if (wa_buf_check(&all, err) != WA_OK)
        return err->code;
    return wa_control_set(c, WA_A_DEPENDS, wa_buf_sv(&all), err);
}
