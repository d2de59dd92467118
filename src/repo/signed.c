/* signed.c - documents that several people sign, in turn and on their own machines.
 *
 * The signed bytes are the decoded string itself. One key counts once, however many signatures,
 * certificates or identities it comes with. Nothing here knows what a statement means.
 */
#include "repo/signed.h"

#include "codec/base64.h"
#include "codec/hex.h"
#include "crypto/digest.h"

static enum wa_code read_item(const struct wa_json *j, struct wa_signed *s, struct wa_err *err)
{
    struct wa_sv signer = {NULL, 0};
    struct wa_signed_by *item = &s->items[s->n];
    const struct wa_json_field fields[] = {
        {"signer", WA_WANT_SV, true, 64, &signer},
        {"signature", WA_WANT_SV, true, 2u * WA_SIGNATURE_BYTES_MAX, &item->signature},
    };
    if (wa_json_read(j, fields, WA_COUNT(fields), "a signature", err) != WA_OK)
        return err->code;
    if (!wa_hex_is(signer, 64))
        return wa_fail(err, WA_E_INVALID, "a signature's signer is no SHA-256");
    memcpy(item->signer, signer.p, 64);
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->items[i].signer, item->signer) == 0)
            return wa_fail(err, WA_E_INVALID, "two signatures by %s", item->signer);
    s->n++;
    return WA_OK;
}

static enum wa_code read_items(const struct wa_json *list, struct wa_arena *arena,
                               struct wa_signed *s, struct wa_err *err)
{
    size_t n = wa_json_count(list);
    s->items = wa_arena_alloc(arena, n + 1, sizeof *s->items);
    if (s->items == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (read_item(wa_json_at(list, i), s, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_signed_read(struct wa_sv json, size_t max_bytes, const char *purpose,
                            struct wa_arena *arena, struct wa_signed *ret, struct wa_err *err)
{
    struct wa_signed s = {.n = 0};
    const struct wa_json *j = NULL, *list = NULL;
    const struct wa_json_field fields[] = {
        {"signed", WA_WANT_SV, true, max_bytes, &s.text},
        {"signatures", WA_WANT_ARRAY, true, WA_METADATA_SIGNATURES_MAX, &list},
    };
    if (json.n > max_bytes)
        return wa_fail(err, WA_E_LIMIT, "a document of more than %zu bytes", max_bytes);
    if (wa_json_parse(json, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a signed document", err) != WA_OK ||
        read_items(list, arena, &s, err) != WA_OK ||
        wa_json_parse(s.text, 0, arena, &s.statement, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(wa_json_sv(wa_json_get(s.statement, "purpose")), purpose))
        return wa_fail(err, WA_E_REFUSED, "it is not a document of purpose '%s'", purpose);
    *ret = s;
    return WA_OK;
}

static enum wa_code check_one(const struct wa_signed *s, const struct wa_signed_by *by,
                              const struct wa_key *key, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    if (wa_base64_decode(by->signature, &raw, err) != WA_OK ||
        wa_signature_check(key, s->text, wa_buf_sv(&raw), err) != WA_OK)
        return wa_wrap(err, "the signature by %s", by->signer);
    return WA_OK;
}

enum wa_code wa_signed_count(const struct wa_signed *s, const struct wa_signed_key *keys,
                             size_t key_count, size_t *ret, struct wa_err *err)
{
    const struct wa_key *held[WA_METADATA_SIGNATURES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct wa_key *key = NULL;
        bool is_known = false;
        for (size_t k = 0; k < key_count && key == NULL; k++)
            if (strcmp(keys[k].id, s->items[i].signer) == 0)
                key = keys[k].key;
        if (key == NULL)
            continue;
        if (check_one(s, &s->items[i], key, err) != WA_OK)
            return err->code;
        for (size_t k = 0; k < n; k++)
            is_known = is_known || wa_key_equal_public(held[k], key);
        if (!is_known)
            held[n++] = key;
    }
    *ret = n;
    return WA_OK;
}

static enum wa_code sign_text(struct wa_sv text, const struct wa_key *key, struct wa_buf *b64,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    if (wa_sign(key, text, &raw, err) != WA_OK)
        return err->code;
    wa_base64_encode(raw.p, raw.n, b64);
    return wa_buf_check(b64, err);
}

static void write_item(struct wa_jw *w, const char *signer, struct wa_sv b64)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "signer", signer);
    wa_jw_kvsv(w, "signature", b64);
    wa_jw_end(w);
}

static enum wa_code write_document(struct wa_sv text, const struct wa_signed *there,
                                   const char *signer, struct wa_sv b64, struct wa_buf *out,
                                   struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "signed", text);
    wa_jw_key(&w, "signatures");
    wa_jw_arr(&w);
    for (size_t i = 0; there != NULL && i < there->n; i++)
        if (strcmp(there->items[i].signer, signer) != 0)
            write_item(&w, there->items[i].signer, there->items[i].signature);
    if (b64.n > 0)
        write_item(&w, signer, b64);
    wa_jw_end(&w);
    wa_jw_end(&w);
    wa_buf_addc(out, '\n');
    return wa_buf_check(out, err);
}

enum wa_code wa_signed_add(struct wa_sv text, const struct wa_signed *there, const char *signer,
                           const struct wa_key *key, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf b64;
    wa_buf_init(&b64, 2u * WA_SIGNATURE_BYTES_MAX);
    if (sign_text(text, key, &b64, err) != WA_OK)
        return err->code;
    return write_document(text, there, signer, wa_buf_sv(&b64), out, err);
}

enum wa_code wa_signed_none(struct wa_sv text, struct wa_buf *out, struct wa_err *err)
{
    return write_document(text, NULL, "", WA_SV(""), out, err);
}

enum wa_code wa_signed_key_id(const struct wa_key *key, char out[65], struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    if (wa_key_write_public_pem(key, &pem, err) != WA_OK)
        return err->code;
    return wa_sha256_hex(pem.p, pem.n, out, err);
}
