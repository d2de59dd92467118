/* exec.c - the end of one program as the beginning of another, for commands that hand over: an
 * editor, a sibling of ours. No shell comes between.
 */
#include "os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum wa_code wa_proc_become(const char *program, const char *const *argv, struct wa_err *err)
{
    char *args[WA_PROC_ARGS_MAX + 1];
    size_t n = 0;
    for (; argv[n] != NULL; n++) {
        if (n == WA_PROC_ARGS_MAX)
            return wa_fail(err, WA_E_LIMIT, "more than %u arguments for '%s'", WA_PROC_ARGS_MAX,
                           program);
        memcpy(&args[n], &argv[n], sizeof args[n]); /* execvp() takes what it does not change */
    }
    args[n] = NULL;
    (void)execvp(program, args);
    return wa_fail_errno(err, errno, "cannot start '%s'", program);
}

void wa_proc_own_session(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        (void)setsid(); /* one that has a session already keeps it */
    else
        (void)close(fd);
}

uint32_t wa_proc_own_uid(void)
{
    return (uint32_t)geteuid();
}
