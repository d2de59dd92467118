/* get_check_cert.c - wapt-get check-valid-codesigning-cert: may this packager sign packages with a
 * setup.py? It looks at the certificate alone: no key, no password.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/get.h"
#include "os/clock.h"
#include "os/path.h"

static const struct wa_cli_option options[] = {
    {"certificate", 'k', "FILE"},
};

static enum wa_code judge(const struct wa_cert *c, int64_t now, struct wa_err *err)
{
    if (!wa_cert_may_sign_code(c))
        return wa_fail(err, WA_E_REFUSED,
                       "'%s' can't sign code: its certificate lacks the usage codeSigning",
                       wa_cert_cn(c));
    if (now < wa_cert_not_before(c) || now > wa_cert_not_after(c))
        return wa_fail(err, WA_E_REFUSED,
                       "the certificate '%s' has expired or is not valid yet: no agent would take "
                       "the package",
                       wa_cert_cn(c));
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs chain = {0};
    WA_AUTO_STR char *path = NULL;
    char until[WA_DATE_MAX];
    if (wa_get_certificate(cli, &path, &chain, err) != WA_OK)
        return err->code;
    const struct wa_cert *c = chain.items[0];
    enum wa_code code = judge(c, wa_clock_now(), err);
    wa_date_rfc3339(wa_cert_not_after(c), until);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "certificate", path);
    wa_jw_kv(&cli->jw, "name", wa_cert_cn(c));
    wa_jw_kv(&cli->jw, "fingerprint", wa_cert_fingerprint(c));
    wa_jw_kv(&cli->jw, "not_after", until);
    wa_jw_kvb(&cli->jw, "may_sign_code", code == WA_OK);
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("certificate"), path);
    wa_cli_pair(cli, wa_text("name"), wa_cert_cn(c));
    wa_cli_pair(cli, wa_text("fingerprint"), wa_cert_fingerprint(c));
    wa_cli_pair(cli, wa_text("expires"), until);
    return code;
}

const struct wa_cli_command wa_get_check_valid_codesigning_cert = {
    "check-valid-codesigning-cert", options, WA_COUNT(options), 0, 0, run};
