/* helper_unpack.c - the members of a package, as the unpack process reads them, behind the
 * interface of pkg/members.
 *
 * Names, sizes, count and order come from a process that has digested a stranger's archive: every
 * name becomes a safe relative path here, names that some system would hold for the same file are
 * refused, a member has exactly the bytes that were announced. After the first broken rule the
 * process is killed and the rest of the package is out of reach.
 */
#include "agent/helper_priv.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/rand.h"

#define LIFE_MAX_S 86400u      /* s: the manager verifies and extracts in between */
#define SILENCE_MAX_MS 120000u /* ms: inflating sends at each 256 KiB */

struct wa_unpack {
    struct wa_members members; /* first: read() gets this */
    struct wa_talk talk;
    struct {
        WA_VEC(struct wa_member);
    } list;
    uint32_t last_id;
    bool is_dead;
};

enum wa_code wa_unpack_member_read(struct wa_sv payload, struct wa_member *ret, struct wa_err *err)
{
    if (payload.n <= WA_ROLE_MEMBER_HEAD) {
        return wa_fail(err, WA_E_REFUSED, "the unpack process announced a member without a name");
    }
    uint64_t size = 0;
    for (int i = 7; i >= 0; i--) {
        size = size << 8 | (unsigned char)payload.p[i];
    }
    unsigned char is_dir = (unsigned char)payload.p[8];
    struct wa_relpath name;
    if (wa_relpath_parse(wa_sv_sub(payload, WA_ROLE_MEMBER_HEAD, payload.n), &name, err) != WA_OK) {
        err->code = WA_E_REFUSED;
        return wa_wrap(err, "the unpack process announced a member");
    }
    if (is_dir > 1 || (is_dir == 1 && size != 0) || size > WA_PACKAGE_INFLATED_MAX) {
        return wa_fail(err, WA_E_REFUSED, "the unpack process announced '%s' in a wrong form",
                       name.p);
    }
    ret->name = name;
    ret->size = size;
    ret->is_dir = is_dir == 1;
    return WA_OK;
}

/* One more member; seen holds the folded names so far. */
static enum wa_code take_member(struct wa_unpack *u, struct wa_sv payload, struct wa_map *seen,
                                uint64_t *total, struct wa_err *err)
{
    char key[WA_RELPATH_MAX + 1];
    void *old = NULL;
    if (u->list.n >= WA_ZIP_MEMBERS_MAX) {
        return wa_talk_broken(&u->talk, "more members than an archive may have", err);
    }
    struct wa_member *m = WA_VEC_PUSH(&u->list);
    if (m == NULL) {
        return wa_nomem(err);
    }
    enum wa_code code = wa_unpack_member_read(payload, m, err);
    if (code != WA_OK) {
        return code;
    }
    *total += m->size; /* each is below 2^38, their count below 2^18 */
    if (*total > WA_PACKAGE_INFLATED_MAX) {
        return wa_talk_broken(&u->talk, "more bytes than a package may have", err);
    }
    wa_relpath_fold(&m->name, key);
    code = wa_map_put(seen, wa_sv(key), u, &old, err);
    if (code == WA_OK && old != NULL) {
        return wa_talk_broken(&u->talk, "the same name twice", err);
    }
    return code;
}

static bool u32_is(struct wa_sv payload, size_t value)
{
    uint32_t v = 0;
    if (payload.n != sizeof v) {
        return false;
    }
    for (int i = 3; i >= 0; i--) {
        v = v << 8 | (unsigned char)payload.p[i];
    }
    return v == value;
}

static enum wa_code hear_list(struct wa_unpack *u, struct wa_map *seen, struct wa_err *err)
{
    uint64_t total = 0;
    for (;;) {
        struct wa_chan_msg msg;
        enum wa_code code = wa_talk_recv(&u->talk, u->last_id, &msg, err);
        if (code != WA_OK) {
            return code;
        }
        switch (msg.type) {
        case WA_M_UNPACK_MEMBER:
            code = take_member(u, msg.payload, seen, &total, err);
            break;
        case WA_M_UNPACK_LISTED:
            return u32_is(msg.payload, u->list.n)
                       ? WA_OK
                       : wa_talk_broken(&u->talk, "a list of another length than it says", err);
        case WA_M_UNPACK_END:
            return wa_role_error_read(msg.payload, err);
        default:
            code = wa_talk_broken(&u->talk, "content before the list was complete", err);
        }
        if (code != WA_OK) {
            return code;
        }
    }
}

static enum wa_code hear_content(struct wa_unpack *u, const struct wa_member *m,
                                 struct wa_sink *sink, struct wa_err *err)
{
    uint64_t left = m->size;
    for (;;) {
        struct wa_chan_msg msg;
        enum wa_code code = wa_talk_recv(&u->talk, u->last_id, &msg, err);
        if (code != WA_OK) {
            return code;
        }
        if (msg.type == WA_M_UNPACK_END && msg.payload.n > 0) {
            return wa_role_error_read(msg.payload, err);
        }
        if (msg.type == WA_M_UNPACK_END) {
            return left == 0 ? WA_OK
                             : wa_talk_broken(&u->talk, "fewer bytes than it announced", err);
        }
        if (msg.type != WA_M_UNPACK_DATA) {
            return wa_talk_broken(&u->talk, "another list", err);
        }
        if (msg.payload.n > left) {
            return wa_talk_broken(&u->talk, "more bytes than it announced", err);
        }
        left -= msg.payload.n;
        code = sink->write(sink, msg.payload.p, msg.payload.n, err);
        if (code != WA_OK) {
            return code;
        }
    }
}

static enum wa_code read_member(struct wa_members *self, size_t i, struct wa_sink *sink,
                                struct wa_err *err)
{
    struct wa_unpack *u = (struct wa_unpack *)(void *)self;
    if (i >= u->list.n || u->list.items[i].is_dir) {
        return wa_fail(err, WA_E_INTERNAL, "cannot read a member that has no content");
    }
    const struct wa_member *m = &u->list.items[i];
    if (u->is_dead) {
        return wa_fail(err, WA_E_REFUSED, "cannot read '%s': the unpack process was ended",
                       m->name.p);
    }
    struct wa_buf WA_AUTO_BUF question;
    wa_buf_init(&question, sizeof(uint32_t));
    wa_buf_u32le(&question, (uint32_t)i);
    enum wa_code code = wa_buf_check(&question, err);
    if (code == WA_OK) {
        code =
            wa_talk_send(&u->talk, WA_M_UNPACK_READ, ++u->last_id, wa_buf_sv(&question), -1, err);
    }
    if (code == WA_OK) {
        code = hear_content(u, m, sink, err);
    }
    if (code != WA_OK) { /* in the middle of a stream, or it lies: no second chance */
        u->is_dead = true;
        code = wa_wrap(err, "reading '%s'", m->name.p);
        wa_talk_end(&u->talk);
    }
    return code;
}

static enum wa_code begin(struct wa_unpack *u, struct wa_launcher *l, int fd, struct wa_err *err)
{
    struct wa_map WA_AUTO_MAP seen;
    enum wa_code code = wa_rand_map(&seen, err);
    if (code != WA_OK) {
        return code;
    }
    code = wa_talk_begin(&u->talk, l, WA_ROLE_UNPACK, LIFE_MAX_S, err);
    if (code == WA_OK) {
        code = wa_talk_send(&u->talk, WA_M_UNPACK_OPEN, ++u->last_id, (struct wa_sv){0}, fd, err);
    }
    return code != WA_OK ? code : hear_list(u, &seen, err);
}

enum wa_code wa_helper_unpack(struct wa_launcher *l, int fd, struct wa_cancel *cancel,
                              struct wa_unpack **ret, struct wa_err *err)
{
    struct wa_unpack *u = wa_calloc(1, sizeof *u);
    if (u == NULL) {
        return wa_nomem(err);
    }
    u->talk.cancel = cancel;
    u->talk.silence_ms = SILENCE_MAX_MS;
    enum wa_code code = begin(u, l, fd, err);
    if (code != WA_OK) {
        wa_unpack_free(u);
        return code;
    }
    u->members.items = u->list.items;
    u->members.n = u->list.n;
    u->members.read = read_member;
    *ret = u;
    return WA_OK;
}

struct wa_members *wa_unpack_members(struct wa_unpack *u)
{
    return &u->members;
}

void wa_unpack_free(struct wa_unpack *u)
{
    if (u == NULL) {
        return;
    }
    wa_talk_end(&u->talk);
    WA_VEC_FREE(&u->list);
    wa_free(u);
}
