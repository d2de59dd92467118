/* kind_kit.c - an enrolment kit for new machines: this server, by the certificate that it is known
 * by here, the certificates that count here, the repository's root where one is known, and a new
 * token of the server's.
 *
 * Nothing is signed, but who has the file can register machines: it is shown first, and made once.
 */
#include "codec/ini.h"
#include "console/local_kind.h"
#include "console/root_known.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/fs.h"
#include "proto/kit.h"
#include "proto/kit_script.h"

#define USES_MAX 10000
#define SECONDS_MAX (7 * 86400)

struct kit {
    struct wa_kit kit;
    struct wa_buf config, root;
    int64_t uses, seconds;
    char agent[WA_DIGEST_HEX_MAX]; /* SHA-256 of the agent's package; "": it does not come along */
};

/* orders_by: the certificate whose orders the machines obey; NULL: not known yet. */
static enum wa_code write_config(const struct wa_local_prepared *p, struct kit *k,
                                 const struct wa_cert *orders_by, struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    if (p->server_fingerprint[0] == '\0')
        return wa_fail(err, WA_E_CONFIG,
                       "a kit says by which certificate the server is known: set "
                       "server_fingerprint in waptconsole.ini");
    if (wa_ini_new(&ini, err) != WA_OK ||
        wa_ini_set(ini, "global", "wapt_server", p->options->server, err) != WA_OK ||
        wa_ini_set(ini, "global", "server_fingerprint", p->server_fingerprint, err) != WA_OK ||
        (orders_by != NULL &&
         wa_ini_set(ini, "actions", "signers", wa_cert_fingerprint(orders_by), err) != WA_OK))
        return err->code;
    wa_buf_clear(&k->config);
    wa_ini_write(ini, &k->config);
    k->kit.config = wa_buf_sv(&k->config);
    return wa_buf_check(&k->config, err);
}

static enum wa_code read_request(const struct wa_json *request, struct kit *k,
                                 const struct wa_json **ret_agent, struct wa_err *err)
{
    struct wa_sv what, key;
    const struct wa_json_field fields[] = {{"what", WA_WANT_SV, true, 64, &what},
                                           {"key", WA_WANT_SV, false, 16, &key},
                                           {"uses", WA_WANT_I64, true, 0, &k->uses},
                                           {"seconds", WA_WANT_I64, true, 0, &k->seconds},
                                           {"agent", WA_WANT_OBJECT, false, 0, ret_agent}};
    if (wa_json_read(request, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    return k->uses >= 1 && k->uses <= USES_MAX && k->seconds >= 60 && k->seconds <= SECONDS_MAX
               ? WA_OK
               : wa_fail(err, WA_E_INVALID,
                         "a token is for 1 to %d machines, and lasts a minute to seven days",
                         USES_MAX);
}

/* A file that was dropped: looked at, and known by its digest from here on. */
static enum wa_code read_agent(struct wa_local_prepared *p, struct kit *k,
                               const struct wa_json *agent, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf bytes;
    struct wa_sv id = WA_SV(""), name = WA_SV("");
    struct wa_mem_source source;
    char path[WA_PATH_MAX], text[WA_DIGEST_HEX_MAX + 512];
    const struct wa_json_field fields[] = {{"id", WA_WANT_SV, true, 64, &id},
                                           {"name", WA_WANT_SV, true, 400, &name}};
    wa_buf_init(&bytes, WA_KIT_AGENT_MAX);
    if (agent == NULL)
        return WA_OK;
    if (wa_json_read(agent, fields, WA_COUNT(fields), "a file", err) != WA_OK ||
        wa_local_file_path(p, id, path, err) != WA_OK ||
        wa_path_read(path, WA_KIT_AGENT_MAX, &bytes, err) != WA_OK)
        return err->code;
    if (!wa_kit_is_deb(wa_buf_sv(&bytes)))
        return wa_fail(err, WA_E_INVALID, "'%.*s' is no Debian package", WA_SV_ARG(name));
    wa_mem_source_init(&source, bytes.p, bytes.n);
    if (wa_digest_source(WA_SHA256, &source.base, k->agent, err) != WA_OK)
        return err->code;
    (void)snprintf(text, sizeof text, "%.*s, SHA-256 %s", WA_SV_ARG(name), k->agent);
    wa_local_say(p, wa_text("Agent that they install"), wa_sv(text));
    return WA_OK;
}

/* A machine that has no root yet follows the first that it finds in its base directory: without
 * one it would take whatever the certificates stand for, and orders of the one who made the kit. */
static enum wa_code add_root(struct wa_local_prepared *p, struct kit *k, struct wa_client *client,
                             struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir known = WA_DIR_INIT;
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    char text[128];
    if (wa_known_open(p->options->server, &known, err) != WA_OK ||
        wa_known_root_to_give(&known, client, wa_clock_now(), &k->root, &root, err) != WA_OK)
        return err->code;
    k->kit.root = wa_buf_sv(&k->root);
    if (root == NULL) {
        wa_local_say(p, wa_text("Root of the repository"), wa_sv(wa_text("none is known here")));
        return WA_OK;
    }
    (void)snprintf(text, sizeof text, wa_text("version %lld, of repository %s"),
                   (long long)root->version, root->repository);
    wa_local_say(p, wa_text("Root of the repository"), wa_sv(text));
    return WA_OK;
}

static void show(struct wa_local_prepared *p, const struct kit *k)
{
    char text[64];
    wa_buf_adds(&p->title, wa_text("kit"));
    wa_local_say(p, wa_text("Server"), wa_sv(p->options->server));
    wa_local_say(p, wa_text("Its certificate"), wa_sv(p->server_fingerprint));
    for (size_t i = 0; i < k->kit.trust.n; i++)
        wa_local_say(p, wa_text("Trusted for packages"), wa_sv(wa_cert_cn(k->kit.trust.items[i])));
    wa_local_say(p, wa_text("Whose orders they obey"),
                 wa_sv(wa_text("those of the certificate that this is made with")));
    (void)snprintf(text, sizeof text, "%lld", (long long)k->uses);
    wa_local_say(p, wa_text("Machines"), wa_sv(text));
    (void)snprintf(text, sizeof text, "%lld h", (long long)(k->seconds + 3599) / 3600);
    wa_local_say(p, wa_text("Good for"), wa_sv(text));
}

static enum wa_code prepare(struct wa_local_prepared *p, const struct wa_json *request,
                            struct wa_client *client, struct wa_err *err)
{
    struct kit *k = wa_arena_alloc(&p->arena, 1, sizeof *k);
    const struct wa_json *agent = NULL;
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct kit){.kit = {.root = WA_SV("")}};
    wa_buf_init(&k->config, WA_INI_BYTES_MAX);
    wa_buf_init(&k->root, WA_ROOT_BYTES_MAX);
    p->own = k;
    if (read_request(request, k, &agent, err) != WA_OK || write_config(p, k, NULL, err) != WA_OK)
        return err->code;
    if (p->options->trusted != NULL &&
        wa_certs_read_dir(p->options->trusted, &k->kit.trust, err) != WA_OK)
        return wa_wrap(err, "trusted certificates");
    show(p, k);
    if (add_root(p, k, client, err) != WA_OK)
        return err->code;
    if (p->options->trusted == NULL && k->root.n == 0)
        return wa_fail(err, WA_E_CONFIG,
                       "whose packages count? Set public_certs_dir in waptconsole.ini");
    return read_agent(p, k, agent, err);
}

static enum wa_code commit(struct wa_local_prepared *p, const struct wa_signer *signer,
                           struct wa_client *client, struct wa_jw *w, struct wa_err *err)
{
    struct kit *k = p->own;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf text;
    const struct wa_json *j = NULL;
    char body[256];
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&text, WA_KIT_BYTES_MAX);
    if (write_config(p, k, signer->chain->items[0], err) != WA_OK)
        return err->code;
    (void)snprintf(body, sizeof body,
                   "{\"server_fingerprint\":\"%s\",\"uses\":%lld,\"seconds\":%lld}",
                   p->server_fingerprint, (long long)k->uses, (long long)k->seconds);
    if (wa_client_call(client, "POST", "/api/v1/enrol-tokens", wa_sv(body), &arena, &j, err) !=
        WA_OK)
        return err->code;
    k->kit.token = wa_json_sv(wa_json_get(j, "token"));
    if (!wa_json_i64(wa_json_get(j, "expires"), &k->kit.expires))
        return wa_fail(err, WA_E_INVALID, "the server gave no token");
    if (wa_kit_write(&k->kit, &text, err) != WA_OK)
        return err->code;
    if (k->agent[0] != '\0') { /* the page, which has the package, puts it between the two */
        WA_AUTO_BUF_SECRET struct wa_buf script;
        wa_buf_init(&script, 2u * WA_KIT_BYTES_MAX);
        wa_kit_script_begin(wa_buf_sv(&text), k->agent, &script);
        wa_jw_kvsv(w, "script", wa_buf_sv(&script));
        wa_jw_kv(w, "script_end", wa_kit_script_end);
        if (wa_buf_check(&script, err) != WA_OK)
            return err->code;
    }
    wa_jw_kvsv(w, "kit", wa_buf_sv(&text));
    wa_jw_kvsv(w, "token", wa_json_sv(wa_json_get(j, "id")));
    wa_jw_kvi(w, "expires", k->kit.expires);
    return WA_OK;
}

static void discard(struct wa_local_prepared *p)
{
    struct kit *k = p->own;
    if (k == NULL)
        return;
    wa_kit_fini(&k->kit);
    wa_buf_fini(&k->config);
    wa_buf_fini(&k->root);
}

const struct wa_local_kind wa_local_kind_kit = {.what = "kit",
                                                .prepare = prepare,
                                                .commit = commit,
                                                .discard = discard,
                                                .gesture = WA_LOCAL_GESTURE_ALWAYS};
