/* json_priv.h - the nodes, between the parser, the readers and the writers of JSON. */
#ifndef WA_CODEC_JSON_PRIV_H
#define WA_CODEC_JSON_PRIV_H

#include "codec/json.h"

struct wa_json {
    uint8_t type; /* enum wa_json_type */
    bool is_true;
    uint32_t n; /* bytes of a string or number, items, members */
    union {
        const char *text;
        const struct wa_json *items;
        const struct wa_json_members *members;
    } u;
};

struct wa_json_member {
    const char *key;
    uint32_t key_n;
    struct wa_json value;
};

/* Both in the arena, n of each: members as written, and their indexes in ascending order of key.
 * UTF-8's byte order is the order of code points, so one order serves look-up, duplicates and
 * canonical form. */
struct wa_json_members {
    const struct wa_json_member *list;
    const uint32_t *order;
};

static inline struct wa_sv wa_json_member_key(const struct wa_json_member *m)
{
    return (struct wa_sv){m->key, m->key_n};
}

/* Appends s between quotes; ascii: all else as \uXXXX, surrogate pairs above U+FFFF. Lone
 * surrogates (WTF-8) are written as escapes in both forms. Other bytes that are not UTF-8 become
 * U+FFFD. */
void wa_json_put_string(struct wa_buf *out, struct wa_sv s, bool ascii);
/* One code point of WTF-8; a byte that can't start one gives false, and *at moves by one. */
bool wa_json_next_cp(struct wa_sv s, size_t *at, uint32_t *ret_cp);
/* Appends the number of this (valid) JSON text as Python writes it after reading it. */
void wa_json_put_number(struct wa_buf *out, struct wa_sv text);

#endif
