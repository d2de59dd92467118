/* ini_priv.h - the lines of an INI file, between its reader and its editor. */
#ifndef WA_CODEC_INI_PRIV_H
#define WA_CODEC_INI_PRIV_H

#include "base/vec.h"
#include "codec/ini.h"

#define WA_INI_DEFAULT "DEFAULT"

enum wa_ini_kind { WA_INI_OTHER, WA_INI_SECTION, WA_INI_KEY, WA_INI_MORE };

struct wa_ini_line {
    enum wa_ini_kind kind;
    bool
        is_hidden; /* a heading that is there before, a key whose last occurrence is another line */
    char *text;    /* without its newline; may end in CR */
    char *name;    /* of a section, or of a key in lower case; else NULL */
    char *value;   /* of a key, lines that continue it joined by newlines; else NULL */
};

struct wa_ini {
    struct {
        WA_VEC(struct wa_ini_line);
    } lines;
    bool ends_with_newline;
};

struct wa_sv wa_ini_trim(struct wa_sv s); /* white space of the C locale */
/* The value in what follows a separator: trimmed, without " ; remark". RawConfigParser looks at the
 * first ';' only. */
struct wa_sv wa_ini_cut_remark(struct wa_sv s);

#endif
