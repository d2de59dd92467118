"""What the agent does by itself, and when: its own packages, the schedule, the queue."""
import agent_bench
from agent_bench import OK, Bench

EMPTY = 'def install():\n    pass\n'


class OwnPackages(Bench):
    """Packages of the machine's profiles and organisational units come and go by themselves; what is held does neither."""

    UNIT = 'OU=Lab_OU=Paris_DC=example_DC=org'

    @classmethod
    def place(cls, unit='OU=Lab,OU=Paris', profiles='Sales Team', held=''):
        cls.stop()
        cls.configure(f'host_profiles = {profiles}\nhost_organizational_unit_dn = {unit},DC=example,DC=org\npackages_held = {held}\n')
        cls.start()

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
                         ['TEST-MACHINE', 'Sales~Team', self.UNIT, 'OU=Paris_DC=example_DC=org', 'DC=example_DC=org'])
        self.get('update')
        pending = self.get('list-upgrade').stdout
        for name in ('of-unit', 'of-city', 'of-profile'):
            self.assertIn(name, pending)
        self.assertNotIn('of-others', pending)
        planned = {s['package'] for s in self.result('plan', 'upgrade')['steps'] if s['action'] == 'install'}
        self.assertEqual(planned, {'of-unit', 'of-city', 'of-profile', self.UNIT, 'OU=Paris_DC=example_DC=org', 'Sales~Team'})
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
        self.place(profiles='Holding')
        self.get('update')
        self.get('upgrade')
        self.package('kept-old', EMPTY, version='2-1')
        self.publish()
        self.place(profiles='Holding', held='kept-old until 2999-12-31, kept-away')
        self.get('update')
        self.assertNotIn('kept-old', self.get('list-upgrade').stdout)
        self.get('upgrade')
        self.assertEqual(self.row('kept-old')['version'], '1-1')
        self.assertNotEqual(self.run_get('install', 'kept-away').returncode, OK)
        self.place(profiles='Holding', held='kept-old until 2001-01-01')  # over
        self.get('upgrade')
        self.assertEqual(self.row('kept-old')['version'], '2-1')


OK_STATUS = 'OK'

if __name__ == '__main__':
    agent_bench.main()
