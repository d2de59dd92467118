/* waptserver.c - main() of the server: setup, run, enrolment tokens, people. */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/cli.h"
#include "cmd/help.h"
#include "proto/token.h"
#include "server/config.h"
#include "server/people.h"

#define DEFAULT_DIR "/var/lib/waptserver"
#define DEFAULT_CONFIG DEFAULT_DIR "/waptserver.ini"

static enum wa_code load_config(const struct wa_cli *cli, struct wa_server_config *ret,
                                struct wa_err *err)
{
    char path[WA_PATH_MAX];
    return wa_cli_config(cli, DEFAULT_CONFIG, path, err) == WA_OK
               ? wa_server_config_load(path, ret, err)
               : err->code;
}

static enum wa_code setup(struct wa_cli *cli, struct wa_err *err)
{
    char fingerprint[65], config[WA_PATH_MAX];
    int64_t port = 443;
    WA_AUTO_BUF_SECRET struct wa_buf password;
    wa_buf_init(&password, 1024);
    const char *file = wa_cli_get(cli, "admin-password-file", NULL);
    const char *cert = wa_cli_get(cli, "tls-cert", NULL), *key = wa_cli_get(cli, "tls-key", NULL);
    if ((cert == NULL) != (key == NULL))
        return wa_fail(err, WA_E_USAGE, "--tls-cert and --tls-key go together");
    if (wa_cli_int(cli, "port", 1, 65535, &port, err) != WA_OK ||
        (file != NULL ? wa_cli_read_secret(file, &password, err)
                      : wa_cli_ask_secret("Password of the administrator 'admin': ", true,
                                          "--admin-password-file", &password, err)) != WA_OK)
        return err->code;
    const struct wa_setup s = {.dir = wa_cli_get(cli, "dir", DEFAULT_DIR),
                               .names = wa_cli_get(cli, "name", "localhost"),
                               .bind = wa_cli_get(cli, "bind", "0.0.0.0"),
                               .port = port,
                               .database = wa_cli_get(cli, "database", ""),
                               .tls_cert = cert,
                               .tls_key = key,
                               .trusted = wa_cli_get(cli, "trusted", NULL),
                               .admin_password = wa_buf_sv(&password),
                               .force = wa_cli_has(cli, "force")};
    if (wa_server_setup(&s, fingerprint, config, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "config", config);
    wa_jw_kv(&cli->jw, "fingerprint", fingerprint);
    wa_jw_end(&cli->jw);
    wa_cli_pair(cli, wa_text("configuration"), config);
    wa_cli_pair(cli, wa_text("certificate SHA-256"), fingerprint);
    wa_cli_out(cli,
               "\nNext: put the certificates of your package signers into '%s',\nthen start it "
               "with: waptserver run --config %s\n",
               s.trusted != NULL ? s.trusted : wa_text("trusted/ beside the configuration"),
               config);
    return WA_OK;
}

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_server_config c;
    wa_text_language(NULL); /* what it logs and answers has one language */
    if (load_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_cli_int(cli, "fronts", 1, 64, &c.fronts, err);
    if (code == WA_OK)
        code = wa_server_run(&c, err);
    wa_server_config_free(&c);
    wa_jw_null(&cli->jw);
    return code;
}

static enum wa_code make_token(struct wa_cli *cli, const struct wa_server_config *c, int64_t uses,
                               int64_t seconds, struct wa_err *err)
{
    char token[WA_TOKEN_MAX], id[WA_TOKEN_ID + 1];
    if (wa_server_enrol_token(c, uses, seconds, token, id, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "token", token);
    wa_jw_kv(&cli->jw, "id", id);
    wa_jw_kvi(&cli->jw, "uses", uses);
    wa_jw_kvi(&cli->jw, "seconds", seconds);
    wa_jw_end(&cli->jw);
    wa_cli_say(cli, "token %s, good for %lld machines", id, (long long)uses);
    wa_cli_out(cli, "%s\n", token);
    wa_wipe(token, sizeof token);
    return WA_OK;
}

static void show_token(void *user, const char *id, int64_t expires, int64_t uses)
{
    struct wa_cli *cli = user;
    char date[WA_DATE_MAX];
    wa_date_rfc3339(expires, date);
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "id", id);
    wa_jw_kvi(&cli->jw, "expires", expires);
    wa_jw_kvi(&cli->jw, "uses", uses);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%-14s %-22s %lld\n", id, date, (long long)uses);
}

static enum wa_code list_tokens(struct wa_cli *cli, const struct wa_server_config *c,
                                struct wa_err *err)
{
    wa_cli_out(cli, "%-14s %-22s %s\n", wa_text("token"), wa_text("expires"), wa_text("uses left"));
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_server_list_tokens(c, show_token, cli, err);
    wa_jw_end(&cli->jw);
    return code;
}

static enum wa_code enrol_token(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_server_config c;
    int64_t uses = 1, seconds = 0;
    const char *valid = wa_cli_get(cli, "valid", "24h"),
               *verb = cli->arg_count > 0 ? cli->args[0] : "";
    bool list = strcmp(verb, "list") == 0 && cli->arg_count == 1,
         revoke = strcmp(verb, "revoke") == 0 && cli->arg_count == 2;
    if (cli->arg_count > 0 && !list && !revoke)
        return wa_fail(err, WA_E_USAGE,
                       "after enrol-token comes nothing, 'list', or 'revoke' and a token's name");
    if (!wa_date_parse_period(wa_sv(valid), 'h', &seconds) || seconds <= 0 || seconds > 366 * 86400)
        return wa_fail(err, WA_E_USAGE, "'%s' is not a period up to a year, like 30m, 24h or 7d",
                       valid);
    if (wa_cli_int(cli, "uses", 1, 1000000, &uses, err) != WA_OK ||
        load_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = list     ? list_tokens(cli, &c, err)
                        : revoke ? wa_server_revoke_token(&c, cli->args[1], err)
                                 : make_token(cli, &c, uses, seconds, err);
    if (code == WA_OK && revoke) {
        wa_jw_null(&cli->jw);
        wa_cli_say(cli, "token %s is revoked: machines it has let in stay", cli->args[1]);
    }
    wa_server_config_free(&c);
    return code;
}

/* --- people --- */

static const struct {
    const char *verb;
    enum wa_person_what what;
    int args; /* with the verb */
    const char *done;
} verbs[] = {
    {"add", WA_PERSON_ADD, 2, "added"},
    {"role", WA_PERSON_ROLE, 3, "has another role from now on"},
    {"password", WA_PERSON_PASSWORD, 2, "has a new password, and must log in again"},
    {"disable", WA_PERSON_DISABLE, 2, "can't log in any more, and is logged out"},
    {"enable", WA_PERSON_ENABLE, 2, "can log in again"},
    {"remove", WA_PERSON_REMOVE, 2, "removed, and logged out"},
};

static void show_person(void *user, const struct wa_person *p)
{
    struct wa_cli *cli = user;
    wa_jw_obj(&cli->jw);
    wa_jw_kv(&cli->jw, "name", p->name);
    wa_jw_kv(&cli->jw, "role", p->role);
    wa_jw_kvb(&cli->jw, "disabled", p->is_disabled);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%-24s %-12s %s\n", p->name, p->role, p->is_disabled ? "disabled" : "");
}

static enum wa_code list_people(struct wa_cli *cli, const struct wa_server_config *c,
                                struct wa_err *err)
{
    wa_cli_out(cli, "%-24s %s\n", "user", "role");
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_server_list_people(c, show_person, cli, err);
    wa_jw_end(&cli->jw);
    return code;
}

static enum wa_code change_person(struct wa_cli *cli, const struct wa_server_config *c, size_t verb,
                                  struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf password;
    const char *file = wa_cli_get(cli, "password-file", NULL), *name = cli->args[1];
    struct wa_person_change change = {
        .what = verbs[verb].what,
        .name = name,
        .role = cli->arg_count > 2 ? cli->args[2] : wa_cli_get(cli, "role", "readonly")};
    wa_buf_init(&password, 1024);
    if ((change.what == WA_PERSON_ADD || change.what == WA_PERSON_PASSWORD) &&
        (file != NULL ? wa_cli_read_secret(file, &password, err)
                      : wa_cli_ask_secret("Password of the user: ", true, "--password-file",
                                          &password, err)) != WA_OK)
        return err->code;
    change.password = wa_buf_sv(&password);
    if (wa_server_change_person(c, &change, err) != WA_OK)
        return err->code;
    wa_jw_null(&cli->jw);
    wa_cli_say(cli, "user '%s': %s", name, verbs[verb].done);
    return WA_OK;
}

static enum wa_code user(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_server_config c;
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    bool is_list = strcmp(word, "list") == 0 && cli->arg_count <= 1;
    size_t verb = 0;
    while (verb < WA_COUNT(verbs) &&
           (strcmp(word, verbs[verb].verb) != 0 || cli->arg_count != (size_t)verbs[verb].args))
        verb++;
    if (!is_list && verb == WA_COUNT(verbs))
        return wa_fail(
            err, WA_E_USAGE,
            "after user comes 'list', 'role NAME ROLE', or 'add', 'password', 'disable', "
            "'enable' or 'remove' and a name");
    if (load_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = is_list ? list_people(cli, &c, err) : change_person(cli, &c, verb, err);
    wa_server_config_free(&c);
    return code;
}

int main(int argc, char **argv)
{
    static const struct wa_cli_option setup_options[] = {
        {"dir", 0, "DIR", "Directory of the server (else " DEFAULT_DIR ")"},
        {"name", 0, "NAMES", "Names and addresses by which agents reach it, separated by commas"},
        {"bind", 0, "ADDRESS", "Address to listen on (else 0.0.0.0)"},
        {"port", 0, "PORT", "Port to listen on (else 443)"},
        {"database", 0, "URL", "A PostgreSQL, postgresql://... (else a SQLite file)"},
        {"tls-cert", 0, "FILE", "Certificate chain to use (else one is made)"},
        {"tls-key", 0, "FILE", "Its private key"},
        {"trusted", 0, "DIR", "Certificates of those who publish packages and order actions"},
        {"admin-password-file", 0, "FILE", "File with the administrator's password (else asked)"},
        {"force", 'f', NULL, "Replace an existing server"},
    };
    static const struct wa_cli_option run_options[] = {
        {"config", 'c', "FILE", "Configuration (else " DEFAULT_CONFIG ")"},
        {"fronts", 0, "N", "Number of processes that face the network"}};
    static const struct wa_cli_option token_options[] = {
        {"config", 'c', "FILE", "Configuration (else " DEFAULT_CONFIG ")"},
        {"uses", 0, "N", "How many machines may use it (else 1)"},
        {"valid", 0, "PERIOD", "How long it holds (else 24h)"}};
    static const struct wa_cli_option user_options[] = {
        {"config", 'c', "FILE", "Configuration (else " DEFAULT_CONFIG ")"},
        {"role", 0, "ROLE", "Of who is added (else readonly)"},
        {"password-file", 0, "FILE", "File with the user's password (else asked)"}};
    static const struct wa_cli_command cmd_user = {
        "user",
        "[list|add|role|password|disable|enable|remove NAME [ROLE]]",
        "List, add and change those who use the server",
        user_options,
        WA_COUNT(user_options),
        0,
        3,
        user};
    static const struct wa_cli_command cmd_setup = {
        "setup",
        "",
        "Make configuration, keys, certificate and database",
        setup_options,
        WA_COUNT(setup_options),
        0,
        0,
        setup};
    static const struct wa_cli_command cmd_run = {
        "run", "", "Run the server in the foreground", run_options, WA_COUNT(run_options), 0,
        0,     run};
    static const struct wa_cli_command cmd_token = {
        "enrol-token",
        "[list|revoke TOKEN]",
        "Make, list or revoke tokens with which machines register",
        token_options,
        WA_COUNT(token_options),
        0,
        2,
        enrol_token};
    static const struct wa_cli_command *const commands[] = {&cmd_setup, &cmd_run, &cmd_token,
                                                            &cmd_user, NULL};
    static const struct wa_cli_program program = {
        .help = wa_help_of_program,
        .name = "waptserver",
        .section = 8,
        .summary = "Keeps the inventory, serves packages, relays signed orders",
        .commands = commands};
    int status = 0;
    if (wa_server_dispatch(argc, argv, &status))
        return status;
    return wa_cli_main(&program, argc, argv);
}
