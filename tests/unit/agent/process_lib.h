/* process_lib.h - what the tests with real processes share: the room they play in, and reading what
 * /proc says. */
#ifndef WA_TEST_PROCESS_LIB_H
#define WA_TEST_PROCESS_LIB_H

#include "agent/helper_priv.h"

/* In a manager process, where cmocka is not: says what failed and ends. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            exit(99);                                                                              \
        }                                                                                          \
    } while (0)
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        if ((call) != WA_OK) {                                                                     \
            (void)fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, err.text);         \
            exit(99);                                                                              \
        }                                                                                          \
    } while (0)

/* Accounts of the room's own passwd: password "secret" each, but for the locked one. */
#define ROOM_ADMIN "waptadm"  /* uid 4243, in waptselfservice */
#define ROOM_USER "waptusr"   /* uid 4242, in no group */
#define ROOM_LOCKED "waptlck" /* uid 4245 */
#define ROOM_USER_UID 4242
#define ROOM_EMPTY "waptnop"   /* uid 4247, no password at all */
#define ROOM_ACCOUNT "waptsvc" /* uid 4246: of the unprivileged processes */
#define ROOM_ACCOUNT_UID 4246

/* A private mount namespace with its own accounts and PAM services, and a temporary directory
 * (0755, root's). Needs root. */
void room_open(void);
void room_close(void);
const char *room_dir(void); /* the base directory is <dir>/base, the library <dir>/lib */
void room_paths(struct wa_agent_paths *paths);

void room_write(const char *path, const char *text, unsigned mode);
/* <base>/private/stage/<id>, 0755. */
void room_stage(const char *base, const char *id);

/* --- the play: this program is test, launcher, each child and the manager --- */
#define ROOM_STAGE "0123456789abcdef0123456789abcdef"
#ifndef ROOM_LIFE_S
#define ROOM_LIFE_S 120 /* of a scenario's processes */
#endif
#define ROOM_PATIENCE_MS 30000 /* ms: only to end a test that would hang */

struct room_scenario {
    const char *name; /* NULL: end of the list */
    void (*play)(const char *arg);
};
/* First in main(). True when this process was a child or the manager, or can't play: main() returns
 * *ret_status. The test's own process needs root and one argument. */
bool room_main(int argc, char **argv, const struct room_scenario *scenarios, int *ret_status);
/* That argument; in the manager too. */
const char *room_argument(void);
/* A process that is the launcher and has scenario played with arg. */
int room_launch(const char *scenario, const char *arg, bool once);
int room_wait(int pid); /* its exit status */
/* The scenario, with the room's directory, once, must end well. */
void room_play(const char *scenario);
/* In the manager. */
struct wa_launcher *room_link(void);
/* Every process that a line "pid N" of text names is gone, and there are expected ones. */
void room_check_gone(const struct wa_buf *text, size_t expected);

/* A line of /proc/<pid>/status, without its key; "" when the process is gone. */
void proc_status(int pid, const char *key, char *out, size_t n);
bool proc_is_there(int pid); /* zombies are not */
/* Living children of pid, as many as fit. */
size_t proc_children(int pid, int *out, size_t max);

#endif
