/* json.h - strict JSON (RFC 8259) as an immutable tree, a builder, and WAPT's canonical form.
 *
 * Strict: valid UTF-8, no duplicate keys, no trailing bytes, no lone surrogates unless asked, depth
 * and size capped. The text of a number is kept, so that canonical output never rounds: integers of
 * any length, floats as Python's repr (shortest form that reads back).
 */
#ifndef WA_CODEC_JSON_H
#define WA_CODEC_JSON_H

#include "base/arena.h"
#include "base/buf.h"

enum wa_json_type {
    WA_JSON_NULL,
    WA_JSON_BOOL,
    WA_JSON_NUMBER,
    WA_JSON_STRING,
    WA_JSON_ARRAY,
    WA_JSON_OBJECT
};

struct wa_json; /* a node; lives in the arena it was parsed or built into */

enum {
    WA_JSON_LONE_SURROGATES = 1
}; /* accepted as WTF-8: only to reproduce WAPT's canonical bytes */

/* Text -> tree in arena. The text may go afterwards. WA_E_INVALID names line, column and what was
 * expected; WA_E_LIMIT. */
WA_CHECK enum wa_code wa_json_parse(struct wa_sv text, unsigned flags, struct wa_arena *arena,
                                    const struct wa_json **ret, struct wa_err *err);

enum wa_json_type wa_json_type(const struct wa_json *j);          /* NULL pointer: WA_JSON_NULL */
bool wa_json_is(const struct wa_json *j, enum wa_json_type type); /* false for a NULL pointer */
size_t wa_json_count(const struct wa_json *j); /* items of an array, members of an object; else 0 */
const struct wa_json *wa_json_at(const struct wa_json *j, size_t i); /* item or member value */
struct wa_sv wa_json_key_at(const struct wa_json *j, size_t i);
const struct wa_json *wa_json_get(const struct wa_json *j,
                                  const char *key); /* NULL when absent or not an object */
struct wa_sv
wa_json_sv(const struct wa_json *j); /* decoded UTF-8 of a string, text of a number; else empty */
bool wa_json_i64(const struct wa_json *j, int64_t *ret); /* an integer that fits */
bool wa_json_bool(const struct wa_json *j);              /* true only for true */

/* Typed members of an object, for readers of messages. The struct is filled as the table says,
 * unknown members are WA_E_INVALID (signed data and requests take exactly what is documented). */
enum wa_json_want {
    WA_WANT_SV,
    WA_WANT_I64,
    WA_WANT_BOOL,
    WA_WANT_ARRAY,
    WA_WANT_OBJECT,
    WA_WANT_ANY
};
struct wa_json_field {
    const char *key;
    enum wa_json_want want;
    bool required; /* absent is an error; null is never accepted but for WA_WANT_ANY */
    size_t max;    /* WA_WANT_SV: bytes, WA_WANT_ARRAY: items; 0: no cap of its own */
    void *ret; /* struct wa_sv *, int64_t *, bool *, const struct wa_json ** ; untouched when absent
                */
};
#define WA_JSON_FIELDS_MAX 64u /* members of such a table */
WA_CHECK enum wa_code wa_json_read(const struct wa_json *object, const struct wa_json_field *fields,
                                   size_t count, const char *what, struct wa_err *err);
/* The same, but unknown members are skipped (answers of newer versions, what machines report). */
WA_CHECK enum wa_code wa_json_read_lax(const struct wa_json *object,
                                       const struct wa_json_field *fields, size_t count,
                                       const char *what, struct wa_err *err);

/* --- writing --- */
/* Compact, members in their order, non-ASCII as UTF-8. */
void wa_json_write(const struct wa_json *j, struct wa_buf *out);
void wa_json_write_pretty(const struct wa_json *j,
                          struct wa_buf *out); /* two blanks, newline at the end */
/* WAPT's CJSON (formats.md 0.4): keys sorted by code point, no blanks, ASCII only. */
WA_CHECK enum wa_code wa_json_write_canonical(const struct wa_json *j, struct wa_buf *out,
                                              struct wa_err *err);
/* WAPT's form before 1.8: order of a Python 2 dict, separators ", " and ": ". */
WA_CHECK enum wa_code wa_json_write_legacy(const struct wa_json *j, struct wa_buf *out,
                                           struct wa_err *err);

/* A streaming writer with sticky errors in the buffer: begin/end nest, commas are its business.
 *     struct wa_jw w; wa_jw_init(&w, &buf);
 *     wa_jw_obj(&w); wa_jw_key(&w, "a"); wa_jw_i64(&w, 1); wa_jw_kv(&w, "b", "text");
 * wa_jw_end(&w); */
struct wa_jw {
    struct wa_buf *out;
    unsigned depth;
    bool first[WA_JSON_DEPTH_MAX + 1];
    bool is_object[WA_JSON_DEPTH_MAX + 1];
    bool after_key;
};
void wa_jw_init(struct wa_jw *w, struct wa_buf *out);
void wa_jw_obj(struct wa_jw *w);
void wa_jw_arr(struct wa_jw *w);
void wa_jw_end(struct wa_jw *w);
void wa_jw_key(struct wa_jw *w, const char *key);
void wa_jw_keysv(struct wa_jw *w, struct wa_sv key);
void wa_jw_sv(struct wa_jw *w, struct wa_sv s); /* invalid UTF-8 is written as U+FFFD */
void wa_jw_s(struct wa_jw *w, const char *s);   /* NULL: null */
void wa_jw_i64(struct wa_jw *w, int64_t v);
void wa_jw_bool(struct wa_jw *w, bool v);
void wa_jw_null(struct wa_jw *w);
void wa_jw_json(struct wa_jw *w, const struct wa_json *j);
/* Text that is JSON already (checked by the caller). */
void wa_jw_raw(struct wa_jw *w, struct wa_sv json);
void wa_jw_kv(struct wa_jw *w, const char *key, const char *s);
void wa_jw_kvsv(struct wa_jw *w, const char *key, struct wa_sv s);
void wa_jw_kvi(struct wa_jw *w, const char *key, int64_t v);
void wa_jw_kvb(struct wa_jw *w, const char *key, bool v);

/* --- an error on its way to another process --- */

/* The members "code" and "message" of the open object; "ok" and "" where there is none. */
void wa_jw_err(struct wa_jw *w, const struct wa_err *e);
/* Parses what another process said, an object: the error that it says is ours, of a code that is
 * not known WA_E_INTERNAL. *ret is set in that case, too. */
WA_CHECK enum wa_code wa_json_answer(struct wa_sv text, struct wa_arena *arena,
                                     const struct wa_json **ret, struct wa_err *err);

#endif
