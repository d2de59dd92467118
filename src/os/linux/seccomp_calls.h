/* seccomp_calls.h - the system calls of each group, for seccomp.c. Each table ends with WA_NO_CALL.
 */
#ifndef WA_OS_LINUX_SECCOMP_CALLS_H
#define WA_OS_LINUX_SECCOMP_CALLS_H

#include <stdint.h>

#define WA_NO_CALL INT32_MIN

extern const int wa_calls_io[];     /* always */
extern const int wa_calls_read[];   /* look at files; opening them is for seccomp.c */
extern const int wa_calls_write[];  /* change files */
extern const int wa_calls_socket[]; /* whatever a socket is used for, once there is one */
extern const int
    wa_calls_datagram[]; /* what sending datagrams takes, and the kernel's list of addresses */
extern const int wa_calls_fds[];    /* what a channel between processes of ours needs */
extern const int wa_calls_spawn[];  /* start programs, but for clone */
extern const int wa_calls_ids[];    /* change identity */
extern const int wa_calls_deadly[]; /* nobody of ours calls these: whoever does is not us */

#endif
