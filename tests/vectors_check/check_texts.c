/* check_texts.c - control files, names of files, comma lists and the bytes that WAPT signs. */
#include "check.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/csv.h"

#define TEXT_MAX (1u << 20)

/* A control must name a package; the cases mostly don't, so one is put in front. */
static enum wa_code parse_with_package(struct wa_sv input, struct wa_control *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, TEXT_MAX);
    if (!wa_sv_starts(input, "package"))
        wa_buf_adds(&text, "package: p\n");
    wa_buf_addsv(&text, input);
    return wa_control_parse(wa_buf_sv(&text), c, err);
}

static enum outcome same_attributes(struct check *k, const struct wa_json *dict,
                                    const struct wa_control *c)
{
    for (size_t i = 0; i < wa_json_count(dict); i++) {
        enum wa_attr a;
        struct wa_sv want = wa_json_sv(wa_json_at(dict, i));
        if (!wa_attr_find(wa_json_key_at(dict, i), &a))
            continue;
        struct wa_sv got = wa_sv(wa_control_get(c, a));
        if (!wa_sv_eq(got, want))
            return fails(k, "%s: got '%.*s', wanted '%.*s'", wa_attr_name(a), WA_SV_ARG(got),
                         WA_SV_ARG(want));
    }
    return AGREES;
}

enum outcome check_control_parse(struct check *k, const struct wa_json *one)
{
    WA_AUTO_BUF struct wa_buf input;
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_err err = WA_ERR_INIT;
    bool refused_there = wa_json_get(one, "error") != NULL;
    wa_control_init(&c);
    wa_buf_init(&input, TEXT_MAX);
    if (wa_base64_decode(text_at(one, "input_b64"), &input, &err) != WA_OK)
        return must(k, err.code, &err, "base64");
    enum wa_code code = parse_with_package(wa_buf_sv(&input), &c, &err);
    if (code == WA_OK)
        return refused_there ? fails(k, "taken, which WAPT refuses")
                             : same_attributes(k, wa_json_get(one, "dict"), &c);
    if (code != WA_E_INVALID)
        return must(k, code, &err, "parsing");
    if (refused_there)
        return AGREES;
    size_t at;
    bool is_ambiguous =
        wa_sv_chr(wa_buf_sv(&input), '\0', &at) || wa_sv_starts(wa_buf_sv(&input), "\n");
    return is_ambiguous ? differs(k, "control-ambiguous", "%s", err.text)
                        : fails(k, "refused: %s", err.text);
}

static void base_control(struct wa_control *c)
{
    wa_control_init(c);
    set_attribute(c, WA_A_PACKAGE, WA_SV("p"));
    set_attribute(c, WA_A_VERSION, WA_SV("1"));
    set_attribute(c, WA_A_ARCHITECTURE, WA_SV("all"));
    set_attribute(c, WA_A_SECTION, WA_SV("base"));
    set_attribute(c, WA_A_PRIORITY, WA_SV("optional"));
}

/* A value that the lines of a control can't carry. Looked at here, not by what our reader makes of
 * it. */
static bool is_unwritable(struct wa_sv v)
{
    static const char *const breaks[] = {
        "\r",
        "\v",
        "\f",
        "\x1c",
        "\x1d",
        "\x1e",
        "\xc2\x85",
        "\xe2\x80\xa8",
        "\xe2\x80\xa9",
        "\n\n",
        " \n", /* and lines that begin with a blank, of whatever width */
        "\n ",
        "\n\t",
        "\n\xc2\xa0",
        "\n\xe1\x9a\x80",
        "\n\xe2\x80",
        "\n\xe2\x81\x9f",
        "\n\xe3\x80\x80"};
    bool is_broken = wa_sv_trim(v).n != v.n;
    for (size_t i = 0; i < WA_COUNT(breaks); i++)
        for (size_t at = 0; at < v.n && !is_broken; at++)
            is_broken = wa_sv_starts(wa_sv_sub(v, at, v.n), breaks[i]);
    return is_broken;
}

/* Whether WAPT's text gives the value back. */
static bool survives(struct wa_sv text, enum wa_attr a, const char *value)
{
    WA_AUTO_CONTROL struct wa_control back;
    struct wa_err err = WA_ERR_INIT;
    wa_control_init(&back);
    return wa_control_parse(text, &back, &err) == WA_OK &&
           strcmp(wa_control_get(&back, a), value) == 0;
}

/* The bytes of one form: of a package, or of an entry in an index. */
static enum outcome same_text(struct check *k, const struct wa_json *one, const char *key,
                              const struct wa_control *c, bool with_index)
{
    WA_AUTO_BUF struct wa_buf want;
    WA_AUTO_BUF struct wa_buf got;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&want, TEXT_MAX);
    wa_buf_init(&got, TEXT_MAX);
    if (wa_json_get(one, key) == NULL)
        return AGREES;
    if (wa_base64_decode(text_at(one, key), &want, &err) != WA_OK ||
        wa_control_write(c, with_index, &got, &err) != WA_OK)
        return must(k, err.code, &err, key);
    return wa_sv_eq(wa_buf_sv(&got), wa_buf_sv(&want))
               ? AGREES
               : fails(k, "%s: got '%s', wanted '%s'", key, wa_buf_str(&got), wa_buf_str(&want));
}

/* Where WAPT's text would be read back as another value we write nothing, else its very bytes. */
enum outcome check_control_write(struct check *k, const struct wa_json *one)
{
    WA_AUTO_BUF struct wa_buf want;
    WA_AUTO_BUF struct wa_buf got;
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_err err = WA_ERR_INIT;
    enum wa_attr a;
    const struct wa_json *value = wa_json_get(one, "value");
    wa_buf_init(&want, TEXT_MAX);
    wa_buf_init(&got, TEXT_MAX);
    base_control(&c);
    if (!wa_attr_find(text_at(one, "attribute"), &a))
        return fails(k, "no attribute of ours");
    if (wa_json_is(value, WA_JSON_NUMBER) && wa_sv_eqs(wa_json_sv(value), "0"))
        return differs(k, "control-zero",
                       "the number 0 counts as nothing there; our values are texts");
    const char *text =
        wa_json_is(value, WA_JSON_NUMBER) ? string_at(k, one, "value") : csv_of(k, value);
    set_attribute(&c, a, wa_sv(text));
    if (wa_base64_decode(text_at(one, "control_b64"), &want, &err) != WA_OK)
        return must(k, err.code, &err, "base64");
    enum wa_code code = wa_control_write(&c, false, &got, &err);
    if (!survives(wa_buf_sv(&want), a, wa_control_get(&c, a)))
        return code == WA_E_INVALID && is_unwritable(wa_sv(text))
                   ? differs(k, "control-escapes", "%s", err.text)
                   : fails(k, "%s",
                           code == WA_OK ? "written, though it would not be read back"
                                         : "refused or misread, though lines can carry it");
    if (code != WA_OK)
        return must(k, code, &err, "writing");
    enum outcome o = same_text(k, one, "control_b64", &c, false);
    return o == AGREES ? same_text(k, one, "control_repo_b64", &c, true) : o;
}

static enum outcome check_edit_name(struct check *k, const struct wa_json *one,
                                    const struct wa_control *c)
{
    WA_AUTO_BUF struct wa_buf name;
    const struct wa_json *want = wa_json_get(one, "edit_directory");
    wa_buf_init(&name, TEXT_MAX);
    if (!wa_json_is(want, WA_JSON_STRING))
        return AGREES;
    wa_control_edit_name(c, &name);
    return wa_sv_eq(wa_buf_sv(&name), wa_json_sv(want))
               ? AGREES
               : fails(k, "to edit in '%s', wanted '%.*s'", wa_buf_str(&name),
                       WA_SV_ARG(wa_json_sv(want)));
}

enum outcome check_filenames(struct check *k, const struct wa_json *one)
{
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_err err = WA_ERR_INIT;
    char got[2 * WA_NAME_MAX + 1];
    base_control(&c);
    set_attribute(&c, WA_A_VERSION, WA_SV("1.2-3"));
    set_attribute(&c, WA_A_PACKAGE, text_at(one, "package"));
    set_attributes(&c, wa_json_get(one, "attributes"));
    bool md5 = wa_json_bool(wa_json_get(one, "with_md5sum"));
    enum wa_code code =
        wa_control_filename(&c, md5 ? "0123456789abcdef0123456789abcdef" : NULL, got, &err);
    if (check_edit_name(k, one, &c) != AGREES)
        return FAILS;
    if (wa_json_is(wa_json_get(one, "filename"), WA_JSON_OBJECT)) /* an exception there */
        return code == WA_E_INVALID ? AGREES : fails(k, "'%s', which WAPT refuses", got);
    if (code != WA_OK)
        return must(k, code, &err, "naming");
    return wa_sv_eqs(text_at(one, "filename"), got)
               ? AGREES
               : fails(k, "got '%s', wanted '%.*s'", got, WA_SV_ARG(text_at(one, "filename")));
}

enum outcome check_sanitize(struct check *k, const struct wa_json *one)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, TEXT_MAX);
    wa_sanitize_filename(text_at(one, "name"), &out);
    return wa_sv_eq(wa_buf_sv(&out), text_at(one, "result"))
               ? AGREES
               : fails(k, "got '%s'", wa_buf_str(&out));
}

enum outcome check_csv_list(struct check *k, const struct wa_json *one)
{
    const struct wa_json *list = wa_json_get(one, "list");
    struct wa_sv rest = text_at(one, "text"), item;
    size_t n = 0;
    while (wa_csv_next(&rest, &item)) {
        struct wa_sv want = wa_json_sv(wa_json_at(list, n++));
        if (!wa_sv_eq(item, want))
            return fails(k, "got '%.*s', wanted '%.*s'", WA_SV_ARG(item), WA_SV_ARG(want));
    }
    return n == wa_json_count(list) ? AGREES
                                    : fails(k, "%zu items, wanted %zu", n, wa_json_count(list));
}

/* --- JSON --- */

typedef enum wa_code (*write_fn)(const struct wa_json *j, struct wa_buf *out, struct wa_err *err);

static enum outcome same_form(struct check *k, const struct wa_json *j, write_fn write,
                              struct wa_sv want, const char *which)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&out, TEXT_MAX);
    if (write(j, &out, &err) != WA_OK)
        return must(k, err.code, &err, which);
    return wa_sv_eq(wa_buf_sv(&out), want)
               ? AGREES
               : fails(k, "%s: got '%s', wanted '%.*s'", which, wa_buf_str(&out), WA_SV_ARG(want));
}

enum outcome check_canonical_json(struct check *k, const struct wa_json *one)
{
    WA_AUTO_BUF struct wa_buf whole;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    bool is_wrapped = wa_json_bool(wa_json_get(one, "wrapped_in_list"));
    struct wa_sv text = text_at(one, "json");
    wa_buf_init(&whole, TEXT_MAX);
    wa_buf_addf(&whole, "%s%.*s%s", is_wrapped ? "[" : "", WA_SV_ARG(text), is_wrapped ? "]" : "");
    enum wa_code code =
        wa_json_parse(wa_buf_sv(&whole), WA_JSON_LONE_SURROGATES, &k->arena, &j, &err);
    if (code == WA_E_INVALID && (wa_sv_eqs(text, "NaN") || wa_sv_ends(text, "Infinity")))
        return differs(k, "json-numbers", "'%.*s': %s", WA_SV_ARG(text), err.text);
    if (code != WA_OK)
        return must(k, code, &err, "parsing");
    enum outcome o =
        same_form(k, j, wa_json_write_canonical, text_at(one, "canonical"), "canonical");
    return o == AGREES ? same_form(k, j, wa_json_write_legacy, text_at(one, "legacy"), "before 1.8")
                       : o;
}

/* The signed attributes of an order of WAPT's server, in the form in which it signed them. */
enum outcome check_actions(struct check *k, const struct wa_json *one)
{
    const struct wa_json *action = wa_json_get(one, "action"), *j = NULL,
                         *names = wa_json_get(action, "signed_attributes");
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    wa_buf_init(&text, TEXT_MAX);
    if (!wa_json_is(wa_json_get(one, "canonical"), WA_JSON_STRING) ||
        !wa_json_is(names, WA_JSON_ARRAY))
        return NOT_A_CASE; /* nothing signed in it */
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    for (size_t i = 0; i < wa_json_count(names); i++) {
        const char *name = wa_arena_strdup(&k->arena, wa_json_sv(wa_json_at(names, i)));
        if (name == NULL)
            return FAILS;
        wa_jw_key(&w, name); /* signed but not there counts as null, and is written as null */
        wa_jw_json(&w, wa_json_get(action, name));
    }
    wa_jw_end(&w);
    if (wa_json_parse(wa_buf_sv(&text), WA_JSON_LONE_SURROGATES, &k->arena, &j, &err) != WA_OK)
        return must(k, err.code, &err, "parsing");
    return same_form(k, j, wa_json_write_canonical, text_at(one, "canonical"), "canonical");
}
