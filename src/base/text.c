/* text.c - translations, from tables that are part of the program (text_priv.h).
 *
 * There is no gettext() here: the C library's looks for files where its caller's environment says,
 * needs an installed locale, and does not exist everywhere. Its tools check and merge what po/
 * holds.
 *
 * The language is one variable of the process, against our rule: an error has no context to carry
 * it in, and a process speaks one language from its beginning on.
 */
#include "base/text.h"

#include "base/sv.h"
#include "base/text_priv.h"

#include <stdlib.h>

static const struct wa_language *chosen; /* NULL: English */

static uint32_t number(const struct wa_language *l, size_t row, size_t column)
{
    const unsigned char *p = l->at + row * 8 + column * 4;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* NULL: not translated. */
static const char *find(const struct wa_language *l, const char *english)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(english, l->texts + number(l, middle, 0));
        if (order == 0)
            return l->texts + number(l, middle, 1);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *wa_text(const char *english)
{
    const char *found = chosen == NULL ? NULL : find(chosen, english);
    return found == NULL ? english : found;
}

const char *wa_text_n(const char *one, const char *many, size_t n)
{
    const char *found = chosen == NULL ? NULL : find(chosen, one);
    if (found == NULL)
        return n == 1 ? one : many;
    for (unsigned form = chosen->plural(n); form > 0; form--)
        found += strlen(found) + 1;
    return found;
}

/* "fr_CA.UTF-8" is "fr". */
static const struct wa_language *of_name(struct wa_sv name)
{
    size_t n = 0;
    while (n < name.n && strchr("_.@-", name.p[n]) == NULL)
        n++;
    for (size_t i = 0; i < wa_language_count; i++)
        if (wa_sv_eqs(wa_sv_n(name.p, n), wa_languages[i].name))
            return &wa_languages[i];
    return NULL;
}

void wa_text_language(const char *name)
{
    chosen = of_name(wa_sv(name));
}

static const char *locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return "C";
}

void wa_text_from_environment(void)
{
    const char *own = locale(), *wishes = getenv("LANGUAGE");
    struct wa_sv rest = wa_sv(wishes), wish;
    chosen = NULL;
    if (strcmp(own, "C") == 0 || strcmp(own, "POSIX") == 0)
        return;
    chosen = of_name(wa_sv(own));
    while (wa_sv_split(&rest, ':', &wish)) {
        const struct wa_language *l = of_name(wish);
        if (l == NULL && !wa_sv_starts(wish, "en"))
            continue;
        chosen = l;
        return;
    }
}

const char *wa_text_language_name(void)
{
    return chosen == NULL ? "en" : chosen->name;
}
