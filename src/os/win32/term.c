/* term.c - see os/term.h. Questions go to the console itself: a pipe can neither answer nor swallow
 * them. */
#include "os/win32/win.h"

#include "base/mem.h"
#include "os/term.h"

static bool is_console(DWORD which)
{
    DWORD mode;
    return GetConsoleMode(GetStdHandle(which), &mode);
}

bool wa_term_is_out(void)
{
    return is_console(STD_OUTPUT_HANDLE);
}

bool wa_term_is_err(void)
{
    return is_console(STD_ERROR_HANDLE);
}

size_t wa_term_width(void)
{
    CONSOLE_SCREEN_BUFFER_INFO i;
    if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &i) ||
        i.srWindow.Right < i.srWindow.Left)
        return 0;
    return (size_t)(i.srWindow.Right - i.srWindow.Left) + 1;
}

static HANDLE open_console(const wchar_t *name)
{
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       OPEN_EXISTING, 0, NULL);
}

static void show(HANDLE to, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    wchar_t wide[1024];
    DWORD put;
    if (wa_win_wide(text, wide, WA_COUNT(wide), &err) == WA_OK)
        (void)WriteConsoleW(to, wide, (DWORD)wcslen(wide), &put, NULL);
}

/* Up to the end of the line, key by key; false when the person gave up. *ret_n beyond the room: too
 * long. Without the console's own editing a backspace is ours. */
static bool read_line(HANDLE in, wchar_t out[WA_TERM_LINE_MAX], size_t *ret_n)
{
    size_t n = 0;
    for (;;) {
        wchar_t c = 0;
        DWORD got = 0;
        if (!ReadConsoleW(in, &c, 1, &got, NULL) || got == 0 || c == 3 || c == 26)
            return false;
        if (c == L'\n' || c == L'\r')
            break;
        if (c == L'\b') {
            n -= n > 0 ? 1 : 0;
            continue;
        }
        if (n < WA_TERM_LINE_MAX)
            out[n] = c;
        n += n <= WA_TERM_LINE_MAX ? 1 : 0;
    }
    *ret_n = n;
    return true;
}

static bool ask(HANDLE in, HANDLE to, const char *prompt, bool echo, wchar_t *line, size_t *ret_n)
{
    DWORD before = 0;
    show(to, prompt);
    if (!GetConsoleMode(in, &before))
        return false;
    /* Mute, nothing is edited or acted upon: ^C comes as a key, and the mode is put back. */
    (void)SetConsoleMode(in, echo ? before | ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT : 0);
    (void)FlushConsoleInputBuffer(in);
    bool ok = read_line(in, line, ret_n);
    (void)SetConsoleMode(in, before);
    if (!echo)
        show(to, "\r\n");
    return ok;
}

enum wa_code wa_term_ask(const char *prompt, bool echo, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_HANDLE HANDLE in = open_console(L"CONIN$");
    WA_AUTO_HANDLE HANDLE to = open_console(L"CONOUT$");
    wchar_t line[WA_TERM_LINE_MAX];
    size_t n = 0;
    if (in == INVALID_HANDLE_VALUE || to == INVALID_HANDLE_VALUE)
        return wa_fail(err, WA_E_AUTH, "there is no console to ask on");
    bool ok = ask(in, to, prompt, echo, line, &n);
    enum wa_code code = WA_OK;
    if (!ok)
        code = wa_fail(err, WA_E_AUTH, "no answer was given");
    else if (n > WA_TERM_LINE_MAX)
        code = wa_fail(err, WA_E_LIMIT, "the answer is longer than %u bytes", WA_TERM_LINE_MAX);
    else if (n > 0) {
        char text[3 * WA_TERM_LINE_MAX];
        int got = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, line, (int)n, text,
                                      (int)sizeof text, NULL, NULL);
        if (got > 0)
            wa_buf_add(out, text, (size_t)got);
        wa_wipe(text, sizeof text);
        code = got > 0 ? wa_buf_check(out, err)
                       : wa_fail(err, WA_E_INVALID, "the answer is not valid Unicode");
    }
    wa_wipe(line, sizeof line);
    return code;
}
