/* lint.c - findings, and the rules about the files of a package. */
#include "pkg/lint.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "pkg/build_priv.h"
#include "pkg/members_dir.h"
#include "pkg/selfservice.h"

#include <stdarg.h>

#define FILE_LARGE (512u << 20)       /* bytes: uploads and agents' disks feel it */
#define PACKAGE_LARGE (2048ull << 20) /* bytes: WAPT's own agents are 32-bit programs */
#define KEY_LOOKED_AT (64u << 10)     /* bytes of a file that may be a private key */
#define TEXT_MAX 2048u                /* bytes of a text of ours, in any language */

/* --- findings --- */

const char *wa_lint_level_name(enum wa_lint_level l)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[l];
}

static void finding_fini(struct wa_finding *f)
{
    wa_free(f->rule);
    wa_free(f->file);
    wa_free(f->text);
}

void wa_findings_fini(struct wa_findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        finding_fini(&f->items[i]);
    WA_VEC_FREE(f);
}

size_t wa_findings_count(const struct wa_findings *f, enum wa_lint_level l)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        n += f->items[i].level == l;
    return n;
}

enum wa_code wa_lint_add(struct wa_findings *f, enum wa_lint_level level, const char *rule,
                         const char *file, unsigned line, struct wa_err *err, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    for (size_t i = 0; f->ignored != NULL && f->ignored[i] != NULL; i++)
        if (strcmp(f->ignored[i], rule) == 0)
            return WA_OK;
    if (f->n == WA_LINT_FINDINGS_MAX)
        return WA_OK; /* nobody reads more */
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, wa_text(fmt), args);
    va_end(args);
    struct wa_finding one = {.level = level, .line = line};
    if (wa_sv_dup(wa_sv(rule), &one.rule, err) != WA_OK ||
        wa_sv_dup(wa_sv(file), &one.file, err) != WA_OK ||
        wa_sv_dup(wa_sv(text), &one.text, err) != WA_OK) {
        finding_fini(&one);
        return err->code;
    }
    struct wa_finding *slot = WA_VEC_PUSH(f);
    if (slot == NULL) {
        finding_fini(&one);
        return wa_nomem(err);
    }
    *slot = one;
    return WA_OK;
}

/* --- what the other process says --- */

static bool read_level(struct wa_sv word, enum wa_lint_level *ret)
{
    for (int l = WA_LINT_NOTE; l <= WA_LINT_ERROR; l++)
        if (wa_sv_eqs(word, wa_lint_level_name((enum wa_lint_level)l))) {
            *ret = (enum wa_lint_level)l;
            return true;
        }
    return false;
}

/* The text in the reader's language, and in the place of each %s of it the next of what follows.
 * Neither is a format: another process wrote it. */
static void fill(struct wa_sv line, struct wa_buf *out)
{
    char text[TEXT_MAX / 2];
    struct wa_sv english, word;
    (void)wa_sv_split(&line, '\t', &english);
    if (english.n >= sizeof text) {
        wa_buf_addsv(out, english);
        return;
    }
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(english));
    struct wa_sv rest = wa_sv(wa_text(text));
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] != '%' || i + 1 == rest.n || rest.p[i + 1] != 's') {
            wa_buf_addc(out, rest.p[i]);
            continue;
        }
        i++;
        if (wa_sv_split(&line, '\t', &word))
            wa_buf_addsv(out, word);
    }
}

enum wa_code wa_lint_take(struct wa_sv text, struct wa_findings *f, struct wa_err *err)
{
    struct wa_sv line;
    while (wa_sv_split(&text, '\n', &line)) {
        struct wa_sv number, level, rule;
        int64_t at = 0;
        enum wa_lint_level l;
        char name[64];
        WA_AUTO_BUF struct wa_buf said;
        wa_buf_init(&said, line.n + TEXT_MAX);
        if (!wa_sv_split(&line, '\t', &number) || !wa_sv_split(&line, '\t', &level) ||
            !wa_sv_split(&line, '\t', &rule) || !wa_sv_i64(number, &at) || at < 0 ||
            at > INT32_MAX || !read_level(level, &l) || rule.n >= sizeof name ||
            !wa_utf8_valid(line))
            continue;
        (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(rule));
        fill(line, &said);
        if (wa_buf_check(&said, err) != WA_OK || wa_lint_add(f, l, name, "setup.py", (unsigned)at,
                                                             err, "%s", wa_buf_str(&said)) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- files --- */

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((uint8_t)*text >= 0x80)
            return false;
    return true;
}

/* By its name, then by its text: whoever can download a package has what is in it. */
static enum wa_code look_for_key(const struct wa_dir *dir, const struct wa_member *m,
                                 struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    static const char *const endings[] = {".pem", ".key", ".p12", ".pfx", ".ppk"};
    struct wa_sv name = wa_sv(m->name.p);
    bool may_be = false;
    wa_buf_init(&text, KEY_LOOKED_AT);
    for (size_t i = 0; i < WA_COUNT(endings); i++)
        may_be = may_be || wa_sv_ends(name, endings[i]);
    if (!may_be || m->size > KEY_LOOKED_AT)
        return WA_OK;
    if (wa_file_read(dir, &m->name, KEY_LOOKED_AT, &text, err) != WA_OK)
        return err->code;
    bool is_key = wa_sv_ends(name, ".p12") || wa_sv_ends(name, ".pfx");
    for (size_t i = 0; i < text.n && !is_key; i++)
        is_key = wa_sv_starts(wa_sv_sub(wa_buf_sv(&text), i, 12), "PRIVATE KEY") ||
                 wa_sv_starts(wa_sv_sub(wa_buf_sv(&text), i, 12), "PuTTY-User");
    return !is_key ? WA_OK
                   : wa_lint_add(f, WA_LINT_WARNING, "private-key", m->name.p, 0, err,
                                 "looks like a private key: everybody who can download the package "
                                 "will have it; leave it out");
}

static enum wa_code check_file(const struct wa_dir *dir, const struct wa_member *m,
                               const struct wa_build_options *o, struct wa_findings *f,
                               struct wa_err *err)
{
    if (wa_build_leaves_out(&m->name, o))
        return wa_lint_add(f, WA_LINT_NOTE, "left-out", m->name.p, 0, err,
                           "will not be in the package");
    if (!is_ascii(m->name.p) &&
        wa_lint_add(f, WA_LINT_WARNING, "file-name", m->name.p, 0, err,
                    "has letters with accents in its name, which installers and WAPT's own agents "
                    "stumble over: rename it") != WA_OK)
        return err->code;
    if (m->size > FILE_LARGE &&
        wa_lint_add(f, WA_LINT_WARNING, "file-size", m->name.p, 0, err,
                    "has %llu MiB, which every machine downloads and unpacks: have the script "
                    "fetch it, or give the installer's smaller form",
                    (unsigned long long)(m->size >> 20)) != WA_OK)
        return err->code;
    return look_for_key(dir, m, f, err);
}

/* Rules that agents would refuse, and rules where none looks for them. */
static enum wa_code check_rules(const struct wa_dir *dir, const struct wa_members *members,
                                const char *section, struct wa_findings *f, struct wa_err *err)
{
    static const struct wa_relpath file = {WA_SELF_FILE, sizeof WA_SELF_FILE - 1};
    WA_AUTO_SELF_RULES struct wa_self_rules rules;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err why = WA_ERR_INIT;
    bool is_rules = strcmp(section, WA_SELF_SECTION) == 0;
    size_t at;
    wa_buf_init(&text, WA_SELF_BYTES_MAX);
    if (wa_self_rules_init(&rules, err) != WA_OK)
        return err->code;
    if (!wa_members_find(members, WA_SELF_FILE, &at))
        return !is_rules
                   ? WA_OK
                   : wa_lint_add(
                         f, WA_LINT_ERROR, "selfservice-rules", ".", 0, err,
                         "has no selfservice.json, which says what members of which group may "
                         "install");
    if (!is_rules)
        return wa_lint_add(f, WA_LINT_WARNING, "selfservice-rules", WA_SELF_FILE, 0, err,
                           "counts only in a package of section selfservice");
    if (wa_file_read(dir, &file, WA_SELF_BYTES_MAX, &text, &why) == WA_OK &&
        wa_self_rules_add(&rules, wa_buf_sv(&text), &why) == WA_OK)
        return WA_OK;
    return why.code == WA_E_NOMEM ? wa_nomem(err)
                                  : wa_lint_add(f, WA_LINT_ERROR, "selfservice-rules", WA_SELF_FILE,
                                                0, err, "%s", why.text);
}

static enum wa_code check_presence(const struct wa_members *members, const char *section,
                                   struct wa_findings *f, struct wa_err *err)
{
    static const char *const without_code[] = {"group",   "host", "unit",
                                               "profile", "",     WA_SELF_SECTION};
    size_t at;
    for (size_t i = 0; i < WA_COUNT(without_code); i++)
        if (strcmp(section, without_code[i]) == 0)
            return WA_OK;
    if (!wa_members_find(members, "setup.py", &at) &&
        wa_lint_add(f, WA_LINT_WARNING, "setup-missing", ".", 0, err,
                    "has no setup.py: it will install nothing itself; if it only brings others, "
                    "set 'section: group' in WAPT/control") != WA_OK)
        return err->code;
    if (!wa_members_find(members, "WAPT/icon.png", &at))
        return wa_lint_add(f, WA_LINT_NOTE, "icon", ".", 0, err,
                           "has no WAPT/icon.png, by which users find it in the self-service");
    return WA_OK;
}

static enum wa_code check_files(const struct wa_dir *dir, const struct wa_build_options *o,
                                const char *section, struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO(wa_dir_members) struct wa_dir_members *tree = NULL;
    struct wa_err why = WA_ERR_INIT;
    uint64_t total = 0;
    if (wa_dir_members_open(dir, &tree, &why) != WA_OK)
        return why.code == WA_E_NOMEM ? wa_nomem(err)
                                      : wa_lint_add(f, WA_LINT_ERROR, "unsafe-name", ".", 0, err,
                                                    "can't be packed: %s", why.text);
    const struct wa_members *members = wa_dir_members_get(tree);
    for (size_t i = 0; i < members->n; i++) {
        const struct wa_member *m = &members->items[i];
        if (wa_papers_is_generated(m->name.p))
            continue;
        if (check_file(dir, m, o, f, err) != WA_OK)
            return err->code;
        total += wa_build_leaves_out(&m->name, o) ? 0 : m->size;
    }
    if (total > PACKAGE_LARGE &&
        wa_lint_add(f, WA_LINT_WARNING, "package-size", ".", 0, err,
                    "has %llu MiB in all: older agents can't read more than 2048",
                    (unsigned long long)(total >> 20)) != WA_OK)
        return err->code;
    return check_rules(dir, members, section, f, err) == WA_OK
               ? check_presence(members, section, f, err)
               : err->code;
}

enum wa_code wa_lint_tree(const struct wa_dir *dir, const struct wa_build_options *options,
                          int64_t now, struct wa_findings *f, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_relpath name = wa_papers_name(0);
    struct wa_err why = WA_ERR_INIT;
    char section[WA_NAME_MAX + 1] = "";
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    enum wa_code code = wa_file_read(dir, &name, WA_CONTROL_BYTES_MAX, &text, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    if (code != WA_OK)
        code = wa_lint_add(f, WA_LINT_ERROR, "control-missing", name.p, 0, err,
                           "can't be read, and without it this is no package: %s", why.text);
    else
        code = wa_lint_control(wa_buf_sv(&text), now, f, section, err);
    return code == WA_OK ? check_files(dir, options, section, f, err) : code;
}
