/* repo_fetch.c - one file from a repository, by whichever of its addresses has it.
 *
 * A mirror is no more than another address of the same files: what comes from it is judged as from
 * the first. What one address can't or won't give - unreachable, too slow, absent, spoilt - is told
 * and asked of the next; what failed on this machine (memory, disk, a cancellation) is not.
 */
#include "agent/repo_fetch.h"
#include "agent/identity.h"
#include "agent/tasks.h"

static bool is_ours(enum wa_code code)
{
    return code == WA_E_NOMEM || code == WA_E_CANCELLED || code == WA_E_NO_SPACE ||
           code == WA_E_IO || code == WA_E_INTERNAL;
}

enum wa_code wa_repo_each(struct wa_task_run *run, const struct wa_agent_repo *r, size_t *at,
                          wa_repo_fn fn, void *user, struct wa_err *err)
{
    struct wa_sv address;
    struct wa_err first = WA_ERR_INIT;
    for (size_t i = *at; wa_agent_repo_address(r, i, &address); i++) {
        struct wa_err why = WA_ERR_INIT;
        struct wa_sv next;
        if (fn(run, r, address, user, &why) == WA_OK) {
            *at = i;
            return WA_OK;
        }
        if (first.code == WA_OK)
            first = why;
        if (is_ours(why.code)) {
            *err = why;
            return err->code;
        }
        if (!wa_agent_repo_address(r, i + 1, &next))
            break;
        wa_task_say(run, "%s; trying mirror '%.*s'\n", why.text, WA_SV_ARG(next));
        wa_log(&run->m->log, WA_LOG_WARNING, "repository.mirror", WA_LF_S("repository", r->name),
               WA_LF_SV("next", next), WA_LF_S("why", why.text));
    }
    if (first.code == WA_OK)
        return wa_fail(err, WA_E_NOT_FOUND, "repository '%s' has no further address", r->name);
    *err = first;
    return err->code;
}

enum wa_code wa_repo_fetch(struct wa_task_run *run, const struct wa_agent_repo *r,
                           const struct wa_repo_get *get, struct wa_sink *sink,
                           struct wa_fetch_result *ret, struct wa_err *err)
{
    struct wa_manager *m = run->m;
    const wa_helper_progress_fn progress = get->is_quiet ? NULL : wa_task_progress;
    struct wa_tls_trust trust;
    char condition[WA_ETAG_MAX + 32];
    const char *const headers[] = {get->etag != NULL && get->etag[0] != '\0' ? condition : NULL,
                                   NULL};
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_BUF_SECRET struct wa_buf own;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    wa_buf_init(&own, WA_TLS_IDENTITY_MAX);
    (void)snprintf(condition, sizeof condition, "If-None-Match: %s",
                   get->etag != NULL ? get->etag : "");
    if (wa_agent_trust(&m->config, r, get->url, &pem, &trust, err) != WA_OK ||
        wa_tls_identity_copy(m, get->url, &own, &trust.identity, err) != WA_OK)
        return err->code;
    const struct wa_fetch what = {.method = "GET",
                                  .url = get->url,
                                  .headers = headers,
                                  .trust = &trust,
                                  .silence_s = (uint32_t)r->timeout_s,
                                  .timeout_ms = get->timeout_ms,
                                  .allow_http = true,
                                  .redirects_max = WA_HTTP_REDIRECTS_MAX,
                                  .rate_max_bytes_s = r->rate_max_bytes_s,
                                  .max_bytes = get->max_bytes,
                                  .resume_from = get->resume_from,
                                  .proxy = wa_agent_repo_proxy(r)};
    enum wa_code code =
        wa_helper_fetch(m->launcher, &what, sink, progress, run, m->cancel, ret, err);
    if (code != WA_E_DENIED || trust.identity.n == 0)
        return code;
    /* Revoked, or from before the server had another one of us: what is for all comes without. */
    wa_tls_identity_doubt(m);
    wa_err_clear(err);
    trust.identity = WA_SV("");
    return wa_helper_fetch(m->launcher, &what, sink, progress, run, m->cancel, ret, err);
}
