/* hostile.h - what a process that was taken over tries from inside. Between the files of this
 * folder only. */
#ifndef WA_HOSTILE_H
#define WA_HOSTILE_H

/* Tries `what` ("read", "write", "ptrace"...) on `target`, a path, an address or a number, and says
 * on descriptor 2 what came of it: "DONE" only when the attempt had the effect it was made for. */
void hostile_try(const char *role, const char *what, const char *target);

#endif
