/* con_user.c - waptconsole user: who uses the server, as a superadmin keeps it from here. The rules
 * are the server's.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "cmd/people_words.h"
#include "codec/url.h"

static const struct {
    const char *verb;
    size_t args; /* with the verb */
    const char *method, *path, *body, *done;
} verbs[] = {
    {"add", 2, "POST", "", NULL, WA_TEXT("added")},
    {"role", 3, "POST", "/", NULL, WA_TEXT("has another role from now on")},
    {"perimeter", 2, "POST", "/", NULL, WA_TEXT("has another perimeter from now on")},
    {"password", 2, "POST", "/password", NULL,
     WA_TEXT("has a new password, and must log in again")},
    {"disable", 2, "POST", "/", "{\"disabled\":true}",
     WA_TEXT("can't log in any more, and is logged out")},
    {"enable", 2, "POST", "/", "{\"disabled\":false}", WA_TEXT("can log in again")},
    {"log-out", 2, "DELETE", "/sessions", "", WA_TEXT("is logged out")},
    {"need-second-factor", 2, "POST", "/", "{\"needs_second_factor\":true}",
     WA_TEXT("must have a second factor from now on")},
    {"drop-second-factor", 2, "DELETE", "/second-factor", "",
     WA_TEXT("has no second factor any more, and is logged out")},
    {"remove", 2, "DELETE", "/", "", WA_TEXT("removed, and logged out")},
};
enum { ADD, ROLE, PERIMETER, PASSWORD };

static enum wa_code list_people(struct wa_cli *cli, struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {{WA_TEXT("user"), true},
                                                   {WA_TEXT("role"), false},
                                                   {WA_TEXT("known by"), false},
                                                   {WA_TEXT("state"), false}};
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_TABLE struct wa_cli_table table;
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 16u << 20);
    wa_buf_init(&text, 16u << 20);
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    if (wa_con_connect(cli, &c, err) != WA_OK ||
        wa_client_call(c, "GET", "/api/v1/users", WA_SV(""), &arena, &j, err) != WA_OK)
        return err->code;
    const struct wa_json *users = wa_json_get(j, "users");
    for (size_t i = 0; i < wa_json_count(users); i++) {
        const struct wa_json *u = wa_json_at(users, i);
        char state[96];
        (void)snprintf(state, sizeof state, "%s%s%s",
                       wa_json_bool(wa_json_get(u, "disabled")) ? "disabled " : "",
                       wa_json_bool(wa_json_get(u, "limited")) ? "limited " : "",
                       wa_json_bool(wa_json_get(u, "second_factor")) ? "second-factor" : "");
        wa_cli_table_cell(&table, wa_json_sv(wa_json_get(u, "name")));
        wa_cli_table_cell(&table, wa_json_sv(wa_json_get(u, "role")));
        wa_cli_table_cell(&table, wa_json_sv(wa_json_get(u, "origin")));
        wa_cli_table_cell(&table, wa_sv(state));
    }
    wa_json_write(users, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    wa_jw_raw(&cli->jw, wa_buf_sv(&text));
    return wa_cli_table_print(&table, cli, err);
}

static enum wa_code read_password(const struct wa_cli *cli, struct wa_buf *out, struct wa_err *err)
{
    const char *file = wa_cli_get(cli, "new-password-file", NULL);
    return file != NULL ? wa_cli_read_secret(file, out, err)
                        : wa_cli_ask_secret(WA_TEXT("Password of the user: "), true,
                                            "--new-password-file", out, err);
}

static void add_perimeter(struct wa_jw *w, const struct wa_buf *json)
{
    wa_jw_key(w, "perimeter");
    if (json->n > 0)
        wa_jw_raw(w, wa_buf_sv(json));
    else
        wa_jw_null(w);
}

/* What the verb sends. */
static enum wa_code write_body(const struct wa_cli *cli, size_t verb, struct wa_buf *out,
                               struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF struct wa_buf perimeter;
    struct wa_jw w;
    wa_buf_init(&password, 1024);
    wa_buf_init(&perimeter, 64u << 10);
    if (wa_people_perimeter(cli, verb == PERIMETER, &perimeter, err) != WA_OK ||
        ((verb == ADD || verb == PASSWORD) && read_password(cli, &password, err) != WA_OK))
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    if (verb == ADD) {
        wa_jw_kv(&w, "name", cli->args[1]);
        wa_jw_kv(&w, "role", wa_cli_get(cli, "role", "readonly"));
    }
    if (verb == ADD || verb == PASSWORD)
        wa_jw_kvsv(&w, "password", wa_buf_sv(&password));
    if (verb == ADD || verb == PERIMETER)
        add_perimeter(&w, &perimeter);
    if (verb == ROLE)
        wa_jw_kv(&w, "role", cli->args[2]);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static enum wa_code change(struct wa_cli *cli, size_t verb, struct wa_err *err)
{
    WA_AUTO(wa_client) struct wa_client *c = NULL;
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf body;
    WA_AUTO_BUF struct wa_buf path;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    wa_buf_init(&body, 128u << 10);
    wa_buf_init(&path, 2048);
    if (verbs[verb].body != NULL)
        wa_buf_adds(&body, verbs[verb].body);
    else if (write_body(cli, verb, &body, err) != WA_OK)
        return err->code;
    wa_buf_adds(&path, "/api/v1/users");
    if (verb != ADD) {
        wa_buf_addc(&path, '/');
        wa_url_encode(wa_sv(cli->args[1]), &path);
        if (strcmp(verbs[verb].path, "/") != 0)
            wa_buf_adds(&path, verbs[verb].path);
    }
    if (wa_buf_check(&path, err) != WA_OK || wa_con_connect(cli, &c, err) != WA_OK ||
        wa_client_call(c, verbs[verb].method, wa_buf_str(&path), wa_buf_sv(&body), &arena, &j,
                       err) != WA_OK)
        return err->code;
    wa_jw_null(&cli->jw);
    wa_cli_say(cli, "user '%s': %s", cli->args[1], wa_text(verbs[verb].done));
    return WA_OK;
}

static enum wa_code user(struct wa_cli *cli, struct wa_err *err)
{
    const char *word = cli->arg_count > 0 ? cli->args[0] : "list";
    size_t verb = 0;
    if (strcmp(word, "list") == 0 && cli->arg_count <= 1)
        return list_people(cli, err);
    while (verb < WA_COUNT(verbs) &&
           (strcmp(word, verbs[verb].verb) != 0 || cli->arg_count != verbs[verb].args))
        verb++;
    return verb < WA_COUNT(verbs)
               ? change(cli, verb, err)
               : wa_fail(err, WA_E_USAGE,
                         "after user comes 'list', 'role NAME ROLE', or 'add', 'perimeter', "
                         "'password', 'disable', 'enable', 'log-out', 'need-second-factor', "
                         "'drop-second-factor' or 'remove' and a name");
}

static const struct wa_cli_option options[] = {WA_CON_SERVER_OPTIONS,
                                               {"role", 0, "ROLE"},
                                               {"new-password-file", 0, "FILE"},
                                               WA_PERIMETER_OPTIONS};
const struct wa_cli_command wa_con_user = {"user", options, WA_COUNT(options), 0, 3, user};
