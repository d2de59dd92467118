/* zip_open.h - opening an archive and reading all of it, for the tests of the reader. */
#ifndef TEST_CODEC_ZIP_OPEN_H
#define TEST_CODEC_ZIP_OPEN_H

#include "codec/zip_read.h"
#include "support.h"
#include "zip_make.h"

#define ABC_CRC 0x352441c2u
#define FILE_A                                                                                     \
    {                                                                                              \
        .name = "a", .data = "abc", .data_n = 3, .crc = ABC_CRC                                    \
    }

/* Opens and reads all members. *ret_opened: whether it opened. */
static inline enum wa_code open_and_read(struct wa_sv bytes, bool *ret_opened, struct wa_err *err)
{
    struct wa_mem_source source;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    enum wa_code code;

    wa_mem_source_init(&source, bytes.p, bytes.n);
    code = wa_zip_open(&source.base, &zip, err);
    *ret_opened = code == WA_OK;
    for (size_t i = 0; code == WA_OK && i < wa_zip_count(zip); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_buf_sink sink;
        const struct wa_zip_member *m = wa_zip_at(zip, i);
        wa_buf_init(&out, 64u << 20);
        wa_buf_sink_init(&sink, &out);
        assert_ptr_equal(wa_zip_find(zip, m->name.p), m);
        code = wa_zip_read(zip, m, &sink.base, err);
        if (code == WA_OK)
            assert_int_equal(out.n, m->size);
    }
    return code;
}

#endif
