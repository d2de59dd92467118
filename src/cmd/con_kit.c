/* con_kit.c - waptconsole kit: a file with which new machines register: where their server is and
 * how it is known, whom they trust, and a token of the server's that is good for so many of them.
 *
 * No private key comes into it: certificates are read and written anew.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/ini.h"
#include "console/root_known.h"
#include "os/clock.h"
#include "os/fs.h"
#include "proto/kit.h"
#include "proto/kit_script.h"

struct making {
    struct wa_cli *cli;
    struct wa_client *client;
    struct wa_kit kit;
    struct wa_buf config, root, agent; /* agent: its package; empty: none */
    char agent_sha256[WA_DIGEST_HEX_MAX];
    char fingerprint[65];
};

static enum wa_code option_or_conf(const struct wa_cli *cli, const char *option, const char *key,
                                   char **ret, struct wa_err *err)
{
    const char *given = wa_cli_get(cli, option, NULL);
    return given != NULL ? wa_sv_dup(wa_sv(given), ret, err) : wa_get_conf(cli, key, ret, err);
}

/* --- the machine's configuration --- */

/* Those who may order, by their certificates. */
static enum wa_code set_signers(const struct wa_cli *cli, struct wa_ini *ini, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf list;
    const char *path;
    wa_buf_init(&list, 4096);
    for (size_t i = 0; (path = wa_cli_at(cli, "orders-by", i)) != NULL; i++) {
        WA_AUTO_BUF struct wa_buf pem;
        WA_AUTO_CERTS struct wa_certs chain = {0};
        wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
        if (wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
            wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &chain, err) != WA_OK)
            return wa_wrap(err, "'%s'", path);
        wa_buf_addf(&list, "%s%s", i > 0 ? "," : "", wa_cert_fingerprint(chain.items[0]));
    }
    if (list.n == 0)
        return WA_OK;
    return wa_buf_check(&list, err) == WA_OK
               ? wa_ini_set(ini, "actions", "signers", wa_buf_str(&list), err)
               : err->code;
}

static enum wa_code write_config(struct making *m, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_STR char *server = NULL;
    WA_AUTO_STR char *fingerprint = NULL;
    const char *base = wa_cli_get(m->cli, "agent-config", NULL);
    wa_buf_init(&text, WA_INI_BYTES_MAX);
    if (base != NULL && wa_path_read(base, WA_INI_BYTES_MAX, &text, err) != WA_OK)
        return err->code;
    if (option_or_conf(m->cli, "server", "wapt_server", &server, err) != WA_OK ||
        option_or_conf(m->cli, "server-fingerprint", "server_fingerprint", &fingerprint, err) !=
            WA_OK ||
        wa_ini_parse(wa_buf_sv(&text), base != NULL ? base : "", &ini, err) != WA_OK)
        return err->code;
    if (server == NULL || fingerprint == NULL ||
        !wa_hex_fingerprint(wa_sv(fingerprint), m->fingerprint))
        return wa_fail(err, WA_E_USAGE,
                       "a kit says which server, and by which certificate it is known: give "
                       "--server and --server-fingerprint, or write them into waptconsole.ini");
    if (wa_ini_set(ini, "global", "wapt_server", wa_cli_get(m->cli, "agents-url", server), err) !=
            WA_OK ||
        wa_ini_set(ini, "global", "server_fingerprint", m->fingerprint, err) != WA_OK ||
        set_signers(m->cli, ini, err) != WA_OK)
        return err->code;
    wa_ini_write(ini, &m->config);
    m->kit.config = wa_buf_sv(&m->config);
    return wa_buf_check(&m->config, err);
}

/* --- whom it trusts --- */

/* A machine obeys the first that it finds: one that no machine would go by is not given to any. */
static enum wa_code read_given(const char *path, struct wa_buf *json, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    return wa_path_read(path, WA_ROOT_BYTES_MAX, json, err) == WA_OK &&
                   wa_root_read(wa_buf_sv(json), &root, err) == WA_OK &&
                   wa_root_check(root, err) == WA_OK &&
                   wa_root_check_dates(root, wa_clock_now(), err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "the root '%s'", path);
}

/* The one that is given, else the one that is known here; there may be none. */
static enum wa_code read_root(struct making *m, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir known = WA_DIR_INIT;
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    const char *given = wa_cli_get(m->cli, "root", NULL);
    enum wa_code code = WA_OK;
    if (given != NULL)
        code = read_given(given, &m->root, err);
    else if (wa_con_open_known(m->cli, &known, err) != WA_OK ||
             wa_known_root_to_give(&known, m->client, wa_clock_now(), &m->root, &root, err) !=
                 WA_OK)
        code = err->code;
    m->kit.root = wa_buf_sv(&m->root);
    return code;
}

static enum wa_code read_trust(struct making *m, struct wa_err *err)
{
    WA_AUTO_STR char *dir = NULL;
    if (option_or_conf(m->cli, "trusted", "public_certs_dir", &dir, err) != WA_OK ||
        read_root(m, err) != WA_OK)
        return err->code;
    if (dir == NULL && m->root.n == 0)
        return wa_fail(err, WA_E_USAGE,
                       "whom shall the machines trust? Give --trusted DIR, or --root FILE");
    return dir == NULL || wa_certs_read_dir(dir, &m->kit.trust, err) == WA_OK
               ? WA_OK
               : wa_wrap(err, "trusted certificates");
}

static enum wa_code ask_token(struct making *m, int64_t uses, int64_t seconds, char id[33],
                              char token[WA_TOKEN_MAX], struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    char body[256];
    wa_arena_init(&arena, 1u << 20);
    (void)snprintf(body, sizeof body,
                   "{\"server_fingerprint\":\"%s\",\"uses\":%lld,\"seconds\":%lld}", m->fingerprint,
                   (long long)uses, (long long)seconds);
    if (wa_client_call(m->client, "POST", "/api/v1/enrol-tokens", wa_sv(body), &arena, &j, err) !=
        WA_OK)
        return err->code;
    (void)snprintf(id, 33, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "id"))));
    (void)snprintf(token, WA_TOKEN_MAX, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "token"))));
    return wa_json_i64(wa_json_get(j, "expires"), &m->kit.expires)
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "the server gave no token");
}

/* --- the agent --- */

static enum wa_code read_agent(struct making *m, struct wa_err *err)
{
    struct wa_mem_source source;
    const char *path = wa_cli_get(m->cli, "agent", NULL);
    if (path == NULL)
        return WA_OK;
    if (wa_path_read(path, WA_KIT_AGENT_MAX, &m->agent, err) != WA_OK)
        return err->code;
    if (!wa_kit_is_deb(wa_buf_sv(&m->agent)))
        return wa_fail(err, WA_E_INVALID, "'%s' is no Debian package", path);
    wa_mem_source_init(&source, m->agent.p, m->agent.n);
    return wa_digest_source(WA_SHA256, &source.base, m->agent_sha256, err);
}

static enum wa_code write_out(const struct making *m, const char *file, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf kit;
    WA_AUTO_BUF_SECRET struct wa_buf script;
    wa_buf_init(&kit, WA_KIT_BYTES_MAX);
    wa_buf_init(&script, 2u * (WA_KIT_AGENT_MAX + WA_KIT_BYTES_MAX));
    if (wa_kit_write(&m->kit, &kit, err) != WA_OK)
        return err->code;
    if (m->agent.n == 0)
        return wa_path_replace(file, wa_buf_sv(&kit), 0600, err);
    wa_kit_script_begin(wa_buf_sv(&kit), m->agent_sha256, &script);
    wa_base64_encode_mime(m->agent.p, m->agent.n, &script);
    wa_buf_adds(&script, wa_kit_script_end);
    return wa_buf_check(&script, err) == WA_OK
               ? wa_path_replace(file, wa_buf_sv(&script), 0600, err)
               : err->code;
}

static enum wa_code make(struct making *m, struct wa_err *err)
{
    char id[33] = "", token[WA_TOKEN_MAX] = "", until[WA_DATE_MAX];
    int64_t uses = 1, seconds = 0;
    bool has_agent = wa_cli_has(m->cli, "agent");
    const char *file = wa_cli_get(m->cli, "output", has_agent ? "wapt-kit.sh" : "wapt.kit");
    if (!wa_date_parse_period(wa_sv(wa_cli_get(m->cli, "valid", "24h")), 'h', &seconds))
        return wa_fail(err, WA_E_USAGE, "--valid takes a period like 12h or 3d");
    if (wa_cli_int(m->cli, "uses", 1, 10000, &uses, err) != WA_OK ||
        write_config(m, err) != WA_OK || read_agent(m, err) != WA_OK ||
        wa_con_connect(m->cli, &m->client, err) != WA_OK || read_trust(m, err) != WA_OK ||
        ask_token(m, uses, seconds, id, token, err) != WA_OK)
        return err->code;
    m->kit.token = wa_sv(token);
    enum wa_code code = write_out(m, file, err);
    wa_wipe(token, sizeof token);
    if (code != WA_OK)
        return code;
    wa_date_rfc3339(m->kit.expires, until);
    wa_jw_obj(&m->cli->jw);
    wa_jw_kv(&m->cli->jw, "file", file);
    wa_jw_kv(&m->cli->jw, "token", id);
    wa_jw_kvi(&m->cli->jw, "uses", uses);
    wa_jw_kvi(&m->cli->jw, "expires", m->kit.expires);
    wa_jw_kvi(&m->cli->jw, "certificates", (int64_t)m->kit.trust.n);
    wa_jw_kvb(&m->cli->jw, "root", m->kit.root.n > 0);
    wa_jw_kv(&m->cli->jw, "agent", has_agent ? m->agent_sha256 : NULL);
    wa_jw_end(&m->cli->jw);
    wa_cli_out(m->cli, "%s\n", file);
    wa_cli_say(m->cli,
               "token %s, good for %lld machines until %s; whoever reads the file can use it. On "
               "each: %s '%s'",
               id, (long long)uses, until, has_agent ? "sh" : "wapt-get enrol", file);
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct making m = {.cli = cli, .kit = {.root = WA_SV("")}};
    wa_buf_init(&m.config, WA_INI_BYTES_MAX);
    wa_buf_init(&m.root, WA_ROOT_BYTES_MAX);
    wa_buf_init(&m.agent, WA_KIT_AGENT_MAX);
    enum wa_code code = make(&m, err);
    wa_client_close(m.client);
    wa_kit_fini(&m.kit);
    wa_buf_fini(&m.config);
    wa_buf_fini(&m.root);
    wa_buf_fini(&m.agent);
    return code;
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,    {"output", 'o', "FILE"},     {"uses", 0, "N"},
    {"valid", 0, "PERIOD"},   {"trusted", 't', "DIR"},     {"root", 0, "FILE"},
    {"orders-by", 0, "FILE"}, {"agent-config", 0, "FILE"}, {"agents-url", 0, "URL"},
    {"agent", 0, "FILE"},     {"known", 0, "DIR"},
};
const struct wa_cli_command wa_con_kit = {"kit", options, WA_COUNT(options), 0, 0, run};
