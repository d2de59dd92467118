"""The agent as its users meet it: the real service, wapt-get, signed packages from a repository."""
import glob
import hashlib
import json
import os
import shutil
import signal
import ssl
import stat
import subprocess
import threading
import zipfile

import agent_bench
from agent_bench import (ALICE, BOB, CONFLICT, DENIED, FAILED, NOT_FOUND, OK, PARTIAL, REFUSED, SECRET, UNREACHABLE,
                         USAGE, Bench, Quiet)


def marker(top, name):
    return f'{top}/mark-{name}'


def write_script(top, name, status='None'):
    """install() and uninstall() that leave a trace."""
    return (f'def install():\n    print("installing", control.package)\n    open({marker(top, name)!r}, "a").write("i")\n'
            f'    return {status}\ndef uninstall():\n    open({marker(top, name)!r}, "a").write("u")\n'
            f'def audit():\n    print("looking")\n    return "OK" if isfile({marker(top, name)!r}) else "ERROR"\n')


class Life(Bench):
    """What a package goes through."""

    def trace(self, name):
        try:
            with open(marker(self.top, name), encoding='ascii') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def test_install_audit_remove(self):
        _, done = self.install('life', write_script(self.top, 'life'))
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn('installing life', done.stdout)
        self.assertEqual(self.trace('life'), 'i')
        row = self.row('life')
        self.assertEqual((row['install_status'], row['version'], row['explicit']), ('OK', '1-1', True))
        kept = f"{self.base}/private/packages/{row['package_uuid']}"
        self.assertTrue(os.path.isfile(f'{kept}/setup.py'))
        self.assertEqual(os.listdir(f'{self.base}/private/stage'), [])
        self.assertIn('installing life', self.get('show-log', 'life').stdout)
        self.get('audit', 'life')
        self.assertEqual(self.row('life')['last_audit_status'], 'OK')
        self.get('install', 'life')  # there already: nothing runs
        self.assertEqual(self.trace('life'), 'i')
        self.get('remove', 'life')
        self.assertEqual(self.trace('life'), 'iu')
        self.assertIsNone(self.row('life'))
        self.assertFalse(os.path.exists(kept))

    def test_statuses_tell_what_happened(self):
        """One package or all of them failed; an audit that finds an error; a restart that is due."""
        said = {'good': 'def install():\n    pass\n\n\ndef audit():\n    return "OK"\n',
                'bad': 'def install():\n    raise Exception("no")\n',
                'sick': 'def install():\n    pass\n\n\ndef audit():\n    return "ERROR"\n',
                'kernel': 'def install():\n    open("/run/reboot-required", "w").close()\n'}
        for name, script in said.items():
            self.package(f'status-{name}', script)
        self.publish()
        self.get('update')
        subprocess.run(['mount', '-t', 'tmpfs', 'none', '/run'], check=True)  # in this namespace only
        try:
            for words, status, code in (('install status-good', 0, 'ok'), ('install status-bad', 1, 'failed'), ('audit status-good', 0, 'ok'),
                                        ('install status-sick status-bad', 3, 'partial'), ('audit status-sick', 1, 'failed'),
                                        ('audit', 3, 'partial'), ('install status-kernel', 9, 'reboot'), ('install --force status-kernel', 0, 'ok'),
                                        ('install status-none', 12, 'not_found')):
                done = self.run_get('--json', *words.split())
                self.assertEqual((done.returncode, json.loads(done.stdout)['code']), (status, code), words + done.stdout)
        finally:
            subprocess.run(['umount', '/run'], check=True)
            self.run_get('remove', 'status-good', 'status-sick', 'status-kernel')

    def test_dependencies_come_first_and_dependents_go_first(self):
        self.package('deep', write_script(self.top, 'both'))
        self.package('high', write_script(self.top, 'both'), control='depends: deep\n')
        self.publish()
        self.get('update')
        out = self.get('install', 'high').stdout
        self.assertLess(out.index('installing deep'), out.index('installing high'))
        self.assertFalse(self.row('deep')['explicit'])
        out = self.get('remove', 'deep').stdout
        self.assertLess(out.index('removing high'), out.index('removing deep'))
        self.assertEqual(self.trace('both'), 'iiuu')

    def test_group_without_code_is_a_row(self):
        self.package('member', write_script(self.top, 'member'))
        self.install('set-of', control='section: group\ndepends: member\n')
        self.assertEqual(self.row('set-of')['install_status'], 'OK')
        self.assertEqual(self.row('member')['install_status'], 'OK')

    def test_failed_upgrade_keeps_the_old_version(self):
        self.install('twice', write_script(self.top, 'twice'))
        old = self.row('twice')
        _, done = self.install('twice', 'def install():\n    raise Exception("no way")\n', version='2-1')
        self.assertEqual(done.returncode, FAILED)
        self.assertIn('no way', done.stdout + done.stderr)
        row = self.row('twice')
        self.assertEqual((row['install_status'], row['version'], row['package_uuid']),
                         ('ERROR', '1-1', old['package_uuid']))
        self.assertEqual(len([d for d in os.listdir(f'{self.base}/private/packages') if d == old['package_uuid']]), 1)
        self.get('remove', 'twice')  # by the old version's uninstall()
        self.assertEqual(self.trace('twice'), 'iu')

    def test_first_failure_is_an_error_row_that_the_next_upgrade_takes_up(self):
        flag = marker(self.top, 'allowed')
        script = f'def install():\n    assert isfile({flag!r}), "not yet"\n'
        _, done = self.install('later', script)
        self.assertEqual(done.returncode, FAILED)
        self.assertEqual(self.row('later')['install_status'], 'ERROR')
        with open(flag, 'w', encoding='ascii'):
            pass
        self.get('upgrade')
        self.assertEqual(self.row('later')['install_status'], 'OK')

    def test_own_status_is_kept(self):
        self.install('warns', 'def install():\n    return "WARNING"\n')
        self.assertEqual(self.row('warns')['install_status'], 'WARNING')

    def test_persistent_files_and_params(self):
        script = ('def install():\n    print("P", params["colour"], isfile(makepath(persistent_dir, "seed")))\n'
                  'def audit():\n    print("A", params["colour"], isfile(makepath(persistent_dir, "seed")))\n'
                  '    return "OK"\n')
        self.package('lasting', script, more={'WAPT/persistent/seed': 'x'})
        self.publish()
        self.get('update')
        self.assertIn('P blue True', self.get('install', 'lasting', '-p', '{"colour": "blue"}').stdout)
        self.assertIn('A blue True', self.get('audit', 'lasting').stdout)

    def test_forget_runs_nothing(self):
        self.install('forgotten', write_script(self.top, 'forgotten'))
        self.get('forget', 'forgotten')
        self.assertIsNone(self.row('forgotten'))
        self.assertEqual(self.trace('forgotten'), 'i')

    def test_uninstall_runs_its_hook_and_forgets_nothing(self):
        self.install('tried', write_script(self.top, 'tried'))
        before = self.row('tried')
        self.get('uninstall', 'tried')
        self.assertEqual(self.trace('tried'), 'iu')
        self.assertEqual(self.row('tried'), before)
        self.install('plain', 'def install():\n    pass\n')
        self.assertEqual([p['status'] for p in self.result('uninstall', 'tried', 'plain')], ['OK', 'KEPT'])
        self.install('unable', 'def install():\n    pass\ndef uninstall():\n    raise Exception("it sticks")\n')
        self.ends(FAILED, 'uninstall', 'unable', says='it sticks')
        self.assertEqual(self.row('unable')['install_status'], 'OK')
        self.ends(NOT_FOUND, 'uninstall', 'nowhere', says="'nowhere' is not installed")
        self.ends(PARTIAL, 'uninstall', 'tried', 'nowhere')

    def test_host_package_assigns(self):
        self.package('wanted', write_script(self.top, 'wanted'))
        path = self.package('TEST-MACHINE', control='section: host\ndepends: wanted\n', publish=False)
        shutil.copy(path, f'{self.top}/www/wapt-host/TEST-MACHINE.wapt')
        self.publish()
        self.get('update')
        self.assertIn('wanted(=1-1)', self.get('list-upgrade').stdout)
        self.get('upgrade')
        self.assertEqual(self.row('wanted')['install_status'], 'OK')
        os.unlink(f'{self.top}/www/wapt-host/TEST-MACHINE.wapt')

    def test_what_is_not_there(self):
        self.ends(NOT_FOUND, 'install', 'no-such-thing')
        self.ends(NOT_FOUND, 'show', 'no-such-thing')
        self.ends(NOT_FOUND, 'remove', 'no-such-thing')

    def test_json_is_one_object(self):
        answer = json.loads(self.get('--json', 'list').stdout)
        self.assertEqual((answer['ok'], answer['code'], answer['error']), (True, 'ok', None))

    def test_unreachable_names_the_service(self):
        with open(f'{self.top}/other.ini', 'w', encoding='utf-8') as f:
            f.write('[global]\nlocal_socket = nowhere.sock\n')
        os.chmod(f'{self.top}/other.ini', 0o644)
        done = self.run_get('status', '--config', f'{self.top}/other.ini', base=False, uid=BOB)
        self.assertEqual(done.returncode, UNREACHABLE)
        self.assertIn('waptservice', done.stderr)


class Refusals(Bench):
    """Nothing that is not signed by whom the machine trusts runs (F2A, F2B)."""

    def test_altered_package_never_runs_and_leaves_the_cache(self):
        mark = marker(self.top, 'altered')
        path = self.package('altered', f'def install():\n    open({mark!r}, "w")\n')
        self.publish()
        self.get('update')
        copy = f'{self.repo}/{os.path.basename(path)}'
        with open(copy, 'r+b') as f:  # of the same size, another byte in the middle
            data = f.read()
            f.seek(len(data) // 2)
            f.write(bytes([data[len(data) // 2] ^ 1]))
        self.addCleanup(os.unlink, copy)
        done = self.run_get('install', 'altered')
        self.assertIn(done.returncode, (REFUSED, agent_bench.INVALID))
        self.assertFalse(os.path.exists(mark))
        self.assertEqual(glob.glob(f'{self.base}/cache/altered*'), [])
        self.assertIn('package.refused', self.log())

    def test_download_fetches_and_verifies_and_runs_nothing(self):
        mark = marker(self.top, 'fetched')
        script = f'def install():\n    open({mark!r}, "w")\n'
        paths = [self.package('fetched', script, control='depends: fetched-base\n'), self.package('fetched-base', script), self.package('fetched-bad', script)]
        self.publish()
        self.get('update')
        kept = f'{self.base}/cache/{os.path.basename(paths[0])}'
        copies = [f'{self.repo}/{os.path.basename(p)}' for p in paths]
        with open(copies[2], 'r+b') as f:  # of the same size, the last byte of its content another one
            f.seek(100)
            f.write(b'?')
        done = self.run_get('download', 'fetched', 'fetched-bad', 'fetched-none')
        self.assertEqual(done.returncode, agent_bench.PARTIAL, done.stderr)
        self.assertIn('fetched(=1-1): downloaded', done.stdout)
        self.assertEqual({os.path.basename(p).split('_')[0] for p in glob.glob(f'{self.base}/cache/fetched*')}, {'fetched', 'fetched-base'})
        self.assertFalse(os.path.exists(mark))
        self.assertIsNone(self.row('fetched'))
        # what is there is taken from there, unless forced
        os.utime(kept, (1000, 1000))
        self.get('download', 'fetched')
        self.assertEqual(os.stat(kept).st_mtime, 1000)
        self.get('download', '-f', 'fetched')
        self.assertGreater(os.stat(kept).st_mtime, 1000)
        for copy in copies:
            os.unlink(copy)
        self.get('install', 'fetched')
        self.assertTrue(os.path.exists(mark))
        # also of what is installed; but the repository has it no more
        self.get('clean', '-f')
        self.ends(NOT_FOUND, 'download', 'fetched')

    def test_swapped_package_is_not_the_planned_one(self):
        first = self.package('swap', 'def install():\n    pass\n', version='1-1')
        self.publish()
        self.get('update')
        second = self.package('swap', 'def install():\n    pass # x\n', version='1-2', publish=False)
        copy = f'{self.repo}/{os.path.basename(first)}'
        shutil.copy(second, copy)
        self.addCleanup(os.unlink, copy)
        self.assertIn(self.run_get('install', 'swap').returncode, (REFUSED, agent_bench.LIMIT))
        self.assertIsNone(self.row('swap'))

    def test_strangers_entries_are_not_even_listed(self):
        self.package('foreign', 'def install():\n    pass\n', key='stranger')
        self.publish()
        self.get('update')
        self.assertNotIn('foreign', [p['package'] for p in self.result('search')])
        self.ends(NOT_FOUND, 'install', 'foreign')

    def names(self):
        return [p['package'] for p in self.result('search')]

    def answer_of_update(self):
        self.get('update')
        return agent_bench.Quiet.answers[-1]

    def test_unchanged_index_is_not_fetched_but_judged_again(self):
        self.package('steady', 'def install():\n    pass\n')
        self.publish()
        self.assertEqual(self.answer_of_update(), 200)
        self.assertEqual(self.answer_of_update(), 304)
        self.assertIn('steady', self.names())
        # what is remembered are signatures, not trust
        os.rename(f'{self.base}/ssl/developer.crt', f'{self.top}/aside.crt')
        shutil.copy(f'{self.top}/keys/stranger.crt', f'{self.base}/ssl')
        try:
            self.assertEqual(self.answer_of_update(), 304)
            self.assertNotIn('steady', self.names())
        finally:
            os.unlink(f'{self.base}/ssl/stranger.crt')
            os.rename(f'{self.top}/aside.crt', f'{self.base}/ssl/developer.crt')
        self.assertEqual(self.answer_of_update(), 304)
        self.assertIn('steady', self.names())
        # another index is fetched, whatever dates say
        self.package('newcomer', 'def install():\n    pass\n')
        self.publish()
        self.assertEqual(self.answer_of_update(), 200)
        self.assertIn('newcomer', self.names())
        # so is what was read of it: what is damaged there does not count
        with open(f'{self.base}/private/index/wapt.read', 'r+b') as f:
            text = f.read()
            self.assertIn(b'newcomer', text)
            f.seek(0)
            f.write(text.replace(b'newcomer', b'smuggled'))
        self.assertEqual(self.answer_of_update(), 304)
        self.assertIn('newcomer', self.names())
        with open(f'{self.base}/private/index/wapt.read', 'rb') as f:
            self.assertNotIn(b'smuggled', f.read())
        # a damaged one is not offered as what we have
        with open(f'{self.base}/private/index/wapt.Packages', 'r+b') as f:
            f.write(b'damaged')
        self.assertEqual(self.answer_of_update(), 200)
        self.assertEqual(self.answer_of_update(), 304)
        self.assertIn('newcomer', self.names())

    def interrupted(self, name):
        """A package whose first download breaks in the middle. Returns the part's path."""
        self.package(name, 'def install():\n    pass\n', more={'data.txt': os.urandom(60000).hex()})
        self.publish()
        self.get('update')
        agent_bench.Quiet.cut_at = 20000
        try:
            self.assertEqual(self.run_get('install', name).returncode, agent_bench.UNREACHABLE)
        finally:
            agent_bench.Quiet.cut_at = None
        (part,) = glob.glob(f'{self.base}/cache/{name}*.part')
        self.assertGreater(os.path.getsize(part), 0)
        return part

    def test_interrupted_download_goes_on(self):
        have = os.path.getsize(self.interrupted('resumed'))
        self.get('install', 'resumed')
        self.assertEqual(agent_bench.Quiet.ranges_sent[-1], have)
        self.assertEqual(glob.glob(f'{self.base}/cache/*.part'), [])

    def test_interrupted_download_of_a_server_without_ranges_begins_again(self):
        self.interrupted('whole')
        agent_bench.Quiet.ranges = False
        try:
            self.get('install', 'whole')
        finally:
            agent_bench.Quiet.ranges = True

    def test_a_part_of_something_else_never_runs(self):
        part = self.interrupted('patched')
        with open(part, 'r+b') as f:
            f.seek(5000)
            f.write(b'something else')
        done = self.get('install', 'patched')  # refused, and fetched whole
        self.assertIn('trying', done.stdout)
        self.assertEqual(glob.glob(f'{self.base}/cache/*.part'), [])

    def test_a_folder_or_a_file_is_no_package(self):
        """WAPT 1.8 ran the setup.py of any folder that it was given, signed by nobody."""
        mark, folder = marker(self.top, 'folder'), f'{self.top}/out/folder'
        os.makedirs(f'{folder}/WAPT')
        with open(f'{folder}/WAPT/control', 'w', encoding='utf-8') as f:
            f.write('package: folder\nversion: 1\narchitecture: all\nsection: base\n')
        with open(f'{folder}/setup.py', 'w', encoding='utf-8') as f:
            f.write(''.join(f'def {n}():\n    open({mark!r}, "a").write("x")\n' for n in ('install', 'uninstall', 'audit', 'session_setup', 'update_package'))
                    + f'open({mark!r}, "a").write("x")\n')
        shutil.make_archive(folder, 'zip', folder)
        os.rename(f'{folder}.zip', f'{folder}.wapt')
        for command in ('install', 'install --force', 'remove', 'audit', 'session-setup', 'show-params', 'download', 'show'):
            for what in (folder, f'{folder}/', f'{folder}/setup.py', f'{folder}.wapt'):
                status = self.run_get(*command.split(), what).returncode
                self.assertTrue(status != OK or command not in ('install', 'install --force', 'download'), f'{command} {what}')
                self.assertFalse(os.path.exists(mark), f'{command} {what}')
        self.assertIsNone(self.row('folder'))

    def test_kept_script_is_checked_before_it_runs(self):
        mark = marker(self.top, 'kept')
        self.install('kept', f'def install():\n    pass\ndef audit():\n    open({mark!r}, "w")\n    return "OK"\n')
        kept = f"{self.base}/private/packages/{self.row('kept')['package_uuid']}/setup.py"
        with open(kept, 'a', encoding='utf-8') as f:
            f.write('# another\n')
        self.ends(REFUSED, 'audit', 'kept')
        self.assertFalse(os.path.exists(mark))

    def test_after_a_revocation_no_audit_but_uninstall(self):
        mark = marker(self.top, 'revoked')
        self.install('revoked', f'def install():\n    pass\ndef audit():\n    return "OK"\n'
                                f'def uninstall():\n    open({mark!r}, "w")\n')
        os.rename(f'{self.base}/ssl/developer.crt', f'{self.top}/aside.crt')
        try:
            self.assertNotEqual(self.run_get('audit', 'revoked').returncode, OK)
            self.get('remove', 'revoked')
        finally:
            os.rename(f'{self.top}/aside.crt', f'{self.base}/ssl/developer.crt')
        self.assertTrue(os.path.exists(mark))

    def test_parameters_are_an_object_and_nothing_beside_it(self):
        victim = f'{self.top}/precious'
        os.makedirs(victim)
        self.package('open-door', 'def install():\n    pass\n')
        self.publish()
        self.get('update')
        for params in ('{},"persistent_dir":"%s"' % victim, '[1]', 'x', '{"a":1,"a":2}', '{} {}'):
            self.ends(USAGE, 'install', 'open-door', '-p', params, says='parameters')
        self.assertTrue(os.path.isdir(victim))
        self.assertIsNone(self.row('open-door'))


class Interruptions(Bench):
    """A kill at any moment leaves the old state or the new one."""

    def test_killed_in_the_middle_of_an_install(self):
        gate = marker(self.top, 'gate')
        self.package('cut', f'def install():\n    import time\n    open({gate!r}, "a").write("x")\n'
                            f'    time.sleep(0 if open({gate!r}).read() != "x" else 60)\n')
        self.publish()
        self.get('update')
        waiting = threading.Thread(target=lambda: self.run_get('install', 'cut'))
        waiting.start()
        self.wait_for(lambda: os.path.exists(gate) and os.path.getsize(gate), 'the script runs')
        os.kill(self.manager_pid(), signal.SIGKILL)
        waiting.join()
        self.await_service()
        row = self.row('cut')
        self.assertEqual(row['install_status'], 'ERROR')
        self.assertIn('interrupted', self.get('show-log', 'cut').stdout)
        self.assertEqual(os.listdir(f'{self.base}/private/stage'), [])
        task = [t for t in self.result('tasks') if t['kind'] == 'install'][0]
        self.assertEqual((task['state'], task['code'], task['message']), ('done', 'failed', 'interrupted'))
        self.get('upgrade')
        self.assertEqual(self.row('cut')['install_status'], 'OK')

    def test_interrupted_downloads_do_not_pile_up(self):
        """A repository that breaks off every download, under ever new names, does not fill the disk."""
        parts = [f'{self.base}/cache/broken{i}.wapt.{i:032x}.part' for i in range(8)]
        for i, path in enumerate(parts):
            with open(path, 'w', encoding='ascii') as f:
                f.write('x')
            os.utime(path, (1000 + i, 1000 + i))
        self.install('after-broken-ones', 'def install():\n    pass\n')
        self.assertEqual([os.path.exists(p) for p in parts], [False] + [True] * 7)
        self.get('clean')
        self.assertEqual(glob.glob(f'{self.base}/cache/*.part'), [])

    def test_restart_keeps_all(self):
        self.install('stays', 'def install():\n    pass\n')
        before = self.manager_pid()
        self.get('restart', uid=BOB)
        self.await_service(before)
        self.assertEqual(self.row('stays')['install_status'], 'OK')

    def test_cancel(self):
        gate = marker(self.top, 'endless')
        self.package('endless', f'def install():\n    import time\n    if isfile({gate!r}): return\n'
                                f'    open({gate!r}, "w")\n    time.sleep(600)\n')
        self.publish()
        self.get('update')
        ended = []
        waiting = threading.Thread(target=lambda: ended.append(self.run_get('install', 'endless')))
        waiting.start()
        self.wait_for(lambda: os.path.exists(gate), 'the script runs')
        self.get('cancel', uid=BOB)
        waiting.join()
        self.assertEqual(ended[0].returncode, agent_bench.CANCELLED, ended[0].stderr)
        self.assertEqual(self.row('endless')['install_status'], 'ERROR')

    def test_second_service_is_refused(self):
        done = subprocess.run([f'{self.bindir}/waptservice', 'run', '--config', f'{self.base}/wapt-get.ini', '--libdir',
                               f'{self.top}/lib'], env=self.env, capture_output=True, text=True, check=False,
                              timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, agent_bench.BUSY, done.stderr)
        self.get('status')


class WithoutTheService(Bench):
    """Root's command starts what it needs for itself, with the same checks, and leaves nothing running."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stop()

    def processes(self):
        mine = []
        for path in glob.glob('/proc/[0-9]*/cmdline'):
            try:
                with open(path, 'rb') as f:
                    words = f.read()
            except OSError:
                continue
            if self.base.encode() in words and b'role:' in words:
                mine.append(words)
        return mine

    def test_a_package_s_life(self):
        self.package('alone', write_script(self.top, 'alone'))
        self.publish()
        self.get('update')
        self.assertIn('installing alone', self.get('install', 'alone').stdout)
        self.assertEqual(self.row('alone')['install_status'], 'OK')
        self.get('remove', 'alone')
        self.assertIsNone(self.row('alone'))
        self.wait_for(lambda: not self.processes(), 'nothing of it is left')

    def test_the_same_checks(self):
        mark = marker(self.top, 'alone-foreign')
        self.package('alone-foreign', f'def install():\n    open({mark!r}, "w")\n', key='stranger')
        self.publish()
        self.get('update')
        self.ends(NOT_FOUND, 'install', 'alone-foreign')
        self.assertFalse(os.path.exists(mark))

    def test_statuses_are_the_services(self):
        self.package('alone-fails', 'def install():\n    raise Exception("no way")\n')
        self.publish()
        self.get('update')
        done = self.ends(FAILED, 'install', 'alone-fails', says='no way')
        self.assertNotIn('process.confined', done.stderr)  # a person at a terminal, not a journal
        self.wait_for(lambda: not self.processes(), 'nothing of it is left')

    def test_others_are_told_what_is_missing(self):
        done = self.ends(UNREACHABLE, 'status', uid=BOB, says='only root')
        self.assertIn('waptservice', done.stderr)

    def start_install(self, name):
        """A command whose script waits until it may go on, the first time; returns when it does, with the way to let it."""
        gate, go = marker(self.top, name), marker(self.top, f'{name}-go')
        self.package(name, f'def install():\n    import time\n    open({gate!r}, "a").write("x")\n'
                           f'    while open({gate!r}).read() == "x" and not isfile({go!r}): time.sleep(0.05)\n')
        self.publish()
        self.get('update')
        command = subprocess.Popen([f'{self.bindir}/wapt-get', 'install', name, '--config', f'{self.base}/wapt-get.ini'],
                                   env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.wait_for(lambda: os.path.exists(gate) and os.path.getsize(gate), 'the script runs')
        return command, lambda: open(go, 'w', encoding='ascii').close()

    def test_killed_command_cuts_no_step(self):
        command, go_on = self.start_install('alone-goes-on')
        command.kill()
        command.wait()
        go_on()
        self.wait_for(lambda: not self.processes(), 'nothing of it is left')
        self.assertEqual(self.row('alone-goes-on')['install_status'], 'OK')

    def test_killed_launcher_leaves_a_known_state(self):
        command, _ = self.start_install('alone-cut')
        with open(f'/proc/{command.pid}/task/{command.pid}/children', encoding='ascii') as f:
            os.kill(int(f.read()), signal.SIGKILL)
        self.assertNotEqual(command.wait(), OK)
        self.wait_for(lambda: not self.processes(), 'nothing of it is left')
        self.assertEqual(self.row('alone-cut')['install_status'], 'ERROR')
        self.get('upgrade')
        self.assertEqual(self.row('alone-cut')['install_status'], 'OK')

    def test_a_service_that_starts_meanwhile_waits_and_takes_over(self):
        command, go_on = self.start_install('alone-first')
        self.addCleanup(self.stop)
        starts = self.log().count('manager.started')
        self.launch()
        self.wait_for(lambda: 'launcher.waits' in self.log(), 'the service waits')
        self.get('status')  # the command's own agent answers
        go_on()
        self.assertEqual(command.wait(), OK)
        self.wait_for(lambda: self.log().count('manager.started') > starts, 'the service has its turn')
        self.assertIsNone(self.service.poll())
        self.await_service()
        self.assertTrue(self.manager_pid())
        self.assertEqual(self.row('alone-first')['install_status'], 'OK')


class Folders(Bench):
    """The base directory is root's, the private one nobody else's (F2C, F2D)."""

    def test_rights_are_named_and_mended(self):
        self.stop()
        for name in ('private', 'db', 'cache'):
            os.chmod(f'{self.base}/{name}', 0o777)
        os.chmod(self.base, 0o777)
        self.start()
        for name, mode in (('', 0o755), ('private', 0o700), ('db', 0o700), ('cache', 0o700), ('run', 0o755)):
            self.assertEqual(stat.S_IMODE(os.stat(f'{self.base}/{name}').st_mode), mode, name)
        self.assertIn('rights.mended', self.log())

    def test_a_foreign_owner_is_refused(self):
        self.stop()
        os.chown(f'{self.base}/private', BOB, BOB)
        self.launch()
        self.wait_for(lambda: 'belongs to uid' in self.log(), 'it says why')
        self.stop()
        os.chown(f'{self.base}/private', 0, 0)
        self.start()

    def refused_start(self, says):
        with open(f'{self.top}/service.log', 'w', encoding='utf-8'):
            pass
        self.launch()
        self.wait_for(lambda: says in self.log(), says)
        self.stop()

    def test_nobody_else_decides_what_is_trusted(self):
        """A directory of certificates elsewhere: the directory, those above, and the files in it are root's."""
        outside = f'{self.top}/other/trust'
        shutil.copytree(f'{self.base}/ssl', outside)
        self.stop()
        self.configure(f'public_certs_dir = {outside}\n')
        cases = (('directory', lambda: os.chmod(outside, 0o777), lambda: os.chmod(outside, 0o755)),
                 ('owner', lambda: os.chown(outside, BOB, BOB), lambda: os.chown(outside, 0, 0)),
                 ('above', lambda: os.chown(f'{self.top}/other', BOB, BOB), lambda: os.chown(f'{self.top}/other', 0, 0)),
                 ('file', lambda: os.chown(f'{outside}/developer.crt', BOB, BOB), lambda: os.chown(f'{outside}/developer.crt', 0, 0)),
                 ('rights', lambda: os.chmod(f'{outside}/developer.crt', 0o666), lambda: os.chmod(f'{outside}/developer.crt', 0o644)))
        for name, spoil, mend in cases:
            with self.subTest(name):
                spoil()
                self.refused_start('writable by others than root')
                mend()
        os.symlink(f'{self.top}/keys/stranger.crt', f'{outside}/stranger.crt')
        self.refused_start('is a link')
        os.remove(f'{outside}/stranger.crt')
        self.start()
        self.stop()
        self.configure()
        self.start()


class Lists(Bench):
    """Revocation lists: from the index and from where the trusted authority says, kept for later; a file of fingerprints."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '30', '-subj', '/CN=Lists CA',
                    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign',
                    '-addext', f'crlDistributionPoints=URI:{cls.url}/ca.crl')
        with open(f'{cls.top}/keys/extensions', 'w', encoding='ascii') as f:
            f.write('basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n'
                    'authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n'
                    f'crlDistributionPoints=URI:{cls.url}/never-asked.crl\n')
        for n, name in enumerate(('one', 'two'), 1):
            cls.openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{name}.pem', '-out', f'{name}.csr', '-subj', f'/CN={name}')
            cls.openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', str(n), '-days', '20',
                        '-extfile', 'extensions', '-out', f'{name}.crt')
            os.chmod(f'{cls.top}/keys/{name}.pem', 0o600)
        with open(f'{cls.top}/keys/ca.cnf', 'w', encoding='ascii') as f:
            f.write('[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ncertificate=ca.crt\nprivate_key=ca.key\n'
                    'crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n')
        shutil.copy(f'{cls.top}/keys/ca.crt', f'{cls.base}/ssl')
        cls.package('by-one', 'def audit():\n    return "OK"\n', key='one')
        cls.package('by-two', 'def audit():\n    return "OK"\n', key='two')
        cls.publish()

    @classmethod
    def openssl(cls, *args):
        done = subprocess.run(['openssl', *args], cwd=f'{cls.top}/keys', capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def make_list(self, *revoked):
        """The authority's list that names these signers; DER."""
        with open(f'{self.top}/keys/index.txt', 'w', encoding='ascii') as f:
            for name in revoked:
                f.write(f'R\t400101000000Z\t200101000000Z\t0{dict(one=1, two=2)[name]}\tunknown\t/CN={name}\n')
        self.openssl('ca', '-config', 'ca.cnf', '-gencrl', '-crldays', '10', '-out', 'ca.pem')
        self.openssl('crl', '-in', 'ca.pem', '-outform', 'DER', '-out', 'ca.crl')
        return f'{self.top}/keys/ca.crl'

    def kept(self):
        return os.listdir(f'{self.base}/private/crl')

    def available(self):
        self.get('update')
        return {r['package'] for r in self.result('search')}

    def test_lists_outlive_the_index_they_came_in(self):
        """Whoever keeps the repository can't take a revocation back, nor is one forgotten when a script is run later."""
        self.get('update')
        self.get('install', 'by-one')
        self.get('audit', 'by-one')
        plain = f'{self.top}/Packages'
        shutil.copy(f'{self.repo}/Packages', plain)
        with zipfile.ZipFile(f'{self.repo}/Packages', 'a') as z:
            z.write(self.make_list('one'), 'crl/ca.crl')
        self.assertEqual(self.available(), {'by-two'})
        self.assertEqual(len(self.kept()), 1)
        shutil.copy(plain, f'{self.repo}/Packages')
        self.assertEqual(self.available(), {'by-two'})
        self.ends(REFUSED, 'audit', 'by-one', says='revoked')
        for name in self.kept():
            os.remove(f'{self.base}/private/crl/{name}')
        self.assertEqual(self.available(), {'by-one', 'by-two'})
        self.get('audit', 'by-one')

    def test_lists_are_fetched_where_the_trusted_authority_says(self):
        """And only there: what a signer's certificate names is never asked for."""
        shutil.copy(self.make_list('two'), f'{self.top}/www/ca.crl')
        Quiet.asked.clear()
        try:
            self.assertEqual(self.available(), {'by-one'})
            self.assertEqual(len(self.kept()), 1)
            self.assertEqual([p for p in Quiet.asked if p.endswith('.crl')], ['/ca.crl'])
            os.remove(f'{self.top}/www/ca.crl')
            self.assertEqual(self.available(), {'by-one'})
            self.assertEqual([p for p in Quiet.asked if p.endswith('.crl')], ['/ca.crl'], 'it is fresh enough')
        finally:
            for name in self.kept():
                os.remove(f'{self.base}/private/crl/{name}')

    def test_a_file_of_fingerprints(self):
        revoked = f'{self.base}/ssl/revoked.txt'
        with open(f'{self.top}/keys/one.crt', encoding='ascii') as f:
            der = ssl.PEM_cert_to_DER_cert(f.read())
        with open(revoked, 'w', encoding='ascii') as f:
            f.write(f'# left in May\n{hashlib.sha256(der).hexdigest().upper()}  # one\n')
        try:
            self.assertEqual(self.available(), {'by-two'})
            with open(revoked, 'w', encoding='ascii') as f:
                f.write('one\n')
            self.assertIn('revoked.txt', self.run_get('update').stderr)
        finally:
            os.remove(revoked)
        self.assertEqual(self.available(), {'by-one', 'by-two'})


if __name__ == '__main__':
    agent_bench.main()
