/* lint_control.c - the rules about WAPT/control.
 *
 * Its lines are read here once more, loosely, to know where each attribute stands; what they mean
 * is the strict reader's word alone (control_text.c).
 */
#include "pkg/lint.h"

#include "base/date.h"
#include "base/utf8.h"
#include "codec/csv.h"
#include "pkg/plan.h"
#include "pkg/request.h"
#include "pkg/unicode.h"
#include "pkg/version.h"
#include "pkg/windows.h"

#define FILE_NAME "WAPT/control"

struct linter {
    struct wa_findings *f;
    struct wa_control c;
    unsigned line[WA_ATTR_COUNT]; /* where each attribute stands; 0: nowhere */
    int64_t now;
    bool is_read;
    struct wa_err *err;
};

#define TELL(l, level, rule, at, ...)                                                              \
    wa_lint_add((l)->f, WA_LINT_##level, rule, FILE_NAME, at, (l)->err, __VA_ARGS__)

/* --- the text --- */

static enum wa_code check_line(struct linter *l, struct wa_sv line, unsigned at)
{
    size_t colon = 0;
    enum wa_attr attr;
    char key[64];
    if (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t' || !wa_sv_chr(line, ':', &colon))
        return WA_OK; /* the reader's matter */
    struct wa_sv name = wa_unicode_strip(wa_sv_n(line.p, colon));
    if (name.n == 0 || name.n >= sizeof key)
        return WA_OK;
    for (size_t i = 0; i < name.n; i++)
        key[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
    if (!wa_attr_find(wa_sv_n(key, name.n), &attr) || attr >= WA_A_FILENAME)
        return TELL(l, WARNING, "unknown-field", at,
                    "'%.*s' is no attribute of a package, and will not be in it: correct or remove "
                    "it",
                    WA_SV_ARG(name));
    l->line[attr] = at;
    return WA_OK;
}

static enum wa_code check_text(struct linter *l, struct wa_sv text)
{
    unsigned at = 0;
    struct wa_sv line;
    if (wa_sv_starts(text, "\xef\xbb\xbf"))
        return TELL(l, ERROR, "control-bom", 1,
                    "begins with a byte order mark, which makes it unreadable: save it as UTF-8 "
                    "without one");
    if (!wa_utf8_valid(text))
        return TELL(l, ERROR, "control-encoding", 0, "is not UTF-8: save it as that");
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\r') {
            if (TELL(l, WARNING, "control-crlf", 0,
                     "has line ends of Windows: save it with those of Unix, so that the same "
                     "sources give the same package everywhere") != WA_OK)
                return l->err->code;
            break;
        }
    while (wa_unicode_next_line(&text, &line))
        if (check_line(l, line, ++at) != WA_OK)
            return l->err->code;
    return WA_OK;
}

/* --- single attributes --- */

static enum wa_code check_names(struct linter *l)
{
    const char *name = wa_control_get(&l->c, WA_A_PACKAGE),
               *section = wa_control_get(&l->c, WA_A_SECTION);
    unsigned at = l->line[WA_A_PACKAGE];
    bool is_plain = true, has_upper = false;
    if (strcmp(section, "host") == 0 || strcmp(section, "unit") == 0 ||
        strcmp(section, "profile") == 0)
        return WA_OK; /* named by a machine or a directory */
    for (const char *p = name; *p != '\0'; p++) {
        bool is_word = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                       (*p >= '0' && *p <= '9') || strchr("-_.~", *p) != NULL;
        is_plain = is_plain && is_word;
        has_upper = has_upper || (*p >= 'A' && *p <= 'Z');
    }
    if (!is_plain || has_upper)
        return TELL(l, WARNING, "package-name", at,
                    "'%s' is not made of small letters, digits, '-', '_' and '.' alone: others "
                    "will mistype it, and its file may get another name",
                    name);
    if (strchr(name, '-') == NULL && strcmp(section, "group") != 0)
        return TELL(l, WARNING, "name-prefix", at,
                    "'%s' begins with no organisation's prefix, as in 'org-%s': another "
                    "repository's package may have the same name",
                    name, name);
    return WA_OK;
}

static enum wa_code check_required(struct linter *l)
{
    static const enum wa_attr wanted[] = {WA_A_VERSION, WA_A_ARCHITECTURE, WA_A_SECTION,
                                          WA_A_PRIORITY};
    for (size_t i = 0; i < WA_COUNT(wanted); i++)
        if (l->line[wanted[i]] == 0 &&
            TELL(l, WARNING, "field-missing", 0, "has no '%s', which counts as '%s': say so",
                 wa_attr_name(wanted[i]), wa_control_get(&l->c, wanted[i])) != WA_OK)
            return l->err->code;
    if (wa_control_get(&l->c, WA_A_DESCRIPTION)[0] == '\0')
        return TELL(l, WARNING, "description", l->line[WA_A_DESCRIPTION],
                    "does not describe the package: add 'description: ...', by which people find "
                    "and choose it");
    return WA_OK;
}

static enum wa_code check_version(struct linter *l)
{
    const char *version = wa_control_get(&l->c, WA_A_VERSION),
               *arch = wa_control_get(&l->c, WA_A_ARCHITECTURE);
    if (!wa_pkgversion_is_valid(wa_sv(version)) &&
        TELL(l, ERROR, "version", l->line[WA_A_VERSION],
             "version '%s' is not like 1.2.3-4: one to four numbers, and the packaging's own",
             version) != WA_OK)
        return l->err->code;
    if (strcmp(arch, "all") != 0 && strcmp(arch, "x86") != 0 && strcmp(arch, "x64") != 0)
        return TELL(l, ERROR, "architecture", l->line[WA_A_ARCHITECTURE],
                    "architecture '%s' is none of all, x86, x64", arch);
    return WA_OK;
}

static bool is_one_of(struct wa_sv word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (wa_sv_ieqs(word, *words))
            return true;
    return false;
}

static enum wa_code check_words(struct linter *l)
{
    static const char *const sections[] = {"base",    "restricted", "group", "host",
                                           "unit",    "profile",    "wsus",  "selfservice",
                                           "waptwua", NULL};
    static const char *const systems[] = {"windows", "linux", "darwin", "unix", "all", NULL};
    const char *section = wa_control_get(&l->c, WA_A_SECTION);
    struct wa_sv rest = wa_sv(wa_control_get(&l->c, WA_A_TARGET_OS)), word;
    if (!is_one_of(wa_sv(section), sections) &&
        TELL(l, WARNING, "section", l->line[WA_A_SECTION],
             "section '%s' is not known: base is that of software", section) != WA_OK)
        return l->err->code;
    while (wa_csv_next(&rest, &word))
        if (!is_one_of(word, systems) &&
            TELL(l, WARNING, "target-os", l->line[WA_A_TARGET_OS],
                 "target_os '%.*s' fits no machine: windows, linux, darwin and all do",
                 WA_SV_ARG(word)) != WA_OK)
            return l->err->code;
    rest = wa_sv(wa_control_get(&l->c, WA_A_LOCALE));
    while (wa_csv_next(&rest, &word))
        if (word.n != 2 && !wa_sv_eqs(word, "all") &&
            TELL(l, WARNING, "locale", l->line[WA_A_LOCALE],
                 "locale '%.*s' is no code of two letters, as fr: no machine has it",
                 WA_SV_ARG(word)) != WA_OK)
            return l->err->code;
    return WA_OK;
}

/* An isodate, or its day alone. */
static bool read_date(const char *text, int64_t *ret)
{
    char whole[WA_DATE_MAX];
    if (wa_date_parse_iso(wa_sv(text), ret))
        return true;
    int n = snprintf(whole, sizeof whole, "%sT00:00:00", text);
    return n > 0 && n < (int)sizeof whole && wa_date_parse_iso(wa_sv(whole), ret);
}

static enum wa_code check_dates(struct linter *l)
{
    static const enum wa_attr dates[] = {WA_A_VALID_FROM, WA_A_VALID_UNTIL, WA_A_FORCED_INSTALL_ON};
    const char *schedule = wa_control_get(&l->c, WA_A_AUDIT_SCHEDULE);
    int64_t at[WA_COUNT(dates)] = {0}, seconds;
    for (size_t i = 0; i < WA_COUNT(dates); i++) {
        const char *text = wa_control_get(&l->c, dates[i]);
        if (text[0] != '\0' && !read_date(text, &at[i]) &&
            TELL(l, WARNING, "date", l->line[dates[i]],
                 "%s '%s' is no date like 2027-01-31T08:00:00: it will not count",
                 wa_attr_name(dates[i]), text) != WA_OK)
            return l->err->code;
    }
    if (at[1] != 0 && (at[1] < l->now || at[1] < at[0]) &&
        TELL(l, WARNING, "expired", l->line[WA_A_VALID_UNTIL],
             "valid_until is over, or before valid_from: no machine will install it") != WA_OK)
        return l->err->code;
    if (schedule[0] != '\0' && !wa_date_parse_period(wa_sv(schedule), 'm', &seconds))
        return TELL(l, WARNING, "audit-schedule", l->line[WA_A_AUDIT_SCHEDULE],
                    "audit_schedule '%s' is no period like 2h or 1d: nothing will be audited",
                    schedule);
    return WA_OK;
}

static enum wa_code check_policy(enum wa_attr attr, const char *text, struct wa_err *why)
{
    struct wa_windows windows;
    struct wa_freezes freezes;
    if (attr == WA_A_MAINTENANCE_WINDOWS)
        return wa_windows_parse(wa_sv(text), &windows, why);
    return attr == WA_A_FREEZE_PERIODS ? wa_freezes_parse(wa_sv(text), &freezes, why)
                                       : wa_plan_hold_check(text, why);
}

static enum wa_code check_times(struct linter *l)
{
    static const enum wa_attr policies[] = {WA_A_MAINTENANCE_WINDOWS, WA_A_FREEZE_PERIODS,
                                            WA_A_PACKAGES_HELD};
    struct wa_err why[WA_COUNT(policies)] = {WA_ERR_INIT, WA_ERR_INIT, WA_ERR_INIT};
    size_t first = WA_COUNT(policies);
    for (size_t i = WA_COUNT(policies); i-- > 0;) {
        const char *text = wa_control_get(&l->c, policies[i]);
        first = text[0] != '\0' ? i : first;
        (void)!check_policy(policies[i], text, &why[i]);
    }
    if ((why[0].code != WA_OK &&
         TELL(l, ERROR, "maintenance-windows", l->line[policies[0]], "%s", why[0].text) != WA_OK) ||
        (why[1].code != WA_OK &&
         TELL(l, ERROR, "freeze-periods", l->line[policies[1]], "%s", why[1].text) != WA_OK) ||
        (why[2].code != WA_OK &&
         TELL(l, ERROR, "packages-held", l->line[policies[2]], "%s", why[2].text) != WA_OK))
        return l->err->code;
    if (first == WA_COUNT(policies) || wa_is_policy_section(wa_control_get(&l->c, WA_A_SECTION)))
        return WA_OK;
    return TELL(l, WARNING, "policy-section", l->line[policies[first]],
                "windows, freezes and holds count only in packages of the sections host, group, "
                "unit and profile");
}

static enum wa_code check_size(struct linter *l)
{
    const char *size = wa_control_get(&l->c, WA_A_INSTALLED_SIZE);
    int64_t bytes;
    if (size[0] == '\0' || (wa_sv_i64(wa_sv(size), &bytes) && bytes >= 0))
        return WA_OK;
    return TELL(l, WARNING, "installed-size", l->line[WA_A_INSTALLED_SIZE],
                "installed_size '%s' is no number of bytes: it will not count", size);
}

/* --- what it needs --- */

/* Of the same name, one in each list. Both with a version may be meant: needs a(>=2), not a(<2). */
static enum wa_code check_pair(struct linter *l, const struct wa_request *need)
{
    struct wa_sv rest = wa_sv(wa_control_get(&l->c, WA_A_CONFLICTS)), item;
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err why = WA_ERR_INIT;
        if (wa_request_parse(item, &r, &why) != WA_OK || strcmp(r.package, need->package) != 0)
            continue;
        if (r.op[0] == '\0' || need->op[0] == '\0')
            return TELL(l, ERROR, "depends-conflicts", l->line[WA_A_CONFLICTS],
                        "'%s' is in depends and in conflicts: it could never be installed; remove "
                        "it from one",
                        r.package);
        return TELL(l, WARNING, "depends-conflicts", l->line[WA_A_CONFLICTS],
                    "'%s' is in depends and in conflicts: one condition on its version in depends "
                    "is clearer",
                    r.package);
    }
    return WA_OK;
}

static enum wa_code check_requirements(struct linter *l, enum wa_attr attr)
{
    struct wa_sv rest = wa_sv(wa_control_get(&l->c, attr)), item;
    const char *own = wa_control_get(&l->c, WA_A_PACKAGE);
    while (wa_csv_next(&rest, &item)) {
        struct wa_request r;
        struct wa_err why = WA_ERR_INIT;
        enum wa_code code = WA_OK;
        if (wa_request_parse(item, &r, &why) != WA_OK)
            code = TELL(l, ERROR, "requirement", l->line[attr],
                        "%s: %s; write 'name' or 'name(>=1.2-3)', separated by commas",
                        wa_attr_name(attr), why.text);
        else if (strcmp(r.package, own) == 0)
            code = TELL(l, ERROR, "needs-itself", l->line[attr],
                        "the package is in its own %s: remove it", wa_attr_name(attr));
        else if (attr == WA_A_DEPENDS)
            code = check_pair(l, &r);
        if (code != WA_OK)
            return code;
    }
    return WA_OK;
}

static enum wa_code check_all(struct linter *l, struct wa_sv text)
{
    struct wa_err why = WA_ERR_INIT;
    size_t before = wa_findings_count(l->f, WA_LINT_ERROR);
    if (check_text(l, text) != WA_OK)
        return l->err->code;
    if (wa_findings_count(l->f, WA_LINT_ERROR) > before)
        return WA_OK; /* its text says nothing sure */
    enum wa_code code = wa_control_parse(text, &l->c, &why);
    if (code == WA_E_NOMEM)
        return wa_nomem(l->err);
    if (code != WA_OK)
        return TELL(l, ERROR, "control-syntax", 0, "can't be read: %s", why.text);
    l->is_read = true;
    static enum wa_code (*const checks[])(struct linter *) = {
        check_names, check_required, check_version, check_words,
        check_dates, check_times,    check_size};
    for (size_t i = 0; i < WA_COUNT(checks); i++)
        if (checks[i](l) != WA_OK)
            return l->err->code;
    if (check_requirements(l, WA_A_DEPENDS) != WA_OK)
        return l->err->code;
    return check_requirements(l, WA_A_CONFLICTS);
}

enum wa_code wa_lint_control(struct wa_sv text, int64_t now, struct wa_findings *f,
                             char *ret_section, struct wa_err *err)
{
    struct linter l = {.f = f, .now = now, .err = err};
    wa_control_init(&l.c);
    enum wa_code code = check_all(&l, text);
    if (code == WA_OK)
        (void)snprintf(ret_section, WA_NAME_MAX + 1, "%s",
                       l.is_read ? wa_control_get(&l.c, WA_A_SECTION) : "");
    wa_control_fini(&l.c);
    return code;
}
