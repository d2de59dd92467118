/* intake_json.c - what is told of packages on their way into one's own repository: the same by the
 * commands' --json and to the pages.
 */
#include "base/mem.h"
#include "console/intake.h"

#include <stdlib.h>

const char *wa_import_maturity(const struct wa_import_wish *wish, const struct wa_import_item *item)
{
    return wish->maturity != NULL ? wish->maturity : wa_control_get(item->entry, WA_A_MATURITY);
}

void wa_intake_write_item(const struct wa_import_wish *wish, const struct wa_import_item *item,
                          struct wa_jw *w)
{
    static const enum wa_attr attrs[] = {WA_A_PACKAGE, WA_A_VERSION,           WA_A_ARCHITECTURE,
                                         WA_A_LOCALE,  WA_A_MATURITY,          WA_A_SECTION,
                                         WA_A_SIGNER,  WA_A_SIGNER_FINGERPRINT};
    int64_t size = strtoll(wa_control_get(item->entry, WA_A_SIZE), NULL, 10);
    for (size_t i = 0; i < WA_COUNT(attrs); i++)
        wa_jw_kv(w, wa_attr_name(attrs[i]), wa_control_get(item->entry, attrs[i]));
    wa_jw_kvi(w, "size", size);
    wa_jw_kv(w, "becomes", item->package);
    wa_jw_kv(w, "becomes_maturity", wa_import_maturity(wish, item));
    wa_jw_kv(w, "depends", item->depends);
    wa_jw_kv(w, "conflicts", item->conflicts);
    wa_jw_kv(w, "here", item->ours != NULL ? wa_control_get(item->ours, WA_A_VERSION) : NULL);
    wa_jw_kv(w, "needed_by",
             item->needed_by != NULL ? wa_control_get(item->needed_by, WA_A_PACKAGE) : NULL);
}

void wa_intake_write_rest(const struct wa_intake *in, bool names_files, struct wa_jw *w)
{
    const struct wa_import_plan *plan = wa_intake_plan(in);
    size_t refused = 0;
    const struct wa_intake_refused *r = wa_intake_refused(in, &refused);
    wa_jw_key(w, "missing");
    wa_jw_arr(w);
    for (size_t i = 0; i < plan->missing.n; i++)
        wa_jw_s(w, plan->missing.items[i]);
    wa_jw_end(w);
    wa_jw_key(w, "refused");
    wa_jw_arr(w);
    for (size_t i = 0; i < refused; i++) {
        wa_jw_obj(w);
        if (names_files)
            wa_jw_kv(w, "file", wa_control_get(&r[i].entry, WA_A_FILENAME));
        wa_jw_kv(w, "package", wa_control_get(&r[i].entry, WA_A_PACKAGE));
        wa_jw_kv(w, "version", wa_control_get(&r[i].entry, WA_A_VERSION));
        wa_jw_kv(w, "signer", wa_control_get(&r[i].entry, WA_A_SIGNER));
        wa_jw_kv(w, "error", r[i].why);
        wa_jw_end(w);
    }
    wa_jw_end(w);
    wa_jw_kvi(w, "current", (int64_t)plan->current_count);
}
