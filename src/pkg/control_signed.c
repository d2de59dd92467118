/* control_signed.c - the bytes that a control's signature covers (formats.md 1.5, 0.4).
 *
 * The list of signed attributes is the signer's; nothing here decides whether it is enough. For the
 * list that all tools write there is a quick way beside the general one, since an index has
 * thousands of them; both give the same bytes, which a fuzz target watches.
 */
#include "pkg/control.h"

#include "base/utf8.h"
#include "codec/csv.h"
#include "codec/json.h"
#include "pkg/unicode.h"

bool wa_control_signed_set(const struct wa_control *c, bool ret[WA_ATTR_COUNT])
{
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_SIGNED_ATTRIBUTES)), item;
    size_t next = 0;
    bool plain = true;
    memset(ret, 0, WA_ATTR_COUNT * sizeof ret[0]);
    while (wa_sv_split(&rest, ',', &item)) {
        enum wa_attr a = (enum wa_attr)next;
        item = wa_unicode_strip(item);
        if (item.n == 0)
            continue;
        /* The order in which tools write them is the first guess. */
        bool known =
            (next < WA_ATTR_COUNT && wa_sv_eqs(item, wa_attr_name(a))) || wa_attr_find(item, &a);
        plain = plain && known && !ret[a];
        if (known) {
            ret[a] = true;
            next = (size_t)a + (a + 1u == WA_A_SIGNATURE ? 2u : 1u);
            while (wa_attr_is_ours((enum wa_attr)next))
                next++;
        }
    }
    return plain;
}

/* A number as Python 2's long() reads it; written without leading zeros. */
static bool as_long(const char *value, struct wa_buf *out)
{
    struct wa_sv s = wa_unicode_strip(wa_sv(value));
    bool negative = s.n > 0 && s.p[0] == '-';
    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
        s = wa_sv_sub(s, 1, s.n);
    if (s.n > 1 && (s.p[s.n - 1] == 'L' || s.p[s.n - 1] == 'l'))
        s.n--;
    if (s.n == 0 || s.n > 64)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    while (s.n > 1 && s.p[0] == '0')
        s = wa_sv_sub(s, 1, s.n);
    if (negative && !wa_sv_eqs(s, "0"))
        wa_buf_addc(out, '-');
    wa_buf_addsv(out, s);
    return true;
}

/* --- the general way: any names, either form --- */

static void write_value(struct wa_jw *w, const struct wa_control *c, struct wa_sv name)
{
    enum wa_attr a;
    WA_AUTO_BUF struct wa_buf number;
    wa_buf_init(&number, 128);
    if (!wa_attr_find(name, &a)) {
        wa_jw_null(w);
        return;
    }
    bool may_be_number = a == WA_A_SIZE || a == WA_A_INSTALLED_SIZE;
    if (c->v[a] == NULL && a >= WA_A_SIGNER && a <= WA_A_SIGNED_ATTRIBUTES)
        wa_jw_null(w);
    else if (may_be_number && as_long(wa_control_get(c, a), &number))
        wa_jw_raw(w, wa_buf_sv(&number));
    else
        wa_jw_s(w, wa_control_get(c, a));
    if (number.failed != WA_OK)
        w->out->failed = number.failed; /* found at the end, as its own failures are */
}

static enum wa_code signed_by_tree(const struct wa_control *c, bool legacy, struct wa_buf *out,
                                   struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_sv rest = wa_sv(wa_control_get(c, WA_A_SIGNED_ATTRIBUTES)), name;
    const struct wa_json *j = NULL;
    struct wa_jw w;
    size_t count = 0;
    wa_buf_init(&text, 2 * WA_CONTROL_BYTES_MAX);
    wa_arena_init(&arena, 16 * WA_CONTROL_BYTES_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    while (wa_csv_next(&rest, &name)) {
        if (++count > 2 * WA_ATTR_COUNT)
            return wa_fail(err, WA_E_LIMIT, "more signed attributes than there are");
        wa_jw_keysv(&w, name);
        write_value(&w, c, name);
    }
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    /* A name listed twice is a duplicate key here, and refused. */
    if (wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, err) != WA_OK)
        return wa_wrap(err, "the list of signed attributes");
    return legacy ? wa_json_write_legacy(j, out, err) : wa_json_write_canonical(j, out, err);
}

/* --- the quick way: attributes of ours, none twice, the form of 1.8 --- */

/* Attributes in the order of their names. */
static const enum wa_attr by_name[] = {
    WA_A_ARCHITECTURE,
    WA_A_AUDIT_SCHEDULE,
    WA_A_CATEGORIES,
    WA_A_CHANGELOG,
    WA_A_CONFLICTS,
    WA_A_DEPENDS,
    WA_A_DESCRIPTION,
    WA_A_DESCRIPTION_DE,
    WA_A_DESCRIPTION_ES,
    WA_A_DESCRIPTION_FR,
    WA_A_DESCRIPTION_IT,
    WA_A_DESCRIPTION_NL,
    WA_A_DESCRIPTION_PL,
    WA_A_DESCRIPTION_PT,
    WA_A_DESCRIPTION_RU,
    WA_A_EDITOR,
    WA_A_FILENAME,
    WA_A_FORCED_INSTALL_ON,
    WA_A_FREEZE_PERIODS,
    WA_A_HOMEPAGE,
    WA_A_IMPACTED_PROCESS,
    WA_A_INSTALLED_SIZE,
    WA_A_KEYWORDS,
    WA_A_LICENCE,
    WA_A_LOCALE,
    WA_A_MAINTAINER,
    WA_A_MAINTENANCE_WINDOWS,
    WA_A_MATURITY,
    WA_A_MAX_OS_VERSION,
    WA_A_MD5SUM,
    WA_A_MIN_OS_VERSION,
    WA_A_MIN_WAPT_VERSION,
    WA_A_NAME,
    WA_A_PACKAGE,
    WA_A_PACKAGE_UUID,
    WA_A_PACKAGES_HELD,
    WA_A_PRIORITY,
    WA_A_SECTION,
    WA_A_SIGNATURE,
    WA_A_SIGNATURE_DATE,
    WA_A_SIGNED_ATTRIBUTES,
    WA_A_SIGNER,
    WA_A_SIGNER_FINGERPRINT,
    WA_A_SIZE,
    WA_A_SOURCES,
    WA_A_TARGET_OS,
    WA_A_VALID_FROM,
    WA_A_VALID_UNTIL,
    WA_A_VERSION,
};
_Static_assert(WA_COUNT(by_name) == WA_ATTR_COUNT, "every attribute has its place");

static void put_escape(struct wa_buf *out, uint32_t cp)
{
    static const char shorts[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
    const char *at = cp != 0 && cp < 0x80 ? strchr(shorts, (int)cp) : NULL;
    if (at != NULL)
        wa_buf_addf(out, "\\%c", letters[at - shorts]);
    else if (cp < 0x10000)
        wa_buf_addf(out, "\\u%04x", cp);
    else
        wa_buf_addf(out, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
                    0xdc00 + ((cp - 0x10000) & 0x3ff));
}

/* false: not UTF-8. */
static bool put_string(struct wa_buf *out, struct wa_sv s)
{
    size_t at = 0, from = 0;
    wa_buf_addc(out, '"');
    while (at < s.n) {
        unsigned char b = (unsigned char)s.p[at];
        uint32_t cp;
        if (b >= 0x20 && b < 0x7f && b != '"' && b != '\\') {
            at++;
            continue;
        }
        wa_buf_add(out, s.p + from, at - from);
        if (!wa_utf8_next(s, &at, &cp))
            return false;
        put_escape(out, cp);
        from = at;
    }
    wa_buf_add(out, s.p + from, at - from);
    wa_buf_addc(out, '"');
    return true;
}

static bool put_value(struct wa_buf *out, const struct wa_control *c, enum wa_attr a)
{
    struct wa_sv value = wa_sv(wa_control_get(c, a));
    if (c->v[a] == NULL && a >= WA_A_SIGNER && a <= WA_A_SIGNED_ATTRIBUTES)
        wa_buf_adds(out, "null");
    else if ((a != WA_A_SIZE && a != WA_A_INSTALLED_SIZE) || !as_long(value.p, out))
        return put_string(out, value);
    return true;
}

static bool signed_by_order(const struct wa_control *c, const bool listed[WA_ATTR_COUNT],
                            struct wa_buf *out)
{
    bool first = true;
    wa_buf_addc(out, '{');
    for (size_t i = 0; i < WA_ATTR_COUNT; i++) {
        enum wa_attr a = by_name[i];
        if (!listed[a])
            continue;
        wa_buf_adds(out, first ? "\"" : ",\"");
        wa_buf_adds(out, wa_attr_name(a));
        wa_buf_adds(out, "\":");
        if (!put_value(out, c, a))
            return false;
        first = false;
    }
    wa_buf_addc(out, '}');
    return true;
}

enum wa_code wa_control_signed_bytes(const struct wa_control *c, bool legacy, struct wa_buf *out,
                                     struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf quick;
    bool listed[WA_ATTR_COUNT];
    wa_buf_init(&quick, 4 * WA_CONTROL_BYTES_MAX);
    if (legacy || !wa_control_signed_set(c, listed) || !signed_by_order(c, listed, &quick))
        return signed_by_tree(c, legacy, out, err);
    if (wa_buf_check(&quick, err) != WA_OK)
        return wa_wrap(err, "the signed attributes");
    wa_buf_addsv(out, wa_buf_sv(&quick));
    return wa_buf_check(out, err);
}

enum wa_code wa_control_signed_bytes_slowly(const struct wa_control *c, struct wa_buf *out,
                                            struct wa_err *err)
{
    return signed_by_tree(c, false, out, err);
}
