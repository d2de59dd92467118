"""wapt-get check, each of its lines provoked; the checks at the start of the service (F2C, F2D); a configuration taken over, or refused, while it runs."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess

import agent_bench
from agent_bench import BOB, CONFIG, CONFLICT, DENIED, FAILED, OK, PARTIAL, UNREACHABLE, Bench


class Checked(Bench):
    """A service that is well, until a test changes something."""

    def tearDown(self):
        self.configure()

    def check(self, **more):
        """The findings by name, and the exit status they deserve."""
        done = self.run_get('--json', 'check', **more)
        rows = json.loads(done.stdout)['result']
        states = {r['state'] for r in rows}
        self.assertEqual(done.returncode, FAILED if 'error' in states else PARTIAL if 'warning' in states else OK, done.stdout)
        for r in rows:
            self.assertEqual(bool(r['remedy']), r['state'] in ('warning', 'error'), r)
        return {r['check']: r for r in rows}

    def finds(self, what, state, says, **more):
        row = self.check(**more)[what]
        self.assertEqual(row['state'], state, row)
        self.assertIn(says, row['text'])

    @contextlib.contextmanager
    def mode(self, path, mode):
        before = os.stat(path).st_mode & 0o7777
        os.chmod(path, mode)
        try:
            yield
        finally:
            os.chmod(path, before)

    @contextlib.contextmanager
    def mounted(self, *paths, options='size=1m'):
        done = []
        try:
            for path in paths:
                if os.path.isdir(path):
                    subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'none', path], check=True)
                    done.append(path)
            yield
        finally:
            for path in done:
                subprocess.run(['umount', path], check=True)

    # --- the machine's files ---

    def test_well(self):
        found = self.check()
        self.assertEqual({w for w, r in found.items() if r['state'] == 'error'}, set(), found)
        for what in ('configuration', 'base-directory', 'private-directory', 'signers', 'scripts', 'passwords', 'service', 'database'):
            self.assertEqual(found[what]['state'], 'good', found[what])
        text = self.run_get('check').stdout
        self.assertRegex(text, r'(?m)^good +database +whole, version [1-9]\d*$')

    def test_an_ordinary_user_sees_what_it_may(self):
        found = self.check(uid=BOB)
        self.assertEqual(found['private-directory']['state'], 'unknown')
        self.assertEqual(found['database']['state'], 'good')

    def test_configuration(self):
        self.configure('repo_urk = x')
        self.finds('configuration', 'warning', 'repo_urk')
        self.configure('timeout = never')
        self.finds('configuration', 'error', 'timeout')

    def test_base_directory(self):
        for path, mode in ((f'{self.base}/ssl', 0o777), (f'{self.base}/wapt-get.ini', 0o666), (f'{self.base}/ssl/developer.crt', 0o646), (f'{self.base}/db', 0o755)):
            with self.subTest(path), self.mode(path, mode):
                self.finds('base-directory', 'error', path.rsplit('/', 1)[1])

    def test_private_directory(self):
        key = f'{self.base}/private/some.pem'
        with open(key, 'w', encoding='ascii') as f:
            f.write('x')
        self.addCleanup(os.unlink, key)
        os.chmod(key, 0o640)
        self.finds('private-directory', 'error', 'some.pem')
        os.chown(key, BOB, 0)
        self.finds('private-directory', 'error', 'belongs to uid')
        self.stop()
        done = self.run_get('status')
        self.assertNotEqual(done.returncode, OK)
        self.assertIn('belongs to uid', done.stderr)
        os.chown(key, 0, 0)
        os.chmod(key, 0o640)
        self.start()
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        self.assertIn('rights.mended', self.log())

    def test_whoever_could_write_the_configuration_is_not_obeyed(self):
        self.stop()
        with self.mode(f'{self.base}/wapt-get.ini', 0o666):
            done = self.run_get('status')
        self.assertNotEqual(done.returncode, OK)
        self.assertIn('writable by others', done.stderr)
        self.start()

    def test_signers(self):
        made = f'{self.base}/ssl/short.crt'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-out', made, '-days', '3',
                        '-subj', '/CN=short'], check=True, capture_output=True)
        self.addCleanup(lambda: os.path.exists(made) and os.unlink(made))
        self.finds('signers', 'warning', "'short' ends first")
        shown = subprocess.run(['openssl', 'x509', '-in', made, '-noout', '-fingerprint', '-sha256'], check=True, capture_output=True, text=True).stdout
        with open(f'{self.base}/ssl/revoked.txt', 'w', encoding='ascii') as f:
            f.write(shown.split('=')[1].strip().replace(':', '').lower() + '\n')
        self.addCleanup(os.unlink, f'{self.base}/ssl/revoked.txt')
        self.finds('signers', 'warning', 'revoked')
        for name in ('developer.crt', 'short.crt'):
            os.rename(f'{self.base}/ssl/{name}', f'{self.top}/{name}')
        self.finds('signers', 'warning', 'there is no certificate')
        os.rename(f'{self.top}/developer.crt', f'{self.base}/ssl/developer.crt')

    def test_server_certificate(self):
        self.configure('wapt_server = https://127.0.0.1:1\nverify_cert = ssl/none.crt')
        self.finds('server-certificate', 'error', 'none.crt')

    def test_disk(self):
        base = f'{self.top}/small'
        os.mkdir(base)
        for size, state in (('40m', 'error'), ('300m', 'warning')):
            with self.mounted(base, options=f'size={size},mode=755'):
                shutil.copy(f'{self.base}/wapt-get.ini', base)
                done = subprocess.run([f'{self.bindir}/wapt-get', '--json', 'check', '--config', f'{base}/wapt-get.ini'], env=self.env,
                                      capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
                found = {r['check']: r for r in json.loads(done.stdout)['result']}
                self.assertEqual(found['disk']['state'], state)
                self.assertEqual(found['service']['state'], 'warning')  # of its own: the command's

    def test_scripts(self):
        with self.mounted('/etc/pam.d', '/usr/lib/pam.d'):
            self.finds('passwords', 'error', 'no PAM service')
        os.rename(f'{self.top}/lib/wapt_runner.py', f'{self.top}/lib/away')
        try:
            self.finds('scripts', 'error', 'wapt_runner.py')
        finally:
            os.rename(f'{self.top}/lib/away', f'{self.top}/lib/wapt_runner.py')

    def test_units_and_reboot(self):
        with self.mounted('/run', '/etc/systemd/system', '/lib/systemd/system'):
            os.makedirs('/run/systemd/system')
            with open('/run/reboot-required', 'w', encoding='ascii'):
                pass
            self.finds('reboot', 'warning', 'asks for a reboot')
            self.finds('units', 'warning', 'is not installed')
            for unit in ('waptservice.service', 'wapt-launcher.socket', 'wapt-register.service', 'wapt-upgrade.service'):
                with open(f'/lib/systemd/system/{unit}', 'w', encoding='ascii'):
                    pass
            self.finds('units', 'warning', 'does not start with the machine')
            os.mkdir('/etc/systemd/system/multi-user.target.wants')
            os.symlink('/lib/systemd/system/waptservice.service', '/etc/systemd/system/multi-user.target.wants/waptservice.service')
            self.finds('units', 'good', '')
            os.mkdir('/etc/systemd/system/waptservice.service.d')
            self.finds('units', 'warning', 'not as it was installed')
            os.symlink('/dev/null', '/etc/systemd/system/waptservice.service')
            self.finds('units', 'warning', 'switched off')

    def test_agent_upgrade(self):
        kept = f'{self.base}/private/upgrade.json'
        with open(kept, 'w', encoding='ascii') as f:
            json.dump({'outcome': 'returned', 'package': 'p', 'sha256': '0' * 64, 'from': '1', 'to': '2', 'message': 'it does not answer', 'at': 1}, f)
        os.chmod(kept, 0o600)
        self.addCleanup(os.unlink, kept)
        self.finds('agent-upgrade', 'warning', 'from 1 to 2: returned: it does not answer')

    # --- what the manager knows ---

    def test_repository(self):
        self.publish()
        self.get('update')
        self.finds('repository', 'good', 'minutes old')

    def test_queue_and_packages(self):
        _, done = self.install('failing', 'def install():\n    error("on purpose")\n')
        self.assertEqual(done.returncode, FAILED)
        self.finds('queue', 'warning', 'failed since yesterday')
        self.finds('packages', 'warning', "'failing'")
        self.get('forget', 'failing')

    def test_without_the_service(self):
        self.stop()
        try:
            self.finds('service', 'error', 'nobody answers', uid=BOB)
            self.finds('service', 'warning', 'does not run')
            path = f'{self.base}/db/waptagent.sqlite'
            shutil.copy(path, f'{self.top}/db.before')
            with open(path, 'r+b') as f:
                f.seek(4096 * 2)
                f.write(b'\xff' * 4096 * 3)
            found = self.check()
            self.assertEqual(found.get('database', found['service'])['state'], 'error')
        finally:
            for name in os.listdir(f'{self.base}/db'):
                if name.startswith('waptagent.sqlite'):
                    os.unlink(f'{self.base}/db/{name}')
            shutil.copy(f'{self.top}/db.before', path)
            self.start()

    def test_server(self):
        self.configure('wapt_server = https://127.0.0.1:1')
        self.get('reload')
        self.finds('registration', 'error', 'the machine has no key yet')
        self.finds('server', 'unknown', 'registered')
        self.finds('clock', 'unknown', 'not seen')
        self.configure()
        self.get('reload')
        self.finds('registration', 'unknown', 'no server')

    def test_the_start_tells_too(self):
        self.configure('verify_cert = ssl/none.crt\nwapt_server = https://127.0.0.1:1')
        before = self.manager_pid()
        self.get('restart')
        self.wait_for(lambda: re.search(r'health of=server-certificate is=error since=.*none.crt.* do=', self.log()), 'the start tells')
        self.await_service(before)
        before = self.manager_pid()
        self.configure()
        self.get('restart')
        self.await_service(before)


class Reload(Bench):
    """The same process before and after."""

    def setUp(self):
        self.before = self.manager_pid()

    def tearDown(self):
        self.configure()
        self.get('reload')
        self.assertEqual(self.manager_pid(), self.before)

    def server(self):
        return self.result('status')['server']

    def test_taken_over(self):
        self.configure('wapt_server = https://127.0.0.1:1')
        self.get('reload')
        self.assertEqual(self.server(), 'https://127.0.0.1:1')
        self.assertIn('config.reloaded', self.log())

    def test_by_signal(self):
        self.configure('wapt_server = https://127.0.0.1:2')
        self.service.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.server() == 'https://127.0.0.1:2', 'it is taken over')

    def test_a_wrong_one_keeps_the_old(self):
        self.configure('wapt_server = https://127.0.0.1:3\ntimeout = never')
        done = self.ends(CONFIG, 'reload', says='timeout')
        self.assertIn('wapt-get.ini', done.stderr)
        self.assertEqual([a['code'] for a in self.ask('{"op":"reload"}')], ['config'])
        self.service.send_signal(signal.SIGHUP)
        self.wait_for(lambda: re.search(r'config.refused code=config error=.*timeout', self.log()), 'the log says why')
        self.assertEqual(self.ask('{"op":"status"}')[0]['data']['server'], '')

    def test_what_only_a_start_can_change(self):
        self.configure('helper_user = nobody')
        self.ends(CONFLICT, 'reload', says='helper_user')
        self.configure('verify_cert = /root/none.crt\nwapt_server = https://127.0.0.1:1')
        self.assertNotEqual(self.run_get('reload').returncode, OK)
        self.assertEqual(self.server(), '')

    def test_rights(self):
        self.assertEqual(self.run_get('reload', uid=BOB).returncode, DENIED)
        os.chmod(f'{self.base}/wapt-get.ini', 0o666)
        self.ends(DENIED, 'reload', says='writable by others')
        os.chmod(f'{self.base}/wapt-get.ini', 0o644)

    def test_a_running_task_keeps_its(self):
        begun, flag = f'{self.top}/begun', f'{self.top}/go'
        self.package('slow', f'import os, time\ndef install():\n    open({begun!r}, "w").close()\n    while not os.path.exists({flag!r}):\n'
                             '        time.sleep(0.05)\n')
        self.publish()
        self.get('update')
        words = [f'{self.bindir}/wapt-get', '--config', f'{self.base}/wapt-get.ini']
        quiet = {'env': self.env, 'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL}
        try:
            installs = subprocess.Popen([*words, 'install', 'slow'], **quiet)
            self.wait_for(lambda: os.path.exists(begun), 'the script runs')
            self.configure('wapt_server = https://127.0.0.1:4')
            reloads = subprocess.Popen([*words, 'reload'], **quiet)
            self.wait_for(lambda: any(t['kind'] == 'reload' for t in self.result('tasks')), 'it waits')
            self.assertEqual(self.server(), '')
        finally:
            with open(flag, 'w', encoding='ascii'):
                pass
        self.assertEqual((installs.wait(60), reloads.wait(60)), (OK, OK))
        self.assertEqual(self.server(), 'https://127.0.0.1:4')

    def test_without_the_service(self):
        self.stop()
        self.ends(UNREACHABLE, 'reload', says='does not run')
        self.start()
        self.before = self.manager_pid()


if __name__ == '__main__':
    agent_bench.main()
