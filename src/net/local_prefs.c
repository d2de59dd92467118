/* local_prefs.c - what a person has chosen in the pages: columns, saved views, colours, language.
 *
 * The pages' address has another port with each start, so the browser forgets. One JSON object that
 * only the pages understand, in a file of this person's; nothing here reads what is in it, and no
 * secret belongs there.
 */
#include "base/limits.h"
#include "codec/json.h"
#include "net/local_site.h"
#include "os/fs.h"

#define FILE_NAME "pages.json"

static enum wa_code check_object(struct wa_sv text, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_LOCAL_PREFS_MAX * 64u);
    if (wa_json_parse(text, 0, &arena, &j, err) == WA_E_NOMEM)
        return err->code;
    bool is_object = err->code == WA_OK && wa_json_is(j, WA_JSON_OBJECT);
    wa_err_clear(err);
    return is_object ? WA_OK : wa_fail(err, WA_E_INVALID, "what is to be kept is no JSON object");
}

static enum wa_code read_file(const char *path, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath name;
    if (path == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "nothing is kept here");
    return wa_dir_make(path, 0700, &dir, err) == WA_OK &&
                   wa_relpath_parse(WA_SV(FILE_NAME), &name, err) == WA_OK &&
                   wa_file_read(&dir, &name, WA_LOCAL_PREFS_MAX, out, err) == WA_OK
               ? check_object(wa_buf_sv(out), err)
               : err->code;
}

/* Anything but an object is no answer of ours: the pages begin anew. Not where there was no memory:
 * they would write over what is there. */
void wa_local_prefs_answer(const char *path, struct wa_http_conn *c)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, WA_LOCAL_PREFS_MAX);
    if (read_file(path, &text, &err) == WA_E_NOMEM) {
        wa_http_answer_err(c, &err);
        return;
    }
    if (err.code != WA_OK) {
        wa_buf_clear(&text);
        wa_buf_adds(&text, "{}");
    }
    wa_local_answer_json(c, &text);
}

void wa_local_prefs_keep(const char *path, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath name;
    struct wa_err err = WA_ERR_INIT;
    if (check_object(body, &err) == WA_OK && path != NULL &&
        wa_dir_make(path, 0700, &dir, &err) == WA_OK &&
        wa_relpath_parse(WA_SV(FILE_NAME), &name, &err) == WA_OK)
        (void)!wa_file_replace(&dir, &name, body, 0600, &err);
    if (err.code != WA_OK)
        wa_http_answer_err(c, &err);
    else
        wa_http_answer(c, 200, "application/json", WA_SV("{}"), NULL);
}
