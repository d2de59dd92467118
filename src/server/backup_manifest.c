/* backup_manifest.c - the list of what an archive holds, and whether it holds just that. */
#include "base/mem.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "server/backup.h"

#define MANIFEST_MAX (128u << 20) /* bytes: 200,000 members with long names */
#define FORMAT "wapt-server-backup"

void wa_backup_manifest_write(const struct wa_backup_manifest *m, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "format", FORMAT);
    wa_jw_kvi(&w, "version", 1);
    wa_jw_kv(&w, "program", WA_VERSION);
    wa_jw_kvi(&w, "at", m->at);
    wa_jw_kvi(&w, "members", (int64_t)m->n);
    wa_jw_end(&w);
    wa_buf_addc(out, '\n');
    for (size_t i = 0; i < m->n; i++) {
        wa_jw_init(&w, out);
        wa_jw_obj(&w);
        wa_jw_kv(&w, "name", m->items[i].name.p);
        wa_jw_kvi(&w, "bytes", (int64_t)m->items[i].bytes);
        wa_jw_kv(&w, "sha256", m->items[i].sha256);
        wa_jw_end(&w);
        wa_buf_addc(out, '\n');
    }
}

static enum wa_code read_head(struct wa_sv line, int64_t *ret_at, int64_t *ret_count,
                              struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    int64_t version = 0;
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(line, 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(wa_json_sv(wa_json_get(j, "format")), FORMAT) ||
        !wa_json_i64(wa_json_get(j, "version"), &version) ||
        !wa_json_i64(wa_json_get(j, "at"), ret_at) ||
        !wa_json_i64(wa_json_get(j, "members"), ret_count))
        return wa_fail(err, WA_E_INVALID, "it is no backup of a server");
    return version == 1 ? WA_OK
                        : wa_fail(err, WA_E_CONFIG,
                                  "it was made by a newer program (version %lld of the format)",
                                  (long long)version);
}

static enum wa_code read_member(struct wa_sv line, struct wa_backup_manifest *m, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv name = {NULL, 0}, sha256 = {NULL, 0};
    int64_t bytes = 0;
    const struct wa_json_field fields[] = {{"name", WA_WANT_SV, true, WA_RELPATH_MAX, &name},
                                           {"bytes", WA_WANT_I64, true, 0, &bytes},
                                           {"sha256", WA_WANT_SV, true, 64, &sha256}};
    wa_arena_init(&arena, 64u << 10);
    struct wa_backup_member *to = WA_VEC_PUSH(m);
    if (to == NULL)
        return wa_nomem(err);
    *to = (struct wa_backup_member){.bytes = 0};
    if (wa_json_parse(line, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a member of a backup", err) != WA_OK ||
        wa_relpath_parse(name, &to->name, err) != WA_OK)
        return err->code;
    to->bytes = (uint64_t)bytes;
    (void)snprintf(to->sha256, sizeof to->sha256, "%.*s", WA_SV_ARG(sha256));
    return WA_OK;
}

static enum wa_code read_manifest(struct wa_zip *zip, struct wa_backup_manifest *ret,
                                  struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    struct wa_sv rest, line = {NULL, 0};
    int64_t count = 0;
    const struct wa_zip_member *m = wa_zip_find(zip, WA_BACKUP_MANIFEST);
    wa_buf_init(&text, MANIFEST_MAX);
    wa_buf_sink_init(&sink, &text);
    if (m == NULL)
        return wa_fail(err, WA_E_INVALID, "it is no backup of a server: it has no manifest");
    if (wa_zip_read(zip, m, &sink.base, err) != WA_OK || wa_buf_check(&text, err) != WA_OK)
        return err->code;
    rest = wa_buf_sv(&text);
    if (!wa_sv_split(&rest, '\n', &line) || read_head(line, &ret->at, &count, err) != WA_OK)
        return err->code == WA_OK ? wa_fail(err, WA_E_INVALID, "its manifest is empty") : err->code;
    while (wa_sv_split(&rest, '\n', &line) && line.n > 0)
        if (read_member(line, ret, err) != WA_OK)
            return err->code;
    return ret->n == (uint64_t)count ? WA_OK
                                     : wa_fail(err, WA_E_INVALID, "its manifest was cut off");
}

static enum wa_code verify_member(struct wa_zip *zip, const struct wa_backup_member *m,
                                  struct wa_err *err)
{
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    struct wa_digest_sink sink;
    char hex[WA_DIGEST_HEX_MAX];
    const struct wa_zip_member *in = wa_zip_find(zip, m->name.p);
    if (in == NULL)
        return wa_fail(err, WA_E_REFUSED, "'%s' is missing in it", m->name.p);
    if (wa_digest_new(WA_SHA256, &d, err) != WA_OK)
        return err->code;
    wa_digest_sink_init(&sink, d, NULL);
    if (wa_zip_read(zip, in, &sink.base, err) != WA_OK || wa_digest_hex(d, hex, err) != WA_OK)
        return err->code;
    return sink.bytes == m->bytes && strcmp(hex, m->sha256) == 0
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "'%s' in it is not what was put into it", m->name.p);
}

enum wa_code wa_backup_verify(struct wa_zip *zip, struct wa_backup_manifest *ret,
                              wa_backup_progress_fn progress, void *user, struct wa_err *err)
{
    if (read_manifest(zip, ret, err) != WA_OK)
        return err->code;
    if (wa_zip_count(zip) != ret->n + 1)
        return wa_fail(err, WA_E_REFUSED, "it holds %zu files, and its manifest names %zu",
                       wa_zip_count(zip) - 1, ret->n);
    for (size_t i = 0; i < ret->n; i++) {
        if (verify_member(zip, &ret->items[i], err) != WA_OK)
            return err->code;
        progress(user, "verified", i + 1, ret->n);
    }
    return WA_OK;
}
