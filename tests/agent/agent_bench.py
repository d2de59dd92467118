"""A machine to try the agent on: a base directory, keys, a repository on loopback, the real service.

Runs in a mount namespace of its own, in which /etc/passwd, /etc/group and /etc/shadow are copies with four people
more: alice, a member of waptselfservice; bob, who is nobody in particular; carol, of the group localadmins; dave, of
the group Team. Their password is SECRET.
"""
import functools
import hashlib
import http.server
import io
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SECRET = 'open sesame'
OK, FAILED, USAGE, PARTIAL, REFUSED, DENIED, AUTH, UNREACHABLE, TIMEOUT = range(9)
INVALID, CONFIG, NOT_FOUND, EXISTS, CONFLICT, LIMIT, NO_SPACE, IO, NOMEM, BUSY, CANCELLED = range(10, 21)
ALICE, BOB, CAROL, DAVE = 64001, 64002, 64003, 64004


def enter_namespace():
    """Start this program again where accounts can be added without touching the machine's."""
    if os.environ.get('WAPT_TEST_NAMESPACE') == 'yes':
        return
    if os.geteuid() != 0 or subprocess.run(['unshare', '--mount', 'true'], check=False).returncode != 0:
        sys.exit('these tests need root and the right to make a mount namespace')
    os.environ['WAPT_TEST_NAMESPACE'] = 'yes'
    os.execvp('unshare', ['unshare', '--mount', '--propagation', 'private', sys.executable, *sys.argv])


def add_people(top):
    crypted = subprocess.run(['openssl', 'passwd', '-6', SECRET], check=True, capture_output=True,
                             text=True).stdout.strip()
    people = {'alice': ALICE, 'bob': BOB, 'carol': CAROL, 'dave': DAVE}
    lines = {'passwd': '', 'group': 'waptselfservice:x:64000:alice\nlocaladmins:x:64010:carol\nTeam:x:64011:dave\n',
             'shadow': ''}
    for name, uid in people.items():
        lines['group'] += f'{name}:x:{uid}:\n'
        lines['passwd'] += f'{name}:x:{uid}:{uid}::{top}/home-{name}:/bin/sh\n'
        lines['shadow'] += f'{name}:{crypted}:20000:0:99999:7:::\n'
        os.mkdir(f'{top}/home-{name}', 0o755)
        os.chown(f'{top}/home-{name}', uid, uid)
    for name, more in lines.items():
        copy = f'{top}/{name}'
        shutil.copy2(f'/etc/{name}', copy)
        with open(copy, 'a', encoding='utf-8') as f:
            f.write(more)
        subprocess.run(['mount', '--bind', copy, f'/etc/{name}'], check=True)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files with entity tags; what was answered to requests for an index is in `answers`."""

    answers = []
    cut_at = None  # bytes after which the connection breaks
    ranges = True
    ranges_sent = []
    asked = []  # paths

    def log_message(self, *args):
        pass

    def send_head(self):
        path = self.translate_path(self.path)
        self.asked.append(self.path)
        if path.endswith('.wapt') and os.path.isfile(path):
            return self.send_package(path)
        if os.path.basename(path) != 'Packages' or not os.path.isfile(path):
            return super().send_head()
        with open(path, 'rb') as f:
            data = f.read()
        tag = f'"{hashlib.sha256(data).hexdigest()}"'
        same = self.headers.get('If-None-Match') == tag
        self.answers.append(304 if same else 200)
        self.send_response(self.answers[-1])
        self.send_header('ETag', tag)
        self.send_header('Last-Modified', 'Mon, 01 Jan 2001 00:00:00 GMT')  # a date must not matter
        if not same:
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        return None if same else io.BytesIO(data)

    def send_package(self, path):
        with open(path, 'rb') as f:
            data = f.read()
        asked, first = self.headers.get('Range'), 0
        if asked and self.ranges:
            first = int(asked.removeprefix('bytes=').removesuffix('-'))
            self.ranges_sent.append(first)
            self.send_response(206)
            self.send_header('Content-Range', f'bytes {first}-{len(data) - 1}/{len(data)}')
        else:
            self.send_response(200)
        self.send_header('Content-Length', str(len(data) - first))
        self.end_headers()
        self.close_connection = True
        return io.BytesIO(data[first:self.cut_at])


class Bench(unittest.TestCase):
    """One service for all tests of a class; each test uses packages of its own."""

    built = bindir = root = ''

    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix='wapt-agent-')
        os.chmod(cls.top, 0o755)
        cls.env = {'HOME': cls.top, 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8',
                   'WAPT_LIBDIR': f'{cls.top}/lib'}
        cls.env.update({n: os.environ[n] for n in ('ASAN_OPTIONS', 'UBSAN_OPTIONS') if n in os.environ})
        cls.service = cls.web = None
        # Copies, where every account can walk to: a checkout may lie below a closed home directory.
        cls.bindir = shutil.copytree(cls.built, f'{cls.top}/bin', ignore=shutil.ignore_patterns('*.p'))
        shutil.copytree(f'{cls.root}/python', f'{cls.top}/lib')
        cls.addClassCleanup(cls.end)
        add_people(cls.top)
        cls.base, cls.repo = f'{cls.top}/wapt', f'{cls.top}/www/wapt'
        for d in (f'{cls.base}/ssl', cls.repo, f'{cls.top}/www/wapt-host', f'{cls.top}/out'):
            os.makedirs(d)
        for name in ('developer', 'stranger'):
            cls.get('create-keycert', '--common-name', name, '--code-signing', '--base-dir', f'{cls.top}/keys',
                    '--no-private-key-passwd', '--key-bits', '2048', base=False)
        shutil.copy(f'{cls.top}/keys/developer.crt', f'{cls.base}/ssl')
        cls.serve()
        cls.configure()
        cls.start()

    @classmethod
    def end(cls):
        cls.stop()
        if cls.web is not None:
            cls.web.shutdown()
            cls.web.server_close()
        for name in ('passwd', 'group', 'shadow'):
            subprocess.run(['umount', f'/etc/{name}'], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(cls.top)

    @classmethod
    def serve(cls):
        handler = functools.partial(Quiet, directory=f'{cls.top}/www')
        cls.web = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        cls.web.daemon_threads = True
        threading.Thread(target=cls.web.serve_forever, daemon=True).start()
        cls.url = f'http://127.0.0.1:{cls.web.server_port}'

    @classmethod
    def configure(cls, more=''):
        with open(f'{cls.base}/wapt-get.ini', 'w', encoding='utf-8') as f:
            f.write(f'[global]\nrepo_url = {cls.url}/wapt\nuuid = TEST-MACHINE\nwaptupdate_task_period = 0\n{more}'
                    f'\n[wapt-host]\nrepo_url = {cls.url}/wapt-host\n')

    @classmethod
    def start(cls):
        cls.launch()
        cls.await_service()

    @classmethod
    def launch(cls):
        with open(f'{cls.top}/service.log', 'ab') as log:
            cls.service = subprocess.Popen(
                [f'{cls.bindir}/waptservice', 'run', '--config', f'{cls.base}/wapt-get.ini',
                 '--libdir', f'{cls.top}/lib'], env=cls.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @classmethod
    def listens(cls, instead_of=None):
        """The service's own manager listens, and it is another than instead_of. Where nobody listens, a command of root's brings a manager along."""
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(f'{cls.base}/run/waptservice.sock')
                pid = struct.unpack('3i', s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
                with open(f'/proc/{pid}/stat', encoding='utf-8') as f:
                    parent = int(f.read().rpartition(')')[2].split()[1])
            except OSError:
                return False
        return parent == cls.service.pid and pid != instead_of

    @classmethod
    def await_service(cls, instead_of=None):
        cls.wait_for(lambda: cls.listens(instead_of) and cls.run_get('status').returncode == OK, 'the service answers')

    @staticmethod
    def text(path):
        try:
            with open(path, encoding='ascii') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    @classmethod
    def wait_for(cls, condition, what):
        for _ in range(600):
            if condition():
                return
            time.sleep(0.1)
        raise AssertionError(f'{what}: did not come true\n{cls.log()[-4000:]}')

    @classmethod
    def stop(cls):
        if cls.service is not None:
            cls.service.terminate()
            cls.service.wait(60)
            cls.service = None

    @classmethod
    def log(cls):
        with open(f'{cls.top}/service.log', encoding='utf-8', errors='replace') as f:
            return f.read()

    @classmethod
    def manager_pid(cls):
        with open(f'/proc/{cls.service.pid}/task/{cls.service.pid}/children', encoding='ascii') as f:
            for pid in f.read().split():
                with open(f'/proc/{pid}/cmdline', 'rb') as c:
                    if b'role:manager' in c.read():
                        return int(pid)
        raise AssertionError('there is no manager')

    # --- packages ---

    @classmethod
    def package(cls, name, script=None, version='1-1', control='', key='developer', more=None, publish=True):
        """Make a signed package; script: the text of setup.py. Returns the file's path."""
        source = f'{cls.top}/src/{name}-{version}'
        shutil.rmtree(source, ignore_errors=True)
        files = {'WAPT/control': f'package: {name}\nversion: {version}\narchitecture: all\n'
                                 f'description: for {name}\n{control}'}
        if isinstance(script, bytes):
            files['setup.py'] = script  # as it is
        elif script is not None:
            files['setup.py'] = 'from setuphelpers import *\nuninstallkey = []\n' + script
        files.update(more or {})
        for path, text in files.items():
            os.makedirs(os.path.dirname(f'{source}/{path}'), exist_ok=True)
            with open(f'{source}/{path}', 'wb') as f:
                f.write(text if isinstance(text, bytes) else text.encode())
        done = json.loads(cls.get('--json', 'build-package', '--ignore', 'setup-syntax,old-python', source, '-k', f'{cls.top}/keys/{key}.crt', '-o',
                                  f'{cls.top}/out', base=False).stdout)
        path = cls.find_path(done['result'])
        if publish:
            shutil.copy(path, cls.repo)
        return path

    @classmethod
    def find_path(cls, value):
        """The .wapt file that a result names, wherever in it."""
        if isinstance(value, str):
            return value if value.endswith('.wapt') else None
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return next((p for p in map(cls.find_path, items) if p), None)

    @classmethod
    def publish(cls):
        done = subprocess.run([f'{cls.bindir}/wapt-scanpackages', cls.repo], env=cls.env, capture_output=True,
                              text=True, check=False)
        assert done.returncode == OK, done.stderr

    # --- commands ---

    @classmethod
    def run_get(cls, *args, uid=0, base=True, stdin=None):
        words = [f'{cls.bindir}/wapt-get', *args]
        if base:
            words += ['--config', f'{cls.base}/wapt-get.ini']
        if uid:
            words = ['setpriv', '--reuid', str(uid), '--regid', str(uid), '--init-groups', *words]
        return subprocess.run(words, env=cls.env, cwd='/', capture_output=True, text=True, stdin=stdin
                              or subprocess.DEVNULL, start_new_session=True, check=False, timeout=180)

    @classmethod
    def get(cls, *args, **more):
        """The command succeeds."""
        done = cls.run_get(*args, **more)
        if done.returncode != OK:
            raise AssertionError(f'{args}: {done.returncode}: {done.stdout}{done.stderr}')
        return done

    def in_session(self, uid, *commands):
        """Commands of wapt-get one after the other in one session, as on one terminal; all succeed."""
        lines = [' '.join(f"'{w}'" for w in [f'{self.bindir}/wapt-get', *c, '--config', f'{self.base}/wapt-get.ini'])
                 for c in commands]
        done = subprocess.run(['setpriv', '--reuid', str(uid), '--regid', str(uid), '--init-groups', 'sh', '-c',
                               ' && '.join(lines)], env=self.env, cwd='/', capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, start_new_session=True, check=False, timeout=180)
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        return done

    def ends(self, status, *args, says='', **more):
        done = self.run_get(*args, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertIn(says, done.stdout + done.stderr)
        return done

    def result(self, *args, **more):
        return json.loads(self.get('--json', *args, **more).stdout)['result']

    def row(self, package):
        rows = [r for r in self.result('list') if r['package'] == package]
        return rows[0] if rows else None

    def install(self, name, script=None, **more):
        """Publish and install a package."""
        path = self.package(name, script, **more)
        self.publish()
        self.get('update')
        return path, self.run_get('install', name)

    @classmethod
    def as_user(cls, uid, work):
        """work() in a process of that user, in a session of its own; what it returns, by JSON."""
        out, into = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(out)
                os.setsid()
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                with os.fdopen(into, 'w') as f:
                    json.dump(work(), f)
                status = 0
            finally:
                os._exit(status)  # pylint: disable=protected-access
        os.close(into)
        with os.fdopen(out) as f:
            text = f.read()
        os.waitpid(pid, 0)
        return json.loads(text) if text else None

    def ask(self, *lines, uid=0):
        """Talk to the service's socket without our own client. Returns the answers."""
        talk = ('import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.settimeout(60)\ns.connect(sys.argv[1])\n'
                'd=b""\ntry:\n for l in sys.argv[2:]: s.sendall(l.encode()+b"\\n")\n'
                ' while True:\n  p=s.recv(65536)\n  if not p: break\n  d+=p\n'
                'except ConnectionError: pass\nsys.stdout.buffer.write(d)')
        words = ['/usr/bin/python3', '-c', talk, f'{self.base}/run/waptservice.sock', *lines]
        if uid:
            words = ['setpriv', '--reuid', str(uid), '--regid', str(uid), '--clear-groups', *words]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=90)
        return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    Bench.built, Bench.root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    enter_namespace()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
