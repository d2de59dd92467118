/* index_seen.c - a sorted list of SHA-256 digests, before and after.
 *
 * The digest covers the program's version and all attributes of the entry, signed or not. It is
 * compared in full: an entry counts as seen only when each byte of them is as it was.
 */
#include "pkg/index_seen.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/vec.h"

/* Rules that judge an entry may change with the version. */
static const char head[] = "entry checked by " WA_VERSION "\n";

void wa_seen_init(struct wa_seen *s)
{
    *s = (struct wa_seen){NULL, 0, NULL, 0, 0};
}

void wa_seen_fini(struct wa_seen *s)
{
    wa_free(s->before);
    WA_VEC_FREE(s);
    wa_seen_init(s);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct wa_entry_digest));
}

enum wa_code wa_seen_read(struct wa_seen *s, struct wa_sv memory, struct wa_err *err)
{
    size_t count = memory.n / sizeof s->before[0];
    if (count == 0 || memory.n % sizeof s->before[0] != 0 || count > WA_INDEX_ENTRIES_MAX)
        return WA_OK;
    struct wa_entry_digest *before = wa_calloc(count, sizeof *before);
    if (before == NULL)
        return wa_nomem(err);
    memcpy(before, memory.p, memory.n);
    for (size_t i = 1; i < count; i++)
        if (by_bytes(&before[i - 1], &before[i]) > 0) {
            wa_free(before);
            return WA_OK;
        }
    wa_free(s->before);
    s->before = before;
    s->before_count = count;
    return WA_OK;
}

enum wa_code wa_seen_write(struct wa_seen *s, struct wa_buf *out, struct wa_err *err)
{
    if (s->n > 1)
        qsort(s->items, s->n, sizeof s->items[0], by_bytes);
    if (s->n > 0)
        wa_buf_add(out, s->items, s->n * sizeof s->items[0]);
    return wa_buf_check(out, err);
}

enum wa_code wa_entry_digest(struct wa_digest *d, const struct wa_control *c,
                             struct wa_entry_digest *ret, struct wa_err *err)
{
    uint64_t set = wa_control_block_set(c);
    if (set == 0)
        return wa_fail(err, WA_E_INTERNAL, "only an entry as it was read has a digest");
    if (wa_digest_add(d, head, sizeof head - 1, err) != WA_OK ||
        wa_digest_add(d, &set, sizeof set, err) != WA_OK ||
        wa_digest_add(d, c->block, c->block_size, err) != WA_OK)
        return err->code;
    return wa_digest_sha256(d, ret->bytes, err);
}

bool wa_seen_has(const struct wa_seen *s, const struct wa_entry_digest *e)
{
    return s->before_count > 0 &&
           bsearch(e, s->before, s->before_count, sizeof *e, by_bytes) != NULL;
}

enum wa_code wa_seen_add(struct wa_seen *s, const struct wa_entry_digest *e, struct wa_err *err)
{
    struct wa_entry_digest *slot = WA_VEC_PUSH(s);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = *e;
    return WA_OK;
}
