/* root_wish.c - what a page wishes the next root to say: whatever comes out follows the one in
 * force, can be reached by its administrators, is in force by no signature yet, and is shown whole.
 */
#include <stdint.h>
#include <stdlib.h>

#include "console/root_wish.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000
#define LINE_SHOWN 400u /* bytes of a line that the terminal shows */

static struct wa_root *in_force;

static void must(bool is_so)
{
    if (!is_so)
        abort();
}

static struct wa_root *make_root(void)
{
    static const struct wa_cert_request what = {.cn = "Alice", .path_length = -1, .days = 30000};
    WA_AUTO(wa_root) struct wa_root *draft = NULL;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO(wa_key) struct wa_key *online = NULL;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_root *made = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    must(wa_key_new_p256(&key, &err) == WA_OK && wa_key_new_p256(&online, &err) == WA_OK &&
         wa_cert_issue(&what, key, NULL, NULL, &cert, &err) == WA_OK &&
         wa_key_write_public_pem(online, &text, &err) == WA_OK &&
         wa_root_new(&draft, &err) == WA_OK &&
         wa_root_add_timestamp_key(draft, wa_buf_sv(&text), &err) == WA_OK &&
         wa_certs_add(&draft->administrators, cert, &err) == WA_OK);
    (void)snprintf(draft->repository, sizeof draft->repository, "%032d", 7);
    draft->version = draft->threshold = draft->issued = 1;
    draft->expires = 2 * (int64_t)NOW;
    draft->published_days = draft->timestamp_hours = 1;
    wa_buf_clear(&text);
    must(wa_root_unsigned(draft, &text, &made, &err) == WA_OK);
    return made;
}

static void look(void *user, const char *label, struct wa_sv value)
{
    size_t *lines = user;
    must(label[0] != '\0' && value.n < LINE_SHOWN);
    (*lines)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    WA_AUTO(wa_root) struct wa_root *begun = NULL;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    size_t lines = 0;
    if (in_force == NULL)
        in_force = make_root();
    wa_arena_init(&arena, 16u << 20);
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    /* "$ALICE" is the fingerprint of the administrator. */
    for (size_t i = 0; i < size; i++) {
        bool is_mark = size - i >= 6 && memcmp(data + i, "$ALICE", 6) == 0;
        if (is_mark)
            wa_buf_adds(&text, wa_cert_fingerprint(in_force->administrators.items[0]));
        else
            wa_buf_addc(&text, (char)data[i]);
        i += is_mark ? 5 : 0;
    }
    if (wa_buf_check(&text, &err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, &err) != WA_OK)
        return 0;
    if (wa_root_of_wish(NULL, j, NOW, &begun, &err) == WA_OK)
        must(begun->version == 1 && begun->document.n == 0 && begun->timestamp_key_count > 0);
    wa_err_clear(&err);
    if (wa_root_of_wish(in_force, j, NOW, &r, &err) != WA_OK)
        return 0;
    must(r->version == in_force->version + 1 && strcmp(r->repository, in_force->repository) == 0 &&
         r->document.n == 0 && r->threshold >= 1 && (size_t)r->threshold <= r->administrators.n);
    must(wa_root_check_after(in_force, r, &err) != WA_OK);
    wa_err_clear(&err);
    must(wa_root_say(r, in_force, look, &lines, &err) == WA_OK &&
         lines >= 6 + r->administrators.n + r->signer_count);
    return 0;
}
