/* publishing.c - the list of a server's repository, signed here.
 *
 * The server is believed in nothing: the root is the one this person was given, and those that
 * follow it; the last list is not older than the one seen here before. Its proposal only says where
 * to look.
 */
#include "console/publishing.h"

#include "os/clock.h"

void wa_publishing_init(struct wa_publishing *p)
{
    *p = (struct wa_publishing){.temp = {.path = ""}};
    wa_publish_job_init(&p->job);
    p->job.o.now = wa_clock_now();
    p->job.o.is_partial = true;
}

void wa_publishing_fini(struct wa_publishing *p)
{
    wa_publish_job_fini(&p->job);
    wa_scratch_close(&p->temp);
}

enum wa_code wa_publishing_find_root(struct wa_publishing *p, const struct wa_dir *known,
                                     struct wa_client *c, struct wa_sv given, struct wa_err *err)
{
    return wa_known_root(known, c, given, &p->job.root, err) == WA_OK
               ? wa_root_check_dates(p->job.root, p->job.o.now, err)
               : err->code;
}

/* --- what the server has --- */

struct fetching {
    struct wa_publishing *p;
    const struct wa_dir *known;
    struct wa_client *c;
    void (*tell)(void *user, struct wa_sv file);
    void *user;
};

static enum wa_code check_seen(const struct wa_published *seen, const struct wa_published *last,
                               const struct wa_root *root, int64_t now, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (seen == NULL || wa_published_check_signer(seen, root, now, NULL, &why) != WA_OK)
        return WA_OK; /* of another repository, or of somebody who may no more */
    if (last == NULL || last->version < seen->version)
        return wa_fail(
            err, WA_E_REFUSED,
            "the server has list %lld, and %lld was there before: somebody rolls it back",
            last == NULL ? 0 : (long long)last->version, (long long)seen->version);
    if (last->version == seen->version && strcmp(last->sha256, seen->sha256) != 0)
        return wa_fail(err, WA_E_REFUSED, "the server has another list %lld than before",
                       (long long)seen->version);
    return WA_OK;
}

/* The list in force: the one before the server's proposal. */
static enum wa_code find_last(const struct fetching *f, int64_t version, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO(wa_published) struct wa_published *seen = NULL;
    struct wa_publish_job *j = &f->p->job;
    char name[48];
    bool is_there = false;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    (void)snprintf(name, sizeof name, "%lld.published.json", (long long)version);
    if (version > 0 &&
        wa_known_fetch(f->c, name, WA_PUBLISHED_BYTES_MAX, &json, &is_there, err) != WA_OK)
        return err->code;
    if (is_there && wa_published_read(wa_buf_sv(&json), &j->last, err) != WA_OK)
        return err->code;
    if (wa_known_last(f->known, &seen, err) != WA_OK ||
        check_seen(seen, j->last, j->root, j->o.now, err) != WA_OK)
        return err->code;
    return wa_publish_job_begin(j, &f->p->unknown, err);
}

static enum wa_code fetch_file(const struct fetching *f, const struct wa_published_file *file,
                               struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath name;
    struct wa_fd_sink sink;
    char path[WA_RELPATH_MAX + 8];
    bool is_there = false;
    if (wa_relpath_parse(file->name, &name, err) != WA_OK ||
        wa_file_create(&f->p->job.dir, &name, 0600, &fd, err) != WA_OK)
        return err->code;
    wa_fd_sink_init(&sink, fd);
    if (f->tell != NULL)
        f->tell(f->user, file->name);
    (void)snprintf(path, sizeof path, "/wapt/%.*s", WA_SV_ARG(file->name));
    if (wa_client_fetch(f->c, path, file->length, &sink.base, &is_there, err) != WA_OK)
        return wa_wrap(err, "'%.*s'", WA_SV_ARG(file->name));
    return is_there
               ? WA_OK
               : wa_fail(err, WA_E_NOT_FOUND, "the server lacks '%.*s'", WA_SV_ARG(file->name));
}

static enum wa_code fetch_new(const struct fetching *f, const struct wa_published *proposal,
                              struct wa_err *err)
{
    const struct wa_published *known = f->p->job.known;
    for (size_t i = 0; i < proposal->file_count; i++) {
        const struct wa_published_file *file = &proposal->files[i];
        const struct wa_published_file *old =
            known == NULL ? NULL : wa_published_find(known, file->name);
        if (old != NULL && old->length == file->length && strcmp(old->sha256, file->sha256) == 0)
            continue;
        if (fetch_file(f, file, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_publishing_fetch(struct wa_publishing *p, const struct wa_dir *known,
                                 struct wa_client *c, void (*tell)(void *user, struct wa_sv file),
                                 void *user, struct wa_err *err)
{
    const struct fetching f = {p, known, c, tell, user};
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO_BUF struct wa_buf index;
    WA_AUTO(wa_published) struct wa_published *proposal = NULL;
    bool has_proposal = false, has_index = false;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    wa_buf_init(&index, WA_INDEX_PACKED_BYTES_MAX);
    if (wa_known_fetch(c, WA_PROPOSAL_NAME, WA_PUBLISHED_BYTES_MAX, &json, &has_proposal, err) !=
            WA_OK ||
        wa_known_fetch(c, "Packages", WA_INDEX_PACKED_BYTES_MAX, &index, &has_index, err) != WA_OK)
        return err->code;
    if (!has_proposal || !has_index)
        return wa_fail(
            err, WA_E_NOT_FOUND,
            "the server proposes nothing to publish: does it have a root (--send-root)?");
    if (wa_published_read(wa_buf_sv(&json), &proposal, err) != WA_OK ||
        find_last(&f, proposal->version - 1, err) != WA_OK ||
        wa_scratch_open(&p->temp, "wapt-publish", err) != WA_OK ||
        wa_dir_open(p->temp.path, &p->job.dir, err) != WA_OK ||
        wa_publish_write(&p->job.dir, "Packages", wa_buf_sv(&index), err) != WA_OK)
        return err->code;
    return fetch_new(&f, proposal, err);
}

enum wa_code wa_publishing_commit(struct wa_publishing *p, const struct wa_dir *known,
                                  struct wa_client *c, const struct wa_cert *signer,
                                  const struct wa_key *key, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    if (wa_publish_job_sign(&p->job, signer, key, &json, err) != WA_OK ||
        wa_known_send(c, "published", wa_buf_sv(&json), err) != WA_OK)
        return err->code;
    return wa_known_keep_last(known, wa_buf_sv(&json), err);
}
