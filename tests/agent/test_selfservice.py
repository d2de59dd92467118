"""The self-service's program: the catalogue in a person's browser, by the agent's leave; and the icons that come with it."""
import base64
import http.client
import json
import os
import re
import subprocess

import agent_bench
from agent_bench import BOB, DAVE, DENIED, SECRET
from test_rights import Local

SCRIPT = 'def install():\n    pass\ndef uninstall():\n    pass\n'
PNG = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')


class Page:
    """waptselfservice of a person, and a page of its own. Whatever asks does so as that person, unless it says as whom."""

    def __init__(self, bench, uid, *more):
        self.bench, self.uid, self.token = bench, uid, None
        self.link_file, self.log_file = f'{bench.top}/home-{uid}/link', f'{bench.top}/self-{uid}.log'
        os.makedirs(os.path.dirname(self.link_file), exist_ok=True)
        os.chown(os.path.dirname(self.link_file), uid, uid)
        for old in (self.link_file, self.log_file):
            if os.path.exists(old):
                os.unlink(old)
        self.process = self.launch(*more)
        bench.wait_for(lambda: 'selfservice.started' in self.log() or self.process.poll() is not None, 'it runs')
        self.here, self.ticket, self.rest = self.link()
        self.address, self.port = self.here.split(':')

    def words(self, *more):
        return ['setpriv', '--reuid', str(self.uid), '--regid', str(self.uid), '--init-groups', f'{self.bench.bindir}/waptselfservice',
                '--config', f'{self.bench.base}/wapt-get.ini', '--no-browser', '--link-file', self.link_file, *more]

    def launch(self, *more):
        env = {**self.bench.env, 'HOME': os.path.dirname(self.link_file)}
        if 'ASAN_OPTIONS' in env:  # leaks are looked for by looking into the process, which nobody may
            env['ASAN_OPTIONS'] += ':detect_leaks=0'
        with open(self.log_file, 'ab') as out:
            return subprocess.Popen(self.words(*more), env=env, cwd='/', stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)

    def log(self):
        with open(self.log_file, encoding='utf-8') as f:
            return f.read()

    def link(self):
        with open(self.link_file, encoding='utf-8') as f:
            return re.fullmatch(r'http://(127\.\d+\.\d+\.\d+:\d+)/#answer=[0-9a-f]{64}&ticket=([0-9a-f]{64})(.*)', f.read()).groups()

    def exchange(self, method, path, body, headers):
        c = http.client.HTTPConnection(self.address, int(self.port), timeout=60)
        try:
            c.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                c.putheader(name, value)
            if body is not None:
                c.putheader('Content-Length', str(len(body)))
            c.endheaders(body)
            r = c.getresponse()
            return [r.status, r.read().decode(errors='replace'), dict(r.headers)]
        except OSError as e:
            return [0, str(e), {}]
        finally:
            c.close()

    def ask(self, method, path, body=None, uid=None, token=True, **headers):
        """Status and answer, which is decoded where it is JSON."""
        all_headers = {'Host': self.here, **{k.replace('_', '-'): v for k, v in headers.items()}}
        if token and self.token:
            all_headers.setdefault('Authorization', f'Bearer {self.token}')
        text = None if body is None else json.dumps(body).encode()
        if body is not None:
            all_headers.setdefault('Content-Type', 'application/json')
        status, answer, got = self.bench.as_user(self.uid if uid is None else uid, lambda: self.exchange(method, path, text, all_headers))
        return status, json.loads(answer) if got.get('Content-Type') == 'application/json' else answer

    def open(self):
        status, answer = self.ask('POST', '/local/session', {'ticket': self.ticket})
        assert status == 200, answer
        self.token = answer['token']
        return self

    def do(self, op, *packages, **more):
        return self.ask('POST', '/local/do', {'op': op, **({'packages': packages} if packages else {}), **more})

    def catalogue(self, **what):
        status, answer = self.ask('POST', '/local/catalogue', what)
        assert status == 200, answer
        return answer

    def entry(self, name):
        return next((p for p in self.catalogue()['packages'] if p['package'] == name), None)

    def is_done(self, task):
        """How that task ended; None: not yet."""
        rows = self.ask('POST', '/local/tasks', {})[1]
        return next((r['code'] for r in rows if r['id'] == task and r['state'] == 'done'), None)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.log()


class Catalogue(Local):
    """What a person may, through the page; and who is kept from it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        icon = {'WAPT/icon.png': PNG}
        cls.package('shelf', SCRIPT, control='name: The Shelf\ncategories: Storage,Media\nlicence: GPL\n', more=icon)
        cls.package('elsewhere', SCRIPT, control='name: Another\ncategories: media\n')
        cls.package('plain', SCRIPT)
        cls.package('vacant', SCRIPT, control='licence: GPL\n')
        cls.package('fails', 'def install():\n    raise Exception("the key is " + "7-7-7")\n')
        cls.package('unlisted', SCRIPT)
        cls.rules_package('rules', {'team': ['shelf', 'elsewhere', 'fails', 'aged', 'vacant']})
        cls.publish()
        cls.get('update')
        cls.get('install', 'rules')
        cls.dave = Page(cls, DAVE).open()
        cls.addClassCleanup(cls.dave.stop)

    @classmethod
    def configure(cls, more=''):
        super().configure(f'admin_groups = localadmins\n{more}')

    def done(self, page, answer):
        status, said = answer
        self.assertEqual(status, 200, said)
        self.wait_for(lambda: page.is_done(said['task']), 'the task is done')
        return page.is_done(said['task'])

    def test_only_its_own_person_is_answered(self):
        page = self.dave
        self.assertEqual(page.ask('GET', '/local/state')[1]['user'], 'dave')
        status, said = page.ask('GET', '/local/state', uid=BOB)
        self.assertEqual(status, 0, said)  # the connection is closed before a byte is read
        self.assertEqual(page.ask('GET', '/', uid=0)[0], 0)
        self.assertIn('site.stranger', page.log())

    def test_no_other_site_and_no_other_name(self):
        page = self.dave
        for headers, code in (({'Origin': 'http://evil.example'}, 'denied'), ({'Origin': f'http://localhost:{page.port}'}, 'denied'),
                              ({'Host': f'evil.example:{page.port}'}, 'denied'), ({'Host': f'localhost:{page.port}'}, 'denied'),
                              ({'Sec_Fetch_Site': 'cross-site'}, 'denied'), ({'Authorization': 'Bearer ' + '0' * 64}, 'auth')):
            status, said = page.ask('POST', '/local/do', {'op': 'update'}, **headers)
            self.assertEqual((said['error']['code'], status in (401, 403)), (code, True), (headers, said))
        status, said = page.ask('POST', '/local/do', {'op': 'update'}, token=False)
        self.assertEqual(said['error']['code'], 'auth')
        status, said = page.ask('POST', '/local/do', {'op': 'update'}, Content_Type='text/plain')
        self.assertEqual(status, 400, said)
        status, said = page.ask('POST', '/local/session', {'ticket': page.ticket})  # it was used
        self.assertEqual(said['error']['code'], 'auth')

    def test_what_can_be_asked_for_is_closed(self):
        page = self.dave
        for body in ({'op': 'forget', 'packages': ['rules']}, {'op': 'register'}, {'op': 'install'}, {'op': 'install', 'packages': [1]}, {'op': 'cancel'},
                     {'op': 'install', 'packages': ['shelf'], 'force': True}, {'op': 'install', 'packages': ['x' * 300]}, {}):
            status, said = page.ask('POST', '/local/do', body)
            self.assertEqual(status, 400, (body, said))
        self.assertEqual(page.ask('GET', '/api/v1/hosts')[0], 404)
        self.assertEqual(page.ask('GET', '/local/keys')[0], 404)

    def test_it_has_given_up_its_power(self):
        page = self.dave
        with open(f'/proc/{page.process.pid}/status', encoding='ascii') as f:
            status = f.read()
        self.assertIn('Seccomp:\t2', status)
        self.assertIn('NoNewPrivs:\t1', status)
        confined = re.search(r'seccomp\(([^)]*)\)', page.log())[1]
        self.assertIn('local', confined)
        self.assertNotIn('net', confined.split(','))
        self.assertNotIn('spawn', confined)

    def test_the_catalogue_is_the_agents(self):
        page = self.dave
        all_of_it = page.catalogue()
        self.assertEqual([p['package'] for p in all_of_it['packages']], ['elsewhere', 'fails', 'shelf', 'vacant'])  # by what a person reads
        self.assertEqual(all_of_it['counts']['all'], 4)
        self.assertEqual({c['name'].lower(): c['count'] for c in all_of_it['categories']}, {'storage': 1, 'media': 2})
        self.assertEqual([p['package'] for p in page.catalogue(search='the shelf')['packages']], ['shelf'])
        self.assertEqual([p['package'] for p in page.catalogue(category='storage')['packages']], ['shelf'])
        self.assertEqual(page.catalogue(filter='upgradable', search='shelf')['packages'], [])
        self.assertEqual(len(page.catalogue(sort='date', page_size=2)['packages']), 2)
        self.assertEqual(page.ask('POST', '/local/catalogue', {'sort': 'size'})[0], 400)
        vacant = page.entry('vacant')
        self.assertEqual((vacant['licence'], vacant['may_install'], vacant['may_remove']), ('GPL', True, False))

    def test_without_a_rule_the_agent_refuses(self):
        page = Page(self, BOB).open()
        self.addCleanup(page.stop)
        self.assertEqual(page.catalogue()['packages'], [])
        status, said = page.do('install', 'vacant', password=SECRET)
        self.assertEqual((status, said['error']['code']), (403, 'denied'))
        self.assertIn("no rule lets you install 'vacant'", said['error']['message'])
        self.assertIsNone(self.row('vacant'))
        status, said = self.dave.do('install', 'unlisted', password=SECRET)
        self.assertEqual((status, said['error']['code']), (403, 'denied'))
        self.assertIn('local.denied', self.log())

    def test_with_a_rule_and_the_password_it_is_done(self):
        page = self.dave
        page.do('lock')
        status, said = page.do('install', 'elsewhere')
        self.assertEqual((status, said['error']['code']), (403, 'password'))
        status, said = page.do('install', 'elsewhere', password='a guess')
        self.assertEqual((status, said['error']['code']), (403, 'password'))
        self.assertIn('wrong', said['error']['message'])
        self.assertIsNone(self.row('elsewhere'))
        self.assertEqual(self.done(page, page.do('install', 'elsewhere', password=SECRET)), 'ok')
        self.assertEqual(self.row('elsewhere')['install_status'], 'OK')
        self.assertTrue(page.entry('elsewhere')['may_remove'])
        self.assertEqual(self.done(page, page.do('remove', 'elsewhere')), 'ok')  # within the grace
        self.assertIsNone(self.row('elsewhere'))
        page.do('lock')
        self.assertEqual(page.do('install', 'elsewhere')[1]['error']['code'], 'password')
        self.assertNotIn(SECRET, page.log())

    def test_upgrading_needs_no_password(self):
        self.package('aged', SCRIPT)
        self.publish()
        self.get('update')
        self.get('install', 'aged')
        self.package('aged', SCRIPT, version='2-1')
        self.publish()
        page = self.dave
        page.do('lock')
        self.assertEqual(self.done(page, page.do('update')), 'ok')
        self.assertTrue(page.entry('aged')['upgradable'])
        self.assertEqual([p['package'] for p in page.catalogue(filter='upgradable')['packages']], ['aged'])
        self.assertEqual(self.done(page, page.do('install', 'aged')), 'ok')
        self.assertEqual(self.row('aged')['version'], '2-1')
        self.package('aged', SCRIPT, version='3-1')
        self.publish()
        self.assertEqual(self.done(page, page.do('update')), 'ok')
        self.assertEqual(self.done(page, page.do('upgrade')), 'ok')
        self.assertEqual(self.row('aged')['version'], '3-1')

    def test_what_a_script_says_is_not_theirs(self):
        page = self.dave
        self.assertEqual(self.done(page, page.do('install', 'fails', password=SECRET)), 'failed')
        rows = page.ask('POST', '/local/tasks', {})[1]
        self.assertNotIn('7-7-7', str(rows))
        self.assertEqual(rows[0]['kind'], 'install')

    def test_events_tell_how_far_it_is(self):
        page = self.dave
        with open(f'{self.top}/heard', 'wb') as out:
            ears = subprocess.Popen(['setpriv', '--reuid', str(DAVE), '--regid', str(DAVE), '--clear-groups', 'curl', '-sN', '-H', f'Authorization: Bearer {page.token}',
                                     f'http://{page.here}/local/events'], stdin=subprocess.DEVNULL, stdout=out)
        self.addCleanup(ears.wait)
        self.addCleanup(ears.kill)

        def heard():
            with open(f'{self.top}/heard', encoding='utf-8') as f:
                return [json.loads(line.removeprefix('data: ')) for line in f if line.startswith('data: ') and line.endswith('\n')]
        self.wait_for(lambda: {'event': 'agent', 'state': 'there'} in heard(), 'the agent is there')
        self.wait_for(lambda: any(e['event'] == 'service' for e in heard()), 'how things stand')
        task = page.do('install', 'shelf', password=SECRET)[1]['task']
        self.wait_for(lambda: any(e.get('id') == task and e.get('state') == 'done' for e in heard()), 'its end is told')
        mine = [e for e in heard() if e.get('id') == task]
        self.assertEqual([e['state'] for e in mine if e['event'] == 'task'], ['queued', 'running', 'done'])
        self.assertTrue(all(0 <= e['percent'] <= 100 for e in mine if e['event'] == 'progress'), mine)
        self.assertTrue(any(e['event'] == 'progress' for e in mine), mine)
        before = self.manager_pid()
        self.get('restart')
        self.wait_for(lambda: heard()[-1] == {'event': 'agent', 'state': 'away'} or heard().count({'event': 'agent', 'state': 'there'}) == 2, 'the page is told')
        self.await_service(before)
        self.wait_for(lambda: heard().count({'event': 'agent', 'state': 'there'}) == 2, 'it is there again')

    def test_a_second_start_opens_the_first(self):
        page = self.dave
        second = page.launch('--list-upgrade', '-s', 'a & b')
        self.assertEqual(second.wait(30), 0, page.log())
        here, ticket, rest = page.link()
        self.assertEqual((here, rest), (page.here, '&list=upgradable&search=a%20%26%20b'))
        self.assertEqual(page.ask('POST', '/local/session', {'ticket': ticket})[0], 200)

    def test_who_it_is_not_for(self):
        done = subprocess.run([f'{self.bindir}/waptselfservice', '--config', f'{self.base}/wapt-get.ini'], env=self.env, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, DENIED, done.stderr)
        self.assertIn('wapt-get catalogue', done.stderr)

    def test_it_ends_when_nobody_looks(self):
        page = Page(self, BOB, '--idle', '1s')
        self.assertEqual(page.process.wait(60), 0)
        self.assertIn('site.idle', page.log())

    def test_the_logo_is_the_administrators(self):
        os.mkdir(f'{self.base}/templates')
        for data, is_shown in ((b'<svg onload=alert(1)>', False), (PNG, True)):
            with open(f'{self.base}/templates/waptself-logo.png', 'wb') as f:
                f.write(data)
            page = Page(self, BOB).open()
            logo = page.ask('GET', '/local/state')[1]['logo']
            self.assertEqual(base64.b64decode(logo), PNG if is_shown else b'')
            page.stop()

    # --- icons ---

    def icons(self, *names, uid=BOB):
        answer = self.as_user(uid, lambda: self.talk(json.dumps({'op': 'icons', 'args': {'packages': names}})))[-1]
        self.assertEqual(answer['code'], 'ok', answer)
        return {i['package']: (i['state'], i['png']) for i in answer['data']['icons']}

    def settled(self, *names):
        self.wait_for(lambda: all(state != 'coming' for state, _ in self.icons(*names).values()), 'the icons have come')
        return self.icons(*names)

    def test_icons_come_through_the_agent(self):
        asked = agent_bench.Quiet.asked
        icons = self.settled('shelf', 'plain', 'unknown', 'rules')
        self.assertEqual(icons, {'shelf': ('known', base64.b64encode(PNG).decode()), 'plain': ('none', ''), 'unknown': ('none', ''), 'rules': ('none', '')})
        self.assertEqual(self.settled('shelf', 'plain'), {k: icons[k] for k in ('shelf', 'plain')})
        self.assertEqual(sum('/icons/' in path for path in asked), 2, asked)  # each once, also what there is not
        status, said = self.dave.ask('POST', '/local/icons', {'packages': ['shelf']})
        self.assertEqual((status, said['icons'][0]['png']), (200, base64.b64encode(PNG).decode()))

    def icon_of(self, name):
        return f'{self.repo}/{next(p for p in self.result("catalogue")["packages"] if p["package"] == name)["icon"]}'

    def test_what_is_no_icon_is_not_kept(self):
        for name, data in (('script', b'<svg onload=alert(1)>'), ('wide', PNG[:16] + b'\x7f\xff\xff\xff' + PNG[20:]), ('huge', PNG + bytes(200_000))):
            self.package(name, SCRIPT)
            self.publish()
            self.get('update')
            os.makedirs(f'{self.repo}/icons', exist_ok=True)
            with open(self.icon_of(name), 'wb') as f:
                f.write(data)
            self.assertEqual(self.settled(name)[name], ('none', ''), name)
        kept = [os.path.getsize(f'{self.base}/private/icons/{f}') for f in os.listdir(f'{self.base}/private/icons')]
        self.assertLessEqual(max(kept), len(PNG))

    def test_old_icons_make_room(self):
        folder = f'{self.base}/private/icons'
        for i in range(500):
            with open(f'{folder}/{i:08x}-0000-4000-8000-000000000000.png', 'wb') as f:
                f.write(PNG)
            os.utime(f.name, (i + 1, i + 1))
        self.package('newest', SCRIPT, more={'WAPT/icon.png': PNG})
        self.publish()
        self.get('update')
        self.assertEqual(self.settled('newest')['newest'][0], 'known')
        self.assertLessEqual(len(os.listdir(folder)), 510)
        self.assertNotIn('00000000-0000-4000-8000-000000000000.png', os.listdir(folder))
        for name in os.listdir(folder):
            if name.endswith('-0000-4000-8000-000000000000.png'):
                os.unlink(f'{folder}/{name}')


if __name__ == '__main__':
    agent_bench.main()
