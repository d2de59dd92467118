/* kit.c - reading and writing enrolment kits. What is read was checked part by part, so that who
 * applies it writes only what the agent will take.
 */
#include "proto/kit.h"

#include "base/mem.h"
#include "codec/ini.h"
#include "codec/json.h"
#include "proto/token.h"

void wa_kit_fini(struct wa_kit *k)
{
    wa_certs_fini(&k->trust);
}

static bool has_private_key(struct wa_sv text)
{
    static const char mark[] = "PRIVATE KEY";
    for (size_t i = 0; i + sizeof mark - 1 <= text.n; i++)
        if (memcmp(text.p + i, mark, sizeof mark - 1) == 0)
            return true;
    return false;
}

enum wa_code wa_kit_server(struct wa_sv config, char *name, size_t n, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    if (wa_ini_parse(config, "wapt-get.ini", &ini, err) != WA_OK)
        return err->code;
    const char *server = wa_ini_get(ini, "global", "wapt_server");
    if (server == NULL || !wa_sv_starts(wa_sv(server), "https://") || strlen(server) >= n)
        return wa_fail(err, WA_E_INVALID, "its configuration has no https:// wapt_server");
    memcpy(name, server, strlen(server) + 1);
    return WA_OK;
}

static enum wa_code check(const struct wa_kit *k, struct wa_err *err)
{
    struct wa_token token;
    char server[1024];
    if (wa_kit_server(k->config, server, sizeof server, err) != WA_OK ||
        wa_token_parse(k->token, &token, err) != WA_OK)
        return err->code;
    wa_wipe(&token, sizeof token);
    if (k->trust.n == 0 && k->root.n == 0)
        return wa_fail(err, WA_E_INVALID, "it says nothing about whose packages to trust");
    if (has_private_key(k->config) || has_private_key(k->root))
        return wa_fail(err, WA_E_INVALID, "it holds a private key, which belongs to nobody else");
    return WA_OK;
}

enum wa_code wa_kit_read(struct wa_sv json, struct wa_arena *arena, struct wa_kit *ret,
                         struct wa_err *err)
{
    WA_AUTO_KIT struct wa_kit k = {.root = WA_SV("")};
    const struct wa_json *j = NULL;
    struct wa_sv certificates = WA_SV("");
    int64_t version = 0;
    const struct wa_json_field fields[] = {
        {"kit", WA_WANT_I64, true, 0, &version},
        {"config", WA_WANT_SV, true, WA_INI_BYTES_MAX, &k.config},
        {"certificates", WA_WANT_SV, true, WA_CERTFILE_BYTES_MAX, &certificates},
        {"root", WA_WANT_SV, false, WA_ROOT_BYTES_MAX, &k.root},
        {"token", WA_WANT_SV, true, WA_TOKEN_MAX, &k.token},
        {"expires", WA_WANT_I64, true, 0, &k.expires}};
    if (json.n > WA_KIT_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "an enrolment kit has at most %u bytes", WA_KIT_BYTES_MAX);
    if (wa_json_parse(json, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "an enrolment kit", err) != WA_OK)
        return err->code;
    if (version != 1)
        return wa_fail(err, WA_E_INVALID, "an enrolment kit of another version than 1");
    if (has_private_key(certificates))
        return wa_fail(err, WA_E_INVALID, "it holds a private key, which belongs to nobody else");
    if ((certificates.n > 0 &&
         wa_certs_read_pem(certificates, WA_KIT_CERTS_MAX, &k.trust, err) != WA_OK) ||
        check(&k, err) != WA_OK)
        return err->code;
    *ret = k;
    k.trust = (struct wa_certs){0};
    return WA_OK;
}

enum wa_code wa_kit_write(const struct wa_kit *k, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_jw w;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (check(k, err) != WA_OK ||
        (k->trust.n > 0 && wa_certs_write_pem(&k->trust, &pem, err) != WA_OK) ||
        wa_buf_check(&pem, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "kit", 1);
    wa_jw_kvsv(&w, "config", k->config);
    wa_jw_kvsv(&w, "certificates", wa_buf_sv(&pem));
    if (k->root.n > 0)
        wa_jw_kvsv(&w, "root", k->root);
    wa_jw_kvsv(&w, "token", k->token);
    wa_jw_kvi(&w, "expires", k->expires);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}
