/* con_host.c - waptconsole host and orders: one machine as it describes itself, what became of its
 * packages, and what became of orders.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "codec/hex.h"
#include "codec/url.h"

/* --- a machine --- */

/* What of it: a list that the machine told, or one that the server keeps. */
struct section {
    const char *name, *member;
    const char *path; /* below the machine's; NULL: it is among what the machine says */
    struct wa_con_column columns[6];
    size_t count;
};
static const struct section sections[] = {
    {"packages",
     "installed_packages",
     NULL,
     {{WA_TEXT("package"), "package", false, false},
      {WA_TEXT("version"), "version", false, false},
      {WA_TEXT("state"), "install_status", false, false},
      {WA_TEXT("audit"), "last_audit_status", false, false},
      {WA_TEXT("installed"), "install_date", true, false},
      {WA_TEXT("signer"), "signer", false, true}},
     6},
    {"software",
     "installed_softwares",
     NULL,
     {{WA_TEXT("software"), "name", false, true},
      {WA_TEXT("version"), "version", false, true},
      {WA_TEXT("publisher"), "publisher", false, true},
      {WA_TEXT("installed"), "install_date", true, false}},
     4},
    {"history",
     "events",
     "/history",
     {{WA_TEXT("when"), "at", true, false},
      {WA_TEXT("what"), "event", false, false},
      {WA_TEXT("package"), "package", false, false},
      {WA_TEXT("version"), "version", false, false},
      {WA_TEXT("before"), "was", false, false},
      {WA_TEXT("state"), "status", false, false}},
     6},
};

static const struct section *find_section(const char *name)
{
    for (size_t i = 0; i < WA_COUNT(sections); i++)
        if (strcmp(sections[i].name, name) == 0)
            return &sections[i];
    return NULL;
}

/* A key is a machine's word, too. */
static void add_name(struct wa_buf *place, struct wa_sv name)
{
    wa_buf_addc(place, '.');
    for (size_t i = 0; i < name.n; i++)
        wa_buf_addc(place, name.p[i] == '\n' ? '?' : name.p[i]);
}

/* A tree of what it says, a line for each value: "dmi.BIOS_Information.Vendor: ...". */
static enum wa_code print_tree(const struct wa_cli *cli, const struct wa_json *j,
                               struct wa_buf *place, struct wa_err *err)
{
    size_t n = place->n;
    bool is_object = wa_json_is(j, WA_JSON_OBJECT);
    if (!is_object && !wa_json_is(j, WA_JSON_ARRAY)) {
        wa_buf_adds(place, ": ");
        if (wa_json_is(j, WA_JSON_STRING))
            wa_buf_addsv(place, wa_json_sv(j));
        else
            wa_json_write(j, place);
        for (size_t i = n; i < place->n; i++) /* no line of its own */
            place->p[i] = place->p[i] == '\n' ? '?' : place->p[i];
        if (wa_buf_check(place, err) == WA_OK)
            wa_cli_out(cli, "%s\n", wa_buf_str(place));
        return err->code;
    }
    for (size_t i = 0; i < wa_json_count(j); i++) {
        if (is_object)
            add_name(place, wa_json_key_at(j, i));
        else
            wa_buf_addf(place, "[%zu]", i);
        if (print_tree(cli, wa_json_at(j, i), place, err) != WA_OK)
            return err->code;
        place->n = n;
    }
    return WA_OK;
}

static enum wa_code print_hardware(struct wa_cli *cli, const struct wa_json *said,
                                   struct wa_err *err)
{
    static const char *const members[] = {"host_info", "dmi"};
    WA_AUTO_BUF struct wa_buf place;
    wa_buf_init(&place, 1u << 20);
    wa_jw_obj(&cli->jw);
    for (size_t i = 0; i < WA_COUNT(members); i++) {
        const struct wa_json *j = wa_json_get(said, members[i]);
        if (j == NULL)
            continue;
        wa_jw_key(&cli->jw, members[i]);
        wa_jw_json(&cli->jw, j);
        wa_buf_clear(&place);
        wa_buf_adds(&place, members[i]);
        if (print_tree(cli, j, &place, err) != WA_OK)
            break;
    }
    wa_jw_end(&cli->jw);
    return err->code;
}

static enum wa_code print_log(struct wa_cli *cli, const struct wa_json *said, const char *package,
                              struct wa_err *err)
{
    const struct wa_json *list = wa_json_get(said, "installed_packages");
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const struct wa_json *p = wa_json_at(list, i);
        if (!wa_sv_eqs(wa_json_sv(wa_json_get(p, "package")), package))
            continue;
        wa_jw_json(&cli->jw, p);
        wa_cli_out(cli, "%.*s\n", WA_SV_ARG(wa_json_sv(wa_json_get(p, "install_output"))));
        return WA_OK;
    }
    return wa_fail(err, WA_E_NOT_FOUND, "the machine has not told of a package '%s'", package);
}

static enum wa_code print_said(struct wa_cli *cli, struct wa_client *c, const char *path,
                               const struct section *s, const char *word, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *said = NULL;
    wa_arena_init(&arena, 512u << 20);
    if (wa_client_call(c, "GET", path, WA_SV(""), &arena, &said, err) != WA_OK)
        return err->code;
    if (strcmp(word, "hardware") == 0)
        return print_hardware(cli, said, err);
    if (s == NULL)
        return print_log(cli, said, cli->args[2], err);
    const struct wa_json *rows = wa_json_get(said, s->member);
    if (rows != NULL)
        wa_jw_json(&cli->jw, rows);
    else /* it has not told yet */
        wa_jw_raw(&cli->jw, WA_SV("[]"));
    return wa_con_rows(cli, rows, s->columns, s->count, err);
}

static enum wa_code choose(struct wa_client *c, const char *word, char uuid[WA_UUID_MAX + 1],
                           struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_HOST_LIST struct wa_host_list list = {0};
    WA_AUTO_TARGETS struct wa_targets targets = {0};
    wa_arena_init(&arena, 512u << 20);
    if (wa_host_list_fetch(c, WA_HOST_LIST_NAMES, &arena, &list, err) != WA_OK ||
        wa_targets_choose(&list, wa_sv(word), 1, &targets, err) != WA_OK)
        return err->code;
    (void)snprintf(uuid, WA_UUID_MAX + 1, "%s", targets.items[0].uuid);
    return WA_OK;
}

static enum wa_code host(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    const char *word = cli->arg_count > 1 ? cli->args[1] : "packages";
    const struct section *s = find_section(word);
    bool is_log = strcmp(word, "log") == 0, is_tasks = strcmp(word, "tasks") == 0;
    char uuid[WA_UUID_MAX + 1] = "", path[WA_UUID_MAX + 64];
    if ((s == NULL && !is_log && !is_tasks && strcmp(word, "hardware") != 0) ||
        cli->arg_count > (is_log ? 3 : 2) || (is_log && cli->arg_count < 3))
        return wa_fail(err, WA_E_USAGE,
                       "after the machine comes 'packages', 'software', 'hardware', 'history', "
                       "'tasks', or 'log' and a package");
    if (wa_con_connect(cli, &c, err) != WA_OK || choose(c, cli->args[0], uuid, err) != WA_OK)
        return err->code;
    if (is_tasks)
        return wa_con_host_tasks(cli, c, uuid, err);
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s%s", uuid,
                   s != NULL && s->path != NULL ? s->path : "");
    return s != NULL && s->path != NULL
               ? wa_con_list(cli, c, &(struct wa_con_list){path, s->member, s->columns, s->count},
                             err)
               : print_said(cli, c, path, s, word, err);
}

/* --- orders --- */

static enum wa_code list_batches(struct wa_cli *cli, struct wa_client *c, struct wa_err *err)
{
    static const struct wa_con_column columns[] = {
        {WA_TEXT("batch"), "batch", false, false},       {WA_TEXT("when"), "created", true, false},
        {WA_TEXT("action"), "kind", false, false},       {WA_TEXT("packages"), "what", false, true},
        {WA_TEXT("machines"), "machines", false, false}, {WA_TEXT("by"), "user", false, true}};
    const struct wa_con_list l = {"/api/v1/batches", "batches", columns, WA_COUNT(columns)};
    return wa_con_list(cli, c, &l, err);
}

/* which: "batch=..." or "host=...". */
static enum wa_code list_orders(struct wa_cli *cli, struct wa_client *c, const char *which,
                                struct wa_err *err)
{
    static const struct wa_con_column columns[] = {
        {WA_TEXT("machine"), "name", false, true},
        {WA_TEXT("identifier"), "uuid", false, false},
        {WA_TEXT("action"), "kind", false, false},
        {WA_TEXT("state"), "state", false, false},
        {WA_TEXT("since"), "updated", true, false},
        {WA_TEXT("what it says"), "message", false, true}};
    WA_AUTO_BUF struct wa_buf path;
    const char *state = wa_cli_get(cli, "state", NULL);
    wa_buf_init(&path, 8192);
    wa_buf_addf(&path, "/api/v1/actions?%s", which);
    if (state != NULL) {
        wa_buf_adds(&path, "&state=");
        wa_url_encode(wa_sv(state), &path);
    }
    if (wa_buf_check(&path, err) != WA_OK)
        return err->code;
    const struct wa_con_list l = {wa_buf_str(&path), "actions", columns, WA_COUNT(columns)};
    return wa_con_list(cli, c, &l, err);
}

static enum wa_code orders(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    const char *of = wa_cli_get(cli, "host", NULL);
    const char *batch = cli->arg_count > 0 ? cli->args[0] : NULL;
    char uuid[WA_UUID_MAX + 1] = "", which[WA_UUID_MAX + 64];
    if (of != NULL && batch != NULL)
        return wa_fail(err, WA_E_USAGE, "either a batch or --host, not both");
    if (batch != NULL && !wa_hex_is(wa_sv(batch), 32))
        return wa_fail(err, WA_E_USAGE, "'%s' is no batch: 'orders' alone lists them", batch);
    if (wa_con_connect(cli, &c, err) != WA_OK || (of != NULL && choose(c, of, uuid, err) != WA_OK))
        return err->code;
    if (of == NULL && batch == NULL)
        return list_batches(cli, c, err);
    (void)snprintf(which, sizeof which, "%s=%s", of != NULL ? "host" : "batch",
                   of != NULL ? uuid : batch);
    return list_orders(cli, c, which, err);
}

static const struct wa_cli_option host_options[] = {WA_CON_SERVER_OPTIONS};
static const struct wa_cli_option orders_options[] = {
    WA_CON_SERVER_OPTIONS, {"host", 'H', "HOST"}, {"state", 0, "STATE"}};
const struct wa_cli_command wa_con_host = {"host", host_options, WA_COUNT(host_options), 1,
                                           3,      host};
const struct wa_cli_command wa_con_orders = {"orders", orders_options, WA_COUNT(orders_options), 0,
                                             1,        orders};
