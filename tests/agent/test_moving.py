"""Over from WAPT 1.8: the agent started in the base directory that it left, with its configuration, database and key."""
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import zipfile

import agent_bench
from agent_bench import OK, REFUSED, Bench

UUID = '4c4c4544-0031-3010-8051-cafe00c0ffee'
OWN = ('waptagent.sqlite', 'waptagent.sqlite-wal', 'waptagent.sqlite-shm')


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


class Moved(Bench):

    @classmethod
    def configure(cls, more=''):
        with open(f'{cls.base}/wapt-get.ini', 'w', encoding='latin-1') as f:
            f.write(f'[global]\r\nrepo_url={cls.url}/wapt\r\nwapt_server=\r\nuse_hostpackages=1\r\nwaptservice_port=8088\r\n'
                    f'waptupdate_task_period=\r\nmaturitys=PROD\r\n; é\r\n[wapt-host]\r\nrepo_url={cls.url}/wapt-host\r\n')
        cls.leave_wapt()

    @classmethod
    def script(cls, name):
        mark = f'{cls.top}/mark-{name}'
        return (f'def install():\n    open({mark!r}, "a").write("i")\ndef uninstall():\n    open({mark!r}, "a").write("u")\n'
                f'def audit():\n    open({mark!r}, "a").write("a")\n    return "OK"\n')

    @classmethod
    def leave_wapt(cls):
        """What WAPT 1.8 installed: db/waptdb.sqlite, its key, persistent files."""
        uuids = {}
        for i, name in enumerate(('stays', 'grows', 'both', 'goes', 'vanished')):
            uuids[name] = f'aaaaaaaa-0000-4000-8000-{i:012}'
            if name == 'vanished':
                continue
            path = cls.package(name, cls.script(name))
            if name in ('stays', 'goes'):  # the very package is still offered
                with zipfile.ZipFile(path) as z:
                    control = z.read('WAPT/control').decode()
                uuids[name] = control.split('package_uuid')[1].split(':')[1].split()[0]
        cls.package('grows', cls.script('grows'), version='2-1')
        cls.publish()
        os.makedirs(f'{cls.base}/db')
        os.makedirs(f'{cls.base}/private/persistent/{uuids["both"]}')
        with open(f'{cls.base}/private/persistent/{uuids["both"]}/kept', 'w', encoding='ascii') as f:
            f.write('by the package')
        subprocess.run(['openssl', 'genrsa', '-traditional', '-out', f'{cls.base}/private/{UUID}.pem', '2048'], check=True,
                       capture_output=True)
        db = sqlite3.connect(f'{cls.base}/db/waptdb.sqlite')
        with open(f'{cls.root}/tests/vectors/moving/20200415.sql', encoding='utf-8') as f:
            db.executescript(f.read())
        for name, uuid in uuids.items():
            db.execute('insert into wapt_localstatus (package_uuid, package, version, architecture, section, priority, explicit_by,'
                       ' install_date, install_status, install_output, install_params, uninstall_key, setuppy, depends)'
                       " values (?, ?, '1-1', 'all', 'base', 'optional', ?, '2020-05-01T10:00:00.5', 'OK', ?, ?, '[]', ?, ?)",
                       (uuid, name, 'root' if name == 'stays' else None,
                        'installé', '{"colour": "blue"}', cls.script(name), 'stays' if name == 'both' else ''))
        db.execute('insert into wapt_params (name, value, ptype) values (?, ?, ?)', ('uuid', UUID, 'str'))
        db.execute('update wapt_localstatus set install_output = cast(? as text) where package = ?', (b'install\xe9', 'stays'))
        db.commit()
        db.close()
        cls.before = {name: digest(f'{cls.base}/{name}') for name in ('db/waptdb.sqlite', f'private/{UUID}.pem')}

    def trace(self, name):
        try:
            with open(f'{self.top}/mark-{name}', encoding='ascii') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def test_1_everything_is_there_and_nothing_is_installed_twice(self):
        rows = {r['package']: r for r in self.result('list')}
        self.assertEqual(sorted(rows), ['both', 'goes', 'grows', 'stays', 'vanished'])
        self.assertEqual({(r['install_status'], r['version']) for r in rows.values()}, {('OK', '1-1')})
        self.assertEqual([n for n, r in rows.items() if r['explicit']], ['stays'])
        shown = self.result('show-log', 'stays')
        self.assertEqual((shown['install_output'], json.loads(shown['install_params']), shown['uninstall_key']),
                         ('installé', {'colour': 'blue'}, []))
        self.assertEqual(self.result('status')['uuid'], UUID)
        self.get('update')
        self.assertEqual(self.result('list-upgrade')['upgrades'], ['grows(=2-1)'])
        self.get('upgrade')
        self.assertEqual([self.trace(n) for n in ('stays', 'grows', 'both', 'goes')], ['', 'i', '', ''])
        self.assertEqual(self.row('grows')['version'], '2-1')

    def test_2_what_of_the_configuration_has_no_effect_is_said(self):
        log = self.log()
        self.assertIn("line 5: option 'waptservice_port' in [global] has no effect", log)
        self.assertIn("line 7: unknown option 'maturitys' in [global]; is 'maturities' in [global] meant?", log)
        self.assertIn('moving.done', log)

    def test_3_unverified_scripts_do_not_run(self):
        for name in ('vanished', 'both'):  # not offered at all; another build of the same version is
            done = self.run_get('audit', name)
            self.assertNotEqual(done.returncode, OK)
            self.assertIn(f'wapt-get install --force {name}', done.stdout + done.stderr)
            self.assertEqual(self.row(name)['last_audit_status'], 'UNKNOWN')
            self.ends(REFUSED, 'remove', name, says='no repository offers this very package any more')
            self.assertIsNotNone(self.row(name))
            self.assertEqual(self.trace(name), '')
        self.get('remove', '--force', 'vanished')
        self.assertIsNone(self.row('vanished'))
        self.assertEqual(self.trace('vanished'), '')
        self.assertTrue(os.path.isfile(f'{self.base}/private/persistent/aaaaaaaa-0000-4000-8000-000000000002/kept'))
        self.get('install', '--force', 'both')
        self.get('audit', 'both')
        self.assertEqual(self.trace('both'), 'ia')

    def test_4_those_of_a_package_that_is_still_offered_do(self):
        before = self.row('stays')
        self.assertIn('its script is verified now', self.get('audit', 'stays').stdout)
        after = self.row('stays')
        self.assertEqual((self.trace('stays'), after['last_audit_status']), ('a', 'OK'))
        self.assertEqual([after[n] for n in ('version', 'package_uuid', 'install_date', 'explicit')],
                         [before[n] for n in ('version', 'package_uuid', 'install_date', 'explicit')])
        self.assertNotIn('verified now', self.get('audit', 'stays').stdout)
        self.get('remove', 'goes')
        self.assertEqual((self.trace('goes'), self.row('goes')), ('u', None))

    def test_5_once_and_wapts_own_files_stay(self):
        self.get('forget', 'stays')
        self.stop()
        self.start()
        self.assertIsNone(self.row('stays'))
        self.assertEqual({name: digest(f'{self.base}/{name}') for name in self.before}, self.before)

    def afresh(self):
        self.stop()
        for name in OWN:
            if os.path.exists(f'{self.base}/db/{name}'):
                os.unlink(f'{self.base}/db/{name}')
        shutil.rmtree(f'{self.base}/private/packages', ignore_errors=True)

    def test_6_killed_at_any_moment(self):
        self.afresh()
        for i in range(4):
            self.launch()
            time.sleep(0.05 * (i + 1))
            self.service.send_signal(signal.SIGKILL)
            self.service.wait(60)
            type(self).service = None
        self.wait_for(lambda: self.try_start(), 'the service starts')
        self.assertEqual(len(self.result('list')), 5)
        self.assertEqual(len(os.listdir(f'{self.base}/private/packages')), 5)
        self.assertFalse(os.path.exists(f'{self.base}/private/tmp/moving'))

    def try_start(self):
        """A manager may outlive its killed launcher by a moment."""
        if self.service is None or self.service.poll() is not None:
            self.launch()
        return self.listens()

    def test_7_a_database_of_somebody_else_stops_the_start(self):
        self.afresh()
        os.chown(f'{self.base}/db/waptdb.sqlite', agent_bench.BOB, 0)
        self.addCleanup(os.chown, f'{self.base}/db/waptdb.sqlite', 0, 0)
        self.launch()
        self.wait_for(lambda: 'can be written by others than root' in self.log(), 'the log says why')
        self.assertNotEqual(self.run_get('list').returncode, OK)
        self.stop()
        os.chown(f'{self.base}/db/waptdb.sqlite', 0, 0)
        self.start()
        self.assertEqual(len(self.result('list')), 5)


if __name__ == '__main__':
    agent_bench.main()
