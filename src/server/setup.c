/* setup.c - the first configuration of a server. Keys are made here and stay here; what is there
 * already is replaced only on demand. */

#include "base/mem.h"
#include "codec/csv.h"
#include "crypto/cert.h"
#include "crypto/pwhash.h"
#include "os/clock.h"
#include "os/local.h"
#include "os/priv.h"
#include "os/rand.h"
#include "server/authority.h"
#include "server/config.h"
#include "server/store_db.h"

enum wa_code wa_server_make_dirs(const char *dir_path, struct wa_err *err)
{
    static const struct {
        const char *name;
        uint32_t mode;
        bool for_user; /* the processes that face the network write there */
    } dirs[] = {{"", 0755, false},
                {"private", 0700, false},
                {"db", 0700, true},
                {"trusted", 0755, true},
                {"repo", 0755, false},
                {"repo/wapt", 0755, true},
                {"repo/wapt-host", 0755, true},
                {"repo/incoming", 0700, true}};
    uint32_t uid = 65534, gid = 65534;
    struct wa_err missing = WA_ERR_INIT;
    if (wa_user_ids("wapt", &uid, &gid, &missing) != WA_OK)
        wa_err_clear(&missing); /* then they run as nobody, and say so */
    for (size_t i = 0; i < WA_COUNT(dirs); i++) {
        char path[WA_PATH_MAX];
        WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
        (void)snprintf(path, sizeof path, "%s%s%s", dir_path, dirs[i].name[0] != '\0' ? "/" : "",
                       dirs[i].name);
        if (wa_dir_make(path, dirs[i].mode, &dir, err) != WA_OK)
            return err->code;
        if (wa_dir_set_mode(&dir, dirs[i].mode, err) != WA_OK ||
            (dirs[i].for_user && wa_priv_is_root() &&
             wa_dir_set_owner(&dir, uid, gid, err) != WA_OK))
            return wa_wrap(err, "'%s'", path);
    }
    return WA_OK;
}

static enum wa_code write_private(const char *dir, const char *name, const struct wa_key *key,
                                  struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, 64u << 10);
    (void)snprintf(path, sizeof path, "%s/private/%s", dir, name);
    if (wa_key_write_pem(key, WA_SV(""), &pem, err) != WA_OK)
        return err->code;
    return wa_path_replace(path, wa_buf_sv(&pem), 0600, err);
}

/* A certificate for the names, signed by its own key: agents and consoles pin it by its
 * fingerprint. */
static enum wa_code make_tls(const struct wa_setup *s, char fingerprint[65], struct wa_err *err)
{
    char path[WA_PATH_MAX], names[16][256];
    const char *list[17] = {NULL};
    size_t n = 0;
    struct wa_sv rest = wa_sv(s->names), item;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, 64u << 10);
    while (n < 16 && wa_csv_next(&rest, &item)) {
        (void)snprintf(names[n], sizeof names[n], "%.*s", WA_SV_ARG(item));
        list[n] = names[n];
        n++;
    }
    if (n == 0)
        return wa_fail(err, WA_E_USAGE, "the server needs a name, by which agents reach it");
    const struct wa_cert_request what = {
        .cn = names[0], .path_length = -1, .server_auth = true, .dns_names = list, .days = 3650};
    (void)snprintf(path, sizeof path, "%s/private/tls.crt", s->dir);
    if (wa_key_new_p256(&key, err) != WA_OK ||
        write_private(s->dir, "tls.pem", key, err) != WA_OK ||
        wa_cert_issue(&what, key, NULL, NULL, &cert, err) != WA_OK ||
        wa_cert_write_pem(cert, &pem, err) != WA_OK ||
        wa_path_replace(path, wa_buf_sv(&pem), 0644, err) != WA_OK)
        return err->code;
    memcpy(fingerprint, wa_cert_fingerprint(cert), 65);
    return WA_OK;
}

static enum wa_code take_tls(const struct wa_setup *s, char fingerprint[65], struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf key_pem;
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&key_pem, 64u << 10);
    if (wa_path_read(s->tls_cert, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_path_read(s->tls_key, 64u << 10, &key_pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &chain, err) != WA_OK ||
        wa_key_read_pem(wa_buf_sv(&key_pem), s->tls_key, NULL, NULL, &key, err) != WA_OK)
        return err->code;
    if (!wa_cert_matches_key(chain.items[0], key))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the key of '%s'", s->tls_key, s->tls_cert);
    (void)snprintf(path, sizeof path, "%s/private/tls.pem", s->dir);
    if (wa_path_replace(path, wa_buf_sv(&key_pem), 0600, err) != WA_OK)
        return err->code;
    (void)snprintf(path, sizeof path, "%s/private/tls.crt", s->dir);
    memcpy(fingerprint, wa_cert_fingerprint(chain.items[0]), 65);
    return wa_path_replace(path, wa_buf_sv(&pem), 0644, err);
}

/* The public half first: a private one that is there has its other half. */
static enum wa_code write_pair(const char *dir, const char *name, struct wa_err *err)
{
    char path[WA_PATH_MAX], file[64];
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, 16u << 10);
    (void)snprintf(path, sizeof path, "%s/private/%s.pub", dir, name);
    (void)snprintf(file, sizeof file, "%s.pem", name);
    if (wa_key_new_p256(&key, err) != WA_OK || wa_key_write_public_pem(key, &pem, err) != WA_OK ||
        wa_path_replace(path, wa_buf_sv(&pem), 0644, err) != WA_OK)
        return err->code;
    return write_private(dir, file, key, err);
}

enum wa_code wa_server_timestamp_key(const char *dir, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/private/timestamp.pem", dir);
    return wa_path_stat(path, &st, &missing) == WA_OK ? WA_OK : write_pair(dir, "timestamp", err);
}

enum wa_code wa_server_proxy_secret(const struct wa_server_config *c, struct wa_err *err)
{
    char path[WA_PATH_MAX], conf[WA_PATH_MAX], hex[65], line[128];
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    if (c->proxies[0] == '\0')
        return WA_OK;
    if (wa_server_path(c, "private/proxy.secret", path, err) != WA_OK ||
        wa_server_path(c, "private/proxy.conf", conf, err) != WA_OK)
        return err->code;
    if (wa_path_stat(path, &st, &missing) == WA_OK)
        return WA_OK;
    if (wa_rand_hex(hex, 32, err) != WA_OK)
        return err->code;
    (void)snprintf(line, sizeof line, "proxy_set_header X-Wapt-Proxy %s;\n", hex);
    enum wa_code code = wa_path_replace(conf, wa_sv(line), 0600, err);
    if (code == WA_OK)
        code = wa_path_replace(path, wa_sv(hex), 0600, err);
    wa_wipe(line, sizeof line);
    wa_wipe(hex, sizeof hex);
    return code;
}

static enum wa_code write_config(const struct wa_setup *s, const char *config, struct wa_err *err)
{
    char uuid[37];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 8192);
    if (wa_rand_uuid(uuid, err) != WA_OK)
        return err->code;
    wa_buf_addf(&text, "[options]\nbind = %s\nport = %lld\nserver_uuid = %s\n", s->bind,
                (long long)s->port, uuid);
    if (s->trusted != NULL)
        wa_buf_addf(&text, "trusted_signers = %s\n", s->trusted);
    if (s->node != NULL)
        wa_buf_addf(&text, "node = %s\n", s->node);
    if (s->database[0] != '\0')
        wa_buf_addf(&text, "database = %s\n", s->database);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_path_replace(config, wa_buf_sv(&text), wa_db_url_is_secret(s->database) ? 0640 : 0644,
                           err);
}

/* A server is there already, whole or in parts: nothing of it is lost by setting it up again. */
static enum wa_code check_new(const struct wa_setup *s, struct wa_err *err)
{
    static const char *const names[] = {"waptserver.ini", "private/tls.pem", "private/relay.pem",
                                        "private/timestamp.pem", "db/waptserver.sqlite"};
    for (size_t i = 0; i < WA_COUNT(names) && !s->force; i++) {
        char path[WA_PATH_MAX];
        struct wa_stat st;
        struct wa_err missing = WA_ERR_INIT;
        (void)snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
        if (wa_path_stat(path, &st, &missing) == WA_OK)
            return wa_fail(err, WA_E_EXISTS,
                           "there is a server in '%s' already (%s); --force makes new keys, and "
                           "every agent must enrol again",
                           s->dir, names[i]);
    }
    return WA_OK;
}

/* The database, of the account whose process uses it. */
static enum wa_code make_database(const struct wa_setup *s, const char *hash, struct wa_err *err)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    uint32_t uid = 65534, gid = 65534;
    struct wa_err missing = WA_ERR_INIT;
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    if (wa_store_open(s->dir, s->database, &db, err) != WA_OK ||
        wa_store_set_user(db, "admin", hash, "superadmin", err) != WA_OK)
        return err->code;
    if (!wa_priv_is_root() || s->database[0] != '\0')
        return WA_OK;
    if (wa_user_ids("wapt", &uid, &gid, &missing) != WA_OK)
        wa_err_clear(&missing); /* then it is nobody's */
    for (size_t i = 0; i < WA_COUNT(parts); i++) {
        char path[WA_PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/db/waptserver.sqlite%s", s->dir, parts[i]);
        struct wa_err why = WA_ERR_INIT;
        if (wa_path_set_owner(path, uid, gid, &why) != WA_OK &&
            i == 0) { /* others may be missing */
            *err = why;
            return err->code;
        }
    }
    return WA_OK;
}

enum wa_code wa_server_setup(const struct wa_setup *s, char fingerprint[65],
                             char config[WA_PATH_MAX], struct wa_err *err)
{
    char hash[WA_PWHASH_MAX];
    (void)snprintf(config, WA_PATH_MAX, "%s/waptserver.ini", s->dir);
    if (s->dir[0] != '/')
        return wa_fail(err, WA_E_USAGE, "the server's directory must be an absolute path");
    if (check_new(s, err) != WA_OK)
        return err->code;
    if (s->admin_password.n < 10)
        return wa_fail(err, WA_E_USAGE,
                       "the administrator's password must have at least 10 characters");
    if (wa_pwhash_make(s->admin_password, hash, err) != WA_OK ||
        wa_server_make_dirs(s->dir, err) != WA_OK ||
        (s->tls_cert != NULL ? take_tls(s, fingerprint, err) : make_tls(s, fingerprint, err)) !=
            WA_OK ||
        write_pair(s->dir, "relay", err) != WA_OK ||
        write_pair(s->dir, "timestamp", err) != WA_OK || wa_authority_make(s->dir, err) != WA_OK ||
        make_database(s, hash, err) != WA_OK)
        return wa_wrap(err, "setting the server up");
    return write_config(s, config, err);
}
