/* proc.c - what a process knows of itself. Children, pipes to them and trees of them come with the
 * agent: nothing that is built for Windows starts any, and the linker would say so.
 */
#include "os/win32/win.h"

#include "os/path.h"
#include "os/proc.h"

int wa_proc_own_pid(void)
{
    return (int)GetCurrentProcessId();
}

void wa_proc_keep_private(void)
{
    /* Crashes are reported without memory, unless an administrator has set that up. */
}

void wa_proc_ignore_broken_pipes(void)
{
    /* An error of the write is all there is here. */
}

enum wa_code wa_proc_self_path(char *out, struct wa_err *err)
{
    wchar_t wide[WA_PATH_MAX];
    DWORD n = GetModuleFileNameW(NULL, wide, WA_COUNT(wide));
    if (n == 0 || n >= WA_COUNT(wide))
        return wa_win_fail(err, GetLastError(), "cannot tell where this program is");
    return wa_win_narrow(wide, out, WA_PATH_MAX, err);
}
