/* scratch.c - a private folder that its process holds: another one of the same account takes away
 * what nobody holds any more.
 */
#include "console/scratch.h"

enum wa_code wa_scratch_open(struct wa_scratch *s, const char *kind, struct wa_err *err)
{
    *s = (struct wa_scratch){.dir = WA_DIR_INIT};
    (void)wa_temp_sweep(kind);
    if (wa_temp_dir(kind, s->path, err) != WA_OK) {
        s->path[0] = '\0';
        return err->code;
    }
    return wa_dir_open(s->path, &s->dir, err) == WA_OK ? wa_temp_hold(&s->dir, err) : err->code;
}

void wa_scratch_close(struct wa_scratch *s)
{
    if (s->path[0] == '\0')
        return;
    wa_temp_remove(s->path);
    wa_dir_close(&s->dir);
    s->path[0] = '\0';
}
