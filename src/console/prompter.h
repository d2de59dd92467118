/* prompter.h - the process that starts a pinentry for the local program, which itself can start
 * nothing: forked before that gives up the power, it knows one program and two words.
 */
#ifndef WA_CONSOLE_PROMPTER_H
#define WA_CONSOLE_PROMPTER_H

#include "os/chan.h"

enum {
    WA_PROMPTER_SHOW = 1, /* with the descriptor that becomes its input and output */
    WA_PROMPTER_DROP      /* the one that runs is to go */
};
extern const struct wa_chan_rule wa_prompter_rules[];
/* The process's whole life: until the other end of fd closes. pinentry: its path. */
void wa_prompter_run(int fd, const char *pinentry, const char *const *envp);

#endif
