/* backup - what somebody gives out as the backup of a server: any bytes as the archive, and any
 * manifest beside members that are what they are. What is accepted is what its manifest says.
 *
 * 'A' and an archive, or 'M' and a manifest, of the members that member() knows.
 */
#include <stdlib.h>

#include "codec/zip_write.h"
#include "crypto/digest.h"
#include "server/backup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nothing(void *user, const char *what, uint64_t done, uint64_t total)
{
    (void)user;
    (void)what;
    if (done > total)
        abort();
}

/* Once more, member by member: as many bytes of that digest, in a place below the archive. */
static void compare(struct wa_zip *zip, const struct wa_backup_manifest *m)
{
    for (size_t i = 0; i < m->n; i++) {
        WA_AUTO_BUF struct wa_buf content;
        struct wa_buf_sink sink;
        char hex[WA_DIGEST_HEX_MAX];
        struct wa_err err = WA_ERR_INIT;
        const struct wa_zip_member *in = wa_zip_find(zip, m->items[i].name.p);
        wa_buf_init(&content, 64u << 20);
        wa_buf_sink_init(&sink, &content);
        if (in == NULL || in->name.p[0] == '/' || in->size > 64u << 20)
            abort();
        if (wa_zip_read(zip, in, &sink.base, &err) != WA_OK ||
            wa_sha256_hex(content.p, content.n, hex, &err) != WA_OK ||
            content.n != m->items[i].bytes || strcmp(hex, m->items[i].sha256) != 0)
            abort();
    }
}

static void judge(struct wa_sv archive)
{
    struct wa_mem_source source;
    struct wa_backup_manifest manifest = {.at = 0};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    wa_mem_source_init(&source, archive.p, archive.n);
    if (wa_zip_open(&source.base, &zip, &err) == WA_OK &&
        wa_backup_verify(zip, &manifest, nothing, NULL, &err) == WA_OK)
        compare(zip, &manifest);
    WA_VEC_FREE(&manifest);
}

static void member(struct wa_zip_writer *w, const char *name, struct wa_sv content)
{
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    if (wa_relpath_parse(wa_sv(name), &path, &err) != WA_OK ||
        wa_zip_add_bytes(w, &path, 0600, content, &err) != WA_OK)
        abort();
}

static void with_manifest(struct wa_sv manifest)
{
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&bytes, 16u << 20);
    wa_buf_sink_init(&sink, &bytes);
    if (wa_zip_writer_new(&sink.base, 1795000000, 0, &w, &err) != WA_OK)
        abort();
    member(w, "waptserver.ini", WA_SV("[options]\n"));
    member(w, "private/tls.pem", WA_SV("a key\n"));
    member(w, WA_BACKUP_DATABASE, WA_SV("{\"rows\":0}\n"));
    member(w, WA_BACKUP_MANIFEST, manifest);
    if (wa_zip_finish(w, &err) != WA_OK)
        abort();
    judge(wa_buf_sv(&bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > (1u << 20))
        return 0;
    struct wa_sv rest = wa_sv_n(data + 1, size - 1);
    if (data[0] == 'A')
        judge(rest);
    else if (data[0] == 'M')
        with_manifest(rest);
    return 0;
}
