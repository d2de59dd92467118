/* root.c - reading a root document, and what it allows.
 *
 * Reading judges the form alone. Whether it may be believed is the question of wa_root_check() for
 * one that stands alone, of wa_root_check_next() for one that follows another: nothing else makes a
 * root trusted.
 */
#include "repo/root.h"

#include "base/date.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/hex.h"

/* --- reading --- */

static enum wa_code read_cert(struct wa_sv pem, struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    if (wa_certs_read_pem(pem, 1, &certs, err) != WA_OK)
        return err->code;
    *ret = wa_cert_ref(certs.items[0]);
    return WA_OK;
}

static enum wa_code read_administrators(const struct wa_json *list, struct wa_root *r,
                                        struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        WA_AUTO(wa_cert) struct wa_cert *c = NULL;
        if (!wa_json_is(wa_json_at(list, i), WA_JSON_STRING))
            return wa_fail(err, WA_E_INVALID, "an administrator is no certificate");
        if (read_cert(wa_json_sv(wa_json_at(list, i)), &c, err) != WA_OK ||
            wa_certs_add(&r->administrators, c, err) != WA_OK)
            return wa_wrap(err, "administrator %zu", i + 1);
    }
    return WA_OK;
}

static enum wa_code check_list(const struct wa_json *list, const char *what, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *item = wa_json_at(list, i);
        if (!wa_json_is(item, WA_JSON_STRING) || wa_json_sv(item).n == 0 ||
            wa_json_sv(item).n > WA_NAME_MAX)
            return wa_fail(err, WA_E_INVALID, "'%s' lists something that is no name", what);
    }
    return WA_OK;
}

static enum wa_code read_signer(const struct wa_json *j, struct wa_root *r, struct wa_err *err)
{
    struct wa_root_signer *s = &r->signers[r->signer_count];
    struct wa_sv pem = {NULL, 0};
    const struct wa_json_field fields[] = {
        {"certificate", WA_WANT_SV, true, WA_CERTFILE_BYTES_MAX, &pem},
        {"sections", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &s->sections},
        {"prefixes", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &s->prefixes},
        {"code", WA_WANT_BOOL, true, 0, &s->may_sign_code},
        {"publish", WA_WANT_BOOL, true, 0, &s->may_publish},
        {"actions", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &s->actions},
        {"groups", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &s->groups},
        {"units", WA_WANT_ARRAY, true, WA_ROOT_LIST_MAX, &s->units},
    };
    if (wa_json_read(j, fields, WA_COUNT(fields), "a signer", err) != WA_OK ||
        check_list(s->sections, "sections", err) != WA_OK ||
        check_list(s->prefixes, "prefixes", err) != WA_OK ||
        check_list(s->actions, "actions", err) != WA_OK ||
        check_list(s->groups, "groups", err) != WA_OK ||
        check_list(s->units, "units", err) != WA_OK || read_cert(pem, &s->cert, err) != WA_OK)
        return err->code;
    r->signer_count++;
    for (size_t i = 0; i + 1 < r->signer_count; i++)
        if (wa_cert_equal(r->signers[i].cert, s->cert))
            return wa_fail(err, WA_E_INVALID, "the signer '%s' is listed twice",
                           wa_cert_cn(s->cert));
    return WA_OK;
}

static enum wa_code read_signers(const struct wa_json *list, struct wa_root *r, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (read_signer(wa_json_at(list, i), r, err) != WA_OK)
            return wa_wrap(err, "signer %zu", i + 1);
    return WA_OK;
}

static enum wa_code read_keys(const struct wa_json *list, struct wa_root *r, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_key **key = &r->timestamp_keys[r->timestamp_key_count];
        if (wa_key_read_public_pem(wa_json_sv(wa_json_at(list, i)), key, err) != WA_OK)
            return wa_wrap(err, "timestamp key %zu", i + 1);
        r->timestamp_key_count++;
    }
    return WA_OK;
}

static size_t count_keys(const struct wa_certs *certs)
{
    size_t n = 0;
    for (size_t i = 0; i < certs->n; i++) {
        bool is_first = true;
        for (size_t k = 0; k < i; k++)
            is_first = is_first && !wa_key_equal_public(wa_cert_key(certs->items[k]),
                                                        wa_cert_key(certs->items[i]));
        n += is_first;
    }
    return n;
}

static enum wa_code check_numbers(const struct wa_root *r, int64_t format, struct wa_err *err)
{
    if (format != 1)
        return wa_fail(err, WA_E_INVALID, "format %lld is not known here: a newer version reads it",
                       (long long)format);
    if (!wa_hex_is(wa_sv(r->repository), 32))
        return wa_fail(err, WA_E_INVALID, "'repository' is not 32 hex digits");
    if (r->version < 1 || r->issued < 0 || r->expires <= r->issued)
        return wa_fail(err, WA_E_INVALID, "its version or its dates make no sense");
    if (r->threshold < 1 || (uint64_t)r->threshold > count_keys(&r->administrators))
        return wa_fail(err, WA_E_INVALID,
                       "%lld signatures can't be had of %zu administrators' keys",
                       (long long)r->threshold, count_keys(&r->administrators));
    if (r->published_days < 1 || r->published_days > WA_PUBLISHED_DAYS_MAX ||
        r->timestamp_hours < 1 || r->timestamp_hours > WA_TIMESTAMP_HOURS_MAX)
        return wa_fail(err, WA_E_INVALID,
                       "a published list is good for 1 to %d days, a timestamp for 1 to %d hours",
                       WA_PUBLISHED_DAYS_MAX, WA_TIMESTAMP_HOURS_MAX);
    return WA_OK;
}

static enum wa_code read_text(struct wa_root *r, struct wa_err *err)
{
    struct wa_sv purpose, repository = {NULL, 0};
    const struct wa_json *administrators = NULL, *signers = NULL, *keys = NULL;
    int64_t format = 0;
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"format", WA_WANT_I64, true, 0, &format},
        {"repository", WA_WANT_SV, true, 32, &repository},
        {"version", WA_WANT_I64, true, 0, &r->version},
        {"issued", WA_WANT_I64, true, 0, &r->issued},
        {"expires", WA_WANT_I64, true, 0, &r->expires},
        {"threshold", WA_WANT_I64, true, 0, &r->threshold},
        {"administrators", WA_WANT_ARRAY, true, WA_ROOT_ADMINISTRATORS_MAX, &administrators},
        {"signers", WA_WANT_ARRAY, true, WA_ROOT_SIGNERS_MAX, &signers},
        {"timestamp_keys", WA_WANT_ARRAY, true, WA_ROOT_TIMESTAMP_KEYS_MAX, &keys},
        {"published_days", WA_WANT_I64, true, 0, &r->published_days},
        {"timestamp_hours", WA_WANT_I64, true, 0, &r->timestamp_hours},
    };
    if (wa_json_read(r->document.statement, fields, WA_COUNT(fields), "a root", err) != WA_OK)
        return err->code;
    (void)snprintf(r->repository, sizeof r->repository, "%.*s", WA_SV_ARG(repository));
    if (read_administrators(administrators, r, err) != WA_OK ||
        read_signers(signers, r, err) != WA_OK || read_keys(keys, r, err) != WA_OK)
        return err->code;
    return check_numbers(r, format, err);
}

enum wa_code wa_root_new(struct wa_root **ret, struct wa_err *err)
{
    struct wa_root *r = wa_calloc(1, sizeof *r);
    if (r == NULL)
        return wa_nomem(err);
    wa_arena_init(&r->arena, WA_METADATA_MEMORY_MAX);
    *ret = r;
    return WA_OK;
}

enum wa_code wa_root_read(struct wa_sv json, struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    if (wa_root_new(&r, err) != WA_OK)
        return err->code;
    if (wa_signed_read(json, WA_ROOT_BYTES_MAX, WA_ROOT_PURPOSE, &r->arena, &r->document, err) !=
            WA_OK ||
        read_text(r, err) != WA_OK)
        return wa_wrap(err, "the root document can't be read");
    *ret = WA_TAKE(r);
    return WA_OK;
}

void wa_root_free(struct wa_root *r)
{
    if (r == NULL)
        return;
    wa_certs_fini(&r->administrators);
    for (size_t i = 0; i < WA_COUNT(r->signers); i++)
        wa_cert_free(r->signers[i].cert);
    for (size_t i = 0; i < r->timestamp_key_count; i++)
        wa_key_free(r->timestamp_keys[i]);
    wa_arena_fini(&r->arena);
    wa_free(r);
}

/* --- believing --- */

enum wa_code wa_root_count(const struct wa_root *r, const struct wa_root *by, size_t *ret,
                           struct wa_err *err)
{
    struct wa_signed_key keys[WA_ROOT_ADMINISTRATORS_MAX];
    size_t n = by->administrators.n;
    for (size_t i = 0; i < n; i++) {
        memcpy(keys[i].id, wa_cert_fingerprint(by->administrators.items[i]), sizeof keys[i].id);
        keys[i].key = wa_cert_key(by->administrators.items[i]);
    }
    return wa_signed_count(&r->document, keys, n, ret, err);
}

static enum wa_code check_threshold(const struct wa_root *r, const struct wa_root *by,
                                    struct wa_err *err)
{
    size_t n = 0;
    if (wa_root_count(r, by, &n, err) != WA_OK)
        return err->code;
    if (n < (size_t)by->threshold)
        return wa_fail(err, WA_E_REFUSED,
                       "%zu of the %lld signatures needed by the administrators of version %lld", n,
                       (long long)by->threshold, (long long)by->version);
    return WA_OK;
}

static bool has_key(const struct wa_root *r, const struct wa_key *key)
{
    for (size_t i = 0; i < r->timestamp_key_count; i++)
        if (wa_key_equal_public(r->timestamp_keys[i], key))
            return true;
    return false;
}

/* The server's key can do nothing else, and a repository that nobody can stamp helps nobody. */
static enum wa_code check_online(const struct wa_root *r, struct wa_err *err)
{
    static const char both[] =
        WA_TEXT("the key of '%s' stamps the time as well: what stays on a server may "
                "do nothing else");
    if (r->timestamp_key_count == 0)
        return wa_fail(err, WA_E_REFUSED, "it names no timestamp key");
    for (size_t i = 0; i < r->administrators.n; i++)
        if (has_key(r, wa_cert_key(r->administrators.items[i])))
            return wa_fail(err, WA_E_REFUSED, both, wa_cert_cn(r->administrators.items[i]));
    for (size_t i = 0; i < r->signer_count; i++)
        if (has_key(r, wa_cert_key(r->signers[i].cert)))
            return wa_fail(err, WA_E_REFUSED, both, wa_cert_cn(r->signers[i].cert));
    return WA_OK;
}

enum wa_code wa_root_check(const struct wa_root *r, struct wa_err *err)
{
    if (check_online(r, err) != WA_OK || check_threshold(r, r, err) != WA_OK)
        return wa_wrap(err, "root version %lld is not trusted", (long long)r->version);
    return WA_OK;
}

enum wa_code wa_root_check_next(const struct wa_root *old, const struct wa_root *next,
                                struct wa_err *err)
{
    if (strcmp(old->repository, next->repository) != 0)
        (void)wa_fail(err, WA_E_REFUSED, "it is of another repository");
    else if (next->version != old->version + 1)
        (void)wa_fail(err, WA_E_REFUSED, "it does not follow version %lld",
                      (long long)old->version);
    else if (check_online(next, err) == WA_OK && check_threshold(next, old, err) == WA_OK &&
             check_threshold(next, next, err) == WA_OK)
        return WA_OK;
    return wa_wrap(err, "root version %lld is not trusted", (long long)next->version);
}

enum wa_code wa_root_check_dates(const struct wa_root *r, int64_t now, struct wa_err *err)
{
    char date[WA_DATE_MAX];
    bool has_expired = now >= r->expires;
    wa_date_rfc3339(has_expired ? r->expires : r->issued, date);
    if (has_expired)
        return wa_fail(err, WA_E_REFUSED,
                       "root version %lld expired on %s: its administrators sign a new one",
                       (long long)r->version, date);
    if (r->issued > now + WA_METADATA_SKEW_S)
        return wa_fail(err, WA_E_REFUSED,
                       "root version %lld is of %s, which has not come yet: is the clock right?",
                       (long long)r->version, date);
    return WA_OK;
}

/* What somebody could do online under a, he can under b. */
static bool keeps_online(const struct wa_root *a, const struct wa_root *b)
{
    for (size_t i = 0; i < a->timestamp_key_count; i++)
        if (!has_key(b, a->timestamp_keys[i]))
            return false;
    for (size_t i = 0; i < a->signer_count; i++) {
        const struct wa_root_signer *s = wa_root_signer(b, wa_cert_fingerprint(a->signers[i].cert));
        if (a->signers[i].may_publish && (s == NULL || !s->may_publish))
            return false;
    }
    return true;
}

bool wa_root_changes_online(const struct wa_root *old, const struct wa_root *next)
{
    return !keeps_online(old, next);
}

/* --- what it allows --- */

enum wa_code wa_root_trust(const struct wa_root *r, struct wa_trust *into, struct wa_err *err)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (wa_trust_add(into, r->signers[i].cert, err) != WA_OK)
            return err->code;
    return WA_OK;
}

const struct wa_root_signer *wa_root_signer(const struct wa_root *r, const char *fingerprint)
{
    for (size_t i = 0; i < r->signer_count; i++)
        if (strcmp(wa_cert_fingerprint(r->signers[i].cert), fingerprint) == 0)
            return &r->signers[i];
    return NULL;
}

enum wa_code wa_root_entry(const struct wa_root *r, const struct wa_trust_result *who,
                           const struct wa_root_signer **ret, struct wa_err *err)
{
    const struct wa_root_signer *s = wa_root_signer(r, who->signer_fingerprint);
    if (s == NULL)
        s = wa_root_signer(r, who->anchor_fingerprint);
    if (s == NULL)
        return wa_fail(err, WA_E_REFUSED, "the root names neither '%s' nor '%s'", who->signer_cn,
                       who->anchor_cn);
    *ret = s;
    return WA_OK;
}

static bool lists(const struct wa_json *list, const char *what, bool is_prefix)
{
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_sv item = wa_json_sv(wa_json_at(list, i));
        if (wa_sv_eqs(item, "*") || wa_sv_eqs(item, what) ||
            (is_prefix && item.n <= strlen(what) && wa_sv_eq(item, wa_sv_n(what, item.n))))
            return true;
    }
    return false;
}

enum wa_code wa_root_allows_package(const struct wa_root_signer *s, const char *section,
                                    const char *name, bool has_code, struct wa_err *err)
{
    const char *cn = wa_cert_cn(s->cert);
    if (!lists(s->sections, section, false))
        return wa_fail(err, WA_E_REFUSED,
                       "the root does not let '%s' sign packages of section '%s'", cn, section);
    if (!lists(s->prefixes, name, true))
        return wa_fail(err, WA_E_REFUSED, "the root does not let '%s' sign packages named '%s'", cn,
                       name);
    if (has_code && !s->may_sign_code)
        return wa_fail(err, WA_E_REFUSED,
                       "the root does not let '%s' sign packages with a setup.py", cn);
    return WA_OK;
}

static bool lists_one_of(const struct wa_json *list, const char *const *names)
{
    bool is_listed = lists(list, "*", false);
    for (size_t i = 0; !is_listed && names != NULL && names[i] != NULL; i++)
        is_listed = lists(list, names[i], false);
    return is_listed;
}

enum wa_code wa_root_lets_order(const struct wa_root_signer *s, const char *action,
                                struct wa_err *err)
{
    return lists(s->actions, action, false)
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED, "the root does not let '%s' order '%s'",
                         wa_cert_cn(s->cert), action);
}

enum wa_code wa_root_allows_action(const struct wa_root_signer *s, const char *action,
                                   const char *const *groups, const char *const *units,
                                   struct wa_err *err)
{
    const char *cn = wa_cert_cn(s->cert);
    if (wa_root_lets_order(s, action, err) != WA_OK)
        return err->code;
    if (!lists_one_of(s->groups, groups) && !lists_one_of(s->units, units))
        return wa_fail(err, WA_E_REFUSED,
                       "the root does not let '%s' give orders to this machine: it is in none of "
                       "the groups and units listed",
                       cn);
    return WA_OK;
}
