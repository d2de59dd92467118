/* timestamp.c - reading, judging and writing a timestamp. */
#include "repo/timestamp.h"

#include "base/date.h"
#include "codec/hex.h"

static enum wa_code read_published(const struct wa_json *j, struct wa_timestamp *t,
                                   struct wa_err *err)
{
    int64_t length = -1;
    struct wa_sv sha256 = {NULL, 0};
    const struct wa_json_field fields[] = {{"version", WA_WANT_I64, true, 0, &t->version},
                                           {"length", WA_WANT_I64, true, 0, &length},
                                           {"sha256", WA_WANT_SV, true, 64, &sha256}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "what a timestamp names", err) != WA_OK)
        return err->code;
    if (t->version < 1 || length < 0 || length > (int64_t)WA_PUBLISHED_BYTES_MAX ||
        !wa_hex_is(sha256, 64))
        return wa_fail(err, WA_E_INVALID, "a timestamp that names nothing");
    t->length = (uint64_t)length;
    memcpy(t->sha256, sha256.p, 64);
    return WA_OK;
}

static enum wa_code read_text(const struct wa_json *j, struct wa_timestamp *t, struct wa_err *err)
{
    struct wa_sv purpose, repository = {NULL, 0};
    const struct wa_json *published = NULL;
    int64_t format = 0;
    const struct wa_json_field fields[] = {
        {"purpose", WA_WANT_SV, true, 32, &purpose},
        {"format", WA_WANT_I64, true, 0, &format},
        {"repository", WA_WANT_SV, true, 32, &repository},
        {"issued", WA_WANT_I64, true, 0, &t->issued},
        {"expires", WA_WANT_I64, true, 0, &t->expires},
        {"published", WA_WANT_OBJECT, true, 0, &published},
    };
    if (wa_json_read(j, fields, WA_COUNT(fields), "a timestamp", err) != WA_OK)
        return err->code;
    if (format != 1 || !wa_hex_is(repository, 32) || t->issued < 0 || t->expires <= t->issued)
        return wa_fail(err, WA_E_INVALID, "a timestamp whose format or dates make no sense");
    memcpy(t->repository, repository.p, 32);
    return read_published(published, t, err);
}

static enum wa_code check(const struct wa_signed *document, const struct wa_timestamp *t,
                          const struct wa_root *root, int64_t now, struct wa_err *err)
{
    struct wa_signed_key keys[WA_ROOT_TIMESTAMP_KEYS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < root->timestamp_key_count; i++) {
        keys[i].key = root->timestamp_keys[i];
        if (wa_signed_key_id(keys[i].key, keys[i].id, err) != WA_OK)
            return err->code;
    }
    if (strcmp(t->repository, root->repository) != 0)
        return wa_fail(err, WA_E_REFUSED, "it is of another repository");
    if (wa_signed_count(document, keys, root->timestamp_key_count, &n, err) != WA_OK)
        return err->code;
    if (n == 0)
        return wa_fail(err, WA_E_REFUSED, "no timestamp key of root version %lld has signed it",
                       (long long)root->version);
    if (t->expires - t->issued > root->timestamp_hours * 3600)
        return wa_fail(err, WA_E_REFUSED, "it is good for longer than the %lld hours allowed",
                       (long long)root->timestamp_hours);
    return wa_timestamp_check_dates(t, now, err);
}

enum wa_code wa_timestamp_open(struct wa_sv json, const struct wa_root *root, int64_t now,
                               struct wa_timestamp *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_signed document;
    struct wa_timestamp t = {.issued = -1};
    wa_arena_init(&arena, 1u << 20);
    if (wa_signed_read(json, WA_TIMESTAMP_BYTES_MAX, WA_TIMESTAMP_PURPOSE, &arena, &document,
                       err) != WA_OK ||
        read_text(document.statement, &t, err) != WA_OK ||
        check(&document, &t, root, now, err) != WA_OK)
        return wa_wrap(err, "the timestamp is refused");
    *ret = t;
    return WA_OK;
}

enum wa_code wa_timestamp_check_dates(const struct wa_timestamp *t, int64_t now, struct wa_err *err)
{
    char date[WA_DATE_MAX];
    wa_date_rfc3339(now >= t->expires ? t->expires : t->issued, date);
    if (now >= t->expires)
        return wa_fail(err, WA_E_REFUSED,
                       "it expired on %s: the server does not renew it, or somebody keeps the new "
                       "one away",
                       date);
    if (t->issued > now + WA_METADATA_SKEW_S)
        return wa_fail(err, WA_E_REFUSED,
                       "it is of %s, which has not come yet: is the clock right?", date);
    return WA_OK;
}

enum wa_code wa_timestamp_sign(const struct wa_timestamp *t, const struct wa_key *key,
                               struct wa_buf *out, struct wa_err *err)
{
    char id[65];
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_TIMESTAMP_BYTES_MAX);
    wa_jw_init(&w, &text);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", WA_TIMESTAMP_PURPOSE);
    wa_jw_kvi(&w, "format", 1);
    wa_jw_kv(&w, "repository", t->repository);
    wa_jw_kvi(&w, "issued", t->issued);
    wa_jw_kvi(&w, "expires", t->expires);
    wa_jw_key(&w, "published");
    wa_jw_obj(&w);
    wa_jw_kvi(&w, "version", t->version);
    wa_jw_kvi(&w, "length", (int64_t)t->length);
    wa_jw_kv(&w, "sha256", t->sha256);
    wa_jw_end(&w);
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK || wa_signed_key_id(key, id, err) != WA_OK)
        return err->code;
    return wa_signed_add(wa_buf_sv(&text), NULL, id, key, out, err);
}
