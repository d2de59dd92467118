/* metadata.h - a repository's administrators, signers and documents, made for a test. */
#ifndef WA_TEST_REPO_METADATA_H
#define WA_TEST_REPO_METADATA_H

#include "../pkg/support.h"

#include "base/mem.h"

#include "crypto/digest.h"
#include "repo/follow.h"

#define NOW 1800000000
#define DAY 86400
#define ALL "[\"*\"]"
#define REPOSITORY "00112233445566778899aabbccddeeff"

enum who { ALICE, BOB, CAROL, DAVE, PUBLISHER, PACKAGER, PEOPLE };
struct people {
    struct wa_key *keys[PEOPLE];
    struct wa_cert *certs[PEOPLE];
    struct wa_key *online, *online2;
};

static void people_make(struct people *p)
{
    static const char *const names[PEOPLE] = {"Alice", "Bob",       "Carol",
                                              "Dave",  "Publisher", "Packager"};
    struct wa_err err = WA_ERR_INIT;
    for (size_t i = 0; i < PEOPLE; i++) {
        const struct wa_cert_request what = {.cn = names[i], .path_length = -1, .days = 30000};
        check_ok(wa_key_new_p256(&p->keys[i], &err), &err, names[i]);
        check_ok(wa_cert_issue(&what, p->keys[i], NULL, NULL, &p->certs[i], &err), &err, names[i]);
    }
    check_ok(wa_key_new_p256(&p->online, &err), &err, "online");
    check_ok(wa_key_new_p256(&p->online2, &err), &err, "online");
}

static void people_free(struct people *p)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        wa_key_free(p->keys[i]);
        wa_cert_free(p->certs[i]);
    }
    wa_key_free(p->online);
    wa_key_free(p->online2);
}

static void pem_of(const struct people *p, enum who who, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(out, 65536);
    check_ok(wa_cert_write_pem(p->certs[who], out, &err), &err, "certificate");
}

/* What a test says of a root; the rest is as usual. */
struct root_what {
    int64_t version;
    int64_t expires; /* 0: in a year */
    int threshold;   /* 0: 2 */
    enum who administrators[4];
    size_t administrator_count;  /* 0: Alice, Bob and Carol */
    const struct wa_key *online; /* NULL: people's */
    bool without_publisher, packager_publishes, without_online;
    enum who signers[8]; /* of the document */
    size_t signer_count;
    const char *repository; /* NULL: REPOSITORY */
    const char *more;       /* put into the text: a member too many */
};

static void signer_text(struct wa_jw *w, const struct people *p, enum who who, bool publishes)
{
    WA_AUTO_BUF struct wa_buf pem;
    pem_of(p, who, &pem);
    wa_jw_obj(w);
    wa_jw_kvsv(w, "certificate", wa_buf_sv(&pem));
    wa_jw_key(w, "sections");
    wa_jw_raw(w, WA_SV("[\"base\",\"group\"]"));
    wa_jw_key(w, "prefixes");
    wa_jw_raw(w, WA_SV("[\"tis-\"]"));
    wa_jw_kvb(w, "code", false);
    wa_jw_kvb(w, "publish", publishes);
    wa_jw_key(w, "actions");
    wa_jw_raw(w, WA_SV("[\"update\",\"upgrade\"]"));
    wa_jw_key(w, "groups");
    wa_jw_raw(w, WA_SV("[\"tis-paris\"]"));
    wa_jw_key(w, "units");
    wa_jw_raw(w, WA_SV("[\"OU=Lyon\"]"));
    wa_jw_end(w);
}

static void root_text(const struct people *p, const struct root_what *r, struct wa_buf *out)
{
    static const enum who usual[] = {ALICE, BOB, CAROL};
    const enum who *who = r->administrator_count == 0 ? usual : r->administrators;
    size_t n = r->administrator_count == 0 ? 3 : r->administrator_count;
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err err = WA_ERR_INIT;
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", WA_ROOT_PURPOSE);
    wa_jw_kvi(&w, "format", 1);
    wa_jw_kv(&w, "repository", r->repository == NULL ? REPOSITORY : r->repository);
    wa_jw_kvi(&w, "version", r->version);
    wa_jw_kvi(&w, "issued", NOW - DAY);
    wa_jw_kvi(&w, "expires", r->expires == 0 ? NOW + 365 * DAY : r->expires);
    wa_jw_kvi(&w, "threshold", r->threshold == 0 ? 2 : r->threshold);
    wa_jw_kvi(&w, "published_days", 30);
    wa_jw_kvi(&w, "timestamp_hours", 24);
    wa_jw_key(&w, "administrators");
    wa_jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        pem_of(p, who[i], &pem);
        wa_jw_sv(&w, wa_buf_sv(&pem));
        wa_buf_fini(&pem);
    }
    wa_jw_end(&w);
    wa_jw_key(&w, "signers");
    wa_jw_arr(&w);
    if (!r->without_publisher)
        signer_text(&w, p, PUBLISHER, true);
    signer_text(&w, p, PACKAGER, r->packager_publishes);
    wa_jw_end(&w);
    wa_jw_key(&w, "timestamp_keys");
    wa_jw_arr(&w);
    wa_buf_init(&pem, 65536);
    check_ok(wa_key_write_public_pem(r->online == NULL ? p->online : r->online, &pem, &err), &err,
             "key");
    if (!r->without_online)
        wa_jw_sv(&w, wa_buf_sv(&pem));
    wa_jw_end(&w);
    if (r->more != NULL)
        wa_jw_kv(&w, r->more, "?");
    wa_jw_end(&w);
    check_ok(wa_buf_check(out, &err), &err, "root");
}

/* Signs text by each in turn, as people with a draft do. */
static inline void sign_by(const struct people *p, struct wa_sv text, const char *purpose,
                           const enum who *who, size_t n, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(out, WA_PUBLISHED_BYTES_MAX);
    check_ok(wa_signed_none(text, out, &err), &err, "draft");
    for (size_t i = 0; i < n; i++) {
        WA_AUTO_ARENA struct wa_arena arena;
        WA_AUTO_BUF struct wa_buf next;
        struct wa_signed draft;
        wa_arena_init(&arena, WA_METADATA_MEMORY_MAX);
        wa_buf_init(&next, WA_PUBLISHED_BYTES_MAX);
        check_ok(
            wa_signed_read(wa_buf_sv(out), WA_PUBLISHED_BYTES_MAX, purpose, &arena, &draft, &err),
            &err, "draft");
        check_ok(wa_signed_add(draft.text, &draft, wa_cert_fingerprint(p->certs[who[i]]),
                               p->keys[who[i]], &next, &err),
                 &err, "signature");
        wa_buf_clear(out);
        wa_buf_addsv(out, wa_buf_sv(&next));
    }
}

static inline void root_make(const struct people *p, struct root_what what, struct wa_buf *out)
{
    static const enum who usual[] = {ALICE, BOB};
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    root_text(p, &what, &text);
    sign_by(p, wa_buf_sv(&text), WA_ROOT_PURPOSE, what.signer_count == 0 ? usual : what.signers,
            what.signer_count == 0 ? 2 : what.signer_count, out);
}

struct list_what {
    int64_t version;
    int64_t issued, expires; /* 0: today, in a week */
    enum who by;             /* 0: the publisher */
    const char *revoked;     /* NULL: nobody */
    const char *repository;
    const char *file; /* NULL: tis-b_1-1_all.wapt */
};

static inline void list_make(const struct people *p, struct list_what l, struct wa_buf *out)
{
    struct wa_published_file files[] = {
        {WA_SV_INIT("tis-a_1-1_all.wapt"), 1234,
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {WA_SV_INIT("tis-b_1-1_all.wapt"), 5,
         "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}};
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    if (l.file != NULL)
        files[1].name = wa_sv(l.file);
    enum who by = l.by == ALICE ? PUBLISHER : l.by;
    const char *revoked[] = {l.revoked};
    const struct wa_published_what what = {
        .repository = l.repository == NULL ? REPOSITORY : l.repository,
        .version = l.version,
        .issued = l.issued == 0 ? NOW : l.issued,
        .expires = l.expires == 0 ? NOW + 7 * DAY : l.expires,
        .index = {WA_SV_INIT("Packages"), 99,
                  "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"},
        .files = files,
        .file_count = 2,
        .revoked = revoked,
        .revoked_count = l.revoked != NULL};
    wa_buf_init(&text, 1u << 20);
    check_ok(wa_published_write(&what, &text, &err), &err, "list");
    sign_by(p, wa_buf_sv(&text), WA_PUBLISHED_PURPOSE, &by, 1, out);
}

/* The timestamp of a list, by key (NULL: the usual one), good for hours. */
static inline void stamp_make(const struct people *p, struct wa_sv list, int64_t version,
                              const struct wa_key *key, int64_t hours, struct wa_buf *out)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_timestamp t = {.repository = REPOSITORY,
                             .issued = NOW,
                             .expires = NOW + hours * 3600,
                             .version = version,
                             .length = list.n};
    wa_buf_init(out, WA_TIMESTAMP_BYTES_MAX);
    check_ok(wa_sha256_hex(list.p, list.n, t.sha256, &err), &err, "digest");
    check_ok(wa_timestamp_sign(&t, key == NULL ? p->online : key, out, &err), &err, "timestamp");
}

#endif
