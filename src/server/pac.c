/* pac.c - reads NDR (little-endian, as MS-PAC 2.1 fixes it) strictly: pointers are followed in
 * their order, counts that are told twice must agree, nothing is read beyond the end.
 */
#include "server/pac.h"

#include "base/utf8.h"

#define GROUPS_MAX                                                                                 \
    8192u /* Active Directory puts at most 1,015 into a token, and some more of other domains */
#define SID_PARTS_MAX 15u

struct reader {
    struct wa_sv all;
    size_t at;
    bool is_bad;
};

static struct wa_sv take(struct reader *r, size_t n)
{
    struct wa_sv s = {NULL, 0};
    if (r->is_bad || n > r->all.n - r->at) {
        r->is_bad = true;
        return s;
    }
    s = wa_sv_n(r->all.p + r->at, n);
    r->at += n;
    return s;
}

static void align(struct reader *r, size_t to)
{
    if (r->at % to != 0)
        (void)take(r, to - r->at % to);
}

static uint32_t u16(struct reader *r)
{
    struct wa_sv s = take(r, 2);
    return s.n == 2 ? (uint32_t)(uint8_t)s.p[0] | (uint32_t)(uint8_t)s.p[1] << 8 : 0;
}

static uint32_t u32(struct reader *r)
{
    align(r, 4);
    uint32_t low = u16(r);
    return low | u16(r) << 16;
}

/* --- texts --- */

struct text {
    uint32_t bytes, room, pointer;
};

static struct text text_head(struct reader *r)
{
    struct text t;
    align(r, 4);
    t.bytes = u16(r);
    t.room = u16(r);
    t.pointer = u32(r);
    return t;
}

/* What the head pointed to, as UTF-8; "" where nobody asks (out NULL) or it was NULL. */
static void text_body(struct reader *r, struct text t, char *out, size_t size)
{
    size_t n = 0;
    if (out != NULL)
        out[0] = '\0';
    if (t.pointer == 0)
        return;
    uint32_t room = u32(r), offset = u32(r), used = u32(r);
    if (offset != 0 || used > room || used != t.bytes / 2 || t.bytes % 2 != 0)
        r->is_bad = true;
    struct wa_sv s = take(r, (size_t)used * 2);
    for (size_t i = 0; out != NULL && i + 1 < s.n; i += 2) {
        uint32_t c = (uint32_t)(uint8_t)s.p[i] | (uint32_t)(uint8_t)s.p[i + 1] << 8;
        /* Account names of machines are ASCII; any other is nobody we know. */
        if (c < 0x20 || c > 0x7e || n + 1 >= size) {
            r->is_bad = true;
            return;
        }
        out[n++] = (char)c;
        out[n] = '\0';
    }
}

/* --- SIDs --- */

struct sid {
    char text[WA_SID_SIZE];
};

static void sid_body(struct reader *r, struct sid *ret)
{
    size_t n = 0;
    uint64_t authority = 0;
    uint32_t count = u32(r);
    struct wa_sv head = take(r, 8);
    ret->text[0] = '\0';
    if (head.n != 8 || head.p[0] != 1 || count > SID_PARTS_MAX || (uint8_t)head.p[1] != count) {
        r->is_bad = true;
        return;
    }
    for (size_t i = 2; i < 8; i++)
        authority = authority << 8 | (uint8_t)head.p[i];
    n = (size_t)snprintf(ret->text, sizeof ret->text, "S-1-%llu", (unsigned long long)authority);
    for (uint32_t i = 0; i < count; i++)
        n += (size_t)snprintf(ret->text + n, sizeof ret->text - n, "-%u", (unsigned)u32(r));
}

static void sid_add(const struct sid *domain, uint32_t rid, struct sid *ret)
{
    int n = snprintf(ret->text, sizeof ret->text, "%s-%u", domain->text, (unsigned)rid);
    if (n < 0 || (size_t)n >= sizeof ret->text)
        ret->text[0] = '\0';
}

/* --- groups --- */

/* Relative identifiers whose domain is read only later. */
struct rids {
    uint32_t count;
    size_t at; /* of the first in the text */
};

static struct rids rids_body(struct reader *r, uint32_t pointer, uint32_t count)
{
    struct rids ids = {0, 0};
    if (pointer == 0)
        return ids;
    if (u32(r) != count || count > GROUPS_MAX)
        r->is_bad = true;
    ids.at = r->at;
    (void)take(r, (size_t)count * 8); /* identifier, attributes */
    ids.count = r->is_bad ? 0 : count;
    return ids;
}

static bool has_rid(const struct reader *r, struct rids ids, const struct sid *domain,
                    const char *group)
{
    struct reader again = {r->all, ids.at, false};
    struct sid s;
    for (uint32_t i = 0; i < ids.count; i++) {
        sid_add(domain, u32(&again), &s);
        (void)u32(&again);
        if (s.text[0] != '\0' && strcmp(s.text, group) == 0)
            return true;
    }
    return false;
}

static bool has_extra(struct reader *r, uint32_t pointer, uint32_t count, const char *group)
{
    bool found = false;
    struct sid s;
    if (pointer == 0)
        return false;
    if (u32(r) != count || count > GROUPS_MAX)
        r->is_bad = true;
    size_t heads = r->at;
    (void)take(r, (size_t)count * 8); /* pointer, attributes */
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        struct reader head = {r->all, heads + (size_t)i * 8, false};
        if (u32(&head) == 0)
            continue;
        sid_body(r, &s);
        found = found || strcmp(s.text, group) == 0;
    }
    return found;
}

/* --- the whole --- */

/* MS-RPCE 2.2.6: the headers of a type that was serialised by itself. */
static void headers(struct reader *r)
{
    struct wa_sv common = take(r, 8);
    if (common.n != 8 || memcmp(common.p, "\x01\x10\x08\x00", 4) != 0)
        r->is_bad = true;
    uint32_t bytes = u32(r);
    (void)u32(r);
    if (bytes > r->all.n - r->at || u32(r) == 0)
        r->is_bad = true;
}

static void read_all(struct reader *r, const char *group, struct wa_pac *p)
{
    struct text texts[6], server, domain_name;
    struct sid domain = {""}, resource = {""}, account;
    headers(r);
    (void)take(r, 48); /* six times */
    for (size_t i = 0; i < 6; i++)
        texts[i] = text_head(r);
    (void)take(r, 4); /* counts of logons */
    uint32_t rid = u32(r), primary = u32(r), group_count = u32(r), groups = u32(r);
    (void)take(r, 20); /* flags, session key */
    server = text_head(r);
    domain_name = text_head(r);
    uint32_t domain_id = u32(r);
    (void)take(r, 8);
    p->flags = u32(r);
    (void)take(r, 28);
    uint32_t extra_count = u32(r), extras = u32(r), resource_id = u32(r), resource_count = u32(r),
             resources = u32(r);
    for (size_t i = 0; i < 6; i++)
        text_body(r, texts[i], i == 0 ? p->account : NULL, sizeof p->account);
    struct rids of_domain = rids_body(r, groups, group_count);
    text_body(r, server, NULL, 0);
    text_body(r, domain_name, NULL, 0);
    if (domain_id == 0)
        r->is_bad = true;
    else
        sid_body(r, &domain);
    p->in_group = has_extra(r, extras, extra_count, group);
    if (resource_id != 0)
        sid_body(r, &resource);
    struct rids of_resource = rids_body(r, resources, resource_count);
    if (r->is_bad)
        return;
    sid_add(&domain, rid, &account);
    (void)snprintf(p->sid, sizeof p->sid, "%s", account.text);
    sid_add(&domain, primary, &account);
    p->in_group = p->in_group || strcmp(account.text, group) == 0 ||
                  has_rid(r, of_domain, &domain, group) ||
                  has_rid(r, of_resource, &resource, group);
}

enum wa_code wa_pac_read(struct wa_sv logon_info, const char *group, struct wa_pac *ret,
                         struct wa_err *err)
{
    struct reader r = {logon_info, 0, false};
    struct wa_pac p = {.account = ""};
    read_all(&r, group, &p);
    if (r.is_bad || p.account[0] == '\0' || p.sid[0] == '\0')
        return wa_fail(err, WA_E_INVALID, "the ticket's account information (PAC) can't be read");
    if (group[0] == '\0')
        p.in_group = false;
    *ret = p;
    return WA_OK;
}
