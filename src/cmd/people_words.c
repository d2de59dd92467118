/* people_words.c - the options that say whose machines a person or a token is for, and the words
 * for it. */
#include "cmd/people_words.h"

static const struct {
    const char *option, *key;
} lists[] = {{"group", "groups"}, {"profile", "profiles"}, {"unit", "units"}};

enum wa_code wa_people_perimeter(const struct wa_cli *cli, bool is_required, struct wa_buf *out,
                                 struct wa_err *err)
{
    bool is_all = wa_cli_has(cli, "all-machines"), is_given = false;
    struct wa_jw w;
    wa_jw_init(&w, out);
    for (size_t i = 0; i < WA_COUNT(lists); i++)
        is_given = is_given || wa_cli_has(cli, lists[i].option);
    if (is_all && is_given)
        return wa_fail(err, WA_E_USAGE, "--all-machines is no perimeter: leave the others away");
    if (is_required && !is_all && !is_given)
        return wa_fail(err, WA_E_USAGE,
                       "which machines? Give --group, --profile or --unit, or --all-machines");
    if (!is_given)
        return WA_OK;
    wa_jw_obj(&w);
    for (size_t i = 0; i < WA_COUNT(lists); i++) {
        const char *value;
        wa_jw_key(&w, lists[i].key);
        wa_jw_arr(&w);
        for (size_t k = 0; (value = wa_cli_at(cli, lists[i].option, k)) != NULL; k++)
            wa_jw_s(&w, value);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

enum wa_code wa_people_perimeter_words(struct wa_sv perimeter, struct wa_buf *out,
                                       struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    size_t before = out->n;
    wa_arena_init(&arena, 1u << 20);
    if (perimeter.n == 0) {
        wa_buf_adds(out, wa_text("all"));
        return wa_buf_check(out, err);
    }
    if (wa_json_parse(perimeter, 0, &arena, &j, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(lists); i++) {
        const struct wa_json *names = wa_json_get(j, lists[i].key);
        for (size_t k = 0; k < wa_json_count(names); k++)
            wa_buf_addf(out, "%s%s=%.*s", out->n > before ? " " : "", lists[i].option,
                        WA_SV_ARG(wa_json_sv(wa_json_at(names, k))));
    }
    if (out->n == before)
        wa_buf_adds(out, wa_text("none"));
    return wa_buf_check(out, err);
}
