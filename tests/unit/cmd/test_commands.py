"""The packaging commands as their users run them: what they write, what they refuse, how they end."""
import functools
import hashlib
import json
import os
import pathlib
import pty
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

WAPT_GET, SCAN, ROOT = (os.path.abspath(p) for p in sys.argv[1:4])
CONSOLE, SERVER, SERVICE, SIGN_ALL = (os.path.join(os.path.dirname(WAPT_GET), p)
                                      for p in ('waptconsole', 'waptserver', 'waptservice', 'wapt-signpackages'))
OK, FAILED, USAGE, PARTIAL, REFUSED, DENIED, AUTH, UNREACHABLE, INVALID, CONFIG, NOT_FOUND, EXISTS, BUSY = (
    0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 19)

# What WAPT 1.8's wapt-get knows, but what it only does for itself.
WAPT_COMMANDS = """install update upgrade remove uninstall download download-upgrade show show-params show-log showlog forget list list-upgrade
    check-upgrades search clean cleanup upgradedb register unregister update-status inventory setlocalpassword reset-uuid generate-uuid
    get-server-certificate enable-check-certificate add-upgrade-shutdown remove-upgrade-shutdown session-setup audit list-registry waptwua-scan
    waptwua-download waptwua-install waptwua-status propose-upgrade tasks cancel cancel-all longtask waptupgrade dnsdebug make-template
    make-host-template make-group-template build-package sign-package sign-packages build-upload upload-package duplicate edit edit-host sources
    update-package-sources scan-packages update-packages create-keycert check-valid-codesigning-cert build-waptagent""".split()
WAPT_OPTIONS = """--config --loglevel --direct --service --dry-run --update-packages --repository --hide --inc-release --keep-signature-date
    --sections --json --encoding --excludes --certificate --private-key-passwd --usergroups --maxttl --language --message-digest --newest-only
    --locales --maturity --pin-server-cert --wapt-server-url --wapt-repo-url --wapt-server-user --wapt-server-passwd --log-to-windows-events --use-gui
    -c -l -D -S -d -u -r -y -i -s -j -e -x -k -w -U -g -L -m -n""".split()


class Bench(unittest.TestCase):
    """A home of its own, and one pair of keys for all (keys cost time)."""

    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix='wapt-cmd-')
        cls.addClassCleanup(shutil.rmtree, cls.top)
        cls.env = {'HOME': cls.top, 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8'}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS'):
            if name in os.environ:
                cls.env[name] = os.environ[name]
        cls.write('pw', 'correct horse\n')
        cls.write('wrong', 'battery staple\n')
        cls.run_ok('create-keycert', '--common-name', 'Zoë Coder', '--code-signing', '--base-dir',
                   'keys', '-w', 'pw', '--key-bits', '2048')
        os.mkdir(cls.path('trusted'))
        shutil.copy(cls.path('keys/Zoë Coder.crt'), cls.path('trusted'))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.top, name)

    @classmethod
    def write(cls, name, text):
        os.makedirs(os.path.dirname(cls.path(name)), exist_ok=True)
        with open(cls.path(name), 'w', encoding='utf-8') as f:
            f.write(text)

    @classmethod
    def call(cls, *args, program=WAPT_GET):
        # A session of its own: /dev/tty does not answer, whoever runs the tests.
        return subprocess.run([program, *args], cwd=cls.top, env=cls.env, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, start_new_session=True,
                              check=False, timeout=120)

    @classmethod
    def run_ok(cls, *args, program=WAPT_GET):
        done = cls.call(*args, program=program)
        if done.returncode != 0:
            raise AssertionError(f'{args}: {done.returncode}: {done.stderr}')
        return done

    def ends(self, status, *args, says='', program=WAPT_GET):
        done = self.call(*args, program=program)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(says, done.stderr)
        return done

    def json(self, *args, status=OK, program=WAPT_GET):
        done = self.call('--json', *args, program=program)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(list(answer), ['ok', 'code', 'error', 'result'])
        self.assertEqual(answer['ok'], done.returncode == OK)
        self.assertEqual(answer['error'] is None, done.returncode == OK)
        return answer

    def source(self, name, control='package: tis-x\nversion: 1.0-1\narchitecture: all\n', code=True):
        shutil.rmtree(self.path(name), ignore_errors=True)
        self.write(name + '/WAPT/control', control)
        if code:
            self.write(name + '/setup.py', 'def install():\n    pass\n')
        return name

    SIGN = ('-k', 'keys/Zoë Coder.crt', '-w', 'pw')


class KeyCert(Bench):
    def test_files(self):
        key, cert = self.path('keys/Zoë Coder.pem'), self.path('keys/Zoë Coder.crt')
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.path('keys')).st_mode), 0o700)
        with open(key, encoding='ascii') as f:
            self.assertIn('ENCRYPTED PRIVATE KEY', f.read())
        shown = subprocess.run(['openssl', 'x509', '-in', cert, '-noout', '-text'],
                               capture_output=True, text=True, check=True).stdout
        self.assertIn('Code Signing', shown)
        self.assertNotIn('CA:TRUE', shown)
        self.assertEqual(sorted(os.listdir(self.path('keys'))), ['Zoë Coder.crt', 'Zoë Coder.pem'])

    def test_never_overwrites(self):
        with open(self.path('keys/Zoë Coder.pem'), 'rb') as f:
            before = f.read()
        again = ('create-keycert', '--common-name', 'Zoë Coder', '--base-dir', 'keys', '-w', 'pw')
        self.ends(EXISTS, *again, says='--force')
        with open(self.path('keys/Zoë Coder.pem'), 'rb') as f:
            self.assertEqual(f.read(), before)
        # The certificate alone is enough to refuse, and no key is left behind then.
        self.write('half/A.crt', 'mine')
        self.ends(EXISTS, 'create-keycert', '--common-name', 'A', '--base-dir', 'half', '-w', 'pw',
                  '--key-bits', '2048')
        self.assertEqual(os.listdir(self.path('half')), ['A.crt'])
        self.run_ok('create-keycert', '--common-name', 'A', '--base-dir', 'half', '-w', 'pw',
                    '--key-bits', '2048', '--force')
        self.assertEqual(sorted(os.listdir(self.path('half'))), ['A.crt', 'A.pem'])

    def test_issued_by_an_authority(self):
        answer = self.json('create-keycert', '--common-name', 'CA', '--ca', '--base-dir', 'ca',
                           '--no-private-key-passwd', '--key-bits', '2048')
        self.assertFalse(answer['result']['encrypted'])
        self.run_ok('create-keycert', '--common-name', 'Leaf', '--base-dir', 'ca', '-w', 'pw',
                    '--code-signing', '--key-bits', '2048', '--ca-cert', 'ca/CA.crt', '--ca-key',
                    'ca/CA.pem')
        os.mkdir(self.path('only-ca'))
        shutil.copy(self.path('ca/CA.crt'), self.path('only-ca'))
        self.source('leafsrc')
        self.run_ok('build-package', 'leafsrc', '-k', 'ca/Leaf.crt', '-w', 'pw', '-o', 'only-ca')
        good = self.json('verify', '-t', 'only-ca', 'only-ca/tis-x_1.0-1.wapt')['result'][0]
        self.assertEqual((good['signer'], good['anchor']), ('Leaf', 'CA'))
        # A leaf is no authority.
        self.ends(USAGE, 'create-keycert', '--common-name', 'Sub', '--base-dir', 'ca', '-w', 'pw',
                  '--key-bits', '2048', '--ca-cert', 'ca/Leaf.crt', '--ca-key', 'ca/Leaf.pem',
                  '--ca-key-passwd-file', 'pw')

    def test_refusals(self):
        self.ends(USAGE, 'create-keycert', '-w', 'pw', says='--common-name')
        self.ends(USAGE, 'create-keycert', '--common-name', 'B', '--base-dir', 'b', '-w', 'pw',
                  '--key-bits', '1024', says='2048')
        self.ends(USAGE, 'create-keycert', '--common-name', 'B', '--base-dir', 'b', '-w', 'pw',
                  '--no-private-key-passwd', says='contradict')
        self.ends(USAGE, 'create-keycert', '--common-name', 'B', '--base-dir', 'b', '-w', 'pw',
                  '--key-bits', '2048', '--ca-cert', 'keys/Zoë Coder.crt', says='go together')
        self.ends(AUTH, 'create-keycert', '--common-name', 'B', '--base-dir', 'b', says='terminal')
        self.ends(NOT_FOUND, 'create-keycert', '--common-name', 'B', '--base-dir', 'b', '-w', 'none')
        self.assertEqual(os.listdir(self.path('b')), [])

    def test_names_stay_in_the_directory(self):
        self.run_ok('create-keycert', '--common-name', '../../x/y', '--base-dir', 'safe', '-w', 'pw',
                    '--key-bits', '2048')
        self.assertEqual(len(os.listdir(self.path('safe'))), 2)

    def type(self, *answers):
        """Runs create-keycert on a terminal and types; returns status and what the terminal saw."""
        shutil.rmtree(self.path('typed'), ignore_errors=True)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.top)
            os.execve(WAPT_GET, [WAPT_GET, 'create-keycert', '--common-name', 'T', '--base-dir',
                                 'typed', '--key-bits', '2048'], self.env)
        seen = b''
        for answer in answers:
            while not seen.rstrip(b' ').endswith(b':'):
                seen += os.read(terminal, 1000)
            os.write(terminal, answer + b'\n')
            seen += b'#'
        try:
            while True:
                piece = os.read(terminal, 1000)
                if not piece:
                    break
                seen += piece
        except OSError:
            pass  # the end, on a terminal
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen

    def test_password_on_the_terminal(self):
        status, seen = self.type(b'sesame open', b'sesame open')
        self.assertEqual(status, OK, seen)
        self.assertNotIn(b'sesame', seen)
        self.write('typed-pw', 'sesame open')
        self.source('typedsrc', code=False)
        self.run_ok('build-package', 'typedsrc', '-k', 'typed/T.crt', '-w', 'typed-pw', '-o', 'typed')
        status, seen = self.type(b'one', b'another')
        self.assertEqual(status, AUTH, seen)
        status, seen = self.type(b'', b'')
        self.assertEqual(status, USAGE, seen)


class Packages(Bench):
    def test_build_verify_show(self):
        self.source('src/a', 'package: tis-a\nversion: 1.0-1\narchitecture: all\n'
                             'description: one\n two\n')
        built = self.run_ok('build-package', 'src/a', *self.SIGN)
        self.assertEqual(built.stdout, 'src/tis-a_1.0-1.wapt\n')
        done = self.run_ok('verify', '-t', 'trusted', 'src/tis-a_1.0-1.wapt')
        self.assertIn('good, tis-a 1.0-1 signed by Zoë Coder', done.stdout)
        shown = self.run_ok('show', 'src/tis-a_1.0-1.wapt').stdout
        self.assertIn('description       : one\n                    two\n', shown)
        self.assertIn('not known here', shown)
        self.assertIn('check files             : passed\n', shown)
        self.assertIn('trusted by        : Zoë Coder (', self.run_ok('show', '-t', 'trusted', 'src/tis-a_1.0-1.wapt').stdout)
        self.ends(CONFIG, 'show', '-t', 'none', 'src/tis-a_1.0-1.wapt')
        control = self.json('show', 'src/a')['result'][0]['control']
        self.assertEqual(control['package'], 'tis-a')
        self.assertEqual(control['section'], 'base')

    def test_partly_built(self):
        self.source('p/good', 'package: good\nversion: 1\narchitecture: all\n')
        self.source('p/bad', 'package: bad\nversion: x\narchitecture: all\n')
        done = self.ends(PARTIAL, 'build-package', 'p/bad', 'p/good', *self.SIGN,
                         says='1 of 2 packages')
        self.assertEqual(done.stdout, 'p/good_1.wapt\n')
        answer = self.json('build-package', 'p/bad', 'p/good', *self.SIGN, status=PARTIAL)
        self.assertEqual([r['code'] for r in answer['result']], ['invalid', 'ok'])
        self.ends(INVALID, 'build-package', 'p/bad', *self.SIGN)
        self.ends(NOT_FOUND, 'build-package', 'nowhere', *self.SIGN)

    def test_options(self):
        self.source('o/x')
        self.write('o/x/keep.txt', 'x')
        self.write('o/x/sub/drop.bak', 'x')
        self.run_ok('build-package', 'o/x', *self.SIGN, '-i', '--maturity', 'DEV', '-x', '*.bak, *~',
                    '-o', 'o')
        with zipfile.ZipFile(self.path('o/tis-x_1.0-2_DEV.wapt')) as z:
            names = z.namelist()
        self.assertIn('keep.txt', names)
        self.assertNotIn('sub/drop.bak', names)
        with open(self.path('o/x/WAPT/control'), encoding='utf-8') as f:
            self.assertIn('version: 1.0-2\n', f.read())

    def test_same_date_same_bytes(self):
        made = []
        for place, umask, zone in (('e/1', 0o022, 'UTC'), ('e/2', 0o077, 'Asia/Tokyo')):
            before = os.umask(umask)
            self.source(place + '/x')
            os.umask(before)
            env = dict(self.env, SOURCE_DATE_EPOCH='1700000000', TZ=zone)
            subprocess.run([WAPT_GET, 'build-package', place + '/x', *self.SIGN, '-m', 'sha256,sha1'], cwd=self.top, env=env,
                           capture_output=True, check=True, timeout=120)
            with open(self.path(place + '/tis-x_1.0-1.wapt'), 'rb') as f:
                made.append(f.read())
        self.assertEqual(made[0], made[1])
        self.assertIn(b'WAPT/manifest.sha1', made[0])
        for date in ('', '0', 'now', '-1', '99999999999999999999'):
            done = subprocess.run([WAPT_GET, 'build-package', 'e/1/x', *self.SIGN], cwd=self.top, check=False,
                                  env=dict(self.env, SOURCE_DATE_EPOCH=date), capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, CONFIG, date + done.stderr)
        self.ends(USAGE, 'build-package', 'e/1/x', *self.SIGN, '-m', 'sha1', says='sha256,sha1')
        self.ends(USAGE, 'build-package', 'e/1/x', *self.SIGN, '-m', 'sha512', says='no digest')

    def test_signers(self):
        self.source('s/x')
        self.ends(CONFIG, 'build-package', 's/x', says='personal_certificate_path')
        self.ends(AUTH, 'build-package', 's/x', '-k', 'keys/Zoë Coder.crt', '-w', 'wrong')
        self.ends(AUTH, 'build-package', 's/x', '-k', 'keys/Zoë Coder.crt', says='password')
        self.ends(CONFIG, 'build-package', 's/x', '-k', 'trusted/Zoë Coder.crt', '-w', 'pw',
                  says='--private-key')
        self.run_ok('build-package', 's/x', '-k', 'trusted/Zoë Coder.crt', '-w', 'pw',
                    '--private-key', 'keys/Zoë Coder.pem')
        # Known by what it holds, not by its name; others are passed over.
        os.mkdir(self.path('renamed'))
        shutil.copy(self.path('keys/Zoë Coder.crt'), self.path('renamed/me.crt'))
        shutil.copy(self.path('keys/Zoë Coder.pem'), self.path('renamed/z-key.pem'))
        self.write('renamed/a.pem', 'no key at all')
        self.run_ok('build-package', 's/x', '-k', 'renamed/me.crt', '-w', 'pw')
        self.write('.config/wapt/waptconsole.ini',
                   '[global]\npersonal_certificate_path = %s\n' % self.path('renamed/me.crt'))
        try:
            self.run_ok('build-package', 's/x', '-w', 'pw')
        finally:
            os.remove(self.path('.config/wapt/waptconsole.ini'))

    def test_keys_on_a_token(self):
        self.source('t/x')
        os.makedirs(self.path('tokens'))
        self.write('softhsm.conf', 'directories.tokendir = %s\n' % self.path('tokens'))
        self.env['SOFTHSM2_CONF'] = self.path('softhsm.conf')
        self.write('pin', '4711\n')
        tool = functools.partial(subprocess.run, env=self.env, check=True, capture_output=True, cwd=self.top)
        tool(['softhsm2-util', '--init-token', '--free', '--label', 'Card', '--so-pin', '0815', '--pin', '4711'])
        for label, who in (('mine', 'keys/Zoë Coder.pem'), ('other', 'keys/Other.pem')):
            if label == 'other':
                self.run_ok('create-keycert', '--common-name', 'Other', '--base-dir', 'keys', '-w', 'pw', '--key-bits', '2048')
            tool(['openssl', 'pkcs8', '-topk8', '-nocrypt', '-in', who, '-passin', 'file:pw', '-out', 'plain.pem'])
            tool(['softhsm2-util', '--import', 'plain.pem', '--token', 'Card', '--label', label, '--id',
                  '01' if label == 'mine' else '02', '--pin', '4711'])
        os.remove(self.path('plain.pem'))
        module = '/usr/lib/softhsm/libsofthsm2.so'
        cert = ('-k', 'trusted/Zoë Coder.crt')
        token = (*cert, '--pkcs11-module', module, '--private-key', 'pkcs11:token=Card;object=mine')
        self.run_ok('build-package', 't/x', *token, '-w', 'pin')
        good = self.json('verify', '-t', 'trusted', 't/tis-x_1.0-1.wapt')['result'][0]
        self.assertEqual(good['signer'], 'Zoë Coder')
        whole = f'pkcs11:id=%01?module-path={module}&pin-source=file:{self.path("pin")}'
        self.run_ok('sign-package', 't/tis-x_1.0-1.wapt', *cert, '--private-key', whole)
        self.write('.config/wapt/waptconsole.ini', '[global]\npersonal_certificate_path = %s\npersonal_private_key = %s\n'
                   % (self.path('trusted/Zoë Coder.crt'), whole))
        try:
            self.run_ok('build-package', 't/x')
        finally:
            os.remove(self.path('.config/wapt/waptconsole.ini'))
        self.ends(AUTH, 'build-package', 't/x', *token, '-w', 'wrong', says='wrong PIN')
        self.ends(AUTH, 'build-package', 't/x', *token, says='--private-key-passwd FILE')
        self.ends(CONFIG, 'build-package', 't/x', *token[:-1], 'pkcs11:token=Card;object=other', '-w', 'pin',
                  says='does not belong')
        self.ends(USAGE, 'build-package', 't/x', *token[:-1], 'pkcs11:token=Card?pin-value=4711', says='change it')
        self.ends(NOT_FOUND, 'build-package', 't/x', *token[:-1], 'pkcs11:token=Gone', '-w', 'pin', says="'Card' (serial ")
        self.ends(CONFIG, 'build-package', 't/x', *cert, '--private-key', token[-1], '-w', 'pin', says='--pkcs11-module')
        # A certificate for the key that is there: it never leaves the token.
        new = ('create-keycert', '--code-signing', '--base-dir', 'carded', '--pkcs11-module', module)
        told = self.json(*new, '--common-name', 'Carded', '--private-key', 'pkcs11:token=Card;object=other', '-w', 'pin')['result']
        self.assertEqual(os.listdir(self.path('carded')), ['Carded.crt'])
        self.assertEqual((told['private_key'], told['encrypted'], told['certificate']),
                         ('pkcs11:token=Card;object=other', True, 'carded/Carded.crt'))
        shutil.copy(self.path('carded/Carded.crt'), self.path('trusted'))
        self.run_ok('build-package', 't/x', '-k', 'carded/Carded.crt', *token[2:5], told['private_key'], '-w', 'pin')
        self.assertEqual(self.json('verify', '-t', 'trusted', 't/tis-x_1.0-1.wapt')['result'][0]['signer'], 'Carded')
        os.remove(self.path('trusted/Carded.crt'))
        self.ends(EXISTS, *new, '--common-name', 'Carded', '--private-key', told['private_key'], says='--force')  # before the PIN is asked
        self.ends(AUTH, *new, '--common-name', 'Two', '--private-key', told['private_key'], '-w', 'wrong', says='wrong PIN')
        self.ends(NOT_FOUND, *new, '--common-name', 'Two', '--private-key', 'pkcs11:token=Card;object=none', '-w', 'pin')
        self.assertEqual(os.listdir(self.path('carded')), ['Carded.crt'])
        for program in (SERVICE, SERVER):  # the token's library is for those who sign
            self.assertNotIn('libp11.so', tool(['ldd', program], text=True).stdout)

    def test_keys_that_others_can_read(self):
        self.source('r/x')
        os.mkdir(self.path('readable'))
        shutil.copy(self.path('keys/Zoë Coder.crt'), self.path('readable'))
        shutil.copy(self.path('keys/Zoë Coder.pem'), self.path('readable'))
        key = self.path('readable/Zoë Coder.pem')
        os.chmod(key, 0o644)
        done = self.run_ok('build-package', 'r/x', '-k', 'readable/Zoë Coder.crt', '-w', 'pw')
        self.assertIn('chmod 600', done.stderr)
        os.chmod(key, 0o600)
        done = self.run_ok('build-package', 'r/x', '-k', 'readable/Zoë Coder.crt', '-w', 'pw')
        self.assertNotIn('chmod', done.stderr)
        # Without a password, reading is enough to sign: refused.
        self.run_ok('create-keycert', '--common-name', 'Open', '--base-dir', 'readable', '--code-signing',
                    '--no-private-key-passwd', '--key-bits', '2048')
        os.chmod(self.path('readable/Open.pem'), 0o640)
        self.ends(DENIED, 'build-package', 'r/x', '-k', 'readable/Open.crt', says='chmod 600')
        self.ends(DENIED, 'build-package', 'r/x', '-k', 'readable/Open.crt', '--private-key',
                  'readable/Open.pem', says='others can read')
        os.chmod(self.path('readable/Open.pem'), 0o600)
        self.run_ok('build-package', 'r/x', '-k', 'readable/Open.crt')

    def test_sign(self):
        self.source('g/x')
        self.run_ok('build-package', 'g/x', *self.SIGN)
        self.run_ok('sign-package', 'g/tis-x_1.0-1.wapt', 'g/x', *self.SIGN, '-i')
        answer = self.json('verify', '-t', 'trusted', 'g/tis-x_1.0-2.wapt', 'g/x')
        self.assertFalse(os.path.exists(self.path('g/tis-x_1.0-1.wapt')))  # it follows its version
        self.assertEqual([r['version'] for r in answer['result']], ['1.0-2', '1.0-2'])
        self.write('g/broken.wapt', 'no package')
        done = self.ends(PARTIAL, 'sign-package', 'g/broken.wapt', 'g/x', *self.SIGN)
        self.assertIn('g/x: signed by Zoë Coder', done.stdout)
        with open(self.path('g/broken.wapt'), encoding='utf-8') as f:
            self.assertEqual(f.read(), 'no package')

    def test_verify_tells_the_truth(self):
        self.source('v/x')
        self.run_ok('build-package', 'v/x', *self.SIGN)
        good = 'v/tis-x_1.0-1.wapt'
        with open(self.path(good), 'rb') as f:
            package = bytearray(f.read())
        package[len(package) // 2] ^= 1
        with open(self.path('v/bad.wapt'), 'wb') as f:
            f.write(package)
        os.mkdir(self.path('v/nobody'))
        self.ends(REFUSED, 'verify', '-t', 'trusted', good, 'v/bad.wapt')
        self.ends(REFUSED, 'verify', '-t', 'trusted', 'v/bad.wapt', 'v/none.wapt')
        self.ends(NOT_FOUND, 'verify', '-t', 'trusted', good, 'v/none.wapt')
        self.ends(CONFIG, 'verify', '-t', 'v/nobody', good)
        self.ends(REFUSED, 'verify', '-t', os.path.join(ROOT, 'tests/vectors/trust/main'), good)
        answer = self.json('verify', '-t', 'trusted', good, 'v/bad.wapt', status=REFUSED)
        self.assertEqual([r['good'] for r in answer['result']], [True, False])
        self.assertIsNotNone(answer['result'][1]['failed'])

    def test_hostile_text_is_tame(self):
        self.source('h/x', 'package: tis-x\nversion: 1\narchitecture: all\n'
                           'description: \x1b[31mred\x07 \u202ebackwards\n signature : forged\n',
                    code=False)
        shown = self.run_ok('show', 'h/x').stdout
        self.assertNotIn('\x1b', shown)
        self.assertNotIn('\u202e', shown)
        self.assertNotIn('\nsignature : forged', shown)
        self.assertEqual(self.json('show', 'h/x')['result'][0]['control']['description'][:6],
                         '\x1b[31mr')


class Scan(Bench):
    def test_scan(self):
        self.source('src/a', 'package: a\nversion: 1\narchitecture: all\n')
        self.source('src/b', 'package: b\nversion: 1\narchitecture: all\n')
        os.mkdir(self.path('repo'))
        self.run_ok('build-package', 'src/a', 'src/b', *self.SIGN, '-o', 'repo')
        done = self.run_ok('repo', program=SCAN)
        self.assertEqual(done.stdout, '2 packages: 0 as before, 2 new or changed; 0 gone, 0 left out\n')
        self.write('repo/c.wapt', 'no package')
        answer = self.json('repo', status=PARTIAL, program=SCAN)
        self.assertEqual(answer['result']['bad'], 1)
        self.assertEqual(answer['result']['left_out'][0]['file'], 'c.wapt')
        os.remove(self.path('repo/c.wapt'))
        os.mkdir(self.path('others'))
        shutil.copy(os.path.join(ROOT, 'tests/vectors/trust/main/admin.crt'), self.path('others'))
        self.ends(PARTIAL, 'repo', '-t', 'others', '-f', program=SCAN, says="'a_1.wapt' is left out")
        self.ends(NOT_FOUND, 'nowhere', program=SCAN)
        self.ends(USAGE, program=SCAN)

    def test_options_of_wapt(self):
        for name in ('one', 'two', 'three'):
            self.source(f'src/{name}', f'package: {name}\nversion: 1\narchitecture: all\n')
        os.mkdir(self.path('named'))
        self.run_ok('build-package', 'src/one', 'src/two', 'src/three', *self.SIGN, '-o', 'named')
        os.rename(self.path('named/one_1.wapt'), self.path('named/odd.wapt'))
        shutil.copy(self.path('named/two_1.wapt'), self.path('named/a copy.wapt'))
        with_md5 = 'three_1_' + hashlib.md5(pathlib.Path(self.path('named/three_1.wapt')).read_bytes()).hexdigest() + '.wapt'
        os.rename(self.path('named/three_1.wapt'), self.path('named/' + with_md5))
        self.write('named/bad.wapt', 'no package')
        done = self.ends(PARTIAL, '-r', '-l', 'error', '-b', 'named', program=SCAN, says="'odd.wapt' is now 'one_1.wapt'")
        self.assertIn("'a copy.wapt' keeps its name: its name would be 'two_1.wapt'", done.stderr)
        self.assertNotIn("'bad.wapt' is left out", done.stderr)
        self.assertEqual(sorted(n for n in os.listdir(self.path('named')) if n.endswith('.wapt')),
                         sorted(['a copy.wapt', 'bad.wapt', 'one_1.wapt', with_md5, 'two_1.wapt']))
        os.rename(self.path('named/one_1.wapt'), self.path('named/odd.wapt'))
        self.assertEqual(self.json('-r', 'named', status=PARTIAL, program=SCAN)['result']['renamed'], 1)
        os.remove(self.path('named/bad.wapt'))
        os.remove(self.path('named/one_1.wapt'))
        os.utime(self.path('named/two_1.wapt'), (1000, 1000))
        done = self.run_ok('-f', '-l', 'info', 'named', program=SCAN)
        self.assertIn("'two_1.wapt' is new or changed", done.stderr)
        done = self.run_ok('--loglevel', 'DEBUG', '-p', 'http://proxy.example:3128', 'named', program=SCAN)
        self.assertIn('no proxy is needed', done.stderr)
        os.remove(self.path('named/two_1.wapt'))
        self.assertIn("'two_1.wapt' is gone", self.run_ok('-l', 'info', 'named', program=SCAN).stderr)
        self.ends(USAGE, '-l', 'loud', 'named', program=SCAN, says='is no level')


class Lint(Bench):
    """The rules about setup.py, what a build makes of them, and that docs/lint.md lists them all."""

    GOOD = ('package: org-a\nversion: 1.0-1\narchitecture: all\nsection: base\npriority: optional\n'
            'description: An example\n')
    INSTALL = 'def install():\n    run("x")\ndef uninstall():\n    pass\n'
    SCRIPTS = [  # setup.py, and "level rule line" of each finding
        (INSTALL, []),
        ('uninstallkey = []\ndef install():\n    print "x"\n', ['note old-python 3'] * 2),
        ('uninstallkey = []\ndef install():\n    print "x"\n    return unicode(1)\n', ['note old-python 3'] * 2 + ['note old-python 4']),
        ('import md5\ndef install():\n    exec "a"\n    raise "x"\n', ['error old-python 1', 'error old-python 3', 'error old-python 4']),
        ('import md5\ndef install():\n    exec "a"\n', ['error old-python 1', 'error old-python 3']),
        ('print "x"\ndef install(:\n', ['error setup-syntax 2']),
        ('\0', ['error setup-syntax 1']),
        ('x = ' + '(' * 500 + ')' * 500, ['error setup-syntax 1']),
        ('x = ' + '-' * 100000 + '1', ['error setup-syntax 0']),
        ('x = 1\n', ['warning install-missing 0']),
        ('def install():\n    pass\n', ['note uninstall-missing 0']),
        ('uninstallkey = []\ndef install(what):\n    pass\n', ['error hook-arguments 2']),
        ('uninstallkey = []\nasync def install():\n    pass\n', ['error hook-arguments 2']),
        (INSTALL + 'def audit( ):\n    return "OK"\n', ['warning hook-spelling 5']),
        (INSTALL + 'def audit():\n    WAPT.register_computer()\n', ['warning audit-registers 6']),
        (INSTALL + 'def audit():\n    def deep():\n        WAPT.update_server_status()\n', ['warning audit-registers 7']),
        (INSTALL + 'def session_setup():\n    register()\n', []),
        (INSTALL + 'x = input("?")\n', ['warning asks 5']),
        (INSTALL + 'def update_package():\n    input("?")\n', []),
        (INSTALL + 'run("evil")\n', ['warning module-code 5']),
        ('uninstallkey = ["{A}", "", " x", r"HKLM\\\\a", "0f0f0f0f-0000-1111-2222-333344445555"]\ndef install():\n    pass\n',
         ['warning uninstallkey 1'] * 4),
        ('uninstallkey = "one"\ndef install():\n    pass\n', []),
        ('def install():\n    install_exe_if_needed("a.exe", "/S", key="A", min_version="1.2", timeout=900)\n', []),
        ('def install():\n    install_exe_if_needed("a.exe", "/S", timeout=900)\n', ['warning uninstallkey 2']),
        ('def install():\n    install_exe_if_needed("a.exe", "/S", "", "v1", timeout=900)\n',
         ['warning uninstallkey 2', 'warning min-version 2']),
        ('def install():\n    install_msi_if_needed("a.msi", 1.2)\n', ['note timeout-missing 2', 'warning min-version 2']),
        ('def install():\n    install_msi_if_needed("a.msi", min_version=control.version, **more)\n', []),
        (INSTALL + 'def f():\n    run("x", timeout=0); run("x", timeout=-5); run("x", timeout=10**6); run("x", timeout=600000)\n',
         ['warning timeout-absurd 6'] * 3),
        (INSTALL + 'def f():\n    run("x", timeout=None)\n', ['warning timeout-absurd 6']),
        (INSTALL + 'def f():\n    subprocess.check_call(["x"])\n', ['warning timeout-missing 6']),
        (INSTALL + 'def f():\n    subprocess.check_call(["x"], timeout=60)\n', []),
    ]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['WAPT_LIBDIR'] = os.path.join(ROOT, 'python')

    def lint(self, *args, status=OK):
        return self.json('lint', *args, status=status)['result']

    def rules(self, script):
        """Of setup.py alone."""
        self.source('l/x', self.GOOD, code=False)
        self.write('l/x/setup.py', script)
        found = self.json('lint', 'l/x', status=None)['result'][0]['findings']
        return [f'{f["level"]} {f["rule"]} {f["line"]}' for f in found if f['file'] == 'setup.py']

    def test_scripts(self):
        for script, wanted in self.SCRIPTS:
            with self.subTest(script[:200]):
                self.assertEqual(self.rules(script), wanted)

    def test_nothing_is_executed(self):
        marker = self.path('executed')
        self.rules(f'open({marker!r}, "w").close()\n@(lambda f: open({marker!r}, "w"))\ndef install(): pass\n')
        self.assertFalse(os.path.exists(marker))

    def test_every_rule_is_told(self):
        with open(os.path.join(ROOT, 'docs/lint.md'), encoding='utf-8') as f:
            rows = re.findall(r'^\| (`[a-z-]+`(?:, `[a-z-]+`)*)(?: \*)? \| (?:error|warning|note) \|', f.read(), re.M)
        told = {rule for row in rows for rule in re.findall(r'[a-z-]+', row)}
        coded = set()
        for name in ('src/pkg/lint.c', 'src/pkg/lint_control.c', 'src/cmd/get_lint.c', 'python/wapt_lint.py'):
            with open(os.path.join(ROOT, name), encoding='utf-8') as f:
                coded |= set(re.findall(r"""(?:WA_LINT_)?(?:ERROR|WARNING|NOTE|'error'|'warning'|'note'),\s*["']([a-z-]+)["']""", f.read()))
        self.assertGreater(len(coded), 35)
        self.assertEqual(told, coded)

    def test_build_heeds_errors_alone(self):
        self.source('h/bad', self.GOOD + 'depends: org-b\nconflicts: org-b\n')
        self.source('h/fair', 'package: fair\nversion: 1\narchitecture: all\n')
        done = self.ends(PARTIAL, 'build-package', 'h/bad', 'h/fair', *self.SIGN, says='h/bad/WAPT/control:8: error: ')
        self.assertIn('[depends-conflicts]', done.stderr)
        self.assertIn('h/fair/WAPT/control:1: warning: ', done.stderr)
        self.assertNotIn(': note: ', done.stderr)
        self.assertEqual(done.stdout, 'h/fair_1.wapt\n')
        answer = self.json('build-package', 'h/bad', *self.SIGN, status=INVALID)['result'][0]
        self.assertEqual([f['rule'] for f in answer['findings'] if f['level'] == 'error'], ['depends-conflicts'])
        self.run_ok('build-package', 'h/bad', *self.SIGN, '--ignore', 'icon,depends-conflicts')

    def test_lint(self):
        self.source('i/bad', self.GOOD.replace('1.0-1', 'x'), code=False)
        self.write('i/bad/setup.py', self.INSTALL)
        done = self.ends(INVALID, 'lint', 'i/bad')
        self.assertIn('i/bad/WAPT/control:2: error: version', done.stdout)
        self.assertIn('i/bad: note: has no WAPT/icon.png', done.stdout)
        self.assertIn('i/bad: 1 errors, 0 warnings', done.stdout)
        self.ends(NOT_FOUND, 'lint', 'nowhere')
        (result,) = self.lint('i/bad', '--ignore', 'version')
        self.assertEqual((result['errors'], result['code']), (0, 'ok'))

    def test_fix(self):
        self.source('f/x', self.GOOD, code=False)
        self.write('f/x/setup.py', '# -*- coding: utf-8 -*-\r\nfrom setuphelpers import *\r\n\r\ndef install():\r\n    print "é", 7 / x\r\n')
        os.chmod(self.path('f/x/setup.py'), 0o640)
        done = self.ends(OK, 'lint', 'f/x')
        self.assertIn('f/x/setup.py:5: note: becomes: print("é", py2_div(7, x)) [old-python]', done.stdout)
        (result,) = self.lint('f/x', '--fix')
        self.assertTrue(result['fixed'])
        self.assertEqual([f for f in result['findings'] if f['rule'] == 'old-python'], [])
        with open(self.path('f/x/setup.py'), encoding='utf-8', newline='') as f:
            self.assertEqual(f.read(), '# -*- coding: utf-8 -*-\r\nfrom setuphelpers.python2 import py2_div\r\nfrom setuphelpers import *\r\n\r\n'
                                       'def install():\r\n    print("é", py2_div(7, x))\r\n')
        self.assertEqual(os.stat(self.path('f/x/setup.py')).st_mode & 0o777, 0o640)
        self.assertIn('x/setup.py: note: has neither', self.ends(OK, 'lint', '--fix', 'f/x').stdout)
        for name, script in (('same', self.INSTALL), ('refused', 'import md5\n' + self.INSTALL + 'print "x"\n'), ('broken', 'def (')):
            self.source(f'f/{name}', self.GOOD, code=False)
            self.write(f'f/{name}/setup.py', script)
            (result,) = self.lint(f'f/{name}', '--fix', status=OK if name == 'same' else INVALID)
            self.assertFalse(result['fixed'])
            with open(self.path(f'f/{name}/setup.py'), encoding='utf-8') as f:
                self.assertEqual(f.read(), script)

    def test_without_python(self):
        env, self.env['WAPT_LIBDIR'] = self.env['WAPT_LIBDIR'], '/nowhere'
        try:
            self.assertEqual(self.rules('def install():\n    print "x"\n'), ['note not-parsed 0'])
            self.assertEqual(self.rules('x = 1\n'), ['note not-parsed 0', 'warning install-missing 0'])
        finally:
            self.env['WAPT_LIBDIR'] = env


class SignAll(Bench):
    """wapt-signpackages: the packages of one key go over to another."""

    CERT = ('-c', 'keys/Zoë Coder.crt', '-w', 'pw')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_ok('create-keycert', '--common-name', 'New', '--code-signing', '--base-dir', 'new', '-w', 'pw', '--key-bits', '2048')
        cls.run_ok('create-keycert', '--common-name', 'Plain', '--base-dir', 'plain', '-w', 'pw', '--key-bits', '2048')
        os.mkdir(cls.path('trusted-new'))
        shutil.copy(cls.path('new/New.crt'), cls.path('trusted-new'))

    def repository(self, name, *packages):
        """A directory with these packages, signed by Zoë."""
        for p in packages:
            self.source(f'{name}-src/{p}', f'package: {p}\nversion: 1.0-1\narchitecture: all\n')
        os.makedirs(self.path(name))
        self.run_ok('build-package', *(f'{name}-src/{p}' for p in packages), *self.SIGN, '-o', name)
        return [f'{name}/{p}_1.0-1.wapt' for p in packages]

    def sign_all(self, *args, status=OK, **kw):
        return self.json(*args, status=status, program=SIGN_ALL, **kw)['result']

    NEW = ('-c', 'new/New.crt', '-w', 'pw')

    def test_over_to_another_key(self):
        files = self.repository('over', 'tis-a', 'tis-b')
        self.write('over/broken.wapt', 'no package')
        result = self.sign_all(*self.NEW, '-s', '-t', 'trusted', *files, 'over/broken.wapt', 'over/none.wapt', 'over', status=PARTIAL)
        self.assertEqual([p['code'] for p in result['packages']], ['ok', 'ok', 'invalid', 'not_found', 'usage'])
        self.assertEqual([p['signed'] for p in result['packages']], [True, True, False, False, False])
        good = self.json('verify', '-t', 'trusted-new', *files)['result']
        self.assertEqual([g['signer'] for g in good], ['New', 'New'])
        (scan,) = result['scans']
        self.assertEqual((scan['directory'], scan['added'], scan['bad'], scan['code']), ('over', 2, 1, 'partial'))
        with open(self.path('over/broken.wapt'), encoding='utf-8') as f:
            self.assertEqual(f.read(), 'no package')
        self.assertFalse([f for f in os.listdir(self.path('over')) if f.endswith('.tmp')])
        # They are New's now, so Zoë's trust does not sign them again.
        again = self.sign_all(*self.CERT, '-t', 'trusted', *files, status=REFUSED)
        self.assertEqual([p['code'] for p in again['packages']], ['refused', 'refused'])

    def test_if_needed(self):
        files = self.repository('needed', 'tis-c', 'tis-d')
        self.sign_all(*self.NEW, files[0])
        def read():
            return [pathlib.Path(self.path(f)).read_bytes() for f in files]
        before = read()
        result = self.sign_all(*self.NEW, '--if-needed', *files)
        self.assertEqual([p['signed'] for p in result['packages']], [False, True])
        self.assertEqual([a == b for a, b in zip(before, read())], [True, False])
        for more in (('--maturity', 'DEV'), ('--target-os', 'linux'), ('-m', 'sha256,sha1'), ('-r',), ('-i',)):
            result = self.sign_all(*self.NEW, '--if-needed', *more, files[0])['packages'][0]
            self.assertTrue(result['signed'], more)
            if more != ('-i',):
                again = self.sign_all(*self.NEW, '--if-needed', *more, result['file'])['packages'][0]
                # Each asks for what the one before has not: only itself is done.
                self.assertEqual((again['signed'], again['code']), (False, 'ok'), more)
            files[0] = result['file']
        self.assertEqual(files[0], 'needed/tis-c_1.0-2_DEV.wapt')

    def test_promote(self):
        files = self.repository('promote', 'tis-e')
        done = self.call(*self.CERT, '--maturity', 'PROD', '--target-os', 'windows,linux', '-i', *files, program=SIGN_ALL)
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn('PACKAGE  VERSION  RESULT  FILE', done.stdout)
        self.assertIn('tis-e    1.0-2    signed  promote/tis-e_1.0-2_PROD.wapt', done.stdout)
        self.assertIn('1 signed, 0 unchanged, 0 failed', done.stdout)
        self.assertEqual(os.listdir(self.path('promote')), ['tis-e_1.0-2_PROD.wapt'])
        control = self.json('show', 'promote/tis-e_1.0-2_PROD.wapt')['result'][0]['control']
        self.assertEqual((control['maturity'], control['target_os']), ('PROD', 'windows,linux'))
        # An index of before is told, a new one is made when asked.
        self.run_ok('promote', program=SCAN)
        done = self.call(*self.CERT, 'promote/tis-e_1.0-2_PROD.wapt', program=SIGN_ALL)
        self.assertIn("run 'wapt-scanpackages promote'", done.stderr)
        done = self.call(*self.CERT, '-s', '-i', 'promote/tis-e_1.0-2_PROD.wapt', program=SIGN_ALL)
        self.assertNotIn('wapt-scanpackages', done.stderr)
        with zipfile.ZipFile(self.path('promote/Packages')) as z:
            self.assertIn('tis-e_1.0-3_PROD.wapt', z.read('Packages').decode())

    def test_keeps_the_date(self):
        files = self.repository('dates', 'tis-f')
        def date():
            return self.json('show', files[0])['result'][0]['control']['signature_date']
        before = date()
        self.sign_all(*self.CERT, '--keep-signature-date', *files)
        self.assertEqual(date(), before)
        self.sign_all(*self.CERT, *files)
        self.assertNotEqual(date(), before)

    def test_code(self):
        files = self.repository('code', 'tis-g')
        self.ends(REFUSED, '-c', 'plain/Plain.crt', '-w', 'pw', *files, says='codeSigning', program=SIGN_ALL)
        self.sign_all('-c', 'plain/Plain.crt', '-w', 'pw', '-r', *files)
        with zipfile.ZipFile(self.path(files[0])) as z:
            self.assertNotIn('setup.py', z.namelist())

    def test_wrong_password_is_asked_once(self):
        files = self.repository('once', 'tis-h', 'tis-i')
        self.ends(AUTH, '-c', 'new/New.crt', '-w', 'wrong', *files, program=SIGN_ALL)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.top)
            os.execve(SIGN_ALL, [SIGN_ALL, '-c', 'new/New.crt', *files], self.env)
        shown, typed = b'', False
        while True:
            try:
                more = os.read(terminal, 4096)
            except OSError:
                more = b''
            if not more:
                break
            shown += more
            if b'Password of' in shown and not typed:
                typed = True
                os.write(terminal, b'correct horse\n')
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
        self.assertEqual(status, OK, shown)
        self.assertEqual(shown.count(b'Password of'), 1, shown)
        self.assertIn(b'50%', shown)  # progress, on a terminal alone

    def test_killed_at_any_moment(self):
        """One whole package is there, the old or the new one, whenever it ends."""
        files = self.repository('killed', 'tis-j')
        with open(self.path(files[0]), 'rb') as f:
            old = f.read()
        seen = set()
        for wait in range(0, 60, 4):
            for f in os.listdir(self.path('killed')):
                os.remove(os.path.join(self.path('killed'), f))
            with open(self.path(files[0]), 'wb') as f:
                f.write(old)
            with subprocess.Popen([SIGN_ALL, *self.NEW, '-i', *files], cwd=self.top, env=self.env, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as p:
                try:
                    p.wait(wait / 1000)
                except subprocess.TimeoutExpired:
                    p.kill()
            (left,) = [f for f in os.listdir(self.path('killed')) if f.endswith('.wapt')]
            seen.add(left)
            whole = self.json('verify', '-t', 'trusted', 'killed/' + left, status=None)['result'][0]
            if not whole['good']:
                self.assertTrue(self.json('verify', '-t', 'trusted-new', 'killed/' + left)['result'][0]['good'])
        self.assertLessEqual(seen, {'tis-j_1.0-1.wapt', 'tis-j_1.0-2.wapt'})

    def test_what_killed_runs_left_goes(self):
        """By its name and its age, and nothing else does; whichever program writes there next."""
        (package,) = self.repository('left', 'p')
        old, digits = time.time() - 7200, '0123456789abcdef'
        names = [f'.wapt.{digits}.tmp', f'.wapt.{digits}x.tmp', '.wapt.short.tmp', f'.wapt.{digits}', f'x.wapt.{digits}.tmp', '.other.tmp']

        def left(program, *args):
            for name in names:
                self.write(f'left/{name}', 'x')
                os.utime(self.path(f'left/{name}'), (old, old))
            self.write(f'left/.wapt.{digits[::-1]}.tmp', 'being made')
            os.makedirs(self.path(f'left/.wapt.{digits[:8] * 2}.tmp'), exist_ok=True)
            os.utime(self.path(f'left/.wapt.{digits[:8] * 2}.tmp'), (old, old))
            self.run_ok(*args, program=program)
            self.assertEqual(sorted(os.listdir(self.path('left'))),
                             sorted(names[1:] + [f'.wapt.{digits[::-1]}.tmp', f'.wapt.{digits[:8] * 2}.tmp', os.path.basename(package)]))

        left(SIGN_ALL, package, *self.CERT)
        left(WAPT_GET, 'sign-package', package, *self.SIGN)
        left(WAPT_GET, 'build-package', 'left-src/p', *self.SIGN, '-o', 'left')

    def test_words_of_wapt(self):
        self.ends(USAGE, '-l', 'debug', 'x.wapt', program=SIGN_ALL, says='always told')
        self.ends(USAGE, program=SIGN_ALL, says="'wapt-signpackages' needs FILE")
        self.ends(USAGE, *self.CERT, '-m', 'md5', 'x.wapt', program=SIGN_ALL, says='no digest')


class CommandLine(Bench):
    def test_usage(self):
        self.ends(USAGE, says='no command given')
        self.ends(USAGE, 'verify', says="'verify' needs FILE|DIR...")
        self.ends(USAGE, 'frobnicate', says="Try 'wapt-get --help'")
        answer = self.json('frobnicate', status=USAGE)
        self.assertEqual(answer['code'], 'usage')

    def test_names_of_wapt(self):
        """A habit from WAPT works, or is answered with what to type."""
        self.ends(USAGE, 'showlog', says="'show-log' needs PACKAGE")
        self.ends(USAGE, 'edit-host', 'x', says='waptconsole host-package')
        for name in WAPT_COMMANDS:
            self.assertNotIn('unknown', self.call('help', name).stderr, name)
        for name in WAPT_OPTIONS:
            self.assertNotIn('unknown', self.call('build-package', name, 'x').stderr, name)
        self.ends(CONFIG, '-S', '-t', '5', 'install', 'x', says='wapt-get register')
        self.ends(USAGE, 'update', '-u', says="'update' takes no '-u'")
        self.ends(USAGE, 'create-keycert', '/CommonName=X', says="'--common-name' here")
        self.ends(USAGE, 'create-keycert', '/PrivateKeyPassword=X', says='others could see it')
        self.ends(USAGE, 'instal', 'x', says="is 'install' meant?")
        self.ends(USAGE, 'help', 'nothing', says="unknown command 'nothing'")
        self.ends(NOT_FOUND, '-b', 'x', program=SCAN)
        self.run_ok('create-keycert', '--CommonName', 'W', '--BaseDir', 'w', '--CodeSigning',
                    '--NoPrivateKeyPassword', '--key-bits', '2048')
        self.assertEqual(sorted(os.listdir(self.path('w'))), ['W.crt', 'W.pem'])
        self.ends(USAGE, program=SCAN, says="'wapt-scanpackages' needs DIR")

    def test_first_run_says_what_to_type(self):
        self.ends(CONFIG, '-c', self.path('no.ini'), 'list', says='wapt-get register')
        self.ends(CONFIG, '-c', 'no.ini', 'list', says="there is no configuration 'no.ini'")
        self.ends(CONFIG, 'build-package', 'x', says='personal_certificate_path')
        self.ends(CONFIG, 'hosts', program=CONSOLE, says='--server https://SERVER')
        self.ends(AUTH, 'hosts', '--server', 'https://127.0.0.1:1', program=CONSOLE, says='--password-file FILE')
        self.ends(CONFIG, 'run', '-c', self.path('no.ini'), program=SERVER, says='waptserver setup')
        self.ends(AUTH, 'setup', '--dir', self.path('server'), program=SERVER, says='--admin-password-file FILE')
        self.ends(CONFIG, 'run', '-c', 'no.ini', program=SERVICE, says='no.ini')

    def test_console_asks_for_what_is_missing(self):
        self.ends(USAGE, 'action', 'explode', '--hosts', 'x', program=CONSOLE, says='none of update')
        self.ends(USAGE, 'action', 'install', '--hosts', 'x', program=CONSOLE, says='which package?')
        self.ends(USAGE, 'action', 'update', 'x', '--hosts', 'x', program=CONSOLE, says='takes no package')
        self.ends(USAGE, 'action', 'update', program=CONSOLE, says='which hosts?')
        self.ends(USAGE, 'action', 'update', '--hosts', 'x', '--valid', 'soon', program=CONSOLE, says='period')
        self.ends(USAGE, 'upgrade', program=CONSOLE, says='waptconsole action upgrade')
        self.write('pw1', 'x')
        server = ('hosts', '--server', 'https://127.0.0.1:1', '--password-file', 'pw1')
        self.ends(UNREACHABLE, *server, program=CONSOLE)
        self.ends(CONFIG, *server, '--verify-cert', '0', program=CONSOLE, says='always checked')
        self.ends(USAGE, *server, '--server-fingerprint', 'ab:cd', program=CONSOLE, says='64 digits')
        self.ends(NOT_FOUND, *server, '--verify-cert', 'no.crt', program=CONSOLE, says='no.crt')

    def test_full_disk_is_told(self):
        with open('/dev/full', 'w', encoding='ascii') as full:
            done = subprocess.run([WAPT_GET, '--help'], env=self.env, stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 17)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=1)
