/* follow.c - the walk over roots, timestamp and published list.
 *
 * Versions only go up, but for one case: a root that takes the timestamp's key or the right to
 * publish from somebody makes the remembered list forgotten, since he may have set its version.
 */
#include "repo/follow.h"

#include "base/mem.h"

struct wa_follow {
    struct wa_root *root;
    struct wa_published *published; /* NULL: none is remembered */
    struct wa_timestamp timestamp;
    bool has_timestamp;
    enum wa_follow_kind next;
    unsigned steps;
    int64_t now;
};

enum wa_code wa_follow_new(struct wa_sv root_json, struct wa_sv published_json, int64_t now,
                           struct wa_follow **ret, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO(wa_follow) struct wa_follow *f = wa_calloc(1, sizeof *f);
    if (f == NULL)
        return wa_nomem(err);
    f->now = now;
    f->next = WA_FOLLOW_ROOT;
    if (wa_root_read(root_json, &f->root, err) != WA_OK || wa_root_check(f->root, err) != WA_OK)
        return err->code;
    if (published_json.n > 0 &&
        (wa_published_read(published_json, &f->published, &why) != WA_OK ||
         wa_published_check_signer(f->published, f->root, now, NULL, &why) != WA_OK)) {
        if (why.code == WA_E_NOMEM)
            return wa_nomem(err);
        wa_published_free(f->published);
        f->published = NULL;
    }
    *ret = WA_TAKE(f);
    return WA_OK;
}

void wa_follow_free(struct wa_follow *f)
{
    if (f == NULL)
        return;
    wa_root_free(f->root);
    wa_published_free(f->published);
    wa_free(f);
}

bool wa_follow_want(const struct wa_follow *f, struct wa_follow_want *ret)
{
    struct wa_follow_want w = {.kind = f->next};
    switch (f->next) {
    case WA_FOLLOW_ROOT:
        (void)snprintf(w.name, sizeof w.name, "%lld.root.json", (long long)f->root->version + 1);
        w.max_bytes = WA_ROOT_BYTES_MAX;
        w.may_be_absent = true;
        break;
    case WA_FOLLOW_TIMESTAMP:
        (void)snprintf(w.name, sizeof w.name, "timestamp.json");
        w.max_bytes = WA_TIMESTAMP_BYTES_MAX;
        break;
    case WA_FOLLOW_PUBLISHED:
        (void)snprintf(w.name, sizeof w.name, "%lld.published.json",
                       (long long)f->timestamp.version);
        w.max_bytes = (size_t)f->timestamp.length;
        break;
    case WA_FOLLOW_DONE:
        return false;
    }
    *ret = w;
    return true;
}

/* --- the steps --- */

static enum wa_code take_root(struct wa_follow *f, const struct wa_sv *bytes, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *next = NULL;
    if (bytes == NULL) { /* the newest is known */
        f->next = WA_FOLLOW_TIMESTAMP;
        return wa_root_check_dates(f->root, f->now, err);
    }
    if (f->steps++ >= WA_ROOT_STEPS_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u new roots at once", WA_ROOT_STEPS_MAX);
    if (wa_root_read(*bytes, &next, err) != WA_OK ||
        wa_root_check_next(f->root, next, err) != WA_OK)
        return err->code;
    if (wa_root_changes_online(f->root, next)) {
        wa_published_free(f->published);
        f->published = NULL;
    }
    wa_root_free(f->root);
    f->root = WA_TAKE(next);
    return WA_OK;
}

static enum wa_code take_timestamp(struct wa_follow *f, const struct wa_sv *bytes,
                                   struct wa_err *err)
{
    struct wa_timestamp t;
    const struct wa_published *known = f->published;
    if (bytes == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "the repository has no timestamp.json");
    if (wa_timestamp_open(*bytes, f->root, f->now, &t, err) != WA_OK)
        return err->code;
    if (known != NULL && t.version < known->version)
        return wa_fail(err, WA_E_REFUSED,
                       "the timestamp names published list %lld, and %lld is known here: somebody "
                       "rolls the repository back",
                       (long long)t.version, (long long)known->version);
    bool is_same = known != NULL && t.version == known->version;
    if (is_same && strcmp(t.sha256, known->sha256) != 0)
        return wa_fail(err, WA_E_REFUSED, "two published lists have the version %lld",
                       (long long)t.version);
    if (is_same && wa_published_check(known, f->root, f->now, NULL, err) != WA_OK)
        return err->code;
    f->timestamp = t;
    f->has_timestamp = true;
    f->next = is_same ? WA_FOLLOW_DONE : WA_FOLLOW_PUBLISHED;
    return WA_OK;
}

static enum wa_code take_published(struct wa_follow *f, const struct wa_sv *bytes,
                                   struct wa_err *err)
{
    WA_AUTO(wa_published) struct wa_published *p = NULL;
    if (bytes == NULL)
        return wa_fail(err, WA_E_NOT_FOUND,
                       "the repository lacks the published list %lld that its timestamp names",
                       (long long)f->timestamp.version);
    if (bytes->n != f->timestamp.length)
        return wa_fail(err, WA_E_REFUSED, "published list %lld has not the length it should have",
                       (long long)f->timestamp.version);
    if (wa_published_read(*bytes, &p, err) != WA_OK)
        return err->code;
    if (strcmp(p->sha256, f->timestamp.sha256) != 0 || p->version != f->timestamp.version)
        return wa_fail(err, WA_E_REFUSED,
                       "published list %lld is not the one that the timestamp names",
                       (long long)f->timestamp.version);
    if (wa_published_check(p, f->root, f->now, NULL, err) != WA_OK)
        return err->code;
    wa_published_free(f->published);
    f->published = WA_TAKE(p);
    f->next = WA_FOLLOW_DONE;
    return WA_OK;
}

enum wa_code wa_follow_take(struct wa_follow *f, const struct wa_sv *bytes, struct wa_err *err)
{
    switch (f->next) {
    case WA_FOLLOW_ROOT:
        return take_root(f, bytes, err);
    case WA_FOLLOW_TIMESTAMP:
        return take_timestamp(f, bytes, err);
    case WA_FOLLOW_PUBLISHED:
        return take_published(f, bytes, err);
    case WA_FOLLOW_DONE:
        break;
    }
    return wa_fail(err, WA_E_INTERNAL, "nothing more is wanted of the repository");
}

const struct wa_root *wa_follow_root(const struct wa_follow *f)
{
    return f->root;
}

const struct wa_published *wa_follow_published(const struct wa_follow *f)
{
    return f->published;
}

const struct wa_timestamp *wa_follow_timestamp(const struct wa_follow *f)
{
    return f->has_timestamp ? &f->timestamp : NULL;
}
