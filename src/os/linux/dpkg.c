/* dpkg.c - dpkg's status file, paragraph by paragraph (deb-control(5)): only what the inventory
 * shows. Memory stays below one paragraph, however long the file.
 *
 * A paragraph whose state is not "installed" or that lacks a name or a version is left out. Values
 * are cleaned, and cut where they are longer than anybody shows.
 */
#include "os/linux/software_priv.h"

#include "os/linux/text_priv.h"

#define SLICE 16384u /* bytes taken at a time, so that the cap counts one paragraph */

void wa_dpkg_init(struct wa_dpkg *d, wa_software_fn fn, void *user)
{
    *d = (struct wa_dpkg){.fn = fn, .user = user};
    wa_buf_init(&d->text, WA_DPKG_PARAGRAPH_MAX);
}

void wa_dpkg_fini(struct wa_dpkg *d)
{
    wa_buf_fini(&d->text);
}

struct entry {
    char name[256], version[256], architecture[64], publisher[512], description[512];
    char priority[32], multi_arch[32];
    uint64_t size_bytes;
    bool is_installed;
};

/* "want flag state" */
static bool is_installed(struct wa_sv status)
{
    struct wa_sv word;
    return wa_text_word(&status, &word) && wa_text_word(&status, &word) &&
           wa_text_word(&status, &word) && wa_sv_eqs(word, "installed") &&
           !wa_text_word(&status, &word);
}

static void take_field(struct wa_sv key, struct wa_sv value, struct entry *e)
{
    const struct {
        const char *key;
        char *out;
        size_t size;
    } texts[] = {
        {"Package", e->name, sizeof e->name},
        {"Version", e->version, sizeof e->version},
        {"Architecture", e->architecture, sizeof e->architecture},
        {"Maintainer", e->publisher, sizeof e->publisher},
        {"Description", e->description, sizeof e->description},
        {"Priority", e->priority, sizeof e->priority},
        {"Multi-Arch", e->multi_arch, sizeof e->multi_arch},
    };
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        if (wa_sv_ieqs(key, texts[i].key))
            wa_text_clean(value, texts[i].out, texts[i].size);
    uint64_t kib;
    if (wa_sv_ieqs(key, "Installed-Size") && wa_sv_u64(wa_sv_trim(value), &kib) && kib < 1ull << 50)
        e->size_bytes = kib * 1024;
    if (wa_sv_ieqs(key, "Status"))
        e->is_installed = is_installed(wa_sv_trim(value));
}

static enum wa_code take_paragraph(struct wa_dpkg *d, struct wa_sv text, struct wa_err *err)
{
    struct entry e = {0};
    struct wa_sv line;
    while (wa_sv_split(&text, '\n', &line)) {
        size_t at;
        if (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t' || !wa_sv_chr(line, ':', &at))
            continue; /* more of the field before; only the first lines are shown */
        take_field(wa_sv_sub(line, 0, at), wa_sv_sub(line, at + 1, line.n), &e);
    }
    if (!e.is_installed || e.name[0] == '\0' || e.version[0] == '\0')
        return WA_OK;
    char key[sizeof e.name + sizeof e.architecture];
    bool is_ambiguous = strcmp(e.multi_arch, "same") == 0; /* may be there for two architectures */
    (void)snprintf(key, sizeof key, "%s%s%s", e.name, is_ambiguous ? ":" : "",
                   is_ambiguous ? e.architecture : "");
    const struct wa_software item = {.name = e.name,
                                     .version = e.version,
                                     .architecture = e.architecture,
                                     .publisher = e.publisher,
                                     .description = e.description,
                                     .key = key,
                                     .size_bytes = e.size_bytes,
                                     .is_system = strcmp(e.priority, "required") == 0};
    return d->fn(d->user, &item, err);
}

/* Hands out the whole paragraphs at the front of the text. */
static enum wa_code take_whole(struct wa_dpkg *d, struct wa_err *err)
{
    size_t from = 0;
    enum wa_code code = WA_OK;
    while (code == WA_OK && from < d->text.n) {
        const char *p = d->text.p + from;
        size_t known = d->searched;
        const char *end = memmem(p + known, d->text.n - from - known, "\n\n", 2);
        d->searched = end != NULL ? 0 : d->text.n - from - 1; /* half of one may be there */
        if (end == NULL)
            break;
        size_t n = (size_t)(end - p);
        code = take_paragraph(d, wa_sv_n(p, n), err);
        from += n + 2;
    }
    wa_buf_consume(&d->text, from);
    return code;
}

enum wa_code wa_dpkg_feed(struct wa_dpkg *d, const void *p, size_t n, struct wa_err *err)
{
    for (size_t done = 0; done < n;) {
        size_t slice = n - done < SLICE ? n - done : SLICE;
        wa_buf_add(&d->text, (const char *)p + done, slice);
        if (wa_buf_check(&d->text, err) != WA_OK)
            return wa_wrap(err, "reading a package of dpkg's status file");
        if (take_whole(d, err) != WA_OK)
            return err->code;
        done += slice;
    }
    return WA_OK;
}

enum wa_code wa_dpkg_end(struct wa_dpkg *d, struct wa_err *err)
{
    enum wa_code code = take_paragraph(d, wa_buf_sv(&d->text), err);
    wa_buf_clear(&d->text);
    d->searched = 0;
    return code;
}
