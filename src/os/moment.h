/* moment.h - what the machine is at just now: its power, and the programs that run. */
#ifndef WA_OS_MOMENT_H
#define WA_OS_MOMENT_H

#include "base/sv.h"

#define WA_PROGRAM_MAX 64 /* bytes with NUL: the name of a program, as far as it is told */

/* It has a battery, and a plug from which nothing comes. False where that can't be known. */
bool wa_moment_on_battery(void);
/* The first of these programs that a process runs, by the name of its file, upper and lower case
 * alike, with or without ".exe". programs: csv. False: none, or that can't be known. */
bool wa_moment_runs(struct wa_sv programs, char ret_program[WA_PROGRAM_MAX]);

#endif
