/* ldap_priv.h - between ldap_ber.c (bytes), ldap_message.c (LDAP's messages), ldap_conn.c (the
 * conversation) and ldap_login.c (who somebody is).
 */
#ifndef WA_NET_LDAP_PRIV_H
#define WA_NET_LDAP_PRIV_H

#include "base/buf.h"
#include "net/ldap.h"

/* --- BER as LDAP uses it: definite lengths, tags of one byte (RFC 4511, 5.1) --- */
#define WA_BER_BOOL 0x01u
#define WA_BER_INT 0x02u
#define WA_BER_OCTETS 0x04u
#define WA_BER_ENUM 0x0au
#define WA_BER_SEQUENCE 0x30u
#define WA_BER_SET 0x31u

/* Length of the element that begins here, its head included; *ret 0 while more bytes are needed to
 * say. False: it is none that LDAP allows. */
bool wa_ber_length(struct wa_sv begun, size_t *ret);
/* Takes the element at the front of *rest. False: there is none that is whole and of that form. */
bool wa_ber_take(struct wa_sv *rest, unsigned *ret_tag, struct wa_sv *ret_value);
/* The same, of this tag only. */
bool wa_ber_take_as(struct wa_sv *rest, unsigned tag, struct wa_sv *ret_value);
/* A number's value. */
bool wa_ber_i32(struct wa_sv value, int32_t *ret);

/* An element of others; returns what wa_ber_end() needs. Errors stick in the buffer. */
size_t wa_ber_begin(struct wa_buf *b, unsigned tag);
void wa_ber_end(struct wa_buf *b, size_t begun);
void wa_ber_octets(struct wa_buf *b, unsigned tag, struct wa_sv value);
void wa_ber_int(struct wa_buf *b, unsigned tag, int32_t value);

/* --- messages --- */
enum {
    WA_LDAP_BIND = 0x60,
    WA_LDAP_BOUND = 0x61,
    WA_LDAP_UNBIND = 0x42,
    WA_LDAP_SEARCH = 0x63,
    WA_LDAP_ENTRY = 0x64,
    WA_LDAP_DONE = 0x65,
    WA_LDAP_REFERENCE = 0x73,
    WA_LDAP_EXTENDED = 0x77,
    WA_LDAP_EXTENDED_DONE = 0x78
};
enum { /* result codes (RFC 4511, A.1) */
       WA_LDAP_SUCCESS = 0,
       WA_LDAP_SIZE_EXCEEDED = 4,
       WA_LDAP_NO_OBJECT = 32,
       WA_LDAP_INAPPROPRIATE = 48,
       WA_LDAP_WRONG = 49,
       WA_LDAP_UNWILLING = 53
};
struct wa_ldap_message {
    int32_t id;
    unsigned op; /* WA_LDAP_* */
    struct wa_sv body;
};
WA_CHECK enum wa_code wa_ldap_message_read(struct wa_sv bytes, struct wa_ldap_message *ret,
                                           struct wa_err *err);
struct wa_ldap_result {
    int32_t code;
    struct wa_sv text; /* the server's, for persons */
};
/* Of BOUND, DONE and EXTENDED_DONE. */
WA_CHECK enum wa_code wa_ldap_result_read(struct wa_sv body, struct wa_ldap_result *ret,
                                          struct wa_err *err);
struct wa_ldap_entry {
    struct wa_sv dn, attributes;
};
WA_CHECK enum wa_code wa_ldap_entry_read(struct wa_sv body, struct wa_ldap_entry *ret,
                                         struct wa_err *err);
/* The i-th value of an attribute; false when there are no more. */
bool wa_ldap_value(const struct wa_ldap_entry *e, const char *attribute, size_t i,
                   struct wa_sv *ret);

/* A filter, made from inside out into one buffer: and, or, equal. */
#define WA_LDAP_AND 0xa0u
#define WA_LDAP_OR 0xa1u
void wa_ldap_equal(struct wa_buf *b, const char *attribute, struct wa_sv value);

struct wa_ldap_search {
    struct wa_sv base;
    bool is_below;                 /* the base and all below it, else the base alone */
    struct wa_sv filter;           /* empty: whatever it is */
    const char *const *attributes; /* NULL-terminated */
    int32_t most;                  /* entries */
};
void wa_ldap_bind_write(int32_t id, struct wa_sv name, struct wa_sv password, struct wa_buf *out);
void wa_ldap_search_write(int32_t id, const struct wa_ldap_search *s, struct wa_buf *out);
void wa_ldap_start_tls_write(int32_t id, struct wa_buf *out);
void wa_ldap_unbind_write(int32_t id, struct wa_buf *out);

/* --- one conversation; blocks until its deadline --- */
struct wa_ldap {
    int fd;
    struct wa_tls_ctx *ctx;
    struct wa_tls *tls; /* NULL: nothing secret may be sent */
    struct wa_buf in;
    size_t taken; /* bytes of in that were handed out as the last message */
    int32_t last_id;
    uint64_t deadline_ms;
};
#define WA_LDAP_INIT                                                                               \
    {                                                                                              \
        .fd = -1                                                                                   \
    }
/* Connects and agrees on TLS with the first server that is there and trusted. */
WA_CHECK enum wa_code wa_ldap_open(const struct wa_ldap_where *where, uint64_t deadline_ms,
                                   struct wa_ldap *l, struct wa_err *err);
void wa_ldap_close(struct wa_ldap *l);
/* ret->text lives until the next call. */
WA_CHECK enum wa_code wa_ldap_bind(struct wa_ldap *l, struct wa_sv name, struct wa_sv password,
                                   struct wa_ldap_result *ret, struct wa_err *err);
/* As who asks about others (ldap_unit.c). WA_E_CONFIG: it is refused. */
/* "S-1-5-21-..." as the directory has it (MS-DTYP 2.4.2.2), appended. False: it is none. */
bool wa_ldap_sid(const char *text, struct wa_buf *out);
WA_CHECK enum wa_code wa_ldap_bind_account(struct wa_ldap *l, const struct wa_ldap_where *where,
                                           struct wa_err *err);
typedef enum wa_code (*wa_ldap_entry_fn)(void *user, const struct wa_ldap_entry *e,
                                         struct wa_err *err);
/* fn for each entry, at most WA_LDAP_ENTRIES_MAX; references to other servers are not followed.
 * *ret_result: the server's result code. */
WA_CHECK enum wa_code wa_ldap_search(struct wa_ldap *l, const struct wa_ldap_search *s,
                                     wa_ldap_entry_fn fn, void *user, int32_t *ret_result,
                                     struct wa_err *err);

#endif
