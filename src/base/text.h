/* text.h - the language of what persons read.
 *
 * Texts are English literals in the code. Those who print or keep a text for persons - wa_fail(),
 * the printers of the command line - look its translation up, so that their callers need not know;
 * a literal that goes elsewhere is passed through wa_text(). po/ has the translations, which are
 * part of the program: no file and no variable of a caller's can bring one in.
 *
 * Names of codes and of log events, keys of JSON and texts of the wire are no texts for persons.
 */
#ifndef WA_BASE_TEXT_H
#define WA_BASE_TEXT_H

#include "base/attr.h"
#include "base/sv.h"

/* Marks a literal of a table, which wa_text() gets later. */
#define WA_TEXT(literal) literal

/* The translation of an English text, also a format; the text itself where there is none. */
const char *wa_text(const char *english) WA_FORMAT_ARG(1);
/* The same of one of two, by a number. */
const char *wa_text_n(const char *one, const char *many, size_t n) WA_FORMAT_ARG(1)
    WA_FORMAT_ARG(2);

/* The language of this process, and thread, from now on: "fr", or a locale, "fr_CA.UTF-8". NULL, ""
 * or one that is not known: English. Called by main() before there are threads. */
void wa_text_language(const char *name);
/* As the environment says: LC_ALL, LC_MESSAGES, LANG, and LANGUAGE where these name any locale but
 * C or POSIX. The locale need not be installed. */
void wa_text_from_environment(void);
/* Of this thread now: "fr"; "en" where nothing is translated. */
const char *wa_text_language_name(void);

struct wa_language;
/* One of those there are, by its name or a locale's or a tag's ("fr-CA"). NULL: it is not known. */
const struct wa_language *wa_text_find(struct wa_sv name);
/* What this thread says from now on; NULL: in the process's language again. Returns what it was
 * told before, for who puts it back. Work given to the pool and threads that are started go on in
 * the language of who did that. */
const struct wa_language *wa_text_speak(const struct wa_language *language);
/* What this thread was told; NULL: nothing. */
const struct wa_language *wa_text_spoken(void);
/* What it speaks. */
const struct wa_language *wa_text_current(void);
const char *wa_text_name_of(const struct wa_language *language);
/* A language as our processes tell it to each other (os/chan.h), which are of one build: 0 is NULL.
 * False: there is none of that number. */
uint16_t wa_text_number(const struct wa_language *language);
bool wa_text_numbered(uint16_t number, const struct wa_language **ret);

#endif
