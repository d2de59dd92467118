/* check.h - between main.c, which reads a folder of vectors, and the checks, one function a form of
 * case. */
#ifndef WA_TEST_VECTORS_CHECK_H
#define WA_TEST_VECTORS_CHECK_H

#include "base/buf.h"
#include "codec/json.h"
#include "pkg/control.h"

enum outcome {
    AGREES,
    DIFFERS, /* from WAPT's answer, on purpose: why begins with the rule, whose form the case has */
    FAILS,
    NOT_A_CASE /* nothing in it to be judged; not counted */
};

struct check {
    const char *dir;       /* the folder of vectors */
    int64_t now;           /* when packages are judged */
    struct wa_arena arena; /* of the present file */
    char why[1024];        /* of the present case, unless it agrees */
};

/* Judges one case of a file. */
typedef enum outcome (*check_fn)(struct check *k, const struct wa_json *one);

/* Writes why; gives FAILS. */
enum outcome fails(struct check *k, const char *format, ...) WA_FORMAT(2, 3);
/* The same, DIFFERS; rule: a row of docs/compatibility.md. */
enum outcome differs(struct check *k, const char *rule, const char *format, ...) WA_FORMAT(3, 4);
/* Our code against an error that must not be; FAILS or AGREES. */
enum outcome must(struct check *k, enum wa_code code, const struct wa_err *err, const char *what);

struct wa_sv text_at(const struct wa_json *object, const char *key);
/* As C string in the arena; "" for what is no text. */
const char *string_at(struct check *k, const struct wa_json *object, const char *key);
/* A comma list in the arena from a JSON list or text; NULL from null. */
const char *csv_of(struct check *k, const struct wa_json *j);
/* Sets the attributes that the object names. */
void set_attributes(struct wa_control *c, const struct wa_json *object);
void set_attribute(struct wa_control *c, enum wa_attr a, struct wa_sv value);

/* check_versions.c */
enum outcome check_vercmp(struct check *k, const struct wa_json *one);
enum outcome check_match(struct check *k, const struct wa_json *one);
enum outcome check_request_filters(struct check *k, const struct wa_json *one);
enum outcome check_host_capabilities(struct check *k, const struct wa_json *one);
enum outcome check_sorting(struct check *k, const struct wa_json *one);
/* check_texts.c */
enum outcome check_control_parse(struct check *k, const struct wa_json *one);
enum outcome check_control_write(struct check *k, const struct wa_json *one);
enum outcome check_filenames(struct check *k, const struct wa_json *one);
enum outcome check_sanitize(struct check *k, const struct wa_json *one);
enum outcome check_canonical_json(struct check *k, const struct wa_json *one);
enum outcome check_csv_list(struct check *k, const struct wa_json *one);
enum outcome check_actions(struct check *k, const struct wa_json *one);
/* check_plan.c */
enum outcome check_depends(struct check *k, const struct wa_json *one);
/* check_packages.c */
enum outcome check_package(struct check *k, const struct wa_json *one);
enum outcome check_index(struct check *k, const struct wa_json *one);

#endif
