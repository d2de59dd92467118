/* helper_output.c - a script's output cut to what is kept: its head as it comes, its last lines at
 * the end.
 *
 * A script that floods must not fill the disk or the manager's memory, and its last words are what
 * a person looks for. Never hands on half a UTF-8 sequence that the next bytes complete; bytes that
 * are no UTF-8 pass as they are.
 */
#include "agent/helper_priv.h"
#include "base/utf8.h"

#define TAIL_BYTES (64u << 10) /* bytes kept from the end */
#define HEAD_BYTES (WA_SCRIPT_OUTPUT_MAX - TAIL_BYTES)

void wa_cut_init(struct wa_output_cut *o, wa_helper_output_fn fn, void *user)
{
    o->fn = fn;
    o->user = user;
    o->head_left = HEAD_BYTES;
    o->left_out = 0;
    wa_buf_init(&o->part, 2 * HEAD_BYTES);
    wa_buf_init(&o->tail, 4 * TAIL_BYTES);
}

void wa_cut_fini(struct wa_output_cut *o)
{
    wa_buf_fini(&o->part);
    wa_buf_fini(&o->tail);
}

static enum wa_code emit(struct wa_output_cut *o, const char *p, size_t n, bool is_last,
                         struct wa_err *err)
{
    wa_buf_add(&o->part, p, n);
    enum wa_code code = wa_buf_check(&o->part, err);
    if (code != WA_OK) {
        return code;
    }
    size_t whole = is_last || o->part.n == 0 ? o->part.n : wa_utf8_cut(o->part.p, o->part.n);
    if (whole > 0 && o->fn != NULL) {
        o->fn(o->user, wa_sv_n(o->part.p, whole));
    }
    wa_buf_consume(&o->part, whole);
    return WA_OK;
}

enum wa_code wa_cut_feed(struct wa_output_cut *o, const char *p, size_t n, struct wa_err *err)
{
    size_t head = n < o->head_left ? n : o->head_left;
    if (head > 0) {
        enum wa_code code = emit(o, p, head, false, err);
        if (code != WA_OK) {
            return code;
        }
        o->head_left -= head;
        p += head;
        n -= head;
    }
    while (n > 0) {
        size_t piece = n < TAIL_BYTES ? n : TAIL_BYTES;
        wa_buf_add(&o->tail, p, piece);
        enum wa_code code = wa_buf_check(&o->tail, err);
        if (code != WA_OK) {
            return code;
        }
        if (o->tail.n > 2 * TAIL_BYTES) {
            o->left_out += o->tail.n - TAIL_BYTES;
            wa_buf_consume(&o->tail, o->tail.n - TAIL_BYTES);
        }
        p += piece;
        n -= piece;
    }
    return WA_OK;
}

enum wa_code wa_cut_finish(struct wa_output_cut *o, struct wa_err *err)
{
    if (o->tail.n > TAIL_BYTES) {
        o->left_out += o->tail.n - TAIL_BYTES;
        wa_buf_consume(&o->tail, o->tail.n - TAIL_BYTES);
    }
    enum wa_code code = WA_OK;
    if (o->left_out > 0) {
        char line[96];
        code = emit(o, "", 0, true, err);
        int n = snprintf(line, sizeof line, "\n[%llu bytes of output were left out here]\n",
                         (unsigned long long)o->left_out);
        if (code == WA_OK) {
            code = emit(o, line, (size_t)n, true, err);
        }
    }
    if (code == WA_OK) {
        code = emit(o, o->tail.p != NULL ? o->tail.p : "", o->tail.n, true, err);
    }
    return code;
}
