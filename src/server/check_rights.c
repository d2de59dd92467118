/* check_rights.c - whose the server's files are, and who else may read or write them (B4).
 *
 * Keys are their owner's alone. What decides who is believed - the configuration, the trusted
 * certificates - nobody else may write. The database is the account's that uses it.
 */
#include "base/text.h"
#include "os/fs.h"
#include "os/priv.h"
#include "os/proc.h"
#include "server/check.h"
#include "server/role_common.h"

struct look {
    const struct wa_server_config *config;
    const struct wa_check_report *report;
    size_t errors;
    char folder[WA_PATH_MAX];
    uint32_t forbidden; /* bits of the mode that files of the folder may not have */
    bool is_keys;       /* but for the public halves */
    uint32_t owner;
};

/* Some folders are written by processes that face the network, and root may do what a remedy says:
 * a name that could mean something to a shell or a terminal is told, and stands in no command. */
static bool is_plain(char *path)
{
    bool is_changed = false;
    for (char *p = path; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 127 || *p == '\'') {
            *p = '?';
            is_changed = true;
        }
    return !is_changed;
}

static void bad(struct look *l, const char *path, const char *how, const char *command,
                const char *argument)
{
    char name[WA_PATH_MAX], text[WA_PATH_MAX + 128], remedy[WA_PATH_MAX + 64] = "";
    (void)snprintf(name, sizeof name, "%.3000s", path);
    if (is_plain(name))
        (void)snprintf(remedy, sizeof remedy, "%s %s '%.3000s'", command, argument, name);
    (void)snprintf(text, sizeof text, "'%.3000s' %s", name, how);
    l->errors++;
    l->report->fn(l->report->user, "rights", WA_FINDING_ERROR, text, remedy);
}

/* One file or directory. owner: whose it must be beside root. */
static void look_at(struct look *l, const char *path, const struct wa_stat *st, uint32_t forbidden,
                    uint32_t owner)
{
    if ((st->mode & forbidden & 044) != 0)
        bad(l, path, wa_text("can be read by others"), "chmod", "go=");
    else if ((st->mode & forbidden & 022) != 0)
        bad(l, path, wa_text("can be changed by others"), "chmod", "go-w");
    if (wa_priv_is_root() && st->uid != 0 && st->uid != owner)
        bad(l, path, wa_text("belongs to somebody else"), "chown", "root");
}

static enum wa_code look_at_entry(void *user, const char *name, const struct wa_stat *st,
                                  struct wa_err *err)
{
    struct look *l = user;
    char path[WA_PATH_MAX + 300];
    struct wa_sv n = wa_sv(name);
    bool is_public =
        wa_sv_ends(n, ".crl") || (l->is_keys && (wa_sv_ends(n, ".pub") || wa_sv_ends(n, ".crt")));
    WA_UNUSED(err);
    (void)snprintf(path, sizeof path, "%s/%s", l->folder, name);
    if (!st->is_link)
        look_at(l, path, st, is_public ? 022u : l->forbidden, l->owner);
    return WA_OK;
}

/* A folder and what is in it. Missing ones are somebody else's trouble. */
static void look_into(struct look *l, const char *name, uint32_t forbidden, uint32_t owner)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_stat st;
    l->forbidden = forbidden;
    l->owner = owner;
    if (wa_server_path(l->config, name, l->folder, &err) != WA_OK ||
        wa_path_stat(l->folder, &st, &err) != WA_OK)
        return;
    look_at(l, l->folder, &st, forbidden, owner);
    if (wa_dir_open(l->folder, &dir, &err) == WA_OK &&
        wa_dir_list(&dir, look_at_entry, l, &err) == WA_OK)
        return;
    l->report->fn(l->report->user, "rights", WA_FINDING_UNKNOWN, err.text, "");
}

static size_t look_everywhere(const struct wa_server_config *c, const struct wa_check_report *r)
{
    struct look l = {.config = c, .report = r};
    struct wa_err err = WA_ERR_INIT;
    struct wa_stat st;
    uint32_t uid = 0, gid = 0, self = wa_proc_own_uid();
    (void)wa_server_ids(c, &uid, &gid);
    if (wa_path_stat(c->file, &st, &err) == WA_OK) /* what may read it, config.c knows */
        look_at(&l, c->file, &st, 022, self);
    l.is_keys = true;
    look_into(&l, "private", 077, self);
    l.is_keys = false;
    look_into(&l, c->trusted_signers, 022, uid); /* the scan process keeps authorities there */
    if (c->database[0] == '\0')
        look_into(&l, "db", 077, uid);
    return l.errors;
}

void wa_server_check_rights(const struct wa_server_config *c, const struct wa_check_report *r)
{
    if (look_everywhere(c, r) == 0)
        r->fn(r->user, "rights", WA_FINDING_GOOD,
              wa_text("keys are their owner's alone, and nobody else changes what is trusted"), "");
}

struct first {
    char text[512];
};

static void take_first(void *user, const char *what, enum wa_finding s, const char *text,
                       const char *remedy)
{
    struct first *f = user;
    WA_UNUSED(what);
    if (s == WA_FINDING_ERROR && f->text[0] == '\0')
        (void)snprintf(f->text, sizeof f->text, "%.200s%s%.250s", text,
                       remedy[0] != '\0' ? ": " : "", remedy);
}

enum wa_code wa_server_need_rights(const struct wa_server_config *c, struct wa_err *err)
{
    struct first f = {""};
    const struct wa_check_report r = {take_first, &f};
    (void)look_everywhere(c, &r);
    return f.text[0] == '\0' ? WA_OK : wa_fail(err, WA_E_CONFIG, "%s", f.text);
}
