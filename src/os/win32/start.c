/* start.c - where a program begins on Windows: wmain() turns the command line into UTF-8 and calls
 * the main() that every system has.
 *
 * First it makes sure that no library is loaded from the folder of a download or from the current
 * one, and that standard streams carry bytes as they are, UTF-8 on a console.
 */
#include <windows.h>

#include <fcntl.h>
#include <io.h>

#include "base/mem.h"

int main(int argc, char **argv);
int wmain(int argc, wchar_t **argv);

static void careful(void)
{
    (void)HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
    (void)SetDllDirectoryW(L"");
    (void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX);
    for (int fd = 0; fd < 3; fd++)
        (void)_setmode(fd, _O_BINARY);
    /* Whole texts go to the console, so that no letter of several bytes is cut in two. */
    (void)setvbuf(stdout, NULL, _IOFBF, 8192);
}

static char *narrow(const wchar_t *text)
{
    int n = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, NULL, 0, NULL, NULL);
    char *p = n <= 0 ? NULL : wa_calloc((size_t)n, 1);
    if (p != NULL)
        (void)WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, p, n, NULL, NULL);
    return p;
}

int wmain(int argc, wchar_t **argv)
{
    UINT code_page = GetConsoleOutputCP();
    char **args = wa_calloc((size_t)argc + 1, sizeof *args);
    int ok = args != NULL;
    careful();
    for (int i = 0; ok && i < argc; i++) {
        args[i] = narrow(argv[i]);
        ok = args[i] != NULL;
    }
    if (!ok) {
        (void)fputs("an argument is not valid Unicode, or memory ran out\n", stderr);
        return 2;
    }
    (void)SetConsoleOutputCP(CP_UTF8);
    int status = main(argc, args);
    (void)fflush(stdout);
    (void)SetConsoleOutputCP(code_page);
    for (int i = 0; i < argc; i++)
        wa_free(args[i]);
    wa_free(args);
    return status;
}
