/* XML, strictly: what is told of a document, and what is none. */
#include "support.h"

#include "codec/xml.h"

/* As one line: <name attribute='value'>, text, </>; "!" where it is refused. */
static void tell(struct wa_sv text, struct wa_buf *out)
{
    struct wa_xml x;
    struct wa_err err = WA_ERR_INIT;
    enum wa_xml_event event;
    wa_xml_init(&x, text);
    for (;;) {
        if (wa_xml_next(&x, &event, &err) != WA_OK) {
            wa_buf_addc(out, '!');
            return;
        }
        if (event == WA_XML_END)
            return;
        if (event == WA_XML_TEXT)
            wa_xml_text(&x, out);
        if (event == WA_XML_CLOSE)
            wa_buf_adds(out, "</>");
        if (event != WA_XML_OPEN)
            continue;
        wa_buf_addf(out, "<%.*s", WA_SV_ARG(x.open[x.depth - 1]));
        for (size_t i = 0; i < x.attr_count; i++)
            wa_buf_addf(out, " %.*s='%.*s'", WA_SV_ARG(x.attrs[i].name), WA_SV_ARG(x.attrs[i].raw));
        wa_buf_addc(out, '>');
    }
}

static const struct {
    const char *text, *told;
} documents[] = {
    {"<a/>", "<a></>"},
    {"\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- - --><a b='1'\n c = \"'\" />\n<!---->",
     "\n<a b='1' c='''></>\n"},
    {"<a>x<b>y</b >z</a>", "<a>x<b>y</>z</>"},
    {"<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x1F600;</a>", "<a><&>\"'A\xF0\x9F\x98\x80</>"},
    {"<a><![CDATA[<b>&x;]]]]></a>", "<a><b>&x;]]</>"},
    {"<x:a xmlns:x='u'/>", "<x:a xmlns:x='u'></>"},
    {"<\xC3\xA9/>", "<\xC3\xA9></>"},
    {"", "!"},
    {"x", "!"},
    {"<a>", "<a>!"},
    {"<a/><b/>", "<a></>!"},
    {"<a/>x", "<a></>!"},
    {"</a>", "!"},
    {"<a></b>", "<a>!"},
    {"<a></a", "<a>!"},
    {"<a b/>", "!"},
    {"<a b=c/>", "!"},
    {"<a b='<'/>", "!"},
    {"<a b='1'c='2'/>", "!"},
    {"<a b='1' b='2'/>", "!"},
    {"<a b='&x;'/>", "!"},
    {"<1/>", "!"},
    {"< a/>", "!"},
    {"<a>&x;</a>", "<a>!"},
    {"<a>&lt</a>", "<a>!"},
    {"<a>&#0;</a>", "<a>!"},
    {"<a>&#xD800;</a>", "<a>!"},
    {"<a>&#x110000;</a>", "<a>!"},
    {"<a>&#99999999999999999999;</a>", "<a>!"},
    {"<a>&#;</a>", "<a>!"},
    {"<a>\x01</a>", "!"},
    {"<a>\xFF</a>", "!"},
    {"<a>\xEF\xBF\xBE</a>", "!"},
    {"<!DOCTYPE a><a/>", "!"},
    {"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "!"},
    {"<a><!ENTITY b 'c'></a>", "<a>!"},
    {"<![CDATA[x]]><a/>", "!"},
    {"<a><![CDATA[x</a>", "<a>!"},
    {"<!-- -- --><a/>", "!"},
    {"<?xml <a/>", "!"},
};

static void documents_and_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < WA_COUNT(documents); i++) {
        WA_AUTO_BUF struct wa_buf out;
        wa_buf_init(&out, 4096);
        tell(wa_sv(documents[i].text), &out);
        assert_string_equal(wa_buf_str(&out), documents[i].told);
    }
}

static void paths_and_attributes(void **state)
{
    WA_AUTO_BUF struct wa_buf value;
    struct wa_err err = WA_ERR_INIT;
    struct wa_xml x;
    enum wa_xml_event event;
    (void)state;
    wa_buf_init(&value, 64);
    wa_xml_init(&x, WA_SV("<p:a><b q:n='0' n='&lt;1'/></p:a>"));
    check_ok(wa_xml_next(&x, &event, &err), &err, "a");
    assert_true(wa_xml_is(&x, "a") && !wa_xml_is(&x, "p:a") && !wa_xml_is(&x, "a/b"));
    check_ok(wa_xml_next(&x, &event, &err), &err, "b");
    assert_true(wa_xml_is(&x, "a/b") && !wa_xml_is(&x, "a") && !wa_xml_is(&x, "b"));
    assert_true(wa_xml_attr(&x, "n", &value) && !wa_xml_attr(&x, "m", &value));
    assert_string_equal(wa_buf_str(&value), "<1");
}

static void add_many(struct wa_buf *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wa_buf_adds(b, text);
}

static void caps(void **state)
{
    static const struct {
        const char *head, *part, *tail;
        size_t most;
    } of[] = {
        {"", "<a>", "", WA_XML_DEPTH_MAX},
        {"<", "a", "/>", WA_XML_NAME_MAX},
        {"<a>", " ", "</a>", WA_XML_BYTES_MAX - 7},
    };
    (void)state;
    for (size_t i = 0; i < WA_COUNT(of); i++)
        for (size_t more = 0; more < 2; more++) {
            WA_AUTO_BUF struct wa_buf text;
            struct wa_err err = WA_ERR_INIT;
            struct wa_xml x;
            enum wa_xml_event event = WA_XML_OPEN;
            size_t opened = 0;
            wa_buf_init(&text, 2 * WA_XML_BYTES_MAX);
            wa_buf_adds(&text, of[i].head);
            add_many(&text, of[i].part, of[i].most + more);
            wa_buf_adds(&text, of[i].tail);
            wa_xml_init(&x, wa_buf_sv(&text));
            while (wa_xml_next(&x, &event, &err) == WA_OK && event != WA_XML_END)
                opened += event == WA_XML_OPEN;
            if (i == 0)
                assert_int_equal(opened, WA_XML_DEPTH_MAX);
            else
                assert_int_equal(err.code == WA_OK, more == 0);
        }
}

static void so_many_attributes(void **state)
{
    (void)state;
    for (size_t n = WA_XML_ATTRS_MAX; n <= WA_XML_ATTRS_MAX + 1; n++) {
        WA_AUTO_BUF struct wa_buf text;
        struct wa_err err = WA_ERR_INIT;
        struct wa_xml x;
        enum wa_xml_event event;
        wa_buf_init(&text, 65536);
        wa_buf_adds(&text, "<a");
        for (size_t i = 0; i < n; i++)
            wa_buf_addf(&text, " a%zu=''", i);
        wa_buf_adds(&text, "/>");
        wa_xml_init(&x, wa_buf_sv(&text));
        assert_int_equal(wa_xml_next(&x, &event, &err), n > WA_XML_ATTRS_MAX ? WA_E_LIMIT : WA_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_and_none),
        cmocka_unit_test(paths_and_attributes),
        cmocka_unit_test(caps),
        cmocka_unit_test(so_many_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
