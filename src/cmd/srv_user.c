/* srv_user.c - waptserver user: those who use the server, and in which role. */
#include "cmd/people_words.h"
#include "cmd/srv.h"
#include "server/people.h"
#include "server/perimeter.h"

static const struct {
    const char *verb;
    enum wa_person_what what;
    int args; /* with the verb */
    const char *done;
} verbs[] = {
    {"add", WA_PERSON_ADD, 2, WA_TEXT("added")},
    {"role", WA_PERSON_ROLE, 3, WA_TEXT("has another role from now on")},
    {"perimeter", WA_PERSON_PERIMETER, 2, WA_TEXT("has another perimeter from now on")},
    {"password", WA_PERSON_PASSWORD, 2, WA_TEXT("has a new password, and must log in again")},
    {"disable", WA_PERSON_DISABLE, 2, WA_TEXT("can't log in any more, and is logged out")},
    {"enable", WA_PERSON_ENABLE, 2, WA_TEXT("can log in again")},
    {"log-out", WA_PERSON_LOGOUT, 2, WA_TEXT("is logged out")},
    {"need-second-factor", WA_PERSON_NEED_FACTOR, 2,
     WA_TEXT("must have a second factor from now on")},
    {"drop-second-factor", WA_PERSON_DROP_FACTOR, 2,
     WA_TEXT("has no second factor any more, and is logged out")},
    {"remove", WA_PERSON_REMOVE, 2, WA_TEXT("removed, and logged out")},
};

struct listing {
    struct wa_cli *cli;
    struct wa_cli_table *table;
};

static enum wa_code show_person(void *user, const struct wa_person *p, struct wa_sv perimeter,
                                struct wa_err *err)
{
    struct listing *l = user;
    struct wa_jw *w = &l->cli->jw;
    WA_AUTO_BUF struct wa_buf machines;
    wa_buf_init(&machines, WA_PERIMETER_BYTES_MAX);
    if (wa_people_perimeter_words(perimeter, &machines, err) != WA_OK)
        return err->code;
    wa_jw_obj(w);
    wa_jw_kv(w, "name", p->name);
    wa_jw_kv(w, "role", p->role);
    wa_jw_kvb(w, "disabled", p->is_disabled);
    wa_jw_kvb(w, "limited", p->is_limited);
    if (perimeter.n > 0) {
        wa_jw_key(w, "perimeter");
        wa_jw_raw(w, perimeter);
    }
    wa_jw_end(w);
    wa_cli_table_cell(l->table, wa_sv(p->name));
    wa_cli_table_cell(l->table, wa_sv(p->role));
    wa_cli_table_cell(l->table, wa_buf_sv(&machines));
    wa_cli_table_cell(l->table, wa_sv(p->is_disabled ? wa_text("disabled") : ""));
    return WA_OK;
}

static enum wa_code list_people(struct wa_cli *cli, const struct wa_server_config *c,
                                struct wa_err *err)
{
    static const struct wa_cli_column columns[] = {{WA_TEXT("user"), true},
                                                   {WA_TEXT("role"), false},
                                                   {WA_TEXT("machines"), false},
                                                   {WA_TEXT("state"), false}};
    WA_AUTO_TABLE struct wa_cli_table table;
    struct listing l = {cli, &table};
    wa_cli_table_init(&table, columns, WA_COUNT(columns));
    wa_jw_arr(&cli->jw);
    if (wa_server_list_people(c, show_person, &l, err) != WA_OK)
        return err->code;
    wa_jw_end(&cli->jw);
    return wa_cli_table_print(&table, cli, err);
}

static enum wa_code change_person(struct wa_cli *cli, const struct wa_server_config *c, size_t verb,
                                  struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf password;
    WA_AUTO_BUF struct wa_buf perimeter;
    const char *file = wa_cli_get(cli, "password-file", NULL), *name = cli->args[1];
    struct wa_person_change change = {
        .what = verbs[verb].what,
        .name = name,
        .role = cli->arg_count > 2 ? cli->args[2] : wa_cli_get(cli, "role", "readonly")};
    wa_buf_init(&password, 1024);
    wa_buf_init(&perimeter, 64u << 10);
    if (wa_people_perimeter(cli, change.what == WA_PERSON_PERIMETER, &perimeter, err) != WA_OK)
        return err->code;
    change.perimeter = wa_buf_sv(&perimeter);
    if ((change.what == WA_PERSON_ADD || change.what == WA_PERSON_PASSWORD) &&
        (file != NULL ? wa_cli_read_secret(file, &password, err)
                      : wa_cli_ask_secret("Password of the user: ", true, "--password-file",
                                          &password, err)) != WA_OK)
        return err->code;
    change.password = wa_buf_sv(&password);
    if (wa_server_change_person(c, &change, err) != WA_OK)
        return err->code;
    wa_jw_null(&cli->jw);
    wa_cli_say(cli, "user '%s': %s", name, wa_text(verbs[verb].done));
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
            "after user comes 'list', 'role NAME ROLE', or 'add', 'perimeter', 'password', "
            "'disable', 'enable', 'log-out', 'need-second-factor', 'drop-second-factor' or "
            "'remove' and a name");
    if (wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = is_list ? list_people(cli, &c, err) : change_person(cli, &c, verb, err);
    wa_server_config_free(&c);
    return code;
}

static const struct wa_cli_option user_options[] = {
    WA_SRV_CONFIG_OPTION, {"role", 0, "ROLE"}, {"password-file", 0, "FILE"}, WA_PERIMETER_OPTIONS};

const struct wa_cli_command wa_srv_user = {"user", user_options, WA_COUNT(user_options), 0,
                                           3,      user};
