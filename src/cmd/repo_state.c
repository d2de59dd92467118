/* repo_state.c - a state that is to be published: described, judged as a machine would, shown, and
 * signed. Shared by wapt-repo, which works on the repository itself, and waptconsole, which fetches
 * what is needed.
 */
#include "cmd/repo_state.h"

#include "codec/hex.h"
#include "os/clock.h"

void wa_repo_tell(void *user, enum wa_publish_change change, struct wa_sv file,
                  const struct wa_err *why)
{
    static const char *const names[] = {"same", "added", "changed", "gone"};
    struct wa_repo_told *t = user;
    struct wa_jw *w = &t->cli->jw;
    t->counts[change]++;
    if (change == WA_PUBLISH_SAME && why->code == WA_OK)
        return;
    wa_jw_obj(w);
    wa_jw_kvsv(w, "file", file);
    wa_jw_kv(w, "change", names[change]);
    wa_jw_kv(w, "code", wa_code_name(why->code));
    wa_jw_kv(w, "error", why->code == WA_OK ? NULL : why->text);
    wa_jw_end(w);
    if (why->code != WA_OK)
        wa_cli_out(t->cli, "  refused  %.*s: %s\n", WA_SV_ARG(file), why->text);
    else if (!t->is_verify)
        wa_cli_out(t->cli, "  %-8s %.*s\n", names[change], WA_SV_ARG(file));
}

void wa_repo_job_init(struct wa_repo_job *j)
{
    *j = (struct wa_repo_job){.dir = WA_DIR_INIT};
    wa_buf_init(&j->text, WA_PUBLISHED_BYTES_MAX);
}

void wa_repo_job_fini(struct wa_repo_job *j)
{
    wa_root_free(j->root);
    wa_published_free(j->last);
    wa_published_free(j->next);
    wa_buf_fini(&j->text);
    wa_dir_close(&j->dir);
}

enum wa_code wa_repo_job_options(const struct wa_cli *cli, struct wa_repo_job *j,
                                 struct wa_err *err)
{
    const char *text;
    j->o.now = wa_clock_now();
    j->o.days = j->root->published_days < 7 ? j->root->published_days : 7;
    j->o.revoked = j->revoked;
    for (size_t i = 0; (text = wa_cli_at(cli, "revoke", i)) != NULL; i++) {
        if (i == WA_COUNT(j->revoked))
            return wa_fail(err, WA_E_USAGE, "at most %zu certificates at once",
                           WA_COUNT(j->revoked));
        if (!wa_hex_fingerprint(wa_sv(text), j->fingerprints[i]))
            return wa_fail(err, WA_E_USAGE, "'%s' is no SHA-256 of a certificate", text);
        j->revoked[i] = j->fingerprints[i];
        j->o.revoked_count = i + 1;
    }
    return wa_cli_int(cli, "days", 1, j->root->published_days, &j->o.days, err);
}

enum wa_code wa_repo_job_prepare(struct wa_cli *cli, struct wa_repo_job *j, struct wa_err *err)
{
    struct wa_repo_told t = {.cli = cli};
    WA_AUTO_BUF struct wa_buf draft;
    size_t bad = 0;
    wa_buf_init(&draft, WA_PUBLISHED_BYTES_MAX);
    if (wa_publish_propose(&j->dir, j->root, j->known, j->last_mtime, &j->o, &j->text, err) !=
            WA_OK ||
        wa_signed_none(wa_buf_sv(&j->text), &draft, err) != WA_OK ||
        wa_published_read(wa_buf_sv(&draft), &j->next, err) != WA_OK)
        return err->code;
    wa_jw_key(&cli->jw, "files");
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_publish_judge(&j->dir, j->root, j->next, j->known, j->o.force, j->o.now,
                                         wa_repo_tell, &t, &bad, err);
    wa_jw_end(&cli->jw);
    if (code != WA_OK)
        return code;
    wa_cli_out(cli, "%zu packages added, %zu changed, %zu gone, %zu as before; %zu revoked\n",
               t.counts[WA_PUBLISH_ADDED], t.counts[WA_PUBLISH_CHANGED], t.counts[WA_PUBLISH_GONE],
               t.counts[WA_PUBLISH_SAME], wa_json_count(j->next->revoked));
    return bad == 0
               ? WA_OK
               : wa_fail(err, WA_E_REFUSED,
                         wa_text_n("machines would refuse %zu package: nothing is published",
                                   "machines would refuse %zu packages: nothing is published", bad),
                         bad);
}

enum wa_code wa_repo_job_sign(const struct wa_cli *cli, struct wa_repo_job *j, struct wa_buf *json,
                              struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer loaded = {.key = NULL};
    WA_AUTO(wa_published) struct wa_published *done = NULL;
    const struct wa_get_signer *signer = j->signer != NULL ? j->signer : &loaded;
    if ((j->signer == NULL && wa_get_signer_load(cli, &loaded, err) != WA_OK) ||
        wa_signed_add(wa_buf_sv(&j->text), NULL, wa_cert_fingerprint(signer->chain.items[0]),
                      signer->key, json, err) != WA_OK ||
        wa_published_read(wa_buf_sv(json), &done, err) != WA_OK ||
        wa_published_check(done, j->root, j->o.now, NULL, err) != WA_OK)
        return err->code;
    return WA_OK;
}

enum wa_code wa_repo_job_confirm(const struct wa_cli *cli, struct wa_err *err)
{
    return wa_cli_has(cli, "yes") ? WA_OK : wa_cli_confirm("Publish this state?", "--yes", err);
}

enum wa_code wa_repo_job_known(const struct wa_cli *cli, struct wa_repo_job *j, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (j->last != NULL &&
        wa_published_check_signer(j->last, j->root, j->o.now, NULL, &why) == WA_OK)
        j->known = j->last;
    else if (j->last != NULL)
        wa_cli_say(cli, "nothing is taken over from the last list: %s", why.text);
    if (j->last != NULL && j->last->version >= INT64_MAX - 1)
        return wa_fail(err, WA_E_INVALID, "the last list has a version that nothing can follow");
    j->o.version = j->last == NULL ? 1 : j->last->version + 1;
    return WA_OK;
}
