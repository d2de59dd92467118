/* banned.h - functions that this code never calls, enforced by the compiler.
 *
 * Unbounded copies, locale-dependent conversions, shells and predictable
 * temporary files. Included through base/attr.h after the libc headers have
 * declared them, so that a use is an error and a declaration is not.
 */
#ifndef WA_BASE_BANNED_H
#define WA_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__GNUC__)
/* The fortified headers of glibc make macros of these for clang. */
#undef sprintf
#undef vsprintf
#pragma GCC poison gets strcpy strcat sprintf vsprintf strtok atoi atol atoll atof
#undef alloca
#undef popen
#pragma GCC poison tmpnam tempnam system popen alloca gmtime localtime asctime ctime
#if !__has_include(<io.h>) /* Windows declares it there, in the way of whoever includes that */
#pragma GCC poison mktemp
#endif
#endif

#endif
