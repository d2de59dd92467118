/* import_files.c - the files of a WAPT 1.8 server: what its waptserver.ini says, the certificates
 * that it trusts, its passwords. Read as root, who wrote them, before its rights are given up.
 */
#include "crypto/cert.h"
#include "os/clock.h"
#include "server/import.h"

static const char *old(const struct wa_ini *ini, const char *key)
{
    const char *v = wa_ini_get(ini, "options", key);
    return v != NULL ? v : "";
}

static enum wa_code take_certificate(struct wa_importing *g, const struct wa_cert *cert,
                                     const struct wa_certs *ours, const char *dir,
                                     struct wa_err *err)
{
    struct wa_import_count *count = &g->im->counts[WA_IM_CERTIFICATES];
    WA_AUTO_BUF struct wa_buf pem;
    char path[WA_PATH_MAX];
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    count->found++;
    for (size_t i = 0; i < ours->n; i++)
        if (strcmp(wa_cert_fingerprint(ours->items[i]), wa_cert_fingerprint(cert)) == 0) {
            count->there++;
            return WA_OK;
        }
    if (wa_cert_not_after(cert) < wa_clock_now()) {
        wa_import_leave(g, WA_IM_CERTIFICATES, wa_cert_cn(cert), "it has expired");
        return WA_OK;
    }
    count->taken++;
    (void)snprintf(path, sizeof path, "%.3000s/wapt18-%.16s.crt", dir, wa_cert_fingerprint(cert));
    if (g->im->is_dry)
        return WA_OK;
    return wa_cert_write_pem(cert, &pem, err) == WA_OK
               ? wa_path_replace(path, wa_buf_sv(&pem), 0644, err)
               : err->code;
}

static enum wa_code take_trusted(struct wa_importing *g, const char *from, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs theirs = {NULL, 0, 0};
    WA_AUTO_CERTS struct wa_certs ours = {NULL, 0, 0};
    char dir[WA_PATH_MAX];
    if (wa_server_path(g->im->config, g->im->config->trusted_signers, dir, err) != WA_OK ||
        wa_certs_read_dir(from, &theirs, err) != WA_OK ||
        wa_certs_read_dir(dir, &ours, err) != WA_OK)
        return wa_wrap(err, "trusted certificates");
    for (size_t i = 0; i < theirs.n; i++)
        if (take_certificate(g, theirs.items[i], &ours, dir, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_import_old_files(struct wa_importing *g, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    (void)snprintf(g->admin, sizeof g->admin, "admin");
    if (g->im->ini == NULL)
        return WA_OK;
    if (wa_path_read(g->im->ini, WA_INI_BYTES_MAX, &text, err) != WA_OK ||
        wa_ini_parse(wa_buf_sv(&text), g->im->ini, &ini, err) != WA_OK)
        return err->code;
    wa_import_settings(g, ini);
    const char *passwords = old(ini, "htpasswd_path");
    const char *trusted = old(ini, "trusted_signers_certificates_folder");
    if (old(ini, "wapt_user")[0] != '\0')
        (void)snprintf(g->admin, sizeof g->admin, "%s", old(ini, "wapt_user"));
    (void)snprintf(g->hash, sizeof g->hash, "%s", old(ini, "wapt_password"));
    if (passwords[0] != '\0' &&
        wa_path_read(passwords, WA_HTPASSWD_BYTES_MAX, &g->htpasswd, err) != WA_OK)
        return wa_wrap(err, "the passwords of 'htpasswd_path'");
    return trusted[0] != '\0' ? take_trusted(g, trusted, err) : WA_OK;
}

/* --- passwords --- */

bool wa_import_next_hash(struct wa_sv *rest, struct wa_sv *ret_name, struct wa_sv *ret_hash)
{
    struct wa_sv line;
    while (wa_sv_split(rest, '\n', &line)) {
        struct wa_sv fields = wa_sv_trim(line);
        if (fields.n == 0 || fields.p[0] == '#' || !wa_sv_split(&fields, ':', ret_name) ||
            ret_name->n == 0 || !wa_sv_split(&fields, ':', ret_hash))
            continue;
        return true;
    }
    return false;
}

static bool keep(struct wa_sv hash, char ret[WA_PWHASH_MAX])
{
    (void)snprintf(ret, WA_PWHASH_MAX, "%.*s", WA_SV_ARG(hash));
    return hash.n > 0;
}

/* The first line of a name counts, and none for the administrator, as it was there. */
bool wa_import_old_hash(const struct wa_importing *g, const char *name, char ret[WA_PWHASH_MAX])
{
    struct wa_sv rest = wa_buf_sv(&g->htpasswd), who, hash;
    if (strcmp(name, g->admin) == 0)
        return keep(wa_sv(g->hash), ret);
    while (wa_import_next_hash(&rest, &who, &hash))
        if (wa_sv_eqs(who, name))
            return keep(hash, ret);
    return false;
}
