/* reader.c - see reader.h: the local program's end of the channel. */
#include "console/reader.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/thread.h"

#define STEP_MS 100      /* between two looks at the stop */
#define WHAT_MAX 32u     /* bytes: the longest question */
#define FAILED_MAX 8192u /* bytes: the longest reason */
#define PROGRAMS_MAX 2u  /* that read one file, one after the other */
#define SPARE_MS 10000u  /* ms: for all else */

const struct wa_chan_rule wa_reader_asked[] = {{WA_READER_ASK, "ask", WHAT_MAX, true},
                                               {0, NULL, 0, false}};
const struct wa_chan_rule wa_reader_told[] = {{WA_READER_TOLD, "told", WA_ICON_BYTES_MAX, false},
                                              {WA_READER_FAILED, "failed", FAILED_MAX, false},
                                              {WA_READER_BEGUN, "begun", 0, false},
                                              {WA_READER_TAKEN, "taken", 0, false},
                                              {0, NULL, 0, false}};

struct wa_reader {
    struct wa_chan *chan; /* NULL: it is lost */
    struct wa_lock *lock;
    bool is_busy;
    uint32_t id;
    bool is_taken, is_sent_again; /* the question of that id */
};

enum wa_code wa_reader_new(int fd, struct wa_reader **ret, struct wa_err *err)
{
    WA_AUTO(wa_reader) struct wa_reader *r = wa_calloc(1, sizeof *r);
    struct wa_chan *chan = NULL;
    if (wa_chan_new(fd, wa_reader_told, &chan, err) != WA_OK)
        return err->code;
    if (r == NULL) {
        wa_chan_free(chan);
        return wa_nomem(err);
    }
    r->chan = chan;
    if (wa_lock_new(&r->lock, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(r);
    return WA_OK;
}

void wa_reader_free(struct wa_reader *r)
{
    if (r == NULL)
        return;
    wa_chan_free(r->chan);
    wa_lock_free(r->lock);
    wa_free(r);
}

static enum wa_code cancelled(struct wa_err *err)
{
    return wa_fail(err, WA_E_CANCELLED, "it was cancelled");
}

static enum wa_code lost(struct wa_reader *r, struct wa_err *err)
{
    wa_chan_free(r->chan);
    r->chan = NULL;
    return wa_fail(err, WA_E_FAILED,
                   "the process that reads installers and scripts has ended for good: open the "
                   "console again");
}

/* Code and reason, from the other side: which is not believed to have said "ok". */
static enum wa_code pass_on(struct wa_sv said, struct wa_err *err)
{
    struct wa_sv name;
    if (!wa_sv_split(&said, ' ', &name))
        return wa_fail(err, WA_E_FAILED, "the process that reads it gave no reason");
    enum wa_code c = wa_code_from_name(name);
    return wa_fail(err, c == WA_OK ? WA_E_FAILED : c, "%.*s", WA_SV_ARG(said));
}

static enum wa_code send_question(struct wa_reader *r, const char *what, int fd, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code = wa_chan_send(r->chan, WA_READER_ASK, r->id, wa_sv(what), fd, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    return code == WA_OK ? WA_OK : lost(r, err);
}

/* Another process reads from now on. A question that the one before did not take may wait for it
 * still, or have gone with that one: it is sent once more, and answered once. */
static enum wa_code begun(struct wa_reader *r, const char *what, int fd, struct wa_err *err)
{
    if (r->is_taken || r->is_sent_again)
        return wa_fail(err, WA_E_FAILED,
                       "the process that was reading it has been killed: try again");
    r->is_sent_again = true;
    return send_question(r, what, fd, err);
}

static enum wa_code await(struct wa_reader *r, const char *what, int fd, struct wa_stop *stop,
                          struct wa_buf *out, struct wa_err *err)
{
    uint64_t until = wa_clock_mono_ms() + PROGRAMS_MAX * WA_TOOL_TIMEOUT_MS + SPARE_MS;
    for (;;) {
        struct wa_chan_msg msg;
        struct wa_err why = WA_ERR_INIT;
        if (wa_stop_is_pulled(stop))
            return cancelled(err);
        enum wa_code code = wa_chan_recv(r->chan, STEP_MS, &msg, &why);
        if (code == WA_E_TIMEOUT && wa_clock_mono_ms() < until)
            continue;
        if (code == WA_E_TIMEOUT)
            return wa_fail(err, code, "reading it takes too long");
        if (code == WA_E_NOMEM)
            (void)wa_nomem(err);
        if (code != WA_OK)
            return code == WA_E_NOMEM ? code : lost(r, err);
        if (msg.type == WA_READER_BEGUN && begun(r, what, fd, err) != WA_OK)
            return err->code;
        if (msg.type == WA_READER_BEGUN || msg.id != r->id)
            continue; /* of a question that was given up */
        if (msg.type == WA_READER_TAKEN) {
            r->is_taken = true;
            continue;
        }
        if (msg.type == WA_READER_FAILED)
            return pass_on(msg.payload, err);
        wa_buf_addsv(out, msg.payload);
        return wa_buf_check(out, err);
    }
}

/* What came while nobody was asking: of a question that was given up, or another process. */
static enum wa_code drain(struct wa_reader *r, struct wa_err *err)
{
    struct wa_chan_msg msg;
    struct wa_err why = WA_ERR_INIT;
    enum wa_code code;
    while ((code = wa_chan_recv(r->chan, 0, &msg, &why)) == WA_OK)
        continue;
    if (code == WA_E_TIMEOUT)
        return WA_OK;
    return code == WA_E_NOMEM ? wa_nomem(err) : lost(r, err);
}

static enum wa_code ask(struct wa_reader *r, const char *what, int fd, struct wa_stop *stop,
                        struct wa_buf *out, struct wa_err *err)
{
    if (r->chan == NULL)
        return lost(r, err);
    if (drain(r, err) != WA_OK)
        return err->code;
    r->id++;
    r->is_taken = r->is_sent_again = false;
    return send_question(r, what, fd, err) == WA_OK ? await(r, what, fd, stop, out, err)
                                                    : err->code;
}

enum wa_code wa_reader_ask(struct wa_reader *r, const char *what, int fd, struct wa_stop *stop,
                           struct wa_buf *out, struct wa_err *err)
{
    if (r == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "no process was started that reads it");
    wa_lock_take(r->lock);
    while (r->is_busy && !wa_stop_is_pulled(stop))
        (void)wa_lock_wait(r->lock, STEP_MS);
    bool is_ours = !r->is_busy;
    r->is_busy = true;
    wa_lock_give(r->lock);
    if (!is_ours)
        return cancelled(err);
    enum wa_code code = ask(r, what, fd, stop, out, err);
    wa_lock_take(r->lock);
    r->is_busy = false;
    wa_lock_signal(r->lock);
    wa_lock_give(r->lock);
    return code;
}
