/* check_packages.c - the verdict on each package, and what is kept of each index. */
#include "check.h"

#include <stdio.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "os/fs.h"
#include "pkg/index.h"
#include "pkg/verify.h"

#define FILE_MAX (256u << 20)

/* An archive in memory. */
struct opened {
    struct wa_buf bytes;
    struct wa_mem_source source;
    struct wa_archive_members *archive;
};

static enum wa_code open_file(struct check *k, const char *name, struct opened *f,
                              struct wa_err *err)
{
    char path[2 * WA_PATH_MAX];
    wa_buf_init(&f->bytes, FILE_MAX);
    f->archive = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", k->dir, name);
    if (wa_path_read(path, FILE_MAX, &f->bytes, err) != WA_OK)
        return err->code;
    wa_mem_source_init(&f->source, f->bytes.p, f->bytes.n);
    return wa_archive_members_open(&f->source.base, &f->archive, err);
}

static void close_file(struct opened *f)
{
    wa_archive_members_free(f->archive);
    wa_buf_fini(&f->bytes);
}

/* An empty directory is a store without anchors. */
static enum wa_code open_trust(struct check *k, const char *name, struct wa_trust **ret,
                               struct wa_err *err)
{
    char path[2 * WA_PATH_MAX];
    struct wa_err why = WA_ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", k->dir, name);
    if (wa_trust_new(ret, err) != WA_OK || wa_trust_add_dir(*ret, path, &why) == WA_OK ||
        why.code == WA_E_CONFIG)
        return err->code;
    *err = why;
    return err->code;
}

/* --- packages --- */

static enum outcome same_control(struct check *k, const struct wa_json *attributes,
                                 const struct wa_control *c)
{
    for (size_t i = 0; i < wa_json_count(attributes); i++) {
        enum wa_attr a;
        struct wa_sv want = wa_json_sv(wa_json_at(attributes, i));
        if (!wa_attr_find(wa_json_key_at(attributes, i), &a))
            return fails(k, "an attribute that we don't know");
        if (!wa_sv_eqs(want, wa_control_get(c, a)))
            return fails(k, "%s is '%s', wanted '%.*s'", wa_attr_name(a), wa_control_get(c, a),
                         WA_SV_ARG(want));
    }
    return AGREES;
}

/* The name with the file's digest, as it was in memory. */
static enum outcome check_md5_name(struct check *k, const struct wa_json *one,
                                   const struct wa_control *c, const struct wa_buf *file)
{
    char md5[WA_DIGEST_HEX_MAX], name[2 * WA_NAME_MAX + 1];
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv want = text_at(one, "canonical_filename_md5");
    wa_mem_source_init(&source, file->p, file->n);
    if (wa_digest_source(WA_MD5, &source.base, md5, &err) != WA_OK ||
        wa_control_filename(c, md5, name, &err) != WA_OK)
        return must(k, err.code, &err, "its name");
    return want.n == 0 || wa_sv_eqs(want, name) ? AGREES : fails(k, "with MD5 named '%s'", name);
}

static enum outcome check_good(struct check *k, const struct wa_json *one,
                               const struct wa_verdict *v)
{
    WA_AUTO_BUF struct wa_buf bytes;
    char digest[WA_SHA256_HEX], name[2 * WA_NAME_MAX + 1];
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&bytes, 1u << 20);
    if (wa_json_get(one, "attributes") == NULL)
        return AGREES;
    enum outcome o = same_control(k, wa_json_get(one, "attributes"), &v->control);
    if (o != AGREES)
        return o;
    if (wa_control_signed_bytes(&v->control, v->is_legacy_json, &bytes, &err) != WA_OK ||
        wa_sha256_hex(bytes.p, bytes.n, digest, &err) != WA_OK ||
        wa_control_filename(&v->control, NULL, name, &err) != WA_OK)
        return must(k, err.code, &err, "what was signed");
    if (!wa_sv_eqs(text_at(one, "signed_bytes_sha256"), digest))
        return fails(k, "other signed bytes than WAPT's");
    if (!wa_sv_eqs(text_at(one, "canonical_filename"), name))
        return fails(k, "named '%s'", name);
    if (v->has_setup_py != wa_json_bool(wa_json_get(one, "has_setup_py")))
        return fails(k, "setup.py: %d", v->has_setup_py);
    return AGREES;
}

static enum outcome judge(struct check *k, const struct wa_json *one, enum wa_code code,
                          const struct wa_verdict *v, const struct wa_err *err)
{
    bool is_good = code == WA_OK, wanted = wa_sv_eqs(text_at(one, "expected"), "accept");
    if (!is_good && code != WA_E_REFUSED && code != WA_E_INVALID && code != WA_E_LIMIT)
        return must(k, code, err, "verifying");
    if (is_good == wanted)
        return is_good ? check_good(k, one, v) : AGREES;
    if (!wa_json_bool(wa_json_get(one, "must")))
        return differs(k, "advisory", "%s: %s", is_good ? "taken" : "refused", err->text);
    return fails(k, "%s (%.*s): %s", is_good ? "taken" : "refused",
                 WA_SV_ARG(text_at(one, "reason")), err->text);
}

enum outcome check_package(struct check *k, const struct wa_json *one)
{
    struct opened f;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT, trust_err = WA_ERR_INIT;
    wa_verdict_init(&v);
    if (wa_json_get(one, "trusted") == NULL)
        return NOT_A_CASE; /* a source that WAPT could not build */
    if (open_trust(k, string_at(k, one, "trusted"), &anchors, &trust_err) != WA_OK)
        return must(k, trust_err.code, &trust_err, "the trusted certificates");
    enum wa_code code = open_file(k, string_at(k, one, "file"), &f, &err);
    if (code == WA_OK)
        code = wa_verify_package(wa_archive_members_get(f.archive), anchors, k->now, NULL, NULL, &v,
                                 &err);
    enum outcome o = judge(k, one, code, &v, &err);
    if (o == AGREES && code == WA_OK)
        o = check_md5_name(k, one, &v.control, &f.bytes);
    close_file(&f);
    return o;
}

/* --- indexes --- */

static bool has_package(const struct wa_index *ix, struct wa_sv name)
{
    for (size_t i = 0; i < ix->n; i++)
        if (wa_sv_eqs(name, wa_control_get(&ix->items[i], WA_A_PACKAGE)))
            return true;
    return false;
}

static bool is_rejected(const struct wa_json *one, struct wa_sv package)
{
    const struct wa_json *list = wa_json_get(one, "expected_rejected");
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_sv_eq(wa_json_sv(wa_json_at(list, i)), package))
            return true;
    return false;
}

/* Each forged entry goes, and takes no other with it. */
static enum outcome check_kept(struct check *k, const struct wa_json *one,
                               const struct wa_index *ix)
{
    const struct wa_json *entries = wa_json_get(wa_json_get(one, "wapt"), "entries");
    for (size_t i = 0; i < wa_json_count(entries); i++) {
        struct wa_sv name = text_at(wa_json_at(entries, i), "package");
        if (has_package(ix, name) == is_rejected(one, name))
            return fails(k, "%.*s is %s", WA_SV_ARG(name),
                         is_rejected(one, name) ? "kept" : "gone");
    }
    for (size_t i = 0; i < ix->n; i++)
        if (is_rejected(one, wa_sv(wa_control_get(&ix->items[i], WA_A_PACKAGE))))
            return fails(k, "%s is kept", wa_control_get(&ix->items[i], WA_A_PACKAGE));
    return AGREES;
}

enum outcome check_index(struct check *k, const struct wa_json *one)
{
    struct opened f;
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    WA_AUTO_INDEX struct wa_index ix;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0, gone = 0;
    wa_index_init(&ix);
    if (open_trust(k, string_at(k, one, "trusted"), &anchors, &err) != WA_OK)
        return must(k, err.code, &err, "the trusted certificates");
    if (open_file(k, string_at(k, one, "file"), &f, &err) == WA_OK &&
        wa_index_read(wa_archive_members_get(f.archive), &ix, &bad, &err) == WA_OK)
        (void)!wa_index_keep_trusted(&ix, anchors, k->now, NULL, NULL, NULL, &gone, &err);
    enum outcome o =
        err.code == WA_OK ? check_kept(k, one, &ix) : must(k, err.code, &err, "reading");
    close_file(&f);
    return o;
}
