/* envelope.c - sealing and opening signed statements.
 *
 * The signed bytes are the decoded string itself: nothing is rebuilt, so nothing can be rebuilt
 * differently. Opening judges only the form; whoever opens looks up the key by what the statement
 * says and must call wa_envelope_check() before believing anything.
 */
#include "proto/envelope.h"

#include "codec/base64.h"

enum wa_code wa_envelope_seal(struct wa_sv text, const struct wa_key *key, struct wa_buf *out,
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    WA_AUTO_BUF struct wa_buf b64;
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    wa_buf_init(&b64, WA_SIGNATURE_BYTES_MAX);
    if (wa_sign(key, text, &raw, err) != WA_OK)
        return wa_wrap(err, "signing a statement");
    wa_base64_encode(raw.p, raw.n, &b64);
    if (wa_buf_check(&b64, err) != WA_OK)
        return err->code;
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "signed", text);
    wa_jw_kvsv(&w, "signature", wa_buf_sv(&b64));
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* Decodes the signature into the arena. */
static enum wa_code take_signature(struct wa_sv b64, struct wa_arena *arena, struct wa_sv *ret,
                                   struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf raw;
    wa_buf_init(&raw, WA_SIGNATURE_BYTES_MAX);
    if (wa_base64_decode(b64, &raw, err) != WA_OK)
        return wa_wrap(err, "reading a statement's signature");
    if (wa_buf_check(&raw, err) != WA_OK)
        return err->code;
    char *p = wa_arena_alloc(arena, raw.n + 1, 1);
    if (p == NULL)
        return wa_nomem(err);
    if (raw.n > 0)
        memcpy(p, raw.p, raw.n);
    *ret = wa_sv_n(p, raw.n);
    return WA_OK;
}

static enum wa_code open_any(const struct wa_json *envelope, const char *const *purposes,
                             size_t count, struct wa_arena *arena, struct wa_envelope *ret,
                             size_t *ret_which, struct wa_err *err)
{
    struct wa_envelope e = {0};
    struct wa_sv b64 = {0};
    const struct wa_json_field fields[] = {
        {"signed", WA_WANT_SV, true, WA_JSON_BYTES_MAX, &e.text},
        {"signature", WA_WANT_SV, true, WA_SIGNATURE_BYTES_MAX, &b64},
    };
    if (wa_json_read(envelope, fields, WA_COUNT(fields), "a signed statement", err) != WA_OK)
        return err->code;
    if (take_signature(b64, arena, &e.signature, err) != WA_OK)
        return err->code;
    if (wa_json_parse(e.text, 0, arena, &e.statement, err) != WA_OK)
        return wa_wrap(err, "reading a signed statement");
    struct wa_sv purpose = wa_json_sv(wa_json_get(e.statement, "purpose"));
    size_t which = 0;
    while (which < count && !wa_sv_eqs(purpose, purposes[which]))
        which++;
    if (!wa_json_is(e.statement, WA_JSON_OBJECT) || which == count)
        return wa_fail(err, WA_E_REFUSED, "a signed statement is not of purpose '%s'", purposes[0]);
    *ret = e;
    *ret_which = which;
    return WA_OK;
}

enum wa_code wa_envelope_open(const struct wa_json *envelope, const char *purpose,
                              struct wa_arena *arena, struct wa_envelope *ret, struct wa_err *err)
{
    size_t which = 0;
    return open_any(envelope, &purpose, 1, arena, ret, &which, err);
}

enum wa_code wa_envelope_parse_any(struct wa_sv json, const char *const *purposes, size_t count,
                                   struct wa_arena *arena, struct wa_envelope *ret,
                                   size_t *ret_which, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (wa_json_parse(json, 0, arena, &j, err) != WA_OK)
        return wa_wrap(err, "reading a signed statement");
    return open_any(j, purposes, count, arena, ret, ret_which, err);
}

enum wa_code wa_envelope_parse(struct wa_sv json, const char *purpose, struct wa_arena *arena,
                               struct wa_envelope *ret, struct wa_err *err)
{
    size_t which = 0;
    return wa_envelope_parse_any(json, &purpose, 1, arena, ret, &which, err);
}

enum wa_code wa_envelope_check(const struct wa_envelope *e, const struct wa_key *key,
                               struct wa_err *err)
{
    if (wa_signature_check(key, e->text, e->signature, err) != WA_OK)
        return wa_wrap(err, "checking a signed statement");
    return WA_OK;
}
