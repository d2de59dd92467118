/* role_search.c - the process that looks through the inventory, so that the store need not wait.
 *
 * It reads the database, which the store has open: of SQLite's files it can write none. It runs
 * nothing that somebody else wrote.
 */
#include "server/role_common.h"
#include "server/search.h"
#include "server/store_db.h"

struct search {
    char url[WA_STORE_URL + 16];
    struct wa_db *db; /* from the first question on: then the store has made it */
};

static enum wa_code answer(void *user, struct wa_sv request, struct wa_buf *out, struct wa_err *err)
{
    struct search *s = user;
    if (s->db == NULL && wa_db_open(s->url, &s->db, err) != WA_OK)
        return err->code;
    return wa_search_answer(s->db, request, out, err);
}

static enum wa_code serve(struct wa_server_child *c, struct search *s, struct wa_err *err)
{
    char db[WA_PATH_MAX];
    const char *const reads[] = {db, NULL};
    struct wa_server_reads all;
    bool is_sqlite = c->config.database[0] == '\0';
    if (wa_server_path(&c->config, "db", db, err) != WA_OK ||
        wa_server_child_confine(c, WA_SR_SEARCH,
                                WA_PRIV_FDS | WA_PRIV_FS_READ | (is_sqlite ? 0 : WA_PRIV_NET),
                                wa_server_reads(c->config.database, is_sqlite ? reads : NULL, &all),
                                NULL, err) != WA_OK)
        return err->code;
    wa_store_url(c->config.dir, c->config.database, s->url);
    if (is_sqlite)
        (void)snprintf(s->url + strlen(s->url), sizeof s->url - strlen(s->url), "?mode=ro");
    return wa_server_child_serve(WA_SR_SEARCH, WA_S_FOUND, answer, s, err);
}

int wa_server_search(const char *config_file)
{
    struct wa_server_child c;
    struct search s = {.db = NULL};
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = wa_server_child_init(&c, WA_SR_SEARCH, config_file, &err);
    if (code == WA_OK)
        code = serve(&c, &s, &err);
    wa_db_close(s.db);
    return wa_server_child_end(&c, code, &err);
}
