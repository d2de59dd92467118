/* helper_run.c - the manager has one hook of one staged package run, and hears it out.
 *
 * The runner is python with a package's code: all it says is hostile. Its output is cut, its result
 * has a cap and is only read once the process ended with status 0, its time is limited by the
 * launcher and, should that fail, here. A descriptor that some process outside the tree still holds
 * does not keep us: what counts is that the tree is gone.
 */
#include <errno.h>

#include "agent/helper_priv.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/pipe.h"

#define GRACE_MS 60000u /* ms beyond the launcher's own limit */
#define READ_BYTES (64u << 10)
/* Turns after the end: what was said before it is in a pipe of at most 1 MiB. More comes from a
 * stranger who holds our end. */
#define LAST_TURNS_MAX 64

enum { REQUEST, RESULT, OUTPUT }; /* fds[] of the helper */

struct run {
    struct wa_launcher *l;
    struct wa_helper *h;
    struct wa_cancel *cancel;
    struct wa_sv request; /* what is still to be written */
    struct wa_buf *result;
    struct wa_output_cut output;
    uint64_t deadline_ms;
};

static enum wa_code write_request(struct run *r, struct wa_err *err)
{
    while (r->request.n > 0) {
        ptrdiff_t n = wa_pipe_write(r->h->fds[REQUEST], r->request.p, r->request.n);
        if (n < 0 && errno == EAGAIN) {
            return WA_OK;
        }
        if (n < 0 && errno == EPIPE) { /* it does not want to know; its end will tell */
            break;
        }
        if (n < 0) {
            return wa_fail_errno(err, errno, "cannot hand the runner its request");
        }
        r->request = wa_sv_sub(r->request, (size_t)n, r->request.n);
    }
    wa_fd_close(&r->h->fds[REQUEST]);
    return WA_OK;
}

/* Reads what is there, once. Closes fd at its end. */
static enum wa_code read_some(struct run *r, int which, struct wa_err *err)
{
    char bytes[READ_BYTES];
    ptrdiff_t n = wa_pipe_read(r->h->fds[which], bytes, sizeof bytes);
    if (n < 0 && errno == EAGAIN) {
        return WA_OK;
    }
    if (n < 0) {
        return wa_fail_errno(err, errno, "cannot read what the runner says");
    }
    if (n == 0) {
        wa_fd_close(&r->h->fds[which]);
        return WA_OK;
    }
    if (which == OUTPUT) {
        return wa_cut_feed(&r->output, bytes, (size_t)n, err);
    }
    wa_buf_add(r->result, bytes, (size_t)n);
    if (wa_buf_check(r->result, err) == WA_E_LIMIT) {
        return wa_fail(err, WA_E_REFUSED, "the runner's result is longer than %zu bytes",
                       r->result->max);
    }
    return err->code;
}

/* One turn of at most timeout_ms; *ret_busy: something was there. */
static enum wa_code turn(struct run *r, int timeout_ms, bool *ret_busy, struct wa_err *err)
{
    const int *fds = r->h->fds;
    struct wa_pipe_wait p[WA_HELPER_FDS] = {
        {.fd = fds[REQUEST], .to_write = true},
        {.fd = fds[RESULT]},
        {.fd = fds[OUTPUT]},
    };
    size_t n;
    enum wa_code code = wa_pipe_wait(p, WA_HELPER_FDS, timeout_ms, &n, err);
    if (code != WA_OK) {
        return wa_wrap(err, "the runner");
    }
    *ret_busy = n > 0;
    if (p[REQUEST].is_ready) {
        code = write_request(r, err);
    }
    if (code == WA_OK && p[RESULT].is_ready) {
        code = read_some(r, RESULT, err);
    }
    if (code == WA_OK && p[OUTPUT].is_ready) {
        code = read_some(r, OUTPUT, err);
    }
    return code;
}

/* Until the process has ended and all it said was read. */
static enum wa_code hear(struct run *r, struct wa_err *err)
{
    bool is_ended = false;
    for (unsigned last_turns = 0; last_turns < LAST_TURNS_MAX; last_turns += is_ended) {
        bool is_busy = false;
        bool is_open = r->h->fds[RESULT] >= 0 || r->h->fds[OUTPUT] >= 0;
        enum wa_code code = WA_OK;
        if (is_open) {
            code = turn(r, is_ended ? 0 : WA_HELPER_SLICE_MS, &is_busy, err);
        }
        if (code != WA_OK || (is_ended && !is_busy)) {
            return code;
        }
        if (wa_cancel_is_set(r->cancel)) {
            return wa_fail(err, WA_E_CANCELLED, "the script was cancelled");
        }
        if (!is_ended && wa_clock_mono_ms() > r->deadline_ms) {
            return wa_fail(err, WA_E_TIMEOUT, "the script took too long and could not be ended");
        }
        if (!is_ended) {
            code = wa_helper_wait(r->l, r->h, is_open ? 0 : WA_HELPER_SLICE_MS, &is_ended, err);
        }
        if (code != WA_OK) {
            return code;
        }
    }
    return WA_OK;
}

static enum wa_code begin(struct run *r, const struct wa_run *what, struct wa_err *err)
{
    struct wa_start s = {.role = WA_ROLE_RUNNER,
                         .hook = (uint32_t)what->hook,
                         .uid = what->uid,
                         .timeout_s = what->timeout_s};
    if (!wa_role_copy(wa_sv(what->stage), s.stage, sizeof s.stage)) {
        return wa_fail(err, WA_E_INTERNAL, "cannot run a package: its folder has no such name");
    }
    enum wa_code code = wa_helper_start(r->l, &s, &r->h, err);
    for (size_t i = 0; code == WA_OK && i < WA_HELPER_FDS; i++) {
        code = wa_fd_set_nonblocking(r->h->fds[i], true, err);
    }
    return code;
}

enum wa_code wa_helper_run(struct wa_launcher *l, const struct wa_run *what,
                           wa_helper_output_fn output, void *user, struct wa_cancel *cancel,
                           struct wa_buf *result_json, struct wa_run_result *ret,
                           struct wa_err *err)
{
    struct run r = {.l = l, .cancel = cancel, .request = what->request, .result = result_json};
    struct wa_run_result result = {0};
    wa_cut_init(&r.output, output, user);
    enum wa_code code = begin(&r, what, err);
    if (code == WA_OK) {
        r.deadline_ms = wa_clock_mono_ms() + (uint64_t)what->timeout_s * 1000 + GRACE_MS;
        code = hear(&r, err);
    }
    struct wa_err late = WA_ERR_INIT; /* what it said before it failed is worth having */
    enum wa_code last_words = wa_cut_finish(&r.output, &late);
    if (code == WA_OK && last_words != WA_OK) {
        *err = late;
        code = last_words;
    }
    if (code == WA_OK) {
        const struct wa_ended *e = &r.h->ended;
        result.exit.kind = e->is_signal ? WA_EXIT_SIGNAL : WA_EXIT_STATUS;
        result.exit.value = e->value;
        result.timed_out = e->timed_out != 0;
        result.has_result = !e->is_signal && e->value == 0 && result_json->n > 0;
        *ret = result;
    }
    wa_cut_fini(&r.output);
    wa_helper_end(l, r.h);
    return code;
}
