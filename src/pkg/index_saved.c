/* index_saved.c - an index as it was read, in a form that need be neither inflated nor parsed.
 *
 *     head, SHA-256 of the index file (in hex), SHA-256 of the rest
 *     u32 unreadable entries, u32 entries; for each: u64 which attributes are set, u32 n, n bytes
 *     u32 n, n bytes: the certificates (PEM); u32 lists; for each: u32 n, n bytes
 *
 * The second digest is over the digests of the entries (index_seen.h), which are computed anew at
 * each loading, and over all that is no entry: so whatever byte has changed, nothing is loaded.
 * Nothing here is a judgement: what is loaded is judged as if it had just been read.
 */
#include "base/mem.h"
#include "pkg/index.h"

/* Rules that read an index may change with the version. */
static const char head[] = "index read by " WA_VERSION "\n";

/* --- saving --- */

static void put(struct wa_buf *out, struct wa_sv bytes)
{
    wa_buf_u32le(out, (uint32_t)bytes.n);
    wa_buf_addsv(out, bytes);
}

/* What is no entry. */
static enum wa_code put_rest(const struct wa_index *ix, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_INDEX_BYTES_MAX);
    for (size_t i = 0; i < ix->certs.n; i++)
        if (wa_cert_write_pem(ix->certs.items[i], &pem, err) != WA_OK)
            return err->code;
    put(out, wa_buf_sv(&pem));
    wa_buf_u32le(out, (uint32_t)ix->crls.n);
    for (size_t i = 0; i < ix->crls.n; i++)
        put(out, wa_buf_sv(&ix->crls.items[i]));
    return wa_buf_check(&pem, err) == WA_OK ? wa_buf_check(out, err) : err->code;
}

static enum wa_code digest_of(const struct wa_index *ix, size_t bad, struct wa_sv rest,
                              uint8_t ret[WA_SHA256_SIZE], struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    const uint64_t counts[] = {bad, ix->digests_n};
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK ||
        wa_digest_add(d, counts, sizeof counts, err) != WA_OK ||
        wa_digest_add(d, ix->digests, ix->digests_n * sizeof ix->digests[0], err) != WA_OK ||
        wa_digest_add(d, rest.p, rest.n, err) != WA_OK)
        return err->code;
    return wa_digest_sha256(d, ret, err);
}

enum wa_code wa_index_save(const struct wa_index *ix, size_t bad, const char of[WA_SHA256_HEX],
                           struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf rest;
    uint8_t digest[WA_SHA256_SIZE];
    wa_buf_init(&rest, out->max);
    if (ix->digests_n != ix->n)
        return wa_fail(err, WA_E_INTERNAL, "an index without digests can't be saved");
    if (put_rest(ix, &rest, err) != WA_OK ||
        digest_of(ix, bad, wa_buf_sv(&rest), digest, err) != WA_OK)
        return err->code;
    wa_buf_add(out, head, sizeof head - 1);
    wa_buf_adds(out, of);
    wa_buf_add(out, digest, sizeof digest);
    wa_buf_u32le(out, (uint32_t)bad);
    wa_buf_u32le(out, (uint32_t)ix->n);
    for (size_t i = 0; i < ix->n; i++) {
        const struct wa_control *c = &ix->items[i];
        wa_buf_u64le(out, wa_control_block_set(c));
        put(out, wa_sv_n(c->block, c->block_size));
    }
    wa_buf_addsv(out, wa_buf_sv(&rest));
    return wa_buf_check(out, err);
}

/* --- loading --- */

/* Each false: there are not as many bytes. */
static bool take(struct wa_sv *from, size_t n, struct wa_sv *ret)
{
    if (from->n < n)
        return false;
    *ret = wa_sv_n(from->p, n);
    *from = wa_sv_n(from->p + n, from->n - n);
    return true;
}

static bool take_number(struct wa_sv *from, size_t bytes, uint64_t *ret)
{
    struct wa_sv s;
    if (!take(from, bytes, &s))
        return false;
    *ret = 0;
    for (size_t i = bytes; i-- > 0;)
        *ret = *ret << 8 | (unsigned char)s.p[i];
    return true;
}

static bool take_sized(struct wa_sv *from, struct wa_sv *ret)
{
    uint64_t n = 0;
    return take_number(from, 4, &n) && take(from, (size_t)n, ret);
}

static bool take_equal(struct wa_sv *from, const void *p, size_t n)
{
    struct wa_sv s;
    return take(from, n, &s) && memcmp(s.p, p, n) == 0;
}

static enum wa_code damaged(struct wa_err *err)
{
    return wa_fail(err, WA_E_INVALID, "a saved index is damaged");
}

static enum wa_code load_entries(struct wa_sv *from, size_t count, struct wa_index *ix,
                                 struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    ix->items = wa_calloc(count, sizeof ix->items[0]);
    ix->digests = wa_calloc(count, sizeof ix->digests[0]);
    if (ix->items == NULL || ix->digests == NULL)
        return wa_nomem(err);
    ix->cap = ix->digests_cap = count;
    for (; ix->n < count; ix->n++) {
        struct wa_control *c = &ix->items[ix->n];
        struct wa_sv block;
        uint64_t set = 0;
        if (!take_number(from, 8, &set) || !take_sized(from, &block))
            return damaged(err);
        if (wa_control_from_block(set, block, c, err) != WA_OK)
            return err->code;
        if (wa_entry_digest(d, c, &ix->digests[ix->digests_n++], err) != WA_OK) {
            wa_control_fini(c);
            return err->code;
        }
    }
    return WA_OK;
}

static enum wa_code load_rest(struct wa_sv from, struct wa_index *ix, struct wa_err *err)
{
    struct wa_sv pem, list;
    uint64_t lists = 0;
    if (!take_sized(&from, &pem) || !take_number(&from, 4, &lists))
        return damaged(err);
    if (pem.n > 0 && wa_certs_read_pem(pem, WA_ANCHORS_MAX, &ix->certs, err) != WA_OK)
        return err->code;
    for (; lists > 0; lists--) {
        if (!take_sized(&from, &list))
            return damaged(err);
        struct wa_buf *slot = WA_VEC_PUSH(&ix->crls);
        if (slot == NULL)
            return wa_nomem(err);
        wa_buf_init(slot, WA_CRL_BYTES_MAX);
        wa_buf_addsv(slot, list);
        if (wa_buf_check(slot, err) != WA_OK)
            return err->code;
    }
    return from.n == 0 ? WA_OK : damaged(err);
}

static enum wa_code load(struct wa_sv from, const char of[WA_SHA256_HEX], struct wa_index *ix,
                         size_t *ret_bad, struct wa_err *err)
{
    struct wa_sv digest;
    uint8_t found[WA_SHA256_SIZE];
    uint64_t bad = 0, count = 0;
    if (!take_equal(&from, head, sizeof head - 1) || !take_equal(&from, of, WA_SHA256_HEX - 1) ||
        !take(&from, WA_SHA256_SIZE, &digest) || !take_number(&from, 4, &bad) ||
        !take_number(&from, 4, &count) || count > WA_INDEX_ENTRIES_MAX || count > from.n / 12)
        return damaged(err);
    if (load_entries(&from, (size_t)count, ix, err) != WA_OK ||
        digest_of(ix, (size_t)bad, from, found, err) != WA_OK)
        return err->code;
    if (memcmp(digest.p, found, sizeof found) != 0)
        return damaged(err);
    *ret_bad = (size_t)bad;
    return load_rest(from, ix, err);
}

enum wa_code wa_index_load(struct wa_sv saved, const char of[WA_SHA256_HEX], struct wa_index *ret,
                           size_t *ret_bad, struct wa_err *err)
{
    struct wa_index ix;
    size_t bad = 0;
    wa_index_init(&ix);
    if (load(saved, of, &ix, &bad, err) != WA_OK) {
        wa_index_fini(&ix);
        return err->code;
    }
    *ret = ix;
    *ret_bad = bad;
    return WA_OK;
}
