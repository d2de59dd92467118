/* index_crl.c - the revocation lists that an index carries (formats.md 3.2): crl/<key identifier of
 * the authority>.crl, DER.
 *
 * Whoever keeps the repository can leave a list out, so these revoke sooner but prove nothing by
 * their absence; none counts that its authority has not signed.
 */
#include "crypto/crl.h"
#include "pkg/index_priv.h"

void wa_index_crls_fini(struct wa_index *ix)
{
    for (size_t i = 0; i < ix->crls.n; i++)
        wa_buf_fini(&ix->crls.items[i]);
    WA_VEC_FREE(&ix->crls);
}

/* Number of the list of this authority, or that of a new one. */
static enum wa_code find(const struct wa_index *ix, const struct wa_crl_info *info, size_t *ret,
                         bool *ret_is_older, struct wa_err *err)
{
    *ret_is_older = true;
    for (*ret = 0; *ret < ix->crls.n; ++*ret) {
        WA_AUTO_BUF struct wa_buf ignored;
        struct wa_crl_info other;
        wa_buf_init(&ignored, WA_CRL_BYTES_MAX);
        if (wa_crl_read(wa_buf_sv(&ix->crls.items[*ret]), &ignored, &other, err) != WA_OK)
            return err->code;
        if (strcmp(other.authority, info->authority) != 0)
            continue;
        *ret_is_older = other.this_update < info->this_update;
        return WA_OK;
    }
    return WA_OK;
}

enum wa_code wa_index_add_crl(struct wa_index *ix, struct wa_sv text, bool *ret_changed,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf der;
    struct wa_crl_info info;
    size_t at = 0;
    bool is_older = false;
    wa_buf_init(&der, WA_CRL_BYTES_MAX);
    if (wa_crl_read(text, &der, &info, err) != WA_OK ||
        find(ix, &info, &at, &is_older, err) != WA_OK)
        return err->code;
    if (at >= WA_CRLS_MAX)
        return wa_fail(err, WA_E_LIMIT, "an index has at most %u revocation lists", WA_CRLS_MAX);
    if (is_older && at == ix->crls.n) {
        struct wa_buf *slot = WA_VEC_PUSH(&ix->crls);
        if (slot == NULL)
            return wa_nomem(err);
        wa_buf_init(slot, WA_CRL_BYTES_MAX);
    }
    if (is_older) {
        struct wa_buf old = ix->crls.items[at];
        ix->crls.items[at] = der;
        der = old;
    }
    if (ret_changed != NULL)
        *ret_changed = is_older;
    return WA_OK;
}

static enum wa_code read_list(struct wa_members *m, size_t i, struct wa_index *ix,
                              struct wa_err *err)
{
    struct wa_buf_sink sink;
    struct wa_buf *slot = WA_VEC_PUSH(&ix->crls);
    if (slot == NULL)
        return wa_nomem(err);
    wa_buf_init(slot, WA_CRL_BYTES_MAX);
    wa_buf_sink_init(&sink, slot);
    return m->read(m, i, &sink.base, err);
}

enum wa_code wa_index_crls_read(struct wa_members *m, struct wa_index *ix, struct wa_err *err)
{
    uint64_t left = WA_INDEX_BYTES_MAX;
    for (size_t i = 0; i < m->n && ix->crls.n < WA_CRLS_MAX; i++) {
        struct wa_sv name = wa_sv(m->items[i].name.p);
        if (!wa_sv_starts(name, "crl/") || !wa_sv_ends(name, ".crl") ||
            m->items[i].size > WA_CRL_BYTES_MAX || m->items[i].size > left)
            continue;
        left -= m->items[i].size;
        if (read_list(m, i, ix, err) != WA_OK)
            return wa_wrap(err, "revocation list '%s'", m->items[i].name.p);
    }
    return WA_OK;
}

enum wa_code wa_index_crls_teach(const struct wa_index *ix, struct wa_trust *anchors,
                                 struct wa_err *err)
{
    for (size_t i = 0; i < ix->crls.n; i++) {
        bool is_used = false;
        struct wa_err why = WA_ERR_INIT;
        /* One that can't be read revokes nothing. */
        if (wa_trust_add_crl(anchors, wa_buf_sv(&ix->crls.items[i]), &ix->certs, &is_used, &why) ==
            WA_E_NOMEM)
            return wa_nomem(err);
    }
    return WA_OK;
}

enum wa_code wa_index_crls_write(const struct wa_index *ix, struct wa_zip_writer *zip,
                                 struct wa_err *err)
{
    for (size_t i = 0; i < ix->crls.n; i++) {
        WA_AUTO_BUF struct wa_buf der;
        struct wa_crl_info info;
        struct wa_relpath name;
        wa_buf_init(&der, WA_CRL_BYTES_MAX);
        if (wa_crl_read(wa_buf_sv(&ix->crls.items[i]), &der, &info, err) != WA_OK)
            return err->code;
        name.n = (size_t)snprintf(name.p, sizeof name.p, "crl/%s.crl", info.authority);
        if (wa_zip_add_bytes(zip, &name, 0600, wa_buf_sv(&der), err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}
