"""What an installation goes through when something is in its way: failures, undoing, waiting, interruptions."""
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time

import agent_bench
from agent_bench import BOB, FAILED, NO_SPACE, OK, TIMEOUT, Bench

EMPTY = 'def install():\n    pass\n'


class Installing(Bench):

    @classmethod
    def configure(cls, more=''):
        super().configure(f'task_spread = 0\n{more}')

    def again(self, more=''):
        """The service with another configuration."""
        self.stop()
        self.configure(more)
        self.start()

    def query(self, sql):
        with sqlite3.connect(f'{self.base}/db/waptagent.sqlite', timeout=30) as db:
            rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def tidy(self):
        self.assertEqual(os.listdir(f'{self.base}/private/stage'), [])
        self.assertEqual(self.query('SELECT * FROM running'), [])

    # --- parameters ---

    def test_parameters_are_kept_and_new_ones_count_more(self):
        script = 'def install():\n    print("P", sorted(params.items()))\n'
        self.package('given', script)
        self.publish()
        self.get('update')
        self.assertIn("P [('a', '1'), ('b', '2')]", self.get('install', 'given', '-p', '{"a": "1", "b": "2"}').stdout)
        self.package('given', script, version='2-1')
        self.publish()
        self.get('update')
        self.assertIn("P [('a', '1'), ('b', '3'), ('c', '4')]", self.get('install', 'given', '-p', '{"b": "3", "c": "4"}').stdout)
        self.assertIn("P [('a', '1'), ('b', '3'), ('c', '4')]", self.get('install', '--force', 'given').stdout)

    def test_parameters_of_what_failed_are_there_at_the_next_attempt(self):
        flag = f'{self.top}/may-succeed'
        script = f'required_params = ["key"]\ndef install():\n    assert isfile({flag!r})\n    print("K", params["key"])\n'
        self.package('unlucky', script)
        self.publish()
        self.get('update')
        self.ends(FAILED, 'install', 'unlucky', '-p', '{"key": "x"}')
        with open(flag, 'w', encoding='ascii'):
            pass
        self.assertIn('K x', self.get('upgrade').stdout)
        self.assertTrue(self.row('unlucky')['explicit'])

    # --- what is checked again, and limits ---

    def test_what_it_takes_on_the_disk(self):
        self.install('vast', EMPTY, control='installed_size: 999999999999999\n')
        self.ends(NO_SPACE, 'install', 'vast', says='installed_size')
        self.assertIsNone(self.row('vast'))

    def test_a_time_limit_of_its_own(self):
        self.again('hook_timeouts = other-* 5h, slow-* 2s\n')
        _, done = self.install('slow-one', 'def install():\n    import time\n    time.sleep(60)\n')
        self.assertEqual(done.returncode, TIMEOUT, done.stderr)
        self.assertEqual(self.row('slow-one')['install_status'], 'ERROR')
        self.get('forget', 'slow-one')

    def test_configurations_that_can_not_be_meant(self):
        self.stop()
        for line in ('hook_timeouts = x 0s', 'install_snapshot = /bin/true', 'install_snapshot = true\ninstall_undo = /bin/true'):
            self.configure(line + '\n')
            done = subprocess.run([f'{self.bindir}/waptservice', 'run', '--config', f'{self.base}/wapt-get.ini', '--libdir', f'{self.top}/lib'],
                                  env=self.env, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, agent_bench.CONFIG, (line, done.stderr))
        self.configure()
        self.start()

    # --- what failed waits ---

    def due(self):
        self.stop()
        self.configure('waptupgrade_task_period = 1d\n')
        with sqlite3.connect(f'{self.base}/db/waptagent.sqlite') as db:
            db.execute("INSERT INTO params (name, value) VALUES ('next_upgrade', 1) ON CONFLICT (name) DO UPDATE SET value = 1")
        db.close()
        self.start()

    def failed(self, package):
        return [f for f in self.result('list-upgrade')['failed'] if f['package'] == package]

    def scheduled(self):
        return [t for t in self.result('tasks') if t['kind'] == 'upgrade' and t['created_by'] == 'scheduler' and t['state'] == 'done']

    def test_what_failed_is_not_tried_at_each_turn(self):
        tries, flag = f'{self.top}/tries', f'{self.top}/good-now'
        script = f'def install():\n    open({tries!r}, "a").write("x")\n    assert isfile({flag!r}), "a reason"\n'
        self.package('stubborn', script)
        self.publish()
        self.get('update')
        self.ends(FAILED, 'install', 'stubborn')
        self.assertEqual(self.text(tries), 'x')
        (waiting,) = self.failed('stubborn')
        self.assertEqual((waiting['version'], waiting['failures']), ('1-1', 1))
        self.assertIn('a reason', waiting['why'])
        self.assertGreater(waiting['next_try'], time.time() + 800)
        done = len(self.scheduled())
        self.due()
        self.wait_for(lambda: len(self.scheduled()) > done, 'a scheduled upgrade')
        self.assertEqual(self.text(tries), 'x')  # left alone
        self.assertIn('failed before', self.get('show-task', str(self.scheduled()[0]['id'])).stdout)
        self.assertNotEqual(self.run_get('upgrade').returncode, OK)  # who asks gets it tried
        self.assertEqual(self.text(tries), 'xx')
        self.assertEqual(self.failed('stubborn')[0]['failures'], 2)
        self.query("UPDATE attempts SET next_try = 1")
        done = len(self.scheduled())
        self.due()
        self.wait_for(lambda: self.text(tries) == 'xxx', 'its time has come')
        self.wait_for(lambda: len(self.scheduled()) > done, 'it is over')
        self.package('stubborn', script + '# another\n', version='2-1')  # another version is another matter
        self.publish()
        self.get('update')
        self.due()
        self.wait_for(lambda: self.text(tries) == 'xxxx', 'the next version is tried')
        with open(flag, 'w', encoding='ascii'):
            pass
        self.get('install', 'stubborn')
        self.assertEqual(self.failed('stubborn'), [])

    # --- undoing ---

    def command(self, name, body):
        with open(f'{self.top}/{name}', 'w', encoding='ascii') as f:
            f.write('#!/bin/sh\nset -e\n' + body + '\n')
        os.chmod(f'{self.top}/{name}', 0o755)

    def snapshots(self, take='', undo='', more=''):
        """A directory as the machine, copied and put back."""
        world, kept = f'{self.top}/world', f'{self.top}/kept'
        for d in (world, kept):
            os.makedirs(d, exist_ok=True)
        for name, body in (('take', take or f'id="$WAPT_PACKAGE-$WAPT_VERSION"; rm -rf {kept}/"$id"; cp -a {world} {kept}/"$id"; echo taking; echo "$id"'),
                           ('undo', undo or f'rm -rf {world}/*; cp -a {kept}/"$WAPT_SNAPSHOT"/. {world}/; echo "back at $WAPT_SNAPSHOT"')):
            self.command(name, body)
        self.again(f'install_snapshot = {self.top}/take "a word"\ninstall_undo = {self.top}/undo\n{more}')
        return world

    def test_a_failed_installation_is_undone(self):
        world = self.snapshots()
        mark = f'{world}/file'
        self.install('changing', f'def install():\n    open({mark!r}, "w").write(control.version)\n')
        self.assertEqual(self.text(mark), '1-1')
        _, done = self.install('changing', f'def install():\n    open({mark!r}, "w").write("half")\n    error("broken")\n', version='2-1')
        self.assertEqual(done.returncode, FAILED, done.stdout + done.stderr)
        self.assertEqual(self.text(mark), '1-1')
        row = self.row('changing')
        self.assertEqual((row['install_status'], row['version']), ('ERROR', '1-1'))
        log = self.get('show-log', 'changing').stdout
        for words in ('taking', 'broken', 'back at changing-2-1', 'undone: the machine was put back to snapshot changing-2-1'):
            self.assertIn(words, log)
        self.tidy()
        self.get('remove', 'changing')

    def test_a_kill_in_between_is_undone_at_the_next_start(self):
        world = self.snapshots()
        mark, gate = f'{world}/deep', f'{self.top}/gate-undo'
        with open(mark, 'w', encoding='ascii') as f:
            f.write('before')
        self.package('cut-undone', f'def install():\n    import time\n    open({mark!r}, "w").write("half")\n    if not isfile({gate!r}):\n'
                                   f'        time.sleep(2.1)\n        print("last words")\n        open({gate!r}, "w").close()\n        time.sleep(600)\n'
                                   f'    open({mark!r}, "w").write("whole")\n')
        self.publish()
        self.get('update')
        waiting = threading.Thread(target=lambda: self.run_get('install', 'cut-undone'))
        waiting.start()
        self.wait_for(lambda: os.path.exists(gate), 'the script runs')
        self.wait_for(lambda: self.query("SELECT 1 FROM running WHERE output LIKE '%last words%'"), 'what it said is noted down')
        os.kill(self.manager_pid(), signal.SIGKILL)
        waiting.join()
        self.await_service()
        self.wait_for(lambda: self.query('SELECT 1 FROM running') == [], 'it is undone')
        self.assertEqual(self.text(mark), 'before')
        log = self.get('show-log', 'cut-undone').stdout
        self.assertIn('interrupted while install() of version 1-1 ran', log)
        self.assertIn('undone: the machine was put back', log)
        self.assertIn('last words', log)
        self.assertEqual(self.row('cut-undone')['install_status'], 'ERROR')
        self.tidy()
        self.get('upgrade')
        self.assertEqual(self.text(mark), 'whole')
        self.get('forget', 'cut-undone')

    def test_no_snapshot_no_installation_unless_allowed(self):
        mark = f'{self.top}/ran-unsafe'
        self.package('unsafe', f'def install():\n    open({mark!r}, "w").close()\n')
        self.publish()
        self.snapshots(take='exit 3', more='install_snapshot_timeout = 5s\n')
        self.get('update')
        for take, says in (('exit 3', 'status 3'), ('exit 0', 'printed no name'), ('echo "a b;c"', 'names no snapshot'), ('sleep 60', 'took too long')):
            with self.subTest(take):
                self.command('take', take)
                done = self.run_get('install', 'unsafe')
                self.assertNotEqual(done.returncode, OK)
                self.assertIn(says, done.stdout + done.stderr)
                self.assertFalse(os.path.exists(mark))
                self.assertIsNone(self.row('unsafe'))
                self.tidy()
        self.snapshots(take='exit 3', more='install_snapshot_required = 0\n')
        self.assertIn('it goes on without', self.get('install', 'unsafe').stdout)
        self.assertEqual(self.row('unsafe')['install_status'], 'OK')

    def test_what_needs_a_package_with_a_status_of_its_own_does_not_come(self):
        self.package('warning', 'def install():\n    return "WARNING"\n')
        self.package('needs-warning', EMPTY, control='depends: warning\n')
        self.publish()
        self.get('update')
        done = self.run_get('install', 'needs-warning')
        self.assertEqual(done.returncode, agent_bench.PARTIAL, done.stderr)
        self.assertIn('has a status of its own', done.stdout)
        self.assertEqual((self.row('warning')['install_status'], self.row('needs-warning')), ('WARNING', None))

    def test_what_is_obsolete_goes(self):
        self.install('old-name', 'def install():\n    pass\ndef uninstall():\n    print("gone")\n')
        self.install('new-name', EMPTY)
        self.package('new-name', EMPTY, version='2-1', control='conflicts: old-name\n')
        self.publish()
        self.get('update')
        self.assertIn('gone', self.run_get('upgrade').stdout)
        self.assertEqual((self.row('old-name'), self.row('new-name')['version']), (None, '2-1'))

    def test_undoing_that_fails_is_told(self):
        self.snapshots(undo='echo cannot; exit 1')
        _, done = self.install('doubly', 'def install():\n    error("first")\n')
        self.assertEqual(done.returncode, FAILED)
        log = self.get('show-log', 'doubly').stdout
        for words in ('first', 'cannot', 'undoing it failed', 'the snapshot is doubly-1-1'):
            self.assertIn(words, log)

    def test_what_a_package_says_of_itself_is_no_command(self):
        self.snapshots(take='printf "%s\\n" "$*" ok')
        _, done = self.install('plain', EMPTY, version='1-1')
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertEqual(self.result('show-log', 'plain')['install_output'], 'a word\nok\n')

    # --- interruptions ---

    def test_a_removal_that_was_cut_goes_on(self):
        gate = f'{self.top}/gate-remove'
        self.install('leaving', f'def install():\n    pass\ndef uninstall():\n    import time\n    open({gate!r}, "a").write("x")\n'
                                f'    time.sleep(600 if open({gate!r}).read() == "x" else 0)\n')
        waiting = threading.Thread(target=lambda: self.run_get('remove', 'leaving'))
        waiting.start()
        self.wait_for(lambda: self.text(gate), 'the script runs')
        os.kill(self.manager_pid(), signal.SIGKILL)
        waiting.join()
        self.await_service()
        self.wait_for(lambda: self.row('leaving') is None, 'it goes')
        self.assertEqual(self.text(gate), 'xx')
        self.tidy()

    def test_what_ends_the_agent_each_time_is_not_tried_for_ever(self):
        """An upgrade by the schedule whose script takes the power each time."""
        self.package('deadly', 'def install():\n    import os, signal, time\n    p = os.getppid()\n'
                               '    while "waptservice" not in open(f"/proc/{p}/cmdline").read():\n'
                               '        p = int(open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[1])\n'
                               '    os.kill(p, signal.SIGKILL)\n    time.sleep(60)\n')
        self.publish()
        self.get('update')
        self.stop()
        with sqlite3.connect(f'{self.base}/db/waptagent.sqlite') as db:
            db.execute("INSERT INTO tasks (kind, args, created_by, action_id, priority, not_before, state, created) VALUES ('install', ?, 'other', "
                       "'0123456789abcdef0123456789abcdef', 1, 0, 'queued', 1)", (json.dumps({'op': 'install', 'args': {'packages': ['deadly']}}),))
            db.execute("INSERT INTO actions (id, not_after) VALUES ('0123456789abcdef0123456789abcdef', 99999999999)")
        db.close()
        for _ in range(8):
            self.launch()
            if not self.dies():  # asked by somebody who is not root: root's command would go on by itself
                break
        else:
            self.fail('it is tried for ever')
        self.await_service()
        self.assertEqual(self.query("SELECT state, code, interruptions FROM tasks WHERE action_id <> ''"), [('done', 'failed', 5)])
        self.assertEqual(self.query("SELECT state, message FROM outbox"), [('failed', 'interrupted 5 times: not tried any more')])
        self.assertEqual(self.row('deadly')['install_status'], 'ERROR')
        self.query('DELETE FROM outbox')
        self.get('forget', 'deadly')

    def dies(self):
        """The service is killed by its own script; False when it answers instead, with nothing to do."""
        for _ in range(300):
            if self.service.poll() is not None:
                self.wait_for(lambda: subprocess.run(['flock', '-n', f'{self.base}/db/lock', 'true'], check=False).returncode == 0, 'all of it is gone')
                return True
            if self.run_get('status', uid=BOB).returncode == OK and self.query("SELECT 1 FROM tasks WHERE state <> 'done'") == []:
                return False
            time.sleep(0.1)
        return False


class WishesAlone(Bench):
    """What a script asks for when there is no service: done before the command ends."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stop()

    def test_wishes_without_the_service(self):
        self.package('asked-for', 'def install():\n    print("came")\n')
        self.package('asks', 'def install():\n    WAPT.install("asked-for")\n')
        self.publish()
        self.get('update')
        self.get('install', 'asks')
        self.assertEqual(self.row('asked-for')['install_status'], 'OK')


if __name__ == '__main__':
    agent_bench.main()
