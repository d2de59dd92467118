/* role_search.c - the process that looks through the inventory, so that the store need not wait.
 *
 * It has the database as the store has it, but runs nothing that changes it, and nothing that
 * somebody else wrote.
 */
#include "server/role_common.h"
#include "server/search.h"
#include "server/store_db.h"

static enum wa_code serve(struct wa_server_child *c, struct wa_err *err)
{
    char db[WA_PATH_MAX], url[WA_STORE_URL];
    WA_AUTO(wa_db) struct wa_db *conn = NULL;
    const char *const writes[] = {db, NULL}; /* SQLite's log is shared by its readers too */
    unsigned net = c->config.database[0] != '\0' ? WA_PRIV_NET : 0;
    if (wa_server_path(&c->config, "db", db, err) != WA_OK ||
        wa_server_child_confine(c, WA_SR_SEARCH,
                                WA_PRIV_FDS | WA_PRIV_FS_READ | WA_PRIV_FS_WRITE | net, NULL,
                                writes, err) != WA_OK)
        return err->code;
    wa_store_url(c->config.dir, c->config.database, url);
    return wa_db_open(url, &conn, err) == WA_OK
               ? wa_server_child_serve(WA_SR_SEARCH, WA_S_FOUND, wa_search_answer, conn, err)
               : err->code;
}

int wa_server_search(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = wa_server_child_init(&c, WA_SR_SEARCH, config_file, &err);
    if (code == WA_OK)
        code = serve(&c, &err);
    return wa_server_child_end(&c, code, &err);
}
