/* members.c - the members of an archive, or of a directory, as verification wants them. */
#include "pkg/members.h"

#include "base/mem.h"
#include "base/vec.h"
#include "codec/zip_read.h"
#include "pkg/members_dir.h"

bool wa_members_find(const struct wa_members *m, const char *name, size_t *ret)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->items[i].is_dir || strcmp(m->items[i].name.p, name) != 0)
            continue;
        *ret = i;
        return true;
    }
    return false;
}

/* --- archive --- */

struct wa_archive_members {
    struct wa_members base;
    struct wa_zip *zip;
    struct wa_member *items;
};

static enum wa_code archive_read(struct wa_members *self, size_t i, struct wa_sink *sink,
                                 struct wa_err *err)
{
    struct wa_archive_members *a = (struct wa_archive_members *)self;
    return wa_zip_read(a->zip, wa_zip_at(a->zip, i), sink, err);
}

enum wa_code wa_archive_members_open(struct wa_source *source, struct wa_archive_members **ret,
                                     struct wa_err *err)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *a = wa_calloc(1, sizeof *a);
    if (a == NULL)
        return wa_nomem(err);
    if (wa_zip_open(source, &a->zip, err) != WA_OK)
        return err->code;
    size_t n = wa_zip_count(a->zip);
    a->items = wa_calloc(n, sizeof a->items[0]);
    if (a->items == NULL)
        return wa_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const struct wa_zip_member *m = wa_zip_at(a->zip, i);
        a->items[i] = (struct wa_member){m->name, m->size, m->is_dir};
    }
    a->base = (struct wa_members){a->items, n, archive_read};
    *ret = WA_TAKE(a);
    return WA_OK;
}

void wa_archive_members_free(struct wa_archive_members *a)
{
    if (a == NULL)
        return;
    wa_zip_free(a->zip);
    wa_free(a->items);
    wa_free(a);
}

void wa_archive_members_spare_memory(struct wa_archive_members *a)
{
    wa_zip_spare_memory(a->zip);
}

struct wa_members *wa_archive_members_get(struct wa_archive_members *a)
{
    return &a->base;
}

/* --- directory --- */

struct wa_dir_members {
    struct wa_members base;
    const struct wa_dir *dir;
    struct {
        WA_VEC(struct wa_member);
    } list;
};

static enum wa_code add_file(void *user, const struct wa_relpath *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    struct wa_dir_members *d = user;
    if (d->list.n >= WA_ZIP_MEMBERS_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u files", WA_ZIP_MEMBERS_MAX);
    struct wa_member *m = WA_VEC_PUSH(&d->list);
    if (m == NULL)
        return wa_nomem(err);
    *m = (struct wa_member){*name, st->size, false};
    return WA_OK;
}

static enum wa_code dir_read(struct wa_members *self, size_t i, struct wa_sink *sink,
                             struct wa_err *err)
{
    struct wa_dir_members *d = (struct wa_dir_members *)self;
    WA_AUTO_FD int fd = -1;
    struct wa_fd_source source;
    char piece[16384];
    if (wa_file_open(d->dir, &self->items[i].name, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK)
        return err->code;
    for (uint64_t at = 0; at < source.base.size;) {
        size_t n =
            source.base.size - at < sizeof piece ? (size_t)(source.base.size - at) : sizeof piece;
        if (source.base.read_at(&source.base, at, piece, n, err) != WA_OK ||
            sink->write(sink, piece, n, err) != WA_OK)
            return err->code;
        at += n;
    }
    return WA_OK;
}

enum wa_code wa_dir_members_open(const struct wa_dir *dir, struct wa_dir_members **ret,
                                 struct wa_err *err)
{
    WA_AUTO(wa_dir_members) struct wa_dir_members *d = wa_calloc(1, sizeof *d);
    if (d == NULL)
        return wa_nomem(err);
    d->dir = dir;
    if (wa_dir_walk_files(dir, add_file, d, err) != WA_OK)
        return err->code;
    d->base = (struct wa_members){d->list.items, d->list.n, dir_read};
    *ret = WA_TAKE(d);
    return WA_OK;
}

void wa_dir_members_free(struct wa_dir_members *d)
{
    if (d == NULL)
        return;
    WA_VEC_FREE(&d->list);
    wa_free(d);
}

struct wa_members *wa_dir_members_get(struct wa_dir_members *d)
{
    return &d->base;
}
