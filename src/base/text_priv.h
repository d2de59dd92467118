/* text_priv.h - the languages there are: generated from po/ by tools/languages.py. */
#ifndef WA_BASE_TEXT_PRIV_H
#define WA_BASE_TEXT_PRIV_H

#include <stddef.h>
#include <stdint.h>

struct wa_language {
    const char *name;        /* "fr" */
    const unsigned char *at; /* for each text, in the order of strcmp(): where its English and its
                                translation begin in texts, 32 bits each, lowest byte first */
    size_t count;
    const char *texts;            /* each with its NUL; the forms of a plural follow one another */
    unsigned (*plural)(size_t n); /* which form */
};

extern const struct wa_language wa_languages[];
extern const size_t wa_language_count;

#endif
