/* open.c - from an address to a driver.
 *
 * The only file that names PostgreSQL's: a program that keeps to wa_db_open_sqlite() does not link
 * libpq, whose own libraries cost more to load than the agent's commands take to run.
 */
#include "sql/db.h"
#include "sql/drv.h"

enum wa_code wa_db_open(const char *url, struct wa_db **ret, struct wa_err *err)
{
    static const struct wa_drv *const drivers[] = {&wa_drv_sqlite, &wa_drv_pgsql};
    for (size_t i = 0; i < WA_COUNT(drivers); i++)
        if (wa_sv_starts(wa_sv(url), drivers[i]->prefix))
            return wa_drv_connect(drivers[i], url, ret, err);
    return wa_fail(err, WA_E_CONFIG, /* the text may hold a password */
                   "cannot open the database: its address begins neither with 'sqlite:' nor "
                   "with 'postgresql://'");
}
