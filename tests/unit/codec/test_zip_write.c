/* Writing ZIP archives: the same bytes each time, read back by us, Zip64 where needed. */
#include "support.h"

#include "codec/hex.h"
#include "codec/zip_read.h"
#include "codec/zip_write.h"

/* More than is inflated in memory. */
#define LARGE_BYTES (33u << 20)
#define MTIME 1795000000 /* 2026-11-18T11:06:40Z */

static struct wa_relpath path(const char *text)
{
    struct wa_relpath p;
    struct wa_err err = WA_ERR_INIT;

    check_ok(wa_relpath_parse(wa_sv(text), &p, &err), &err, text);
    return p;
}

static enum wa_code add(struct wa_zip_writer *w, const char *name, uint32_t mode,
                        struct wa_sv content, struct wa_err *err)
{
    struct wa_relpath p = path(name);

    return wa_zip_add_bytes(w, &p, mode, content, err);
}

/* Bytes that look like a file and cost no memory: they don't compress. */
struct made_source {
    struct wa_source base;
    unsigned reads;
    unsigned fail_at_read; /* 0: never */
};

static enum wa_code make_bytes(struct wa_source *s, uint64_t offset, void *p, size_t n,
                               struct wa_err *err)
{
    struct made_source *m = (struct made_source *)s;
    uint8_t *out = p;

    m->reads++;
    if (m->fail_at_read > 0 && m->reads >= m->fail_at_read)
        return wa_fail(err, WA_E_IO, "the disk is broken");
    for (size_t i = 0; i < n; i++) {
        uint64_t x = (offset + i + 1) * 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
        out[i] = (uint8_t)(x >> 56);
    }
    return WA_OK;
}

static struct made_source made(uint64_t size)
{
    return (struct made_source){.base = {.size = size, .read_at = make_bytes}};
}

/* Checks a member's content against what make_bytes() gives. */
struct comparing_sink {
    struct wa_sink base;
    struct made_source source;
    uint64_t at;
};

static enum wa_code compare_bytes(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct comparing_sink *c = (struct comparing_sink *)s;
    uint8_t want[4096];
    const uint8_t *got = p;

    while (n > 0) {
        size_t k = n < sizeof(want) ? n : sizeof(want);
        enum wa_code code = make_bytes(&c->source.base, c->at, want, k, err);
        if (code != WA_OK)
            return code;
        assert_memory_equal(got, want, k);
        c->at += k;
        got += k;
        n -= k;
    }
    return WA_OK;
}

static const struct {
    const char *name, *content;
    uint32_t mode;
} members[] = {
    {"setup.py", "def install():\n    pass\n", 0644},
    {"data/empty.txt", "", 0644},
    {"data/run.sh", "#!/bin/sh\necho aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 0755},
    {"donn\xc3\xa9"
     "es/\xe4\xb8\xad.txt",
     "caf\xc3\xa9", 0644},
    {"WAPT/control", "package : x\n", 0600}};

static void write_members(struct wa_buf *out)
{
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(out, 1u << 20);
    wa_buf_sink_init(&sink, out);
    check_ok(wa_zip_writer_new(&sink.base, MTIME, 0, &w, &err), &err, "new");
    for (size_t i = 0; i < WA_COUNT(members); i++)
        check_ok(add(w, members[i].name, members[i].mode, wa_sv(members[i].content), &err), &err,
                 members[i].name);
    check_ok(wa_zip_finish(w, &err), &err, "finish");
}

static void our_reader_takes_it(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;

    write_members(&bytes);
    wa_mem_source_init(&source, bytes.p, bytes.n);
    check_ok(wa_zip_open(&source.base, &zip, &err), &err, "open");
    assert_int_equal(wa_zip_count(zip), WA_COUNT(members));
    for (size_t i = 0; i < WA_COUNT(members); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_buf_sink sink;
        const struct wa_zip_member *m = wa_zip_at(zip, i);
        wa_buf_init(&out, 1000);
        wa_buf_sink_init(&sink, &out);
        assert_string_equal(m->name.p, members[i].name);
        assert_int_equal(m->unix_mode, members[i].mode);
        assert_int_equal(m->method, 8);
        check_ok(wa_zip_read(zip, m, &sink.base, &err), &err, m->name.p);
        assert_string_equal(wa_buf_str(&out), members[i].content);
    }
}

/* The archive to the byte, so that no change of ours goes unnoticed. With another zlib the data may
 * differ. */
static void one_archive_to_the_byte(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;
    char hex[1000];
    static const char want[] = "504b0304"
                               "1400"
                               "0000"
                               "0800"
                               "d458725d"
                               "c2412435"
                               "05000000"
                               "03000000"
                               "0100"
                               "0000"
                               "61"
                               "4b4c4a0600"
                               "504b0102"
                               "1403"
                               "1400"
                               "0000"
                               "0800"
                               "d458725d"
                               "c2412435"
                               "05000000"
                               "03000000"
                               "0100"
                               "0000"
                               "0000"
                               "0000"
                               "0000"
                               "0000a481"
                               "00000000"
                               "61"
                               "504b0506"
                               "0000"
                               "0000"
                               "0100"
                               "0100"
                               "2f000000"
                               "24000000"
                               "0000";

    wa_buf_init(&bytes, 400);
    wa_buf_sink_init(&sink, &bytes);
    check_ok(wa_zip_writer_new(&sink.base, MTIME, 0, &w, &err), &err, "new");
    check_ok(add(w, "a", 0644, WA_SV("abc"), &err), &err, "add");
    check_ok(wa_zip_finish(w, &err), &err, "finish");
    wa_hex_encode(bytes.p, bytes.n, hex);
    assert_string_equal(hex, want);
}

static void the_same_bytes_each_time(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf a, b;

    write_members(&a);
    write_members(&b);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
}

static void refuses_names_that_are_one_file(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    struct wa_mem_source source;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;
    static const char *const refused[] = {"d/a", "D/A", "d", "D", "d/a/x", "\xc3\x89"};

    wa_buf_init(&bytes, 1u << 20);
    wa_buf_sink_init(&sink, &bytes);
    check_ok(wa_zip_writer_new(&sink.base, MTIME, 0, &w, &err), &err, "new");
    check_ok(add(w, "d/a", 0644, WA_SV("1"), &err), &err, "d/a");
    check_ok(add(w, "\xc3\xa9", 0644, WA_SV("2"), &err), &err, "accent");
    for (size_t i = 0; i < WA_COUNT(refused); i++) {
        struct wa_err e = WA_ERR_INIT;
        if (add(w, refused[i], 0644, WA_SV("3"), &e) != WA_E_EXISTS)
            fail_msg("'%s' was taken: %s", refused[i], e.text);
    }
    check_ok(add(w, "d/b", 0644, WA_SV("4"), &err), &err, "d/b");
    check_ok(wa_zip_finish(w, &err), &err, "finish");
    wa_mem_source_init(&source, bytes.p, bytes.n);
    check_ok(wa_zip_open(&source.base, &zip, &err), &err, "open");
    assert_int_equal(wa_zip_count(zip), 3);
}

static void content_is_read_once(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    struct made_source content = made(LARGE_BYTES);
    struct comparing_sink compare = {.base = {.write = compare_bytes}, .source = made(LARGE_BYTES)};
    struct wa_mem_source source;
    struct wa_buf_sink sink;
    struct wa_relpath p = path("big");
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&bytes, 64u << 20);
    wa_buf_sink_init(&sink, &bytes);
    check_ok(wa_zip_writer_new(&sink.base, MTIME, 0, &w, &err), &err, "new");
    check_ok(wa_zip_add(w, &p, 0644, &content.base, &err), &err, "add");
    check_ok(wa_zip_finish(w, &err), &err, "finish");
    assert_int_equal(content.reads, LARGE_BYTES / 65536);
    wa_mem_source_init(&source, bytes.p, bytes.n);
    check_ok(wa_zip_open(&source.base, &zip, &err), &err, "open");
    check_ok(wa_zip_read(zip, wa_zip_at(zip, 0), &compare.base, &err), &err, "read");
    assert_int_equal(compare.at, LARGE_BYTES);
}

/* The pieces in which content comes make no difference. */
static void content_in_pieces_is_the_same(void **state)
{
    WA_UNUSED(state);
    enum { SIZE = 300000 };
    static char content[SIZE];
    static const size_t pieces[] = {SIZE, 1, 7, 65536, 100000};
    struct made_source from = made(SIZE);
    WA_AUTO_BUF struct wa_buf first;
    struct wa_err err = WA_ERR_INIT;

    check_ok(make_bytes(&from.base, 0, content, SIZE, &err), &err, "content");
    memset(content + SIZE / 2, 'x', SIZE / 4);
    wa_buf_init(&first, 1u << 20);
    for (size_t i = 0; i < WA_COUNT(pieces); i++) {
        WA_AUTO_BUF struct wa_buf bytes;
        WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
        struct wa_buf_sink out;
        struct wa_sink *sink = NULL;
        struct wa_relpath p = path("a");
        wa_buf_init(&bytes, 1u << 20);
        wa_buf_sink_init(&out, &bytes);
        check_ok(wa_zip_writer_new(&out.base, MTIME, 0, &w, &err), &err, "new");
        check_ok(add(w, "before", 0644, WA_SV("abc"), &err), &err, "before");
        check_ok(wa_zip_begin(w, &p, 0644, SIZE, &sink, &err), &err, "begin");
        for (size_t at = 0; at < SIZE; at += pieces[i])
            check_ok(sink->write(sink, content + at, SIZE - at < pieces[i] ? SIZE - at : pieces[i],
                                 &err),
                     &err, "piece");
        check_ok(wa_zip_end(w, &err), &err, "end");
        check_ok(add(w, "after", 0644, WA_SV("abc"), &err), &err, "after");
        check_ok(wa_zip_finish(w, &err), &err, "finish");
        if (i == 0)
            wa_buf_addsv(&first, wa_buf_sv(&bytes));
        assert_true(wa_sv_eq(wa_buf_sv(&first), wa_buf_sv(&bytes)));
    }
}

/* One member at a time, with what it said it would have. */
static void an_open_member_is_finished_first(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_buf_sink out;
    struct wa_sink *sink = NULL;
    struct wa_relpath p = path("a");
    struct wa_err err = WA_ERR_INIT, why[6] = {WA_ERR_INIT};

    wa_buf_init(&bytes, 1u << 20);
    wa_buf_sink_init(&out, &bytes);
    check_ok(wa_zip_writer_new(&out.base, MTIME, 0, &w, &err), &err, "new");
    assert_int_equal(wa_zip_end(w, &why[0]), WA_E_INTERNAL);
    check_ok(wa_zip_begin(w, &p, 0644, 3, &sink, &err), &err, "begin");
    assert_int_equal(add(w, "b", 0644, WA_SV("1"), &why[1]), WA_E_INTERNAL);
    assert_int_equal(wa_zip_finish(w, &why[2]), WA_E_INTERNAL);
    check_ok(sink->write(sink, "abc", 3, &err), &err, "write");
    assert_int_equal(sink->write(sink, "d", 1, &why[3]), WA_E_LIMIT);
    assert_int_equal(wa_zip_end(w, &why[4]), WA_E_INTERNAL);
    assert_int_equal(add(w, "b", 0644, WA_SV("1"), &why[5]), WA_E_INTERNAL);
}

/* What may grow beyond 4 GiB has Zip64's record in its local header, even when it did not. */
static void room_is_kept_for_large_sizes(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf bytes, text;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    struct wa_mem_source source;
    struct wa_buf_sink out, back;
    struct wa_sink *sink = NULL;
    struct wa_relpath p = path("a");
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&bytes, 1u << 20);
    wa_buf_init(&text, 100);
    wa_buf_sink_init(&out, &bytes);
    wa_buf_sink_init(&back, &text);
    check_ok(wa_zip_writer_new(&out.base, MTIME, 0, &w, &err), &err, "new");
    check_ok(wa_zip_begin(w, &p, 0644, 5ull << 30, &sink, &err), &err, "begin");
    check_ok(sink->write(sink, "small", 5, &err), &err, "write");
    check_ok(wa_zip_end(w, &err), &err, "end");
    check_ok(wa_zip_finish(w, &err), &err, "finish");
    wa_mem_source_init(&source, bytes.p, bytes.n);
    check_ok(wa_zip_open(&source.base, &zip, &err), &err, "open");
    assert_int_equal(wa_zip_at(zip, 0)->data_offset, 30 + 1 + 20);
    check_ok(wa_zip_read(zip, wa_zip_at(zip, 0), &back.base, &err), &err, "read");
    assert_string_equal(wa_buf_str(&text), "small");
}

/* A file that can't be read: what is there of it can't be taken back. */
static void a_source_that_fails_ends_it(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct made_source content = made(200000);
    struct wa_buf_sink sink;
    struct wa_relpath p = path("a");
    struct wa_err err = WA_ERR_INIT, fine = WA_ERR_INIT;

    content.fail_at_read = 2;
    wa_buf_init(&bytes, 1u << 20);
    wa_buf_sink_init(&sink, &bytes);
    check_ok(wa_zip_writer_new(&sink.base, MTIME, 0, &w, &fine), &fine, "new");
    assert_int_equal(wa_zip_add(w, &p, 0644, &content.base, &err), WA_E_IO);
    assert_string_equal(err.text, "cannot add 'a' to the archive: the disk is broken");
    struct wa_err later[2] = {WA_ERR_INIT};
    assert_int_equal(add(w, "b", 0644, WA_SV("abc"), &later[0]), WA_E_INTERNAL);
    assert_int_equal(wa_zip_finish(w, &later[1]), WA_E_INTERNAL);
}

/* Fails once at_byte would be written. */
struct full_sink {
    struct wa_sink base;
    uint64_t at, at_byte;
};

static enum wa_code write_until_full(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct full_sink *f = (struct full_sink *)s;

    WA_UNUSED(p);
    f->at += n;
    return f->at > f->at_byte ? wa_fail(err, WA_E_NO_SPACE, "disk full") : WA_OK;
}

static enum wa_code write_over(struct wa_sink *s, uint64_t offset, const void *p, size_t n,
                               struct wa_err *err)
{
    WA_UNUSED(p);
    WA_UNUSED(err);
    assert_true(offset + n <= ((struct full_sink *)s)->at);
    return WA_OK;
}

static void a_full_disk_is_told_wherever_it_is_met(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf whole;

    write_members(&whole);
    for (uint64_t at = 0; at < whole.n; at++) {
        WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
        struct full_sink sink = {.base = {write_until_full, write_over}, .at_byte = at};
        struct wa_err err = WA_ERR_INIT;
        enum wa_code code = wa_zip_writer_new(&sink.base, MTIME, 0, &w, &err);
        for (size_t i = 0; code == WA_OK && i < WA_COUNT(members); i++)
            code = add(w, members[i].name, 0644, wa_sv(members[i].content), &err);
        if (code == WA_OK)
            code = wa_zip_finish(w, &err);
        assert_int_equal(code, WA_E_NO_SPACE);
        struct wa_err later = WA_ERR_INIT;
        assert_int_equal(wa_zip_finish(w, &later), WA_E_INTERNAL);
    }
}

static void members_are_copied_as_they_are(void **state)
{
    WA_UNUSED(state);
    WA_AUTO_BUF struct wa_buf file, bytes;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    WA_AUTO(wa_zip) struct wa_zip *copy = NULL;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_mem_source source, again;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;

    read_vector("zip/zip-data-descriptor.wapt", &file);
    wa_mem_source_init(&source, file.p, file.n);
    check_ok(wa_zip_open(&source.base, &zip, &err), &err, "open");
    wa_buf_init(&bytes, 1u << 20);
    wa_buf_sink_init(&sink, &bytes);
    check_ok(wa_zip_writer_new(&sink.base, MTIME, 0, &w, &err), &err, "new");
    for (size_t i = 0; i < wa_zip_count(zip); i++)
        check_ok(wa_zip_copy(w, zip, wa_zip_at(zip, i), &err), &err, "copy");
    check_ok(wa_zip_finish(w, &err), &err, "finish");
    wa_mem_source_init(&again, bytes.p, bytes.n);
    check_ok(wa_zip_open(&again.base, &copy, &err), &err, "open the copy");
    assert_int_equal(wa_zip_count(copy), wa_zip_count(zip));
    for (size_t i = 0; i < wa_zip_count(zip); i++) {
        const struct wa_zip_member *a = wa_zip_at(zip, i), *b = wa_zip_at(copy, i);
        assert_string_equal(a->name.p, b->name.p);
        assert_int_equal(b->flags, 0);
        assert_int_equal(a->packed_size, b->packed_size);
        assert_memory_equal(file.p + a->data_offset, bytes.p + b->data_offset, a->packed_size);
    }
}

/* An archive of more than 4 GiB of which only head and tail are kept: between them are zeros. */
struct sparse {
    struct wa_source source;
    struct wa_sink sink;
    struct wa_buf head, tail;
    uint64_t tail_at;
};

#define HEAD_BYTES 60u
#define HUGE_BYTES ((4ull << 30) + 10)

static enum wa_code read_sparse(struct wa_source *s, uint64_t offset, void *p, size_t n,
                                struct wa_err *err)
{
    struct sparse *sp = (struct sparse *)s;
    uint8_t *out = p;

    if (n > s->size || offset > s->size - n)
        return wa_fail(err, WA_E_INVALID, "past the end");
    memset(out, 0, n);
    for (size_t i = 0; i < n && (offset + n > sp->tail_at || offset < sp->head.n); i++) {
        uint64_t at = offset + i;
        if (at < sp->head.n)
            out[i] = (uint8_t)sp->head.p[at];
        else if (at >= sp->tail_at)
            out[i] = (uint8_t)sp->tail.p[at - sp->tail_at];
    }
    return WA_OK;
}

static enum wa_code write_sparse(struct wa_sink *s, const void *p, size_t n, struct wa_err *err)
{
    struct sparse *sp = (struct sparse *)(void *)((char *)s - offsetof(struct sparse, sink));

    if (sp->source.size + n <= HEAD_BYTES)
        wa_buf_add(&sp->head, p, n);
    else if (sp->source.size >= sp->tail_at)
        wa_buf_add(&sp->tail, p, n);
    sp->source.size += n;
    return wa_buf_check(&sp->tail, err);
}

static enum wa_code write_over_tail(struct wa_sink *s, uint64_t offset, const void *p, size_t n,
                                    struct wa_err *err)
{
    struct sparse *sp = (struct sparse *)(void *)((char *)s - offsetof(struct sparse, sink));

    WA_UNUSED(err);
    assert_true(offset >= sp->tail_at && offset + n <= sp->source.size);
    memcpy(sp->tail.p + (offset - sp->tail_at), p, n);
    return WA_OK;
}

static void sparse_init(struct sparse *sp, uint64_t tail_at)
{
    *sp = (struct sparse){.source = {.read_at = read_sparse},
                          .sink = {write_sparse, write_over_tail}};
    wa_buf_init(&sp->head, 1000);
    wa_buf_init(&sp->tail, 1000);
    sp->tail_at = tail_at;
}

/* One stored member "a" of HUGE_BYTES zeros, with Zip64 sizes; written by hand. */
static void make_huge(struct sparse *sp)
{
    static const char local[] =
        "PK\3\4\x2d\0\0\0\0\0\0\0\x21\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\1\0\x14\0a";
    static const char central[] =
        "PK\1\2\x2d\0\x2d\0\0\0\0\0\0\0\x21\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
        "\1\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a";
    static const char end[] = "\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0";
    struct wa_buf *b[] = {&sp->head, &sp->tail};

    sparse_init(sp, 51 + HUGE_BYTES);
    for (size_t i = 0; i < 2; i++) {
        wa_buf_add(b[i], i == 0 ? local : central, i == 0 ? 31 : 47);
        wa_buf_u16le(b[i], 1);
        wa_buf_u16le(b[i], 16);
        wa_buf_u64le(b[i], HUGE_BYTES);
        wa_buf_u64le(b[i], HUGE_BYTES);
    }
    wa_buf_add(&sp->tail, "PK\6\6\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0", 16);
    wa_buf_add(&sp->tail, end, 24);
    wa_buf_u64le(&sp->tail, 67);
    wa_buf_u64le(&sp->tail, sp->tail_at);
    wa_buf_add(&sp->tail, "PK\6\7\0\0\0\0", 8);
    wa_buf_u64le(&sp->tail, sp->tail_at + 67);
    wa_buf_u32le(&sp->tail, 1);
    wa_buf_add(&sp->tail, "PK\5\6\0\0\0\0\1\0\1\0\x43\0\0\0\xff\xff\xff\xff\0\0", 22);
    sp->source.size = sp->tail_at + sp->tail.n;
}

static void more_than_four_gigabytes_take_zip64(void **state)
{
    WA_UNUSED(state);
    struct sparse huge, out;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    WA_AUTO(wa_zip) struct wa_zip *copy = NULL;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_err err = WA_ERR_INIT;

    make_huge(&huge);
    check_ok(wa_zip_open(&huge.source, &zip, &err), &err, "open");
    assert_true(wa_zip_at(zip, 0)->size == HUGE_BYTES);
    sparse_init(&out, 51 + HUGE_BYTES);
    check_ok(wa_zip_writer_new(&out.sink, MTIME, 0, &w, &err), &err, "new");
    check_ok(wa_zip_copy(w, zip, wa_zip_at(zip, 0), &err), &err, "copy");
    check_ok(add(w, "b", 0600, WA_SV("after it"), &err), &err, "b");
    check_ok(wa_zip_finish(w, &err), &err, "finish");
    check_ok(wa_zip_open(&out.source, &copy, &err), &err, "open the copy");
    assert_int_equal(wa_zip_count(copy), 2);
    assert_true(wa_zip_at(copy, 0)->size == HUGE_BYTES);
    assert_true(wa_zip_at(copy, 0)->data_offset == 51);
    assert_true(wa_zip_at(copy, 1)->data_offset == 51 + HUGE_BYTES + 31);
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    wa_buf_init(&text, 100);
    wa_buf_sink_init(&sink, &text);
    check_ok(wa_zip_read(copy, wa_zip_at(copy, 1), &sink.base, &err), &err, "read");
    assert_string_equal(wa_buf_str(&text), "after it");
    struct wa_buf *all[] = {&huge.head, &huge.tail, &out.head, &out.tail};
    for (size_t i = 0; i < WA_COUNT(all); i++)
        wa_buf_fini(all[i]);
}

static void times_stay_within_the_format(void **state)
{
    WA_UNUSED(state);
    static const struct {
        int64_t seconds;
        uint32_t dos;
    } cases[] = {{0, 0x00210000},         {INT64_MIN, 0x00210000}, {315532800, 0x00210000},
                 {315532802, 0x00210001}, {MTIME, 0x5d7258d4},     {INT64_MAX, 0xff9fbf7d}};

    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf bytes;
        WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
        WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
        struct wa_mem_source source;
        struct wa_buf_sink sink;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&bytes, 400);
        wa_buf_sink_init(&sink, &bytes);
        check_ok(wa_zip_writer_new(&sink.base, cases[i].seconds, 0, &w, &err), &err, "new");
        check_ok(add(w, "a", 0644, WA_SV(""), &err), &err, "add");
        check_ok(wa_zip_finish(w, &err), &err, "finish");
        wa_mem_source_init(&source, bytes.p, bytes.n);
        check_ok(wa_zip_open(&source.base, &zip, &err), &err, "open");
        assert_int_equal(wa_zip_at(zip, 0)->dos_time, cases[i].dos);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_reader_takes_it),
        cmocka_unit_test(one_archive_to_the_byte),
        cmocka_unit_test(the_same_bytes_each_time),
        cmocka_unit_test(refuses_names_that_are_one_file),
        cmocka_unit_test(content_is_read_once),
        cmocka_unit_test(content_in_pieces_is_the_same),
        cmocka_unit_test(an_open_member_is_finished_first),
        cmocka_unit_test(room_is_kept_for_large_sizes),
        cmocka_unit_test(a_source_that_fails_ends_it),
        cmocka_unit_test(a_full_disk_is_told_wherever_it_is_met),
        cmocka_unit_test(members_are_copied_as_they_are),
        cmocka_unit_test(more_than_four_gigabytes_take_zip64),
        cmocka_unit_test(times_stay_within_the_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
