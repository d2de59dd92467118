/* zip_read.c - any bytes as a ZIP archive: opened or refused, members read up to a cap, and what
 * reads can be copied to an archive that opens again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "codec/zip_read.h"
#include "codec/zip_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All members into one buffer: its cap is the cap of the work. */
static bool read_all(struct wa_zip *zip, struct wa_buf *out)
{
    struct wa_buf_sink sink;

    wa_buf_sink_init(&sink, out);
    for (size_t i = 0; i < wa_zip_count(zip); i++) {
        struct wa_err err = WA_ERR_INIT;
        const struct wa_zip_member *m = wa_zip_at(zip, i);
        size_t before = out->n;
        if (!m->is_dir && wa_zip_find(zip, m->name.p) != m)
            abort();
        if (m->size > 8u << 20 || wa_zip_read(zip, m, &sink.base, &err) != WA_OK)
            return false;
        if (out->n - before != m->size)
            abort();
    }
    return true;
}

static void copy_all(struct wa_zip *zip, struct wa_buf *out)
{
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code;

    wa_buf_sink_init(&sink, out);
    code = wa_zip_writer_new(&sink.base, 1795000000, 0, &w, &err);
    for (size_t i = 0; code == WA_OK && i < wa_zip_count(zip); i++) {
        if (!wa_zip_at(zip, i)->is_dir)
            code = wa_zip_copy(w, zip, wa_zip_at(zip, i), &err);
    }
    if (code == WA_OK)
        code = wa_zip_finish(w, &err);
    if (code != WA_OK && code != WA_E_LIMIT)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_mem_source source, copied;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    WA_AUTO(wa_zip) struct wa_zip *copy = NULL;
    WA_AUTO_BUF struct wa_buf content, again, bytes;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&content, 16u << 20);
    wa_buf_init(&again, 16u << 20);
    wa_buf_init(&bytes, 16u << 20);
    wa_mem_source_init(&source, data, size);
    if (wa_zip_open(&source.base, &zip, &err) != WA_OK || !read_all(zip, &content))
        return 0;
    copy_all(zip, &bytes);
    if (bytes.failed != WA_OK)
        return 0;
    wa_mem_source_init(&copied, bytes.p, bytes.n);
    if (wa_zip_open(&copied.base, &copy, &err) != WA_OK || !read_all(copy, &again))
        abort();
    if (!wa_sv_eq(wa_buf_sv(&content), wa_buf_sv(&again)))
        abort();
    return 0;
}
