/* A root that is changed and shown: what a person signs stands before him whole, whatever names and
 * lists somebody chose; and with memory running out nothing is shown or kept by half.
 */
#include "metadata.h"

#include "repo/root_edit.h"
#include "torture.h"

static struct people people;
static struct wa_buf first;

struct shown {
    struct wa_buf text;
    size_t longest;
};

static void show(void *user, const char *label, struct wa_sv value)
{
    struct shown *s = user;
    wa_buf_addf(&s->text, "%s: %.*s\n", label, WA_SV_ARG(value));
    if (value.n > s->longest)
        s->longest = value.n;
}

static enum wa_code change(struct wa_root *r, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf names;
    struct wa_root_signer s = {.cert = people.certs[DAVE], .may_publish = true};
    wa_buf_init(&names, 32768);
    for (int i = 0; i < 63; i++)
        wa_buf_addf(&names, "group-%03d-of-a-house-with-a-rather-long-name,", i);
    wa_buf_adds(&names, "*");
    if (wa_root_keep_names(r, WA_SV("base"), &s.sections, err) != WA_OK ||
        wa_root_keep_names(r, WA_SV("tis-"), &s.prefixes, err) != WA_OK ||
        wa_root_keep_names(r, WA_SV(""), &s.actions, err) != WA_OK ||
        wa_root_keep_names(r, wa_buf_sv(&names), &s.groups, err) != WA_OK ||
        wa_root_keep_list(r, s.actions, &s.units, err) != WA_OK ||
        wa_root_put_signer(r, &s, err) != WA_OK)
        return err->code;
    s.cert = people.certs[PUBLISHER]; /* described anew */
    if (wa_root_put_signer(r, &s, err) != WA_OK)
        return err->code;
    r->threshold = 1;
    assert_true(wa_root_remove(r, wa_cert_fingerprint(people.certs[PACKAGER])));
    assert_true(wa_root_remove(r, wa_cert_fingerprint(people.certs[CAROL])));
    assert_false(wa_root_remove(r, wa_cert_fingerprint(people.certs[CAROL])));
    return WA_OK;
}

/* The change, and all that is told of it, into s. */
static enum wa_code edit(struct shown *s, struct wa_buf *json, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *old = NULL;
    WA_AUTO(wa_root) struct wa_root *draft = NULL;
    WA_AUTO(wa_root) struct wa_root *next = NULL;
    WA_AUTO_BUF struct wa_buf document;
    struct wa_jw w;
    wa_buf_init(&document, WA_ROOT_BYTES_MAX);
    if (wa_root_read(wa_buf_sv(&first), &old, err) != WA_OK ||
        wa_root_next(old, &draft, err) != WA_OK || change(draft, err) != WA_OK ||
        wa_root_unsigned(draft, &document, &next, err) != WA_OK ||
        wa_root_say(next, old, show, s, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, json);
    wa_root_write_shown(next, old, &w);
    assert_int_equal(next->version, old->version + 1);
    assert_int_equal(next->document.n, 0);
    return wa_buf_check(&s->text, err) == WA_OK ? wa_buf_check(json, err) : err->code;
}

static void all_of_it_is_shown(void **state)
{
    struct shown s = {.longest = 0};
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err err = WA_ERR_INIT;
    char name[64];
    WA_UNUSED(state);
    wa_buf_init(&s.text, 1u << 20);
    wa_buf_init(&json, 1u << 20);
    check_ok(edit(&s, &json, &err), &err, "edit");
    struct wa_sv text = wa_buf_sv(&s.text);
    static const char *const lines[] = {"Version: 1 → 2\n",
                                        "Signatures needed: 2 → 1\n",
                                        "): has not signed  [removed]\n",
                                        "Signer: Dave (",
                                        ")  [new]\n",
                                        ")  [changed]\n",
                                        "    groups: tis-paris  [before]\n",
                                        "    sections: base,group  [before]\n",
                                        "    actions: none  [changed]\n",
                                        "    units: none\n"};
    for (size_t i = 0; i < WA_COUNT(lines); i++)
        if (!wa_sv_has(text, wa_sv(lines[i])))
            fail_msg("'%s' is not shown in:\n%s", lines[i], wa_buf_str(&s.text));
    for (int i = 0; i < 63; i++) {
        (void)snprintf(name, sizeof name, "group-%03d-of-a-house", i);
        assert_true(wa_sv_has(text, wa_sv(name)));
    }
    assert_true(wa_sv_has(text, WA_SV(",*\n")));
    assert_true(s.longest < 400); /* what the terminal shows of a line */
    static const char *const changes[] = {"\"change\":\"new\"", "\"change\":\"changed\"",
                                          "\"change\":\"removed\"", "\"change\":\"same\""};
    for (size_t i = 0; i < WA_COUNT(changes); i++)
        assert_true(wa_sv_has(wa_buf_sv(&json), wa_sv(changes[i])));
    wa_buf_fini(&s.text);
}

/* A name of any length pushes no fingerprint, and no mark, out of sight. */
static void a_long_name_hides_nothing(void **state)
{
    WA_AUTO(wa_root) struct wa_root *old = NULL;
    WA_AUTO(wa_root) struct wa_root *draft = NULL;
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    struct shown s = {.longest = 0};
    struct wa_err err = WA_ERR_INIT;
    struct wa_cert_request what = {
        .cn = "Alice, who has administered this repository for many a long year",
        .days = 100,
        .path_length = -1};
    WA_UNUSED(state);
    wa_buf_init(&s.text, 1u << 20);
    check_ok(wa_cert_issue(&what, people.keys[DAVE], NULL, NULL, &c, &err), &err, "certificate");
    check_ok(wa_root_read(wa_buf_sv(&first), &old, &err), &err, "root");
    check_ok(wa_root_next(old, &draft, &err), &err, "next");
    check_ok(wa_certs_add(&draft->administrators, c, &err), &err, "add");
    check_ok(wa_root_say(draft, old, show, &s, &err), &err, "say");
    assert_true(wa_sv_has(wa_buf_sv(&s.text), wa_sv(wa_cert_fingerprint(c))));
    assert_true(s.longest < 400);
    wa_buf_fini(&s.text);
}

static void what_can_not_be(void **state)
{
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    struct wa_err err = WA_ERR_INIT;
    struct wa_root_signer s = {.cert = people.certs[DAVE], .may_sign_code = true};
    WA_UNUSED(state);
    check_ok(wa_root_read(wa_buf_sv(&first), &r, &err), &err, "root");
    assert_int_equal(wa_root_put_signer(r, &s, &err), WA_E_USAGE); /* not for code */
    assert_int_equal(r->signer_count, 2);
    wa_err_clear(&err);
    assert_int_equal(wa_root_check_after(r, r, &err), WA_E_REFUSED);
    wa_err_clear(&err);
    check_ok(wa_root_check_after(NULL, r, &err), &err, "alone");
    wa_root_clear_timestamp_keys(r);
    assert_int_equal(wa_root_add_timestamp_key(r, WA_SV("no key"), &err), WA_E_INVALID);
    assert_int_equal(r->timestamp_key_count, 0);
    wa_root_clear_signers(r);
    assert_int_equal(r->signer_count, 0);
}

static enum wa_code edit_tortured(void *arg, struct wa_err *err)
{
    struct shown s = {.longest = 0};
    WA_AUTO_BUF struct wa_buf json;
    WA_UNUSED(arg);
    wa_buf_init(&s.text, 1u << 20);
    wa_buf_init(&json, 1u << 20);
    enum wa_code code = edit(&s, &json, err);
    wa_buf_fini(&s.text);
    return code;
}

static void without_memory(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(edit_tortured, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_shown), cmocka_unit_test(a_long_name_hides_nothing),
        cmocka_unit_test(what_can_not_be), cmocka_unit_test(without_memory)};
    people_make(&people);
    root_make(&people, (struct root_what){.version = 1}, &first);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wa_buf_fini(&first);
    people_free(&people);
    return failed;
}
