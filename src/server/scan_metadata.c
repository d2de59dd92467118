/* scan_metadata.c - takes what administrators signed, and finds out when the time is to be stamped.
 *
 * The server's judgement protects it from mistakes alone: machines judge for themselves. It holds
 * no key here, and can't make a root or a list.
 */
#include "server/scan_metadata.h"

#include "repo/publish.h"

enum wa_code wa_scan_take_root(const struct wa_dir *repo, struct wa_sv json, int64_t now,
                               struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *next = NULL;
    WA_AUTO(wa_root) struct wa_root *old = NULL;
    if (wa_root_read(json, &next, err) != WA_OK || wa_root_check_dates(next, now, err) != WA_OK)
        return err->code;
    if (wa_publish_has_root(repo)) {
        if (wa_publish_root(repo, &old, err) != WA_OK ||
            wa_root_check_next(old, next, err) != WA_OK)
            return err->code;
    } else if (next->version != 1 || wa_root_check(next, err) != WA_OK) {
        return err->code != WA_OK
                   ? err->code
                   : wa_fail(err, WA_E_REFUSED, "the first root here must have version 1, not %lld",
                             (long long)next->version);
    }
    return wa_publish_put_root(repo, json, err);
}

/* Keeps the first file that machines would refuse, with the reason. */
struct refused {
    char file[WA_NAME_MAX + 1];
    struct wa_err why;
};

static void note(void *user, enum wa_publish_change change, struct wa_sv file,
                 const struct wa_err *why)
{
    struct refused *r = user;
    WA_UNUSED(change);
    if (why->code == WA_OK || r->file[0] != '\0')
        return;
    (void)snprintf(r->file, sizeof r->file, "%.*s", WA_SV_ARG(file));
    r->why = *why;
}

static enum wa_code judge(const struct wa_dir *repo, const struct wa_root *root,
                          const struct wa_published *next, const struct wa_published *last,
                          int64_t now, struct wa_err *err)
{
    struct refused r = {.file = ""};
    struct wa_err why = WA_ERR_INIT;
    size_t bad = 0;
    bool is_known = last != NULL && wa_published_check_signer(last, root, now, NULL, &why) == WA_OK;
    if (wa_publish_judge(repo, root, next, is_known ? last : NULL, false, now, note, &r, &bad,
                         err) != WA_OK)
        return err->code;
    return bad == 0 ? WA_OK
                    : wa_fail(err, WA_E_REFUSED, "machines would refuse %zu files: '%s': %s", bad,
                              r.file, r.why.text);
}

enum wa_code wa_scan_take_published(const struct wa_dir *repo, struct wa_sv json, int64_t now,
                                    struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    WA_AUTO(wa_published) struct wa_published *next = NULL;
    WA_AUTO(wa_published) struct wa_published *last = NULL;
    if (wa_publish_root(repo, &root, err) != WA_OK ||
        wa_published_read(json, &next, err) != WA_OK ||
        wa_published_check(next, root, now, NULL, err) != WA_OK ||
        wa_publish_last(repo, &last, NULL, err) != WA_OK)
        return err->code;
    if (last != NULL && next->version <= last->version)
        return wa_fail(err, WA_E_CONFLICT,
                       "list %lld is there already, and this is %lld: make it again",
                       (long long)last->version, (long long)next->version);
    if (judge(repo, root, next, last, now, err) != WA_OK)
        return err->code;
    return wa_publish_put(repo, json, err);
}

/* The list's own timestamp is there, with more than half of its life before it, and of no time that
 * has yet to come: the clock was ahead, and machines would refuse it. */
static bool is_fresh(const struct wa_dir *repo, const struct wa_root *root,
                     const struct wa_published *last, int64_t now)
{
    WA_AUTO_BUF struct wa_buf json;
    struct wa_timestamp t;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&json, WA_TIMESTAMP_BYTES_MAX);
    return wa_publish_read(repo, "timestamp.json", WA_TIMESTAMP_BYTES_MAX, &json, &err) == WA_OK &&
           wa_timestamp_open(wa_buf_sv(&json), root, now, &t, &err) == WA_OK &&
           strcmp(t.sha256, last->sha256) == 0 && t.issued <= now + WA_METADATA_SKEW_S &&
           t.expires - now > (t.expires - t.issued) / 2;
}

enum wa_code wa_scan_to_stamp(const struct wa_dir *repo, int64_t now, struct wa_buf *out,
                              struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    WA_AUTO(wa_published) struct wa_published *last = NULL;
    struct wa_jw w;
    if (!wa_publish_has_root(repo))
        return WA_OK;
    if (wa_publish_root(repo, &root, err) != WA_OK ||
        wa_publish_last(repo, &last, NULL, err) != WA_OK)
        return err->code;
    if (last == NULL || is_fresh(repo, root, last, now))
        return WA_OK;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "repository", root->repository);
    wa_jw_kvi(&w, "version", last->version);
    wa_jw_kvi(&w, "length", (int64_t)last->length);
    wa_jw_kv(&w, "sha256", last->sha256);
    wa_jw_kvi(&w, "hours", root->timestamp_hours);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

enum wa_code wa_scan_take_timestamp(const struct wa_dir *repo, struct wa_sv json, int64_t now,
                                    struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *root = NULL;
    struct wa_timestamp t;
    if (wa_publish_root(repo, &root, err) != WA_OK ||
        wa_timestamp_open(json, root, now, &t, err) != WA_OK)
        return wa_wrap(err, "the root does not know this server's timestamp key "
                            "(private/timestamp.pub)");
    return wa_publish_write(repo, "timestamp.json", json, err);
}
