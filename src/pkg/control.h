/* control.h - WAPT/control: its attributes, reading, writing, signed form, file name, ordering
 * (formats.md 1.2-1.5, 2.1 C). */
#ifndef WA_PKG_CONTROL_H
#define WA_PKG_CONTROL_H

#include "base/buf.h"

/* In the order of formats.md 1.3, then the attributes that only an index has. */
enum wa_attr {
    WA_A_PACKAGE,
    WA_A_VERSION,
    WA_A_ARCHITECTURE,
    WA_A_SECTION,
    WA_A_PRIORITY,
    WA_A_NAME,
    WA_A_CATEGORIES,
    WA_A_MAINTAINER,
    WA_A_DESCRIPTION,
    WA_A_DEPENDS,
    WA_A_CONFLICTS,
    WA_A_MATURITY,
    WA_A_LOCALE,
    WA_A_TARGET_OS,
    WA_A_MIN_OS_VERSION,
    WA_A_MAX_OS_VERSION,
    WA_A_MIN_WAPT_VERSION,
    WA_A_SOURCES,
    WA_A_INSTALLED_SIZE,
    WA_A_IMPACTED_PROCESS,
    WA_A_DESCRIPTION_FR,
    WA_A_DESCRIPTION_PL,
    WA_A_DESCRIPTION_DE,
    WA_A_DESCRIPTION_ES,
    WA_A_DESCRIPTION_PT,
    WA_A_DESCRIPTION_IT,
    WA_A_DESCRIPTION_NL,
    WA_A_DESCRIPTION_RU,
    WA_A_AUDIT_SCHEDULE,
    WA_A_EDITOR,
    WA_A_KEYWORDS,
    WA_A_LICENCE,
    WA_A_HOMEPAGE,
    WA_A_PACKAGE_UUID,
    WA_A_VALID_FROM,
    WA_A_VALID_UNTIL,
    WA_A_FORCED_INSTALL_ON,
    WA_A_CHANGELOG,
    WA_A_MAINTENANCE_WINDOWS, /* ours: of packages that only assign */
    WA_A_PACKAGES_HELD,
    WA_A_FREEZE_PERIODS,
    WA_A_SIGNER,
    WA_A_SIGNER_FINGERPRINT,
    WA_A_SIGNATURE,
    WA_A_SIGNATURE_DATE,
    WA_A_SIGNED_ATTRIBUTES,
    WA_A_FILENAME,
    WA_A_SIZE,
    WA_A_MD5SUM,
    WA_ATTR_COUNT
};
/* The name, "" for none of them. */
struct wa_sv wa_attr_sv(enum wa_attr a);
const char *wa_attr_name(enum wa_attr a);
/* Unknown to WAPT, whose agents refuse a package in whose list of signed attributes they find it:
 * written and signed only where it is set. */
bool wa_attr_is_ours(enum wa_attr a);
bool wa_attr_find(struct wa_sv name, enum wa_attr *ret);

/* One package's attributes. Strings are owned, each by itself or all together in block, since an
 * index has thousands of controls; NULL: never set (reads as the default). Change v only through
 * these functions. */
struct wa_control {
    char *v[WA_ATTR_COUNT];
    char *block;
    size_t block_size; /* bytes */
};
void wa_control_init(struct wa_control *c);
void wa_control_fini(struct wa_control *c);
#define WA_AUTO_CONTROL WA_CLEANUP(wa_control_fini)
/* The value or its default ("0" version, "all" architecture, "base" section, "optional" priority,
 * else ""). Never NULL. */
const char *wa_control_get(const struct wa_control *c, enum wa_attr a);
WA_CHECK enum wa_code wa_control_set(struct wa_control *c, enum wa_attr a, struct wa_sv value,
                                     struct wa_err *err);
/* Back to never set. */
void wa_control_unset(struct wa_control *c, enum wa_attr a);
WA_CHECK enum wa_code wa_control_copy(const struct wa_control *from, struct wa_control *to,
                                      struct wa_err *err);

/* Which attributes are set, a bit each, when all stand in block in their order and nothing else
 * does
 * - as after reading or copying; else 0. Block and set together are the control. */
uint64_t wa_control_block_set(const struct wa_control *c);
/* The control that they are; block is copied. WA_E_INVALID when they don't belong together. */
WA_CHECK enum wa_code wa_control_from_block(uint64_t set, struct wa_sv block,
                                            struct wa_control *ret, struct wa_err *err);

/* WAPT's grammar (1.2), stricter where WAPT crashes or two readers would differ: a byte order mark,
 * bad UTF-8, a NUL, a line without
 * ':' and a duplicate key are errors. Unknown keys are skipped. Reads up to the first blank line;
 * the rest must be blank. */
WA_CHECK enum wa_code wa_control_parse(struct wa_sv text, struct wa_control *ret,
                                       struct wa_err *err);
/* As ascontrol writes it; with_index adds filename, size, md5sum when set. No newline at the end.
 * WA_E_INVALID for a value that would not survive reading back (blank line inside, outer blanks).
 */
WA_CHECK enum wa_code wa_control_write(const struct wa_control *c, bool with_index,
                                       struct wa_buf *out, struct wa_err *err);

/* The bytes that a control signature covers: CJSON of the attributes that signed_attributes lists
 * (1.5), legacy: order before 1.8. */
WA_CHECK enum wa_code wa_control_signed_bytes(const struct wa_control *c, bool legacy,
                                              struct wa_buf *out, struct wa_err *err);
/* Which attributes signed_attributes lists. False when it lists one twice, or a name that is none
 * of ours; the others are in *ret then all the same. */
bool wa_control_signed_set(const struct wa_control *c, bool ret[WA_ATTR_COUNT]);
/* The same bytes by the general way, for tests. */
WA_CHECK enum wa_code wa_control_signed_bytes_slowly(const struct wa_control *c, struct wa_buf *out,
                                                     struct wa_err *err);
/* The default list, as signed_attributes is written. */
const char *wa_control_default_signed(void);

/* formats.md 1.4. md5: NULL: without. out has room for 2 * WA_NAME_MAX + 1. */
WA_CHECK enum wa_code wa_control_filename(const struct wa_control *c, const char *md5, char *out,
                                          struct wa_err *err);
/* The name that WAPT gives to the directory in which a package's source is edited. As foreign as
 * the package's name is: it may hold a '/'. */
void wa_control_edit_name(const struct wa_control *c, struct wa_buf *out);
/* make_valid_package_name; out has room for 4 * WA_NAME_MAX + 1 and is cut there. */
void wa_package_name_from(struct wa_sv text, struct wa_buf *out);
/* sanitize_filename (0.3). */
void wa_sanitize_filename(struct wa_sv text, struct wa_buf *out);

/* C: order of two entries of one package name. */
int wa_entry_cmp(const struct wa_control *a, const struct wa_control *b);
/* C against a text that somebody typed: parts that it lacks match any ("1.2" is equal to 1.2.3-4),
 * unless it has a packaging part; then they are 0. */
int wa_entry_cmp_version(const struct wa_control *c, struct wa_sv version);
/* package, version, architecture, locale, maturity all equal. */
bool wa_entry_same(const struct wa_control *a, const struct wa_control *b);

/* 8-4-4-4-12 hexadecimal digits, as WAPT makes a package_uuid: no other one names an icon's file.
 */
bool wa_package_uuid_is(struct wa_sv s);

#endif
