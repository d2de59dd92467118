"""Scripts that do what they should not: hang, flood, fork, kill themselves, say nonsense. The machine's rows stay true."""
import os
import time

import agent_bench
from agent_bench import FAILED, LIMIT, OK, TIMEOUT, Bench


class Scripts(Bench):

    @classmethod
    def configure(cls, more=''):
        super().configure(f'hook_timeout = 5m\nhook_timeouts = hanging 8s, clinging 8s, in-the-way 8s\n{more}')  # those that take too long

    def fails(self, name, script, says, status=FAILED):
        """The installation fails, says why and leaves an ERROR row and nothing else."""
        _, done = self.install(name, script)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(self.row(name)['install_status'], 'ERROR')
        self.assertIn(says, self.get('show-log', name).stdout)
        self.tidy(name)
        return done

    def tidy(self, name):
        self.assertEqual(os.listdir(f'{self.base}/private/stage'), [])
        self.assertEqual(os.listdir(f'{self.base}/private/tmp'), [])
        kept = {p['package_uuid'] for p in self.result('list') if p['install_status'] != 'ERROR'}
        self.assertLessEqual(set(os.listdir(f'{self.base}/private/packages')), kept | {(self.row(name) or {}).get('package_uuid')})

    def pids(self, path):
        with open(path, encoding='ascii') as f:
            return [int(n) for n in f.read().split()]

    def is_alive(self, pid):
        try:
            with open(f'/proc/{pid}/stat', encoding='ascii') as f:
                return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
        except FileNotFoundError:
            return False

    def family(self, path):
        """A script's lines that start a child, and one that leaves its session and its parent."""
        return (f'    import os, signal, sys, time\n'
                f'    def note():\n        open({path!r}, "a").write("%d " % os.getpid())\n'
                f'    for daemon in (False, True):\n'
                f'        if os.fork() == 0:\n'
                f'            if daemon:\n                os.setsid()\n                if os.fork() != 0: os._exit(0)\n'
                f'            for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(s, signal.SIG_IGN)\n'
                f'            note(); time.sleep(600); os._exit(0)\n'
                f'    while not os.path.exists({path!r}) or len(open({path!r}).read().split()) < 2: time.sleep(0.02)\n')

    def test_hanging(self):
        path = f'{self.top}/hanging'
        self.fails('hanging', f'def install():\n{self.family(path)}    note()\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n'
                              f'    time.sleep(600)\n', 'took too long', TIMEOUT)
        self.assertEqual(len(self.pids(path)), 3)
        self.wait_for(lambda: not any(map(self.is_alive, self.pids(path))), 'the whole tree is gone')

    def test_hanging_uninstall_keeps_the_package(self):
        self.install('clinging', 'def install():\n    pass\ndef uninstall():\n    import time\n    time.sleep(600)\n')
        self.ends(TIMEOUT, 'remove', 'clinging', says='took too long')
        self.assertEqual(self.row('clinging')['install_status'], 'ERROR')
        self.tidy('clinging')
        self.ends(OK, 'remove', '--force', 'clinging')
        self.assertIsNone(self.row('clinging'))

    def test_children_do_not_outlive_it(self):
        path = f'{self.top}/forking'
        _, done = self.install('forking', f'def install():\n{self.family(path)}    print("told")\n')
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn('told', done.stdout)
        self.assertEqual(len(self.pids(path)), 2)
        self.wait_for(lambda: not any(map(self.is_alive, self.pids(path))), 'its children are gone')
        self.assertEqual(self.row('forking')['install_status'], 'OK')
        self.tidy('forking')

    def memory_kib(self):
        with open(f'/proc/{self.manager_pid()}/status', encoding='ascii') as f:
            return next(int(line.split()[1]) for line in f if line.startswith('VmHWM'))

    def test_flood(self):
        self.install('quiet', 'def install():\n    print("x" * 100000)\n')
        before, size = self.memory_kib(), os.path.getsize(f'{self.top}/service.log')
        _, done = self.install('flood', 'def install():\n    print("first words")\n    for i in range(1024): print("%065535d" % i)\n'
                                        '    print("last words")\n')
        self.assertEqual(done.returncode, OK, done.stderr)
        for text in (done.stdout, self.get('show-log', 'flood').stdout):
            self.assertLess(len(text), 1200000)
            self.assertIn('first words', text)
            self.assertIn('last words', text)
            self.assertIn('bytes of output were left out here', text)
        sanitizer = 'ASAN_OPTIONS' in self.env  # keeps freed memory for a while
        self.assertLess(self.memory_kib() - before, (400 << 10) if sanitizer else (24 << 10))
        self.assertLess(os.path.getsize(f'{self.top}/service.log') - size, 20000)
        self.tidy('flood')

    def test_output_that_is_no_text(self):
        _, done = self.install('noise', r'''
def install():
    import os
    os.write(1, b"\x1b[2J\x1b]0;title\x07 \xff\xfe\x9b1A \xe2\x80\xae \r overwritten\x00\n\xc3")
    os.write(2, b"and " + bytes(range(256)) + b" done\n")
''')
        self.assertEqual(done.returncode, OK, done.stderr)
        as_json = self.result('show-log', 'noise')
        for text in (done.stdout, self.get('show-log', 'noise').stdout):
            self.assertIn('overwritten', text)
            self.assertIn('done', text)
            self.assertEqual([c for c in text if (ord(c) < 32 and c not in '\n\t') or 0x7f <= ord(c) < 0xa0 or c == '\u202e'], [])
        self.assertIn('overwritten', str(as_json))

    def test_long_status_of_its_own(self):
        self.install('status-long', 'def install():\n    return "x" + "\u00e9" * 100\n')
        self.assertEqual(self.row('status-long')['install_status'], 'x' + '\u00e9' * 31)

    def test_closing_its_output_is_no_failure(self):
        mark = f'{self.top}/mute'
        _, done = self.install('mute', f'def install():\n    import os, sys\n    print("before")\n    sys.stdout.close()\n    os.closerange(0, 3)\n'
                                       f'    open({mark!r}, "w").close()\n')
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        self.assertTrue(os.path.exists(mark))
        self.assertIn('before', done.stdout)
        self.assertEqual(self.row('mute')['install_status'], 'OK')

    def test_ways_to_end(self):
        for name, line, says in (('exit', 'import os; os._exit(0)', 'ended its interpreter with status 0'),
                                 ('status', 'import os; os._exit(3)', 'ended its interpreter with status 3'),
                                 ('kill', 'import os; os.kill(os.getpid(), 9)', 'SIGKILL'),
                                 ('segv', 'import ctypes; ctypes.string_at(0)', 'SIGSEGV'),
                                 ('abort', 'import os; os.abort()', 'SIGABRT'),
                                 ('parent', 'import os; os.kill(os.getppid(), 9); import time; time.sleep(600)', 'signal 9'),
                                 ('leaves', 'import sys; sys.exit(0)', 'SystemExit'),
                                 ('raises', 'raise ValueError("a reason")', 'a reason'),
                                 ('deep', 'exec("def f(): f()\\nf()", {})', 'RecursionError'),
                                 ('memory', 'import resource as r; r.setrlimit(r.RLIMIT_AS, (1 << 28,) * 2); return len("x" * (1 << 30))',
                                  'MemoryError')):
            with self.subTest(name):
                self.fails(f'ends-{name}', f'def install():\n    {line}\n', says)

    def test_scripts_of_python_2(self):
        """Those of tests/python/python2 that run anywhere, signed and installed as they are."""
        folder = f'{self.root}/tests/python/python2'
        for name in ('prints', 'division', 'text_types', 'latin1'):
            with self.subTest(name), open(f'{folder}/{name}.py', 'rb') as source, open(f'{folder}/{name}.out', encoding='utf-8') as expected:
                script = source.read()
                package, done = self.install(name.replace('_', '-'), script)
                self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
                for line in expected.read().splitlines()[1:]:
                    self.assertIn(line.replace('test-a (=1.0-1)', name), done.stdout)
                with open(f"{self.base}/private/packages/{self.row(name.replace('_', '-'))['package_uuid']}/setup.py", 'rb') as kept:
                    self.assertEqual(kept.read(), script)
        self.fails('old-refused', 'import md5\ndef install():\n    print "x"\n', 'line 3: the module md5 is no more')
        self.install('old-audit', '# -*- coding: cp1252 -*-\ndef install():\n    pass\ndef audit():\n    print 7 / 2\n    return "OK"\n')
        self.assertIn('3', self.get('audit', 'old-audit').stdout)
        self.assertEqual(self.row('old-audit')['last_audit_status'], 'OK')

    def test_values_are_kept_and_wishes_come_true(self):
        self.install('wished', 'def install():\n    print("came")\n')
        self.get('remove', 'wished')
        self.install('wisher', 'def install():\n    WAPT.write_param("wisher.n", {"é": [1]})\n    WAPT.write_param("gone", 1)\n    WAPT.install("wished")\n'
                               'def audit():\n    print(WAPT.read_param("wisher.n"), WAPT.read_param("gone"))\n    WAPT.delete_param("gone")\n'
                               '    WAPT.remove("wished")\n    return "OK"\n')
        self.wait_for(lambda: (self.row('wished') or {}).get('install_status') == 'OK', 'what the script asked for is installed')
        self.assertIn("{'é': [1]} 1", self.get('audit', 'wisher').stdout)
        self.wait_for(lambda: self.row('wished') is None, 'what the script asked for is removed')
        self.assertIn("{'é': [1]} None", self.get('audit', 'wisher').stdout)

    def test_what_is_installed(self):
        self.install('asked-broken', 'def install():\n    error("no")\n')
        self.install('asked-good', 'def install():\n    pass\n', version='1.2-3', control='section: base\nmaintainer: Me\n')
        _, done = self.install('asking', 'def install():\n    print(WAPT.is_installed("asked-broken"), WAPT.is_installed("asked-broken", True).install_status)\n'
                                         '    found = WAPT.is_installed("asked-good(>=1.2)")\n    print(found.version, found.maintainer, len(found.install_date))\n'
                                         '    print("asked-good" in WAPT.waptdb.installed_package_names())\n')
        self.assertIn('None ERROR\n1.2-3 Me 19\nTrue\n', done.stdout, done.stderr)
        self.get('remove', '--force', 'asked-broken')

    def test_wishes_of_one_another_end(self):
        for name, other in (('ping', 'pong'), ('pong', 'ping')):
            self.package(name, f'def install():\n    open({self.top + "/pings"!r}, "a").write("x")\n    WAPT.install("{other}", force=True)\n')
        self.publish()
        self.get('update')
        self.get('install', 'ping')
        self.wait_for(lambda: any((self.row(n) or {}).get('install_status') == 'ERROR' for n in ('ping', 'pong')), 'somebody is told to stop')
        with open(f'{self.top}/pings', encoding='ascii') as f:
            self.assertEqual(len(f.read()), 4)
        self.assertTrue(any('have asked for one another' in self.get('show-log', n).stdout for n in ('ping', 'pong')))
        self.get('remove', '--force', 'ping', 'pong')

    def test_wishes_have_limits(self):
        self.fails('greedy', 'def install():\n    for i in range(40): WAPT.install("p%d" % i)\n', 'more than 32 tasks', LIMIT)
        self.fails('hoarder', 'def install():\n    WAPT.write_param("much", "x" * 300000)\n', 'all values together', LIMIT)

    def test_no_python(self):
        self.fails('syntax', 'def install(:\n', 'is no Python')
        self.fails('bytes', '\x00\x01', 'null bytes')

    def test_writing_where_it_was_staged(self):
        precious = f'{self.top}/precious'
        os.makedirs(precious)
        with open(f'{precious}/file', 'w', encoding='ascii') as f:
            f.write('x')
        script = (f'def install():\n    import os, shutil\n    open("setup.py", "w").write("def audit(): return \\"ERROR\\"")\n'
                  f'    open("WAPT/control", "w").write("package: other")\n    os.symlink({precious!r}, "link")\n'
                  f'    os.makedirs("/".join(["deep"] * 60))\n    os.chmod("deep", 0)\n'
                  f'def audit():\n    return "OK"\n')
        _, done = self.install('scribbler', script)
        self.assertEqual(done.returncode, OK, done.stderr)
        self.tidy('scribbler')
        self.assertEqual(os.listdir(precious), ['file'])
        self.get('audit', 'scribbler')
        self.assertEqual(self.row('scribbler')['last_audit_status'], 'OK')

    def test_removing_where_it_was_staged(self):
        _, done = self.install('vanishing', 'def install():\n    import shutil\n    shutil.rmtree(basedir)\n')
        self.assertEqual(done.returncode, OK, done.stderr)
        self.tidy('vanishing')

    def test_rubbish_as_result_is_no_ok(self):
        self.install('rubbish', 'def install():\n    return object()\n')
        self.assertIn('<object object at', self.row('rubbish')['install_status'])

    def test_next_one_waits_no_longer_than_the_limit(self):
        """A script that hangs is cut at its limit; what waits behind it is done then."""
        begin = time.monotonic()
        self.fails('in-the-way', 'def install():\n    import time\n    time.sleep(600)\n', 'took too long', TIMEOUT)
        self.get('update')
        self.assertLess(time.monotonic() - begin, 300)


if __name__ == '__main__':
    agent_bench.main()
