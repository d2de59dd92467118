/* action_sign.c - the two signatures over orders: the administrator's over a batch of actions, the
 * server's over a batch of relays.
 *
 * Both are one signature over the root of a tree of digests, also for a single machine.
 */
#include "base/mem.h"
#include "codec/hex.h"
#include "proto/hostid.h"

#include "proto/action_priv.h"

struct wa_action_batch {
    char **texts;
    size_t n;
    struct wa_tree *tree;
    char *envelope; /* JSON */
    char *chain;    /* PEM */
};

void wa_action_batch_free(struct wa_action_batch *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; b->texts != NULL && i < b->n; i++)
        wa_free(b->texts[i]);
    wa_free(b->texts);
    wa_tree_free(b->tree);
    wa_free(b->envelope);
    wa_free(b->chain);
    wa_free(b);
}
WA_AUTO_DEFINE(wa_action_batch, wa_action_batch_free)

/* Kept, so that the proofs cost no digest. */
static enum wa_code grow_tree(struct wa_action_batch *b, struct wa_err *err)
{
    struct wa_tree_digest *leaves = wa_calloc(b->n, sizeof *leaves);
    enum wa_code code = leaves == NULL ? wa_nomem(err) : WA_OK;
    if (code == WA_OK)
        code = wa_tree_leaves(b->texts, b->n, leaves, err);
    if (code == WA_OK)
        code = wa_tree_new(leaves, b->n, &b->tree, err);
    wa_free(leaves);
    return code;
}

/* The batch's envelope: {"purpose",...,"root","count",<time>[,"signer"]} sealed by key. */
static enum wa_code seal_root(struct wa_action_batch *b, const char *purpose, const char *time_key,
                              int64_t now, const char *signer, const struct wa_key *key,
                              struct wa_err *err)
{
    char hex[WA_SHA256_HEX];
    size_t n = 0;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf envelope;
    wa_buf_init(&text, 4096);
    wa_buf_init(&envelope, 64u << 10);
    if (grow_tree(b, err) != WA_OK)
        return err->code;
    wa_hex_encode(wa_tree_top(b->tree)->b, WA_SHA256_SIZE, hex);
    struct wa_jw w;
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", purpose);
    wa_jw_kv(&w, "root", hex);
    wa_jw_kvi(&w, "count", (int64_t)b->n);
    wa_jw_kvi(&w, time_key, now);
    if (signer != NULL)
        wa_jw_kv(&w, "signer", signer);
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_envelope_seal(wa_buf_sv(&text), key, &envelope, err) != WA_OK)
        return err->code;
    return wa_buf_steal(&envelope, &b->envelope, &n, err);
}

static enum wa_code take_texts(struct wa_action_batch *b, const struct wa_sv *texts, size_t count,
                               struct wa_err *err)
{
    b->texts = wa_calloc(count, sizeof b->texts[0]);
    if (b->texts == NULL)
        return wa_nomem(err);
    b->n = count;
    for (size_t i = 0; i < count; i++)
        if (wa_sv_dup(texts[i], &b->texts[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_action_batch_sign(const struct wa_sv *texts, size_t count, const struct wa_key *key,
                                  const struct wa_certs *chain, int64_t now,
                                  struct wa_action_batch **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (count == 0 || count > WA_ACTION_HOSTS_MAX)
        return wa_fail(err, WA_E_USAGE, "a batch holds 1 to %u actions", WA_ACTION_HOSTS_MAX);
    if (chain->n == 0 || !wa_cert_matches_key(chain->items[0], key))
        return wa_fail(err, WA_E_USAGE, "the certificate does not belong to the private key");
    WA_AUTO(wa_action_batch) struct wa_action_batch *b = wa_calloc(1, sizeof *b);
    if (b == NULL)
        return wa_nomem(err);
    size_t n = 0;
    if (take_texts(b, texts, count, err) != WA_OK ||
        seal_root(b, WA_PURPOSE_BATCH, "issued_at", now, wa_cert_fingerprint(chain->items[0]), key,
                  err) != WA_OK ||
        wa_certs_write_pem(chain, &pem, err) != WA_OK ||
        wa_buf_steal(&pem, &b->chain, &n, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(b);
    return WA_OK;
}

/* The i-th text, under that name, and what proves that it is of the batch. chain: NULL, none. */
static enum wa_code write_one(const struct wa_action_batch *b, size_t i, const char *name,
                              const char *chain, struct wa_buf *out, struct wa_err *err)
{
    struct wa_tree_proof proof;
    if (wa_tree_proof_of(b->tree, i, &proof, err) != WA_OK)
        return err->code;
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, name, b->texts[i]);
    wa_jw_kvi(&w, "index", (int64_t)i);
    wa_jw_key(&w, "proof");
    wa_proof_write(&w, &proof);
    wa_jw_key(&w, "batch");
    wa_jw_raw(&w, wa_sv(b->envelope));
    if (chain != NULL)
        wa_jw_kv(&w, "chain", chain);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

enum wa_code wa_action_batch_order(const struct wa_action_batch *b, size_t i, struct wa_buf *out,
                                   struct wa_err *err)
{
    return write_one(b, i, "action", b->chain, out, err);
}

/* --- countersigning --- */

#define LEAF_BYTES 400u /* of most, so that their buffers need not grow */

static enum wa_code write_leaf(const struct wa_relay_request *r, int64_t now, char **ret,
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 1024);
    (void)wa_buf_reserve(&text, LEAF_BYTES); /* what fails shows at the end */
    if (!wa_hostid_is_valid(wa_sv(r->uuid)) || !wa_hex_is(wa_sv(r->nonce), 64) ||
        !wa_hex_is(wa_sv(r->action_sha256), 64))
        return wa_fail(err, WA_E_INVALID, "a request to countersign is not well formed");
    struct wa_jw w;
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", WA_PURPOSE_RELAY);
    wa_jw_kv(&w, "uuid", r->uuid);
    wa_jw_kv(&w, "nonce", r->nonce);
    wa_jw_kv(&w, "action_sha256", r->action_sha256);
    wa_jw_kvi(&w, "time", now);
    wa_jw_end(&w);
    size_t n = 0;
    return wa_buf_steal(&text, ret, &n, err);
}

enum wa_code wa_relay_sign(const struct wa_relay_request *requests, size_t count, int64_t now,
                           const struct wa_key *key, struct wa_buf *out, struct wa_err *err)
{
    if (count == 0 || count > WA_ACTION_HOSTS_MAX)
        return wa_fail(err, WA_E_INVALID, "a request to countersign %zu relays at once", count);
    WA_AUTO(wa_action_batch) struct wa_action_batch *b = wa_calloc(1, sizeof *b);
    if (b == NULL)
        return wa_nomem(err);
    b->texts = wa_calloc(count, sizeof b->texts[0]);
    if (b->texts == NULL)
        return wa_nomem(err);
    b->n = count;
    for (size_t i = 0; i < count; i++)
        if (write_leaf(&requests[i], now, &b->texts[i], err) != WA_OK)
            return err->code;
    if (seal_root(b, WA_PURPOSE_RELAY_BATCH, "time", now, NULL, key, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        size_t before = out->n;
        if (write_one(b, i, "leaf", NULL, out, err) != WA_OK)
            return err->code;
        wa_buf_addc(out, '\n');
        if (i == 0) /* the others are about as long */
            (void)wa_buf_reserve(out, (count - 1) * (out->n - before + 8));
    }
    return wa_buf_check(out, err);
}
