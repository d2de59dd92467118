/* ldap_login.c - who somebody is to a directory: a name and a password in, yes or no and groups
 * out.
 *
 * In Active Directory a login name can be another account's too (a user principal name that
 * somebody gave himself), so the account that has the name must be the one whose token the
 * connection has, and groups are judged by that token alone. Elsewhere the entry is found first, by
 * its uid, and its own name is bound.
 */
#include "net/ldap_priv.h"

#include "base/mem.h"
#include "os/clock.h"

#define AD_CAPABILITY "1.2.840.113556.1.4.800"
#define NAME_MAX_BYTES 256u
#define DN_MAX 2048u
#define FILTER_MAX (64u << 10)

struct login {
    struct wa_ldap conn;
    const struct wa_ldap_where *where;
    const struct wa_ldap_question *q;
    struct wa_ldap_answer *a;
    char domain[NAME_MAX_BYTES]; /* "ad.example.com", of the base's DC parts; "": it has none */
    struct wa_sv root;           /* the domain's own DN: those parts */
    struct wa_sv name;           /* the bare one */
    char bind_name[2 * NAME_MAX_BYTES];
    bool is_ad;
    bool is_disabled; /* or has expired */
    /* what searches found */
    size_t found;
    char dn[DN_MAX];
    struct wa_sv own_sid;
    char sid[WA_LDAP_SID_MAX];
    struct wa_buf token; /* SIDs, each after a byte that says its length */
};

static enum wa_code refuse(struct login *g, const char *why)
{
    g->a->is_right = false;
    (void)snprintf(g->a->reason, sizeof g->a->reason, "%s", why);
    return WA_OK;
}

/* --- names --- */

/* What no account's name has (MS-SAMR, 3.1.1.6), and what would make the name a DN. */
static bool is_plain(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ||
            strchr("\"/\\[]:;|=,+*?<>@()", s.p[i]) != NULL)
            return false;
    return s.n > 0 && s.n < NAME_MAX_BYTES;
}

/* The DC parts at the end of the base. */
static void find_domain(struct login *g)
{
    struct wa_sv base = wa_sv(g->where->base), rest = base, part;
    size_t n = 0;
    while (wa_sv_split(&rest, ',', &part)) {
        struct wa_sv dc = wa_sv_trim(part);
        bool is_dc = dc.n > 3 && wa_sv_ieqs(wa_sv_sub(dc, 0, 3), "dc=");
        struct wa_sv value = wa_sv_sub(dc, 3, dc.n);
        if (!is_dc || n + value.n + 2 > sizeof g->domain) {
            n = 0;
            continue;
        }
        if (n == 0)
            g->root = wa_sv_sub(base, (size_t)(part.p - base.p), base.n);
        n += (size_t)snprintf(g->domain + n, sizeof g->domain - n, "%s%.*s", n > 0 ? "." : "",
                              WA_SV_ARG(value));
    }
    if (n == 0) {
        g->domain[0] = '\0';
        g->root = base;
    }
}

/* Takes the person's name apart. False: it is none that can be asked for. */
static bool read_name(struct login *g)
{
    struct wa_sv user = wa_sv(g->q->user), prefix = WA_SV(""), suffix = WA_SV("");
    size_t at;
    g->name = user;
    if (wa_sv_chr(user, '\\', &at)) {
        prefix = wa_sv_sub(user, 0, at);
        g->name = wa_sv_sub(user, at + 1, user.n);
        if (!is_plain(prefix))
            return false;
    } else if (wa_sv_chr(user, '@', &at)) {
        suffix = wa_sv_sub(user, at + 1, user.n);
        g->name = wa_sv_sub(user, 0, at);
        if (g->domain[0] == '\0' || !wa_sv_ieqs(suffix, g->domain))
            return false;
    }
    if (prefix.n > 0) /* the directory judges whether the domain is its own */
        (void)snprintf(g->bind_name, sizeof g->bind_name, "%.*s\\%.*s", WA_SV_ARG(prefix),
                       WA_SV_ARG(g->name));
    else
        (void)snprintf(g->bind_name, sizeof g->bind_name, "%.*s@%s", WA_SV_ARG(g->name), g->domain);
    return is_plain(g->name);
}

/* --- binding --- */

/* AD says why in its message, as "... data 52e, v4563". */
static const char *why_wrong(struct wa_sv text)
{
    static const struct {
        const char *code, *why;
    } known[] = {{"data 530", "this person may not log in now"},
                 {"data 531", "this person may not log in from here"},
                 {"data 532", "the password has expired"},
                 {"data 533", "the account is disabled"},
                 {"data 701", "the account has expired"},
                 {"data 773", "the password must be changed first"},
                 {"data 775", "the account is locked"}};
    for (size_t i = 0; i < WA_COUNT(known); i++)
        for (size_t at = 0; at < text.n; at++)
            if (wa_sv_starts(wa_sv_sub(text, at, text.n), known[i].code))
                return known[i].why;
    return "the directory refuses this name and password";
}

static enum wa_code bind_as(struct login *g, struct wa_sv name, struct wa_err *err)
{
    struct wa_ldap_result r;
    if (wa_ldap_bind(&g->conn, name, g->q->password, &r, err) != WA_OK)
        return err->code;
    g->a->is_right = r.code == WA_LDAP_SUCCESS;
    if (g->a->is_right)
        return WA_OK;
    if (r.code == WA_LDAP_WRONG || r.code == WA_LDAP_INAPPROPRIATE || r.code == WA_LDAP_UNWILLING ||
        r.code == WA_LDAP_NO_OBJECT)
        return refuse(g, why_wrong(r.text));
    return wa_fail(err, WA_E_FAILED, "the directory can't check a password (result %d)",
                   (int)r.code);
}

/* --- searches --- */

static enum wa_code search(struct login *g, const struct wa_ldap_search *s, wa_ldap_entry_fn fn,
                           bool *ret_is_many, struct wa_err *err)
{
    int32_t result = WA_LDAP_SUCCESS;
    g->found = 0;
    if (wa_ldap_search(&g->conn, s, fn, g, &result, err) != WA_OK)
        return err->code;
    *ret_is_many = result == WA_LDAP_SIZE_EXCEEDED || g->found > 1;
    if (result == WA_LDAP_SUCCESS || result == WA_LDAP_SIZE_EXCEEDED || result == WA_LDAP_NO_OBJECT)
        return WA_OK;
    return wa_fail(err, WA_E_FAILED,
                   "the directory refuses a search below '%.*s' (result %d): see its rights, and "
                   "ldap_auth_base_dn",
                   WA_SV_ARG(s->base), (int)result);
}

static enum wa_code take_kind(void *user, const struct wa_ldap_entry *e, struct wa_err *err)
{
    struct login *g = user;
    struct wa_sv value;
    WA_UNUSED(err);
    for (size_t i = 0; wa_ldap_value(e, "supportedCapabilities", i, &value); i++)
        g->is_ad = g->is_ad || wa_sv_eqs(value, AD_CAPABILITY);
    return WA_OK;
}

static enum wa_code take_token(void *user, const struct wa_ldap_entry *e, struct wa_err *err)
{
    struct login *g = user;
    struct wa_sv sid;
    for (size_t i = 0; wa_ldap_value(e, "tokenGroups", i, &sid); i++) {
        if (sid.n == 0 || sid.n > WA_LDAP_SID_MAX)
            return wa_fail(err, WA_E_INVALID, "the directory's token is not one");
        wa_buf_addc(&g->token, (char)sid.n);
        wa_buf_addsv(&g->token, sid);
    }
    return wa_buf_check(&g->token, err);
}

static bool is_in_token(const struct login *g, struct wa_sv sid)
{
    struct wa_sv rest = wa_buf_sv(&g->token);
    while (rest.n > 0) {
        size_t n = (unsigned char)rest.p[0];
        if (wa_sv_eq(wa_sv_sub(rest, 1, n), sid))
            return true;
        rest = wa_sv_sub(rest, 1 + n, rest.n);
    }
    return false;
}

#define AD_DISABLED 2            /* of userAccountControl: MS-ADTS 2.2.16 */
#define AD_EPOCH_S 11644473600LL /* s from 1601 to 1970 */
#define AD_TICKS 10000000        /* of accountExpires, a second */

/* Of AD, and what other servers have: 389's, and the shadow's days. Absent: it may. */
static bool says_disabled(const struct wa_ldap_entry *e)
{
    struct wa_sv text;
    int64_t n = 0, now = wa_clock_now();
    if (wa_ldap_value(e, "userAccountControl", 0, &text) &&
        (!wa_sv_i64(text, &n) || (n & AD_DISABLED) != 0))
        return true;
    if (wa_ldap_value(e, "accountExpires", 0, &text) &&
        (!wa_sv_i64(text, &n) || (n > 0 && n < INT64_MAX && n / AD_TICKS - AD_EPOCH_S <= now)))
        return true;
    if (wa_ldap_value(e, "nsAccountLock", 0, &text) && wa_sv_ieqs(text, "true"))
        return true;
    return wa_ldap_value(e, "shadowExpire", 0, &text) &&
           (!wa_sv_i64(text, &n) || (n >= 0 && n <= now / 86400));
}

static enum wa_code take_person(void *user, const struct wa_ldap_entry *e, struct wa_err *err)
{
    struct login *g = user;
    struct wa_sv sid = WA_SV("");
    if (e->dn.n >= sizeof g->dn)
        return wa_fail(err, WA_E_LIMIT, "the directory's name of a person is too long");
    (void)snprintf(g->dn, sizeof g->dn, "%.*s", WA_SV_ARG(e->dn));
    (void)wa_ldap_value(e, "objectSid", 0, &sid);
    if (sid.n > sizeof g->sid)
        return wa_fail(err, WA_E_INVALID, "the directory's SID is not one");
    if (sid.n > 0)
        memcpy(g->sid, sid.p, sid.n);
    g->own_sid = wa_sv_n(g->sid, sid.n);
    g->is_disabled = says_disabled(e);
    g->found++;
    return WA_OK;
}

/* A group that was asked for, whichever attribute has its name. */
static enum wa_code take_group(void *user, const struct wa_ldap_entry *e, struct wa_err *err)
{
    struct login *g = user;
    struct wa_sv name, sid = WA_SV("");
    WA_UNUSED(err);
    if (g->is_ad && (!wa_ldap_value(e, "objectSid", 0, &sid) || !is_in_token(g, sid)))
        return WA_OK;
    const char *attribute = g->is_ad ? "sAMAccountName" : "cn";
    for (size_t k = 0; wa_ldap_value(e, attribute, k, &name); k++)
        for (size_t i = 0; i < WA_AUTH_GROUPS_MAX && g->q->groups[i] != NULL; i++)
            if (wa_sv_ieqs(name, g->q->groups[i]))
                g->a->in_group[i] = true;
    return WA_OK;
}

static void any_of(struct wa_buf *f, const char *attribute, const char *const *values)
{
    size_t at = wa_ber_begin(f, WA_LDAP_OR);
    for (size_t i = 0; values[i] != NULL; i++)
        wa_ldap_equal(f, attribute, wa_sv(values[i]));
    wa_ber_end(f, at);
}

static enum wa_code find_groups(struct login *g, struct wa_err *err)
{
    static const char *const attributes[] = {"sAMAccountName", "objectSid", "cn", NULL};
    static const char *const kinds[] = {"groupOfNames", "groupOfUniqueNames", "posixGroup", NULL};
    bool ignored = false;
    WA_AUTO_BUF struct wa_buf f;
    wa_buf_init(&f, FILTER_MAX);
    if (g->q->groups == NULL || g->q->groups[0] == NULL)
        return WA_OK;
    size_t all = wa_ber_begin(&f, WA_LDAP_AND);
    any_of(&f, g->is_ad ? "sAMAccountName" : "cn", g->q->groups);
    if (g->is_ad) {
        wa_ldap_equal(&f, "objectClass", WA_SV("group"));
    } else {
        any_of(&f, "objectClass", kinds);
        size_t any = wa_ber_begin(&f, WA_LDAP_OR);
        wa_ldap_equal(&f, "member", wa_sv(g->dn));
        wa_ldap_equal(&f, "uniqueMember", wa_sv(g->dn));
        wa_ldap_equal(&f, "memberUid", g->name);
        wa_ber_end(&f, any);
    }
    wa_ber_end(&f, all);
    if (wa_buf_check(&f, err) != WA_OK)
        return err->code;
    const struct wa_ldap_search s = {g->root, true, wa_buf_sv(&f), attributes,
                                     (int32_t)WA_LDAP_ENTRIES_MAX};
    return search(g, &s, take_group, &ignored, err);
}

static enum wa_code find_person(struct login *g, bool *ret_is_many, struct wa_err *err)
{
    static const char *const attributes[] = {
        "objectSid", "userAccountControl", "accountExpires", "nsAccountLock", "shadowExpire", NULL};
    WA_AUTO_BUF struct wa_buf f;
    wa_buf_init(&f, FILTER_MAX);
    size_t all = wa_ber_begin(&f, WA_LDAP_AND);
    wa_ldap_equal(&f, g->is_ad ? "sAMAccountName" : "uid", g->name);
    if (g->is_ad)
        wa_ldap_equal(&f, "objectClass", WA_SV("user"));
    wa_ber_end(&f, all);
    if (wa_buf_check(&f, err) != WA_OK)
        return err->code;
    const struct wa_ldap_search s = {wa_sv(g->where->base), true, wa_buf_sv(&f), attributes, 2};
    return search(g, &s, take_person, ret_is_many, err);
}

/* --- the two kinds of directory --- */

static enum wa_code login_ad(struct login *g, struct wa_err *err)
{
    static const char *const token[] = {"tokenGroups", NULL};
    const struct wa_ldap_search own = {WA_SV(""), false, WA_SV(""), token, 1};
    bool is_many = false;
    if (g->domain[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "ldap_auth_base_dn names no domain: write it as DC=ad,DC=example,DC=com");
    if (bind_as(g, wa_sv(g->bind_name), err) != WA_OK || !g->a->is_right)
        return err->code;
    g->a->is_right = false; /* until it is clear who that was */
    if (search(g, &own, take_token, &is_many, err) != WA_OK ||
        find_person(g, &is_many, err) != WA_OK)
        return err->code;
    if (g->found != 1 || is_many)
        return refuse(g, "there is no such account below ldap_auth_base_dn");
    if (g->own_sid.n == 0 || !is_in_token(g, g->own_sid))
        return refuse(g, "the password is of another account than the one of that name");
    g->a->is_right = true;
    return find_groups(g, err);
}

static enum wa_code login_other(struct login *g, struct wa_err *err)
{
    bool is_many = false;
    size_t at;
    if (wa_sv_chr(wa_sv(g->q->user), '\\', &at))
        return refuse(g, "this directory knows no names with a domain in front");
    if (find_person(g, &is_many, err) != WA_OK)
        return err->code;
    if (g->found != 1 || is_many || g->dn[0] == '\0')
        return refuse(g, g->found == 0 ? "there is no such person below ldap_auth_base_dn"
                                       : "several people have that name");
    if (bind_as(g, wa_sv(g->dn), err) != WA_OK || !g->a->is_right)
        return err->code;
    return find_groups(g, err);
}

/* Names go from one account to another; what numbers them does not. */
static bool has_sid(const struct login *g)
{
    WA_AUTO_BUF struct wa_buf asked;
    wa_buf_init(&asked, WA_LDAP_SID_MAX);
    if (g->q->sid == NULL)
        return true;
    return wa_ldap_sid(g->q->sid, &asked) && asked.n > 0 && wa_sv_eq(wa_buf_sv(&asked), g->own_sid);
}

/* Of somebody who is not here: the account that may ask is bound, and its own entry says all. */
static enum wa_code check(struct login *g, struct wa_err *err)
{
    static const char *const token[] = {"tokenGroups", NULL};
    bool is_many = false;
    if (wa_ldap_bind_account(&g->conn, g->where, err) != WA_OK ||
        find_person(g, &is_many, err) != WA_OK)
        return err->code;
    if (g->found != 1 || is_many || g->dn[0] == '\0')
        return refuse(g, g->found == 0 ? "there is no such person below ldap_auth_base_dn any more"
                                       : "several people have that name");
    if (!has_sid(g))
        return refuse(g, "the account of that name is another one than is asked for");
    if (g->is_disabled)
        return refuse(g, "the account is disabled, or has expired");
    const struct wa_ldap_search own = {wa_sv(g->dn), false, WA_SV(""), token, 1};
    if (g->is_ad && search(g, &own, take_token, &is_many, err) != WA_OK)
        return err->code;
    g->a->is_right = true;
    return find_groups(g, err);
}

static enum wa_code talk(struct login *g, struct wa_err *err)
{
    static const char *const kind[] = {"supportedCapabilities", NULL};
    const struct wa_ldap_search root = {WA_SV(""), false, WA_SV(""), kind, 1};
    bool ignored = false;
    if (wa_ldap_open(g->where, wa_clock_mono_ms() + WA_LDAP_TIMEOUT_MS, &g->conn, err) != WA_OK)
        return err->code;
    if (search(g, &root, take_kind, &ignored, err) != WA_OK)
        return wa_wrap(err, "asking the directory what it is");
    if (g->q->is_check)
        return check(g, err);
    return g->is_ad ? login_ad(g, err) : login_other(g, err);
}

enum wa_code wa_ldap_login(const struct wa_ldap_where *where,
                           const struct wa_ldap_question *question, struct wa_ldap_answer *ret,
                           struct wa_err *err)
{
    struct wa_ldap_answer answer = {.is_right = false};
    struct login g = {.conn = WA_LDAP_INIT, .where = where, .q = question, .a = &answer};
    size_t groups = 0;
    while (question->groups != NULL && question->groups[groups] != NULL)
        groups++;
    if (groups > WA_AUTH_GROUPS_MAX)
        return wa_fail(err, WA_E_USAGE, "more than %u groups at once", WA_AUTH_GROUPS_MAX);
    find_domain(&g);
    enum wa_code code = WA_OK;
    wa_buf_init(&g.token, WA_LDAP_MESSAGE_MAX);
    if (question->is_check && (where->account == NULL || where->account_password.n == 0))
        code = wa_fail(err, WA_E_CONFIG, "nobody may ask the directory about others");
    else if (!question->is_check &&
             (question->password.n == 0 || question->password.n > WA_PAM_PASSWORD_MAX))
        code = refuse(&g, "an empty or very long password");
    else if (!read_name(&g))
        code = refuse(&g, "a name that can't be one, or of another domain");
    else
        code = talk(&g, err);
    wa_ldap_close(&g.conn);
    wa_buf_fini(&g.token);
    if (code == WA_OK)
        *ret = answer;
    return code;
}
