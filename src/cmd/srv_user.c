/* srv_user.c - waptserver user: those who use the server, and in which role. */
#include "cmd/srv.h"
#include "server/people.h"

static const struct {
    const char *verb;
    enum wa_person_what what;
    int args; /* with the verb */
    const char *done;
} verbs[] = {
    {"add", WA_PERSON_ADD, 2, "added"},
    {"role", WA_PERSON_ROLE, 3, "has another role from now on"},
    {"perimeter", WA_PERSON_PERIMETER, 2, "has another perimeter from now on"},
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
    wa_jw_kvb(&cli->jw, "limited", p->is_limited);
    wa_jw_end(&cli->jw);
    wa_cli_out(cli, "%-24s %-12s %s%s\n", p->name, p->role, p->is_limited ? "limited " : "",
               p->is_disabled ? "disabled" : "");
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

/* The perimeter that the options name; "" when none does, or --all-machines. */
static enum wa_code read_perimeter(const struct wa_cli *cli, bool is_required, struct wa_buf *out,
                                   struct wa_err *err)
{
    static const struct {
        const char *option, *key;
    } lists[] = {{"group", "groups"}, {"profile", "profiles"}, {"unit", "units"}};
    bool is_all = wa_cli_has(cli, "all-machines"), is_given = false;
    struct wa_jw w;
    wa_jw_init(&w, out);
    for (size_t i = 0; i < WA_COUNT(lists); i++)
        is_given = is_given || wa_cli_has(cli, lists[i].option);
    if (is_all && is_given)
        return wa_fail(err, WA_E_USAGE, "--all-machines is no perimeter: leave the others away");
    if (is_required && !is_all && !is_given)
        return wa_fail(err, WA_E_USAGE,
                       "which machines? Give --group, --profile or --unit, or --all-machines");
    if (!is_given)
        return WA_OK;
    wa_jw_obj(&w);
    for (size_t i = 0; i < WA_COUNT(lists); i++) {
        const char *value;
        wa_jw_key(&w, lists[i].key);
        wa_jw_arr(&w);
        for (size_t k = 0; (value = wa_cli_at(cli, lists[i].option, k)) != NULL; k++)
            wa_jw_s(&w, value);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
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
    if (read_perimeter(cli, change.what == WA_PERSON_PERIMETER, &perimeter, err) != WA_OK)
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
            "after user comes 'list', 'role NAME ROLE', or 'add', 'perimeter', 'password', "
            "'disable', 'enable' or 'remove' and a name");
    if (wa_srv_config(cli, &c, err) != WA_OK)
        return err->code;
    enum wa_code code = is_list ? list_people(cli, &c, err) : change_person(cli, &c, verb, err);
    wa_server_config_free(&c);
    return code;
}

static const struct wa_cli_option user_options[] = {
    WA_SRV_CONFIG_OPTION,   {"role", 0, "ROLE"}, {"password-file", 0, "FILE"}, {"group", 0, "NAME"},
    {"profile", 0, "NAME"}, {"unit", 0, "DN"},   {"all-machines", 0, NULL}};

const struct wa_cli_command wa_srv_user = {"user", user_options, WA_COUNT(user_options), 0,
                                           3,      user};
