/* xml.c - see xml.h. expat does the reading; what is here refuses what manifests don't have, and
 * keeps where in the document it is.
 *
 * What expat may still call after a refusal adds to what nobody looks at any more.
 */
#include "codec/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"

struct reader {
    XML_Parser parser;
    struct wa_buf path; /* of the open elements: "/Package/Properties" */
    struct wa_buf text; /* since the last tag */
    unsigned depth;
    wa_xml_fn tell;
    void *user;
    struct wa_err *err;
};

static void cut(struct wa_buf *b, size_t n)
{
    b->n = n;
    if (b->p != NULL)
        b->p[n] = '\0';
}

static void XMLCALL refuse_doctype(void *user, const XML_Char *name, const XML_Char *sysid,
                                   const XML_Char *pubid, int has_subset)
{
    struct reader *r = user;
    WA_UNUSED(name);
    WA_UNUSED(sysid);
    WA_UNUSED(pubid);
    WA_UNUSED(has_subset);
    (void)wa_fail(r->err, WA_E_INVALID, "a document type, which is refused");
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void check_caps(struct reader *r)
{
    if (r->depth > WA_XML_DEPTH_MAX)
        (void)wa_fail(r->err, WA_E_LIMIT, "more than %u elements in one another", WA_XML_DEPTH_MAX);
    else if (XML_GetSpecifiedAttributeCount(r->parser) > 2 * (int)WA_XML_ATTRS_MAX)
        (void)wa_fail(r->err, WA_E_LIMIT, "an element with more than %u attributes",
                      WA_XML_ATTRS_MAX);
    if (r->err->code != WA_OK || wa_buf_check(&r->path, r->err) != WA_OK)
        (void)XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL open_element(void *user, const XML_Char *name, const XML_Char **attrs)
{
    struct reader *r = user;
    const char *colon = strchr(name, ':');
    r->depth++;
    cut(&r->text, 0);
    wa_buf_addc(&r->path, '/');
    wa_buf_adds(&r->path, colon == NULL ? name : colon + 1);
    for (size_t n = r->path.n; *attrs != NULL; attrs += 2) {
        wa_buf_adds(&r->path, "/@");
        wa_buf_adds(&r->path, attrs[0]);
        r->tell(r->user, wa_buf_str(&r->path), wa_sv(attrs[1]));
        cut(&r->path, n);
    }
    check_caps(r);
}

static void XMLCALL add_text(void *user, const XML_Char *text, int n)
{
    struct reader *r = user;
    wa_buf_add(&r->text, text, (size_t)n);
}

static void XMLCALL close_element(void *user, const XML_Char *name)
{
    struct reader *r = user;
    const char *slash = strrchr(wa_buf_str(&r->path), '/');
    WA_UNUSED(name);
    if (r->err->code == WA_OK)
        r->tell(r->user, wa_buf_str(&r->path), wa_buf_sv(&r->text));
    r->depth--;
    cut(&r->text, 0);
    cut(&r->path, slash == NULL ? 0 : (size_t)(slash - r->path.p));
}

static enum wa_code parse(struct reader *r, struct wa_sv document)
{
    XML_SetUserData(r->parser, r);
    XML_SetStartDoctypeDeclHandler(r->parser, refuse_doctype);
    XML_SetElementHandler(r->parser, open_element, close_element);
    XML_SetCharacterDataHandler(r->parser, add_text);
    if (XML_Parse(r->parser, document.p, (int)document.n, 1) == XML_STATUS_OK)
        return wa_buf_check(&r->text, r->err);
    enum XML_Error why = XML_GetErrorCode(r->parser);
    if (why == XML_ERROR_NO_MEMORY)
        return wa_nomem(r->err);
    if (r->err->code == WA_OK)
        (void)wa_fail(r->err, WA_E_INVALID, "%s", XML_ErrorString(why));
    return wa_wrap(r->err, "line %lu of the XML",
                   (unsigned long)XML_GetCurrentLineNumber(r->parser));
}

enum wa_code wa_xml_read(struct wa_sv document, wa_xml_fn tell, void *user, struct wa_err *err)
{
    /* The libc's, which expat would take by itself: named here, tests make them fail. */
    const XML_Memory_Handling_Suite memory = {malloc, realloc, free};
    struct reader r = {.tell = tell, .user = user, .err = err};
    if (document.n > WA_XML_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "XML of more than %u bytes", WA_XML_BYTES_MAX);
    r.parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (r.parser == NULL)
        return wa_nomem(err);
    wa_buf_init(&r.path, WA_XML_PATH_MAX);
    wa_buf_init(&r.text, WA_XML_BYTES_MAX);
    (void)parse(&r, document);
    XML_ParserFree(r.parser);
    wa_buf_fini(&r.path);
    wa_buf_fini(&r.text);
    return err->code;
}
