/* trust_store.c - what a trust store holds: anchors, what is revoked, who may order.
 *
 * Filling it checks no path; trust.c does, each time it is asked. What it is filled from is the
 * administrator's word (a directory, the configuration) or carries a signature of its own (lists).
 */
#include "base/mem.h"
#include "codec/csv.h"
#include "codec/hex.h"
#include "crypto/crl.h"
#include "crypto/trust_priv.h"
#include "os/rand.h"

enum wa_code wa_trust_new(struct wa_trust **ret, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *t = wa_calloc(1, sizeof(*t));

    if (t == NULL)
        return wa_nomem(err);
    if (wa_rand_map(&t->by_fingerprint, err) != WA_OK || wa_rand_map(&t->revoked, err) != WA_OK ||
        wa_rand_map(&t->may_order, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(t);
    return WA_OK;
}

void wa_trust_free(struct wa_trust *t)
{
    if (t == NULL)
        return;
    wa_map_fini(&t->by_fingerprint);
    wa_map_fini(&t->revoked);
    wa_map_fini(&t->may_order);
    wa_certs_fini(&t->anchors);
    wa_crls_fini(&t->crls);
    wa_free(t);
}

static bool is_anchor(const struct wa_trust *t, const struct wa_cert *c)
{
    return wa_map_get(&t->by_fingerprint, wa_sv(c->fingerprint)) != NULL;
}

enum wa_code wa_trust_add(struct wa_trust *t, struct wa_cert *anchor, struct wa_err *err)
{
    if (is_anchor(t, anchor))
        return WA_OK;
    if (t->anchors.n >= WA_ANCHORS_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot trust more than %u certificates", WA_ANCHORS_MAX);
    if (wa_map_put(&t->by_fingerprint, wa_sv(anchor->fingerprint), anchor, NULL, err) != WA_OK)
        return err->code;
    if (wa_certs_add(&t->anchors, anchor, err) != WA_OK) {
        (void)wa_map_take(&t->by_fingerprint, wa_sv(anchor->fingerprint));
        return err->code;
    }
    return WA_OK;
}

static enum wa_code read_crls(void *user, struct wa_sv text, struct wa_err *err)
{
    return wa_crls_read(text, false, user, err);
}

static enum wa_code read_crl_file(void *user, struct wa_sv text, struct wa_err *err)
{
    return wa_crls_read(text, true, user, err);
}

/* Of foreign texts a message shows the beginning. */
#define SHOWN_MAX 80

enum wa_code wa_trust_revoke_lines(struct wa_trust *t, struct wa_sv text, struct wa_err *err)
{
    struct wa_sv line, rest = text;
    char fingerprint[65];

    for (size_t n = 1; wa_sv_split(&rest, '\n', &line); n++) {
        size_t hash = line.n;
        (void)wa_sv_chr(line, '#', &hash);
        line = wa_sv_trim(wa_sv_n(line.p, hash));
        if (line.n == 0)
            continue;
        if (!wa_hex_fingerprint(line, fingerprint))
            return wa_fail(err, WA_E_INVALID,
                           "line %zu, '%.*s', is no SHA-256 fingerprint of a certificate", n,
                           (int)(line.n < SHOWN_MAX ? line.n : SHOWN_MAX), line.p);
        if (wa_trust_revoke(t, fingerprint, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code read_revoked(void *user, struct wa_sv text, struct wa_err *err)
{
    return wa_trust_revoke_lines(user, text, err);
}

static enum wa_code add_all(struct wa_trust *t, const struct wa_certs *list, const char *path,
                            struct wa_err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (wa_trust_add(t, list->items[i], err) != WA_OK)
            return err->code;
    if (wa_pem_files(path, ".crt", read_crls, &t->crls, err) != WA_OK ||
        wa_pem_files(path, ".pem", read_crls, &t->crls, err) != WA_OK ||
        wa_pem_files(path, ".crl", read_crl_file, &t->crls, err) != WA_OK ||
        wa_pem_files(path, "revoked.txt", read_revoked, t, err) != WA_OK)
        return err->code;
    return wa_crls_settle(&t->crls, &t->anchors, err);
}

enum wa_code wa_trust_add_dir(struct wa_trust *t, const char *path, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs list = {0};
    size_t anchors = t->anchors.n, crls = t->crls.n;

    enum wa_code code = wa_certs_read_dir(path, &list, err);
    if (code == WA_E_NOT_FOUND || (code == WA_OK && list.n == 0)) {
        wa_err_clear(err);
        return wa_fail(err, WA_E_CONFIG,
                       "there is no certificate in '%s': put those of your package signers there",
                       path);
    }
    if (code == WA_OK)
        code = add_all(t, &list, path, err);
    if (code == WA_OK)
        return WA_OK;
    for (size_t i = anchors; i < t->anchors.n; i++)
        (void)wa_map_take(&t->by_fingerprint, wa_sv(t->anchors.items[i]->fingerprint));
    wa_certs_cut(&t->anchors, anchors);
    wa_crls_cut(&t->crls, crls);
    return wa_wrap(err, "reading the trusted certificates in '%s'", path);
}

size_t wa_trust_count(const struct wa_trust *t)
{
    return t->anchors.n;
}

enum wa_code wa_trust_revoke(struct wa_trust *t, const char *fingerprint, struct wa_err *err)
{
    if (!wa_hex_is(wa_sv(fingerprint), 64))
        return wa_fail(err, WA_E_INVALID,
                       "cannot revoke '%.80s': a fingerprint is 64 lower-case hex digits",
                       fingerprint);
    return wa_map_put(&t->revoked, wa_sv(fingerprint), t, NULL, err); /* any value but NULL */
}

enum wa_code wa_trust_let_order(struct wa_trust *t, struct wa_sv fingerprints, struct wa_err *err)
{
    struct wa_sv item;

    while (wa_csv_next(&fingerprints, &item)) {
        if (!wa_hex_is(item, 64))
            return wa_fail(err, WA_E_INVALID, "cannot let '%.*s' order: it is no fingerprint",
                           (int)(item.n < SHOWN_MAX ? item.n : SHOWN_MAX), item.p);
        if (wa_map_put(&t->may_order, item, t, NULL, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

bool wa_trust_may_order(const struct wa_trust *t, const char *fingerprint)
{
    return wa_map_get(&t->may_order, wa_sv(fingerprint)) != NULL;
}

enum wa_code wa_trust_add_kept(struct wa_trust *t, const char *path, struct wa_err *err)
{
    size_t before = t->crls.n;
    enum wa_code code = wa_pem_files(path, ".crl", read_crl_file, &t->crls, err);

    if (code == WA_E_NOT_FOUND) {
        wa_err_clear(err);
        return WA_OK;
    }
    if (code == WA_OK)
        code = wa_crls_settle(&t->crls, &t->anchors, err);
    if (code == WA_OK)
        return WA_OK;
    wa_crls_cut(&t->crls, before);
    return wa_wrap(err, "reading the revocation lists kept in '%s'", path);
}
