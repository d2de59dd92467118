/* kit_script.h - an enrolment kit with the agent's Debian package in it: one file, one command on
 * each machine, as root: sh FILE.
 *
 * A shell script that takes itself apart. It installs that very package, by its digest, and nothing
 * when it is another one; then it enrols. No word of anybody's comes into its text but in base64.
 */
#ifndef WA_PROTO_KIT_SCRIPT_H
#define WA_PROTO_KIT_SCRIPT_H

#include "base/buf.h"

/* Whether these first bytes of a file can be a Debian package's. */
#define WA_DEB_MAGIC_BYTES 21u
bool wa_kit_is_deb(struct wa_sv head);
/* All before the package: kit is the text of one, sha256 the package's, 64 hexadecimal digits. out
 * should be a secret buffer. */
void wa_kit_script_begin(struct wa_sv kit, const char *sha256, struct wa_buf *out);
/* The package follows in base64, then this. */
extern const char wa_kit_script_end[];

#endif
