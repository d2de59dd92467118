"""A disk that fills, at each of the agent's writes: it says so, keeps what was there, and goes on once there is room."""
import os
import random
import shutil
import subprocess

import agent_bench
from agent_bench import NO_SPACE, OK, Bench

SIZE = 16 << 20
PAYLOAD = 3 << 20


class FullDisk(Bench):
    """The base directory is a small file system of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stop()
        aside = f'{cls.top}/aside'
        shutil.copytree(cls.base, aside)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE},mode=755', 'tmpfs', cls.base], check=True)
        cls.addClassCleanup(cls.lift)
        shutil.copytree(aside, cls.base, dirs_exist_ok=True)
        cls.start()

    @classmethod
    def lift(cls):
        cls.stop()
        subprocess.run(['umount', cls.base], check=True)

    @classmethod
    def launch(cls, log_file=None):
        """Its log is on the same disk, but where a test says otherwise."""
        os.makedirs(f'{cls.base}/log', exist_ok=True)
        with open(log_file or f'{cls.base}/log/service.log', 'ab') as log:
            cls.service = subprocess.Popen(
                [f'{cls.bindir}/waptservice', 'run', '--config', f'{cls.base}/wapt-get.ini', '--libdir', f'{cls.root}/python'],
                env=cls.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @classmethod
    def log(cls):
        with open(f'{cls.base}/log/service.log', encoding='utf-8', errors='replace') as f:
            return f.read()

    def setUp(self):
        self.addCleanup(self.free)

    def leave(self, count):
        """Fill the disk but for so many bytes."""
        self.free()
        with open(f'{self.base}/ballast', 'wb', buffering=0) as f:
            if count == 0:
                try:
                    while True:
                        f.write(bytes(4096))
                except OSError:
                    return
            st = os.statvfs(self.base)
            os.posix_fallocate(f.fileno(), 0, st.f_bavail * st.f_frsize - count)

    def free(self):
        if os.path.exists(f'{self.base}/ballast'):
            os.unlink(f'{self.base}/ballast')

    def heavy(self, name, version='1-1'):
        payload = random.Random(name + version).randbytes(PAYLOAD // 2).hex()  # text, which deflates by half
        return self.package(name, f'def install():\n    print("ran", {version!r})\ndef uninstall():\n    pass\n', version=version, more={'payload': payload})

    def tidy(self):
        for folder in ('private/stage', 'private/tmp'):
            self.assertEqual(os.listdir(f'{self.base}/{folder}'), [])
        known = {p['package_uuid'] for p in self.result('list')}
        self.assertLessEqual(set(os.listdir(f'{self.base}/private/packages')), known)

    def test_download(self):
        self.heavy('down')
        self.publish()
        self.get('update')
        self.leave(600 << 10)
        done = self.ends(NO_SPACE, 'install', 'down', says='no space left for downloading')
        self.assertFalse([n for n in os.listdir(f'{self.base}/cache') if n.startswith('down')])
        self.assertNotIn('ran', done.stdout)
        self.assertIsNone(self.row('down'))
        self.tidy()
        self.free()
        self.get('install', 'down')
        self.tidy()

    def test_staging_an_upgrade(self):
        self.heavy('staged')
        self.publish()
        self.get('update')
        self.get('install', 'staged')
        old = self.row('staged')
        self.heavy('staged', '2-1')
        self.publish()
        self.get('update')
        self.get('clean')
        self.leave(PAYLOAD // 2 + (900 << 10))
        done = self.ends(NO_SPACE, 'upgrade', says='no space left for unpacking')
        self.assertNotIn("ran 2-1", done.stdout)
        row = self.row('staged')
        self.assertEqual(row['install_status'], 'OK')  # nothing was begun
        self.assertEqual((row['version'], row['package_uuid']), (old['version'], old['package_uuid']))
        self.tidy()
        self.free()
        self.assertIn('ran 2-1', self.get('upgrade').stdout)
        self.assertEqual((self.row('staged')['version'], self.row('staged')['install_status']), ('2-1', 'OK'))
        self.tidy()

    def test_index(self):
        self.heavy('listed')
        self.publish()
        self.get('update')
        self.leave(0)
        self.ends(NO_SPACE, 'update', says='')
        self.assertIn('listed', [p['package'] for p in self.result('search')])
        self.free()
        self.get('update')

    def test_database_while_nothing_runs(self):
        self.package('stays', 'def install():\n    pass\ndef uninstall():\n    pass\n')
        self.publish()
        self.get('update')
        self.get('install', 'stays')
        self.leave(0)
        for command in ('remove', 'forget'):
            self.ends(NO_SPACE, command, 'stays')
        self.assertIsNotNone(self.row('stays'))
        self.free()
        self.get('audit', 'stays')
        self.get('remove', 'stays')
        self.assertIsNone(self.row('stays'))

    def test_script_that_fills_the_disk(self):
        """It ran, but what became of it can't be written: the package is not done until that is known again."""
        flag = f'{self.top}/fill'
        with open(flag, 'w', encoding='ascii'):
            pass
        ballast = f'{self.base}/ballast'
        self.package('filler', f'def install():\n    import os\n    print("x" * 300000)\n    if not os.path.exists({flag!r}): return\n'
                               f'    os.unlink({flag!r})\n    try:\n        f = open({ballast!r}, "wb", buffering=0)\n'
                               f'        while True: f.write(bytes(4096))\n    except OSError: pass\n')
        self.publish()
        self.get('update')
        self.ends(NO_SPACE, 'install', 'filler')
        self.get('list')
        self.free()
        self.wait_for(lambda: self.row('filler') is not None, 'it is known that it was begun')
        self.assertEqual(self.row('filler')['install_status'], 'ERROR')
        self.get('upgrade')
        self.assertEqual(self.row('filler')['install_status'], 'OK')
        self.tidy()

    def test_log(self):
        """Nobody can write down what happens; it happens all the same."""
        self.leave(0)
        before = self.manager_pid()
        for _ in range(3):
            self.get('list')
            self.ends(NO_SPACE, 'update')
        self.assertEqual(self.manager_pid(), before)
        self.free()
        self.package('after', 'def install():\n    pass\n')
        self.publish()
        self.get('update')
        self.get('install', 'after')
        self.assertIn('kind=install', self.log())

    def test_start(self):
        """A service that starts on a full disk comes to life when there is room."""
        self.stop()
        self.leave(0)
        log = f'{self.top}/start.log'  # what is said on a full disk nobody reads
        self.launch(log)
        try:
            self.wait_for(lambda: 'manager_died' in self.text(log) or self.listens(), 'it has tried')
        finally:
            self.free()
        self.await_service()
        self.get('update')


if __name__ == '__main__':
    agent_bench.main()
