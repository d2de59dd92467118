/* store_scan.c - asks the scan process, or trust, and waits, whoever asked meanwhile going on.
 *
 * Scan judges and writes the repository; that the caller may ask for it was judged before, and what
 * came of it is told here: in the journal, the log, and to who asked.
 */
#include "server/store_scan.h"

#include "base/mem.h"

static void forget(struct wa_store *s, struct wa_scanning *k)
{
    struct wa_scanning **at = &s->scannings;
    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    wa_free(k);
}

bool wa_store_is_scanning(const struct wa_store *s, const char *upload, const char *op)
{
    for (const struct wa_scanning *k = s->scannings; k != NULL; k = k->next)
        if (strcmp(k->upload.id, upload) == 0 && strcmp(k->op, op) == 0)
            return true;
    return false;
}

enum wa_code wa_store_scan_said(struct wa_sv payload, struct wa_arena *arena,
                                const struct wa_json **ret, struct wa_err *err)
{
    if (wa_json_answer(payload, arena, ret, err) != WA_OK)
        return err->code;
    return wa_json_get(*ret, "code") != NULL
               ? WA_OK
               : wa_fail(err, WA_E_INTERNAL, "the scan process does not say whether it was done");
}

static void on_scanned(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wa_scanning *k = user;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 256u << 20);
    (void)!wa_store_scan_said(payload, &arena, &j, &err);
    k->done(s, k, j, &err);
    forget(s, k);
}

static void write_wish(const struct wa_scan_wish *wish, const char *op, struct wa_buf *out)
{
    const struct {
        const char *key;
        struct wa_sv value;
    } texts[] = {{"file", wish->file},         {"name", wish->name},
                 {"sha256", wish->sha256},     {"text", wish->text},
                 {"replaces", wish->replaces}, {"perimeter", wish->perimeter}};
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {{"size", wish->size}, {"reserved", wish->reserved}, {"rights", wish->rights}};
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "op", op);
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        if (texts[i].value.p != NULL)
            wa_jw_kvsv(&w, texts[i].key, texts[i].value);
    for (size_t i = 0; i < WA_COUNT(numbers); i++)
        if (numbers[i].value != 0)
            wa_jw_kvi(&w, numbers[i].key, numbers[i].value);
    wa_jw_end(&w);
}

enum wa_code wa_api_scan(struct wa_api_call *c, enum wa_server_role whom, const char *op,
                         const struct wa_scan_wish *wish, const struct wa_upload *u,
                         void (*done)(struct wa_store *s, struct wa_scanning *k,
                                      const struct wa_json *answer, const struct wa_err *err),
                         struct wa_err *err)
{
    struct wa_store *s = c->store;
    WA_AUTO_BUF struct wa_buf question;
    struct wa_scan_wish full = *wish;
    wa_buf_init(&question, WA_SCAN_QUESTION_MAX);
    if (whom == WA_SR_SCAN) { /* which judges by them too */
        full.rights = c->who.rights;
        full.perimeter = wa_buf_sv(&c->who.perimeter);
    }
    write_wish(&full, op, &question);
    if (wa_buf_check(&question, err) != WA_OK)
        return err->code;
    struct wa_scanning *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    *k = (struct wa_scanning){.request = c->request, .op = op, .done = done};
    if (u != NULL)
        k->upload = *u;
    (void)snprintf(k->user, sizeof k->user, "%s", c->who.user);
    if (wa_store_ask(s, whom, wa_buf_sv(&question), on_scanned, k, err) != WA_OK) {
        wa_free(k);
        return err->code;
    }
    k->next = s->scannings;
    s->scannings = k;
    c->is_later = true;
    return WA_OK;
}

/* The repository has it already: what the journal can't take is an error of the server's, not of
 * who asked. */
static void note(struct wa_store *s, const struct wa_scanning *k, struct wa_sv file,
                 struct wa_sv names)
{
    struct wa_sv host = wa_sv(k->upload.host);
    struct wa_err err = WA_ERR_INIT;
    const struct wa_journal_act act = {.act = "package.changed",
                                       .user = wa_sv(k->user),
                                       .peer = k->request->peer,
                                       .what = {{"op", wa_sv(k->op)},
                                                {"path", wa_sv(k->request->path)},
                                                {"file", file},
                                                {"sha256", wa_sv(k->upload.sha256)}}};
    if (wa_db_begin(s->db, &err) == WA_OK && wa_store_note(s, &act, &err) == WA_OK &&
        (host.n == 0 || (wa_store_set_names(s->db, host, names, &err) == WA_OK &&
                         wa_node_tell(s, WA_NODE_HOST, host, &err) == WA_OK)) &&
        wa_db_commit(s->db, &err) == WA_OK &&
        (host.n == 0 || wa_fleet_set_tags(s->fleet, host, WA_FLEET_IN, names, &err) == WA_OK))
        return;
    wa_db_rollback(s->db);
    wa_log_err(&s->child.log, WA_LOG_ERROR, "journal.failed", &err);
}

void wa_store_tell_change(struct wa_store *s, const struct wa_scanning *k, struct wa_sv file,
                          struct wa_sv names, const struct wa_err *err)
{
    bool is_made = err->code == WA_OK;
    if (is_made) {
        note(s, k, file, names);
        wa_store_event(s, WA_EVENT_PACKAGE, strcmp(k->op, "delete") == 0 ? "deleted" : "published",
                       wa_sv(k->upload.host), file,
                       WA_SV("")); /* a machine's own is told as such */
    }
    wa_log(&s->child.log, is_made ? WA_LOG_INFO : WA_LOG_WARNING,
           is_made ? "package.changed" : "package.refused", WA_LF_S("op", k->op),
           WA_LF_S("user", k->user), WA_LF_S("peer", k->request->peer),
           WA_LF_S("path", k->request->path), WA_LF_SV("file", file), WA_LF_S("why", err->text));
}

void wa_store_answer_list(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                          const struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_err why = *err;
    WA_UNUSED(s);
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX - 4096);
    if (why.code == WA_OK)
        wa_json_write(wa_json_get(answer, "list"), &out);
    if (why.code == WA_OK && wa_buf_check(&out, &why) == WA_OK)
        wa_store_answer(k->request, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(k->request, &why);
}
