/* open_sqlite.c - open.c where there is no libpq. */
#include "sql/db.h"
#include "sql/drv.h"

enum wa_code wa_db_open(const char *url, struct wa_db **ret, struct wa_err *err)
{
    if (wa_sv_starts(wa_sv(url), wa_drv_sqlite.prefix))
        return wa_drv_connect(&wa_drv_sqlite, url, ret, err);
    return wa_fail(err, WA_E_CONFIG, /* the text may hold a password */
                   "cannot open the database: its address does not begin with 'sqlite:', the only "
                   "kind there is on this system");
}
