/* root_write.c - the text of a root document, as it will be signed. */
#include "repo/root.h"

static void write_cert(struct wa_jw *w, const struct wa_cert *c, struct wa_buf *scratch)
{
    struct wa_err err = WA_ERR_INIT;
    wa_buf_clear(scratch);
    if (wa_cert_write_pem(c, scratch, &err) != WA_OK)
        w->out->failed = err.code; /* found at the end, as its own failures are */
    wa_jw_sv(w, wa_buf_sv(scratch));
}

static void write_signer(struct wa_jw *w, const struct wa_root_signer *s, struct wa_buf *scratch)
{
    const struct {
        const char *key;
        const struct wa_json *list;
    } lists[] = {{"sections", s->sections},
                 {"prefixes", s->prefixes},
                 {"actions", s->actions},
                 {"groups", s->groups},
                 {"units", s->units}};
    wa_jw_obj(w);
    wa_jw_key(w, "certificate");
    write_cert(w, s->cert, scratch);
    for (size_t i = 0; i < WA_COUNT(lists); i++) {
        wa_jw_key(w, lists[i].key);
        wa_jw_json(w, lists[i].list);
    }
    wa_jw_kvb(w, "code", s->may_sign_code);
    wa_jw_kvb(w, "publish", s->may_publish);
    wa_jw_end(w);
}

static void write_keys(struct wa_jw *w, const struct wa_root *r, struct wa_buf *scratch)
{
    wa_jw_key(w, "timestamp_keys");
    wa_jw_arr(w);
    for (size_t i = 0; i < r->timestamp_key_count; i++) {
        struct wa_err err = WA_ERR_INIT;
        wa_buf_clear(scratch);
        if (wa_key_write_public_pem(r->timestamp_keys[i], scratch, &err) != WA_OK)
            w->out->failed = err.code;
        wa_jw_sv(w, wa_buf_sv(scratch));
    }
    wa_jw_end(w);
}

enum wa_code wa_root_write(const struct wa_root *r, struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf scratch;
    wa_buf_init(&scratch, WA_CERTFILE_BYTES_MAX);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "purpose", WA_ROOT_PURPOSE);
    wa_jw_kvi(&w, "format", 1);
    wa_jw_kv(&w, "repository", r->repository);
    wa_jw_kvi(&w, "version", r->version);
    wa_jw_kvi(&w, "issued", r->issued);
    wa_jw_kvi(&w, "expires", r->expires);
    wa_jw_kvi(&w, "threshold", r->threshold);
    wa_jw_kvi(&w, "published_days", r->published_days);
    wa_jw_kvi(&w, "timestamp_hours", r->timestamp_hours);
    wa_jw_key(&w, "administrators");
    wa_jw_arr(&w);
    for (size_t i = 0; i < r->administrators.n; i++)
        write_cert(&w, r->administrators.items[i], &scratch);
    wa_jw_end(&w);
    wa_jw_key(&w, "signers");
    wa_jw_arr(&w);
    for (size_t i = 0; i < r->signer_count; i++)
        write_signer(&w, &r->signers[i], &scratch);
    wa_jw_end(&w);
    write_keys(&w, r, &scratch);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}
