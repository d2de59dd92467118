/* text.c - translations, from tables that are part of the program (text_priv.h).
 *
 * There is no gettext() here: the C library's looks for files where its caller's environment says,
 * needs an installed locale, and does not exist everywhere. Its tools check and merge what po/
 * holds.
 *
 * The language is one variable of the process, against our rule, since an error has no context to
 * carry it in: the process speaks it from its beginning on. A thread may speak another, which is a
 * variable of that thread: work and threads that it starts go on in it (os/loop.h, os/thread.h).
 */
#include "base/text.h"

#include "base/sv.h"
#include "base/text_priv.h"

#include <stdlib.h>

static const struct wa_language english = {.name = "en"};
static const struct wa_language *chosen = &english;
static _Thread_local const struct wa_language *spoken; /* NULL: what was chosen */

const struct wa_language *wa_text_current(void)
{
    return spoken != NULL ? spoken : chosen;
}

static uint32_t number(const struct wa_language *l, size_t row, size_t column)
{
    const unsigned char *p = l->at + row * 8 + column * 4;
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* NULL: not translated. */
static const char *find(const struct wa_language *l, const char *text)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(text, l->texts + number(l, middle, 0));
        if (order == 0)
            return l->texts + number(l, middle, 1);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const char *wa_text(const char *text)
{
    const char *found = find(wa_text_current(), text);
    return found == NULL ? text : found;
}

const char *wa_text_n(const char *one, const char *many, size_t n)
{
    const struct wa_language *l = wa_text_current();
    const char *found = find(l, one);
    if (found == NULL)
        return n == 1 ? one : many;
    for (unsigned form = l->plural(n); form > 0; form--)
        found += strlen(found) + 1;
    return found;
}

const struct wa_language *wa_text_find(struct wa_sv name)
{
    size_t n = 0;
    while (n < name.n && strchr("_.@-", name.p[n]) == NULL)
        n++;
    name = wa_sv_sub(name, 0, n);
    for (size_t i = 0; i < wa_language_count; i++)
        if (wa_sv_ieqs(name, wa_languages[i].name))
            return &wa_languages[i];
    return wa_sv_ieqs(name, english.name) ? &english : NULL;
}

/* Never NULL. */
static const struct wa_language *or_english(const struct wa_language *l)
{
    return l != NULL ? l : &english;
}

/* Compilers for Windows allocate what a thread has of its own at its first use: now, not for the
 * error that memory has run out. */
static void choose(const struct wa_language *l)
{
    chosen = or_english(l);
    spoken = NULL;
}

void wa_text_language(const char *name)
{
    choose(wa_text_find(wa_sv(name)));
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
    choose(NULL);
    if (strcmp(own, "C") == 0 || strcmp(own, "POSIX") == 0)
        return;
    choose(wa_text_find(wa_sv(own)));
    while (wa_sv_split(&rest, ':', &wish)) {
        const struct wa_language *l = wa_text_find(wish);
        if (l == NULL)
            continue;
        choose(l);
        return;
    }
}

const char *wa_text_language_name(void)
{
    return wa_text_current()->name;
}

const struct wa_language *wa_text_speak(const struct wa_language *language)
{
    const struct wa_language *was = spoken;
    spoken = language;
    return was;
}

const struct wa_language *wa_text_spoken(void)
{
    return spoken;
}

const char *wa_text_name_of(const struct wa_language *language)
{
    return language->name;
}

uint16_t wa_text_number(const struct wa_language *language)
{
    return language == NULL       ? 0
           : language == &english ? 1
                                  : (uint16_t)(2 + (language - wa_languages));
}

bool wa_text_numbered(uint16_t number, const struct wa_language **ret)
{
    if (number >= 2 + wa_language_count)
        return false;
    *ret = number == 0 ? NULL : number == 1 ? &english : &wa_languages[number - 2];
    return true;
}
