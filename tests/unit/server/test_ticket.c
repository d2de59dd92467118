/* F1A: which machine a ticket proves, by what the directory says of the account. */
#include "testlib.h"

#include "base/buf.h"
#include "server/pac.h"
#include "server/ticket.h"

#define DOMAIN_SID "S-1-5-21-1-2-3"

struct account {
    const char *name;
    uint32_t flags;
};

static void text_head(struct wa_buf *b, const char *s)
{
    uint16_t n = (uint16_t)(2 * strlen(s));
    wa_buf_u16le(b, n);
    wa_buf_u16le(b, n);
    wa_buf_u32le(b, 0x20000);
}

static void text_body(struct wa_buf *b, const char *s)
{
    uint32_t n = (uint32_t)strlen(s);
    wa_buf_u32le(b, n);
    wa_buf_u32le(b, 0);
    wa_buf_u32le(b, n);
    for (uint32_t i = 0; i < n; i++)
        wa_buf_u16le(b, (uint8_t)s[i]);
    while (b->n % 4 != 0)
        wa_buf_addc(b, '\0');
}

static void sid_body(struct wa_buf *b, uint32_t last)
{
    const uint32_t parts[] = {21, 1, 2, 3, last};
    uint32_t n = last == 0 ? 4 : 5;
    wa_buf_u32le(b, n);
    wa_buf_addc(b, 1);
    wa_buf_addc(b, (char)n);
    wa_buf_add(b, "\0\0\0\0\0\x05", 6);
    for (uint32_t i = 0; i < n; i++)
        wa_buf_u32le(b, parts[i]);
}

static void words(struct wa_buf *b, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++)
        wa_buf_u32le(b, value);
}

/* As a domain controller makes it: RID 1103, primary group 515, groups 515 and 2001, extra 4001. */
static void make_pac(const struct account *a, struct wa_buf *b)
{
    wa_buf_init(b, 65536);
    wa_buf_add(b, "\x01\x10\x08\x00\xcc\xcc\xcc\xcc", 8);
    words(b, 2, 0); /* length, filled in below */
    wa_buf_u32le(b, 0x20000);
    words(b, 12, 0); /* times */
    text_head(b, a->name);
    for (int i = 0; i < 5; i++)
        text_head(b, "");
    words(b, 1, 0);
    wa_buf_u32le(b, 1103);
    wa_buf_u32le(b, 515);
    wa_buf_u32le(b, 2);
    wa_buf_u32le(b, 0x20004);
    words(b, 5, 0);
    text_head(b, "DC1");
    text_head(b, "TEST");
    wa_buf_u32le(b, 0x20008);
    words(b, 2, 0);
    wa_buf_u32le(b, a->flags);
    words(b, 7, 0);
    wa_buf_u32le(b, 1);
    wa_buf_u32le(b, 0x2000c);
    words(b, 3, 0); /* no groups of the resource's domain */
    text_body(b, a->name);
    for (int i = 0; i < 5; i++)
        text_body(b, "");
    wa_buf_u32le(b, 2);
    const uint32_t rids[] = {515, 2001};
    for (size_t i = 0; i < 2; i++) {
        wa_buf_u32le(b, rids[i]);
        wa_buf_u32le(b, 7);
    }
    text_body(b, "DC1");
    text_body(b, "TEST");
    sid_body(b, 0);
    wa_buf_u32le(b, 1);
    wa_buf_u32le(b, 0x20010);
    wa_buf_u32le(b, 7);
    sid_body(b, 4001);
    b->p[8] = (char)((b->n - 16) & 0xff);
    b->p[9] = (char)((b->n - 16) >> 8);
}

static const struct rule {
    const char *principal;
    struct account account; /* name NULL: the ticket has no PAC */
    const char *group, *names_prove;
    bool is_known_realm;
    const char *refusal; /* NULL: a machine */
} rules[] = {
    {"PC001$@AD.TEST", {"PC001$", 0x80}, "", "", true, NULL},
    {"pc001$@AD.TEST", {"PC001$", 0x80}, "", "", true, NULL},
    {"DC1$@AD.TEST", {"DC1$", 0x100}, "", "", true, NULL},
    {"evil$@AD.TEST", {"evil$", 0x10}, "", "", true, "is no machine's"},
    {"alice@AD.TEST", {"alice", 0x10}, "", "", true, "is no machine's"},
    {"PC001$@AD.TEST", {"PC001$", 0x81}, "", "", true, "is disabled"},
    {"PC001$@AD.TEST", {"PC002$", 0x80}, "", "", true, "says it is the account"},
    {"PC001@AD.TEST", {"PC001", 0x80}, "", "", true, "says it is the account"},
    {"PC001$@AD.TEST", {"PC001$", 0x80}, DOMAIN_SID "-2001", "", true, NULL},
    {"PC001$@AD.TEST", {"PC001$", 0x80}, DOMAIN_SID "-515", "", true, NULL},
    {"PC001$@AD.TEST", {"PC001$", 0x80}, DOMAIN_SID "-4001", "", true, NULL},
    {"PC001$@AD.TEST", {"PC001$", 0x80}, DOMAIN_SID "-1103", "", true, "is not in the group"},
    {"PC001$@AD.TEST", {"PC001$", 0x80}, "S-1-5-21-9-2-3-2001", "", true, "is not in the group"},
    {"PC001$@EVIL.TEST", {"PC001$", 0x80}, "", "", false, "don't count here"},
    {"PC001$@TRUSTED.TEST", {"PC001$", 0x80}, "", "", false, NULL},
    {"PC001$@MIT.TEST", {NULL, 0}, "", "", true, "no PAC"},
    {"PC001$@MIT.TEST", {NULL, 0}, "", "MIT.TEST", true, NULL},
    {"host/pc001.mit.test@MIT.TEST", {NULL, 0}, "", "MIT.TEST", true, NULL},
    {"alice@MIT.TEST", {NULL, 0}, "", "MIT.TEST", true, "no machine's name"},
    {"HTTP/pc001.mit.test@MIT.TEST", {NULL, 0}, "", "MIT.TEST", true, "no machine's name"},
    {"host/a/b@MIT.TEST", {NULL, 0}, "", "MIT.TEST", true, "no machine's name"},
    {"$@MIT.TEST", {NULL, 0}, "", "MIT.TEST", true, "no machine's name"},
    {"PC001$@MIT.TEST", {NULL, 0}, "S-1-5-21-1-2-3-4", "MIT.TEST", true, "names no groups"},
    {"PC\\@001$@MIT.TEST", {NULL, 0}, "", "MIT.TEST", true, "no principal"},
};

static void which_machine(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(rules); i++) {
        const struct rule *r = &rules[i];
        const struct wa_ticket_rules how = {"TRUSTED.TEST", r->group, r->names_prove};
        struct wa_ticket_account m;
        struct wa_err err = WA_ERR_INIT;
        WA_AUTO_BUF struct wa_buf pac;
        wa_buf_init(&pac, 0);
        if (r->account.name != NULL)
            make_pac(&r->account, &pac);
        enum wa_code code = wa_ticket_judge(&how, wa_sv(r->principal), wa_buf_sv(&pac),
                                            r->is_known_realm, &m, &err);
        if ((code == WA_OK) != (r->refusal == NULL) ||
            (r->refusal != NULL && strstr(err.text, r->refusal) == NULL))
            fail_msg("%zu '%s': %s '%s'", i, r->principal, wa_code_name(code), err.text);
        if (code == WA_OK && r->account.name != NULL)
            assert_string_equal(m.account, DOMAIN_SID "-1103");
        if (code == WA_OK && r->account.name == NULL)
            assert_string_equal(m.account, r->principal);
    }
}

static const struct {
    const char *principal;
    struct account account;
    bool is_known_realm;
    const char *refusal; /* NULL: a person */
} people[] = {
    {"alice@AD.TEST", {"alice", 0x10}, true, NULL},
    {"ALICE@AD.TEST", {"alice", 0x10}, true, NULL},
    {"alice@AD.TEST", {"alice", 0x11}, true, "is disabled"},
    {"alice@AD.TEST", {"bob", 0x10}, true, "says it is the account"},
    {"alice@TRUSTED.TEST", {"alice", 0x10}, false, "don't log in here"},
    {"alice@MIT.TEST", {NULL, 0}, true, "no PAC"},
    {"PC001$@AD.TEST", {"PC001$", 0x80}, true, "is no person's"},
    {"alice@AD.TEST", {"alice", 0x90}, true, "is no person's"},
    {"DC1$@AD.TEST", {"DC1$", 0x100}, true, "is no person's"},
    {"OTHER$@AD.TEST", {"OTHER$", 0x40}, true, "is no person's"},
    {"alice@AD.TEST", {"alice", 0}, true, "is no person's"},
    {"alice", {"alice", 0x10}, true, "no principal"},
    {"alice@", {"alice", 0x10}, true, "no principal"},
    {"al\\@ice@AD.TEST", {"alice", 0x10}, true, "no principal"},
};

static void which_person(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(people); i++) {
        struct wa_ticket_account m;
        struct wa_err err = WA_ERR_INIT;
        WA_AUTO_BUF struct wa_buf pac;
        wa_buf_init(&pac, 0);
        if (people[i].account.name != NULL)
            make_pac(&people[i].account, &pac);
        enum wa_code code = wa_ticket_judge_person(wa_sv(people[i].principal), wa_buf_sv(&pac),
                                                   people[i].is_known_realm, &m, &err);
        if ((code == WA_OK) != (people[i].refusal == NULL) ||
            (people[i].refusal != NULL && strstr(err.text, people[i].refusal) == NULL))
            fail_msg("'%s': %s '%s'", people[i].principal, wa_code_name(code), err.text);
        if (code != WA_OK)
            continue;
        assert_string_equal(m.name, "alice");
        assert_string_equal(m.realm, "AD.TEST");
        assert_string_equal(m.account, DOMAIN_SID "-1103");
    }
}

/* Cut at every byte, and with every byte changed: refused or read, never beyond its end. */
static void pacs_that_lie(void **state)
{
    static const struct account machine = {"PC001$", 0x80};
    struct wa_pac p;
    WA_AUTO_BUF struct wa_buf pac;
    WA_UNUSED(state);
    make_pac(&machine, &pac);
    for (size_t n = 0; n < pac.n; n++) {
        struct wa_err err = WA_ERR_INIT;
        char *exact = malloc(n + 1);
        memcpy(exact, pac.p, n);
        assert_int_equal(wa_pac_read(wa_sv_n(exact, n), "", &p, &err), WA_E_INVALID);
        free(exact);
    }
    for (size_t i = 0; i < pac.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct wa_err err = WA_ERR_INIT;
            pac.p[i] ^= (char)(1 << bit);
            (void)!wa_pac_read(wa_buf_sv(&pac), DOMAIN_SID "-2001", &p, &err);
            pac.p[i] ^= (char)(1 << bit);
        }
}

static void names(void **state)
{
    static const struct {
        const char *account, *name;
        bool is_its;
    } all[] = {
        {"PC001", "pc001", true},
        {"PC001", "pc001.ad.test", true},
        {"PC001", "pc0011", false},
        {"PC001", "pc002.ad.test", false},
        {"PC001", "", false},
        {"A-VERY-LONG-NAM", "a-very-long-name.ad.test", true}, /* 15 characters of it */
        {"A-VERY-LONG-NA", "a-very-long-name.ad.test", false},
        {"pc001.mit.test", "pc001.mit.test", true},
        {"pc001.mit.test", "pc001", false},
        {"pc001.mit.test", "pc001.evil.test", false},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(all); i++)
        if (wa_ticket_is_name_of(wa_sv(all[i].account), wa_sv(all[i].name)) != all[i].is_its)
            fail_msg("'%s' and '%s'", all[i].account, all[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_machine),
        cmocka_unit_test(which_person),
        cmocka_unit_test(pacs_that_lie),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
