/* index_write.c - the Packages file, written entry by entry as they come. */
#include "base/mem.h"
#include "pkg/index_priv.h"

struct wa_index_writer {
    struct wa_zip_writer *zip;
    struct wa_sink *text;
};

void wa_index_writer_free(struct wa_index_writer *w)
{
    if (w == NULL)
        return;
    wa_zip_writer_free(w->zip);
    wa_free(w);
}

enum wa_code wa_index_writer_new(struct wa_sink *sink, int64_t mtime, struct wa_index_writer **ret,
                                 struct wa_err *err)
{
    const struct wa_relpath name = {"Packages", 8};
    WA_AUTO(wa_index_writer) struct wa_index_writer *w = wa_calloc(1, sizeof *w);
    if (w == NULL)
        return wa_nomem(err);
    if (wa_zip_writer_new(sink, mtime, 0, &w->zip, err) != WA_OK ||
        wa_zip_begin(w->zip, &name, 0600, WA_INDEX_BYTES_MAX, &w->text, err) != WA_OK)
        return wa_wrap(err, "writing the index");
    *ret = WA_TAKE(w);
    return WA_OK;
}

enum wa_code wa_index_writer_add(struct wa_index_writer *w, const struct wa_control *c,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX + 2);
    enum wa_code code = wa_control_write(c, true, &text, err);
    if (code == WA_E_LIMIT)
        err->code = WA_E_INVALID; /* of this entry, not of the index */
    if (code != WA_OK)
        return err->code;
    wa_buf_adds(&text, "\n\n");
    if (wa_buf_check(&text, err) != WA_OK || w->text->write(w->text, text.p, text.n, err) != WA_OK)
        return wa_wrap(err, "writing the index");
    return WA_OK;
}

static enum wa_code write_certs(const struct wa_index *ix, struct wa_zip_writer *zip,
                                struct wa_err *err)
{
    for (size_t i = 0; i < ix->certs.n; i++) {
        struct wa_relpath name;
        WA_AUTO_BUF struct wa_buf pem;
        wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
        name.n = (size_t)snprintf(name.p, sizeof name.p, "ssl/%s.crt",
                                  wa_cert_fingerprint(ix->certs.items[i]));
        if (wa_cert_write_pem(ix->certs.items[i], &pem, err) != WA_OK ||
            wa_zip_add_bytes(zip, &name, 0600, wa_buf_sv(&pem), err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_index_writer_end(struct wa_index_writer *w, const struct wa_index *ix,
                                 struct wa_err *err)
{
    if (wa_zip_end(w->zip, err) != WA_OK || write_certs(ix, w->zip, err) != WA_OK ||
        wa_index_crls_write(ix, w->zip, err) != WA_OK || wa_zip_finish(w->zip, err) != WA_OK)
        return wa_wrap(err, "writing the index");
    return WA_OK;
}

/* --- an index in memory --- */

static int by_filename(const void *a, const void *b)
{
    return strcmp(wa_control_get(*(const struct wa_control *const *)a, WA_A_FILENAME),
                  wa_control_get(*(const struct wa_control *const *)b, WA_A_FILENAME));
}

enum wa_code wa_index_write(const struct wa_index *ix, int64_t mtime, struct wa_sink *sink,
                            struct wa_err *err)
{
    WA_AUTO(wa_index_writer) struct wa_index_writer *w = NULL;
    const struct wa_control **order = wa_calloc(ix->n, sizeof *order);
    enum wa_code code = order == NULL ? wa_nomem(err) : wa_index_writer_new(sink, mtime, &w, err);
    for (size_t i = 0; code == WA_OK && i < ix->n; i++)
        order[i] = &ix->items[i];
    if (code == WA_OK && ix->n > 1)
        qsort(order, ix->n, sizeof *order, by_filename);
    for (size_t i = 0; code == WA_OK && i < ix->n; i++)
        code = wa_index_writer_add(w, order[i], err);
    if (code == WA_OK)
        code = wa_index_writer_end(w, ix, err);
    wa_free(order);
    return code;
}
