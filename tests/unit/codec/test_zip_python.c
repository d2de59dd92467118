/* test_zip_python.c - Python's zipfile as a second opinion: it reads what we write, we read what it
 * writes, and of any archive that we take it sees the same members and bytes. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

#include "codec/zip_read.h"
#include "codec/zip_write.h"

#define MTIME 1795000000 /* 2026-11-18T11:06:40Z */

static struct wa_relpath path(const char *text)
{
    struct wa_relpath p;
    struct wa_err err = WA_ERR_INIT;

    check_ok(wa_relpath_parse(wa_sv(text), &p, &err), &err, text);
    return p;
}

static enum wa_code add(struct wa_zip_writer *w, const char *name, uint32_t mode,
                        struct wa_sv content, struct wa_err *err)
{
    struct wa_relpath p = path(name);

    return wa_zip_add_bytes(w, &p, mode, content, err);
}

static const struct {
    const char *name, *content;
    uint32_t mode;
} members[] = {
    {"setup.py", "def install():\n    pass\n", 0644},
    {"data/empty.txt", "", 0644},
    {"data/run.sh", "#!/bin/sh\necho aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 0755},
    {"donn\xc3\xa9"
     "es/\xe4\xb8\xad.txt",
     "caf\xc3\xa9", 0644},
    {"WAPT/control", "package : x\n", 0600}};

static void write_members(struct wa_buf *out)
{
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(out, 1u << 20);
    wa_buf_sink_init(&sink, out);
    check_ok(wa_zip_writer_new(&sink.base, MTIME, 0, &w, &err), &err, "new");
    size_t last = WA_COUNT(members) - 1;
    for (size_t i = 0; i < last; i++)
        check_ok(add(w, members[i].name, members[i].mode, wa_sv(members[i].content), &err), &err,
                 members[i].name);
    /* One that might have become large. */
    struct wa_relpath p = path(members[last].name);
    struct wa_sink *content = NULL;
    check_ok(wa_zip_begin(w, &p, members[last].mode, 5ull << 30, &content, &err), &err, "begin");
    check_ok(content->write(content, members[last].content, strlen(members[last].content), &err),
             &err, "write");
    check_ok(wa_zip_end(w, &err), &err, "end");
    check_ok(wa_zip_finish(w, &err), &err, "finish");
}

/* Runs Python on a script and two files; its exit status. */
static int run_python(const char *script, const char *zip_file, const char *more)
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execl("/usr/bin/python3", "python3", "-I", "-c", script, zip_file, more,
                    (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void save(const char *file, const struct wa_buf *b)
{
    FILE *f = fopen(file, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(b->p, 1, b->n, f), b->n);
    assert_int_equal(fclose(f), 0);
}

static void python_reads_it(void **state)
{
    WA_UNUSED(state);
    static const char script[] =
        "import sys, zipfile\n"
        "z = zipfile.ZipFile(sys.argv[1])\n"
        "assert z.testzip() is None\n"
        "got = [(i.filename, z.read(i).decode(), i.external_attr >> 16 & 0o777,\n"
        "        i.date_time, i.compress_type, len(i.extra)) for i in z.infolist()]\n"
        "want = [(n, c, m, (2026, 11, 18, 11, 6, 40), 8, 0) for n, c, m in eval(sys.argv[2])]\n"
        "sys.exit(0 if got == want else print(got, want) or 1)\n";
    WA_AUTO_BUF struct wa_buf bytes, list;
    char dir[] = "/tmp/wapt-test-XXXXXX", file[64];

    write_members(&bytes);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(file, sizeof(file), "%s/a.zip", dir);
    save(file, &bytes);
    wa_buf_init(&list, 10000);
    wa_buf_addc(&list, '[');
    for (size_t i = 0; i < WA_COUNT(members); i++)
        wa_buf_addf(&list, "('%s','''%s''',%u),", members[i].name, members[i].content,
                    members[i].mode);
    wa_buf_addc(&list, ']');
    int status = run_python(script, file, wa_buf_str(&list));
    (void)unlink(file);
    (void)rmdir(dir);
    assert_int_equal(status, 0);
}

/* Every member into an archive of ours, which opens again: 65,535 of them and more need Zip64. */
static void copy_all(struct wa_zip *zip)
{
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO(wa_zip) struct wa_zip *copy = NULL;
    WA_AUTO(wa_zip_writer) struct wa_zip_writer *w = NULL;
    struct wa_mem_source source;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;

    wa_buf_init(&bytes, 64u << 20);
    wa_buf_sink_init(&sink, &bytes);
    check_ok(wa_zip_writer_new(&sink.base, MTIME, 0, &w, &err), &err, "new");
    for (size_t i = 0; i < wa_zip_count(zip); i++)
        check_ok(wa_zip_copy(w, zip, wa_zip_at(zip, i), &err), &err, "copy");
    check_ok(wa_zip_finish(w, &err), &err, "finish");
    wa_mem_source_init(&source, bytes.p, bytes.n);
    check_ok(wa_zip_open(&source.base, &copy, &err), &err, "open the copy");
    assert_int_equal(wa_zip_count(copy), wa_zip_count(zip));
}

/* Archives as Python's zipfile writes them in all its ways are read, to the same content. */
static void we_read_what_python_writes(void **state)
{
    WA_UNUSED(state);
    static const char script[] =
        "import sys, zipfile, io\n"
        "kind = sys.argv[2]\n"
        "class Pipe(io.RawIOBase):\n"
        "    def __init__(self, f): self.f = f\n"
        "    def writable(self): return True\n"
        "    def write(self, b): return self.f.write(b)\n"
        "f = open(sys.argv[1], 'wb')\n"
        "out = Pipe(f) if 'pipe' in kind else f\n"
        "method = zipfile.ZIP_STORED if 'stored' in kind else zipfile.ZIP_DEFLATED\n"
        "z = zipfile.ZipFile(out, 'w', method)\n"
        "count = 65540 if 'many' in kind else 3\n"
        "for i in range(count):\n"
        "    with z.open('d/m%d\\u00e9' % i, 'w', force_zip64='force64' in kind) as m:\n"
        "        m.write(b'content %d' % i)\n"
        "z.close()\n"
        "f.close()\n";
    static const char *const kinds[] = {"plain",        "stored",         "pipe", "force64",
                                        "pipe force64", "stored force64", "many"};
    char dir[] = "/tmp/wapt-test-XXXXXX", file[64];

    assert_non_null(mkdtemp(dir));
    (void)snprintf(file, sizeof(file), "%s/a.zip", dir);
    for (size_t i = 0; i < WA_COUNT(kinds); i++) {
        WA_AUTO_BUF struct wa_buf bytes;
        WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
        struct wa_mem_source source;
        struct wa_err err = WA_ERR_INIT;
        assert_int_equal(run_python(script, file, kinds[i]), 0);
        read_file(file, &bytes);
        (void)unlink(file);
        wa_mem_source_init(&source, bytes.p, bytes.n);
        check_ok(wa_zip_open(&source.base, &zip, &err), &err, kinds[i]);
        assert_int_equal(wa_zip_count(zip), strcmp(kinds[i], "many") == 0 ? 65540 : 3);
        for (size_t k = 0; k < wa_zip_count(zip); k++) {
            WA_AUTO_BUF struct wa_buf out;
            struct wa_buf_sink sink;
            char want[32];
            wa_buf_init(&out, 1000);
            wa_buf_sink_init(&sink, &out);
            (void)snprintf(want, sizeof(want), "content %zu", k);
            check_ok(wa_zip_read(zip, wa_zip_at(zip, k), &sink.base, &err), &err, kinds[i]);
            assert_string_equal(wa_buf_str(&out), want);
        }
        copy_all(zip);
    }
    (void)rmdir(dir);
}

/* Appends to list what an archive holds, one line a member; false when it is refused. */
static bool list_archive(struct wa_sv bytes, struct wa_buf *list)
{
    struct wa_mem_source source;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    struct wa_err err = WA_ERR_INIT;

    wa_mem_source_init(&source, bytes.p, bytes.n);
    if (wa_zip_open(&source.base, &zip, &err) != WA_OK)
        return false;
    for (size_t i = 0; i < wa_zip_count(zip); i++) {
        WA_AUTO_BUF struct wa_buf out;
        struct wa_buf_sink sink;
        const struct wa_zip_member *m = wa_zip_at(zip, i);
        wa_buf_init(&out, 1u << 20);
        wa_buf_sink_init(&sink, &out);
        if (wa_zip_read(zip, m, &sink.base, &err) != WA_OK)
            return false;
        wa_buf_addf(list, "%s%s %08x %zu\n", m->name.p, m->is_dir ? "/" : "", m->crc, out.n);
    }
    return true;
}

static void put_pair(FILE *f, struct wa_sv archive, struct wa_sv list)
{
    const struct wa_sv parts[] = {archive, list};

    for (size_t i = 0; i < 2; i++) {
        const uint8_t n[4] = {(uint8_t)parts[i].n, (uint8_t)(parts[i].n >> 8),
                              (uint8_t)(parts[i].n >> 16), 0};
        assert_int_equal(fwrite(n, 1, 4, f), 4);
        assert_int_equal(fwrite(parts[i].p, 1, parts[i].n, f), parts[i].n);
    }
}

/* All archives that differ from this one in one bit and that we
 * take. */
static size_t put_variants(FILE *f, struct wa_buf *archive)
{
    size_t taken = 0;

    for (size_t i = 0; i < archive->n; i++) {
        char old = archive->p[i];
        for (int change = 0; change < 8; change++) {
            WA_AUTO_BUF struct wa_buf list;
            wa_buf_init(&list, 10000);
            archive->p[i] = (char)(old ^ (1 << change));
            if (list_archive(wa_buf_sv(archive), &list)) {
                put_pair(f, wa_buf_sv(archive), wa_buf_sv(&list));
                taken++;
            }
        }
        archive->p[i] = old;
    }
    return taken;
}

static void python_sees_what_we_see(void **state)
{
    WA_UNUSED(state);
    static const char script[] =
        "import sys, zipfile, io, struct\n"
        "f = open(sys.argv[1], 'rb')\n"
        "def part():\n"
        "    head = f.read(4)\n"
        "    return f.read(struct.unpack('<I', head)[0]) if head else None\n"
        "count = 0\n"
        "while (archive := part()) is not None:\n"
        "    ours = part().decode()\n"
        "    z = zipfile.ZipFile(io.BytesIO(archive))\n"
        "    theirs = ''.join('%s %08x %d\\n' % (i.filename, zipfile.crc32(z.read(i)), "
        "i.file_size)\n"
        "                     for i in z.infolist())\n"
        "    if ours != theirs: sys.exit('%r %r' % (ours, theirs))\n"
        "    count += 1\n"
        "sys.exit(0 if count == int(sys.argv[2]) else 'only %d' % count)\n";
    static const char *const archives[] = {"zip/zip-stored.wapt", "zip/zip-data-descriptor.wapt"};
    char dir[] = "/tmp/wapt-test-XXXXXX", file[64], count[32];
    size_t taken = 0;
    FILE *f;

    assert_non_null(mkdtemp(dir));
    (void)snprintf(file, sizeof(file), "%s/pairs", dir);
    f = fopen(file, "wb");
    assert_non_null(f);
    for (size_t i = 0; i < WA_COUNT(archives); i++) {
        WA_AUTO_BUF struct wa_buf archive;
        read_vector(archives[i], &archive);
        taken += put_variants(f, &archive);
    }
    assert_int_equal(fclose(f), 0);
    /* dates and versions may change, and names where both headers agree: enough to compare */
    assert_true(taken > 500);
    (void)snprintf(count, sizeof(count), "%zu", taken);
    int status = run_python(script, file, count);
    (void)unlink(file);
    (void)rmdir(dir);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(python_reads_it),
                                       cmocka_unit_test(we_read_what_python_writes),
                                       cmocka_unit_test(python_sees_what_we_see)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
