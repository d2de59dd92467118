/* The members come from a process that an attacker's archive has taken over: whatever it says of
 * names, sizes and contents, nothing but the signed bytes is believed or reaches the disk.
 */
#include "packages.h"

enum lie {
    TRUTH,
    LONGER, /* a member has more bytes than announced */
    SHORTER,
    ENDLESS,  /* and never stops */
    CHANGED,  /* other bytes of the same length */
    TWICE,    /* the same name again */
    ALIAS,    /* the same name in capitals */
    UNSAFE,   /* a name that leaves the directory */
    NO_END,   /* a name that does not end where it says */
    TOO_LONG, /* one that says it is longer than any */
    LARGE,    /* an announced size beyond all caps */
    OVERFLOW, /* sizes whose sum wraps around */
    FULL_DIRECTORY,
    HIDDEN_BYTES, /* a heap of bytes in a file that no manifest lists */
    LARGE_PAPER,  /* the victim larger than any paper may be */
    LARGE_SUM,    /* each member within its cap, all together beyond */
    TOO_MANY,     /* members */
};

struct liar {
    struct wa_members base;
    struct wa_members *honest;
    struct wa_member items[32];
    enum lie lie;
    size_t victim;      /* member that the lie is about */
    unsigned from_read; /* the victim's reads before this one are honest */
    unsigned reads;
    uint64_t delivered; /* bytes of the victim that were taken from us */
};

static enum wa_code pour(struct liar *l, struct wa_sink *sink, const void *p, size_t n,
                         struct wa_err *err)
{
    enum wa_code code = sink->write(sink, p, n, err);
    if (code == WA_OK)
        l->delivered += n;
    return code;
}

static enum wa_code lying_read(struct wa_members *self, size_t i, struct wa_sink *sink,
                               struct wa_err *err)
{
    struct liar *l = (struct liar *)self;
    WA_AUTO_BUF struct wa_buf content;
    struct wa_buf_sink to;
    wa_buf_init(&content, 1u << 20);
    wa_buf_sink_init(&to, &content);
    if (i >= l->honest->n)
        return WA_OK;
    enum wa_code code = l->honest->read(l->honest, i, &to.base, err);
    if (code != WA_OK)
        return code;
    if (i != l->victim || l->reads++ < l->from_read)
        return sink->write(sink, content.p, content.n, err);
    if (l->lie == CHANGED && content.n > 0)
        content.p[content.n / 2] ^= 1;
    size_t n = l->lie == SHORTER ? content.n - 1 : content.n;
    code = pour(l, sink, content.p, n, err);
    if (l->lie == LONGER && code == WA_OK)
        code = pour(l, sink, "x", 1, err);
    for (unsigned k = 0; l->lie == ENDLESS && code == WA_OK && k < 1000; k++)
        code = pour(l, sink, content.p, content.n, err);
    return code;
}

/* What the list itself lies about. */
static void lie_about_list(struct liar *l)
{
    struct wa_member *last = &l->items[l->base.n];
    switch (l->lie) {
    case TWICE:
    case ALIAS:
        *last = l->items[l->victim];
        if (l->lie == ALIAS)
            last->name.p[0] = (char)(last->name.p[0] ^ 0x20);
        l->base.n++;
        break;
    case UNSAFE:
        *last = (struct wa_member){.name = {"../../etc/cron.d/x", 18}};
        l->base.n++;
        break;
    case NO_END:
        l->items[l->victim].name.p[l->items[l->victim].name.n] = 'x';
        break;
    case TOO_LONG:
        l->items[l->victim].name.n = WA_RELPATH_MAX + 1;
        break;
    case LARGE:
        l->items[l->victim].size = WA_PACKAGE_INFLATED_MAX + 1;
        break;
    case OVERFLOW:
        l->items[0].size = UINT64_MAX - 10;
        break;
    case FULL_DIRECTORY:
        *last = (struct wa_member){.name = {"folder", 6}, .size = 5, .is_dir = true};
        l->base.n++;
        break;
    case HIDDEN_BYTES:
        *last = (struct wa_member){.name = {"WAPT/signature", 14}, .size = 1u << 30};
        l->base.n++;
        break;
    case LARGE_PAPER:
        l->items[l->victim].size = WA_MANIFEST_BYTES_MAX + 1;
        break;
    case LARGE_SUM:
        l->items[0].size = l->items[1].size = WA_PACKAGE_INFLATED_MAX - 1;
        break;
    case TOO_MANY:
        l->base.n = WA_ZIP_MEMBERS_MAX + 1;
        break;
    case TRUTH:
    case LONGER:
    case SHORTER:
    case ENDLESS:
    case CHANGED:
        break;
    }
}

static void liar_init(struct liar *l, struct package *p, enum lie lie, const char *victim,
                      unsigned from_read)
{
    struct wa_members *honest = wa_archive_members_get(p->archive);
    *l = (struct liar){.honest = honest, .lie = lie, .from_read = from_read};
    assert_true(honest->n < WA_COUNT(l->items));
    memcpy(l->items, honest->items, honest->n * sizeof l->items[0]);
    l->base = (struct wa_members){l->items, honest->n, lying_read};
    assert_true(wa_members_find(honest, victim, &l->victim));
    lie_about_list(l);
}

static const char *const victims[] = {"WAPT/control", "WAPT/certificate.crt",
                                      "WAPT/manifest.sha256", "WAPT/signature.sha256", "setup.py"};

/* How often an honest verification reads a member. */
static unsigned count_reads(struct package *p, const struct wa_trust *anchors, const char *victim)
{
    struct liar l;
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    wa_verdict_init(&v);
    liar_init(&l, p, TRUTH, victim, 1000);
    check_ok(wa_verify_package(&l.base, anchors, vectors_date(), NULL, NULL, &v, &err), &err,
             victim);
    assert_true(l.reads > 0);
    return l.reads;
}

static void lies_while_verifying(void **state)
{
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    for (size_t i = 0; i < WA_COUNT(victims); i++) {
        unsigned reads = count_reads(&p, anchors, victims[i]);
        for (int lie = LONGER; lie <= TOO_MANY; lie++) {
            for (unsigned from = 0; from < reads; from++) {
                struct liar l;
                WA_AUTO_VERDICT struct wa_verdict v;
                struct wa_err why = WA_ERR_INIT;
                wa_verdict_init(&v);
                liar_init(&l, &p, (enum lie)lie, victims[i], from);
                enum wa_code code =
                    wa_verify_package(&l.base, anchors, vectors_date(), NULL, NULL, &v, &why);
                if (code != WA_E_REFUSED && code != WA_E_INVALID && code != WA_E_LIMIT)
                    fail_msg("lie %d about %s, read %u: %s", lie, victims[i], from,
                             wa_code_name(code));
                assert_true(v.failed < WA_CHECK_COUNT);
                if (l.delivered > l.items[l.victim].size)
                    fail_msg("lie %d about %s: %zu bytes were taken", lie, victims[i],
                             (size_t)l.delivered);
            }
        }
    }
    package_close(&p);
}

/* The verification saw the truth; now it lies. */
static void lies_while_extracting(void **state)
{
    static const enum lie lies[] = {LONGER, SHORTER, ENDLESS, CHANGED};
    struct package p;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_verdict_init(&v);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    check_ok(wa_verify_package(wa_archive_members_get(p.archive), anchors, vectors_date(), NULL,
                               NULL, &v, &err),
             &err, "verify");
    for (size_t i = 0; i < WA_COUNT(victims); i++)
        for (size_t k = 0; k < WA_COUNT(lies); k++) {
            struct liar l;
            struct scratch s;
            struct wa_err why = WA_ERR_INIT;
            scratch_make(&s);
            liar_init(&l, &p, lies[k], victims[i], 0);
            assert_int_equal(wa_extract_verified(&l.base, &v, &s.dir, &why), WA_E_REFUSED);
            assert_true(l.delivered <= l.items[l.victim].size);
            scratch_drop(&s);
        }
    package_close(&p);
}

/* Members that were verified and are not there any more. */
static void leaves_out_while_extracting(void **state)
{
    struct package p;
    struct liar l;
    struct scratch s;
    WA_AUTO(wa_trust) struct wa_trust *anchors = trust_of("trust/main");
    WA_AUTO_VERDICT struct wa_verdict v;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_verdict_init(&v);
    scratch_make(&s);
    check_ok(package_open("valid/base-simple.wapt", &p, &err), &err, "open");
    check_ok(wa_verify_package(wa_archive_members_get(p.archive), anchors, vectors_date(), NULL,
                               NULL, &v, &err),
             &err, "verify");
    liar_init(&l, &p, TRUTH, "setup.py", 0);
    l.base.n--;
    assert_int_equal(wa_extract_verified(&l.base, &v, &s.dir, &err), WA_E_REFUSED);
    scratch_drop(&s);
    package_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_while_verifying),
        cmocka_unit_test(lies_while_extracting),
        cmocka_unit_test(leaves_out_while_extracting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
