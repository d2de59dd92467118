/* publish_job.c - a state that is to be published, from its description to the signed list. */
#include "repo/publish_job.h"

#include "base/text.h"
#include "codec/hex.h"

#define DAYS_USUAL 7

void wa_publish_job_init(struct wa_publish_job *j)
{
    *j = (struct wa_publish_job){.dir = WA_DIR_INIT};
    wa_buf_init(&j->text, WA_PUBLISHED_BYTES_MAX);
}

void wa_publish_job_fini(struct wa_publish_job *j)
{
    wa_root_free(j->root);
    wa_published_free(j->last);
    wa_published_free(j->next);
    wa_buf_fini(&j->text);
    wa_dir_close(&j->dir);
}

enum wa_code wa_publish_job_revoke(struct wa_publish_job *j, struct wa_sv fingerprint,
                                   struct wa_err *err)
{
    size_t n = j->o.revoked_count;
    if (n == WA_PUBLISH_REVOKED_MAX)
        return wa_fail(err, WA_E_USAGE, "at most %u certificates at once", WA_PUBLISH_REVOKED_MAX);
    if (!wa_hex_fingerprint(fingerprint, j->fingerprints[n]))
        return wa_fail(err, WA_E_USAGE, "'%.*s' is no SHA-256 of a certificate",
                       WA_SV_ARG(fingerprint));
    j->revoked[n] = j->fingerprints[n];
    j->o.revoked = j->revoked;
    j->o.revoked_count = n + 1;
    return WA_OK;
}

enum wa_code wa_publish_job_begin(struct wa_publish_job *j, struct wa_err *ret_why,
                                  struct wa_err *err)
{
    if (j->o.days == 0)
        j->o.days = j->root->published_days < DAYS_USUAL ? j->root->published_days : DAYS_USUAL;
    if (j->last != NULL &&
        wa_published_check_signer(j->last, j->root, j->o.now, NULL, ret_why) == WA_OK)
        j->known = j->last;
    if (j->last != NULL && j->last->version >= INT64_MAX - 1)
        return wa_fail(err, WA_E_INVALID, "the last list has a version that nothing can follow");
    j->o.version = j->last == NULL ? 1 : j->last->version + 1;
    return WA_OK;
}

enum wa_code wa_publish_job_prepare(struct wa_publish_job *j, wa_publish_note_fn note, void *user,
                                    struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf draft;
    size_t bad = 0;
    wa_buf_init(&draft, WA_PUBLISHED_BYTES_MAX);
    if (wa_publish_propose(&j->dir, j->root, j->known, j->last_mtime, &j->o, &j->text, err) !=
            WA_OK ||
        wa_signed_none(wa_buf_sv(&j->text), &draft, err) != WA_OK ||
        wa_published_read(wa_buf_sv(&draft), &j->next, err) != WA_OK ||
        wa_publish_judge(&j->dir, j->root, j->next, j->known, j->o.force, j->o.now, note, user,
                         &bad, err) != WA_OK)
        return err->code;
    return bad == 0
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED,
                         wa_text_n("machines would refuse %zu package: nothing is published",
                                   "machines would refuse %zu packages: nothing is published", bad),
                         bad);
}

enum wa_code wa_publish_job_sign(struct wa_publish_job *j, const struct wa_cert *signer,
                                 const struct wa_key *key, struct wa_buf *json, struct wa_err *err)
{
    WA_AUTO(wa_published) struct wa_published *done = NULL;
    if (wa_signed_add(wa_buf_sv(&j->text), NULL, wa_cert_fingerprint(signer), key, json, err) !=
            WA_OK ||
        wa_published_read(wa_buf_sv(json), &done, err) != WA_OK)
        return err->code;
    return wa_published_check(done, j->root, j->o.now, NULL, err);
}
