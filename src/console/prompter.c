/* prompter.c - see prompter.h. Nothing of what is asked or typed comes by here. */
#include "console/prompter.h"

#include "os/fs.h"
#include "os/proc.h"

const struct wa_chan_rule wa_prompter_rules[] = {
    {WA_PROMPTER_SHOW, "show", 0, true}, {WA_PROMPTER_DROP, "drop", 0, false}, {0, NULL, 0, false}};

static void drop(struct wa_proc *p)
{
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_exit how;
    if (p->pid == 0)
        return;
    wa_proc_kill(p, WA_PROC_KILL);
    (void)!wa_proc_wait(p, -1, &how, &ignored);
}

void wa_prompter_run(int fd, const char *pinentry, const char *const *envp)
{
    static const char *const argv[] = {"pinentry", NULL};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_chan) struct wa_chan *chan = NULL;
    struct wa_proc p = {.pid = 0, .pidfd = -1};
    struct wa_chan_msg msg;
    if (wa_chan_new(fd, wa_prompter_rules, &chan, &err) != WA_OK)
        return;
    while (wa_chan_recv(chan, -1, &msg, &err) == WA_OK) {
        drop(&p);
        if (msg.type != WA_PROMPTER_SHOW)
            continue;
        const int fds[] = {msg.fd, msg.fd, -1};
        const struct wa_spawn what = {.path = pinentry,
                                      .argv = argv,
                                      .envp = envp,
                                      .fds = fds,
                                      .fd_count = 3,
                                      .die_with_parent = true};
        if (wa_proc_spawn(&what, &p, &err) != WA_OK)
            wa_err_clear(&err); /* who asks sees that nobody is there */
        wa_fd_close(&msg.fd);
    }
    drop(&p);
}
