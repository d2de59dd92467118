/* repo_root.c - what is read as a root is read back from what is written, and lets nobody do more
 * than it says.
 */
#include <stdint.h>
#include <stdlib.h>

#include "repo/root_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct wa_root *r)
{
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0;
    if (wa_root_count(r, r, &n, &err) == WA_OK && n > r->administrators.n)
        abort();
    wa_err_clear(&err);
    if (wa_root_check_next(r, r, &err) == WA_OK)
        abort(); /* nothing follows itself */
    for (size_t i = 0; i < r->signer_count; i++) {
        const struct wa_root_signer *s = &r->signers[i];
        static const char *const nowhere[] = {NULL};
        wa_err_clear(&err);
        if (wa_root_signer(r, wa_cert_fingerprint(s->cert)) == NULL)
            abort();
        if (wa_root_allows_package(s, "base", "tis-x", true, &err) == WA_OK && !s->may_sign_code)
            abort();
        wa_err_clear(&err);
        if (wa_root_allows_action(s, "install", nowhere, nowhere, &err) == WA_OK &&
            wa_json_count(s->groups) + wa_json_count(s->units) == 0)
            abort();
    }
}

#define LINE_SHOWN 400u /* bytes of a line that the terminal shows */

static void look(void *user, const char *label, struct wa_sv value)
{
    size_t *lines = user;
    if (label[0] == '\0' || value.n >= LINE_SHOWN)
        abort();
    (*lines)++;
}

/* A person sees everybody who is named, and no line is cut. */
static void show(const struct wa_root *r, const struct wa_root *old)
{
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    size_t lines = 0;
    wa_buf_init(&json, 16u << 20);
    wa_jw_init(&w, &json);
    wa_root_write_shown(r, old, &w);
    if (wa_root_say(r, old, look, &lines, &err) == WA_OK &&
        (lines < r->administrators.n + r->signer_count || json.n == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    WA_AUTO(wa_root) struct wa_root *back = NULL;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf document;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    wa_buf_init(&document, 2 * WA_ROOT_BYTES_MAX);
    if (wa_root_read(wa_sv_n(data, size), &r, &err) != WA_OK)
        return 0;
    judge(r);
    show(r, NULL);
    show(r, r);
    if (wa_root_write(r, &text, &err) != WA_OK ||
        wa_signed_none(wa_buf_sv(&text), &document, &err) != WA_OK)
        return 0; /* longer than it came */
    if (document.n <= WA_ROOT_BYTES_MAX &&
        (wa_root_read(wa_buf_sv(&document), &back, &err) != WA_OK || back->version != r->version ||
         back->signer_count != r->signer_count || back->administrators.n != r->administrators.n))
        abort();
    return 0;
}
