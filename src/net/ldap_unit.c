/* ldap_unit.c - whether a machine's account stands in an organisational unit of the directory, or
 * below it.
 *
 * The directory itself judges: the unit is where the search begins. The account is asked for by its
 * SID, which travels as bytes; no name is compared, so one that was moved or renamed is found where
 * it is now.
 */
#include "net/ldap_priv.h"

#include "os/clock.h"

#define PARTS_MAX 15u

bool wa_ldap_sid(const char *text, struct wa_buf *out)
{
    struct wa_sv rest = wa_sv(text), part;
    uint64_t authority = 0, parts[PARTS_MAX];
    size_t n = 0;
    if (!wa_sv_starts(rest, "S-1-"))
        return false;
    rest = wa_sv_sub(rest, 4, rest.n);
    if (!wa_sv_split(&rest, '-', &part) || !wa_sv_u64(part, &authority) || authority >> 48 != 0)
        return false;
    while (rest.n > 0 && wa_sv_split(&rest, '-', &part))
        if (n == PARTS_MAX || !wa_sv_u64(part, &parts[n]) || parts[n++] > UINT32_MAX)
            return false;
    wa_buf_addc(out, 1);
    wa_buf_addc(out, (char)n);
    for (int shift = 40; shift >= 0; shift -= 8)
        wa_buf_addc(out, (char)(authority >> shift & 0xff));
    for (size_t i = 0; i < n; i++)
        wa_buf_u32le(out, (uint32_t)parts[i]);
    return n > 0;
}

static enum wa_code count_one(void *user, const struct wa_ldap_entry *e, struct wa_err *err)
{
    size_t *n = user;
    WA_UNUSED(e);
    WA_UNUSED(err);
    (*n)++;
    return WA_OK;
}

enum wa_code wa_ldap_bind_account(struct wa_ldap *l, const struct wa_ldap_where *where,
                                  struct wa_err *err)
{
    struct wa_ldap_result r;
    if (wa_ldap_bind(l, wa_sv(where->account), where->account_password, &r, err) != WA_OK)
        return err->code;
    return r.code == WA_LDAP_SUCCESS
               ? WA_OK
               : wa_fail(err, WA_E_CONFIG,
                         "the directory refuses the account that asks about others (result %d): "
                         "see ldap_check_account and its password",
                         (int)r.code);
}

static enum wa_code find(struct wa_ldap *l, struct wa_sv sid, const char *unit, bool *ret,
                         struct wa_err *err)
{
    static const char *const attributes[] = {"objectSid", NULL};
    WA_AUTO_BUF struct wa_buf f;
    int32_t result = WA_LDAP_SUCCESS;
    size_t n = 0;
    wa_buf_init(&f, 4096);
    size_t all = wa_ber_begin(&f, WA_LDAP_AND);
    wa_ldap_equal(&f, "objectSid", sid);
    wa_ldap_equal(&f, "objectClass", WA_SV("computer"));
    wa_ber_end(&f, all);
    const struct wa_ldap_search s = {wa_sv(unit), true, wa_buf_sv(&f), attributes, 2};
    if (wa_buf_check(&f, err) != WA_OK ||
        wa_ldap_search(l, &s, count_one, &n, &result, err) != WA_OK)
        return err->code;
    if (result == WA_LDAP_NO_OBJECT)
        return wa_fail(err, WA_E_CONFIG, "the directory has no unit '%s' (kerberos_unit)", unit);
    if (result != WA_LDAP_SUCCESS)
        return wa_fail(err, WA_E_FAILED, "the directory refuses a search below '%s' (result %d)",
                       unit, (int)result);
    *ret = n == 1;
    return WA_OK;
}

enum wa_code wa_ldap_is_below(const struct wa_ldap_where *where, const char *sid, const char *unit,
                              bool *ret, struct wa_err *err)
{
    struct wa_ldap l = WA_LDAP_INIT;
    WA_AUTO_BUF struct wa_buf bytes;
    wa_buf_init(&bytes, WA_LDAP_SID_MAX);
    if (where->account == NULL || where->account_password.n == 0)
        return wa_fail(err, WA_E_CONFIG, "nobody may ask the directory about others");
    if (!wa_ldap_sid(sid, &bytes) || wa_buf_check(&bytes, err) != WA_OK)
        return wa_fail(err, WA_E_DENIED, "'%s' is no account's SID", sid);
    if (wa_ldap_open(where, wa_clock_mono_ms() + WA_LDAP_TIMEOUT_MS, &l, err) == WA_OK &&
        wa_ldap_bind_account(&l, where, err) == WA_OK)
        (void)find(&l, wa_buf_sv(&bytes), unit, ret, err);
    wa_ldap_close(&l);
    return err->code;
}
