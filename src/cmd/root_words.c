/* root_words.c - a root document on the command line. */
#include "cmd/root_words.h"

#include "os/fs.h"

enum wa_code wa_repo_cert(const char *path, struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &certs, err) != WA_OK)
        return wa_wrap(err, "the certificate '%s'", path);
    *ret = wa_cert_ref(certs.items[0]);
    return WA_OK;
}

enum wa_code wa_repo_put_signer(const struct wa_cli *cli, struct wa_cert *c, struct wa_root *r,
                                struct wa_err *err)
{
    struct wa_root_signer s = {.cert = c,
                               .may_sign_code = wa_cli_has(cli, "code"),
                               .may_publish = wa_cli_has(cli, "publish")};
    const struct {
        const char *option;
        const struct wa_json **list;
    } lists[] = {{"sections", &s.sections},
                 {"prefixes", &s.prefixes},
                 {"actions", &s.actions},
                 {"groups", &s.groups},
                 {"units", &s.units}};
    for (size_t i = 0; i < WA_COUNT(lists); i++)
        if (wa_root_keep_names(r, wa_sv(wa_cli_get(cli, lists[i].option, "")), lists[i].list,
                               err) != WA_OK)
            return err->code;
    return wa_root_put_signer(r, &s, err);
}

enum wa_code wa_repo_add_administrators(const struct wa_cli *cli, struct wa_root *r,
                                        struct wa_err *err)
{
    const char *path;
    for (size_t i = 0; (path = wa_cli_at(cli, "administrator", i)) != NULL; i++) {
        WA_AUTO(wa_cert) struct wa_cert *c = NULL;
        if (wa_repo_cert(path, &c, err) != WA_OK ||
            wa_certs_add(&r->administrators, c, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_repo_put_limits(const struct wa_cli *cli, struct wa_root *r, struct wa_err *err)
{
    if (wa_cli_int(cli, "threshold", 1, WA_ROOT_ADMINISTRATORS_MAX, &r->threshold, err) != WA_OK ||
        wa_cli_int(cli, "published-days", 1, WA_PUBLISHED_DAYS_MAX, &r->published_days, err) !=
            WA_OK)
        return err->code;
    return wa_cli_int(cli, "timestamp-hours", 1, WA_TIMESTAMP_HOURS_MAX, &r->timestamp_hours, err);
}

enum wa_code wa_repo_put_timestamp_keys(const struct wa_cli *cli, struct wa_root *r,
                                        struct wa_err *err)
{
    const char *path;
    if (wa_cli_has(cli, "timestamp-key"))
        wa_root_clear_timestamp_keys(r);
    for (size_t i = 0; (path = wa_cli_at(cli, "timestamp-key", i)) != NULL; i++) {
        WA_AUTO_BUF struct wa_buf pem;
        wa_buf_init(&pem, WA_KEY_BYTES_MAX);
        if (wa_path_read(path, WA_KEY_BYTES_MAX, &pem, err) != WA_OK ||
            wa_root_add_timestamp_key(r, wa_buf_sv(&pem), err) != WA_OK)
            return wa_wrap(err, "the public key '%s'", path);
    }
    return WA_OK;
}

static void print(void *user, const char *label, struct wa_sv value)
{
    wa_cli_out(user, "  %s: %.*s\n", label, WA_SV_ARG(value));
}

enum wa_code wa_repo_show_root(struct wa_cli *cli, const struct wa_root *r,
                               const struct wa_root *old, struct wa_err *err)
{
    wa_root_write_shown(r, old, &cli->jw);
    return wa_root_say(r, old, print, cli, err);
}
