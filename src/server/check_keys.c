/* check_keys.c - the keys by which machines are known: the authority of their TLS certificates, and
 * the keytab of the service to which their tickets are. Read as whoever asks; nothing is said of
 * the keys but whose they are and until when.
 */
#include "base/text.h"
#include "codec/keytab.h"
#include "os/clock.h"
#include "os/fs.h"
#include "server/authority.h"
#include "server/check.h"

#define DAY_S 86400
#define SOON_DAYS 400 /* each machine must have got another certificate until then */

static void check_authority(const struct wa_server_config *c, const struct wa_check_report *r)
{
    struct wa_authority a = {NULL, NULL};
    struct wa_err err = WA_ERR_INIT;
    if (wa_authority_read(c, true, &a, &err) != WA_OK) {
        wa_finding_say(r, "authority",
                       err.code == WA_E_DENIED ? WA_FINDING_UNKNOWN : WA_FINDING_ERROR,
                       err.code == WA_E_DENIED
                           ? ""
                           : WA_TEXT("bring private/authority.pem and .crt back from a backup"),
                       "%s", err.text);
        return;
    }
    int64_t left = (wa_cert_not_after(a.cert) - wa_clock_now()) / DAY_S;
    bool is_over = left < 0, is_soon = left < SOON_DAYS;
    wa_finding_say(r, "authority",
                   is_over   ? WA_FINDING_ERROR
                   : is_soon ? WA_FINDING_WARNING
                             : WA_FINDING_GOOD,
                   is_soon ? WA_TEXT("plan for another one: machines must then get certificates of "
                                     "it")
                           : "",
                   "machines' certificates are issued for %lld more days", (long long)left);
    wa_authority_fini(&a);
}

struct keys {
    size_t aes, weak; /* of HTTP/... */
    char name[256];   /* of the first that is good */
};

static enum wa_code count_keys(struct wa_sv text, struct keys *ret, struct wa_err *err)
{
    struct wa_keytab k;
    struct wa_keytab_entry e;
    bool more = true;
    if (wa_keytab_open(&k, text, err) != WA_OK)
        return err->code;
    while (wa_keytab_next(&k, &e, &more, err) == WA_OK && more) {
        if (e.part_count != 2 || !wa_sv_eqs(e.parts[0], "HTTP"))
            continue;
        bool is_aes = wa_keytab_is_aes(e.enctype);
        if (is_aes && ret->aes == 0)
            (void)snprintf(ret->name, sizeof ret->name, "HTTP/%.*s@%.*s", WA_SV_ARG(e.parts[1]),
                           WA_SV_ARG(e.realm));
        ret->aes += is_aes;
        ret->weak += !is_aes;
    }
    return err->code;
}

static void check_keytab(const struct wa_server_config *c, const struct wa_check_report *r)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf text;
    struct keys keys = {.aes = 0};
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, WA_KEYTAB_BYTES_MAX);
    if (!wa_server_lets_in(c, "kerberos"))
        return;
    if (wa_server_path(c, c->kerberos_keytab, path, &err) != WA_OK ||
        wa_path_read(path, WA_KEYTAB_BYTES_MAX, &text, &err) != WA_OK ||
        count_keys(wa_buf_sv(&text), &keys, &err) != WA_OK)
        wa_finding_say(r, "keytab", err.code == WA_E_DENIED ? WA_FINDING_UNKNOWN : WA_FINDING_ERROR,
                       err.code == WA_E_DENIED ? ""
                                               : WA_TEXT("make it as docs/registration.md says"),
                       "%s", err.text);
    else if (keys.aes == 0)
        wa_finding_say(r, "keytab", WA_FINDING_ERROR,
                       WA_TEXT("make it as docs/registration.md says"),
                       "'%s' has no AES key of HTTP/...: no ticket of a machine counts", path);
    else
        wa_finding_say(r, "keytab", WA_FINDING_GOOD, "", "%zu AES keys of '%s'", keys.aes,
                       keys.name);
}

void wa_server_check_keys(const struct wa_server_config *c, const struct wa_check_report *r)
{
    check_authority(c, r);
    check_keytab(c, r);
}
