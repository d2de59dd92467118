/* Packages that are made in a page, and the process that has installers read: what a page's word
 * becomes, what is found in it by lint, what is refused; that a reader which is killed, silent or
 * taken over is told of, and the next question is answered; and all of it with memory running out.
 */
#include "torture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "console/making.h"
#include "os/proc.h"
#include "os/thread.h"

static char base[] = "/tmp/wapt-making-test-XXXXXX";
#define ID "0123456789abcdef0123456789abcdef"

/* --- what is made --- */

static const struct wa_template_options options = {
    .prefix = "acme", .maintainer = "Somebody", .maturity = "DEV"};

static const struct wa_json *parse(const char *text, struct wa_arena *arena)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    wa_torture_pause();
    WA_ASSERT_OK(wa_json_parse(wa_sv(text), 0, arena, &j, &err));
    wa_torture_resume();
    return j;
}

static char sources[64];

static void clear_sources(void)
{
    wa_torture_pause();
    wa_temp_remove(sources);
    assert_int_equal(mkdir(sources, 0700), 0);
    wa_torture_resume();
}

/* Read, proposed unless it is told, composed; the findings into out. */
static enum wa_code make(const char *request, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_MAKING struct wa_making m;
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_jw w;
    wa_arena_init(&arena, 16u << 20);
    wa_making_init(&m);
    enum wa_code code = wa_making_read(&m, parse(request, &arena), base, &arena, NULL, err);
    if (code == WA_OK && !m.is_told)
        code = wa_making_propose(&m, &options, NULL, NULL, err);
    clear_sources();
    if (code != WA_OK || wa_dir_open(sources, &dir, err) != WA_OK ||
        wa_making_compose(&m, &dir, false, NULL, NULL, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_making_write(&m, &w);
    wa_jw_kvsv(&w, "setup", wa_buf_sv(&m.setup));
    wa_making_write_findings(&m.findings, wa_buf_sv(&m.text), &w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

#define MADE(more) "{\"files\":[],\"made\":{\"kind\":\"none\"," more "}}"
#define GOOD                                                                                       \
    "\"package\":\"acme-x\",\"version\":\"1-1\",\"architecture\":\"all\",\"section\":\"base\","    \
    "\"description\":\"d\""
#define FILE_AT(name) "{\"id\":\"" ID "\",\"name\":\"" name "\"}"

static const struct {
    const char *request;
    enum wa_code code;
    const char *says; /* NULL: nothing but notes is found */
} cases[] = {
    {"{\"files\":[]}", WA_OK, "acme-package"},
    {MADE(GOOD), WA_OK, NULL},
    {MADE("\"package\":\"a b\",\"version\":\"1-1\""), WA_OK, "\"field\":\"package\""},
    {MADE("\"package\":\"acme-x\",\"version\":\"x\""), WA_OK, "\"field\":\"version\""},
    {MADE("\"package\":\"acme-x\",\"description\":\"a\\n\\nb\""), WA_OK, "control-syntax"},
    {MADE("\"package\":\"acme-x\",\"evil\":\"x\""), WA_E_INVALID, ""},
    {MADE("\"package\":7"), WA_E_INVALID, ""},
    {"{\"files\":[],\"made\":{\"kind\":\"msi\"}}", WA_E_INVALID, ""},
    {"{\"files\":[" FILE_AT("a/x") "]}", WA_OK, "acme-a"},
    {"{\"files\":[" FILE_AT("a/x.exe") "]}", WA_OK, "ProgramW6432"},
    {"{\"files\":[" FILE_AT("a/x") "," FILE_AT("b/x") "]}", WA_E_INVALID, ""},
    {"{\"files\":[" FILE_AT("a/x") "," FILE_AT("x") "]}", WA_E_INVALID, ""},
    {"{\"files\":[" FILE_AT("WAPT/x") "]}", WA_E_INVALID, ""},
    {"{\"files\":[" FILE_AT("../x") "]}", WA_E_INVALID, ""},
    {"{\"files\":[" FILE_AT("x.txt") "]}", WA_E_INVALID, ""}, /* no installer */
    {"{\"files\":[{\"id\":\"..\",\"name\":\"a/x\"}]}", WA_E_NOT_FOUND, ""},
    {"{\"files\":[" FILE_AT("x.deb") "],\"made\":{\"kind\":\"deb\",\"software\":\"it's\\\\\","
                                     "\"package\":\"acme-x\"}}",
     WA_OK, "NAME = 'it\\\\'s\\\\\\\\'"},
    {"{\"files\":[" FILE_AT("x.exe") "],\"made\":{\"kind\":\"exe\",\"silent\":\"/q '\\n\","
                                     "\"package\":\"acme-x\"}}",
     WA_OK, "SILENT = '/q \\\\''"},
};

static enum wa_code make_case(void *arg, struct wa_err *err)
{
    const size_t *i = arg;
    struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    enum wa_code code = make(cases[*i].request, &out, err);
    if (code == WA_OK) {
        bool is_clean = !wa_sv_has(wa_buf_sv(&out), WA_SV("\"level\":\"error\"")) &&
                        !wa_sv_has(wa_buf_sv(&out), WA_SV("\"level\":\"warning\""));
        if (cases[*i].says != NULL ? !wa_sv_has(wa_buf_sv(&out), wa_sv(cases[*i].says)) : !is_clean)
            fail_msg("%s: ...%s", cases[*i].request,
                     wa_buf_str(&out) + (out.n > 500 ? out.n - 500 : 0));
    }
    wa_buf_fini(&out);
    return code;
}

static void what_a_page_says_is_made(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        if (make_case(&i, &err) != cases[i].code)
            fail_msg("%s: %s", cases[i].request, err.text);
    }
}

static void memory_runs_out_while_it_is_made(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(cases); i++)
        if (cases[i].code == WA_OK)
            print_message("%zu: %zu allocations\n", i, wa_torture(make_case, &i));
}

/* --- who reads --- */

enum act {
    ANSWER,
    REFUSE,
    SAY_OK_FAILED,
    BEGIN, /* before it has taken the question: which comes once more */
    TAKE_THEN_BEGIN,
    CLOSE,
    LATE_THEN_ANSWER,
    LIE,
    SILENT
};
struct other { /* the process at the other end: one act for each question that comes */
    int fd;
    const enum act *acts;
    size_t count;
    struct wa_stop *stop; /* pulled when it is silent */
};

/* Whoever asked may have given up meanwhile. */
static void play(struct wa_chan *c, const struct other *o, enum act act,
                 const struct wa_chan_msg *msg)
{
    struct wa_err why = WA_ERR_INIT;
    uint32_t id = msg->id;
    switch (act) {
    case LATE_THEN_ANSWER:
        (void)!wa_chan_send(c, WA_READER_TOLD, id - 1, WA_SV("of before"), -1, &why);
        (void)!wa_chan_send(c, WA_READER_TOLD, id, WA_SV("told"), -1, &why);
        break;
    case ANSWER:
        (void)!wa_chan_send(c, WA_READER_TOLD, id, WA_SV("told"), -1, &why);
        break;
    case REFUSE:
        (void)!wa_chan_send(c, WA_READER_FAILED, id, WA_SV("invalid damaged"), -1, &why);
        break;
    case SAY_OK_FAILED:
        (void)!wa_chan_send(c, WA_READER_FAILED, id, WA_SV("ok fine"), -1, &why);
        break;
    case TAKE_THEN_BEGIN:
        (void)!wa_chan_send(c, WA_READER_TAKEN, id, WA_SV(""), -1, &why);
        (void)!wa_chan_send(c, WA_READER_BEGUN, 0, WA_SV(""), -1, &why);
        break;
    case BEGIN:
        (void)!wa_chan_send(c, WA_READER_BEGUN, 0, WA_SV(""), -1, &why);
        break;
    case LIE: /* what no rule allows */
        (void)!wa_chan_send(c, 77, id, WA_SV(""), -1, &why);
        break;
    case SILENT:
        wa_stop_pull(o->stop);
        break;
    case CLOSE:
        break;
    }
}

static void other_end(void *user)
{
    struct other *o = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan *c = NULL;
    struct wa_chan_msg msg;
    WA_ASSERT_OK(wa_chan_new(o->fd, wa_reader_asked, &c, &err));
    for (size_t i = 0; i < o->count; i++) {
        if (wa_chan_recv(c, -1, &msg, &err) != WA_OK)
            break;
        wa_fd_close(&msg.fd);
        play(c, o, o->acts[i], &msg);
        if (o->acts[i] == CLOSE)
            break;
    }
    wa_chan_free(c);
}

static const struct {
    enum act acts[4];
    enum wa_code codes[4];
} stories[] = {
    {{ANSWER, ANSWER, REFUSE, ANSWER}, {WA_OK, WA_OK, WA_E_INVALID, WA_OK}},
    {{BEGIN, ANSWER, LATE_THEN_ANSWER, ANSWER}, {WA_OK, WA_OK, WA_OK, WA_E_FAILED}},
    {{TAKE_THEN_BEGIN, ANSWER, BEGIN, BEGIN}, {WA_E_FAILED, WA_OK, WA_E_FAILED, WA_E_FAILED}},
    {{SAY_OK_FAILED, ANSWER, CLOSE, ANSWER}, {WA_E_FAILED, WA_OK, WA_E_FAILED, WA_E_FAILED}},
    {{LIE, ANSWER, ANSWER, ANSWER}, {WA_E_FAILED, WA_E_FAILED, WA_E_FAILED, WA_E_FAILED}},
    {{SILENT, ANSWER, ANSWER, ANSWER},
     {WA_E_CANCELLED, WA_E_CANCELLED, WA_E_CANCELLED, WA_E_CANCELLED}},
};

static void ask_all(struct wa_reader *r, size_t story, int file, struct wa_stop *stop)
{
    for (size_t k = 0; k < 4; k++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_buf out;
        wa_buf_init(&out, WA_TOOL_OUTPUT_MAX);
        enum wa_code code = wa_reader_ask(r, "deb", file, stop, &out, &err);
        if (code != stories[story].codes[k] ||
            (code == WA_OK && !wa_sv_eqs(wa_buf_sv(&out), "told")))
            fail_msg("story %zu, question %zu: %s", story, k, err.text);
        wa_buf_fini(&out);
    }
}

static void who_reads_is_lost_and_found(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    for (size_t i = 0; i < WA_COUNT(stories); i++) {
        int pair[2], file[2];
        struct wa_reader *r = NULL;
        struct wa_thread *t = NULL;
        struct wa_stop *stop = NULL;
        WA_ASSERT_OK(wa_stop_new(&stop, &err));
        WA_ASSERT_OK(wa_socketpair(pair, &err));
        WA_ASSERT_OK(wa_socketpair(file, &err));
        WA_ASSERT_OK(wa_reader_new(pair[0], &r, &err));
        struct other o = {pair[1], stories[i].acts, 4, stop};
        WA_ASSERT_OK(wa_thread_start(other_end, &o, &t, &err));
        ask_all(r, i, file[0], stop);
        wa_reader_free(r);
        wa_thread_join(t);
        wa_stop_free(stop);
        (void)close(file[0]);
        (void)close(file[1]);
    }
    struct wa_buf out;
    wa_buf_init(&out, 16);
    assert_int_equal(wa_reader_ask(NULL, "deb", -1, NULL, &out, &err), WA_E_NOT_FOUND);
    wa_buf_fini(&out);
}

/* --- a place for files --- */

static int make_place(void **state)
{
    char path[128];
    WA_UNUSED(state);
    if (mkdtemp(base) == NULL)
        return -1;
    (void)snprintf(sources, sizeof sources, "%s/sources", base);
    (void)snprintf(path, sizeof path, "%s/" ID, base);
    FILE *f = fopen(path, "w");
    return f != NULL && fputs("no installer\n", f) >= 0 && fclose(f) == 0 ? 0 : -1;
}

static int remove_place(void **state)
{
    WA_UNUSED(state);
    wa_temp_remove(base);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_page_says_is_made),
        cmocka_unit_test(memory_runs_out_while_it_is_made),
        cmocka_unit_test(who_reads_is_lost_and_found),
    };
    return cmocka_run_group_tests_name("console/making", tests, make_place, remove_place);
}
