/* open.c - from an address to a driver.
 *
 * The only file that names PostgreSQL's: a program that keeps to wa_db_open_sqlite() does not link
 * libpq, whose own libraries cost more to load than the agent's commands take to run.
 */
#include "sql/db.h"
#include "sql/drv.h"

static const struct wa_drv *driver_of(const char *url)
{
    static const struct wa_drv *const drivers[] = {&wa_drv_sqlite, &wa_drv_pgsql};
    for (size_t i = 0; i < WA_COUNT(drivers); i++)
        if (wa_sv_starts(wa_sv(url), drivers[i]->prefix))
            return drivers[i];
    return NULL;
}

bool wa_db_url_is_secret(const char *url)
{
    const struct wa_drv *drv = driver_of(url);
    return drv != NULL && drv->is_secret != NULL && drv->is_secret(url);
}

void wa_db_url_files(const char *url, struct wa_db_files *ret)
{
    const struct wa_drv *drv = driver_of(url);
    ret->n = 0;
    if (drv != NULL && drv->files != NULL)
        drv->files(url, ret);
}

enum wa_code wa_db_open(const char *url, struct wa_db **ret, struct wa_err *err)
{
    const struct wa_drv *drv = driver_of(url);
    if (drv != NULL)
        return wa_drv_connect(drv, url, ret, err);
    return wa_fail(err, WA_E_CONFIG, /* the text may hold a password */
                   "cannot open the database: its address begins neither with 'sqlite:' nor "
                   "with 'postgresql://'");
}
