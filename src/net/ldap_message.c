/* ldap_message.c - LDAP's messages (RFC 4511): the few that we send, the few that we read.
 *
 * Reading judges form only, and takes what it does not need - controls, matched names, referrals,
 * parts that a later version may add - for granted. What was sent by a directory is not more than
 * bytes: nothing is copied, nothing grows.
 */
#include "net/ldap_priv.h"

#define VERSION 3
#define SIMPLE 0x80u       /* bind: [0] */
#define REQUEST_NAME 0x80u /* extended: [0] */
#define EQUALITY 0xa3u     /* filter: [3] */
#define PRESENT 0x87u      /* filter: [7] */
#define SEARCH_TIME_S 5    /* s: after which the server may give up */

/* --- writing --- */

struct message {
    struct wa_buf *out;
    size_t whole, op;
};

static struct message begin(int32_t id, unsigned op, struct wa_buf *out)
{
    struct message m = {.out = out, .whole = wa_ber_begin(out, WA_BER_SEQUENCE)};
    wa_ber_int(out, WA_BER_INT, id);
    m.op = wa_ber_begin(out, op);
    return m;
}

static void end(const struct message *m)
{
    wa_ber_end(m->out, m->op);
    wa_ber_end(m->out, m->whole);
}

void wa_ldap_bind_write(int32_t id, struct wa_sv name, struct wa_sv password, struct wa_buf *out)
{
    struct message m = begin(id, WA_LDAP_BIND, out);
    wa_ber_int(out, WA_BER_INT, VERSION);
    wa_ber_octets(out, WA_BER_OCTETS, name);
    wa_ber_octets(out, SIMPLE, password);
    end(&m);
}

void wa_ldap_search_write(int32_t id, const struct wa_ldap_search *s, struct wa_buf *out)
{
    struct message m = begin(id, WA_LDAP_SEARCH, out);
    wa_ber_octets(out, WA_BER_OCTETS, s->base);
    wa_ber_int(out, WA_BER_ENUM, s->is_below ? 2 : 0);
    wa_ber_int(out, WA_BER_ENUM, 0); /* aliases are not followed */
    wa_ber_int(out, WA_BER_INT, s->most);
    wa_ber_int(out, WA_BER_INT, SEARCH_TIME_S);
    wa_ber_octets(out, WA_BER_BOOL, wa_sv_n("\0", 1)); /* types and values */
    if (s->filter.n > 0)
        wa_buf_addsv(out, s->filter);
    else
        wa_ber_octets(out, PRESENT, WA_SV("objectClass"));
    size_t list = wa_ber_begin(out, WA_BER_SEQUENCE);
    for (size_t i = 0; s->attributes[i] != NULL; i++)
        wa_ber_octets(out, WA_BER_OCTETS, wa_sv(s->attributes[i]));
    wa_ber_end(out, list);
    end(&m);
}

void wa_ldap_start_tls_write(int32_t id, struct wa_buf *out)
{
    struct message m = begin(id, WA_LDAP_EXTENDED, out);
    wa_ber_octets(out, REQUEST_NAME, WA_SV("1.3.6.1.4.1.1466.20037"));
    end(&m);
}

void wa_ldap_unbind_write(int32_t id, struct wa_buf *out)
{
    size_t whole = wa_ber_begin(out, WA_BER_SEQUENCE);
    wa_ber_int(out, WA_BER_INT, id);
    wa_ber_octets(out, WA_LDAP_UNBIND, WA_SV(""));
    wa_ber_end(out, whole);
}

void wa_ldap_equal(struct wa_buf *b, const char *attribute, struct wa_sv value)
{
    size_t at = wa_ber_begin(b, EQUALITY);
    wa_ber_octets(b, WA_BER_OCTETS, wa_sv(attribute));
    wa_ber_octets(b, WA_BER_OCTETS, value);
    wa_ber_end(b, at);
}

/* --- reading --- */

static enum wa_code bad(struct wa_err *err)
{
    return wa_fail(err, WA_E_INVALID, "the directory's answer is not LDAP");
}

enum wa_code wa_ldap_message_read(struct wa_sv bytes, struct wa_ldap_message *ret,
                                  struct wa_err *err)
{
    struct wa_sv whole, id;
    struct wa_ldap_message m = {.id = 0};
    if (!wa_ber_take_as(&bytes, WA_BER_SEQUENCE, &whole) || bytes.n > 0 ||
        !wa_ber_take_as(&whole, WA_BER_INT, &id) || !wa_ber_i32(id, &m.id) || m.id < 0 ||
        !wa_ber_take(&whole, &m.op, &m.body))
        return bad(err);
    *ret = m;
    return WA_OK;
}

enum wa_code wa_ldap_result_read(struct wa_sv body, struct wa_ldap_result *ret, struct wa_err *err)
{
    struct wa_sv code, matched, text;
    struct wa_ldap_result r;
    if (!wa_ber_take_as(&body, WA_BER_ENUM, &code) || !wa_ber_i32(code, &r.code) || r.code < 0 ||
        !wa_ber_take_as(&body, WA_BER_OCTETS, &matched) ||
        !wa_ber_take_as(&body, WA_BER_OCTETS, &text))
        return bad(err);
    r.text = text;
    *ret = r;
    return WA_OK;
}

enum wa_code wa_ldap_entry_read(struct wa_sv body, struct wa_ldap_entry *ret, struct wa_err *err)
{
    struct wa_ldap_entry e;
    if (!wa_ber_take_as(&body, WA_BER_OCTETS, &e.dn) ||
        !wa_ber_take_as(&body, WA_BER_SEQUENCE, &e.attributes))
        return bad(err);
    *ret = e;
    return WA_OK;
}

bool wa_ldap_value(const struct wa_ldap_entry *e, const char *attribute, size_t i,
                   struct wa_sv *ret)
{
    struct wa_sv rest = e->attributes, one, name, values, value;
    while (wa_ber_take_as(&rest, WA_BER_SEQUENCE, &one)) {
        if (!wa_ber_take_as(&one, WA_BER_OCTETS, &name) ||
            !wa_ber_take_as(&one, WA_BER_SET, &values))
            return false;
        if (!wa_sv_ieqs(name, attribute))
            continue;
        for (size_t k = 0; wa_ber_take_as(&values, WA_BER_OCTETS, &value); k++) {
            if (k == i) {
                *ret = value;
                return true;
            }
        }
        return false;
    }
    return false;
}
