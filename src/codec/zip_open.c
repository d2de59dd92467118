/* zip_open.c - from the end of an archive to the list of its members.
 *
 * Reads the end record, Zip64's where one is needed, and the central directory. The end record is
 * the last thing in the file, without a comment: nobody has to search for it, so nobody can find
 * another one. Each entry is judged alone here; zip_check.c judges them together and against the
 * local headers.
 */
#include "codec/zip_read.h"

#include <libdeflate.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/zip_priv.h"

#define MODE_TYPE 0170000u
#define MODE_DIR 0040000u
#define MODE_FILE 0100000u
#define DOS_DIRECTORY 0x10u
#define DOS_SPECIAL 0x0448u /* volume label, device, reparse point */
#define MADE_BY_UNIX 3u

static enum wa_code invalid(struct wa_err *err, const char *why)
{
    return wa_fail(err, WA_E_INVALID, "not a ZIP archive that can be trusted: %s", wa_text(why));
}

/* One of the end record's values: what Zip64's says, unless this one says something else. */
static bool agrees(uint64_t small, uint64_t small_max, uint64_t big)
{
    return small == big || small == small_max;
}

/* Zip64's end record and its locator, which lies right before the end record at `at`. */
static enum wa_code read_end64(struct wa_source *source, uint64_t at, struct wa_zip_end *end,
                               uint64_t *ret_directory_end, struct wa_err *err)
{
    uint8_t p[WA_ZIP_END64_BYTES + WA_ZIP_LOCATOR64_BYTES];
    const uint8_t *locator = p + WA_ZIP_END64_BYTES;
    uint64_t record;
    enum wa_code code;

    if (at < sizeof(p))
        return invalid(err, "no room for the Zip64 end record");
    record = at - sizeof(p);
    code = source->read_at(source, record, p, sizeof(p), err);
    if (code != WA_OK)
        return code;
    if (wa_zip_u32(p) != WA_ZIP_SIG_END64 || wa_zip_u64(p + 4) != WA_ZIP_END64_BYTES - 12 ||
        wa_zip_u64(locator + 8) != record)
        return invalid(err, "the Zip64 end record is not right before its locator");
    if (wa_zip_u32(p + 16) != 0 || wa_zip_u32(p + 20) != 0 || wa_zip_u32(locator + 4) != 0 ||
        wa_zip_u32(locator + 16) > 1)
        return invalid(err, "it is one of several volumes");
    if (wa_zip_u64(p + 24) != wa_zip_u64(p + 32))
        return invalid(err, "its count of members contradicts itself");
    if (!agrees(end->count, WA_ZIP_U16_MAX, wa_zip_u64(p + 32)) ||
        !agrees(end->size, WA_ZIP_U32_MAX, wa_zip_u64(p + 40)) ||
        !agrees(end->offset, WA_ZIP_U32_MAX, wa_zip_u64(p + 48)))
        return invalid(err, "its two end records contradict each other");
    *end = (struct wa_zip_end){
        .count = wa_zip_u64(p + 32), .size = wa_zip_u64(p + 40), .offset = wa_zip_u64(p + 48)};
    *ret_directory_end = record;
    return WA_OK;
}

static bool has_locator(struct wa_source *source, uint64_t at, struct wa_err *err)
{
    uint8_t p[4];

    return at >= WA_ZIP_LOCATOR64_BYTES &&
           source->read_at(source, at - WA_ZIP_LOCATOR64_BYTES, p, sizeof(p), err) == WA_OK &&
           wa_zip_u32(p) == WA_ZIP_SIG_LOCATOR64;
}

static enum wa_code check_end(const struct wa_zip_end *end, uint64_t directory_end,
                              struct wa_err *err)
{
    if (end->offset > directory_end || end->size != directory_end - end->offset)
        return invalid(err, "the central directory is not right before its end record");
    if (end->count > WA_ZIP_MEMBERS_MAX)
        return wa_fail(err, WA_E_LIMIT, "ZIP archive of more than %u members", WA_ZIP_MEMBERS_MAX);
    if (end->size > WA_ZIP_DIRECTORY_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "ZIP archive with a directory of more than %u bytes",
                       WA_ZIP_DIRECTORY_BYTES_MAX);
    if (end->size / WA_ZIP_CENTRAL_BYTES < end->count)
        return invalid(err, "it claims more members than its directory can hold");
    return WA_OK;
}

enum wa_code wa_zip_find_end(struct wa_source *source, struct wa_zip_end *ret, struct wa_err *err)
{
    uint8_t p[WA_ZIP_END_BYTES];
    struct wa_zip_end end;
    uint64_t at, directory_end;
    enum wa_code code;

    if (source->size > WA_PACKAGE_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "ZIP archive of more than %llu bytes",
                       (unsigned long long)WA_PACKAGE_BYTES_MAX);
    if (source->size < sizeof(p))
        return invalid(err, "too short");
    at = directory_end = source->size - sizeof(p);
    code = source->read_at(source, at, p, sizeof(p), err);
    if (code != WA_OK)
        return code;
    if (wa_zip_u32(p) != WA_ZIP_SIG_END || wa_zip_u16(p + 20) != 0)
        return invalid(err, "no end record, or something after it (comments are refused too)");
    if (wa_zip_u16(p + 4) != 0 || wa_zip_u16(p + 6) != 0)
        return invalid(err, "it is one of several volumes");
    if (wa_zip_u16(p + 8) != wa_zip_u16(p + 10))
        return invalid(err, "its count of members contradicts itself");
    end = (struct wa_zip_end){
        .count = wa_zip_u16(p + 10), .size = wa_zip_u32(p + 12), .offset = wa_zip_u32(p + 16)};
    /* Some readers follow a locator wherever they see one, so its mark alone makes the archive
     * Zip64 for us too. */
    code = WA_OK;
    if (has_locator(source, at, err))
        code = read_end64(source, at, &end, &directory_end, err);
    if (code == WA_OK)
        code = err->code != WA_OK ? err->code : check_end(&end, directory_end, err);
    if (code == WA_OK)
        *ret = end;
    return code;
}

/* Takes the next 64-bit value of a Zip64 record when the entry's own field is full. */
static bool widen(struct wa_sv *zip64, uint64_t full, uint64_t *value)
{
    if (*value != full)
        return true;
    if (zip64->n < 8)
        return false;
    *value = wa_zip_u64((const uint8_t *)zip64->p);
    *zip64 = wa_sv_sub(*zip64, 8, zip64->n);
    return true;
}

static const char *check_mode(const struct wa_zip_member *m, uint32_t attributes)
{
    uint32_t type = attributes >> 16 & MODE_TYPE;

    if ((type != 0 && type != MODE_FILE && type != MODE_DIR) || (attributes & DOS_SPECIAL))
        return wa_text("a link, a device or another special file");
    if (m->is_dir ? type == MODE_FILE : type == MODE_DIR || (attributes & DOS_DIRECTORY))
        return wa_text("a file that says it is a directory, or the reverse");
    return NULL;
}

static const char *check_content(const struct wa_zip_member *m, bool is_foreign)
{
    if (m->flags & ~(WA_ZIP_FLAG_DEFLATE_LEVEL | WA_ZIP_FLAG_DESCRIPTOR | WA_ZIP_FLAG_UTF8))
        return wa_text("encrypted, or of a kind that nobody should need");
    if (m->method != WA_ZIP_STORED && m->method != WA_ZIP_DEFLATED)
        return wa_text("neither stored nor deflated");
    if (m->method == WA_ZIP_STORED && m->size != m->packed_size)
        return wa_text("stored, but its two sizes differ");
    /* Whoever reads from the front could not tell where it ends. */
    if (!is_foreign && m->method == WA_ZIP_STORED && (m->flags & WA_ZIP_FLAG_DESCRIPTOR) &&
        m->size > 0)
        return wa_text("stored with its size after it");
    if (m->is_dir && (m->size != 0 || m->packed_size > 2 || m->crc != 0))
        return wa_text("a directory with content");
    return NULL;
}

/* The fixed part of the entry at p, and its Zip64 values. NULL, or what is wrong. */
static const char *read_fields(const uint8_t *p, struct wa_sv extra, struct wa_zip_member *m,
                               uint64_t *ret_offset)
{
    struct wa_sv zip64 = {NULL, 0};

    m->flags = wa_zip_u16(p + 8);
    m->method = wa_zip_u16(p + 10);
    m->dos_time = wa_zip_u32(p + 12);
    m->crc = wa_zip_u32(p + 16);
    m->packed_size = wa_zip_u32(p + 20);
    m->size = wa_zip_u32(p + 24);
    *ret_offset = wa_zip_u32(p + 42);
    if (p[5] == MADE_BY_UNIX)
        m->unix_mode = wa_zip_u32(p + 38) >> 16 & 0777;
    if (p[6] > WA_ZIP_NEWEST_VERSION)
        return wa_text("it needs a newer kind of reader");
    if (wa_zip_u16(p + 32) != 0)
        return wa_text("it has a comment");
    if (wa_zip_u16(p + 34) != 0)
        return wa_text("on another volume");
    if (!wa_zip_extra(extra, &zip64))
        return wa_text("its extra field is malformed, or renames or encrypts it");
    if (!widen(&zip64, WA_ZIP_U32_MAX, &m->size) ||
        !widen(&zip64, WA_ZIP_U32_MAX, &m->packed_size) ||
        !widen(&zip64, WA_ZIP_U32_MAX, ret_offset) || zip64.n != 0)
        return wa_text("its Zip64 record does not fit");
    return NULL;
}

static enum wa_code refuse_member(struct wa_err *err, const struct wa_zip_member *m,
                                  const char *why)
{
    return wa_fail(err, WA_E_INVALID, "cannot trust this ZIP archive: member '%.200s': %s",
                   m->name.p, why);
}

/* The entry at *p, which moves past it. */
static enum wa_code read_entry(struct wa_zip *zip, size_t i, struct wa_sv *rest, struct wa_err *err)
{
    struct wa_zip_member *m = &zip->members[i];
    const uint8_t *p = (const uint8_t *)rest->p;
    struct wa_sv name, extra;
    const char *wrong;
    enum wa_code code;

    if (rest->n < WA_ZIP_CENTRAL_BYTES || wa_zip_u32(p) != WA_ZIP_SIG_CENTRAL)
        return invalid(err, "its directory is cut or broken");
    if (rest->n - WA_ZIP_CENTRAL_BYTES < (size_t)wa_zip_u16(p + 28) + wa_zip_u16(p + 30))
        return invalid(err, "its directory is cut or broken");
    name = wa_sv_sub(*rest, WA_ZIP_CENTRAL_BYTES, wa_zip_u16(p + 28));
    extra = wa_sv_sub(*rest, WA_ZIP_CENTRAL_BYTES + name.n, wa_zip_u16(p + 30));
    *rest = wa_sv_sub(*rest, WA_ZIP_CENTRAL_BYTES + name.n + extra.n, rest->n);
    code = wa_zip_name(name, wa_zip_u16(p + 8) & WA_ZIP_FLAG_UTF8, &m->name, &m->is_dir, err);
    if (code != WA_OK)
        return wa_wrap(err, "cannot trust this ZIP archive: member %zu", i + 1);
    wrong = read_fields(p, extra, m, &zip->offsets[i]);
    if (!wrong)
        wrong = check_content(m, zip->is_foreign);
    if (!wrong)
        wrong = check_mode(m, wa_zip_u32(p + 38));
    if (wrong)
        return refuse_member(err, m, wrong);
    if (m->size > WA_PACKAGE_INFLATED_MAX || m->packed_size > WA_PACKAGE_BYTES_MAX ||
        m->size > m->packed_size * WA_ZIP_RATIO_MAX)
        return wa_fail(err, WA_E_LIMIT,
                       "member '%.200s' of a ZIP archive: too large, or larger "
                       "than its bytes can inflate to",
                       m->name.p);
    return WA_OK;
}

static enum wa_code read_directory(struct wa_zip *zip, const struct wa_zip_end *end, uint8_t *bytes,
                                   struct wa_err *err)
{
    struct wa_sv rest = wa_sv_n(bytes, (size_t)end->size);
    uint64_t sum = 0;
    enum wa_code code =
        zip->source->read_at(zip->source, end->offset, bytes, (size_t)end->size, err);

    if (code != WA_OK)
        return code;
    for (size_t i = 0; i < zip->count; i++) {
        code = read_entry(zip, i, &rest, err);
        if (code != WA_OK)
            return code;
        sum += zip->members[i].size;
        if (sum > WA_PACKAGE_INFLATED_MAX)
            return wa_fail(err, WA_E_LIMIT, "ZIP archive that inflates to more than %llu bytes",
                           (unsigned long long)WA_PACKAGE_INFLATED_MAX);
    }
    return rest.n == 0 ? WA_OK : invalid(err, "its directory has more entries than it says");
}

static enum wa_code open_into(struct wa_zip *zip, struct wa_err *err)
{
    struct wa_zip_end end;
    enum wa_code code = wa_zip_find_end(zip->source, &end, err);
    uint8_t *bytes;

    if (code != WA_OK)
        return code;
    zip->count = (size_t)end.count;
    zip->directory_offset = end.offset;
    zip->members = wa_calloc(zip->count + 1, sizeof(*zip->members));
    zip->offsets = wa_calloc(zip->count + 1, sizeof(*zip->offsets));
    bytes = wa_calloc((size_t)end.size + 1, 1);
    if (zip->members && zip->offsets && bytes)
        code = read_directory(zip, &end, bytes, err);
    else
        code = wa_nomem(err);
    wa_free(bytes);
    if (code == WA_OK)
        code = wa_zip_check_locals(zip, err);
    if (code == WA_OK)
        code = wa_zip_check_names(zip, 4 * (size_t)end.size + 4096, err);
    return code;
}

static enum wa_code open_zip(struct wa_source *source, bool is_foreign, struct wa_zip **ret,
                             struct wa_err *err)
{
    WA_AUTO(wa_zip) struct wa_zip *zip = wa_calloc(1, sizeof(*zip));
    enum wa_code code;

    if (!zip)
        return wa_nomem(err);
    zip->source = source;
    zip->is_foreign = is_foreign;
    wa_arena_init(&zip->names, 0);
    code = open_into(zip, err);
    if (code == WA_OK)
        *ret = WA_TAKE(zip);
    return code;
}

enum wa_code wa_zip_open(struct wa_source *source, struct wa_zip **ret, struct wa_err *err)
{
    return open_zip(source, false, ret, err);
}

enum wa_code wa_zip_open_foreign(struct wa_source *source, struct wa_zip **ret, struct wa_err *err)
{
    return open_zip(source, true, ret, err);
}

void wa_zip_free(struct wa_zip *zip)
{
    if (!zip)
        return;
    if (zip->inflater)
        libdeflate_free_decompressor(zip->inflater);
    wa_arena_fini(&zip->names);
    wa_free(zip->members);
    wa_free(zip->offsets);
    wa_free(zip->folded);
    wa_free(zip->by_fold);
    wa_free(zip);
}

size_t wa_zip_count(const struct wa_zip *zip)
{
    return zip->count;
}

const struct wa_zip_member *wa_zip_at(const struct wa_zip *zip, size_t i)
{
    return i < zip->count ? &zip->members[i] : NULL;
}
