/* What was read of an index, saved and loaded; and reading in pieces of any size. */
#include "packages.h"

#include "codec/zip_read.h"
#include "pkg/index.h"

#define OF "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void read_it(const char *file, struct wa_index *ret, size_t *bad)
{
    struct package p;
    struct wa_err err = WA_ERR_INIT;
    check_ok(package_open(file, &p, &err), &err, file);
    check_ok(wa_index_read_digests(wa_archive_members_get(p.archive), ret, bad, &err), &err, file);
    package_close(&p);
}

static void assert_same(const struct wa_index *a, const struct wa_index *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < WA_ATTR_COUNT; k++) {
            const char *x = a->items[i].v[k], *y = b->items[i].v[k];
            assert_true(x == NULL ? y == NULL : y != NULL && strcmp(x, y) == 0);
        }
    assert_int_equal(a->digests_n, b->digests_n);
    assert_memory_equal(a->digests, b->digests, a->n * sizeof a->digests[0]);
    assert_int_equal(a->certs.n, b->certs.n);
    for (size_t i = 0; i < a->certs.n; i++)
        assert_string_equal(wa_cert_fingerprint(a->certs.items[i]),
                            wa_cert_fingerprint(b->certs.items[i]));
    assert_int_equal(a->crls.n, b->crls.n);
    for (size_t i = 0; i < a->crls.n; i++)
        assert_true(wa_sv_eq(wa_buf_sv(&a->crls.items[i]), wa_buf_sv(&b->crls.items[i])));
}

static void loads_what_was_read(void **state)
{
    static const char *const files[] = {"index/00-good", "index/13-bad-line",
                                        "made/index-with-crl"};
    (void)state;
    for (size_t i = 0; i < WA_COUNT(files); i++) {
        WA_AUTO_INDEX struct wa_index ix;
        WA_AUTO_INDEX struct wa_index back;
        WA_AUTO_BUF struct wa_buf saved;
        struct wa_err err = WA_ERR_INIT;
        size_t bad = 0, bad_back = 77;
        wa_index_init(&back);
        wa_buf_init(&saved, 1u << 20);
        read_it(files[i], &ix, &bad);
        check_ok(wa_index_save(&ix, bad, OF, &saved, &err), &err, "save");
        check_ok(wa_index_load(wa_buf_sv(&saved), OF, &back, &bad_back, &err), &err, "load");
        assert_int_equal(bad_back, bad);
        assert_same(&ix, &back);
    }
}

static void is_refused(const struct wa_buf *saved, size_t n, const char *of)
{
    struct wa_index ix;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 77;
    assert_int_equal(wa_index_load(wa_sv_n(saved->p, n), of, &ix, &bad, &err), WA_E_INVALID);
    assert_int_equal(bad, 77);
}

/* Whatever byte is another one, and wherever it ends. */
static void loads_nothing_else(void **state)
{
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_BUF struct wa_buf saved;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0;
    char other[] = OF;
    (void)state;
    wa_buf_init(&saved, 1u << 20);
    read_it("index/00-good", &ix, &bad);
    check_ok(wa_index_save(&ix, bad, OF, &saved, &err), &err, "save");
    other[63] = '0';
    is_refused(&saved, saved.n, other);
    for (size_t i = 0; i < saved.n; i += i < 1024 ? 1 : 13) {
        saved.p[i] ^= 1;
        is_refused(&saved, saved.n, OF);
        saved.p[i] ^= 1;
        is_refused(&saved, i, OF);
    }
    wa_buf_addc(&saved, 'x');
    is_refused(&saved, saved.n, OF);
}

/* What was judged has no digests: whoever kept it would keep a judgement. */
static void saves_no_judgement(void **state)
{
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_BUF struct wa_buf saved;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0, gone = 0;
    (void)state;
    wa_buf_init(&saved, 1u << 20);
    read_it("index/00-good", &ix, &bad);
    check_ok(wa_index_keep_trusted(&ix, anchors, vectors_date(), NULL, NULL, NULL, &gone, &err),
             &err, "keep");
    assert_int_equal(wa_index_save(&ix, bad, OF, &saved, &err), WA_E_INTERNAL);
}

/* --- pieces --- */

struct pieces {
    struct wa_members base;
    struct wa_member item;
    struct wa_sv text;
    size_t size; /* of a piece */
};

static enum wa_code read_pieces(struct wa_members *self, size_t i, struct wa_sink *sink,
                                struct wa_err *err)
{
    struct pieces *p = (struct pieces *)self;
    (void)i;
    for (size_t at = 0; at < p->text.n; at += p->size) {
        struct wa_sv piece = wa_sv_sub(p->text, at, p->size);
        if (sink->write(sink, piece.p, piece.n, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code note_entry(void *user, struct wa_control *c, struct wa_err *err)
{
    wa_buf_addf(user, "%s %s %s;", wa_control_get(c, WA_A_PACKAGE), wa_control_get(c, WA_A_VERSION),
                wa_control_get(c, WA_A_DESCRIPTION));
    return wa_buf_check(user, err);
}

static size_t read_in_pieces(struct wa_sv text, size_t size, struct wa_buf *notes)
{
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0;
    struct pieces p = {
        .item = {.name = {"Packages", 8}, .size = text.n}, .text = text, .size = size};
    p.base = (struct wa_members){&p.item, 1, read_pieces};
    wa_buf_clear(notes);
    check_ok(wa_index_each(&p.base, note_entry, notes, &bad, &err), &err, "pieces");
    return bad;
}

static void reads_pieces_of_any_size(void **state)
{
    static const char text[] =
        "\n\npackage: a\nversion: 1\n \t\npackage: b\ndescription: x\n y\n\n\n"
        "nonsense\n\n  package: c\n\npackage: d\n\r\n\npackage: e";
    static const char want[] = "a 1 ;b 0 x\ny;d 0 ;e 0 ;";
    WA_AUTO_BUF struct wa_buf notes;
    (void)state;
    wa_buf_init(&notes, 4096);
    for (size_t size = 1; size <= sizeof text; size++) {
        assert_int_equal(read_in_pieces(wa_sv(text), size, &notes), 2);
        assert_string_equal(wa_buf_str(&notes), want);
    }
}

/* One that is too long is bad, those around it are not; in pieces it takes no memory. */
static void passes_over_what_is_too_long(void **state)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf notes;
    (void)state;
    wa_buf_init(&text, 4u << 20);
    wa_buf_init(&notes, 4096);
    wa_buf_adds(&text, "package: a\n\npackage: long\n");
    while (text.n < 2 * (size_t)WA_CONTROL_BYTES_MAX)
        wa_buf_adds(&text, "description: more and more\n");
    wa_buf_adds(&text, "\npackage: z\n");
    for (size_t size = 1000; size < 4u << 20; size *= 10) {
        assert_int_equal(read_in_pieces(wa_buf_sv(&text), size, &notes), 1);
        assert_string_equal(wa_buf_str(&notes), "a 0 ;z 0 ;");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_was_read),          cmocka_unit_test(loads_nothing_else),
        cmocka_unit_test(saves_no_judgement),           cmocka_unit_test(reads_pieces_of_any_size),
        cmocka_unit_test(passes_over_what_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
