/* local_confirm.c - the question that no page can answer: in a window of a pinentry, where there is
 * one, else on the terminal in which the program was started. A random code has to be typed, so
 * that keys pressed for something else say nothing.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "console/local_priv.h"
#include "console/pinentry.h"
#include "os/rand.h"
#include "os/term.h"

#define CODE_DIGITS 4
#define PATIENCE_MS 120000u
#define READING_MS 10u /* for each byte that is shown */

struct wa_local_confirm {
    struct wa_local *local;
    struct wa_local_job *job; /* the pinentry's; NULL: the terminal */
    struct wa_term *term;
    struct wa_io *io;
    char code[CODE_DIGITS + 1], typed[CODE_DIGITS + 1];
    size_t n;
    uint64_t until_ms;
    void (*told)(void *user, const struct wa_err *err);
    void *user;
};

const char *wa_local_confirm_method(const struct wa_local *l)
{
    return wa_local_prompt_is_there(l)            ? "pinentry"
           : wa_term_is_err() || wa_term_is_out() ? "terminal"
                                                  : "none";
}

void wa_local_confirm_waiting(const struct wa_local *l, char out[WA_LOCAL_WAITING])
{
    (void)snprintf(out, WA_LOCAL_WAITING, "{\"state\":\"gesture\",\"method\":\"%s\"}",
                   wa_local_confirm_method(l));
}

/* What the pool has of it. */
struct asking {
    struct wa_local_confirm *question; /* NULL: nobody waits any more */
    struct wa_buf text;
    char prompt[128];
};

static void confirm_free(struct wa_local_confirm *q)
{
    if (q == NULL)
        return;
    q->local->confirm = NULL;
    if (q->job != NULL) {
        wa_stop_pull(q->job->stop); /* its window goes */
        ((struct asking *)q->job->own)->question = NULL;
    }
    if (q->io != NULL)
        wa_io_free(q->io);
    wa_term_close(q->term);
    wa_wipe(q, sizeof *q);
    wa_free(q);
}

static void end_line(const struct wa_local_confirm *q)
{
    if (q->term != NULL)
        wa_term_put(q->term, WA_SV("\r\n"));
}

void wa_local_confirm_end(struct wa_local *l, const void *user)
{
    if (l->confirm == NULL || (user != NULL && l->confirm->user != user))
        return;
    end_line(l->confirm);
    confirm_free(l->confirm);
}

static void conclude(struct wa_local_confirm *q, const struct wa_err *err)
{
    void (*told)(void *, const struct wa_err *) = q->told;
    void *user = q->user;
    end_line(q);
    confirm_free(q);
    told(user, err);
}

static void judge(struct wa_local_confirm *q)
{
    struct wa_err err = WA_ERR_INIT;
    if (!wa_ct_equal(q->code, q->typed, CODE_DIGITS))
        (void)wa_fail(&err, WA_E_CANCELLED, "the person who was asked said no");
    conclude(q, &err);
}

static void on_key(void *user, int events)
{
    struct wa_local_confirm *q = user;
    char key = 0;
    WA_UNUSED(events);
    while (wa_term_key(q->term, &key)) {
        bool is_digit = key >= '0' && key <= '9';
        if (is_digit) {
            q->typed[q->n++] = key;
            wa_term_put(q->term, wa_sv_n(&key, 1));
        }
        if (!is_digit)
            memset(q->typed, 0, sizeof q->typed);
        if (!is_digit || q->n == CODE_DIGITS) {
            judge(q);
            return;
        }
    }
}

void wa_local_confirm_sweep(struct wa_local *l)
{
    struct wa_err err = WA_ERR_INIT;
    if (l->confirm == NULL || wa_loop_now_ms(l->loop) < l->confirm->until_ms)
        return;
    (void)wa_fail(&err, WA_E_CANCELLED, "nobody answered");
    conclude(l->confirm, &err);
}

/* Lines as a terminal wants them, and nothing that would move its cursor. */
static void put_text(struct wa_term *t, struct wa_sv text)
{
    WA_AUTO_BUF struct wa_buf out;
    uint32_t cp;
    wa_buf_init(&out, 16u << 20);
    for (size_t begin = 0, at = 0; wa_utf8_step(text, &at, &cp); begin = at) {
        if (cp == '\n')
            wa_buf_adds(&out, "\r\n");
        else if (wa_utf8_is_shown(cp))
            wa_buf_add(&out, text.p + begin, at - begin);
        else
            wa_buf_addc(&out, '?');
    }
    wa_term_put(t, wa_buf_sv(&out));
}

static enum wa_code draw_code(char out[CODE_DIGITS + 1], struct wa_err *err)
{
    uint8_t bytes[CODE_DIGITS];
    if (wa_rand_bytes(bytes, sizeof bytes, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < CODE_DIGITS; i++)
        out[i] = (char)('0' + bytes[i] % 10);
    return WA_OK;
}

static enum wa_code ask_terminal(struct wa_local_confirm *q, struct wa_sv text, struct wa_err *err)
{
    char prompt[256];
    if (wa_term_open(NULL, &q->term, err) != WA_OK ||
        wa_io_new(q->local->loop, wa_term_fd(q->term), on_key, q, &q->io, err) != WA_OK ||
        wa_io_set(q->io, WA_IO_READ, err) != WA_OK)
        return err->code;
    wa_term_put(q->term, WA_SV("\r\n"));
    put_text(q->term, text);
    (void)snprintf(prompt, sizeof prompt, wa_text("To do this, type %s; any other key says no: "),
                   q->code);
    wa_term_put(q->term, wa_sv(prompt));
    return WA_OK;
}

/* --- by a pinentry --- */

static enum wa_code ask_window(struct wa_local_job *job, struct wa_pinentry *p, struct wa_err *err)
{
    const struct asking *a = job->own;
    const struct wa_pinentry_question q = {.text = wa_buf_sv(&a->text), .prompt = a->prompt};
    return wa_pinentry_ask(p, &q, &job->out, err);
}

static enum wa_code ask_by_window(struct wa_local_job *job, struct wa_err *err)
{
    return wa_local_prompt_use(job, ask_window, err);
}

static void asked_by_window(struct wa_local_job *job, struct wa_err *err)
{
    struct asking *a = job->own;
    struct wa_local_confirm *q = a->question;
    wa_local_prompt_end(job, err);
    if (q == NULL)
        return;
    q->job = NULL;
    if (err->code == WA_E_UNREACHABLE && (wa_term_is_err() || wa_term_is_out())) {
        wa_err_clear(err);
        if (ask_terminal(q, wa_buf_sv(&a->text), err) == WA_OK)
            return;
    }
    if (err->code != WA_OK) {
        conclude(q, err);
        return;
    }
    if (job->out.n == CODE_DIGITS)
        memcpy(q->typed, job->out.p, CODE_DIGITS);
    judge(q);
}

static void asking_fini(struct wa_local_job *job)
{
    struct asking *a = job->own;
    wa_buf_fini(&a->text);
    wa_free(a);
}

static enum wa_code start_window(struct wa_local_confirm *q, struct wa_sv text, struct wa_err *err)
{
    struct wa_local_job *job = wa_local_job_new(q->local, NULL);
    struct asking *a = job != NULL ? wa_calloc(1, sizeof *a) : NULL;
    if (job == NULL)
        return wa_nomem(err);
    if (a == NULL) {
        (void)wa_nomem(err);
        wa_local_job_refuse(job, err);
        return err->code;
    }
    wa_buf_init(&a->text, 16u << 20);
    wa_buf_addsv(&a->text, text);
    (void)snprintf(a->prompt, sizeof a->prompt, wa_text("To do this, type %s:"), q->code);
    job->own = a;
    job->fini = asking_fini;
    job->work = ask_by_window;
    job->done = asked_by_window;
    if (wa_buf_check(&a->text, err) != WA_OK || wa_local_prompt_begin(job, err) != WA_OK) {
        wa_local_job_refuse(job, err);
        return err->code;
    }
    a->question = q;
    q->job = job;
    wa_local_job_start(job);
    return WA_OK;
}

enum wa_code wa_local_confirm(struct wa_local *l, struct wa_sv text,
                              void (*told)(void *user, const struct wa_err *err), void *user,
                              struct wa_err *err)
{
    if (l->confirm != NULL)
        return wa_fail(err, WA_E_BUSY, "another question waits for its answer");
    if (strcmp(wa_local_confirm_method(l), "none") == 0)
        return wa_fail(err, WA_E_DENIED,
                       "this is asked on the terminal, and waptconsole was not started in one");
    struct wa_local_confirm *q = wa_calloc(1, sizeof *q);
    if (q == NULL)
        return wa_nomem(err);
    *q = (struct wa_local_confirm){.local = l, .told = told, .user = user};
    if (draw_code(q->code, err) != WA_OK ||
        (wa_local_prompt_is_there(l) ? start_window(q, text, err) : ask_terminal(q, text, err)) !=
            WA_OK) {
        confirm_free(q);
        return err->code;
    }
    q->until_ms = wa_loop_now_ms(l->loop) + PATIENCE_MS + text.n * READING_MS;
    l->confirm = q;
    return WA_OK;
}
