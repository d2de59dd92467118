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

/* Anything but an object is no answer of ours: the pages begin anew. */
static bool is_object(struct wa_sv text)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, WA_LOCAL_PREFS_MAX * 64u);
    return wa_json_parse(text, 0, &arena, &j, &err) == WA_OK && wa_json_is(j, WA_JSON_OBJECT);
}

void wa_local_prefs_answer(const char *path, struct wa_http_conn *c)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath name;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, WA_LOCAL_PREFS_MAX);
    if (path == NULL || wa_dir_make(path, 0700, &dir, &err) != WA_OK ||
        wa_relpath_parse(WA_SV(FILE_NAME), &name, &err) != WA_OK ||
        wa_file_read(&dir, &name, WA_LOCAL_PREFS_MAX, &text, &err) != WA_OK ||
        !is_object(wa_buf_sv(&text))) {
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
    if (!is_object(body))
        (void)wa_fail(&err, WA_E_INVALID, "what is to be kept is no JSON object");
    else if (path != NULL && wa_dir_make(path, 0700, &dir, &err) == WA_OK &&
             wa_relpath_parse(WA_SV(FILE_NAME), &name, &err) == WA_OK)
        (void)!wa_file_replace(&dir, &name, body, 0600, &err);
    if (err.code != WA_OK)
        wa_http_answer_err(c, &err);
    else
        wa_http_answer(c, 200, "application/json", WA_SV("{}"), NULL);
}
