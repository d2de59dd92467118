/* What a machine believes of a repository: roots that follow one another, timestamps and lists, and
 * everything that somebody in between could do to them.
 */
#include "metadata.h"

static struct people people;

/* A repository as a machine finds it: documents by name, changed by each test. */
struct site {
    struct wa_buf roots[4]; /* versions 2, 3... */
    struct wa_buf stamp, list;
};

static void site_free(struct site *s)
{
    for (size_t i = 0; i < WA_COUNT(s->roots); i++)
        wa_buf_fini(&s->roots[i]);
    wa_buf_fini(&s->stamp);
    wa_buf_fini(&s->list);
}

static const struct wa_buf *find(const struct site *s, const struct wa_follow_want *want)
{
    int64_t version = 0;
    switch (want->kind) {
    case WA_FOLLOW_ROOT:
        assert_int_equal(sscanf(want->name, "%ld.root.json", &version), 1);
        return version >= 2 && version < 6 ? &s->roots[version - 2] : NULL;
    case WA_FOLLOW_TIMESTAMP:
        assert_string_equal(want->name, "timestamp.json");
        return &s->stamp;
    case WA_FOLLOW_PUBLISHED:
        return &s->list;
    case WA_FOLLOW_DONE:
        break;
    }
    return NULL;
}

/* Follows to the end or the first refusal; *ret (may be NULL) is what is known then. */
static enum wa_code follow(struct wa_sv root, struct wa_sv list, const struct site *s,
                           struct wa_follow **ret, struct wa_err *err)
{
    WA_AUTO(wa_follow) struct wa_follow *f = NULL;
    struct wa_follow_want want;
    enum wa_code code = wa_follow_new(root, list, NOW, &f, err);
    while (code == WA_OK && wa_follow_want(f, &want)) {
        const struct wa_buf *found = find(s, &want);
        struct wa_sv bytes = found == NULL ? WA_SV("") : wa_buf_sv(found);
        bool is_there = found != NULL && found->n > 0;
        bytes.n = is_there && bytes.n > want.max_bytes ? want.max_bytes : bytes.n;
        code = wa_follow_take(f, is_there ? &bytes : NULL, err);
    }
    if (ret != NULL)
        *ret = WA_TAKE(f);
    return code;
}

static void expect(struct wa_sv root, struct wa_sv list, const struct site *s, const char *why)
{
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = follow(root, list, s, NULL, &err);
    if (why == NULL) {
        check_ok(code, &err, "follow");
        return;
    }
    assert_int_not_equal(code, WA_OK);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, why);
}

/* A good site of list version v, and the first root. */
static void site_make(struct site *s, int64_t v, struct wa_buf *root)
{
    *s = (struct site){.stamp = {NULL, 0, 0, 0, WA_OK}};
    root_make(&people, (struct root_what){.version = 1}, root);
    list_make(&people, (struct list_what){.version = v}, &s->list);
    stamp_make(&people, wa_buf_sv(&s->list), v, NULL, 24, &s->stamp);
}

static void restamp(struct site *s, int64_t v, const struct wa_key *key, int64_t hours)
{
    wa_buf_fini(&s->stamp);
    stamp_make(&people, wa_buf_sv(&s->list), v, key, hours, &s->stamp);
}

static void relist(struct site *s, struct list_what what)
{
    wa_buf_fini(&s->list);
    list_make(&people, what, &s->list);
    restamp(s, what.version, NULL, 24);
}

static void good(void **state)
{
    WA_AUTO_BUF struct wa_buf root;
    WA_AUTO(wa_follow) struct wa_follow *f = NULL;
    struct site s;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    site_make(&s, 7, &root);
    check_ok(follow(wa_buf_sv(&root), WA_SV(""), &s, &f, &err), &err, "first");
    const struct wa_published *p = wa_follow_published(f);
    assert_int_equal(p->version, 7);
    assert_int_equal(wa_published_find(p, WA_SV("tis-b_1-1_all.wapt"))->length, 5);
    assert_null(wa_published_find(p, WA_SV("tis-c_1-1_all.wapt")));
    assert_int_equal(wa_follow_timestamp(f)->version, 7);
    /* the same again: the list is known and not fetched */
    struct site again = {.stamp = s.stamp};
    expect(wa_buf_sv(&root), wa_buf_sv(&s.list), &again, NULL);
    site_free(&s);
}

static void roots_follow(void **state)
{
    static const struct {
        const char *why; /* NULL: accepted */
        struct root_what what;
    } cases[] = {
        {NULL, {.version = 2}},
        {NULL, {.version = 2, .signers = {BOB, CAROL}, .signer_count = 2}},
        {"1 of the 2 signatures", {.version = 2, .signers = {ALICE}, .signer_count = 1}},
        {"0 of the 2 signatures", {.version = 2, .signers = {DAVE, PACKAGER}, .signer_count = 2}},
        {"does not follow version 1", {.version = 3}},
        {"does not follow version 1", {.version = 1}},
        {"another repository", {.version = 2, .repository = "ffeeddccbbaa99887766554433221100"}},
        {"unknown", {.version = 2, .more = "surprise"}},
        {"can't be had of", {.version = 2, .threshold = 4}},
        {"expired on", {.version = 2, .expires = NOW - 1}},
        /* Alice leaves, Dave comes: both thresholds */
        {NULL,
         {.version = 2,
          .administrators = {BOB, CAROL, DAVE},
          .administrator_count = 3,
          .signers = {BOB, CAROL},
          .signer_count = 2}},
        {"1 of the 2 signatures needed by the administrators of version 2",
         {.version = 2,
          .administrators = {BOB, CAROL, DAVE},
          .administrator_count = 3,
          .signers = {ALICE, BOB},
          .signer_count = 2}},
        {"1 of the 2 signatures needed by the administrators of version 1",
         {.version = 2,
          .administrators = {BOB, DAVE},
          .administrator_count = 2,
          .signers = {BOB, DAVE},
          .signer_count = 2}},
        {"1 of the 2 signatures needed by the administrators of version 1",
         {.version = 2, .threshold = 1, .signers = {ALICE}, .signer_count = 1}},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        WA_AUTO_BUF struct wa_buf root;
        struct site s;
        site_make(&s, 1, &root);
        root_make(&people, cases[i].what, &s.roots[0]);
        expect(wa_buf_sv(&root), WA_SV(""), &s, cases[i].why);
        site_free(&s);
    }
}

/* A machine that was off walks over all roots; one that is missing ends the walk where it is. */
static void roots_chain(void **state)
{
    WA_AUTO_BUF struct wa_buf root;
    WA_AUTO(wa_follow) struct wa_follow *f = NULL;
    struct site s;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    site_make(&s, 1, &root);
    root_make(&people, (struct root_what){.version = 2, .expires = NOW - 5}, &s.roots[0]);
    root_make(&people,
              (struct root_what){.version = 3,
                                 .administrators = {CAROL, DAVE},
                                 .administrator_count = 2,
                                 .signers = {BOB, CAROL, DAVE},
                                 .signer_count = 3},
              &s.roots[1]);
    root_make(&people,
              (struct root_what){.version = 4,
                                 .administrators = {DAVE},
                                 .administrator_count = 1,
                                 .threshold = 1,
                                 .signers = {CAROL, DAVE},
                                 .signer_count = 2},
              &s.roots[2]);
    check_ok(follow(wa_buf_sv(&root), WA_SV(""), &s, &f, &err), &err, "chain");
    assert_int_equal(wa_follow_root(f)->version, 4);
    site_free(&s);
}

/* Two certificates with one key are one administrator. */
static void one_key_counts_once(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_cert) struct wa_cert *second = NULL;
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    WA_AUTO_BUF struct wa_buf document;
    const struct wa_cert_request what = {.cn = "Alice again", .path_length = -1, .days = 30000};
    (void)state;
    check_ok(wa_cert_issue(&what, people.keys[ALICE], NULL, NULL, &second, &err), &err, "second");
    struct people p = people;
    p.certs[BOB] = second;
    p.keys[BOB] = people.keys[ALICE];
    root_make(&p, (struct root_what){.version = 1}, &document);
    check_ok(wa_root_read(wa_buf_sv(&document), &r, &err), &err, "root");
    assert_int_equal(wa_root_check(r, &err), WA_E_REFUSED);
}

static void timestamps(void **state)
{
    WA_AUTO_BUF struct wa_buf root;
    WA_AUTO_BUF struct wa_buf known;
    struct site s;
    (void)state;
    site_make(&s, 5, &root);
    list_make(&people, (struct list_what){.version = 5}, &known);
    struct wa_sv r = wa_buf_sv(&root), k = wa_buf_sv(&known);
    restamp(&s, 5, people.online2, 24);
    expect(r, WA_SV(""), &s, "no timestamp key");
    restamp(&s, 5, people.keys[PUBLISHER], 24);
    expect(r, WA_SV(""), &s, "no timestamp key");
    restamp(&s, 5, NULL, -1);
    expect(r, WA_SV(""), &s, "make no sense");
    restamp(&s, 5, NULL, 25);
    expect(r, WA_SV(""), &s, "longer than the 24 hours");
    restamp(&s, 6, NULL, 24);
    expect(r, WA_SV(""), &s, "is not the one that the timestamp names");
    wa_buf_fini(&s.stamp);
    expect(r, WA_SV(""), &s, "has no timestamp.json");
    relist(&s, (struct list_what){.version = 4});
    expect(r, k, &s, "rolls the repository back");
    relist(&s, (struct list_what){.version = 5, .expires = NOW + DAY});
    expect(r, k, &s, "two published lists have the version 5");
    relist(&s, (struct list_what){.version = 6});
    expect(r, k, &s, NULL);
    site_free(&s);
}

static void lists(void **state)
{
    WA_AUTO_BUF struct wa_buf root;
    struct site s;
    char alien[33] = "ffeeddccbbaa99887766554433221100";
    (void)state;
    site_make(&s, 5, &root);
    const struct {
        const char *why;
        struct list_what what;
    } cases[] = {
        {NULL, {.version = 5, .expires = NOW + 30 * DAY}},
        {"longer than the 30 days", {.version = 5, .expires = NOW + 31 * DAY}},
        {"expired on", {.version = 5, .issued = NOW - 2 * DAY, .expires = NOW - 1}},
        {"has not come yet", {.version = 5, .issued = NOW + DAY}},
        {"signed by nobody who may publish", {.version = 5, .by = PACKAGER}},
        {"signed by nobody who may publish", {.version = 5, .by = BOB}},
        {"signed by nobody who may publish",
         {.version = 5, .revoked = wa_cert_fingerprint(people.certs[PUBLISHER])}},
        {NULL, {.version = 5, .revoked = wa_cert_fingerprint(people.certs[PACKAGER])}},
        {"another repository", {.version = 5, .repository = alien}},
        {"no name of a package's file", {.version = 5, .file = "sub/tis-b_1-1_all.wapt"}},
        {"no name of a package's file", {.version = 5, .file = "../tis-b_1-1_all.wapt"}},
        {"no name of a package's file", {.version = 5, .file = "wapt-get.ini"}},
        {"", {.version = 5, .file = "sub\\tis-b_1-1_all.wapt"}},
        {"", {.version = 5, .file = "con.wapt"}},
    };
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        relist(&s, cases[i].what);
        expect(wa_buf_sv(&root), WA_SV(""), &s, cases[i].why);
    }
    /* of another length or other bytes than the timestamp says */
    relist(&s, (struct list_what){.version = 5});
    s.list.n--;
    expect(wa_buf_sv(&root), WA_SV(""), &s, "has not the length");
    site_free(&s);
}

/* Somebody with a stolen key published version 1000: a root without it makes that forgotten. */
static void fast_forward(void **state)
{
    WA_AUTO_BUF struct wa_buf root;
    WA_AUTO_BUF struct wa_buf known;
    struct site s;
    (void)state;
    site_make(&s, 6, &root);
    list_make(&people, (struct list_what){.version = 1000}, &known);
    expect(wa_buf_sv(&root), wa_buf_sv(&known), &s, "rolls the repository back");
    root_make(&people, (struct root_what){.version = 2, .online = people.online2}, &s.roots[0]);
    expect(wa_buf_sv(&root), wa_buf_sv(&known), &s, "no timestamp key");
    restamp(&s, 6, people.online2, 24);
    expect(wa_buf_sv(&root), wa_buf_sv(&known), &s, NULL);
    /* a root that changes nothing of the kind forgets nothing */
    wa_buf_fini(&s.roots[0]);
    root_make(&people, (struct root_what){.version = 2}, &s.roots[0]);
    restamp(&s, 6, NULL, 24);
    expect(wa_buf_sv(&root), wa_buf_sv(&known), &s, "rolls the repository back");
    /* nor one that only adds somebody who may publish */
    wa_buf_fini(&root);
    wa_buf_fini(&s.roots[0]);
    root_make(&people, (struct root_what){.version = 1, .packager_publishes = false}, &root);
    root_make(&people, (struct root_what){.version = 2, .packager_publishes = true}, &s.roots[0]);
    expect(wa_buf_sv(&root), wa_buf_sv(&known), &s, "rolls the repository back");
    site_free(&s);
}

/* What stays on the server may do nothing else, and there must be one. */
static void online_key(void **state)
{
    static const enum who others[] = {ALICE, CAROL, PUBLISHER, PACKAGER};
    WA_AUTO_BUF struct wa_buf root;
    struct site s;
    (void)state;
    site_make(&s, 5, &root);
    for (size_t i = 0; i < WA_COUNT(others); i++) {
        wa_buf_fini(&s.roots[0]);
        root_make(&people, (struct root_what){.version = 2, .online = people.keys[others[i]]},
                  &s.roots[0]);
        expect(wa_buf_sv(&root), WA_SV(""), &s, "stamps the time as well");
    }
    wa_buf_fini(&s.roots[0]);
    root_make(&people, (struct root_what){.version = 2, .without_online = true}, &s.roots[0]);
    expect(wa_buf_sv(&root), WA_SV(""), &s, "no timestamp key");
    site_free(&s);
}

static void what_it_allows(void **state)
{
    WA_AUTO_BUF struct wa_buf document;
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    struct wa_err err = WA_ERR_INIT;
    const char *const paris[] = {"tis-paris", NULL}, *const lyon[] = {"OU=Lyon", NULL},
                      *const none[] = {NULL};
    (void)state;
    root_make(&people, (struct root_what){.version = 1}, &document);
    check_ok(wa_root_read(wa_buf_sv(&document), &r, &err), &err, "root");
    const struct wa_root_signer *s = wa_root_signer(r, wa_cert_fingerprint(people.certs[PACKAGER]));
    assert_non_null(s);
    assert_null(wa_root_signer(r, wa_cert_fingerprint(people.certs[ALICE])));
    const struct {
        const char *section, *name;
        bool has_code, is_allowed;
    } packages[] = {{"base", "tis-a", false, true},  {"base", "tis-", false, true},
                    {"base", "tis-a", true, false},  {"base", "smp-a", false, false},
                    {"base", "tis", false, false},   {"host", "tis-a", false, false},
                    {"base", "atis-a", false, false}};
    for (size_t i = 0; i < WA_COUNT(packages); i++) {
        struct wa_err why = WA_ERR_INIT;
        assert_int_equal(wa_root_allows_package(s, packages[i].section, packages[i].name,
                                                packages[i].has_code, &why),
                         packages[i].is_allowed ? WA_OK : WA_E_REFUSED);
    }
    const struct {
        const char *action;
        const char *const *groups, *const *units;
        bool is_allowed;
    } actions[] = {{"update", paris, none, true},
                   {"update", none, lyon, true},
                   {"update", lyon, paris, false},
                   {"update", NULL, NULL, false},
                   {"remove", paris, lyon, false}};
    for (size_t i = 0; i < WA_COUNT(actions); i++) {
        struct wa_err why = WA_ERR_INIT;
        assert_int_equal(
            wa_root_allows_action(s, actions[i].action, actions[i].groups, actions[i].units, &why),
            actions[i].is_allowed ? WA_OK : WA_E_REFUSED);
    }
}

/* What is written is read again as it was. */
static void written_again(void **state)
{
    WA_AUTO_BUF struct wa_buf document;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf draft;
    WA_AUTO_BUF struct wa_buf text2;
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    WA_AUTO(wa_root) struct wa_root *again = NULL;
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    wa_buf_init(&text2, WA_ROOT_BYTES_MAX);
    wa_buf_init(&draft, WA_ROOT_BYTES_MAX);
    root_make(&people, (struct root_what){.version = 1}, &document);
    check_ok(wa_root_read(wa_buf_sv(&document), &r, &err), &err, "root");
    check_ok(wa_root_write(r, &text, &err), &err, "text");
    check_ok(wa_signed_none(wa_buf_sv(&text), &draft, &err), &err, "draft");
    check_ok(wa_root_read(wa_buf_sv(&draft), &again, &err), &err, "again");
    check_ok(wa_root_write(again, &text2, &err), &err, "text");
    assert_string_equal(wa_buf_str(&text), wa_buf_str(&text2));
    assert_int_equal(wa_root_check(again, &err), WA_E_REFUSED); /* nobody has signed it */
}

static int setup(void **state)
{
    (void)state;
    people_make(&people);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    people_free(&people);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),         cmocka_unit_test(roots_follow),
        cmocka_unit_test(roots_chain),  cmocka_unit_test(one_key_counts_once),
        cmocka_unit_test(timestamps),   cmocka_unit_test(lists),
        cmocka_unit_test(fast_forward), cmocka_unit_test(what_it_allows),
        cmocka_unit_test(online_key),   cmocka_unit_test(written_again)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
