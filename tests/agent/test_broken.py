"""Configurations that are wrong, servers that are not there, stall, or say nonsense: a clear message, the status it deserves, nothing changed."""
import contextlib
import http.server
import os
import socket
import subprocess
import threading

import agent_bench
from agent_bench import BOB, CONFIG, DENIED, INVALID, LIMIT, NOT_FOUND, OK, REFUSED, TIMEOUT, UNREACHABLE, USAGE, Bench


class Broken(Bench):
    """Root's commands without the service: each reads the configuration that the test writes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stop()

    def tearDown(self):
        self.configure()

    def write(self, text, mode=0o644):
        with open(f'{self.base}/wapt-get.ini', 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(f'{self.base}/wapt-get.ini', mode)

    def serve_once(self):
        """The service's own word about its configuration."""
        return subprocess.run([f'{self.bindir}/waptservice', 'run', '--config', f'{self.base}/wapt-get.ini', '--libdir', f'{self.root}/python'],
                              env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)

    # --- configuration ---

    def test_missing_file(self):
        os.unlink(f'{self.base}/wapt-get.ini')
        self.ends(CONFIG, 'status', says='this machine is not set up')
        done = self.serve_once()
        self.assertEqual(done.returncode, CONFIG, done.stderr)
        self.assertIn('--config', done.stderr)

    def test_unreadable_file(self):
        self.write('[global]\n', 0o600)
        done = self.ends(DENIED, 'status', uid=BOB, says='wapt-get.ini')
        self.assertIn('Permission denied', done.stderr)

    def test_a_directory_instead(self):
        os.unlink(f'{self.base}/wapt-get.ini')
        os.mkdir(f'{self.base}/wapt-get.ini')
        try:
            self.assertNotIn(self.run_get('status').returncode, (OK, 70))
        finally:
            os.rmdir(f'{self.base}/wapt-get.ini')

    def test_no_section(self):
        self.write('repo_url = http://x/\n')
        self.ends(INVALID, 'status', says='wapt-get.ini')
        self.write('[other]\nrepo_url = http://x/\n')
        self.ends(CONFIG, 'status', says='[global]')

    def test_unknown_key_warns_with_file_and_line(self):
        self.publish()
        self.write(f'[global]\nrepo_url = {self.url}/wapt\nrepo_urk = x\nuuid = TEST-MACHINE\n')
        done = self.run_get('update')
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn('repo_urk', done.stderr)
        self.assertIn('wapt-get.ini, line 3', done.stderr)

    def test_bad_values(self):
        for line in ('hook_timeout = soon', 'hook_timeout = 0', 'timeout = -1', 'timeout = 1000000', 'use_fqdn_as_uuid = perhaps', 'auth_grace = 2y'):
            with self.subTest(line):
                self.write(f'[global]\nrepo_url = {self.url}/wapt\n{line}\n')
                for done in (self.run_get('update'), self.serve_once()):
                    self.assertEqual(done.returncode, CONFIG, done.stderr)
                    self.assertIn(line.split()[0], done.stderr)
                    self.assertRegex(done.stderr, r"wapt-get\.ini'?, line 3")

    def test_nul_and_noise_in_the_file(self):
        for text in ('[global]\nrepo_url = a\0b\n', '[global\n', '[global]\n' + 'x' * 100000 + '\n', '\xff\xfe[global]'):
            with self.subTest(text[:30]):
                self.write(text)
                self.assertIn(self.run_get('update').returncode, (INVALID, CONFIG, LIMIT))

    def test_no_repository(self):
        self.write('[global]\nuuid = TEST-MACHINE\n')
        self.ends(CONFIG, 'update', says='repo_url')
        self.ends(CONFIG, 'register', says='wapt_server')

    def test_bad_addresses(self):
        for url in ('nonsense', 'http://', 'ftp://127.0.0.1/wapt', 'file:///etc', 'http://127.0.0.1:99999/wapt', 'http://a b/', 'http://127.0.0.1:0/wapt'):
            with self.subTest(url):
                self.write(f'[global]\nrepo_url = {url}\nuuid = TEST-MACHINE\n')
                done = self.run_get('update')
                self.assertIn(done.returncode, (CONFIG, INVALID, REFUSED, UNREACHABLE, USAGE), done.stderr)
                self.assertIn(url.split(':')[0], done.stderr)

    def test_a_server_without_tls_is_no_server(self):
        self.write(f'[global]\nwapt_server = {self.url}\nuuid = TEST-MACHINE\n')
        self.ends(CONFIG, 'register', says='https')

    def test_pinned_certificate_that_is_missing(self):
        self.write(f'[global]\nrepo_url = https://127.0.0.1:{self.web.server_port}/wapt\nverify_cert = not-there.pem\nuuid = TEST-MACHINE\n')
        self.ends(NOT_FOUND, 'update', says='verify_cert')

    # --- servers ---

    def use(self, port, more='timeout = 2'):
        self.write(f'[global]\nrepo_url = http://127.0.0.1:{port}/wapt\nuuid = TEST-MACHINE\n{more}\n'
                   f'[wapt-host]\nrepo_url = http://127.0.0.1:{port}/wapt-host\n')

    @contextlib.contextmanager
    def raw(self, talk):
        """A server of its own that says what it likes: talk(connection) after each request's first bytes."""
        with socket.create_server(('127.0.0.1', 0)) as listener:
            def serve():
                while True:
                    try:
                        c, _ = listener.accept()
                    except OSError:
                        return
                    threading.Thread(target=one, args=(c,), daemon=True).start()

            def one(c):
                with c, contextlib.suppress(OSError):
                    c.recv(65536)
                    talk(c)
            threading.Thread(target=serve, daemon=True).start()
            self.use(listener.getsockname()[1])
            try:
                yield
            finally:
                listener.shutdown(socket.SHUT_RDWR)

    def test_nobody_there(self):
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            self.use(s.getsockname()[1])
            self.ends(UNREACHABLE, 'update', says='connect')

    def test_name_that_does_not_resolve(self):
        self.write('[global]\nrepo_url = http://no-such-host.invalid/wapt\nuuid = TEST-MACHINE\ntimeout = 5\n')
        self.ends(UNREACHABLE, 'update', says='no-such-host.invalid')

    def test_never_answers(self):
        done = threading.Event()
        with self.raw(lambda c: done.wait(60)):
            self.ends(TIMEOUT, 'update', says='127.0.0.1')
        done.set()

    def test_stalls_in_the_middle(self):
        done = threading.Event()

        def talk(c):
            c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n' + b'PK\x03\x04' * 1000)
            done.wait(60)
        with self.raw(talk):
            self.ends(TIMEOUT, 'update', says='127.0.0.1')
        done.set()

    def test_cut_in_the_middle(self):
        with self.raw(lambda c: c.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nPK')):
            self.ends(UNREACHABLE, 'update', says='127.0.0.1')

    def keeps(self, name):
        """What was known before is still known."""
        self.assertIn(name, [p['package'] for p in self.result('search')])

    def test_garbage_in_place_of_the_index(self):
        self.package('known', 'def install():\n    pass\n')
        self.publish()
        self.get('update')
        answers = {
            'no http': b'\x00\x01\x02 garbage\r\n\r\n',
            'no zip': b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html>no<',
            'empty': b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
            'half a zip': b'HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n' + b'PK\x03\x04' + bytes(26),
            'an error': b'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n',
            'a head without end': b'HTTP/1.1 200 OK\r\n' + b'X-Y: z\r\n' * 100000,
            'redirected elsewhere': b'HTTP/1.1 302 Go\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n',
        }
        for name, answer in answers.items():
            with self.subTest(name), self.raw(lambda c, a=answer: c.sendall(a)):
                done = self.run_get('update')
                self.assertIn(done.returncode, (INVALID, REFUSED, UNREACHABLE, LIMIT), done.stderr)
                self.assertIn('updating the list of packages', done.stderr)
                self.keeps('known')

    def test_index_without_end(self):
        sent = []

        def talk(c):
            c.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            while True:
                c.sendall(bytes(1 << 20))
                sent.append(1)
        with self.raw(talk):
            self.ends(LIMIT, 'update', says='Packages')
        self.assertLess(len(sent), 200)
        self.assertEqual(os.listdir(f'{self.base}/private/tmp'), [])

    def test_package_of_another_size_than_announced(self):
        path = self.package('sized', 'def install():\n    pass\n')
        self.publish()
        self.get('update')
        copy = f'{self.repo}/{os.path.basename(path)}'
        for change in (lambda data: data + b'more' * 100000, lambda data: data[:-1]):
            with open(path, 'rb') as f:
                data = f.read()
            with open(copy, 'wb') as f:
                f.write(change(data))
            done = self.run_get('install', 'sized')
            self.assertIn(done.returncode, (REFUSED, LIMIT), done.stderr)
            self.assertIn('sized', done.stderr)
            self.assertEqual([n for n in os.listdir(f'{self.base}/cache') if n.startswith('sized') and not n.endswith('.part')], [])
            self.assertIsNone(self.row('sized'))
        with open(copy, 'wb') as f:
            f.write(data)
        self.get('install', 'sized')

    def test_package_that_is_gone(self):
        path = self.package('gone', 'def install():\n    pass\n')
        self.publish()
        self.get('update')
        os.unlink(f'{self.repo}/{os.path.basename(path)}')
        self.ends(NOT_FOUND, 'install', 'gone', says='404')

    def test_redirected_to_the_machine_itself(self):
        """A repository can't make the agent read files, nor leave http and https."""
        handler = type('Redirect', (http.server.BaseHTTPRequestHandler,), {
            'log_message': lambda *a: None,
            'do_GET': lambda h: (h.send_response(301), h.send_header('Location', 'gopher://127.0.0.1:25/_x'), h.end_headers())})
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            self.use(server.server_port)
            self.assertIn(self.run_get('update').returncode, (INVALID, REFUSED, UNREACHABLE))
        finally:
            server.shutdown()
            server.server_close()


if __name__ == '__main__':
    agent_bench.main()
