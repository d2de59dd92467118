/* waptconsole.c - main() of the console without its pages: hosts, signed actions, uploads, host
 * packages. The keys stay on this side. */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/get.h"
#include "codec/csv.h"
#include "codec/hex.h"
#include "console/orders.h"
#include "os/clock.h"
#include "os/fs.h"
#include "proto/hostid.h"

#define TARGETS_MAX 1000u

/* --- the connection, from options and the user's configuration --- */

static enum wa_code option_or_conf(const struct wa_cli *cli, const char *option, const char *key,
                                   const char *fallback, char **ret, struct wa_err *err)
{
    const char *given = wa_cli_get(cli, option, NULL);
    if (given != NULL)
        return wa_sv_dup(wa_sv(given), ret, err);
    if (wa_get_conf(cli, key, ret, err) != WA_OK)
        return err->code;
    return *ret == NULL && fallback != NULL ? wa_sv_dup(wa_sv(fallback), ret, err) : WA_OK;
}

static enum wa_code read_trust(const struct wa_cli *cli, struct wa_buf *pem, struct wa_tls_trust *t,
                               struct wa_err *err)
{
    WA_AUTO_STR char *fingerprint = NULL;
    WA_AUTO_STR char *verify = NULL;
    *t = (struct wa_tls_trust){.host = ""};
    if (option_or_conf(cli, "server-fingerprint", "server_fingerprint", "", &fingerprint, err) !=
            WA_OK ||
        option_or_conf(cli, "verify-cert", "verify_cert", "1", &verify, err) != WA_OK)
        return err->code;
    if (fingerprint[0] != '\0' && !wa_hex_fingerprint(wa_sv(fingerprint), t->fingerprint))
        return wa_fail(err, WA_E_USAGE,
                       "'%.100s' is no SHA-256 fingerprint of a certificate (64 digits)",
                       fingerprint);
    if (verify[0] == '/') {
        if (wa_path_read(verify, WA_CERTFILE_BYTES_MAX, pem, err) != WA_OK)
            return err->code;
        t->pem = wa_buf_sv(pem);
    } else {
        t->system_cas = fingerprint[0] == '\0' && strcmp(verify, "1") == 0;
    }
    return WA_OK;
}

static enum wa_code connect_server(const struct wa_cli *cli, struct wa_client **ret,
                                   struct wa_err *err)
{
    WA_AUTO_STR char *server = NULL;
    WA_AUTO_STR char *user = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf password;
    struct wa_tls_trust trust;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&password, 1024);
    if (option_or_conf(cli, "server", "wapt_server", NULL, &server, err) != WA_OK ||
        option_or_conf(cli, "user", "wapt_user", "admin", &user, err) != WA_OK ||
        read_trust(cli, &pem, &trust, err) != WA_OK)
        return err->code;
    if (server == NULL)
        return wa_fail(err, WA_E_CONFIG,
                       "which server? Give --server, or put wapt_server into the configuration");
    const char *file = wa_cli_get(cli, "password-file", NULL);
    if ((file != NULL
             ? wa_cli_read_secret(file, &password, err)
             : wa_cli_ask_secret("Password on the server: ", false, &password, err)) != WA_OK)
        return err->code;
    const struct wa_client_options o = {server, &trust, user, wa_buf_sv(&password)};
    return wa_client_open(&o, ret, err);
}

/* --- hosts --- */

static void print_cell(const struct wa_cli *cli, const char *format, struct wa_sv text)
{
    char cell[256];
    (void)snprintf(cell, sizeof cell, "%.*s", WA_SV_ARG(text));
    wa_cli_tame(cell);
    wa_cli_out(cli, "%s", "");
    for (char *p = cell; *p != '\0'; p++)
        *p = *p == '\n' ? ' ' : *p;
    if (format[0] == '4')
        wa_cli_out(cli, "%-40s ", cell);
    else if (format[0] == '2')
        wa_cli_out(cli, "%-20s ", cell);
    else
        wa_cli_out(cli, "%-12s ", cell);
}

static enum wa_code get_hosts(struct wa_client *c, struct wa_arena *arena,
                              const struct wa_json **ret, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (wa_client_call(c, "GET", "/api/v1/hosts", WA_SV(""), arena, &j, err) != WA_OK)
        return err->code;
    *ret = wa_json_get(j, "hosts");
    return WA_OK;
}

static enum wa_code hosts(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *list = NULL;
    wa_arena_init(&arena, 512u << 20);
    if (connect_server(cli, &c, err) != WA_OK || get_hosts(c, &arena, &list, err) != WA_OK)
        return err->code;
    wa_jw_json(&cli->jw, list);
    wa_cli_out(cli, "%-40s %-20s %-12s %-12s %-20s\n", "uuid", "name", "status", "connected",
               "last seen");
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *h = wa_json_at(list, i);
        int64_t seen = 0;
        char date[WA_DATE_MAX];
        (void)wa_json_i64(wa_json_get(h, "last_seen"), &seen);
        wa_date_rfc3339(seen, date);
        print_cell(cli, "4", wa_json_sv(wa_json_get(h, "uuid")));
        print_cell(cli, "2", wa_json_sv(wa_json_get(h, "name")));
        print_cell(cli, "1", wa_json_sv(wa_json_get(h, "status")));
        print_cell(cli, "1",
                   wa_json_bool(wa_json_get(h, "reachable")) ? WA_SV("yes") : WA_SV("no"));
        wa_cli_out(cli, "%s\n", date);
    }
    return WA_OK;
}

/* --- actions --- */

static enum wa_code find_targets(const struct wa_cli *cli, const struct wa_json *list,
                                 struct wa_target *targets, size_t *count, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(wa_cli_get(cli, "hosts", "")), item;
    while (wa_csv_next(&rest, &item)) {
        if (*count == TARGETS_MAX)
            return wa_fail(err, WA_E_LIMIT, "at most %u hosts at once", TARGETS_MAX);
        if (wa_target_find(list, item, &targets[*count], err) != WA_OK)
            return err->code;
        ++*count;
    }
    return *count > 0 ? WA_OK : wa_fail(err, WA_E_USAGE, "which hosts? Give --hosts NAME,...");
}

static void show_actions(struct wa_cli *cli, const struct wa_json *actions)
{
    for (size_t i = 0; i < wa_json_count(actions); i++) {
        const struct wa_json *a = wa_json_at(actions, i), *packages = wa_json_get(a, "packages");
        print_cell(cli, "4", wa_json_sv(wa_json_get(a, "uuid")));
        print_cell(cli, "2", wa_json_sv(wa_json_get(a, "name")));
        struct wa_sv state = wa_json_sv(wa_json_get(a, "state")),
                     why = wa_json_sv(wa_json_get(a, "message"));
        char text[1100];
        (void)snprintf(text, sizeof text, "%.*s%s%.*s", WA_SV_ARG(state), why.n > 0 ? ": " : "",
                       WA_SV_ARG(wa_sv_sub(why, 0, 1000)));
        wa_cli_tame(text);
        for (char *p = text; *p != '\0'; p++)
            *p = *p == '\n' ? ' ' : *p;
        wa_cli_out(cli, "%s\n", text);
        for (size_t k = 0; k < wa_json_count(packages); k++) {
            const struct wa_json *p = wa_json_at(packages, k);
            wa_cli_out(cli, "  ");
            print_cell(cli, "4", wa_json_sv(wa_json_get(p, "package")));
            print_cell(cli, "1", wa_json_sv(wa_json_get(p, "version")));
            print_cell(cli, "1", wa_json_sv(wa_json_get(p, "status")));
            wa_cli_out(cli, "\n");
        }
    }
}

/* Asks until all have ended or the time is over. */
static enum wa_code follow(struct wa_cli *cli, struct wa_client *c, struct wa_sv batch,
                           int64_t timeout_s, struct wa_err *err)
{
    char path[128];
    int64_t until = wa_clock_now() + timeout_s;
    (void)snprintf(path, sizeof path, "/api/v1/actions?batch=%.*s", WA_SV_ARG(batch));
    for (;;) {
        WA_AUTO_ARENA struct wa_arena arena;
        const struct wa_json *j = NULL;
        size_t waiting = 0;
        wa_arena_init(&arena, 512u << 20);
        if (wa_client_call(c, "GET", path, WA_SV(""), &arena, &j, err) != WA_OK)
            return err->code;
        const struct wa_json *actions = wa_json_get(j, "actions");
        enum wa_code code = wa_orders_outcome(actions, &waiting);
        size_t total = wa_json_count(actions);
        wa_cli_progress(cli, "machines", total - waiting, total);
        if (waiting > 0 && wa_clock_now() < until) {
            wa_clock_sleep_ms(500);
            continue;
        }
        wa_cli_progress(cli, "", 0, 0);
        wa_jw_json(&cli->jw, actions);
        show_actions(cli, actions);
        if (waiting > 0)
            return wa_fail(err, WA_E_TIMEOUT,
                           "%zu of %zu machines have not answered yet: they still will, until the "
                           "action expires",
                           waiting, total);
        return code == WA_OK ? WA_OK : wa_fail(err, code, "not all machines did what was asked");
    }
}

static enum wa_code action(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf body;
    static struct wa_target targets[TARGETS_MAX];
    const struct wa_json *list = NULL, *j = NULL;
    struct wa_order_plan plan = {
        .targets = targets, .force = wa_cli_has(cli, "force"), .package_count = cli->arg_count - 1};
    int64_t timeout = 0;
    union {
        char **from;
        const char *const *to;
    } packages = {cli->args + 1};
    plan.packages = packages.to;
    wa_arena_init(&arena, 512u << 20);
    wa_buf_init(&body, 15u << 20);
    if (!wa_action_kind_find(wa_sv(cli->args[0]), &plan.kind))
        return wa_fail(err, WA_E_USAGE,
                       "'%s' is none of update, upgrade, install, remove, forget, update-status",
                       cli->args[0]);
    if (!wa_date_parse_period(wa_sv(wa_cli_get(cli, "valid", "1h")), 'h', &plan.valid_s) ||
        !wa_date_parse_period(wa_sv(wa_cli_get(cli, "timeout", "10m")), 'm', &timeout))
        return wa_fail(err, WA_E_USAGE, "--valid and --timeout take a period like 30m or 2h");
    if (wa_get_signer_load(cli, &signer, err) != WA_OK || connect_server(cli, &c, err) != WA_OK ||
        get_hosts(c, &arena, &list, err) != WA_OK ||
        find_targets(cli, list, targets, &plan.target_count, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < plan.target_count; i++)
        wa_cli_say(cli, "signing '%s' for %s (%s)", cli->args[0], targets[i].name, targets[i].uuid);
    if (wa_orders_sign(&plan, &signer.signer, &body, err) != WA_OK ||
        wa_client_call(c, "POST", "/api/v1/actions", wa_buf_sv(&body), &arena, &j, err) != WA_OK)
        return err->code;
    struct wa_sv batch = wa_json_sv(wa_json_get(j, "batch"));
    if (!wa_cli_has(cli, "no-wait"))
        return follow(cli, c, batch, timeout, err);
    wa_jw_json(&cli->jw, j);
    return WA_OK;
}

/* --- packages --- */

struct shown {
    struct wa_cli *cli;
    const char *name;
};

static bool show_progress(void *user, uint64_t done, uint64_t total)
{
    const struct shown *s = user;
    wa_cli_progress(s->cli, s->name, done, total);
    return true;
}

static enum wa_code read_control(const char *path, struct wa_control *ret, struct wa_err *err)
{
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    size_t i;
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_sink_init(&sink, &text);
    if (wa_get_package_open(path, &p, err) != WA_OK)
        return err->code;
    struct wa_members *m = wa_get_package_members(p);
    if (!wa_members_find(m, "WAPT/control", &i))
        return wa_fail(err, WA_E_INVALID, "'%s' is not a package", path);
    return m->read(m, i, &sink.base, err) == WA_OK ? wa_control_parse(wa_buf_sv(&text), ret, err)
                                                   : err->code;
}

static enum wa_code upload_one(struct wa_cli *cli, struct wa_client *c, const char *path,
                               struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control control;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_fd_source source;
    const struct wa_json *j = NULL;
    char url[2048], folder[WA_PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct shown shown = {cli, path};
    wa_control_init(&control);
    wa_arena_init(&arena, 1u << 20);
    (void)snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
                   slash == NULL ? "." : path);
    if (read_control(path, &control, err) != WA_OK || wa_dir_open(folder, &dir, err) != WA_OK ||
        wa_relpath_parse(wa_sv(slash == NULL ? path : slash + 1), &name, err) != WA_OK ||
        wa_file_open(&dir, &name, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    bool is_host = strcmp(wa_control_get(&control, WA_A_SECTION), "host") == 0;
    if (is_host && !wa_hostid_is_valid(wa_sv(wa_control_get(&control, WA_A_PACKAGE))))
        return wa_fail(err, WA_E_INVALID, "'%s' is a host package without a host", path);
    (void)snprintf(url, sizeof url, "/api/v1/%s/%s%s", is_host ? "host-packages" : "packages",
                   is_host ? wa_control_get(&control, WA_A_PACKAGE) : "upload", ".wapt");
    if (wa_client_upload(c, url, &source.base, show_progress, &shown, &arena, &j, err) != WA_OK)
        return wa_wrap(err, "'%s'", path);
    wa_cli_progress(cli, "", 0, 0);
    wa_cli_out(cli, "%s: published\n", path);
    return WA_OK;
}

static enum wa_code upload(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    struct wa_get_tally tally = {0, 0, WA_OK};
    if (connect_server(cli, &c, err) != WA_OK)
        return err->code;
    wa_jw_null(&cli->jw);
    for (size_t i = 0; i < cli->arg_count; i++) {
        struct wa_err why = WA_ERR_INIT;
        if (upload_one(cli, c, cli->args[i], &why) == WA_OK)
            wa_err_clear(&why);
        wa_get_count(cli, &tally, &why);
    }
    return wa_get_outcome(&tally, "could not be published", err);
}

static enum wa_code host_package(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    WA_AUTO_CONTROL struct wa_control control;
    char path[WA_PATH_MAX], version[32];
    wa_control_init(&control);
    (void)snprintf(version, sizeof version, "%lld",
                   (long long)wa_clock_now()); /* grows by itself */
    if (!wa_hostid_is_valid(wa_sv(cli->args[0])))
        return wa_fail(err, WA_E_USAGE, "'%s' is not the uuid of a host", cli->args[0]);
    if (wa_get_signer_load(cli, &signer, err) != WA_OK ||
        wa_control_set(&control, WA_A_PACKAGE, wa_sv(cli->args[0]), err) != WA_OK ||
        wa_control_set(&control, WA_A_VERSION,
                       wa_sv(wa_cli_get(cli, "version-of-package", version)), err) != WA_OK ||
        wa_control_set(&control, WA_A_SECTION, WA_SV("host"), err) != WA_OK ||
        wa_control_set(&control, WA_A_PRIORITY, WA_SV("standard"), err) != WA_OK ||
        wa_control_set(&control, WA_A_ARCHITECTURE, WA_SV("all"), err) != WA_OK ||
        wa_control_set(&control, WA_A_DEPENDS, wa_sv(wa_cli_get(cli, "depends", "")), err) !=
            WA_OK ||
        wa_control_set(&control, WA_A_CONFLICTS, wa_sv(wa_cli_get(cli, "conflicts", "")), err) !=
            WA_OK ||
        wa_build_meta(&control, wa_cli_get(cli, "output", "."), &signer.signer, path, err) != WA_OK)
        return err->code;
    wa_jw_s(&cli->jw, path);
    wa_cli_out(cli, "%s\n", path);
    if (!wa_cli_has(cli, "upload"))
        return WA_OK;
    return connect_server(cli, &c, err) == WA_OK ? upload_one(cli, c, path, err) : err->code;
}

#define SERVER_OPTIONS                                                                             \
    {"server", 0, "URL", "https address of the server (else wapt_server)"},                        \
        {"user", 'U', "NAME", "User on the server (else admin)"},                                  \
        {"password-file", 0, "FILE", "File with that user's password (else asked)"},               \
        {"server-fingerprint", 0, "SHA256",                                                        \
         "The server's certificate, as its administrator told you"},                               \
    {                                                                                              \
        "verify-cert", 0, "FILE", "Pinned certificate or authority of the server"                  \
    }

int main(int argc, char **argv)
{
    static const struct wa_cli_option host_options[] = {SERVER_OPTIONS};
    static const struct wa_cli_option action_options[] = {
        SERVER_OPTIONS,
        WA_GET_SIGNER_OPTIONS,
        {"hosts", 'H', "HOST,...", "Machines, by uuid or name"},
        {"valid", 0, "PERIOD", "How long a machine that is off may still do it (else 1h)"},
        {"timeout", 0, "PERIOD", "How long to wait for results (else 10m)"},
        {"no-wait", 0, NULL, "Do not wait for results"},
        {"force", 'f', NULL, "Do it again, or in spite of a failing script"},
    };
    static const struct wa_cli_option package_options[] = {
        SERVER_OPTIONS,
        WA_GET_SIGNER_OPTIONS,
        {"depends", 0, "LIST", "Packages that the machine gets"},
        {"conflicts", 0, "LIST", "Packages that it must not have"},
        {"version-of-package", 0, "VERSION", "Version (else the time, which grows)"},
        {"output", 'o', "DIR", "Where the package is written (else here)"},
        {"upload", 0, NULL, "Publish it on the server"},
    };
    static const struct wa_cli_command cmd_hosts = {
        "hosts", "", "List the machines", host_options, WA_COUNT(host_options), 0, 0, hosts};
    static const struct wa_cli_command cmd_action = {
        "action",
        "ACTION [PACKAGE...]",
        "Sign an action and have machines carry it out",
        action_options,
        WA_COUNT(action_options),
        1,
        257,
        action};
    static const struct wa_cli_command cmd_upload = {"upload",
                                                     "FILE...",
                                                     "Publish packages on the server",
                                                     host_options,
                                                     WA_COUNT(host_options),
                                                     1,
                                                     SIZE_MAX,
                                                     upload};
    static const struct wa_cli_command cmd_host = {
        "host-package",
        "UUID",
        "Make the signed package that says what a machine gets",
        package_options,
        WA_COUNT(package_options),
        1,
        1,
        host_package};
    static const struct wa_cli_command *const commands[] = {&cmd_hosts, &cmd_action, &cmd_upload,
                                                            &cmd_host, NULL};
    static const struct wa_cli_option options[] = {
        {"config", 'c', "FILE", "Configuration file (else your waptconsole.ini)"}};
    static const struct wa_cli_program program = {"waptconsole", "The administrator's console",
                                                  commands, options, WA_COUNT(options)};
    return wa_cli_main(&program, argc, argv);
}
