/* zip_check.c - what makes an archive mean one thing to every reader.
 *
 * Local headers say the same as the central directory; members fill the file from its first byte to
 * the directory without gap or overlap; no two names can be one file, and none is both a file and a
 * directory. Holds however the archive is read: from the front, from the back, on Windows or on
 * Linux.
 */
#include "codec/zip_read.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "codec/sort_priv.h"
#include "codec/zip_priv.h"

/* IBM code page 437, upper half. */
static const uint16_t cp437[128] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef,
    0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9,
    0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa,
    0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557,
    0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f,
    0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559,
    0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580,
    0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4,
    0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248,
    0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0};

enum wa_code wa_zip_name(struct wa_sv raw, bool is_utf8, struct wa_relpath *ret, bool *ret_is_dir,
                         struct wa_err *err)
{
    char text[3 * WA_RELPATH_MAX + 8];
    size_t n = 0;
    bool is_dir;

    if (raw.n > WA_RELPATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "a name longer than %u bytes", WA_RELPATH_MAX);
    if (is_utf8 && !wa_utf8_valid(raw))
        return wa_fail(err, WA_E_INVALID, "a name that is not UTF-8 though it says so");
    for (size_t i = 0; i < raw.n; i++) {
        uint8_t c = (uint8_t)raw.p[i];
        if (is_utf8 || c < 0x80)
            text[n++] = (char)c;
        else
            n += wa_utf8_encode(cp437[c - 0x80], text + n);
    }
    is_dir = n > 1 && text[n - 1] == '/';
    if (is_dir)
        n--;
    enum wa_code code = wa_relpath_parse(wa_sv_n(text, n), ret, err);
    if (code == WA_OK)
        *ret_is_dir = is_dir;
    return code;
}

bool wa_zip_extra(struct wa_sv extra, struct wa_sv *ret_zip64)
{
    enum { INFOZIP_COMMENT = 0x6375, INFOZIP_PATH = 0x7075, WINZIP_AES = 0x9901, STRONG = 0x0017 };
    struct wa_sv zip64 = {NULL, 0};

    while (extra.n > 0) {
        if (extra.n < 4)
            return false;
        const uint8_t *p = (const uint8_t *)extra.p;
        uint16_t id = wa_zip_u16(p), size = wa_zip_u16(p + 2);
        if (extra.n - 4 < size)
            return false;
        if (id == INFOZIP_COMMENT || id == INFOZIP_PATH || id == WINZIP_AES || id == STRONG)
            return false;
        if (id == WA_ZIP_EXTRA_ZIP64 && zip64.p)
            return false;
        if (id == WA_ZIP_EXTRA_ZIP64)
            zip64 = wa_sv_sub(extra, 4, size);
        extra = wa_sv_sub(extra, 4 + (size_t)size, extra.n);
    }
    *ret_zip64 = zip64;
    return true;
}

/* A 32-bit size beside Zip64's: the same, or full. */
static bool agrees32(uint64_t small, uint64_t big)
{
    return small == big || small == WA_ZIP_U32_MAX;
}

/* A size in a local header: the central one, 0 when a descriptor follows. */
static bool size_agrees(const struct wa_zip_member *m, uint64_t local, uint64_t central)
{
    return local == central || ((m->flags & WA_ZIP_FLAG_DESCRIPTOR) && local == 0);
}

/* head: the fixed part; variable: name and extra field. NULL, or what differs. */
static const char *compare_local(const struct wa_zip_member *m, const uint8_t *head,
                                 struct wa_sv name, struct wa_sv extra)
{
    uint64_t packed_size = wa_zip_u32(head + 18), size = wa_zip_u32(head + 22);
    struct wa_sv zip64 = {NULL, 0};
    struct wa_relpath path;
    struct wa_err ignored = WA_ERR_INIT;
    bool is_dir = false;

    if (head[4] > WA_ZIP_NEWEST_VERSION)
        return "version";
    if (wa_zip_u16(head + 6) != m->flags || wa_zip_u16(head + 8) != m->method)
        return wa_text("flags or method");
    /* Flags are the same, so that equal text means equal bytes: both encodings are one-to-one. */
    if (wa_zip_name(name, m->flags & WA_ZIP_FLAG_UTF8, &path, &is_dir, &ignored) != WA_OK ||
        is_dir != m->is_dir || strcmp(path.p, m->name.p) != 0)
        return "name";
    if (!wa_zip_extra(extra, &zip64))
        return wa_text("extra field");
    if (zip64.p) {
        if (zip64.n != 16 || !agrees32(size, wa_zip_u64((const uint8_t *)zip64.p)) ||
            !agrees32(packed_size, wa_zip_u64((const uint8_t *)zip64.p + 8)))
            return wa_text("Zip64 record");
        size = wa_zip_u64((const uint8_t *)zip64.p);
        packed_size = wa_zip_u64((const uint8_t *)zip64.p + 8);
    }
    if (!size_agrees(m, size, m->size) || !size_agrees(m, packed_size, m->packed_size))
        return "size";
    if (!size_agrees(m, wa_zip_u32(head + 14), m->crc))
        return "CRC";
    return NULL;
}

static enum wa_code refuse(struct wa_err *err, const struct wa_zip_member *m, const char *why)
{
    return wa_fail(err, WA_E_INVALID, "cannot trust this ZIP archive: member '%.200s': %s",
                   m->name.p, wa_text(why));
}

/* Reads the header at offset; sets where the member's data lies. scratch: room for two 16-bit
 * lengths. */
static enum wa_code check_local(struct wa_zip *zip, struct wa_zip_member *m, uint64_t offset,
                                uint8_t *scratch, struct wa_err *err)
{
    uint8_t head[WA_ZIP_LOCAL_BYTES];
    uint64_t room = zip->directory_offset - offset;
    const char *differs;
    size_t n, x;
    enum wa_code code;

    if (room < sizeof(head))
        return refuse(err, m, "no room for its header");
    code = zip->source->read_at(zip->source, offset, head, sizeof(head), err);
    if (code != WA_OK)
        return code;
    if (wa_zip_u32(head) != WA_ZIP_SIG_LOCAL)
        return refuse(err, m, "no header where the directory says");
    n = wa_zip_u16(head + 26);
    x = wa_zip_u16(head + 28);
    if (room - sizeof(head) < n + x || room - sizeof(head) - n - x < m->packed_size)
        return refuse(err, m, "it overlaps the directory");
    code = zip->source->read_at(zip->source, offset + sizeof(head), scratch, n + x, err);
    if (code != WA_OK)
        return code;
    differs = compare_local(m, head, wa_sv_n(scratch, n), wa_sv_n(scratch + n, x));
    if (differs)
        return wa_fail(err, WA_E_INVALID,
                       "cannot trust this ZIP archive: member '%.200s': its header and the "
                       "directory differ (%s)",
                       m->name.p, differs);
    m->data_offset = offset + sizeof(head) + n + x;
    return WA_OK;
}

/* Whether the n bytes at p say the member's CRC and sizes again, in one of the forms that writers
 * have. */
static bool is_descriptor(const uint8_t *p, uint64_t n, const struct wa_zip_member *m)
{
    bool is_wide = n >= 20, has_mark = wa_zip_u32(p) == WA_ZIP_SIG_DESCRIPTOR;

    if (n == 16 || n == 24) {
        if (!has_mark)
            return false;
        p += 4;
    }
    /* WAPT, when it signs an archive that has 16 bytes here, keeps the first 12 of them. Nothing
     * can hide in that. */
    if (n == 12 && has_mark && wa_zip_u32(p + 4) == m->crc && wa_zip_u32(p + 8) == m->packed_size)
        return true;
    if (wa_zip_u32(p) != m->crc)
        return false;
    if (is_wide)
        return wa_zip_u64(p + 4) == m->packed_size && wa_zip_u64(p + 12) == m->size;
    return wa_zip_u32(p + 4) == m->packed_size && wa_zip_u32(p + 8) == m->size;
}

/* The n bytes between a member's data and the next header. */
static enum wa_code check_descriptor(struct wa_zip *zip, const struct wa_zip_member *m, uint64_t n,
                                     struct wa_err *err)
{
    uint8_t bytes[24];
    enum wa_code code;

    if (n != 12 && n != 16 && n != 20 && n != 24)
        return refuse(err, m, "its sizes do not follow it, or something else does");
    code =
        zip->source->read_at(zip->source, m->data_offset + m->packed_size, bytes, (size_t)n, err);
    if (code != WA_OK)
        return code;
    if (!is_descriptor(bytes, n, m))
        return refuse(err, m, "what follows its data and the directory differ");
    return WA_OK;
}

static int compare_offsets(const void *items, uint32_t a, uint32_t b)
{
    const uint64_t *offsets = items;

    return offsets[a] < offsets[b] ? -1 : offsets[a] > offsets[b];
}

/* From the first byte: header, data and descriptor of each member, then the next; `order` is by
 * offset. */
static enum wa_code walk(struct wa_zip *zip, const uint32_t *order, uint8_t *scratch,
                         struct wa_err *err)
{
    uint64_t at = 0;

    for (size_t i = 0; i < zip->count; i++) {
        struct wa_zip_member *m = &zip->members[order[i]];
        uint64_t next = i + 1 < zip->count ? zip->offsets[order[i + 1]] : zip->directory_offset;
        enum wa_code code;
        if (zip->offsets[order[i]] != at)
            return refuse(err, m, "there is something before it, or it overlaps another member");
        code = check_local(zip, m, at, scratch, err);
        if (code != WA_OK)
            return code;
        at = m->data_offset + m->packed_size;
        if (next < at)
            return refuse(err, m, "it overlaps another member, or the directory");
        if (m->flags & WA_ZIP_FLAG_DESCRIPTOR) {
            code = check_descriptor(zip, m, next - at, err);
            if (code != WA_OK)
                return code;
            at = next;
        }
    }
    if (at != zip->directory_offset)
        return wa_fail(err, WA_E_INVALID,
                       "cannot trust this ZIP archive: something hides before its directory");
    return WA_OK;
}

enum wa_code wa_zip_check_locals(struct wa_zip *zip, struct wa_err *err)
{
    uint32_t *order = wa_calloc(zip->count + 1, sizeof(*order));
    uint8_t *scratch = wa_realloc(NULL, 2, WA_ZIP_U16_MAX); /* not zeroed: most names are short */
    enum wa_code code;

    if (order && scratch) {
        wa_index_sort(order, zip->count, compare_offsets, zip->offsets);
        code = walk(zip, order, scratch, err);
    } else {
        code = wa_nomem(err);
    }
    wa_free(order);
    wa_free(scratch);
    return code;
}

static int compare_folded(const void *items, uint32_t a, uint32_t b)
{
    const char *const *folded = items;

    return strcmp(folded[a], folded[b]);
}

/* Index of the member whose folded name is the first n bytes of key, or SIZE_MAX. */
static size_t find_folded(const struct wa_zip *zip, const char *key, size_t n)
{
    size_t low = 0, high = zip->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *other = zip->folded[zip->by_fold[middle]];
        int order = strncmp(key, other, n);
        if (order == 0 && other[n] != '\0')
            order = -1;
        if (order == 0)
            return zip->by_fold[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

static enum wa_code check_pairs(const struct wa_zip *zip, struct wa_err *err)
{
    for (size_t i = 1; i < zip->count; i++) {
        uint32_t a = zip->by_fold[i - 1], b = zip->by_fold[i];
        if (strcmp(zip->folded[a], zip->folded[b]) == 0)
            return wa_fail(err, WA_E_INVALID,
                           "cannot trust this ZIP archive: members '%.200s' and '%.200s' are one "
                           "file on some system",
                           zip->members[a].name.p, zip->members[b].name.p);
    }
    return WA_OK;
}

static size_t common_length(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] != '\0' && a[n] == b[n])
        n++;
    return n;
}

/* No part before the last of a name may be a member that is a file. place: in by_fold. What a name
 * shares with the one before it in that order has been looked at there. */
static enum wa_code check_parents(const struct wa_zip *zip, size_t place, struct wa_err *err)
{
    const char *key = zip->folded[zip->by_fold[place]];
    size_t done = place > 0 ? common_length(key, zip->folded[zip->by_fold[place - 1]]) : 0;

    for (const char *slash = strchr(key, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t n = (size_t)(slash - key);
        size_t parent = n < done ? SIZE_MAX : find_folded(zip, key, n);
        if (parent != SIZE_MAX && !zip->members[parent].is_dir)
            return refuse(err, &zip->members[parent], "both a file and a directory");
    }
    return WA_OK;
}

enum wa_code wa_zip_check_names(struct wa_zip *zip, size_t max_bytes, struct wa_err *err)
{
    enum wa_code code;

    wa_arena_fini(&zip->names);
    wa_arena_init(&zip->names, max_bytes);
    zip->folded = wa_calloc(zip->count + 1, sizeof(*zip->folded));
    zip->by_fold = wa_calloc(zip->count + 1, sizeof(*zip->by_fold));
    if (!zip->folded || !zip->by_fold)
        return wa_nomem(err);
    for (size_t i = 0; i < zip->count; i++) {
        char folded[WA_RELPATH_MAX + 1];
        wa_relpath_fold(&zip->members[i].name, folded);
        zip->folded[i] = wa_arena_strdup(&zip->names, wa_sv(folded));
        if (!zip->folded[i])
            return wa_nomem(err);
    }
    wa_index_sort(zip->by_fold, zip->count, compare_folded, zip->folded);
    code = check_pairs(zip, err);
    for (size_t i = 0; code == WA_OK && i < zip->count; i++)
        code = check_parents(zip, i, err);
    return code;
}

const struct wa_zip_member *wa_zip_find(const struct wa_zip *zip, const char *name)
{
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_relpath path;
    char folded[WA_RELPATH_MAX + 1];
    size_t i;

    if (wa_relpath_parse(wa_sv(name), &path, &ignored) != WA_OK)
        return NULL;
    wa_relpath_fold(&path, folded);
    i = find_folded(zip, folded, strlen(folded));
    if (i == SIZE_MAX || strcmp(zip->members[i].name.p, name) != 0)
        return NULL;
    return &zip->members[i];
}
