/* mirror_files.c - the packages of a mirror: which there are to be, what is fetched, what goes.
 *
 * Where a file's name is kept with what it is (".mirror/had"), that very file was judged and put in
 * place; anything else that lies there is judged anew. What was begun lies in ".mirror" under the
 * digest of what it is to be, and so is gone on with only if it still is that.
 */
#include "repo/mirror_priv.h"

#include "crypto/digest.h"
#include "os/rand.h"
#include "repo/judge_priv.h"
#include "repo/publish.h"
#include "repo/scan_priv.h"

#define HAD "had"
#define GONE "gone" /* in place of what it is: it was there, and is wanted no more, or not yet */

/* Of a package, without a folder. */
static bool is_name(struct wa_sv name)
{
    struct wa_relpath path;
    struct wa_err ignored = WA_ERR_INIT;
    size_t at;
    return name.n > 5 && name.n <= WA_NAME_MAX && name.p[0] != '.' && wa_sv_ends(name, ".wapt") &&
           !wa_sv_chr(name, '/', &at) && wa_relpath_parse(name, &path, &ignored) == WA_OK;
}

/* --- what was put in place --- */

enum wa_code wa_mirror_had_parse(struct wa_sv text, struct wa_map *had, struct wa_err *err)
{
    struct wa_sv line, id;
    while (wa_sv_split(&text, '\n', &line)) {
        union { /* the map's values are not written to */
            const char *from;
            void *to;
        } value = {line.p};
        if (wa_sv_split(&line, ' ', &id) && is_name(line) &&
            wa_map_put(had, line, value.to, NULL, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_mirror_read_had(struct wa_mirror_job *j, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (wa_rand_map(&j->had, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_publish_read(&j->own, HAD, WA_PUBLISHED_BYTES_MAX, &j->had_text, &why);
    if (code == WA_E_NOT_FOUND)
        return WA_OK;
    if (code != WA_OK)
        return wa_fail(err, code, "%s", why.text);
    return wa_mirror_had_parse(wa_buf_sv(&j->had_text), &j->had, err);
}

static bool had(const struct wa_mirror_job *j, struct wa_sv name, const char *id)
{
    const char *was = wa_map_get(&j->had, name);
    size_t n = strlen(id);
    return was != NULL && strncmp(was, id, n) == 0 && was[n] == ' ';
}

static void note(struct wa_buf *text, const char *id, struct wa_sv name)
{
    wa_buf_addf(text, "%s %.*s\n", id, WA_SV_ARG(name));
}

/* is_done: what is new has been put in place. */
static enum wa_code write_had(const struct wa_mirror_job *j, bool is_done, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_PUBLISHED_BYTES_MAX);
    for (size_t i = 0; i < j->items.n; i++) {
        const struct wa_mirror_item *item = &j->items.items[i];
        note(&text, item->is_refused || (item->is_new && !is_done) ? GONE : item->id, item->name);
    }
    for (size_t i = 0; i < j->had.n; i++) {
        struct wa_sv name = {j->had.items[i].key, j->had.items[i].key_n};
        if (wa_map_get(&j->wanted, name) == NULL && !(is_done && had(j, name, GONE)))
            note(&text, GONE, name);
    }
    return wa_buf_check(&text, err) == WA_OK ? wa_publish_write(&j->own, HAD, wa_buf_sv(&text), err)
                                             : err->code;
}

/* --- what there is to be --- */

static void refuse(const struct wa_mirror_job *j, struct wa_sv name, const struct wa_err *why)
{
    j->ret->refused++;
    j->o->tell(j->o->tell_user, WA_MIRROR_REFUSED, name, why);
}

static struct wa_sv file_of(const struct wa_control *c)
{
    struct wa_sv name = wa_sv(wa_control_get(c, WA_A_FILENAME));
    return wa_sv_starts(name, "./") ? wa_sv_sub(name, 2, name.n) : name;
}

static enum wa_code add(struct wa_mirror_job *j, const struct wa_mirror_item *item,
                        struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 16u << 10);
    struct wa_mirror_item *slot = WA_VEC_PUSH(&j->items);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = *item;
    wa_buf_addf(&text, "%.*s\n%llu\n%s\n%s\n%s", WA_SV_ARG(item->name),
                (unsigned long long)item->length, item->sha256,
                wa_control_get(item->entry, WA_A_MD5SUM),
                wa_control_get(item->entry, WA_A_SIGNATURE));
    if (wa_buf_check(&text, err) != WA_OK || wa_sha256_hex(text.p, text.n, slot->id, err) != WA_OK)
        return err->code;
    return wa_map_put(&j->wanted, item->name, j, NULL, err);
}

static enum wa_code choose_entry(struct wa_mirror_job *j, const struct wa_control *c,
                                 struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    struct wa_mirror_item item = {.name = file_of(c), .sha256 = "", .entry = c};
    const struct wa_published_file *f = NULL;
    enum wa_code code = WA_OK;
    if (!is_name(item.name) || wa_map_get(&j->wanted, item.name) != NULL)
        code = wa_fail(&why, WA_E_INVALID, "the index gives no file of its own for this package");
    else if (j->follow != NULL &&
             (f = wa_published_find(wa_follow_published(j->follow), item.name)) == NULL)
        code = wa_fail(&why, WA_E_REFUSED, "the list does not have it");
    else if (f == NULL && (!wa_sv_u64(wa_sv(wa_control_get(c, WA_A_SIZE)), &item.length) ||
                           item.length > WA_PACKAGE_BYTES_MAX))
        code = wa_fail(&why, WA_E_INVALID, "the index gives no size that it can have");
    if (code != WA_OK) {
        refuse(j, item.name, &why);
        return WA_OK;
    }
    if (f != NULL) {
        item.length = f->length;
        item.sha256 = f->sha256;
    }
    return add(j, &item, err);
}

enum wa_code wa_mirror_choose(struct wa_mirror_job *j, struct wa_err *err)
{
    if (wa_rand_map(&j->wanted, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < j->index.n; i++)
        if (choose_entry(j, &j->index.items[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* --- fetching --- */

static enum wa_code judge(const struct wa_mirror_job *j, const struct wa_dir *dir,
                          const struct wa_relpath *name, const struct wa_mirror_item *item,
                          struct wa_err *err)
{
    const struct wa_judging by = {.root = j->follow != NULL ? wa_follow_root(j->follow) : NULL,
                                  .anchors = j->follow != NULL ? j->by_root : j->o->anchors,
                                  .now = j->o->now,
                                  .icons = &j->dir};
    return wa_judge_package(&by, dir, name, item->entry, item->length, item->sha256, err);
}

static enum wa_code part_of(const struct wa_mirror_item *item, struct wa_relpath *ret,
                            struct wa_err *err)
{
    char text[80];
    (void)snprintf(text, sizeof text, "%s.part", item->id);
    return wa_relpath_parse(wa_sv(text), ret, err);
}

/* What is there, or an empty file. */
static enum wa_code open_part(const struct wa_mirror_job *j, const struct wa_mirror_item *item,
                              const struct wa_relpath *part, int *ret_fd, uint64_t *ret_have,
                              struct wa_err *err)
{
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    *ret_have = 0;
    if (wa_file_continue(&j->own, part, ret_fd, &why) == WA_OK &&
        wa_fd_stat(*ret_fd, &st, &why) == WA_OK && st.size <= item->length) {
        *ret_have = st.size;
        return WA_OK;
    }
    wa_fd_close(ret_fd);
    return wa_tree_remove(&j->own, part, err) == WA_OK
               ? wa_file_create(&j->own, part, 0644, ret_fd, err)
               : err->code;
}

static enum wa_code fetch_rest(struct wa_mirror_job *j, const struct wa_mirror_item *item,
                               const struct wa_relpath *part, uint64_t *ret_had, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_fd_sink sink;
    struct wa_stat st;
    char name[WA_NAME_MAX + 1];
    bool is_found = true;
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(item->name));
    if (open_part(j, item, part, &fd, ret_had, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    if (*ret_had < item->length &&
        j->o->fetch(j->o->fetch_user, name, *ret_had, item->length - *ret_had, &sink.base,
                    &is_found, err) != WA_OK)
        return err->code;
    if (!is_found)
        return wa_fail(err, WA_E_NOT_FOUND, "the repository lacks it");
    if (wa_fd_sync(fd, err) != WA_OK || wa_fd_stat(fd, &st, err) != WA_OK)
        return err->code;
    j->ret->bytes += st.size - *ret_had;
    return st.size == item->length
               ? judge(j, &j->own, part, item, err)
               : wa_fail(err, WA_E_REFUSED, "it is not of the size that it should have");
}

/* What lies with this machine or the way there: nothing is said about the package. */
static bool is_no_verdict(enum wa_code code)
{
    return code == WA_E_NOMEM || code == WA_E_NO_SPACE || code == WA_E_IO ||
           code == WA_E_CANCELLED || code == WA_E_UNREACHABLE || code == WA_E_TIMEOUT ||
           code == WA_E_INTERNAL;
}

static enum wa_code fetch_one(struct wa_mirror_job *j, const struct wa_mirror_item *item,
                              struct wa_err *err)
{
    struct wa_relpath part;
    uint64_t had_bytes = 0;
    if (part_of(item, &part, err) != WA_OK)
        return err->code;
    for (;;) {
        enum wa_code code = fetch_rest(j, item, &part, &had_bytes, err);
        if (code == WA_OK || is_no_verdict(code))
            return code;
        struct wa_err why = *err;
        wa_err_clear(err);
        if (wa_tree_remove(&j->own, &part, err) != WA_OK)
            return err->code;
        if (had_bytes == 0 || code == WA_E_NOT_FOUND) {
            *err = why;
            return code;
        } /* its beginning was of something else: once more, from there */
    }
}

static enum wa_code want(struct wa_mirror_job *j, struct wa_mirror_item *item, struct wa_err *err)
{
    struct wa_relpath name;
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    if (wa_relpath_parse(item->name, &name, err) != WA_OK)
        return err->code;
    bool is_there =
        wa_file_stat(&j->dir, &name, &st, &why) == WA_OK && st.is_file && st.size == item->length;
    wa_err_clear(&why);
    if (is_there && ((!j->o->verify && had(j, item->name, item->id)) ||
                     judge(j, &j->dir, &name, item, &why) == WA_OK)) {
        j->ret->kept++;
        return WA_OK;
    }
    wa_err_clear(&why);
    enum wa_code code = fetch_one(j, item, &why);
    if (is_no_verdict(code))
        return wa_fail(err, code, "'%.*s': %s", WA_SV_ARG(item->name), why.text);
    item->is_refused = code != WA_OK;
    item->is_new = code == WA_OK;
    if (code != WA_OK) {
        refuse(j, item->name, &why);
        return WA_OK;
    }
    j->ret->fetched++;
    j->o->tell(j->o->tell_user, WA_MIRROR_FETCHED, item->name, NULL);
    return WA_OK;
}

enum wa_code wa_mirror_fetch_all(struct wa_mirror_job *j, struct wa_err *err)
{
    for (size_t i = 0; i < j->items.n; i++)
        if (want(j, &j->items.items[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

/* --- putting in place, and away --- */

enum wa_code wa_mirror_place(struct wa_mirror_job *j, struct wa_err *err)
{
    if (j->ret->fetched > 0 && write_had(j, false, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < j->items.n; i++) {
        const struct wa_mirror_item *item = &j->items.items[i];
        struct wa_relpath part, name;
        if (item->is_new && (part_of(item, &part, err) != WA_OK ||
                             wa_relpath_parse(item->name, &name, err) != WA_OK ||
                             wa_file_rename(&j->own, &part, &j->dir, &name, err) != WA_OK))
            return err->code;
    }
    return WA_OK;
}

static enum wa_code drop_part(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    const struct wa_mirror_job *j = user;
    struct wa_relpath path;
    if (!st->is_file || !wa_sv_ends(wa_sv(name), ".part"))
        return WA_OK;
    return wa_relpath_parse(wa_sv(name), &path, err) == WA_OK ? wa_file_remove(&j->own, &path, err)
                                                              : err->code;
}

static enum wa_code sweep_icons(const struct wa_mirror_job *j, struct wa_err *err)
{
    struct wa_scan_icons icons;
    if (wa_scan_icons_open(&j->dir, &icons, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < j->index.n; i++)
        wa_scan_icons_keep(&icons, &j->index.items[i]);
    enum wa_code code = wa_scan_icons_sweep(&icons, err);
    wa_scan_icons_fini(&icons);
    return code;
}

enum wa_code wa_mirror_sweep(struct wa_mirror_job *j, struct wa_err *err)
{
    for (size_t i = 0; i < j->had.n; i++) {
        struct wa_sv name = {j->had.items[i].key, j->had.items[i].key_n};
        struct wa_relpath path;
        struct wa_stat st;
        struct wa_err ignored = WA_ERR_INIT;
        if (wa_map_get(&j->wanted, name) != NULL || !had(j, name, GONE) ||
            wa_relpath_parse(name, &path, &ignored) != WA_OK ||
            wa_file_stat(&j->dir, &path, &st, &ignored) != WA_OK)
            continue;
        if (wa_file_remove(&j->dir, &path, err) != WA_OK)
            return err->code;
        j->ret->removed++;
        j->o->tell(j->o->tell_user, WA_MIRROR_REMOVED, name, NULL);
    }
    if (write_had(j, true, err) != WA_OK || wa_dir_list(&j->own, drop_part, j, err) != WA_OK)
        return err->code;
    return sweep_icons(j, err);
}
