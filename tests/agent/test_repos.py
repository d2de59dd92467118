"""Several repositories, mirrors, and what servers of files do wrong: cut, slow, endless, redirected, spoilt."""
import glob
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import agent_bench
from agent_bench import NOT_FOUND, OK, PARTIAL, REFUSED, UNREACHABLE, Bench

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'proc'))
import hostile  # pylint: disable=wrong-import-position

SCRIPT = 'def install():\n    pass\ndef audit():\n    return "OK"\n'


DEAD = []  # sockets


def dead_port():
    """A port of loopback on which nobody listens, and which nobody else is given."""
    DEAD.append(socket.socket())
    DEAD[-1].bind(('127.0.0.1', 0))
    return DEAD[-1].getsockname()[1]


class Repositories(Bench):
    """The main repository, `extra` with a signer of its own, and a hostile server that can stand before either."""

    @classmethod
    def setUpClass(cls):
        cls.bad = hostile.Hostile()
        cls.addClassCleanup(cls.bad.stop)
        super().setUpClass()

    @classmethod
    def configure(cls, more='', extra='', url=None):
        os.makedirs(f'{cls.top}/www/extra', exist_ok=True)
        os.makedirs(f'{cls.base}/ssl-extra', exist_ok=True)
        for name in ('developer', 'stranger'):
            shutil.copy(f'{cls.top}/keys/{name}.crt', f'{cls.base}/ssl-extra')
        super().configure(f'timeout = 2\nrepositories = extra\n{more}[extra]\nrepo_url = {url or cls.url + "/extra"}\n'
                          f'public_certs_dir = ssl-extra\n{extra}')

    def reconfigure(self, **more):
        self.stop()
        self.configure(**more)
        self.start()

    def setUp(self):
        self.bad.answers.clear()

    def publish_extra(self, *paths):
        for path in paths:
            shutil.copy(path, f'{self.top}/www/extra')
        subprocess.run([f'{self.bindir}/wapt-scanpackages', f'{self.top}/www/extra'], env=self.env, check=True, capture_output=True)

    def origin(self, package):
        return [(p['version'], p['repo']) for p in self.result('search', package) if p['package'] == package]

    def test_of_equal_packages_the_main_one_wins_and_signers_count_where_they_are_trusted(self):
        self.reconfigure()
        both = self.package('both', SCRIPT)
        mine = self.package('only-there', SCRIPT, key='stranger', publish=False)
        shutil.copy(mine, self.repo)  # there its signer does not count
        newer = self.package('both', SCRIPT, version='2-1', publish=False)
        self.publish()
        self.publish_extra(both, mine)
        self.get('update')
        self.assertEqual(self.origin('both'), [('1-1', 'wapt')])
        self.assertEqual(self.origin('only-there'), [('1-1', 'extra')])
        self.get('install', 'both', 'only-there')
        self.assertEqual((self.row('both')['repo'], self.row('only-there')['repo']), ('wapt', 'extra'))
        self.get('audit', 'only-there')  # by the signers of where it came from
        self.publish_extra(newer)
        self.get('update')
        self.get('upgrade')
        self.assertEqual((self.row('both')['version'], self.row('both')['repo']), ('2-1', 'extra'))
        # its signer is taken back
        os.unlink(f'{self.base}/ssl-extra/stranger.crt')
        self.ends(REFUSED, 'audit', 'only-there')
        self.get('update')
        self.assertEqual(self.origin('only-there'), [])

    def test_one_that_is_away_stops_no_other(self):
        path = self.package('from-extra', SCRIPT, publish=False)
        self.publish_extra(path)
        self.publish()
        self.get('update')
        self.reconfigure(url=f'http://127.0.0.1:{dead_port()}')
        self.package('meanwhile', SCRIPT)
        self.publish()
        done = self.ends(PARTIAL, 'update', says="repository 'extra' stays as it was")
        self.assertIn('1 of 2', done.stderr)
        self.assertEqual(self.origin('meanwhile'), [('1-1', 'wapt')])
        self.assertEqual(self.origin('from-extra'), [('1-1', 'extra')])
        self.ends(UNREACHABLE, 'install', 'from-extra')
        # one that is set up no more offers nothing
        self.stop()
        Bench.configure.__func__(type(self))
        self.start()
        self.ends(agent_bench.CONFLICT, 'install', 'from-extra', says='not set up any more')
        self.get('update')
        self.ends(NOT_FOUND, 'install', 'from-extra')

    # --- the cache ---

    def cached(self):
        return sorted(os.path.basename(p).split('_')[0] for p in glob.glob(f'{self.base}/cache/*'))

    def test_the_cache_is_bounded_and_keeps_what_is_needed(self):
        self.reconfigure(more='cache_size = 1\n')
        self.get('clean', '-f')
        self.publish_extra()
        for name in ('fat-one', 'fat-two', 'fat-three'):
            self.package(name, SCRIPT, more={'data.bin': os.urandom(350000).hex()})  # half of it is left when packed
        self.package('too-fat', SCRIPT, more={'data.bin': os.urandom(1100000).hex()})
        self.publish()
        self.get('update')
        self.get('install', 'fat-one')
        os.utime(glob.glob(f'{self.base}/cache/fat-one*')[0], (1000, 1000))
        self.get('install', 'fat-two')
        self.assertEqual(self.cached(), ['fat-one', 'fat-two'])
        self.get('install', 'fat-three')
        self.assertEqual(self.cached(), ['fat-three', 'fat-two'])
        self.ends(agent_bench.LIMIT, 'install', 'too-fat', says='cache_size')
        # what the next upgrade would install stays
        self.package('fat-one', SCRIPT, version='2-1', more={'data.bin': os.urandom(350000).hex()})
        self.publish()
        self.get('update')
        self.get('download-upgrade')
        self.assertIn('fat-one', self.cached())
        os.utime(glob.glob(f'{self.base}/cache/fat-one*')[0], (1000, 1000))
        self.get('clean')
        self.assertEqual(self.cached(), ['fat-one'])
        self.get('remove', 'fat-two', 'fat-three')
        self.get('install', 'fat-two')
        self.get('install', 'fat-three')
        self.assertEqual(self.cached(), ['fat-one', 'fat-three'])
        self.get('clean', '-f')
        self.assertEqual(self.cached(), [])
        self.get('remove', 'fat-one', 'fat-two', 'fat-three')

    # --- mirrors ---

    def faults(self, data):
        """What a server may do with a file of these bytes, by name."""
        def send(handler, body, length=None, status=200, **headers):
            handler.close_connection = True
            handler.reply(status, body, **{'Content_Length': str(length or len(body)), **headers})

        def slow(handler, _):
            send(handler, data[:1], len(data))
            for i in range(1, 20):
                handler.wfile.write(data[i:i + 1])
                time.sleep(0.5)

        def endless(handler, _):
            handler.close_connection = True
            handler.send_response(200)
            handler.end_headers()
            while True:
                handler.wfile.write(data)

        def heads(handler, _):
            handler.close_connection = True
            handler.send_response(200)
            for i in range(10000):
                handler.wfile.write(f'X-{i}: {"x" * 1000}\r\n'.encode())
            handler.end_headers()

        spoilt = data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:]
        return {
            'cut': lambda h, _: send(h, data[:len(data) // 3], len(data)),
            'absent': lambda h, _: send(h, b'no', status=404),
            'broken': lambda h, _: send(h, b'no', status=500),
            'empty': lambda h, _: send(h, b''),
            'spoilt': lambda h, _: send(h, spoilt),
            'longer': lambda h, _: send(h, data + b'x'),
            'another part': lambda h, _: send(h, data[5:], status=206, Content_Range=f'bytes 5-{len(data) - 1}/{len(data)}'),
            'slow': slow, 'endless': endless, 'ten megabytes of header lines': heads,
            'in circles': lambda h, _: send(h, b'', status=302, Location=h.path),
            'to a file': lambda h, _: send(h, b'', status=302, Location='file:///etc/passwd'),
            'to another host': lambda h, _: send(h, b'', status=302, Location=self.url.replace('127.0.0.1', 'localhost') + '/wapt/x'),
        }

    def test_what_the_first_address_does_wrong_the_mirror_makes_good(self):
        self.reconfigure(url=self.bad.url, extra=f'mirrors = {self.url}/extra\n')
        path = self.package('mirrored', SCRIPT, publish=False, more={'data.bin': os.urandom(20000).hex()})
        self.publish_extra(path)
        self.publish()
        for what, name in ((f'{self.top}/www/extra/Packages', '/Packages'), (path, f'/{os.path.basename(path)}')):
            with open(what, 'rb') as f:
                faults = self.faults(f.read())
            for fault, answer in faults.items():
                if name == '/Packages' and fault not in ('cut', 'absent', 'spoilt', 'endless', 'in circles'):
                    continue
                with self.subTest(fault + name):
                    self.bad.answers[name] = answer
                    if name == '/Packages':
                        done = self.get('update')
                        self.assertEqual(self.origin('mirrored'), [('1-1', 'extra')])
                    else:
                        for cached in glob.glob(f'{self.base}/cache/*'):
                            os.unlink(cached)
                        done = self.get('install', '-f', 'mirrored')
                        self.assertEqual(glob.glob(f'{self.base}/cache/*.part'), [])
                    self.assertIn('trying', done.stdout)

    def test_a_file_that_changes_between_two_parts(self):
        self.reconfigure(url=self.bad.url, extra=f'mirrors = {self.url}/extra\n')
        path = self.package('changing', SCRIPT, publish=False, more={'data.bin': os.urandom(20000).hex()})
        self.publish_extra(path)
        self.publish()
        self.get('update')
        with open(path, 'rb') as f:
            data = f.read()
        name = f'/{os.path.basename(path)}'
        other = bytes(b ^ 255 for b in data)
        self.bad.answers[name] = self.faults(other)['cut']
        shutil.move(f'{self.top}/www/extra{name}', f'{self.top}/aside')
        self.assertNotEqual(self.run_get('install', 'changing').returncode, OK)
        self.assertEqual(len(glob.glob(f'{self.base}/cache/*.part')), 1)
        shutil.move(f'{self.top}/aside', f'{self.top}/www/extra{name}')
        self.bad.answers[name] = lambda h, _: h.reply(404, b'')
        self.get('install', 'changing')  # the rest from the mirror fits not; from the beginning it does

    def test_redirects_and_a_proxy_with_a_login(self):
        self.reconfigure(url=self.bad.url)
        path = self.package('elsewhere', SCRIPT, publish=False)
        self.publish_extra(path)
        self.publish()

        def moved(handler, _):
            handler.reply(307, b'gone', Location=f'{self.url}/extra{handler.path}')
        for name in ('/Packages', f'/{os.path.basename(path)}'):
            self.bad.answers[name] = moved
        self.get('update')
        self.get('install', 'elsewhere')
        # never from https to http; its TLS is trusted by the repository's own setting
        cert, key = hostile.certificate(pathlib.Path(self.base), 'tls', san=hostile.HERE)
        tls = hostile.Hostile(cert, key)
        self.addCleanup(tls.stop)
        self.reconfigure(url=tls.url, extra=f'verify_cert = {cert}\n')
        tls.answers['/Packages'] = moved
        self.ends(PARTIAL, 'update', says='which is not https')
        with open(f'{self.top}/www/extra/Packages', 'rb') as f:
            index = f.read()
        tls.answers['/Packages'] = lambda handler, _: handler.reply(200, index)
        self.get('update')
        self.reconfigure(url=tls.url)
        self.ends(PARTIAL, 'update', says='is not trusted')
        # the same files through a proxy, which wants to know who asks
        asked = []

        def passed_on(handler, _):
            asked.append(handler.headers['Proxy-Authorization'])
            with open(f"{self.top}/www/extra/{handler.path.split('/')[-1]}", 'rb') as f:
                handler.reply(200 if asked[-1] == 'Basic bWU6cEBzcw==' else 407, f.read())
        host = self.bad.url.removeprefix('http://')
        self.reconfigure(url='http://far.example/r', extra=f'use_http_proxy_for_repo = 1\nhttp_proxy = http://me:p%40ss@{host}\n'
                                                           'limit_bandwidth = 0.5\n')
        for name in ('Packages', os.path.basename(path)):
            self.bad.answers[f'http://far.example/r/{name}'] = passed_on
        self.get('update')
        self.get('clean')
        self.get('remove', 'elsewhere')
        self.get('install', 'elsewhere')
        self.assertEqual(len(asked), 2)
        self.assertNotIn('p%40ss', self.log())


if __name__ == '__main__':
    agent_bench.main()
