"""What waptexit does: at a terminal, without one, and at a shutdown with its console and its end."""
import glob
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

import agent_bench
from agent_bench import BOB, CANCELLED, OK, PARTIAL, TIMEOUT, UNREACHABLE, USAGE, Bench

EMPTY = 'def install():\n    pass\n'
CTRL_C = '\x03'


class Terminal:
    """A program that a person sees and answers."""

    def __init__(self, words, env, console=False):
        self.ours, self.theirs = pty.openpty()
        self.seen, self.console = '', console
        if console:
            subprocess.run(['mount', '--bind', os.ttyname(self.theirs), '/dev/console'], check=True)
        own = {'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT, 'start_new_session': True}
        shown = {'stdout': self.theirs, 'stderr': self.theirs, 'start_new_session': False}
        if not console:  # setsid gives it the terminal as its own
            words = ['setsid', '--ctty', '--wait', *words]
        self.program = subprocess.Popen(words, env=env, cwd='/', stdin=subprocess.DEVNULL if console else self.theirs, **(own if console else shown))

    def sees(self, pattern):
        """Waits for it in what has not been looked at yet."""
        until = time.monotonic() + 60
        while not (match := re.search(pattern, self.seen)):
            if time.monotonic() > until:
                raise AssertionError(f'{pattern!r} is not shown: {self.seen!r}')
            if select.select([self.ours], [], [], 0.1)[0]:
                self.seen += os.read(self.ours, 65536).decode()
        self.seen = self.seen[match.end():]

    def types(self, keys):
        os.write(self.ours, keys.encode())

    def ends(self):
        """Its status, and what it wrote elsewhere."""
        while self.program.poll() is None:
            if select.select([self.ours], [], [], 0.05)[0]:
                self.seen += os.read(self.ours, 65536).decode()
        while select.select([self.ours], [], [], 0)[0]:
            self.seen += os.read(self.ours, 65536).decode()
        written = self.program.stdout.read().decode() if self.console else ''
        return self.program.returncode, written

    def close(self):
        if self.ours is None:
            return
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        if self.program.stdout:
            self.program.stdout.close()
        os.close(self.ours)
        os.close(self.theirs)
        if self.console:
            subprocess.run(['umount', '--lazy', '/dev/console'], check=True)
        self.ours = None


class Exit(Bench):

    @classmethod
    def configure(cls, more=''):
        super().configure(f'host_profiles = plain,still,chosen,failing,ordered,announced,offered,endless,slow,console,chatty,orphan\n{more}')

    def words(self, *args, uid=0):
        words = [f'{self.bindir}/waptexit', '--config', f'{self.base}/wapt-get.ini', *args]
        return ['setpriv', '--reuid', str(uid), '--regid', str(uid), '--init-groups', *words] if uid else words

    def leave(self, *args, uid=0):
        """Where nobody is asked."""
        return subprocess.run(self.words(*args, uid=uid), env=self.env, cwd='/', stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              start_new_session=True, check=False, timeout=120)

    def at_terminal(self, *args, console=False, **more):
        terminal = Terminal(self.words(*args, **more), self.env, console)
        self.addCleanup(terminal.close)
        return terminal

    def has(self, **options):
        """What waptexit goes by."""
        self.configure(''.join(f'{k} = {v}\n' for k, v in options.items()))

    def awaits(self, name, script=EMPTY, control=''):
        """A package of a profile that the machine has: it is pending."""
        self.package(name, script, control=f'section: profile\n{control}')
        self.publish()
        self.get('update')

    def state(self, name):
        """None: not installed."""
        row = self.row(name)
        return row and row['install_status']

    def test_without_a_terminal(self):
        self.has()
        self.assertIn('nothing to upgrade', self.leave().stdout)
        self.awaits('plain')
        done = self.leave(uid=BOB)
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertRegex(done.stdout, r'(?s)plain\(=1-1\).*Upgrading.*installing plain.*1 done\.')
        self.assertNotRegex(done.stdout + done.stderr, r'[\r\x1b]')
        self.assertEqual(self.state('plain'), 'OK')
        self.assertEqual(self.leave('extra').returncode, USAGE)

    def test_what_is_not_to_be_done(self):
        self.awaits('still', control='priority: optional\n')
        self.has(waptexit_disable_upgrade=1)
        self.assertIn('switched off', self.leave().stderr)
        self.has(freeze_periods='1970-01-01 until 9999-12-30')
        self.stop()
        self.start()
        self.assertIn('freeze', self.leave().stderr)
        self.has(upgrade_priorities='critical')
        self.stop()
        self.start()
        self.assertIn('nothing to upgrade', self.leave().stdout)
        self.assertIn('nothing to upgrade', self.leave('--priorities', 'high,standard', '--shutdown').stdout)
        self.assertIsNone(self.state('still'))
        done = json.loads(self.leave('--json', '--priorities', 'optional').stdout)
        self.assertEqual([(p['package'], p['status']) for p in done['result']], [('still', 'OK')])
        self.stop()
        self.assertEqual(self.leave().returncode, UNREACHABLE)  # and starts nothing by itself
        self.start()

    def test_a_person_chooses(self):
        self.has(waptexit_countdown=600)
        self.awaits('chosen')
        self.awaits('failing', 'def install():\n    print("too bad")\n    error("it can not")\n')
        for key in ('n', CTRL_C):
            terminal = self.at_terminal()
            terminal.sees(r'chosen\(=1-1\)')
            terminal.sees(r'begins in (600|59\d) s\..*not now')
            terminal.types(key)
            self.assertEqual(terminal.ends()[0], CANCELLED, terminal.seen)
            self.assertIn('not now, as somebody chose', terminal.seen)
        self.assertIsNone(self.state('chosen'))
        terminal = self.at_terminal(uid=BOB)
        terminal.sees('begins in')
        terminal.types('xs')
        terminal.sees('countdown is stopped')
        terminal.types('du')
        terminal.sees('Upgrading')
        self.assertEqual(terminal.ends()[0], PARTIAL)
        self.assertRegex(terminal.seen, r'(?s)1 done, 1 failed:.*    failing\r')
        self.assertNotIn('it can not', terminal.seen)  # what root's scripts say is not bob's to see
        done = self.leave()
        self.assertEqual(done.returncode, agent_bench.FAILED)
        self.assertRegex(done.stdout, r'(?s)0 done, 1 failed:.*    failing: .*it can not')
        self.assertEqual(self.state('chosen'), 'OK')
        self.get('forget', 'failing')

    def test_who_may_not_refuse(self):
        self.has(waptexit_countdown=600, allow_cancel_upgrade=0)
        self.awaits('ordered')
        terminal = self.at_terminal()
        terminal.sees('begins in')
        self.assertNotIn('not now', terminal.seen)
        terminal.types('n' + CTRL_C)
        terminal.types('u')
        self.assertEqual(terminal.ends()[0], OK)
        self.assertEqual(self.state('ordered'), 'OK')

    def tearDown(self):
        """Nothing is pending for the next test."""
        self.run_get('cancel-all')
        for file in glob.glob(f'{self.repo}/*.wapt'):
            os.unlink(file)
        self.publish()
        self.get('update')

    def stands_for(self, program, script):
        """In this namespace a program of the system's is this one."""
        file = f'{self.top}/bin/{program}'
        with open(file, 'w', encoding='ascii') as f:
            f.write(f'#!/bin/sh\n{script}\n')
        os.chmod(file, 0o755)
        subprocess.run(['mount', '--bind', file, f'/usr/bin/{program}'], check=True)
        self.addCleanup(subprocess.run, ['umount', '--lazy', f'/usr/bin/{program}'], check=True)

    def test_a_warning(self):
        """When the bus says that a shutdown begins, and not when it is called off, and only for what is pending."""
        self.has()
        walled, begun = f'{self.top}/walled', f'{self.base}/run/shutdown-begins'
        self.stands_for('wall', f'echo "$*" >{walled}')
        self.assertEqual(self.leave('--warn', uid=BOB).returncode, agent_bench.DENIED)
        signal_of = '{"member":"PrepareForShutdown","payload":{"type":"b","data":[%s]}}'
        self.stands_for('busctl', f"echo '{signal_of % 'false'}'")
        self.assertEqual(self.leave('--warn').returncode, UNREACHABLE)  # it ended, and had said nothing of the kind
        self.stands_for('busctl', f"echo '{signal_of % 'false'}'; echo '{signal_of % 'true'}'; exec sleep 600")
        self.assertIn('nothing to upgrade', self.leave('--warn').stdout)
        self.assertFalse(os.path.exists(walled) or os.path.exists(begun))
        self.awaits('announced')
        self.assertEqual(self.leave('--warn').returncode, OK)
        with open(walled, encoding='utf-8') as f:
            self.assertIn('First what is pending is installed (1 packages)', f.read())
        self.assertEqual(os.stat(begun).st_mode & 0o777, 0o644)
        self.assertIsNone(self.state('announced'))
        self.get('upgrade')

    def test_a_proposal(self):
        """Root's file, which sessions watch; on a desktop it opens a terminal, once something is pending."""
        self.has()
        self.assertEqual(self.run_get('propose-upgrade', uid=BOB).returncode, agent_bench.DENIED)
        self.stands_for('wall', ':')  # nobody's terminals are for tests
        self.get('propose-upgrade')
        file = os.stat(f'{self.base}/run/upgrade-proposed')
        self.assertEqual((file.st_uid, file.st_mode & 0o777), (0, 0o644))
        shown = f'{self.top}/home-bob/shown'
        with open(f'{self.top}/bin/x-terminal-emulator', 'w', encoding='ascii') as f:
            f.write(f'#!/bin/sh\necho "$@" >{shown}\n')
        os.chmod(f.name, 0o755)
        env = {**self.env, 'PATH': f'{self.top}/bin:/usr/bin:/bin'}

        def propose(**more):
            done = subprocess.run(self.words('--propose', uid=BOB), env={**env, **more}, cwd='/', stdin=subprocess.DEVNULL, check=False)
            self.assertEqual(done.returncode, OK)
            return os.path.exists(shown)

        self.assertFalse(propose(DISPLAY=':0'))
        self.awaits('offered')
        self.assertFalse(propose())
        self.assertTrue(propose(WAYLAND_DISPLAY='wayland-0'))
        with open(shown, encoding='ascii') as f:
            self.assertEqual(f.read(), '-e waptexit\n')
        self.assertIsNone(self.state('offered'))
        self.get('upgrade')

    def sleeper(self, name):
        """A pending package that starts a child and does not end. Returns the file with their pids."""
        gate = f'{self.top}/gate-{name}'
        self.awaits(name, f'def install():\n    import os, subprocess, time\n    child = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)\n'
                          f'    print("at work")\n    with open({gate!r} + ".new", "w") as f:\n        f.write(f"{{os.getpid()}} {{child.pid}}")\n'
                          f'    os.rename({gate!r} + ".new", {gate!r})\n    time.sleep(600)\n')
        return gate

    def has_ended(self, gate):
        with open(gate, encoding='ascii') as f:
            return not any(os.path.exists(f'/proc/{pid}/exe') for pid in f.read().split())  # it may wait to be reaped

    def test_the_time_at_shutdown_is_over(self):
        """What hangs is ended with all that it has started; the machine goes down, and its state is told as it is."""
        gate = self.sleeper('endless')
        self.has(waptexit_countdown=0, pre_shutdown_timeout='10s')
        began = time.monotonic()
        done = self.leave('--shutdown')
        self.assertEqual(done.returncode, TIMEOUT, done.stdout + done.stderr)
        self.assertIn('The time for the upgrade is over', done.stdout)
        self.assertIn('what is left stays pending', done.stderr)
        self.assertLess(time.monotonic() - began, 300)
        self.wait_for(lambda: self.has_ended(gate), 'the script and its child are gone')
        self.assertEqual(self.state('endless'), 'ERROR')
        self.assertEqual(self.result('tasks')[0]['code'], 'cancelled')
        self.get('forget', 'endless')

    def test_cancelled_and_left(self):
        gate = self.sleeper('slow')
        self.has(waptexit_countdown=600)
        terminal = self.at_terminal()
        terminal.sees('begins in')
        terminal.types('u')
        terminal.sees('at work')
        terminal.types(CTRL_C)  # leaves the terminal, not the upgrade
        self.assertEqual(terminal.ends()[0], CANCELLED, terminal.seen)
        self.assertIn('the service goes on', terminal.seen)
        self.wait_for(lambda: os.path.exists(gate), 'the script is at work')
        self.assertFalse(self.has_ended(gate))
        self.get('cancel-all')
        self.wait_for(lambda: self.has_ended(gate), 'it is gone')
        self.wait_for(lambda: all(t['state'] == 'done' for t in self.result('tasks')), 'the queue is empty')
        os.unlink(gate)
        terminal = self.at_terminal()
        terminal.sees('begins in')
        terminal.types('\r')
        self.wait_for(lambda: os.path.exists(gate), 'it is at work again')
        terminal.types('dc')
        terminal.sees('It is being ended')
        self.assertEqual(terminal.ends()[0], CANCELLED, terminal.seen)
        self.wait_for(lambda: self.has_ended(gate), 'it is gone')
        self.get('forget', 'slow')

    def test_on_the_console_of_a_shutdown(self):
        """Asked there, told in the journal too; a console that nobody reads holds nothing up."""
        self.has(waptexit_countdown=600)
        self.awaits('console')
        terminal = self.at_terminal('--shutdown', console=True)
        terminal.sees(r'console\(=1-1\)')
        terminal.sees('begins in')
        terminal.types('n')
        status, journal = terminal.ends()
        self.assertEqual(status, CANCELLED)
        self.assertIn('console(=1-1)', journal)
        self.assertNotRegex(journal, r'[\r\x1b]')
        terminal.close()
        self.has(waptexit_countdown=1)
        many = ''.join(f'    print("{"x" * 70}")\n' for _ in range(400))
        self.awaits('chatty', f'def install():\n{many}')
        terminal = self.at_terminal('--shutdown', console=True)
        journal = terminal.program.communicate(timeout=100)[0].decode()
        self.assertEqual(terminal.program.returncode, OK, journal)
        self.assertIn('2 done.', journal)
        self.assertEqual(self.state('chatty'), 'OK')

    def test_a_service_that_has_gone(self):
        gate = self.sleeper('orphan')
        self.has(waptexit_countdown=600)
        terminal = self.at_terminal()
        terminal.sees('begins in')
        terminal.types('u')
        self.wait_for(lambda: os.path.exists(gate), 'it is at work')
        os.kill(self.manager_pid(), signal.SIGKILL)
        self.assertEqual(terminal.ends()[0], UNREACHABLE)
        self.stop()
        self.start()
        self.assertEqual(self.state('orphan'), 'ERROR')
        self.get('forget', 'orphan')


if __name__ == '__main__':
    agent_bench.main()
