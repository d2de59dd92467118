/* libdir.h - where our own scripts of Python lie: the runner, setuphelpers, wapt_probe.py,
 * wapt_lint.py.
 */
#ifndef WA_CMD_LIBDIR_H
#define WA_CMD_LIBDIR_H

/* Of root WAPT_LIBDIR of the environment counts, for tests. */
const char *wa_libdir(void);

#endif
