/* pg_text.c - SQL text and values between our conventions and PostgreSQL's.
 *
 * Knows just enough of PostgreSQL's grammar to tell a placeholder from a question mark in a string:
 * single and double quotes, -- and nested block comments. Statements are our own literals; dollar
 * quotes and E'' strings are refused, for no literal needs them and a mistake there would be an
 * injection.
 */
#include "sql/pg_text.h"

#define PARAMETERS_MAX 1000

struct scan {
    const char *p;
    struct wa_buf *out;
    bool is_numbered; /* its placeholders */
};

static void copy(struct scan *s, size_t n)
{
    wa_buf_add(s->out, s->p, n);
    s->p += n;
}

/* A quoted run; the quote doubled stands for itself, which reads as two runs. */
static bool copy_quoted(struct scan *s)
{
    const char *end = strchr(s->p + 1, *s->p);

    if (end == NULL)
        return false;
    copy(s, (size_t)(end + 1 - s->p));
    return true;
}

static bool copy_comment(struct scan *s)
{
    int depth = 0;

    do {
        if (*s->p == '\0')
            return false;
        bool is_mark = (s->p[0] == '/' && s->p[1] == '*') || (s->p[0] == '*' && s->p[1] == '/');
        if (is_mark)
            depth += s->p[0] == '/' ? 1 : -1;
        copy(s, is_mark ? 2 : 1);
    } while (depth > 0);
    return true;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* '?' is the next one, '?2' the second: a statement has the one or the other. */
static bool copy_placeholder(struct scan *s, int *count)
{
    const char *digits = s->p + 1;
    int n = 0;
    for (s->p++; *s->p >= '0' && *s->p <= '9' && n <= PARAMETERS_MAX; s->p++)
        n = n * 10 + (*s->p - '0');
    bool is_numbered = s->p > digits;
    if ((is_numbered && n == 0) || (*count > 0 && is_numbered != s->is_numbered))
        return false;
    s->is_numbered = is_numbered;
    if (!is_numbered)
        n = *count + 1;
    wa_buf_addf(s->out, "$%d", n);
    *count = n > *count ? n : *count;
    return *count <= PARAMETERS_MAX && !is_word(*s->p);
}

/* One element of the text; false for one that is not understood. */
static bool copy_element(struct scan *s, char before, int *count)
{
    if (*s->p == '\'' && (before == 'E' || before == 'e' || before == '&'))
        return false; /* a string with escapes of its own */
    if (*s->p == '$')
        return false;
    if (*s->p == '\'' || *s->p == '"')
        return copy_quoted(s);
    if (s->p[0] == '/' && s->p[1] == '*')
        return copy_comment(s);
    if (s->p[0] == '-' && s->p[1] == '-') {
        copy(s, strcspn(s->p, "\n"));
        return true;
    }
    if (*s->p == '?')
        return copy_placeholder(s, count);
    copy(s, 1);
    return true;
}

enum wa_code wa_pg_placeholders(const char *sql, struct wa_buf *out, int *ret_count,
                                struct wa_err *err)
{
    struct scan s = {.p = sql, .out = out};
    int count = 0;
    char before = ' ';

    while (*s.p != '\0') {
        if (!copy_element(&s, before, &count))
            return wa_fail(err, WA_E_INTERNAL, "database: a statement that can't be read: %.60s",
                           sql);
        before = s.p[-1];
    }
    if (wa_buf_check(out, err) != WA_OK)
        return err->code;
    *ret_count = count;
    return WA_OK;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int wa_pg_bytea(char *text, int n)
{
    if (n < 2 || n % 2 != 0 || text[0] != '\\' || text[1] != 'x')
        return -1;
    for (int i = 2; i < n; i += 2) {
        int high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0)
            return -1;
        text[i / 2 - 1] = (char)(high * 16 + low);
    }
    return n / 2 - 1;
}
