/* tool.c - see the header. A line is taken apart before anything is put into it. */
#include "console/tool.h"

#include "base/buf.h"
#include "proto/hostid.h"

#define WORD_BYTES 4096u
#define FQDN_MAX 253u
#define IP_MAX 45u

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_fqdn(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && (i == 0 || (s.p[i] != '-' && s.p[i] != '.')))
            return false;
    return s.n > 0 && s.n <= FQDN_MAX;
}

/* Of IPv4 or IPv6, as digits. */
static bool is_ip(struct wa_sv s)
{
    size_t marks = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool is_mark = s.p[i] == '.' || s.p[i] == ':';
        marks += is_mark;
        if (!is_mark && !(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f') &&
            !(s.p[i] >= 'A' && s.p[i] <= 'F'))
            return false;
    }
    return marks > 1 && s.n <= IP_MAX && s.p[0] != '.';
}

static struct wa_sv first_ip(struct wa_sv list)
{
    size_t n = 0;
    while (n < list.n && list.p[n] != ' ' && list.p[n] != ',')
        n++;
    return wa_sv_n(list.p, n);
}

/* What stands for the place at the beginning of rest, which is cut off there. */
static enum wa_code take_place(struct wa_sv *rest, const struct wa_tool_host *h, struct wa_sv *ret,
                               struct wa_err *err)
{
    const struct {
        const char *place;
        struct wa_sv value;
        bool is_good;
    } places[] = {{"{ip}", first_ip(h->ips), is_ip(first_ip(h->ips))},
                  {"{uuid}", h->uuid, wa_hostid_is_valid(h->uuid)},
                  {"{computer_fqdn}", h->fqdn, is_fqdn(h->fqdn)}};
    for (size_t i = 0; i < WA_COUNT(places); i++) {
        if (!wa_sv_starts(*rest, places[i].place))
            continue;
        if (!places[i].is_good)
            return wa_fail(err, WA_E_REFUSED,
                           "what the machine says of %s is not of that form: '%.*s'",
                           places[i].place, WA_SV_ARG(places[i].value));
        *rest = wa_sv_sub(*rest, strlen(places[i].place), rest->n);
        *ret = places[i].value;
        return WA_OK;
    }
    return wa_fail(err, WA_E_CONFIG,
                   "of a machine a tool's line can have {ip}, {uuid} and {computer_fqdn}");
}

static enum wa_code fill(struct wa_sv word, const struct wa_tool_host *h, struct wa_buf *out,
                         struct wa_err *err)
{
    while (word.n > 0) {
        struct wa_sv value = wa_sv_sub(word, 0, 1);
        if (word.p[0] != '{')
            word = wa_sv_sub(word, 1, word.n);
        else if (take_place(&word, h, &value, err) != WA_OK)
            return err->code;
        wa_buf_addsv(out, value);
    }
    return wa_buf_check(out, err);
}

/* The next word of the line, without its quotes; false: none is left. */
static enum wa_code next_word(struct wa_sv *line, struct wa_buf *word, bool *ret_found,
                              struct wa_err *err)
{
    bool is_quoted = false;
    *line = wa_sv_trim(*line);
    *ret_found = line->n > 0;
    size_t at = 0;
    wa_buf_clear(word);
    for (; at < line->n && (is_quoted || (line->p[at] != ' ' && line->p[at] != '\t')); at++) {
        if (line->p[at] == '"')
            is_quoted = !is_quoted;
        else
            wa_buf_addc(word, line->p[at]);
    }
    *line = wa_sv_sub(*line, at, line->n);
    if (is_quoted)
        return wa_fail(err, WA_E_CONFIG, "a tool's line has a quote that does not end");
    return wa_buf_check(word, err);
}

enum wa_code wa_tool_argv(const char *line, const struct wa_tool_host *host, struct wa_arena *arena,
                          const char *const **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf word;
    WA_AUTO_BUF struct wa_buf filled;
    struct wa_sv rest = wa_sv(line);
    size_t n = 0, at;
    bool found = false;
    wa_buf_init(&word, WORD_BYTES);
    wa_buf_init(&filled, WORD_BYTES);
    const char **argv = wa_arena_alloc(arena, WA_TOOL_ARGS_MAX + 1, sizeof *argv);
    if (argv == NULL)
        return wa_nomem(err);
    for (; next_word(&rest, &word, &found, err) == WA_OK && found; n++) {
        wa_buf_clear(&filled);
        if (n == WA_TOOL_ARGS_MAX)
            return wa_fail(err, WA_E_CONFIG, "a tool's line of more than %u words",
                           WA_TOOL_ARGS_MAX);
        if (n == 0 && wa_sv_chr(wa_buf_sv(&word), '{', &at))
            return wa_fail(err, WA_E_CONFIG, "a tool's program is never what a machine says");
        if (fill(wa_buf_sv(&word), host, &filled, err) != WA_OK)
            return err->code;
        argv[n] = wa_arena_strdup(arena, wa_buf_sv(&filled));
        if (argv[n] == NULL)
            return wa_nomem(err);
    }
    argv[n] = NULL;
    *ret = argv;
    if (err->code != WA_OK)
        return err->code;
    return n > 0 && argv[0][0] != '\0' ? WA_OK
                                       : wa_fail(err, WA_E_CONFIG, "a tool's line is empty");
}
