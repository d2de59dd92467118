/* inventory_answer.c - the answers of the inventory process, as those of a stranger: the members
 * that it has to give, of their types, and nothing else.
 */
#include "agent/inventory_answer.h"

enum wa_code wa_machine_answer_read(struct wa_sv text, struct wa_arena *arena,
                                    struct wa_machine_answer *ret, struct wa_err *err)
{
    static const char *const ours[] = {"computer_name",  "computer_fqdn",    "dnsdomain",
                                       "computer_ad_dn", "computer_ad_site", "computer_ad_groups",
                                       "repositories"};
    const struct wa_json *j = NULL;
    struct wa_machine_answer a = {.host_info = NULL};
    const struct wa_json_field fields[] = {
        {"host_info", WA_WANT_OBJECT, false, 0, &a.host_info},
        {"host_metrics", WA_WANT_OBJECT, false, 0, &a.host_metrics},
        {"dmi", WA_WANT_OBJECT, false, 0, &a.dmi},
        {"installed_softwares", WA_WANT_ARRAY, false, 0, &a.softwares},
    };
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "an inventory", err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(ours); i++)
        if (wa_json_get(a.host_info, ours[i]) != NULL)
            return wa_fail(err, WA_E_REFUSED, "'%s' is not the inventory process's to say",
                           ours[i]);
    if (wa_json_get(a.host_metrics, "wapt-memory-usage") != NULL)
        return wa_fail(err, WA_E_REFUSED, "the manager's memory is not the inventory process's");
    *ret = a;
    return WA_OK;
}

static enum wa_code add_group(const struct wa_json *name, struct wa_buf *csv, struct wa_err *err)
{
    size_t at;
    struct wa_sv s = wa_json_sv(name);
    if (!wa_json_is(name, WA_JSON_STRING) || s.n == 0 || wa_sv_chr(s, ',', &at))
        return wa_fail(err, WA_E_REFUSED, "a group of the machine's account that has no name");
    wa_buf_addf(csv, "%s", csv->n > 0 ? "," : "");
    wa_buf_addsv(csv, s);
    return WA_OK;
}

enum wa_code wa_place_answer_read(struct wa_sv text, struct wa_arena *arena,
                                  struct wa_place_answer *ret, struct wa_err *err)
{
    const struct wa_json *j = NULL, *groups = NULL;
    const struct wa_json_field fields[] = {
        {"is_known", WA_WANT_BOOL, true, 0, &ret->is_known},
        {"dn", WA_WANT_SV, false, WA_PLACE_BYTES_MAX, &ret->dn},
        {"groups", WA_WANT_ARRAY, false, 0, &groups},
    };
    *ret = (struct wa_place_answer){.is_known = false};
    wa_buf_init(&ret->groups, WA_PLACE_BYTES_MAX);
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the place of a machine", err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(groups); i++)
        if (add_group(wa_json_at(groups, i), &ret->groups, err) != WA_OK)
            return err->code;
    return wa_buf_check(&ret->groups, err);
}
