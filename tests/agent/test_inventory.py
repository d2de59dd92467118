"""What the agent says of its machine, compared with what the machine's own tools say."""
import grp
import ipaddress
import json
import os
import pwd
import re
import shutil
import subprocess

import agent_bench
from agent_bench import BOB, DENIED, Bench


def tool(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class Inventory(Bench):
    """The sections of formats.md 5.7, from the real service."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.all = cls.result('inventory')

    @classmethod
    def result(cls, *args, **more):
        return json.loads(cls.get('--json', *args, **more).stdout)['result']

    def again(self, more):
        """The inventory under other lines of configuration."""
        self.stop()
        self.configure(more)
        self.start()
        self.addCleanup(self.configure)
        return self.result('inventory')

    def test_sections(self):
        self.assertEqual(set(self.all), {'host_info', 'host_status', 'installed_packages', 'installed_softwares', 'wapt_status', 'audit_status',
                                         'host_capabilities', 'host_metrics', 'dmi', 'authorized_certificates', 'policy'}
                         | ({'last_update_status'} & set(self.all)))

    def test_networks_as_ip_shows_them(self):
        shown = {}
        for link in json.loads(tool('ip', '-j', 'addr')):
            for a in link['addr_info']:
                if 'LOOPBACK' not in link['flags'] and 'UP' in link['flags'] and a['scope'] == 'global':
                    net = ipaddress.ip_interface(f"{a['local']}/{a['prefixlen']}")
                    shown.setdefault(link['ifname'], []).append((a['local'], str(net.netmask), a.get('broadcast')))
        told = {i['iface']: i for i in self.all['host_info']['networking']}
        self.assertEqual({name: sorted((a['addr'], a['netmask']) for a in i['addr']) for name, i in told.items()},
                         {name: sorted(a[:2] for a in addresses) for name, addresses in shown.items()})
        for link in json.loads(tool('ip', '-j', 'link')):
            if link['ifname'] in told and link['link_type'] == 'ether':
                self.assertEqual(told[link['ifname']]['mac'], link['address'])
                self.assertIn(link['address'], self.all['host_info']['mac'])
        ways = [r['gateway'] for r in json.loads(tool('ip', '-j', '-4', 'route', 'show', 'default')) if 'gateway' in r]
        self.assertEqual(self.all['host_info']['gateways'], ways[:1])

    def test_disks_as_df_shows_them(self):
        drives = self.all['host_metrics']['local_drives']
        self.assertTrue(drives)
        for point, d in drives.items():
            name, kind, size = tool('df', '--output=source,fstype,size', '-B1', point).splitlines()[1].split()
            self.assertEqual((d['Name'], d['FileSystem'], d['Size'], d['Caption']), (name, kind, int(size), point))
            self.assertLessEqual(d['FreeSpace'], d['Size'])
            self.assertTrue(0 <= d['FreePercent'] <= 100)

    def test_software_as_dpkg_query_shows_it(self):
        rows = [line.split('\t') for line in
                tool('dpkg-query', '-W', '-f', '${db:Status-Status}\t${binary:Package}\t${Package}\t${Version}\t${Maintainer}\t${Priority}\n').splitlines()]
        shown = {(r[1], r[2], r[3], r[4], int(r[5] == 'required')) for r in rows if r[0] == 'installed'}
        told = self.all['installed_softwares']
        self.assertEqual({(s['key'], s['name'], s['version'], s['publisher'], s['system_component']) for s in told}, shown)
        self.assertEqual(set(told[0]), {'key', 'name', 'version', 'install_date', 'install_location', 'uninstall_string', 'publisher',
                                        'system_component'})
        for s in told[:20]:
            self.assertRegex(s['install_date'], r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$')

    def test_system_and_people(self):
        info, metrics = self.all['host_info'], self.all['host_metrics']
        self.assertEqual(info['kernel_version'], os.uname().release)
        self.assertEqual(info['computer_name'], os.uname().nodename.split('.')[0])
        self.assertEqual(info['linux64'], os.uname().machine.endswith('64'))
        self.assertEqual(info['cpu_count'], os.sysconf('SC_NPROCESSORS_ONLN'))
        self.assertEqual(metrics['physical_memory'], os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE'))
        people = {p.pw_name for p in pwd.getpwall() if p.pw_uid == 0 or 1000 <= p.pw_uid <= 59999}
        self.assertEqual(set(info['local_users']), people)
        self.assertEqual(info['local_groups'], {g.gr_name: g.gr_mem for g in grp.getgrall() if g.gr_mem})
        self.assertEqual(info['local_groups']['waptselfservice'], ['alice'])
        self.assertEqual(info['repositories'], f'{self.url}/wapt')
        with open('/proc/stat', encoding='ascii') as f:
            booted = int(re.search(r'^btime (\d+)', f.read(), re.M)[1])
        self.assertEqual(metrics['last_bootup_time'], tool('date', '-d', f'@{booted}', '+%Y-%m-%dT%H:%M:%S').strip())
        self.assertGreater(metrics['wapt-memory-usage']['rss'], 100000)

    def test_certificates(self):
        with open(f'{self.base}/ssl/developer.crt', encoding='ascii') as f:
            pem = f.read()
        self.assertEqual([c.strip() for c in self.all['authorized_certificates']], [pem.strip()])
        shown = tool('openssl', 'x509', '-in', f'{self.base}/ssl/developer.crt', '-noout', '-fingerprint', '-sha256')
        fingerprint = shown.split('=')[1].strip().replace(':', '').lower()
        status = self.all['wapt_status']
        self.assertEqual(status['authorized_certificates_sha256'], [fingerprint])
        self.assertEqual(status['authorized_certificates_cn'], ['developer'])
        self.assertEqual(self.all['host_capabilities']['packages_trusted_ca_fingerprints'], [fingerprint])

    def test_the_same_machine_gives_the_same_bytes(self):
        before = self.result('inventory')
        after = self.result('inventory')
        self.assertEqual({k: v for k, v in before.items() if k != 'host_metrics'},
                         {k: v for k, v in after.items() if k != 'host_metrics'})

    def test_the_process_that_reads_has_nothing(self):
        lines = [line for line in self.log().splitlines() if 'waptservice/inventory' in line and 'role.confined' in line]
        self.assertTrue(lines)
        for line in lines:
            self.assertNotIn('uid 0', line)
            for words in ('no capabilities', 'no new privileges', 'write 0'):
                self.assertIn(words, line)

    def test_who_may_ask(self):
        self.assertEqual(self.run_get('inventory', uid=BOB).returncode, DENIED)

    def test_environment_only_when_asked_for(self):
        self.assertNotIn('environ', self.all['host_info'])
        self.assertIn('PATH', self.again('inventory_environment = 1\n')['host_info']['environ'])

    def test_logins_of_proxies_stay_here(self):
        told = self.again('http_proxy = http://user:hush@127.0.0.1:9\nuse_http_proxy_for_repo = 1\nuse_http_proxy_for_server = 1\n')
        self.assertEqual(told['wapt_status']['repositories'][0]['http_proxy'], 'http://127.0.0.1:9')
        self.assertNotIn('hush', json.dumps(told))

    def test_place_from_the_configuration(self):
        told = self.again('host_organizational_unit_dn = OU=Lab,DC=example,DC=org\nhost_ad_site = Paris\n')
        name = os.uname().nodename.split('.')[0].upper()
        self.assertEqual(told['host_info']['computer_ad_dn'], f'CN={name},OU=Lab,DC=example,DC=org')
        self.assertEqual(told['host_info']['computer_ad_site'], 'Paris')
        self.assertEqual(told['host_capabilities']['dn'], told['host_info']['computer_ad_dn'])

    def test_firmware_and_what_its_vendor_wrote(self):
        subprocess.run(['mount', '-t', 'tmpfs', 'none', '/sys/firmware'], check=True)
        self.addCleanup(subprocess.run, ['umount', '/sys/firmware'], check=True)
        os.makedirs('/sys/firmware/dmi/tables')
        shutil.copy(f'{self.root}/tests/unit/os/machines/vm/DMI', '/sys/firmware/dmi/tables/DMI')
        os.chmod('/sys/firmware/dmi/tables/DMI', 0o400)
        dmi = self.result('inventory')['dmi']
        self.assertEqual(dmi['System_Information']['UUID'], 'B8F3F00D-C2D1-4E4A-9F2A-5B6C7D8E9F00')
        self.assertEqual([c['Socket_Designation'] for c in dmi['Processor_Information']], ['CPU 0', 'CPU 1'])
        self.assertNotIn('OEM_Strings', dmi)
        self.assertIn('secret', self.again('inventory_product_keys = 1\n')['dmi']['OEM_Strings']['String_1'])

    def test_software_of_rpm(self):
        top = f'{self.top}/rpm'
        os.makedirs(f'{top}/home')
        with open(f'{top}/tiny.spec', 'w', encoding='ascii') as f:
            f.write('Name: tiny\nVersion: 1.0\nRelease: 2\nSummary: x\nLicense: x\nVendor: Maker\nBuildArch: noarch\n%description\nx\n%files\n')
        env = {'HOME': f'{top}/home', 'PATH': '/usr/bin:/bin:/usr/sbin:/sbin', 'LC_ALL': 'C'}
        subprocess.run(['rpmbuild', '-bb', '--define', f'_topdir {top}', f'{top}/tiny.spec'], check=True, env=env, capture_output=True)
        subprocess.run(['mount', '-t', 'tmpfs', 'none', '/var/lib/rpm'], check=True)
        self.addCleanup(subprocess.run, ['umount', '/var/lib/rpm'], check=True)
        subprocess.run(['rpm', '--dbpath', '/var/lib/rpm', '--nodeps', '--install', f'{top}/RPMS/noarch/tiny-1.0-2.noarch.rpm'],
                       check=True, env=env, capture_output=True)
        found = [s for s in self.result('inventory')['installed_softwares'] if s['name'] == 'tiny']
        self.assertEqual([(s['key'], s['version'], s['publisher']) for s in found], [('tiny.noarch', '1.0-2', 'Maker')])


class Directory(Bench):
    """Where the machine's account stands, as a name service tells it: here files, and a library in the place of SSSD's."""

    LIBRARY = r"""
#include <stdlib.h>
#include <string.h>
struct kv { char *key, *value; };
int sss_nss_getorigbyname(const char *name, struct kv **ret, int *type)
{
    struct kv *kv = calloc(3, sizeof *kv);
    kv[0].key = strdup("name");
    kv[0].value = strdup(name);
    kv[1].key = strdup("originalDN");
    kv[1].value = strdup("CN=PC,OU=Labo \xc3\xa9,OU=Sites,DC=example,DC=org");
    *ret = kv;
    *type = 1;
    return 0;
}
void sss_nss_free_kv(struct kv *kv)
{
    for (struct kv *k = kv; k->key != NULL; k++) {
        free(k->key);
        free(k->value);
    }
    free(kv);
}
"""

    def account(self):
        return os.uname().nodename.split('.')[0].upper()[:15] + '$'

    def edit(self, name, change):
        with open(f'{self.top}/{name}', 'r+', encoding='utf-8') as f:
            text = change(f.read())
            f.seek(0)
            f.write(text)
            f.truncate()

    def again(self):
        self.stop()
        self.start()
        self.get('update')
        return self.result('inventory')['host_info'], self.result('status')['own_packages']

    def test_groups_and_unit(self):
        self.package('some', 'def install():\n    pass\n')
        self.publish()
        self.configure('use_ad_groups = 1\n')
        info, own = self.again()
        self.assertEqual((info['computer_ad_dn'], info['computer_ad_groups'], own), ('', [], ['TEST-MACHINE']))
        # the machine's account, in the files of this namespace
        self.edit('passwd', lambda t: t + f'{self.account()}:x:64100:64100::/nonexistent:/bin/false\n')
        self.edit('group', lambda t: t + f'machines:x:64100:\nEXAMPLE\\printers:x:64101:{self.account()}\nlab@example.org:x:64102:{self.account()},x\n')
        info, own = self.again()
        self.assertEqual(info['computer_ad_groups'], ['lab', 'machines', 'printers'])
        self.assertEqual(own, ['TEST-MACHINE', 'lab', 'machines', 'printers'])
        # SSSD's word for the unit
        place = f'{self.top}/libs'
        os.mkdir(place)
        with open(f'{self.top}/sss.c', 'w', encoding='ascii') as f:
            f.write(self.LIBRARY)
        subprocess.run(['gcc', '-shared', '-fPIC', '-Wl,-soname,libsss_nss_idmap.so.0', '-o', f'{place}/libsss_nss_idmap.so.0', f'{self.top}/sss.c'],
                       check=True)
        subprocess.run(['mount', '--bind', place, '/usr/local/lib'], check=True)
        self.addCleanup(subprocess.run, ['umount', '/usr/local/lib'], check=True)
        cache = f'{self.top}/ld.so.cache'
        subprocess.run(['ldconfig', '-X', '-C', cache], check=True)
        subprocess.run(['mount', '--bind', cache, '/etc/ld.so.cache'], check=True)
        self.addCleanup(subprocess.run, ['umount', '/etc/ld.so.cache'], check=True)
        info, own = self.again()
        self.assertEqual(info['computer_ad_dn'], 'CN=PC,OU=Labo \u00e9,OU=Sites,DC=example,DC=org')
        self.assertEqual(len(own), 4 + 3)
        # a directory that is away takes nothing away
        self.edit('passwd', lambda t: t.replace(self.account(), 'gone'))
        after, own_after = self.again()
        self.assertEqual((after, own_after), (dict(info, local_users=after['local_users'], local_groups=after['local_groups']), own))
        # without use_ad_groups its groups are nobody's business
        self.configure()
        info, own = self.again()
        self.assertNotIn('computer_ad_groups', info)
        self.assertEqual(len(own), 1 + 3)


if __name__ == '__main__':
    agent_bench.main()
