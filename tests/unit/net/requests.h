/* requests.h - bytes of requests, and what the parser must make of them: the smuggling table.
 *
 * Each is fed whole, byte by byte, and cut in two at each place; the outcome is always the same.
 */
#ifndef WA_TEST_NET_REQUESTS_H
#define WA_TEST_NET_REQUESTS_H

struct request_case {
    const char *name;
    const char *bytes;
    size_t n;
    /* One line a message: "METHOD path?query body", then "refused" when the parser gives up, or
     * "more" when it waits. */
    const char *expected;
};

#define H "Host: a\r\n"
#define CASE(name, text, expected)                                                                 \
    {                                                                                              \
        name, text, sizeof(text) - 1, expected                                                     \
    }

static const struct request_case request_cases[] = {
    /* --- what is taken --- */
    CASE("plain", "GET /a/b HTTP/1.1\r\n" H "\r\n", "GET /a/b  keep"),
    CASE("root", "GET / HTTP/1.1\r\n" H "\r\n", "GET /  keep"),
    CASE("query stays raw", "GET /a?x=%20&y=/../ HTTP/1.1\r\n" H "\r\n",
         "GET /a?x=%20&y=/../  keep"),
    CASE("path is decoded", "GET /a%20b%C3%A9 HTTP/1.1\r\n" H "\r\n", "GET /a b\xc3\xa9  keep"),
    CASE("folder", "GET /a/ HTTP/1.1\r\n" H "\r\n", "GET /a/  keep"),
    CASE("close", "GET /a HTTP/1.1\r\n" H "Connection: close\r\n\r\n", "GET /a  close"),
    CASE("1.0", "GET /a HTTP/1.0\r\n\r\n", "GET /a  close"),
    CASE("1.0 asks to stay", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /a  close"),
    CASE("head", "HEAD /a HTTP/1.1\r\n" H "\r\n", "HEAD /a  keep"),
    CASE("length", "POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "POST /a abc keep"),
    CASE("length 0", "PUT /a HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "PUT /a  keep"),
    CASE("chunks",
         "POST /a HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
         "POST /a abcde keep"),
    CASE("chunk digits",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: CHUNKED\r\n\r\n0A\r\n0123456789\r\n0\r\n\r\n",
         "POST /a 0123456789 keep"),
    CASE("two in a row", "GET /a HTTP/1.1\r\n" H "\r\nDELETE /b HTTP/1.1\r\n" H "\r\n",
         "GET /a  keep\nDELETE /b  keep"),
    CASE("two with bodies",
         "POST /a HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\nxyPOST /b HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n",
         "POST /a xy keep\nPOST /b z keep"),
    CASE("tab in a value", "GET /a HTTP/1.1\r\n" H "X: a\tb\r\n\r\n", "GET /a  keep"),
    CASE("latin-1 in a value", "GET /a HTTP/1.1\r\n" H "X: caf\xe9\r\n\r\n", "GET /a  keep"),
    CASE("empty value before a length",
         "POST /a HTTP/1.1\r\n" H "X:\r\nContent-Length: 3\r\n\r\nabc", "POST /a abc keep"),
    CASE("blank value before chunks",
         "POST /a HTTP/1.1\r\n" H "X: \r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
         "POST /a a keep"),
    CASE("upgrade", "GET /ws HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
         "GET /ws  keep upgrade"),
    CASE("waits for the head", "GET /a HTTP/1.1\r\n" H, "more"),
    CASE("waits for the body", "POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nab", "more"),
    CASE("waits for the last chunk",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "more"),

    /* --- two readings of where the message ends --- */
    CASE("length and chunks",
         "POST /a HTTP/1.1\r\n" H
         "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "refused"),
    CASE("chunks and length",
         "POST /a HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
         "refused"),
    CASE("two lengths",
         "POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "refused"),
    CASE("one length twice",
         "POST /a HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "refused"),
    CASE("list of lengths", "POST /a HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc", "refused"),
    CASE("length with a sign", "POST /a HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc", "refused"),
    CASE("negative length", "POST /a HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc", "refused"),
    CASE("hexadecimal length", "POST /a HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc",
         "refused"),
    CASE("length in words", "POST /a HTTP/1.1\r\n" H "Content-Length: 3 4\r\n\r\nabc", "refused"),
    CASE("empty length", "POST /a HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", "refused"),
    CASE("length beyond 64 bits",
         "POST /a HTTP/1.1\r\n" H "Content-Length: 18446744073709551619\r\n\r\nabc", "refused"),
    CASE("empty value before both",
         "POST /a HTTP/1.1\r\n" H
         "X:\r\nTransfer-Encoding: chunked\r\nY:\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
         "refused"),
    CASE("space before the colon", "POST /a HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc",
         "refused"),
    CASE("space before the name", "POST /a HTTP/1.1\r\n" H "X: y\r\n Content-Length: 3\r\n\r\nabc",
         "refused"),
    CASE("tab before the first name", "POST /a HTTP/1.1\r\n\tHost: a\r\n\r\n", "refused"),
    CASE("folded value", "GET /a HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", "refused"),
    CASE("folded coding",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "refused"),
    CASE("coding twice",
         "POST /a HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "refused"),
    CASE("coding list",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "refused"),
    CASE("identity", "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", "refused"),
    CASE("x-chunked", "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
         "refused"),
    CASE("vertical tab",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
         "chunked\r\n\r\n0\r\n\r\n",
         "refused"),
    CASE("quoted coding",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "refused"),
    CASE("coding of 1.0", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "refused"),
    CASE("empty coding", "POST /a HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n0\r\n\r\n", "refused"),

    /* --- chunks --- */
    CASE("chunk extension",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("empty chunk extension",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;\r\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("chunk size with 0x",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("chunk size with a sign",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("chunk size and a space",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("space and a chunk size",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("chunk size ended by LF",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("chunk size ended by CR",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\rabc\r\n0\r\n\r\n",
         "refused"),
    CASE("chunk ended by LF",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n",
         "refused"),
    CASE("chunk longer than said",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
         "refused"),
    CASE("chunk size beyond 64 bits",
         "POST /a HTTP/1.1\r\n" H
         "Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("no chunk size",
         "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n",
         "refused"),
    CASE("trailer", "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
         "refused"),
    CASE("end ended by LF", "POST /a HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\n",
         "refused"),

    /* --- line ends --- */
    CASE("LF alone", "GET /a HTTP/1.1\nHost: a\n\n", "refused"),
    CASE("LF behind one header", "GET /a HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "refused"),
    CASE("LF as the blank line", "GET /a HTTP/1.1\r\n" H "\n", "refused"),
    CASE("CR alone in a value", "GET /a HTTP/1.1\r\n" H "X: a\rContent-Length: 3\r\n\r\n",
         "refused"),
    CASE("CR CR LF", "GET /a HTTP/1.1\r\n" H "\r\r\n\r\n", "refused"),
    CASE("blank lines first", "\r\n\r\nGET /a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("space first", " GET /a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("NUL in a value", "GET /a HTTP/1.1\r\n" H "X: a\0b\r\n\r\n", "refused"),
    CASE("NUL in the target", "GET /a\0b HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("control character in a value",
         "GET /a HTTP/1.1\r\n" H "X: a\x01"
         "b\r\n\r\n",
         "refused"),
    CASE("DEL in a value", "GET /a HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n", "refused"),
    CASE("no colon", "GET /a HTTP/1.1\r\n" H "X\r\n\r\n", "refused"),
    CASE("empty name", "GET /a HTTP/1.1\r\n" H ": y\r\n\r\n", "refused"),
    CASE("empty name first", "GET /a HTTP/1.1\r\n: y\r\n" H "\r\n", "refused"),
    CASE("strange name", "GET /a HTTP/1.1\r\n" H "X(y): z\r\n\r\n", "refused"),

    /* --- request lines --- */
    CASE("0.9", "GET /a\r\n\r\n", "refused"),
    CASE("1.2", "GET /a HTTP/1.2\r\n" H "\r\n", "refused"),
    CASE("2.0", "GET /a HTTP/2.0\r\n" H "\r\n", "refused"),
    CASE("2 in the clear", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "refused"),
    CASE("two spaces", "GET  /a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("two spaces before the version", "GET /a  HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("space behind the version", "GET /a HTTP/1.1 \r\n" H "\r\n", "refused"),
    CASE("no target", "GET HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("tab for a space", "GET\t/a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("lower case", "get /a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("unknown method", "FETCH /a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("unserved method", "PATCH /a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("tunnel", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("trace", "TRACE /a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("absolute target", "GET http://a/b HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("asterisk", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("back slash", "GET /a\\b HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("encoded back slash", "GET /a%5Cb HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("raw bytes", "GET /caf\xe9 HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("tab in the query", "GET /a?\tb HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("parent", "GET /a/../b HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("encoded parent", "GET /a/%2e%2E/b HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("encoded slash and parent", "GET /a%2f..%2fb HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("here", "GET /./a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("parent last", "GET /a/.. HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("empty part", "GET /a//b HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("empty first part", "GET //a HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("encoded NUL", "GET /a%00b HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("encoded line end", "GET /a%0d%0ab HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("bad escape", "GET /a%zz HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("cut escape", "GET /a%2 HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("bad UTF-8", "GET /%ff HTTP/1.1\r\n" H "\r\n", "refused"),
    CASE("overlong slash", "GET /%c0%af HTTP/1.1\r\n" H "\r\n", "refused"),

    /* --- hosts and upgrades --- */
    CASE("no host", "GET /a HTTP/1.1\r\n\r\n", "refused"),
    CASE("two hosts", "GET /a HTTP/1.1\r\n" H "hOST: b\r\n\r\n", "refused"),
    CASE("upgrade to h2c",
         "GET /a HTTP/1.1\r\n" H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
         "refused"),
    CASE("upgrade of a post",
         "POST /a HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "refused"),
    CASE("upgrade with a body",
         "GET /a HTTP/1.1\r\n" H
         "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc",
         "refused"),
    CASE("upgrade with chunks",
         "GET /a HTTP/1.1\r\n" H
         "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "refused"),
    CASE("not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "refused"),
};

#endif
