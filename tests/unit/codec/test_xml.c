/* XML: what is told of a document, and what is none. */
#include "support.h"

#include "base/buf.h"
#include "codec/xml.h"

static void add_line(void *user, const char *path, struct wa_sv value)
{
    wa_buf_addf(user, "%s=%.*s|", path, WA_SV_ARG(value));
}

static const struct {
    struct wa_sv text;
    const char *told;
} documents[] = {
    {WA_SV_INIT("<a/>"), "/a=|"},
    {WA_SV_INIT("<?xml version='1.0'?>\n<!-- - --><a b='1'\n c = \"'\" />\n<!---->"),
     "/a/@b=1|/a/@c='|/a=|"},
    {WA_SV_INIT("<a>x<b>y</b >z<!---->!</a>"), "/a/b=y|/a=z!|"},
    {WA_SV_INIT("<a><b><c/></b><b/></a>"), "/a/b/c=|/a/b=|/a/b=|/a=|"},
    {WA_SV_INIT("<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x1F600;\n</a>"),
     "/a=<&>\"'A\xF0\x9F\x98\x80\n|"},
    {WA_SV_INIT("<a b='&lt;&#x41;'/>"), "/a/@b=<A|/a=|"},
    {WA_SV_INIT("<a><![CDATA[<b>&x;]]]]></a>"), "/a=<b>&x;]]|"},
    {WA_SV_INIT("<x:a xmlns:x='u' x:n='1'><x:b/></x:a>"), "/a/@xmlns:x=u|/a/@x:n=1|/a/b=|/a=|"},
    {WA_SV_INIT("<:><:/></:>"), "//=|/=|"},
    {WA_SV_INIT("<\xC3\xA9/>"), "/\xC3\xA9=|"},
    /* in other encodings, with and without the mark of one */
    {WA_SV_INIT("\xEF\xBB\xBF<a/>"), "/a=|"},
    {WA_SV_INIT("\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?><a/>"), "/a=|"},
    {WA_SV_INIT("\xFF\xFE<\0a\0>\0\xE9\0=\xD8\x00\xDE<\0/\0a\0>\0"),
     "/a=\xC3\xA9\xF0\x9F\x98\x80|"},
    {WA_SV_INIT("\xFE\xFF\0<\0a\0/\0>"), "/a=|"},
    {WA_SV_INIT("<\0a\0/\0>\0"), "/a=|"},
    {WA_SV_INIT("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>"), "/a=\xC3\xA9|"},
};

static void documents_tell(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(documents); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        wa_buf_init(&out, 4096);
        check_ok(wa_xml_read(documents[i].text, add_line, &out, &err), &err, documents[i].told);
        assert_string_equal(wa_buf_str(&out), documents[i].told);
    }
}

/* As in an attack: ten times as much with each name. */
#define LAUGHS                                                                                     \
    "<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"                    \
    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>]>"   \
    "<a>&d;</a>"
#define DOCTYPE "a document type, which is refused"

static const struct {
    struct wa_sv text;
    const char *says; /* NULL: expat's words */
} none[] = {
    {WA_SV_INIT(""), NULL},
    {{NULL, 0}, NULL},
    {WA_SV_INIT("x"), NULL},
    {WA_SV_INIT("<a>"), NULL},
    {WA_SV_INIT("<a/><b/>"), NULL},
    {WA_SV_INIT("<a/>x"), NULL},
    {WA_SV_INIT("<a/>\0"), NULL},
    {WA_SV_INIT("</a>"), NULL},
    {WA_SV_INIT("<a>\n</b>"), "line 2 of the XML: mismatched tag"},
    {WA_SV_INIT("<a></a"), NULL},
    {WA_SV_INIT("<a b/>"), NULL},
    {WA_SV_INIT("<a b=c/>"), NULL},
    {WA_SV_INIT("<a b='<'/>"), NULL},
    {WA_SV_INIT("<a b='1'c='2'/>"), NULL},
    {WA_SV_INIT("<a b='1' b='2'/>"), "line 1 of the XML: duplicate attribute"},
    {WA_SV_INIT("<a b='&x;'/>"), NULL},
    {WA_SV_INIT("<1/>"), NULL},
    {WA_SV_INIT("< a/>"), NULL},
    {WA_SV_INIT("<a>&x;</a>"), NULL},
    {WA_SV_INIT("<a>&lt</a>"), NULL},
    {WA_SV_INIT("<a>&#0;</a>"), NULL},
    {WA_SV_INIT("<a>&#xD800;</a>"), NULL},
    {WA_SV_INIT("<a>&#x110000;</a>"), NULL},
    {WA_SV_INIT("<a>&#99999999999999999999;</a>"), NULL},
    {WA_SV_INIT("<a>&#;</a>"), NULL},
    {WA_SV_INIT("<a>\x01</a>"), NULL},
    {WA_SV_INIT("<a>\0</a>"), NULL},
    {WA_SV_INIT("<a>\xFF</a>"), NULL},
    {WA_SV_INIT("<a>\xC0\xBC</a>"), NULL},
    {WA_SV_INIT("<a>\xED\xA0\x80</a>"), NULL},
    {WA_SV_INIT("<a>\xEF\xBF\xBE</a>"), NULL},
    {WA_SV_INIT("<a>\xC3"), NULL},
    {WA_SV_INIT("<a><!ENTITY b 'c'></a>"), NULL},
    {WA_SV_INIT("<![CDATA[x]]><a/>"), NULL},
    {WA_SV_INIT("<a><![CDATA[x</a>"), NULL},
    {WA_SV_INIT("<!-- -- --><a/>"), NULL},
    {WA_SV_INIT("<?xml <a/>"), NULL},
    {WA_SV_INIT("<?xml version='1.0' encoding='UTF-7'?><a/>"), NULL},
    {WA_SV_INIT("<?xml version='1.0' encoding='UTF-16'?><a/>"), NULL},
    {WA_SV_INIT("\xFF\xFE<\0a\0>\0\0\xDC<\0/\0a\0>\0"), NULL}, /* half of a pair */
    {WA_SV_INIT("\xFF\xFE<\0a\0/\0>"), NULL},
    {WA_SV_INIT("<!DOCTYPE a><a/>"), DOCTYPE},
    {WA_SV_INIT("\n<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), "line 2 of the XML: " DOCTYPE},
    {WA_SV_INIT("<!DOCTYPE a SYSTEM '/etc/passwd'><a/>"), DOCTYPE},
    {WA_SV_INIT("<!DOCTYPE a [<!ENTITY b SYSTEM '/etc/passwd'>]><a>&b;</a>"), DOCTYPE},
    {WA_SV_INIT("<!DOCTYPE a [<!ENTITY % b SYSTEM '/etc/passwd'> %b;]><a/>"), DOCTYPE},
    {WA_SV_INIT("<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>"), DOCTYPE},
    {WA_SV_INIT(LAUGHS), DOCTYPE},
};

static void what_is_none_is_refused(void **state)
{
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(none); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_err err = WA_ERR_INIT;
        const char *says = none[i].says == NULL ? "of the XML: " : none[i].says;
        wa_buf_init(&out, 4096);
        if (wa_xml_read(none[i].text, add_line, &out, &err) != WA_E_INVALID)
            fail_msg("%s is taken", none[i].text.p);
        if (!wa_sv_has(wa_sv(err.text), wa_sv(says)))
            fail_msg("%s: '%s'", none[i].text.p, err.text);
        if (wa_sv_has(wa_sv(says), WA_SV(DOCTYPE)))
            assert_string_equal(wa_buf_str(&out), "");
    }
}

static void count(void *user, const char *path, struct wa_sv value)
{
    size_t *n = user;
    WA_UNUSED(path);
    WA_UNUSED(value);
    (*n)++;
}

static void caps(void **state)
{
    static const struct {
        const char *head, *part, *tail;
        size_t most; /* of part, head and tail with them */
        const char *says;
    } of[] = {
        {"", "<a>", "", WA_XML_DEPTH_MAX, "in one another"},
        {"<", "a", "/>", WA_XML_PATH_MAX - 1, "more than"},
        {"<a ", "a", "=''/>", WA_XML_PATH_MAX - 4, "more than"},
        {"<a>", " ", "</a>", WA_XML_BYTES_MAX - 7, "more than"},
        {"<a b='", "c", "'/>", WA_XML_BYTES_MAX - 9, "more than"},
        {"<a>", "<b/>", "</a>", (WA_XML_BYTES_MAX - 7) / 4, "more than"},
    };
    WA_UNUSED(state);
    for (size_t i = 0; i < WA_COUNT(of); i++)
        for (size_t more = 0; more < 2; more++) {
            WA_AUTO_BUF struct wa_buf text;
            struct wa_err err = WA_ERR_INIT;
            size_t told = 0;
            wa_buf_init(&text, 2 * WA_XML_BYTES_MAX);
            wa_buf_adds(&text, of[i].head);
            for (size_t n = 0; n < of[i].most + more; n++)
                wa_buf_adds(&text, of[i].part);
            for (size_t n = 0; i == 0 && n < of[i].most + more; n++)
                wa_buf_adds(&text, "</a>");
            wa_buf_adds(&text, of[i].tail);
            enum wa_code code = wa_xml_read(wa_buf_sv(&text), count, &told, &err);
            assert_int_equal(code, more == 0 ? WA_OK : WA_E_LIMIT);
            assert_true(more == 0 ? told > 0 : wa_sv_has(wa_sv(err.text), wa_sv(of[i].says)));
        }
}

static void so_many_attributes(void **state)
{
    WA_UNUSED(state);
    for (size_t n = WA_XML_ATTRS_MAX; n <= 8 * WA_XML_ATTRS_MAX; n += 7 * WA_XML_ATTRS_MAX - 1) {
        WA_AUTO_BUF struct wa_buf text;
        struct wa_err err = WA_ERR_INIT;
        size_t told = 0;
        wa_buf_init(&text, 65536);
        wa_buf_adds(&text, "<a");
        for (size_t i = 0; i < n; i++)
            wa_buf_addf(&text, " a%zu=''", i);
        wa_buf_adds(&text, "/>");
        assert_int_equal(wa_xml_read(wa_buf_sv(&text), count, &told, &err),
                         n > WA_XML_ATTRS_MAX ? WA_E_LIMIT : WA_OK);
    }
}

/* What is twice as large in UTF-8 as it was is within the cap, too. */
static void text_that_grows(void **state)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    size_t told = 0;
    WA_UNUSED(state);
    wa_buf_init(&text, WA_XML_BYTES_MAX);
    wa_buf_adds(&text, "<?xml version='1.0' encoding='ISO-8859-1'?><a>");
    while (text.n < WA_XML_BYTES_MAX - 4)
        wa_buf_addc(&text, '\xE9');
    wa_buf_adds(&text, "</a>");
    assert_int_equal(wa_xml_read(wa_buf_sv(&text), count, &told, &err), WA_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_tell),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(caps),
        cmocka_unit_test(so_many_attributes),
        cmocka_unit_test(text_that_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
