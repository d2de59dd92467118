/* support.h - what the tests of src/pkg and src/repo share: vectors as JSON, packages as files,
 * errors in messages. */
#ifndef TEST_PKG_SUPPORT_H
#define TEST_PKG_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/date.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "os/fs.h"
#include "pkg/control.h"

/* The packages of the vectors were signed on 2026-11-23: they are judged a week later, for ever. */
static inline int64_t vectors_date(void)
{
    return wa_date_from_civil(2026, 12, 1, 12, 0, 0);
}

/* Fails the test with err's text unless code is WA_OK. */
static inline void check_ok(enum wa_code code, const struct wa_err *err, const char *what)
{
    if (code != WA_OK)
        fail_msg("%s: %s: %s", what, wa_code_name(code), err->text);
}

/* tests/vectors/<name>, whole. The caller frees. */
static inline void read_vector(const char *name, struct wa_buf *out)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", WA_VECTORS, name);
    wa_buf_init(out, 64u << 20);
    check_ok(wa_path_read(path, 64u << 20, out, &err), &err, path);
}

/* The same as JSON, a list. The arena lives as long as the list. */
static inline const struct wa_json *read_cases(const char *name, struct wa_arena *arena)
{
    WA_AUTO_BUF struct wa_buf text;
    const struct wa_json *list = NULL;
    struct wa_err err = WA_ERR_INIT;
    read_vector(name, &text);
    wa_arena_init(arena, 256u << 20);
    check_ok(wa_json_parse(wa_buf_sv(&text), WA_JSON_LONE_SURROGATES, arena, &list, &err), &err,
             name);
    assert_true(wa_json_count(list) > 0);
    return list;
}

static inline struct wa_sv text_at(const struct wa_json *object, const char *key)
{
    return wa_json_sv(wa_json_get(object, key));
}

/* As a C string in the arena. */
static inline const char *string_at(const struct wa_json *object, const char *key,
                                    struct wa_arena *arena)
{
    const char *s = wa_arena_strdup(arena, text_at(object, key));
    assert_non_null(s);
    return s;
}

/* Sets the attributes that an object names. */
static inline void set_attributes(struct wa_control *c, const struct wa_json *object)
{
    struct wa_err err = WA_ERR_INIT;
    for (size_t i = 0; i < wa_json_count(object); i++) {
        enum wa_attr a;
        if (wa_attr_find(wa_json_key_at(object, i), &a))
            check_ok(wa_control_set(c, a, wa_json_sv(wa_json_at(object, i)), &err), &err, "set");
    }
}

/* A csv list in the arena from a JSON list, a text, or null (NULL). */
static inline const char *csv_of(const struct wa_json *j, struct wa_arena *arena)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    if (j == NULL || wa_json_is(j, WA_JSON_NULL))
        return NULL;
    if (wa_json_is(j, WA_JSON_STRING))
        wa_buf_addsv(&out, wa_json_sv(j));
    for (size_t i = 0; i < wa_json_count(j); i++) {
        if (i > 0)
            wa_buf_addc(&out, ',');
        wa_buf_addsv(&out, wa_json_sv(wa_json_at(j, i)));
    }
    return wa_arena_strdup(arena, wa_buf_sv(&out));
}

static inline int sign_of(int c)
{
    return (c > 0) - (c < 0);
}

#endif
