/* status.c - what the machine is, to its server: the sections that have changed since the server
 * last said what it has, and the digests of all.
 *
 * What counts as known is the server's own answer, so a section that it has lost is sent again, and
 * one that it never got is never taken for sent. Statements are signed, numbered and dated (F1D).
 */
#include "agent/push.h"
#include "agent/report.h"
#include "os/clock.h"

/* What the server said it has; nothing where that is not known, or can't be read any more. */
static enum wa_code known_digests(struct wa_manager *m, struct wa_section_digests *ret,
                                  struct wa_err *err)
{
    static const struct wa_section_digests none = {{""}};
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&text, WA_ROLE_NOTE_MAX);
    wa_arena_init(&arena, 8 * WA_ROLE_NOTE_MAX);
    *ret = none;
    if (wa_param_get(m->tdb, "status_hashes", &text, err) != WA_OK || text.n == 0)
        return err->code;
    if (wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, &why) != WA_OK ||
        wa_section_digests_read(j, ret, &why) != WA_OK)
        *ret = none;
    return WA_OK;
}

static enum wa_code keep_digests(struct wa_manager *m, const struct wa_section_digests *d,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, WA_ROLE_NOTE_MAX);
    wa_jw_init(&w, &text);
    wa_section_digests_write(&w, d);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_param_set(m->tdb, "status_hashes", wa_buf_sv(&text), err);
}

static bool is_due(const struct wa_sections *s, size_t i, const struct wa_section_digests *known)
{
    return s->text[i].n > 0 && strcmp(s->digests.hex[i], known->hex[i]) != 0;
}

/* One statement. have: what the server says it has after it. */
static enum wa_code send_due(struct wa_manager *m, const struct wa_sections *s,
                             const struct wa_section_digests *known,
                             struct wa_section_digests *have, struct wa_err *err)
{
    struct wa_sv due[WA_SEC_COUNT];
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf answer;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    int64_t seq = 0;
    wa_buf_init(&text, WA_JSON_BYTES_MAX);
    wa_buf_init(&answer, WA_REPORT_ANSWER_MAX);
    wa_arena_init(&arena, 8 * WA_REPORT_ANSWER_MAX);
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        due[i] = is_due(s, i, known) ? wa_buf_sv(&s->text[i]) : WA_SV("");
    if (wa_param_next_seq(m->tdb, &seq, err) != WA_OK ||
        wa_status_write(wa_sv(m->uuid), seq, wa_clock_now(), due, &s->digests, &text, err) !=
            WA_OK ||
        wa_report_send(m, wa_buf_sv(&text), &answer, err) != WA_OK)
        return err->code;
    if (wa_json_parse(wa_buf_sv(&answer), 0, &arena, &j, err) != WA_OK ||
        wa_status_answer_read(j, have, err) != WA_OK)
        return wa_wrap(err, "the server's answer");
    return keep_digests(m, have, err);
}

/* Nothing has changed since the server last said what it has: a few bytes tell it so, where it
 * listens. */
static bool is_told_the_same(struct wa_manager *m, const struct wa_sections *s,
                             const struct wa_section_digests *known)
{
    char sum[65];
    struct wa_err ignored = WA_ERR_INIT;
    bool is_any_known = false;
    for (size_t i = 0; i < WA_SEC_COUNT; i++) {
        is_any_known = is_any_known || known->hex[i][0] != '\0';
        if (is_due(s, i, known))
            return false;
    }
    return is_any_known && wa_section_digests_sum(known, sum, &ignored) == WA_OK &&
           wa_push_same(m, sum);
}

static enum wa_code send_all(struct wa_manager *m, bool is_asked, struct wa_err *err)
{
    struct wa_section_digests known, have;
    WA_AUTO_SECTIONS struct wa_sections s;
    if (wa_sections_collect(m, &s, err) != WA_OK || known_digests(m, &known, err) != WA_OK)
        return err->code;
    if (!is_asked && is_told_the_same(m, &s, &known))
        return WA_OK;
    if (send_due(m, &s, &known, &have, err) != WA_OK)
        return err->code;
    bool is_behind = false;
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        is_behind = is_behind || is_due(&s, i, &have);
    known = have;
    return is_behind ? send_due(m, &s, &known, &have, err) : WA_OK; /* it had lost some */
}

enum wa_code wa_report_status(struct wa_manager *m, bool is_asked, struct wa_err *err)
{
    return send_all(m, is_asked, err) == WA_OK ? WA_OK : wa_wrap(err, "sending the status");
}

enum wa_code wa_status_show(struct wa_manager *m, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_SECTIONS struct wa_sections s;
    struct wa_jw w;
    if (wa_sections_collect(m, &s, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    for (size_t i = 0; i < WA_SEC_COUNT; i++) {
        if (s.text[i].n == 0)
            continue;
        wa_jw_key(&w, wa_section_name((enum wa_section)i));
        wa_jw_raw(&w, wa_buf_sv(&s.text[i]));
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}
