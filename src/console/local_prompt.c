/* local_prompt.c - questions by a pinentry: one at a time, each to one that is started for it.
 *
 * The loop has it started and thrown away; what blocks on it is a job's.
 */
#include "base/mem.h"
#include "console/local_priv.h"
#include "console/pinentry.h"
#include "console/prompter.h"
#include "os/fs.h"
#include "os/proc.h"
#include "os/term.h"

static const struct wa_chan_rule nothing[] = {{0, NULL, 0, false}};

enum wa_code wa_local_prompt_open(struct wa_local *l, struct wa_err *err)
{
    if (l->o->prompter_fd < 0)
        return WA_OK;
    l->prompt.fd = -1;
    wa_term_name(l->prompt.terminal, sizeof l->prompt.terminal);
    return wa_chan_new(l->o->prompter_fd, nothing, &l->prompt.chan, err);
}

void wa_local_prompt_close(struct wa_local *l)
{
    wa_chan_free(l->prompt.chan);
    l->prompt.chan = NULL;
}

bool wa_local_prompt_is_there(const struct wa_local *l)
{
    return l->prompt.chan != NULL;
}

enum wa_code wa_local_prompt_begin(struct wa_local_job *job, struct wa_err *err)
{
    struct wa_local *l = job->local;
    int pair[2];
    if (l->prompt.asker != NULL)
        return wa_fail(err, WA_E_BUSY, "another question waits for its answer");
    if (wa_socketpair(pair, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_chan_send(l->prompt.chan, WA_PROMPTER_SHOW, 0, WA_SV(""), pair[1], err);
    wa_fd_close(&pair[1]);
    if (code != WA_OK) {
        wa_fd_close(&pair[0]);
        return wa_wrap(err, "starting pinentry");
    }
    l->prompt.asker = job;
    l->prompt.fd = pair[0];
    return WA_OK;
}

void wa_local_prompt_end(struct wa_local_job *job, const struct wa_err *how)
{
    struct wa_local *l = job->local;
    struct wa_err err = WA_ERR_INIT;
    if (l->prompt.asker != job)
        return;
    l->prompt.asker = NULL;
    wa_fd_close(&l->prompt.fd); /* when it was not taken */
    bool is_lost = wa_chan_send(l->prompt.chan, WA_PROMPTER_DROP, 0, WA_SV(""), -1, &err) != WA_OK;
    if (!is_lost && how->code != WA_E_UNREACHABLE)
        return;
    wa_log_err(l->o->log, WA_LOG_WARNING, "console.pinentry", is_lost ? &err : how);
    wa_local_prompt_close(l); /* from now on on the terminal, and in the page */
}

/* The one that asks goes, and with it whoever reads from it. In the loop's thread, as every pull.
 */
static void drop(void *user)
{
    struct wa_local *l = user;
    struct wa_err ignored = WA_ERR_INIT;
    if (l->prompt.chan != NULL)
        (void)!wa_chan_send(l->prompt.chan, WA_PROMPTER_DROP, 0, WA_SV(""), -1, &ignored);
}

enum wa_code wa_local_prompt_use(struct wa_local_job *job,
                                 enum wa_code (*ask)(struct wa_local_job *job,
                                                     struct wa_pinentry *p, struct wa_err *err),
                                 struct wa_err *err)
{
    struct wa_local *l = job->local;
    WA_AUTO(wa_pinentry) struct wa_pinentry *p = NULL;
    struct wa_stop_waker waker = {.wake = drop, .user = l};
    int fd = l->prompt.fd;
    if (!wa_stop_add(job->stop, &waker))
        return wa_fail(err, WA_E_CANCELLED, "it was cancelled");
    l->prompt.fd = -1; /* the other's, from here on */
    if (wa_pinentry_open(fd, l->prompt.terminal[0] != '\0' ? l->prompt.terminal : NULL, l->o->term,
                         &p, err) == WA_OK)
        (void)!ask(job, p, err);
    wa_stop_remove(job->stop, &waker);
    if (err->code != WA_OK && wa_stop_is_pulled(job->stop)) {
        wa_err_clear(err);
        (void)wa_fail(err, WA_E_CANCELLED, "it was cancelled");
    }
    return err->code;
}
