/* error.h - errors of the system that a library hands on as numbers. */
#ifndef WA_OS_ERROR_H
#define WA_OS_ERROR_H

#include "base/err.h"

/* The code for errno, on Windows for what GetLastError() says. 0, where the library does not know,
 * is WA_E_IO. */
enum wa_code wa_system_code(int error);

#endif
