/* fake_launcher.h - a launcher that is a thread of the test, whose children write a list of frames
 * without being asked. */
#ifndef WA_TEST_FAKE_LAUNCHER_H
#define WA_TEST_FAKE_LAUNCHER_H

#include "agent/helper_priv.h"
#include "agent/manager_priv.h"
#include "os/thread.h"

/* As WA_SV(), for tables. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
#define FRAMES_MAX 6

struct frame {
    uint16_t type; /* 0: end of the list */
    uint32_t id;
    struct wa_sv payload;
    size_t repeat; /* payload this many times; 0 is 1 */
    bool has_fd;
};

enum fate { STAYS, ENDS, CRASHES };

struct script {
    struct frame frames[FRAMES_MAX];
    enum fate fate;       /* after the frames */
    enum wa_code refused; /* START is answered by FAILED */
    struct wa_sv started; /* payload of STARTED instead of the right one */
};

struct fake {
    int fd;
    const struct script *script;
    unsigned starts, ends, kills;
};

struct scene {
    struct fake fake;
    struct wa_thread *thread;
    struct wa_launcher *l;
};

void scene_open(struct scene *s, const struct script *script);
/* No child may be left when a call has returned: fails the test otherwise. */
void scene_close(struct scene *s);

#endif
