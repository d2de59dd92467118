"""What the agent does by itself, and when: its own packages, the schedule, the queue."""
import os
import shutil
import sqlite3
import subprocess
import threading
import time
import zipfile

import agent_bench
from agent_bench import BOB, CANCELLED, DENIED, NOT_FOUND, OK, USAGE, Bench

EMPTY = 'def install():\n    pass\n'


class OwnPackages(Bench):
    """Packages of the machine's profiles and organisational units come and go by themselves; what is held does neither."""

    UNIT = 'OU=Lab_OU=Paris_DC=example_DC=org'

    placed = None

    @classmethod
    def place(cls, unit='OU=Lab,OU=Paris', profiles='Sales Team,Policy,Blocker', held=''):
        if cls.placed == (unit, profiles, held):
            return
        cls.stop()
        cls.configure(f'host_profiles = {profiles}\nhost_organizational_unit_dn = {unit},DC=example,DC=org\npackages_held = {held}\n')
        cls.start()
        cls.placed = (unit, profiles, held)

    def status(self, package):
        row = self.row(package)
        return row['install_status'] if row else None

    def test_units_and_profiles(self):
        for name in ('of-unit', 'of-city', 'of-profile', 'of-others'):
            self.package(name, EMPTY)
        self.package(self.UNIT, control='section: unit\ndepends: of-unit\n')
        self.package('OU=Paris_DC=example_DC=org', control='section: unit\ndepends: of-city\n')
        self.package('Sales~Team', control='section: profile\ndepends: of-profile\n')
        self.package('Accounting', control='section: profile\ndepends: of-others\n')
        self.publish()
        self.place()
        self.assertEqual(self.result('status')['own_packages'],
                         ['TEST-MACHINE', 'Sales~Team', 'Policy', 'Blocker', self.UNIT, 'OU=Paris_DC=example_DC=org', 'DC=example_DC=org'])
        self.get('update')
        pending = self.get('list-upgrade').stdout
        for name in ('of-unit', 'of-city', 'of-profile'):
            self.assertIn(name, pending)
        self.assertNotIn('of-others', pending)
        planned = {s['package'] for s in self.result('plan', 'upgrade')['steps'] if s['action'] == 'install'}
        self.assertGreaterEqual(planned, {'of-unit', 'of-city', 'of-profile', self.UNIT, 'OU=Paris_DC=example_DC=org', 'Sales~Team'})
        self.get('upgrade')
        self.assertEqual([self.status(n) for n in ('of-unit', 'of-city', 'of-profile', 'Sales~Team', self.UNIT)], [OK_STATUS] * 5)
        self.place(unit='OU=Other', profiles='')  # moved: the assignments go, what they brought stays
        self.get('upgrade')
        self.assertEqual([self.status(n) for n in (self.UNIT, 'OU=Paris_DC=example_DC=org', 'Sales~Team')], [None] * 3)
        self.assertEqual(self.status('of-unit'), OK_STATUS)

    def test_held_in_spite_of_an_assignment(self):
        self.package('kept-old', EMPTY)
        self.package('kept-away', EMPTY)
        self.package('Holding', control='section: profile\ndepends: kept-old\n')
        self.publish()
        self.place(profiles='Holding', held='kept-old(>=2) until 2999-12-31, kept-away')
        self.get('update')
        self.get('upgrade')
        self.package('kept-old', EMPTY, version='2-1')
        self.publish()
        self.get('update')
        self.assertNotIn('kept-old', self.get('list-upgrade').stdout)
        self.get('upgrade')
        self.assertEqual(self.row('kept-old')['version'], '1-1')
        self.assertNotEqual(self.run_get('install', 'kept-away').returncode, OK)
        self.place(profiles='Holding', held='kept-old until 2001-01-01')  # over
        self.get('upgrade')
        self.assertEqual(self.row('kept-old')['version'], '2-1')

    def test_windows_and_holds_of_signed_packages(self):
        """They count as soon as the package is known; one that is not the machine's says nothing, nor one with code."""
        self.package('steady', EMPTY)
        self.package('loose', EMPTY)
        self.publish()
        self.place()
        self.get('update')
        self.get('install', 'steady', 'loose')
        self.package('steady', EMPTY, version='2-1')
        self.package('loose', EMPTY, version='2-1')
        self.package('Policy', control='section: profile\npackages_held: steady until 2999-01-01\n'
                                       'maintenance_windows: sat-sun 00:00-24:00\n')
        self.package('Foreign', control='section: profile\npackages_held: loose\nmaintenance_windows: mon 10:00-11:00\n')
        self.package('coded', EMPTY, control='packages_held: loose\nmaintenance_windows: mon 10:00-11:00\n')
        self.publish()
        self.get('update')
        status = self.result('status')
        self.assertEqual((status['packages_held'], status['maintenance_windows']), ('steady until 2999-01-01', 'sat-sun 00:00-24:00'))
        told = self.result('inventory')['policy']  # to the server: what holds, whose it is, and until when
        self.assertEqual((told['windows'], told['holds']), ([{'by': 'Policy', 'text': 'sat-sun 00:00-24:00'}],
                                                            [{'what': 'steady', 'until': '2999-01-01', 'by': 'Policy'}]))
        begin, end = (time.localtime(told[f'window_{edge}']) for edge in ('begin', 'end'))
        self.assertEqual([(t.tm_wday, t.tm_hour, t.tm_min) for t in (begin, end)], [(5, 0, 0), (0, 0, 0)])
        self.assertGreater(told['window_end'], time.time())
        self.assertEqual(told['utc_offset'], time.localtime().tm_gmtoff)
        self.assertEqual({s['package'] for s in self.result('plan', 'upgrade')['steps']} & {'steady', 'loose'}, {'loose'})
        self.get('install', 'coded')
        self.get('upgrade')
        self.assertEqual([self.row(n)['version'] for n in ('steady', 'loose')], ['1-1', '2-1'])
        self.package('Policy', version='2-1', control='section: profile\n')  # an administrator lifts it
        self.publish()
        self.get('update')
        self.get('upgrade')
        status = self.result('status')
        self.assertEqual((status['packages_held'], status['maintenance_windows']), ('', ''))
        self.assertEqual(self.row('steady')['version'], '2-1')
        told = self.result('inventory')['policy']
        self.assertEqual((told['windows'], told['holds'], told['window_end']), ([], [], 2**63 - 1))

    def test_a_hold_that_nobody_signed_is_refused(self):
        self.package('Blocker', control='section: profile\n')
        self.publish()
        with zipfile.ZipFile(f'{self.repo}/Packages') as z:
            members = {n: z.read(n) for n in z.namelist()}
        text = members['Packages'].decode()
        self.assertIn('package           : Blocker', text)
        members['Packages'] = text.replace('package           : Blocker', 'packages_held: steady\npackage           : Blocker').encode()
        with zipfile.ZipFile(f'{self.repo}/Packages', 'w', zipfile.ZIP_DEFLATED) as z:
            for name, data in members.items():
                z.writestr(name, data)
        self.place()
        self.get('update')
        self.assertEqual(self.result('status')['packages_held'], '')
        self.assertNotIn('Blocker', [p['package'] for p in self.result('search')])


class Schedule(Bench):
    """What is due is done by itself: in its window, with power, and not under somebody's hands."""

    CLOSED = '2001-01-01 01:00-02:00'

    @classmethod
    def configure(cls, more=''):
        super().configure(f'task_spread = 0\nwaptupgrade_task_period = 1d\nhost_profiles = nightly,later,interrupted,heavy,someday,today,ahead,behind,windowed\n{more}')

    def due(self, *names, **options):
        """Starts the service anew, with these things due since long; options: of the configuration."""
        self.stop()
        self.configure(''.join(f'{k} = {v}\n' for k, v in options.items()))
        with sqlite3.connect(f'{self.base}/db/waptagent.sqlite') as db:
            for name in names:
                db.execute('INSERT INTO params (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = 1', (name,))
        db.close()
        self.start()

    def scheduled(self, kind):
        """Those done, the last one first."""
        return [t for t in self.result('tasks') if t['kind'] == kind and t['created_by'] == 'scheduler' and t['state'] == 'done']

    def assign(self, name, control=''):
        """A package of a profile that the machine has: pending from the next update on."""
        self.package(name, control=f'section: profile\n{control}')
        self.publish()

    def idle(self):
        self.wait_for(lambda: all(t['state'] == 'done' for t in self.result('tasks')), 'the queue is empty')

    def awaits(self, package, version='1-1'):
        self.wait_for(lambda: (self.row(package) or {}).get('version') == version, f'{package} comes by itself')

    def test_due_while_off_is_done_once_and_only_in_its_window(self):
        self.assign('nightly')
        self.get('update')
        self.due('next_upgrade', maintenance_windows=self.CLOSED)
        self.wait_for(lambda: self.result('status')['upgrade_waits_for'] == 'a maintenance window', 'it says what it waits for')
        told = self.result('inventory')['policy']
        self.assertEqual((told['waits_for'], told['windows'], told['window_end']), ('window', [{'by': '', 'text': self.CLOSED}], 0))
        self.assertIsNone(self.row('nightly'))
        self.get('upgrade')  # a window binds nobody who asks
        self.assertEqual(self.row('nightly')['install_status'], OK_STATUS)
        self.assign('later')
        self.get('update')
        self.due('next_upgrade', maintenance_windows='mon-sun 00:00-24:00')
        self.awaits('later')
        self.idle()
        before = len(self.scheduled('upgrade'))
        self.due()  # only started again
        status = self.result('status')
        self.assertGreater(status['next_upgrade'], time.time() + 80000)
        self.assertEqual((status['upgrade_waits_for'], len(self.scheduled('upgrade'))), ('', before))

    def test_a_window_of_a_signed_package_is_waited_for_and_told(self):
        self.assign('windowed', f'maintenance_windows: {self.CLOSED}\npackages_held: other\n')
        self.get('update')
        self.due('next_upgrade')
        self.wait_for(lambda: self.result('status')['upgrade_waits_for'] == 'a maintenance window', 'it waits')
        told = self.result('inventory')['policy']
        self.assertEqual((told['waits_for'], told['windows'], told['holds']),
                         ('window', [{'by': 'windowed', 'text': self.CLOSED}], [{'what': 'other', 'until': '', 'by': 'windowed'}]))
        self.assertIsNone(self.row('windowed'))
        self.package('windowed', version='2-1', control='section: profile\nmaintenance_windows: mon-sun 00:00-24:00\n')  # an administrator opens it
        self.publish()
        self.get('update')
        self.awaits('windowed', '2-1')
        self.assertEqual(self.result('inventory')['policy']['waits_for'], '')

    def test_an_upgrade_that_was_interrupted_goes_by_the_window_again(self):
        gate = f'{self.top}/gate-interrupted'
        self.package('long-one', f'def install():\n    import time\n    open({gate!r}, "a").write("x")\n'
                                 f'    time.sleep(60 if open({gate!r}).read() == "x" else 0)\n')
        self.assign('interrupted', 'depends: long-one\n')
        self.get('update')
        self.due('next_upgrade')
        self.wait_for(lambda: self.text(gate), 'the script runs')
        self.service.kill()  # the power goes
        self.service.wait()
        self.wait_for(lambda: not self.holds_lock(), 'all of it is gone')
        self.due(maintenance_windows=self.CLOSED)
        self.wait_for(lambda: self.scheduled('upgrade')[:1] and 'put off' in self.scheduled('upgrade')[0]['message'], 'it is put off')
        self.assertEqual(self.row('long-one')['install_status'], 'ERROR')
        self.due()  # and due since then
        self.wait_for(lambda: self.row('long-one')['install_status'] == OK_STATUS, 'it is done in the next window')

    def holds_lock(self):
        return subprocess.run(['flock', '-n', f'{self.base}/db/lock', 'true'], check=False).returncode != 0

    def test_battery(self):
        supplies = f'{self.top}/power_supply'
        for name, files in {'AC': {'type': 'Mains', 'online': '0'}, 'BAT0': {'type': 'Battery'}, 'mouse': {'type': 'Battery', 'scope': 'Device'}}.items():
            os.makedirs(f'{supplies}/{name}')
            for file, text in files.items():
                with open(f'{supplies}/{name}/{file}', 'w', encoding='ascii') as f:
                    f.write(text + '\n')
        subprocess.run(['mount', '--bind', supplies, '/sys/class/power_supply'], check=True)
        self.addCleanup(subprocess.run, ['umount', '--lazy', '/sys/class/power_supply'], check=True)
        self.assign('heavy')
        self.get('update')
        self.due('next_upgrade')
        self.wait_for(lambda: self.result('status')['upgrade_waits_for'] == 'mains power', 'it waits for the plug')
        self.assertIsNone(self.row('heavy'))
        with open(f'{supplies}/AC/online', 'w', encoding='ascii') as f:
            f.write('1\n')
        self.awaits('heavy')

    def test_what_runs_is_left_alone(self):
        busy = f'tasks-{os.getpid()}'  # of no other test: all that runs on the machine is looked at
        program = f'{self.top}/{busy}'
        shutil.copy('/bin/sleep', program)
        uses = f'impacted_process: {busy}\n'
        for name, control in {'editor': uses, 'needs-editor': 'depends: editor\n', 'other': ''}.items():
            self.package(name, EMPTY, control=control)
        self.publish()
        self.get('update')
        self.get('install', 'needs-editor', 'other')
        for name, control in {'editor': uses, 'needs-editor': 'depends: editor(=2-1)\n', 'other': ''}.items():
            self.package(name, EMPTY, version='2-1', control=control)
        self.publish()
        self.get('update')
        runs = subprocess.Popen([program, '600'], cwd='/')
        try:
            self.due('next_upgrade')
            self.awaits('other', '2-1')
            self.assertEqual([self.row(n)['version'] for n in ('editor', 'needs-editor')], ['1-1', '1-1'])
            self.idle()
            done = self.get('upgrade', '--only-if-not-process-running')
            self.assertIn(f"editor is put off, since '{busy}' runs", done.stdout)
            self.assertIn('editor(=2-1)', self.get('list-upgrade').stdout)  # it stays pending
            self.get('install', 'needs-editor', '--only-if-not-process-running')
            self.get('remove', 'editor', 'other', '--only-if-not-process-running')
            self.assertEqual([self.row(n)['version'] for n in ('editor', 'needs-editor')], ['1-1', '1-1'])
            self.assertIsNone(self.row('other'))
        finally:
            runs.kill()
            runs.wait()
        self.get('upgrade', '--only_if_not_process_running')  # as WAPT calls it
        self.assertEqual([self.row(n)['version'] for n in ('editor', 'needs-editor')], ['2-1', '2-1'])

    def test_forced_on_a_day(self):
        upgrades = self.scheduled('upgrade')
        self.assign('someday', 'forced_install_on: 2999-01-01\n')
        self.assign('today', 'forced_install_on: 2020-01-01T10:00:00\n')
        self.get('update')
        self.awaits('today')
        self.assertFalse(self.row('today')['explicit'])
        self.assertIsNone(self.row('someday'))
        self.assertEqual(self.scheduled('upgrade'), upgrades)

    def test_downloads_ahead(self):
        self.assign('ahead')
        self.due('next_update', waptupdate_task_period='2h')
        self.wait_for(lambda: self.scheduled('download-upgrade'), 'what was found is fetched')
        self.assertTrue(any(n.startswith('ahead') for n in os.listdir(f'{self.base}/cache')))
        self.assertIsNone(self.row('ahead'))
        self.assign('behind')
        self.due('next_update', waptupdate_task_period='2h', download_after_update_with_waptupdate_task_period=0)
        self.wait_for(lambda: 'behind' in self.get('list-upgrade').stdout, 'it was found')
        self.idle()
        self.assertFalse(any(n.startswith('behind') for n in os.listdir(f'{self.base}/cache')))

    def test_queue_progress_cancel_history(self):
        pids = f'{self.top}/pids'
        self.package('quick', 'def install():\n    print("quick was here")\n')
        self.package('slow', f'def install():\n    import subprocess, time\n    p = subprocess.Popen(["sleep", "600"])\n'
                             f'    open({pids!r}, "w").write(str(p.pid))\n    time.sleep(600)\n', control='depends: quick\n')
        self.publish()
        self.get('update')
        self.idle()
        ended, waiting = [], [threading.Thread(target=lambda w=w: ended.append((w, self.run_get(*w)))) for w in (
            ('install', 'slow'), ('audit', 'quick'), ('audit', 'quick'), ('update',))]
        waiting[0].start()
        self.wait_for(lambda: self.text(pids), 'the second package is at work')
        for i, thread in enumerate(waiting[1:], 2):
            thread.start()
            self.wait_for(lambda: len([t for t in self.result('tasks') if t['state'] != 'done']) == min(i, 2 + (i > 3)), 'it waits')
        rows = [t for t in self.result('tasks') if t['state'] != 'done']
        self.assertEqual([(t['kind'], t['state']) for t in rows], [('update', 'queued'), ('audit', 'queued'), ('install', 'running')])
        self.assertIn(rows[-1]['progress'], range(50, 100))  # one of two is done
        self.assertIn(f"{rows[-1]['progress']}%", self.get('tasks').stdout)
        self.get('cancel', str(rows[-1]['id']), uid=BOB)
        for thread in waiting:
            thread.join()
        codes = {w: done.returncode for w, done in ended}
        self.assertEqual((codes['install', 'slow'], codes['audit', 'quick'], codes['update',]), (CANCELLED, OK, OK))
        self.assertFalse(os.path.exists(f'/proc/{self.text(pids)}/exe'))  # with all that it has started; not yet reaped, perhaps
        started = [line for line in self.log().splitlines() if 'task.started' in line]
        update, audit = (next(i for i, line in enumerate(started) if f"task={rows[k]['id']} " in line) for k in (0, 1))
        self.assertLess(update, audit)  # it came last and is the quick one
        told = self.result('show-task', str(rows[-1]['id']))
        self.assertEqual((told['kind'], told['code'], told['progress']), ('install', 'cancelled', 100))
        self.assertIn('quick was here', told['log'])
        self.ends(DENIED, 'show-task', str(rows[-1]['id']), uid=BOB)
        self.ends(NOT_FOUND, 'show-task', '999999')
        self.ends(USAGE, 'show-task', 'x')
        self.get('forget', 'slow')  # no upgrade is to try it again


    def test_some_priorities_and_freezes(self):
        for name, control in {'rim': 'priority: optional\n', 'hub': 'priority: critical\ndepends: rim\n', 'paint': 'priority: optional\n'}.items():
            self.package(name, EMPTY, control=control)
        self.publish()
        self.get('update')
        self.get('install', 'hub', 'paint')
        for name, control in {'rim': 'priority: optional\n', 'hub': 'priority: critical\ndepends: rim(=2-1)\n', 'paint': 'priority: optional\n'}.items():
            self.package(name, EMPTY, version='2-1', control=control)
        self.publish()
        self.get('update')
        pending = self.result('list-upgrade')
        self.assertEqual(dict(zip(pending['upgrades'], pending['priorities']))['hub(=2-1)'], 'critical')
        self.due('next_upgrade', freeze_periods='1970-01-01 until 9999-12-30')
        self.wait_for(lambda: self.result('status')['upgrade_waits_for'] == 'the end of a freeze', 'it waits')
        told = self.result('inventory')['policy']
        self.assertEqual((told['waits_for'], told['freezes'][0]['by'], time.gmtime(told['frozen_until'] + told['utc_offset'])[:3]),
                         ('freeze', '', (9999, 12, 31)))
        refused = self.run_get('upgrade', uid=BOB)
        self.assertEqual(refused.returncode, agent_bench.REFUSED)
        self.assertIn('nothing is upgraded before 9999-12-31: this machine is in a freeze', refused.stderr)
        self.due('next_upgrade', upgrade_priorities='critical,high')
        self.awaits('hub', '2-1')
        self.idle()
        self.assertEqual([self.row(n)['version'] for n in ('rim', 'paint')], ['2-1', '1-1'])
        self.get('upgrade', '--priorities', 'standard')
        self.assertEqual(self.row('paint')['version'], '1-1')
        self.get('upgrade', '--only_priorities=optional')
        self.assertEqual(self.row('paint')['version'], '2-1')


OK_STATUS = 'OK'

if __name__ == '__main__':
    agent_bench.main()
