/* con_repositories.c - other repositories that packages may be imported from: sections of the
 * configuration with repo_url and public_certs_dir.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "os/fs.h"

#define REPOSITORIES_MAX 64u

void wa_con_repositories_fini(struct wa_con_repositories *r)
{
    for (size_t i = 0; r->pems != NULL && i < REPOSITORIES_MAX; i++)
        wa_buf_fini(&r->pems[i]);
    for (size_t i = 0; r->identities != NULL && i < REPOSITORIES_MAX; i++)
        wa_buf_fini_secret(&r->identities[i]);
    wa_free(r->pems);
    wa_free(r->identities);
    wa_free(r->items);
    wa_ini_free(r->ini);
    *r = (struct wa_con_repositories){.items = NULL};
}

static enum wa_code read_trust(const struct wa_ini *ini, const char *section, struct wa_buf *pem,
                               struct wa_tls_trust *ret, struct wa_err *err)
{
    const char *fingerprint = wa_ini_get(ini, section, "server_fingerprint");
    const char *verify = wa_ini_get(ini, section, "verify_cert");
    *ret = (struct wa_tls_trust){.host = ""};
    if (fingerprint != NULL && !wa_hex_fingerprint(wa_sv(fingerprint), ret->fingerprint))
        return wa_fail(err, WA_E_CONFIG,
                       "'%.100s' is no SHA-256 fingerprint of a certificate (64 digits)",
                       fingerprint);
    if (verify == NULL || strcmp(verify, "1") == 0 || strcmp(verify, "0") == 0) {
        if (verify != NULL && verify[0] == '0' && fingerprint == NULL)
            return wa_fail(err, WA_E_CONFIG,
                           "verify_cert = 0: the server's certificate is always "
                           "checked; give its file, or its SHA-256");
        ret->system_cas = fingerprint == NULL;
        return WA_OK;
    }
    if (wa_path_read(verify, WA_CERTFILE_BYTES_MAX, pem, err) != WA_OK)
        return err->code;
    ret->pem = wa_buf_sv(pem);
    return WA_OK;
}

static enum wa_code add(struct wa_con_repositories *r, const char *section, struct wa_err *err)
{
    const char *url = wa_ini_get(r->ini, section, "repo_url");
    const char *trusted = wa_ini_get(r->ini, section, "public_certs_dir");
    if (strcmp(section, "global") == 0 || url == NULL || trusted == NULL)
        return WA_OK;
    if (r->n == REPOSITORIES_MAX)
        return wa_fail(err, WA_E_CONFIG, "at most %u repositories", REPOSITORIES_MAX);
    struct wa_local_repository *one = &r->items[r->n];
    if (read_trust(r->ini, section, &r->pems[r->n], &one->trust, err) != WA_OK)
        return wa_wrap(err, "[%s]", section);
    if (wa_con_proxy(r->ini, section, WA_CON_FOR_OTHERS, &one->proxy, err) != WA_OK ||
        wa_con_section_identity(r->ini, section, &r->identities[r->n], err) != WA_OK)
        return err->code;
    one->trust.identity = wa_buf_sv(&r->identities[r->n]);
    one->name = section;
    one->url = url;
    one->trusted = trusted;
    r->n++;
    return WA_OK;
}

enum wa_code wa_con_repositories_read(const struct wa_cli *cli, struct wa_con_repositories *ret,
                                      struct wa_err *err)
{
    const char *section;
    *ret = (struct wa_con_repositories){.items = wa_calloc(REPOSITORIES_MAX, sizeof *ret->items),
                                        .pems = wa_calloc(REPOSITORIES_MAX, sizeof *ret->pems),
                                        .identities =
                                            wa_calloc(REPOSITORIES_MAX, sizeof *ret->identities)};
    if (ret->items == NULL || ret->pems == NULL || ret->identities == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < REPOSITORIES_MAX; i++) {
        wa_buf_init(&ret->pems[i], WA_CERTFILE_BYTES_MAX);
        wa_buf_init(&ret->identities[i], WA_TLS_IDENTITY_MAX);
    }
    if (wa_get_conf_file(cli, &ret->ini, err) != WA_OK || ret->ini == NULL)
        return err->code;
    for (size_t i = 0; wa_ini_section_at(ret->ini, i, &section); i++)
        if (add(ret, section, err) != WA_OK)
            return err->code;
    return WA_OK;
}
