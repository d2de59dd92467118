/* get_signing.c - what every command that signs packages takes from its command line.
 *
 * SOURCE_DATE_EPOCH is the one thing taken from the environment: builders of reproducible packages
 * set it for all their tools.
 */
#include <stdlib.h>

#include "cmd/get.h"
#include "codec/csv.h"
#include "os/fs.h"

#define EPOCH_MAX INT64_C(253402300799) /* end of the year 9999 */

static enum wa_code read_digests(const char *list, bool *ret_also_sha1, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(list), item;
    bool sha256 = false, sha1 = false;
    while (wa_csv_next(&rest, &item)) {
        bool is_256 = wa_sv_ieqs(item, "sha256");
        if (!is_256 && !wa_sv_ieqs(item, "sha1"))
            return wa_fail(err, WA_E_USAGE, "'%.*s' is no digest: sha256, and sha1 beside it, are",
                           WA_SV_ARG(item));
        sha256 = sha256 || is_256;
        sha1 = sha1 || !is_256;
    }
    if (!sha256)
        return wa_fail(err, WA_E_USAGE,
                       "no agent takes a package that is not signed over sha256: sha1 can only be "
                       "had beside it, with sha256,sha1");
    *ret_also_sha1 = sha1;
    return WA_OK;
}

static enum wa_code read_epoch(int64_t *ret, struct wa_err *err)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    int64_t date = 0;
    if (text == NULL)
        return WA_OK;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || date > EPOCH_MAX / 10)
            return wa_fail(err, WA_E_CONFIG, "SOURCE_DATE_EPOCH is no number of seconds");
        date = date * 10 + (*p - '0');
    }
    if (date == 0 || date > EPOCH_MAX)
        return wa_fail(err, WA_E_CONFIG,
                       "SOURCE_DATE_EPOCH is not between 1 and the end of the year 9999");
    *ret = date;
    return WA_OK;
}

enum wa_code wa_get_signing(const struct wa_cli *cli, struct wa_build_options *ret,
                            struct wa_err *err)
{
    struct wa_build_options o = {
        .increment_release = wa_cli_has(cli, "inc-release"),
        .keep_signature_date = wa_cli_has(cli, "keep-signature-date"),
        .maturity = wa_cli_get(cli, "maturity", NULL),
        .target_os = wa_cli_get(cli, "target-os", NULL),
    };
    const char *digests = wa_cli_get(cli, "message-digest", "sha256");
    if (read_digests(digests, &o.also_sha1, err) != WA_OK || read_epoch(&o.date, err) != WA_OK)
        return err->code;
    *ret = o;
    return WA_OK;
}

enum wa_code wa_get_sign(const char *path, const struct wa_signer *signer,
                         const struct wa_build_options *o, char *ret_path, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err why = WA_ERR_INIT;
    if (wa_dir_open(path, &dir, &why) != WA_OK)
        return wa_sign_package(path, signer, o, ret_path, err);
    int n = snprintf(ret_path, WA_PATH_MAX, "%s", path);
    if (n < 0 || n >= (int)WA_PATH_MAX)
        return wa_fail(err, WA_E_LIMIT, "signing: the path is too long");
    return wa_sign_tree(path, signer, o, err);
}
