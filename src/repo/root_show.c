/* root_show.c - a root document for people: all that it says, and what is new in it.
 *
 * What is told is read from the root that will be signed; of the one in force only the differences.
 */
#include "base/date.h"
#include "base/text.h"
#include "base/utf8.h"
#include "repo/root_edit.h"

/* A line is shown whole wherever it is shown: a longer list takes several. */
#define LINE_BYTES 300u
#define NAME_BYTES 64u
#define LINE_MAX_BYTES (4u * LINE_BYTES)

enum wa_code wa_root_check_after(const struct wa_root *old, const struct wa_root *r,
                                 struct wa_err *err)
{
    return old == NULL ? wa_root_check(r, err) : wa_root_check_next(old, r, err);
}

bool wa_root_has_administrator(const struct wa_root *r, const char *fingerprint)
{
    for (size_t i = 0; r != NULL && i < r->administrators.n; i++)
        if (strcmp(wa_cert_fingerprint(r->administrators.items[i]), fingerprint) == 0)
            return true;
    return false;
}

static bool has(const struct wa_root *r, const struct wa_cert *c)
{
    return wa_root_has_administrator(r, wa_cert_fingerprint(c));
}

static bool has_signed(const struct wa_root *r, const struct wa_cert *c)
{
    for (size_t i = 0; i < r->document.n; i++)
        if (strcmp(r->document.items[i].signer, wa_cert_fingerprint(c)) == 0)
            return true;
    return false;
}

/* --- a signer's rights, as a table --- */

struct list {
    const char *key;
    const struct wa_json *items;
};
#define LISTS 5
static void lists_of(const struct wa_root_signer *s, struct list out[LISTS])
{
    const struct list all[LISTS] = {{"sections", s->sections},
                                    {"prefixes", s->prefixes},
                                    {"actions", s->actions},
                                    {"groups", s->groups},
                                    {"units", s->units}};
    memcpy(out, all, sizeof all);
}

static bool is_same_list(const struct wa_json *a, const struct wa_json *b)
{
    bool is_same = wa_json_count(a) == wa_json_count(b);
    for (size_t i = 0; is_same && i < wa_json_count(a); i++)
        is_same = wa_sv_eq(wa_json_sv(wa_json_at(a, i)), wa_json_sv(wa_json_at(b, i)));
    return is_same;
}

static bool is_same_signer(const struct wa_root_signer *a, const struct wa_root_signer *b)
{
    struct list x[LISTS], y[LISTS];
    bool is_same = a->may_publish == b->may_publish && a->may_sign_code == b->may_sign_code;
    lists_of(a, x);
    lists_of(b, y);
    for (size_t i = 0; i < LISTS; i++)
        is_same = is_same && is_same_list(x[i].items, y[i].items);
    return is_same;
}

static const struct wa_root_signer *before(const struct wa_root *old,
                                           const struct wa_root_signer *s)
{
    return old == NULL ? NULL : wa_root_signer(old, wa_cert_fingerprint(s->cert));
}

/* "new", "changed", "same"; NULL where there is nothing to compare with. */
static const char *change_of(const struct wa_root_signer *s, const struct wa_root *old)
{
    const struct wa_root_signer *o = before(old, s);
    if (old == NULL)
        return NULL;
    return o == NULL ? "new" : is_same_signer(o, s) ? "same" : "changed";
}

/* --- as JSON --- */

static void write_who(struct wa_jw *w, const struct wa_cert *c)
{
    wa_jw_kv(w, "name", wa_cert_cn(c));
    wa_jw_kv(w, "fingerprint", wa_cert_fingerprint(c));
    wa_jw_kvi(w, "not_after", wa_cert_not_after(c));
}

static void write_signer(struct wa_jw *w, const struct wa_root_signer *s, const char *change)
{
    struct list lists[LISTS];
    lists_of(s, lists);
    wa_jw_obj(w);
    write_who(w, s->cert);
    wa_jw_kvb(w, "code", s->may_sign_code);
    wa_jw_kvb(w, "publish", s->may_publish);
    for (size_t i = 0; i < LISTS; i++) {
        wa_jw_key(w, lists[i].key);
        wa_jw_json(w, lists[i].items);
    }
    wa_jw_kv(w, "change", change);
    wa_jw_end(w);
}

static void write_administrator(struct wa_jw *w, const struct wa_root *r, const struct wa_cert *c,
                                const char *change)
{
    wa_jw_obj(w);
    write_who(w, c);
    wa_jw_kvb(w, "signed", has_signed(r, c));
    wa_jw_kv(w, "change", change);
    wa_jw_end(w);
}

static void write_people(const struct wa_root *r, const struct wa_root *old, struct wa_jw *w)
{
    wa_jw_key(w, "administrators");
    wa_jw_arr(w);
    for (size_t i = 0; i < r->administrators.n; i++) {
        const struct wa_cert *c = r->administrators.items[i];
        write_administrator(w, r, c, old == NULL ? NULL : has(old, c) ? "same" : "new");
    }
    for (size_t i = 0; old != NULL && i < old->administrators.n; i++)
        if (!has(r, old->administrators.items[i]))
            write_administrator(w, r, old->administrators.items[i], "removed");
    wa_jw_end(w);
    wa_jw_key(w, "signers");
    wa_jw_arr(w);
    for (size_t i = 0; i < r->signer_count; i++)
        write_signer(w, &r->signers[i], change_of(&r->signers[i], old));
    for (size_t i = 0; old != NULL && i < old->signer_count; i++)
        if (before(r, &old->signers[i]) == NULL)
            write_signer(w, &old->signers[i], "removed");
    wa_jw_end(w);
}

/* What can't be named stands as null: root_say() refuses to show it to whoever is to sign. */
static void write_timestamp_keys(const struct wa_root *r, struct wa_jw *w)
{
    wa_jw_kvi(w, "timestamp_keys", (int64_t)r->timestamp_key_count);
    wa_jw_key(w, "timestamp_key_ids");
    wa_jw_arr(w);
    for (size_t i = 0; i < r->timestamp_key_count; i++) {
        struct wa_err unnamed = WA_ERR_INIT;
        char id[65];
        if (wa_signed_key_id(r->timestamp_keys[i], id, &unnamed) == WA_OK)
            wa_jw_s(w, id);
        else
            wa_jw_null(w);
    }
    wa_jw_end(w);
}

void wa_root_write_shown(const struct wa_root *r, const struct wa_root *old, struct wa_jw *w)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "repository", r->repository);
    wa_jw_kvi(w, "version", r->version);
    wa_jw_kvi(w, "issued", r->issued);
    wa_jw_kvi(w, "expires", r->expires);
    wa_jw_kvi(w, "threshold", r->threshold);
    wa_jw_kvi(w, "published_days", r->published_days);
    wa_jw_kvi(w, "timestamp_hours", r->timestamp_hours);
    write_timestamp_keys(r, w);
    write_people(r, old, w);
    wa_jw_end(w);
}

/* --- in words --- */

struct saying {
    wa_root_say_fn say;
    void *user;
    struct wa_buf line;
    enum wa_code failed; /* a line that could not be made: nobody may sign what he can't see */
};

static void say(struct saying *s, const char *label)
{
    if (s->line.failed != WA_OK)
        s->failed = s->line.failed;
    else
        s->say(s->user, label, wa_buf_sv(&s->line));
    wa_buf_clear(&s->line);
}

static void add_mark(struct saying *s, const char *mark)
{
    if (mark != NULL)
        wa_buf_addf(&s->line, "  [%s]", mark);
}

/* A name is its owner's word, of any length: nothing after it may be pushed out of sight. */
static void add_who(struct saying *s, const struct wa_cert *c)
{
    const char *cn = wa_cert_cn(c);
    size_t n = strlen(cn);
    if (n > NAME_BYTES)
        n = wa_utf8_cut(cn, NAME_BYTES);
    wa_buf_addf(&s->line, "%.*s%s (%s)", (int)n, cn, cn[n] != '\0' ? "..." : "",
                wa_cert_fingerprint(c));
}

static void say_number(struct saying *s, const char *label, int64_t is, const int64_t *was)
{
    if (was != NULL && *was != is)
        wa_buf_addf(&s->line, "%lld → ", (long long)*was);
    wa_buf_addf(&s->line, "%lld", (long long)is);
    say(s, label);
}

static void say_time(struct saying *s, const char *label, int64_t at)
{
    char date[WA_DATE_MAX];
    wa_date_rfc3339(at, date);
    wa_buf_adds(&s->line, date);
    say(s, label);
}

static void say_head(struct saying *s, const struct wa_root *r, const struct wa_root *old)
{
    wa_buf_adds(&s->line, r->repository);
    if (old != NULL && strcmp(old->repository, r->repository) != 0)
        add_mark(s, wa_text("another repository"));
    say(s, wa_text("Repository"));
    say_number(s, wa_text("Version"), r->version, old == NULL ? NULL : &old->version);
    say_time(s, wa_text("Expires"), r->expires);
    say_number(s, wa_text("Signatures needed"), r->threshold, old == NULL ? NULL : &old->threshold);
    say_number(s, wa_text("Days of a published list"), r->published_days,
               old == NULL ? NULL : &old->published_days);
    say_number(s, wa_text("Hours of a timestamp"), r->timestamp_hours,
               old == NULL ? NULL : &old->timestamp_hours);
}

static bool is_timestamp_key(const struct wa_root *r, const struct wa_key *key)
{
    for (size_t i = 0; i < r->timestamp_key_count; i++)
        if (wa_key_equal_public(r->timestamp_keys[i], key))
            return true;
    return false;
}

static enum wa_code say_timestamp_key(struct saying *s, const struct wa_key *key, const char *mark,
                                      struct wa_err *err)
{
    char id[65];
    if (wa_signed_key_id(key, id, err) != WA_OK)
        return err->code;
    wa_buf_adds(&s->line, id);
    add_mark(s, mark);
    say(s, wa_text("Timestamp key"));
    return WA_OK;
}

static enum wa_code say_timestamp_keys(struct saying *s, const struct wa_root *r,
                                       const struct wa_root *old, struct wa_err *err)
{
    for (size_t i = 0; i < r->timestamp_key_count; i++) {
        bool is_new = old != NULL && !is_timestamp_key(old, r->timestamp_keys[i]);
        if (say_timestamp_key(s, r->timestamp_keys[i], is_new ? wa_text("new") : NULL, err) !=
            WA_OK)
            return err->code;
    }
    for (size_t i = 0; old != NULL && i < old->timestamp_key_count; i++)
        if (!is_timestamp_key(r, old->timestamp_keys[i]) &&
            say_timestamp_key(s, old->timestamp_keys[i], wa_text("removed"), err) != WA_OK)
            return err->code;
    return WA_OK;
}

static void say_administrator(struct saying *s, const struct wa_root *r, const struct wa_cert *c,
                              const char *mark)
{
    add_who(s, c);
    wa_buf_addf(&s->line, ": %s",
                has_signed(r, c) ? wa_text("has signed") : wa_text("has not signed"));
    add_mark(s, mark);
    say(s, wa_text("Administrator"));
}

static void say_administrators(struct saying *s, const struct wa_root *r, const struct wa_root *old)
{
    for (size_t i = 0; i < r->administrators.n; i++) {
        const struct wa_cert *c = r->administrators.items[i];
        bool is_new = old != NULL && !has(old, c);
        say_administrator(s, r, c, is_new ? wa_text("new") : NULL);
    }
    for (size_t i = 0; old != NULL && i < old->administrators.n; i++)
        if (!has(r, old->administrators.items[i]))
            say_administrator(s, r, old->administrators.items[i], wa_text("removed"));
}

static void say_list(struct saying *s, const char *label, const struct wa_json *list,
                     const char *mark)
{
    size_t n = wa_json_count(list);
    for (size_t i = 0; i < n; i++) {
        struct wa_sv item = wa_json_sv(wa_json_at(list, i));
        if (s->line.n > 0 && s->line.n + item.n >= LINE_BYTES)
            say(s, label);
        wa_buf_addf(&s->line, "%s%.*s", s->line.n == 0 ? "" : ",", WA_SV_ARG(item));
    }
    if (n == 0)
        wa_buf_adds(&s->line, wa_text("none"));
    add_mark(s, mark);
    say(s, label);
}

static void say_flag(struct saying *s, const char *label, bool is, const bool *was)
{
    const char *const words[] = {wa_text("no"), wa_text("yes")};
    if (was != NULL && *was == is)
        return;
    if (was != NULL)
        wa_buf_addf(&s->line, "%s → ", words[*was]);
    wa_buf_adds(&s->line, words[is]);
    say(s, label);
}

/* Of one that is known only what changes. */
static void say_rights(struct saying *s, const struct wa_root_signer *is,
                       const struct wa_root_signer *was)
{
    struct list a[LISTS], b[LISTS];
    const char *const labels[LISTS] = {wa_text("    sections"), wa_text("    prefixes"),
                                       wa_text("    actions"), wa_text("    groups"),
                                       wa_text("    units")};
    lists_of(is, a);
    if (was != NULL)
        lists_of(was, b);
    say_flag(s, wa_text("    may publish"), is->may_publish,
             was == NULL ? NULL : &was->may_publish);
    say_flag(s, wa_text("    may sign code"), is->may_sign_code,
             was == NULL ? NULL : &was->may_sign_code);
    for (size_t i = 0; i < LISTS; i++) {
        if (was != NULL && is_same_list(a[i].items, b[i].items))
            continue;
        if (was != NULL)
            say_list(s, labels[i], b[i].items, wa_text("before"));
        say_list(s, labels[i], a[i].items, was != NULL ? wa_text("changed") : NULL);
    }
}

static void say_signer(struct saying *s, const struct wa_root_signer *one, const char *mark)
{
    add_who(s, one->cert);
    add_mark(s, mark);
    say(s, wa_text("Signer"));
}

static void say_signers(struct saying *s, const struct wa_root *r, const struct wa_root *old)
{
    for (size_t i = 0; i < r->signer_count; i++) {
        const struct wa_root_signer *one = &r->signers[i], *was = before(old, one);
        const char *mark = NULL;
        if (old != NULL && was == NULL)
            mark = wa_text("new");
        else if (was != NULL && !is_same_signer(was, one))
            mark = wa_text("changed");
        say_signer(s, one, mark);
        say_rights(s, one, was);
    }
    for (size_t i = 0; old != NULL && i < old->signer_count; i++)
        if (before(r, &old->signers[i]) == NULL)
            say_signer(s, &old->signers[i], wa_text("removed"));
}

enum wa_code wa_root_say(const struct wa_root *r, const struct wa_root *old, wa_root_say_fn fn,
                         void *user, struct wa_err *err)
{
    struct saying s = {.say = fn, .user = user};
    wa_buf_init(&s.line, LINE_MAX_BYTES);
    say_head(&s, r, old);
    enum wa_code code = say_timestamp_keys(&s, r, old, err);
    if (code == WA_OK) {
        say_administrators(&s, r, old);
        say_signers(&s, r, old);
    }
    wa_buf_fini(&s.line);
    if (code == WA_OK && s.failed != WA_OK)
        return wa_fail(err, s.failed, "this root can't be shown");
    return code;
}
