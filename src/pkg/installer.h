/* installer.h - what is known of an installer from which a package is to be made.
 *
 * The file is a stranger's. It is never parsed here: tools read it in processes of their own, and
 * what they print, as hostile as the file, comes through wa_installer_read(). A fact is one line of
 * valid UTF-8 without control characters and invisible marks, and short; what it may mean to a
 * control or a script is for the writer of these to escape.
 */
#ifndef WA_PKG_INSTALLER_H
#define WA_PKG_INSTALLER_H

#include "base/buf.h"
#include "base/stream.h"

enum wa_installer_kind {
    WA_INSTALLER_NONE, /* a package without one: settings */
    WA_INSTALLER_DIR,  /* a program that needs none */
    WA_INSTALLER_MSI,
    WA_INSTALLER_EXE,
    WA_INSTALLER_MSU,
    WA_INSTALLER_DEB,
    WA_INSTALLER_RPM,
    WA_INSTALLER_MSIX, /* appx and bundles, too */
    WA_INSTALLER_PKG,  /* of macOS */
    WA_INSTALLER_DMG,
    WA_INSTALLER_KINDS
};
enum wa_installer_maker { /* what made a .exe; decides how it is silent */
                          WA_MAKER_UNKNOWN,
                          WA_MAKER_INNO,
                          WA_MAKER_NSIS,
                          WA_MAKER_BURN,
                          WA_MAKER_INSTALLSHIELD,
                          WA_MAKER_IEXPRESS,
                          WA_MAKER_MOZILLA,
                          WA_MAKER_ADVANCED,
                          WA_MAKERS
};
enum wa_fact {
    WA_FACT_NAME,
    WA_FACT_VERSION,
    WA_FACT_VENDOR,
    WA_FACT_DESCRIPTION,
    WA_FACT_ARCH, /* as the file calls it */
    WA_FACT_LICENCE,
    WA_FACT_HOMEPAGE,
    WA_FACT_KEY,      /* under which the system lists the software */
    WA_FACT_EVIDENCE, /* where the maker was recognised */
    WA_FACT_SILENT, /* a person's options for a .exe, with which it asks nothing; "": the maker's */
    WA_FACT_COUNT
};

struct wa_installer {
    enum wa_installer_kind kind;
    enum wa_installer_maker maker;
    char file[WA_NAME_MAX + 1];                      /* base name of the file or folder; "": none */
    char fact[WA_FACT_COUNT][WA_FACT_BYTES_MAX + 1]; /* "": not known */
    bool is_windows;                                 /* of a folder: it holds programs of Windows */
};

/* "msi", "exe"... */
const char *wa_installer_kind_name(enum wa_installer_kind k);
/* "Inno Setup"...; "" for an unknown one. */
const char *wa_installer_maker_name(enum wa_installer_maker m);
bool wa_installer_kind_find(struct wa_sv name, enum wa_installer_kind *ret);
/* By the first bytes of a file, or its last. WA_E_INVALID, naming what is understood. */
WA_CHECK enum wa_code wa_installer_kind_of(struct wa_source *file, enum wa_installer_kind *ret,
                                           struct wa_err *err);
/* Whether a file of that name is meant as one of them, by how it ends. */
bool wa_installer_is_named(const char *file);
/* Makes a fact of any bytes: what can't be shown is left out, blanks become one, the rest is cut.
 */
void wa_installer_set(struct wa_installer *inst, enum wa_fact f, struct wa_sv bytes);
/* The output of the tool that reads this kind: lines "key<tab>value" or "key: value". Of a key that
 * comes twice the first counts. Never fails: what is not understood is left out. */
void wa_installer_read(struct wa_installer *inst, struct wa_sv text);
/* Such a line, for a reader of ours: a line end in the value is a blank. */
void wa_installer_say(struct wa_buf *out, const char *key, struct wa_sv value);
/* Name and version from the file's name, as far as the file itself did not tell them. */
void wa_installer_guess(struct wa_installer *inst);

#endif
