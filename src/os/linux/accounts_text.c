/* accounts_text.c - passwd(5), group(5), utmp(5): the names in them. Pure.
 *
 * All of it is shown and sent: whatever is not a plain name is cleaned on its way.
 */
#include "os/linux/accounts_priv.h"

#include "os/linux/text_priv.h"

#include <utmpx.h>

#define FIRST_PERSON 1000u /* login.defs: UID_MIN */
#define LAST_PERSON 59999u /* below the ranges that systemd hands out */
#define SESSIONS_MAX 1024u

_Static_assert(sizeof(struct utmpx) == WA_UTMP_RECORD, "utmp(5) as glibc has it on all of ours");
_Static_assert(sizeof((struct utmpx *)0)->ut_user + 1 == WA_LOGIN_NAME, "names of utmp(5)");

/* The i-th field of a line "a:b:c". */
static struct wa_sv field(struct wa_sv line, size_t i)
{
    struct wa_sv part = {NULL, 0};
    for (size_t k = 0; k <= i; k++)
        if (!wa_sv_split(&line, ':', &part))
            return (struct wa_sv){NULL, 0};
    return part;
}

enum wa_code wa_passwd_each(struct wa_sv text, wa_account_fn fn, void *user, struct wa_err *err)
{
    struct wa_sv line;
    char name[256];
    while (wa_sv_split(&text, '\n', &line)) {
        uint64_t uid;
        wa_text_clean(field(line, 0), name, sizeof name);
        if (name[0] == '\0' || !wa_sv_u64(field(line, 2), &uid) ||
            (uid != 0 && (uid < FIRST_PERSON || uid > LAST_PERSON)))
            continue;
        if (fn(user, wa_sv(name), WA_SV(""), err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_group_each(struct wa_sv text, wa_account_fn fn, void *user, struct wa_err *err)
{
    struct wa_sv line;
    char name[256], members[4096];
    while (wa_sv_split(&text, '\n', &line)) {
        wa_text_clean(field(line, 0), name, sizeof name);
        wa_text_clean(field(line, 3), members, sizeof members);
        if (name[0] == '\0' || members[0] == '\0')
            continue;
        if (fn(user, wa_sv(name), wa_sv(members), err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* One variable of "NAME=value" or "export NAME=value", the value in quotes or not. */
static enum wa_code one_variable(struct wa_sv line, wa_account_fn fn, void *user,
                                 struct wa_err *err)
{
    char name[256], value[4096];
    size_t at;
    line = wa_sv_trim(line);
    if (wa_sv_starts(line, "export "))
        line = wa_sv_trim(wa_sv_sub(line, 7, line.n));
    if (line.n == 0 || line.p[0] == '#' || !wa_sv_chr(line, '=', &at) || at == 0)
        return WA_OK;
    struct wa_sv text = wa_sv_trim(wa_sv_sub(line, at + 1, line.n));
    if (text.n >= 2 && (text.p[0] == '"' || text.p[0] == '\'') && text.p[text.n - 1] == text.p[0])
        text = wa_sv_sub(text, 1, text.n - 2);
    wa_text_clean(wa_sv_sub(line, 0, at), name, sizeof name);
    wa_text_clean(text, value, sizeof value);
    return name[0] == '\0' ? WA_OK : fn(user, wa_sv(name), wa_sv(value), err);
}

enum wa_code wa_environment_each(struct wa_sv text, wa_account_fn fn, void *user,
                                 struct wa_err *err)
{
    struct wa_sv line;
    while (wa_sv_split(&text, '\n', &line))
        if (one_variable(line, fn, user, err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* --- utmp(5): records of one size, numbers as the machine has them --- */

static bool record_at(struct wa_sv bytes, size_t i, struct utmpx *ret)
{
    if (bytes.n / sizeof *ret <= i)
        return false;
    memcpy(ret, bytes.p + i * sizeof *ret, sizeof *ret);
    return true;
}

static bool is_session(const struct utmpx *u, char name[WA_LOGIN_NAME])
{
    size_t n = 0;
    while (n < sizeof u->ut_user && u->ut_user[n] != '\0')
        n++;
    wa_text_clean(wa_sv_n(u->ut_user, n), name, WA_LOGIN_NAME);
    for (char *c = name; *c != '\0'; c++)
        if (*c == ',')
            *c = '?'; /* the list's own separator */
    return u->ut_type == USER_PROCESS && name[0] != '\0';
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

void wa_utmp_users(struct wa_sv bytes, struct wa_buf *out)
{
    char names[SESSIONS_MAX][WA_LOGIN_NAME];
    struct utmpx u;
    size_t n = 0;
    for (size_t i = 0; n < SESSIONS_MAX && record_at(bytes, i, &u); i++)
        if (is_session(&u, names[n]))
            n++;
    qsort(names, n, sizeof names[0], by_name);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(names[i - 1], names[i]) != 0)
            wa_buf_addf(out, "%s%s", i > 0 ? "," : "", names[i]);
}

void wa_logind_user(struct wa_sv text, char ret[WA_LOGIN_NAME])
{
    char state[32] = "", name[WA_LOGIN_NAME] = "";
    ret[0] = '\0';
    if (!wa_text_assigned(text, "STATE", state, sizeof state) ||
        !wa_text_assigned(text, "NAME", name, sizeof name) || strchr(name, ',') != NULL ||
        (strcmp(state, "active") != 0 && strcmp(state, "online") != 0))
        return;
    memcpy(ret, name, sizeof name);
}

void wa_utmp_last(struct wa_sv bytes, char ret[WA_LOGIN_NAME])
{
    struct utmpx u;
    ret[0] = '\0';
    for (size_t i = bytes.n / sizeof u; i > 0 && record_at(bytes, i - 1, &u); i--)
        if (is_session(&u, ret))
            return;
    ret[0] = '\0';
}
