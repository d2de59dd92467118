/* import.c - the way of an import: is it WAPT's, what is there, what is taken. */
#include "server/import.h"

#include "server/role_common.h"
#include "server/store_db.h"

const char *wa_import_name(enum wa_import_kind k)
{
    static const char *const names[WA_IM_KINDS] = {"certificates", "people",   "software_names",
                                                   "hosts",        "packages", "software",
                                                   "groups",       "reports"};
    return k < WA_IM_KINDS ? names[k] : "";
}

void wa_import_leave(struct wa_importing *g, enum wa_import_kind kind, const char *name,
                     const char *why)
{
    g->im->counts[kind].left_out++;
    g->im->left_out(g->im->user, kind, name, why);
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
    enum wa_code code = import(&g, err);
    wa_db_close(g.from);
    wa_db_close(g.to);
    return code;
}
