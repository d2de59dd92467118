/* manifest.c - [name, digest] pairs. What is signed is the text as it stands; here it is only taken
 * apart, strictly. */
#include "pkg/manifest.h"

#include "base/map.h"
#include "base/vec.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "os/rand.h"

void wa_manifest_init(struct wa_manifest *m)
{
    *m = (struct wa_manifest){NULL, 0, 0};
}

void wa_manifest_fini(struct wa_manifest *m)
{
    WA_VEC_FREE(m);
}

bool wa_manifest_is_unlisted(const char *name)
{
    static const char *const unlisted[] = {"WAPT/signature.sha256", "WAPT/manifest.sha256",
                                           "WAPT/signature", "WAPT/manifest.sha1"};
    for (size_t i = 0; i < WA_COUNT(unlisted); i++)
        if (strcmp(name, unlisted[i]) == 0)
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct wa_manifest_entry *x = a, *y = b;
    return strcmp(x->name.p, y->name.p);
}

enum wa_code wa_manifest_add(struct wa_manifest *m, const struct wa_relpath *name,
                             const char *sha256, struct wa_err *err)
{
    struct wa_manifest_entry *e = WA_VEC_PUSH(m);
    if (e == NULL)
        return wa_nomem(err);
    e->name = *name;
    memcpy(e->digest, sha256, sizeof e->digest);
    return WA_OK;
}

static enum wa_code read_pair(const struct wa_json *pair, size_t digits, struct wa_manifest *m,
                              struct wa_map *seen, struct wa_err *err)
{
    struct wa_relpath name;
    char digest[65], folded[WA_RELPATH_MAX + 1];
    void *old = NULL;
    struct wa_sv hex = wa_json_sv(wa_json_at(pair, 1));
    if (!wa_json_is(pair, WA_JSON_ARRAY) || wa_json_count(pair) != 2 ||
        !wa_json_is(wa_json_at(pair, 0), WA_JSON_STRING) ||
        !wa_json_is(wa_json_at(pair, 1), WA_JSON_STRING))
        return wa_fail(err, WA_E_INVALID,
                       "the manifest holds something that is not a pair of texts");
    if (wa_relpath_parse(wa_json_sv(wa_json_at(pair, 0)), &name, err) != WA_OK)
        return wa_wrap(err, "the manifest");
    if (!wa_hex_is(hex, digits))
        return wa_fail(err, WA_E_INVALID, "the manifest gives no digest of %zu hex digits for '%s'",
                       digits, name.p);
    if (wa_manifest_is_unlisted(name.p))
        return wa_fail(err, WA_E_INVALID, "the manifest lists '%s', which can't be in it", name.p);
    wa_relpath_fold(&name, folded);
    if (wa_map_put(seen, wa_sv(folded), m, &old, err) != WA_OK)
        return err->code;
    if (old != NULL)
        return wa_fail(err, WA_E_INVALID, "the manifest lists '%s' twice", name.p);
    memcpy(digest, hex.p, digits);
    memset(digest + digits, 0, sizeof digest - digits);
    return wa_manifest_add(m, &name, digest, err);
}

static enum wa_code read_pairs(const struct wa_json *list, size_t digits, struct wa_manifest *m,
                               struct wa_err *err)
{
    WA_AUTO_MAP struct wa_map seen;
    if (wa_rand_map(&seen, err) != WA_OK)
        return err->code;
    if (!wa_json_is(list, WA_JSON_ARRAY))
        return wa_fail(err, WA_E_INVALID, "the manifest is not a list");
    if (wa_json_count(list) > WA_ZIP_MEMBERS_MAX)
        return wa_fail(err, WA_E_LIMIT, "the manifest lists more than %u files",
                       WA_ZIP_MEMBERS_MAX);
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (read_pair(wa_json_at(list, i), digits, m, &seen, err) != WA_OK)
            return err->code;
    if (m->n > 1)
        qsort(m->items, m->n, sizeof m->items[0], by_name);
    return WA_OK;
}

static enum wa_code parse(struct wa_sv text, size_t digits, struct wa_manifest *ret,
                          struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = NULL;
    struct wa_manifest m = {NULL, 0, 0};
    wa_arena_init(&arena, 16u * WA_MANIFEST_BYTES_MAX);
    if (text.n > WA_MANIFEST_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "the manifest is larger than %u bytes",
                       WA_MANIFEST_BYTES_MAX);
    if (wa_json_parse(text, 0, &arena, &list, err) != WA_OK)
        return wa_wrap(err, "the manifest");
    if (read_pairs(list, digits, &m, err) != WA_OK) {
        wa_manifest_fini(&m);
        return err->code;
    }
    *ret = m;
    return WA_OK;
}

enum wa_code wa_manifest_parse(struct wa_sv text, struct wa_manifest *ret, struct wa_err *err)
{
    return parse(text, 64, ret, err);
}

enum wa_code wa_manifest_parse_sha1(struct wa_sv text, struct wa_manifest *ret, struct wa_err *err)
{
    return parse(text, 40, ret, err);
}

enum wa_code wa_manifest_write(const struct wa_manifest *m, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = NULL;
    struct wa_jw w;
    wa_buf_init(&text, WA_MANIFEST_BYTES_MAX);
    wa_arena_init(&arena, 16u * WA_MANIFEST_BYTES_MAX);
    wa_jw_init(&w, &text);
    wa_jw_arr(&w);
    for (size_t i = 0; i < m->n; i++) {
        wa_jw_arr(&w);
        wa_jw_s(&w, m->items[i].name.p);
        wa_jw_s(&w, m->items[i].digest);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&text), 0, &arena, &list, err) != WA_OK)
        return wa_wrap(err, "writing the manifest");
    return wa_json_write_canonical(list, out, err);
}

const struct wa_manifest_entry *wa_manifest_find(const struct wa_manifest *m, const char *name)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(m->items[mid].name.p, name);
        if (c == 0)
            return &m->items[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
