/* Reading, keeping and writing an index. WAPT's forged and honest ones: tests/vectors_check. */
#include "packages.h"

#include "crypto/crl.h"
#include "pkg/index.h"

static void counts_what_it_can_not_read(void **state)
{
    struct package p;
    WA_AUTO_INDEX struct wa_index ix;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0;
    (void)state;
    check_ok(package_open("index/13-bad-line", &p, &err), &err, "open");
    check_ok(wa_index_read(wa_archive_members_get(p.archive), &ix, &bad, &err), &err, "read");
    assert_int_equal(bad, 1);
    assert_int_equal(ix.n, 8);
    package_close(&p);
}

static void trusts_nothing_without_anchors(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/empty");
    WA_AUTO_INDEX struct wa_index ix;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0, gone = 0;
    (void)state;
    check_ok(package_open("index/00-good", &p, &err), &err, "open");
    check_ok(wa_index_read(wa_archive_members_get(p.archive), &ix, &bad, &err), &err, "read");
    check_ok(wa_index_keep_trusted(&ix, anchors, vectors_date(), NULL, NULL, NULL, &gone, &err),
             &err, "keep");
    assert_int_equal(ix.n, 0);
    assert_int_equal(gone, 9);
    package_close(&p);
}

static void refuses_what_is_no_index(void **state)
{
    struct package p;
    WA_AUTO_INDEX struct wa_index ix;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 77;
    (void)state;
    wa_index_init(&ix);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    assert_int_equal(wa_index_read(wa_archive_members_get(p.archive), &ix, &bad, &err),
                     WA_E_INVALID);
    assert_int_equal(bad, 77);
    package_close(&p);
}

/* The list that the index carries becomes the store's, once; what it makes of the entries:
 * tests/proc/test_f2b_index.py. */
static void learns_lists_from_the_index(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_BUF struct wa_buf list;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0, gone = 0;
    bool is_there = false;
    (void)state;
    wa_buf_init(&list, 1u << 20);
    check_ok(package_open("made/index-with-crl", &p, &err), &err, "open");
    check_ok(wa_index_read(wa_archive_members_get(p.archive), &ix, &bad, &err), &err, "read");
    assert_int_equal(ix.crls.n, 1);
    for (int again = 0; again < 2; again++)
        check_ok(wa_index_keep_trusted(&ix, anchors, vectors_date(), NULL, NULL, NULL, &gone, &err),
                 &err, "keep");
    assert_int_equal(ix.n, 8);
    check_ok(wa_trust_crl(anchors, 0, &list, &is_there, &err), &err, "list");
    assert_true(is_there && wa_sv_eq(wa_buf_sv(&list), wa_buf_sv(&ix.crls.items[0])));
    check_ok(wa_trust_crl(anchors, 1, &list, &is_there, &err), &err, "no second one");
    assert_false(is_there);
    package_close(&p);
}

/* Of two lists of one authority the newer stays; what is none is refused. */
static void takes_lists_to_be_written(void **state)
{
    struct package p;
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_INDEX struct wa_index fresh;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0;
    bool is_changed = false;
    (void)state;
    wa_index_init(&fresh);
    check_ok(package_open("made/index-with-crl", &p, &err), &err, "open");
    check_ok(wa_index_read(wa_archive_members_get(p.archive), &ix, &bad, &err), &err, "read");
    check_ok(wa_index_add_crl(&fresh, wa_buf_sv(&ix.crls.items[0]), &is_changed, &err), &err,
             "add");
    assert_true(is_changed && fresh.crls.n == 1);
    check_ok(wa_index_add_crl(&fresh, wa_buf_sv(&ix.crls.items[0]), &is_changed, &err), &err,
             "again");
    assert_true(!is_changed && fresh.crls.n == 1);
    assert_int_equal(wa_index_add_crl(&fresh, WA_SV("no list"), &is_changed, &err), WA_E_INVALID);
    package_close(&p);
}

/* What is written is read back as it was, and the same input gives the same bytes. */
static void writes_what_it_reads(void **state)
{
    struct package p;
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_INDEX struct wa_index back;
    WA_AUTO_BUF struct wa_buf first;
    WA_AUTO_BUF struct wa_buf second;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_buf_sink sink;
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0;
    (void)state;
    wa_buf_init(&first, 1u << 20);
    wa_buf_init(&second, 1u << 20);
    wa_index_init(&back);
    check_ok(package_open("made/index-with-crl", &p, &err), &err, "open");
    check_ok(wa_index_read(wa_archive_members_get(p.archive), &ix, &bad, &err), &err, "read");
    wa_buf_sink_init(&sink, &first);
    check_ok(wa_index_write(&ix, vectors_date(), &sink.base, &err), &err, "write");
    wa_mem_source_init(&source, first.p, first.n);
    check_ok(wa_archive_members_open(&source.base, &members, &err), &err, "open again");
    check_ok(wa_index_read(wa_archive_members_get(members), &back, &bad, &err), &err, "read again");
    assert_int_equal(back.n, ix.n);
    assert_int_equal(back.certs.n, ix.certs.n);
    assert_int_equal(back.crls.n, 1);
    assert_true(wa_sv_eq(wa_buf_sv(&back.crls.items[0]), wa_buf_sv(&ix.crls.items[0])));
    for (size_t i = 1; i < back.n; i++)
        assert_true(strcmp(wa_control_get(&back.items[i - 1], WA_A_FILENAME),
                           wa_control_get(&back.items[i], WA_A_FILENAME)) < 0);
    wa_buf_sink_init(&sink, &second);
    check_ok(wa_index_write(&back, vectors_date(), &sink.base, &err), &err, "write again");
    assert_true(wa_sv_eq(wa_buf_sv(&first), wa_buf_sv(&second)));
    package_close(&p);
}

/* Judges an index with the memory given (and with that of now afterwards): how many are kept. */
static size_t keep_with(const char *file, const char *trusted, struct wa_buf *memory)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of(trusted);
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_SEEN struct wa_seen seen;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0, gone = 0;
    wa_seen_init(&seen);
    check_ok(package_open(file, &p, &err), &err, file);
    check_ok(wa_index_read_digests(wa_archive_members_get(p.archive), &ix, &bad, &err), &err, file);
    check_ok(wa_seen_read(&seen, wa_buf_sv(memory), &err), &err, "memory");
    check_ok(wa_index_keep_trusted(&ix, anchors, vectors_date(), &seen, NULL, NULL, &gone, &err),
             &err, file);
    wa_buf_clear(memory);
    check_ok(wa_seen_write(&seen, memory, &err), &err, "memory");
    assert_int_equal(memory->n, ix.n * sizeof(struct wa_entry_digest));
    package_close(&p);
    return ix.n;
}

/* What is remembered is that signatures held: never who is trusted, and never of other bytes. */
static void remembers_signatures_not_trust(void **state)
{
    WA_AUTO_BUF struct wa_buf memory;
    WA_AUTO_BUF struct wa_buf again;
    (void)state;
    wa_buf_init(&memory, 1u << 20);
    wa_buf_init(&again, 1u << 20);
    assert_int_equal(keep_with("index/00-good", "trust/main", &memory), 8);
    wa_buf_addsv(&again, wa_buf_sv(&memory));
    assert_int_equal(keep_with("index/00-good", "trust/main", &memory), 8);
    assert_true(wa_sv_eq(wa_buf_sv(&memory), wa_buf_sv(&again)));
    assert_int_equal(keep_with("index/03-changed-version", "trust/main", &memory), 7);
    assert_int_equal(keep_with("index/00-good", "trust/empty", &again), 0);
    assert_int_equal(again.n, 0);
}

/* A memory that is none is no memory; one that somebody forged would be believed, which is why it
 * lies where only the one who checks can write. */
static void reads_its_memory(void **state)
{
    struct package p;
    WA_AUTO_BUF struct wa_buf memory;
    WA_AUTO_BUF struct wa_buf cut;
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_SEEN struct wa_seen seen;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0;
    (void)state;
    wa_seen_init(&seen);
    wa_buf_init(&memory, 1u << 20);
    wa_buf_init(&cut, 1u << 20);
    check_ok(package_open("index/03-changed-version", &p, &err), &err, "open");
    check_ok(wa_index_read_digests(wa_archive_members_get(p.archive), &ix, &bad, &err), &err,
             "read");
    for (size_t i = 0; i < ix.n; i++)
        check_ok(wa_seen_add(&seen, &ix.digests[i], &err), &err, "add");
    check_ok(wa_seen_write(&seen, &memory, &err), &err, "write");
    package_close(&p);
    wa_buf_add(&cut, memory.p, memory.n - 1);
    assert_int_equal(keep_with("index/03-changed-version", "trust/main", &cut), 7);
    assert_int_equal(keep_with("index/03-changed-version", "trust/main", &memory), 8);
    wa_buf_clear(&cut); /* not in order */
    wa_buf_add(&cut, memory.p + 32, memory.n - 32);
    wa_buf_add(&cut, memory.p, 32);
    assert_int_equal(keep_with("index/03-changed-version", "trust/main", &cut), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_it_can_not_read),
        cmocka_unit_test(trusts_nothing_without_anchors),
        cmocka_unit_test(refuses_what_is_no_index),
        cmocka_unit_test(learns_lists_from_the_index),
        cmocka_unit_test(takes_lists_to_be_written),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(remembers_signatures_not_trust),
        cmocka_unit_test(reads_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
