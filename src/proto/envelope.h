/* envelope.h - a signed statement: the exact text that was signed travels beside its signature.
 *
 *     {"signed":"{\"purpose\":\"wapt-status\",...}","signature":"<base64>"}
 *
 * The signature covers the bytes of the string "signed" after JSON decoding; that string is a JSON
 * object whose "purpose" names what it is for, so that a statement can't be used for another
 * purpose. No canonical form is needed: nothing is rebuilt.
 */
#ifndef WA_PROTO_ENVELOPE_H
#define WA_PROTO_ENVELOPE_H

#include "codec/json.h"
#include "crypto/key.h"

struct wa_envelope {
    struct wa_sv text;               /* what was signed; in the arena */
    struct wa_sv signature;          /* raw bytes; in the arena */
    const struct wa_json *statement; /* parsed text, an object whose purpose is right */
};
/* Writes the envelope of text, signed by key, to out. */
WA_CHECK enum wa_code wa_envelope_seal(struct wa_sv text, const struct wa_key *key,
                                       struct wa_buf *out, struct wa_err *err);
/* Opens without judging the signature (the key may have to be looked up by what is inside). */
WA_CHECK enum wa_code wa_envelope_open(const struct wa_json *envelope, const char *purpose,
                                       struct wa_arena *arena, struct wa_envelope *ret,
                                       struct wa_err *err);
/* The same from text. */
WA_CHECK enum wa_code wa_envelope_parse(struct wa_sv json, const char *purpose,
                                        struct wa_arena *arena, struct wa_envelope *ret,
                                        struct wa_err *err);
/* The same of one of these purposes, *ret_which. */
WA_CHECK enum wa_code wa_envelope_parse_any(struct wa_sv json, const char *const *purposes,
                                            size_t count, struct wa_arena *arena,
                                            struct wa_envelope *ret, size_t *ret_which,
                                            struct wa_err *err);
/* WA_E_REFUSED when key did not sign it. */
WA_CHECK enum wa_code wa_envelope_check(const struct wa_envelope *e, const struct wa_key *key,
                                        struct wa_err *err);

#endif
