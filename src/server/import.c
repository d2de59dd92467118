/* import.c - the way of an import: is it WAPT's, what is there, what is taken. */
#include "server/import.h"

#include "base/mem.h"
#include "base/text.h"
#include "server/role_common.h"
#include "server/store_db.h"

const char *wa_import_name(enum wa_import_kind k)
{
    static const char *const names[WA_IM_KINDS] = {
        WA_TEXT("certificates"), WA_TEXT("people"),   WA_TEXT("software_names"),
        WA_TEXT("hosts"),        WA_TEXT("packages"), WA_TEXT("software"),
        WA_TEXT("groups"),       WA_TEXT("reports"),  WA_TEXT("settings")};
    return k < WA_IM_KINDS ? names[k] : "";
}

void wa_import_tell(struct wa_importing *g, enum wa_import_kind kind, const char *name,
                    const char *why)
{
    g->im->left_out(g->im->user, kind, name, wa_text(why));
}

void wa_import_leave(struct wa_importing *g, enum wa_import_kind kind, const char *name,
                     const char *why)
{
    g->im->counts[kind].left_out++;
    wa_import_tell(g, kind, name, why);
}

/* Read, never written, and all of it at one moment. */
static enum wa_code open_old(struct wa_importing *g, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (!wa_sv_starts(wa_sv(g->im->from), "postgresql://"))
        return wa_fail(err, WA_E_USAGE,
                       "the old database is given as postgresql://USER@HOST/DATABASE");
    if (wa_db_open(g->im->from, &g->from, err) != WA_OK ||
        wa_db_exec(g->from, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) != WA_OK)
        return wa_wrap(err, "the old database");
    if (wa_db_prepare(g->from,
                      "SELECT table_name FROM information_schema.tables WHERE table_name = "
                      "'hostpackagesstatus' AND EXISTS (SELECT 1 FROM information_schema.columns "
                      "WHERE table_name = 'hosts' AND column_name = 'wapt_status')",
                      &s, err) != WA_OK ||
        wa_step(s, &row, err) != WA_OK)
        return wa_wrap(err, "the old database");
    if (!row)
        return wa_fail(err, WA_E_CONFIG,
                       "the old database is none of a WAPT 1.8 server: bring it to 1.8 first");
    wa_reset(s);
    return WA_OK;
}

static enum wa_code import(struct wa_importing *g, struct wa_err *err)
{
    const struct wa_server_config *c = g->im->config;
    if (open_old(g, err) != WA_OK || wa_import_old_files(g, err) != WA_OK ||
        wa_server_drop_to_db(c, WA_PRIV_NET, NULL, "waptserver/import", err) != WA_OK ||
        wa_store_open(c->dir, c->database, &g->to, err) != WA_OK ||
        wa_import_people(g, err) != WA_OK || wa_import_names(g, err) != WA_OK ||
        wa_import_hosts(g, err) != WA_OK)
        return err->code;
    return wa_import_reports(g, err);
}

enum wa_code wa_server_import(struct wa_import *im, struct wa_err *err)
{
    struct wa_importing g = {.im = im};
    wa_buf_init(&g.htpasswd, WA_HTPASSWD_BYTES_MAX + 1);
    enum wa_code code = import(&g, err);
    wa_wipe(g.hash, sizeof g.hash);
    wa_buf_fini_secret(&g.htpasswd);
    wa_db_close(g.from);
    wa_db_close(g.to);
    return code;
}
