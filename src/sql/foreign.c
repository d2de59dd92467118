/* foreign.c - the text of a foreign statement: what is allowed in it, for both databases alike.
 *
 * A small lexer that accepts what both read the same way, and refuses the rest: comments, quotes of
 * other kinds, placeholders, casts by '::'. A name before '(' is a function of the list, or one of
 * the language's own words. It does not parse: the database does.
 */
#include "sql/foreign.h"

static const char *const functions[] = {
    "abs",          "avg",          "cast",         "coalesce",    "count",      "date",
    "datetime",     "dense_rank",   "extract",      "first_value", "floor",      "glob",
    "group_concat", "ifnull",       "instr",        "julianday",   "lag",        "last_value",
    "lead",         "length",       "like",         "lower",       "ltrim",      "max",
    "min",          "mod",          "now",          "ntile",       "nullif",     "rank",
    "replace",      "round",        "row_number",   "rtrim",       "split_part", "strftime",
    "string_agg",   "strpos",       "substr",       "substring",   "sum",        "time",
    "to_char",      "to_timestamp", "total",        "trim",        "typeof",     "unixepoch",
    "upper",        "ceil",         "current_date", "date_trunc",  "->",         "->>"};
/* Words that may stand before '('. */
static const char *const words[] = {
    "all",    "and",    "any",    "as",     "between", "by",     "case",  "distinct",  "else",
    "except", "exists", "filter", "from",   "group",   "having", "in",    "intersect", "is",
    "join",   "limit",  "not",    "offset", "on",      "or",     "order", "over",      "partition",
    "select", "some",   "then",   "union",  "using",   "values", "when",  "where",     "within"};
/* Words that may stand nowhere. */
static const char *const never[] = {"into", "recursive", "pragma", "attach", "detach", "vacuum"};
static const char *const never_begin[] = {"pg_", "sqlite_", "information_schema", "wapt_", "wa_",
                                          "lo_", "pragma_"};

static bool is_one(struct wa_sv name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (wa_sv_ieqs(name, list[i]))
            return true;
    return false;
}

bool wa_foreign_is_function(struct wa_sv name)
{
    return is_one(name, functions, WA_COUNT(functions));
}

void wa_foreign_add_select(const struct wa_foreign_view *v, const char *schema, struct wa_buf *out)
{
    struct wa_sv rest = wa_sv(v->select), part;
    for (bool is_first = true; wa_sv_split(&rest, '@', &part); is_first = false) {
        wa_buf_adds(out, is_first ? "" : schema);
        wa_buf_addsv(out, part);
    }
}

const char *wa_foreign_functions(void)
{
    return "abs avg cast ceil coalesce count date date_trunc datetime dense_rank extract "
           "first_value floor group_concat ifnull instr julianday lag last_value lead length lower "
           "ltrim max min mod now ntile nullif rank replace round row_number rtrim split_part "
           "strftime string_agg strpos substr substring sum time to_char to_timestamp total trim "
           "typeof unixepoch upper";
}

struct lex {
    struct wa_sv text;
    size_t at;
    struct wa_sv name; /* of the token that has just been read; empty when it was none */
    bool is_quoted;
    int depth; /* of parentheses */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct lex *l, size_t ahead)
{
    return l->at + ahead < l->text.n ? l->text.p[l->at + ahead] : '\0';
}

static enum wa_code refuse_name(struct wa_sv name, struct wa_err *err)
{
    char low[32];
    size_t n = name.n < sizeof low - 1 ? name.n : sizeof low - 1;
    for (size_t i = 0; i < n; i++)
        low[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
    low[n] = '\0';
    bool is_never = is_one(name, never, WA_COUNT(never));
    for (size_t i = 0; i < WA_COUNT(never_begin); i++)
        is_never |= strncmp(low, never_begin[i], strlen(never_begin[i])) == 0;
    return is_never ? wa_fail(err, WA_E_USAGE, "a report can't say '%.*s'", WA_SV_ARG(name))
                    : WA_OK;
}

/* 'text' with '' for one quote, or "name". */
static enum wa_code read_quoted(struct lex *l, struct wa_err *err)
{
    char quote = peek(l, 0);
    size_t from = l->at + 1, end = from;
    while (end < l->text.n && l->text.p[end] != quote)
        end++;
    if (end == l->text.n)
        return wa_fail(err, WA_E_USAGE, "a report with a quote that does not end");
    l->at = end + 1;
    if (quote == '\'')
        return WA_OK; /* a doubled one reads as two texts */
    l->name = wa_sv_n(l->text.p + from, end - from);
    l->is_quoted = true;
    return refuse_name(l->name, err);
}

static enum wa_code read_name(struct lex *l, struct wa_err *err)
{
    size_t from = l->at;
    while (is_letter(peek(l, 0)) || is_digit(peek(l, 0)))
        l->at++;
    l->name = wa_sv_n(l->text.p + from, l->at - from);
    l->is_quoted = false;
    if (peek(l, 0) == '\'')
        return wa_fail(err, WA_E_USAGE, "a report has texts in plain quotes only");
    return refuse_name(l->name, err);
}

static enum wa_code open_paren(struct lex *l, struct wa_sv before, bool was_quoted,
                               struct wa_err *err)
{
    l->at++;
    if (++l->depth > 100)
        return wa_fail(err, WA_E_USAGE, "a report with more than 100 levels of parentheses");
    if (before.n == 0)
        return WA_OK;
    if (!was_quoted && (wa_foreign_is_function(before) || is_one(before, words, WA_COUNT(words))))
        return WA_OK;
    return wa_fail(err, WA_E_USAGE,
                   "a report can't call '%.*s': what it may call stands in docs/reports.md",
                   WA_SV_ARG(before));
}

/* One token that is neither a name nor quoted. */
static enum wa_code read_other(struct lex *l, struct wa_err *err)
{
    static const char signs[] = "+-*/%<>=!|,.";
    char c = peek(l, 0), next = peek(l, 1);
    if ((c == '-' && next == '-') || (c == '/' && next == '*'))
        return wa_fail(err, WA_E_USAGE, "a report has no comments");
    if (c == ')' && --l->depth < 0)
        return wa_fail(err, WA_E_USAGE, "a report with a ')' too many");
    if (is_digit(c)) {
        while (is_digit(peek(l, 0)) || peek(l, 0) == '.')
            l->at++;
        return is_letter(peek(l, 0))
                   ? wa_fail(err, WA_E_USAGE, "a report with a number that is none")
                   : WA_OK;
    }
    if (c == '\0' || (c != ')' && strchr(signs, c) == NULL))
        return wa_fail(err, WA_E_USAGE, "a report can't have the sign at byte %zu", l->at + 1);
    l->at++;
    return WA_OK;
}

static enum wa_code read_token(struct lex *l, struct wa_err *err)
{
    struct wa_sv before = l->name;
    bool was_quoted = l->is_quoted;
    char c = peek(l, 0);
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        l->at++; /* a blank before '(' changes nothing */
        return WA_OK;
    }
    l->name = (struct wa_sv){NULL, 0};
    if (c == '\'' || c == '"')
        return read_quoted(l, err);
    if (is_letter(c))
        return read_name(l, err);
    if (c == '(')
        return open_paren(l, before, was_quoted, err);
    return read_other(l, err);
}

enum wa_code wa_foreign_check(const char *sql, struct wa_err *err)
{
    struct lex l = {.text = wa_sv_trim(wa_sv(sql))};
    if (l.text.n > WA_FOREIGN_TEXT_MAX)
        return wa_fail(err, WA_E_USAGE, "a report of more than %u bytes", WA_FOREIGN_TEXT_MAX);
    if (!is_letter(peek(&l, 0)))
        return wa_fail(err, WA_E_USAGE, "a report begins with SELECT or WITH");
    for (bool is_first = true; l.at < l.text.n; is_first = false) {
        if (read_token(&l, err) != WA_OK)
            return err->code;
        if (is_first && !wa_sv_ieqs(l.name, "select") && !wa_sv_ieqs(l.name, "with"))
            return wa_fail(err, WA_E_USAGE, "a report begins with SELECT or WITH");
    }
    return l.depth == 0 ? WA_OK : wa_fail(err, WA_E_USAGE, "a report with a '(' that does not end");
}

enum wa_code wa_foreign_run(const struct wa_foreign *f, const char *scope, const char *sql,
                            const struct wa_foreign_sink *sink, bool *ret_is_cut,
                            struct wa_err *err)
{
    if (wa_foreign_check(sql, err) != WA_OK)
        return err->code;
    return wa_sv_starts(wa_sv(f->url), "sqlite:")
               ? wa_foreign_run_sqlite(f, scope, sql, sink, ret_is_cut, err)
               : wa_foreign_run_pgsql(f, scope, sql, sink, ret_is_cut, err);
}
