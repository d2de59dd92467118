"""Who may ask the agent for what over its local socket (F1E), and who can't keep others from it."""
import array
import contextlib
import hashlib
import http.server
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import threading

import agent_bench
from agent_bench import ALICE, AUTH, BOB, CAROL, DAVE, DENIED, OK, SECRET, Bench

NOBODY = 64999  # a number without an account
WHO = {'nobody': NOBODY, 'bob': BOB, 'dave': DAVE, 'carol': CAROL, 'carol, filtered': CAROL, 'alice': ALICE, 'root': 0}


class Local(Bench):
    """Talking to the socket itself."""

    def password_file(self, uid, text):
        path = f'{self.top}/pw-{uid}'
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text + '\n')
        os.chown(path, uid, uid)
        os.chmod(path, 0o600)
        return path

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(f'{self.base}/run/waptservice.sock')
        s.settimeout(60)
        return s

    def talk(self, *lines, until='result'):
        """Each line when the one before was answered; the answers until the end."""
        answers = []
        with self.connect() as s, s.makefile('r', encoding='utf-8') as f:
            try:
                s.sendall(lines[0].encode() + b'\n')
                waiting = list(lines[1:])
                for line in f:
                    answers.append(json.loads(line))
                    if answers[-1]['event'] == until:
                        break
                    if answers[-1]['event'] == 'auth':
                        if not waiting:
                            break
                        s.sendall(waiting.pop(0).encode() + b'\n')
            except ConnectionError:
                pass
        return answers

    def outcome(self, uid, request):
        """As in rights.txt: 'free', 'pw' or 'no'."""
        answers = self.as_user(uid, lambda: self.talk(request, json.dumps({'password': SECRET}), until='task'))
        events = [a['event'] for a in answers]
        if not events or events[-1] not in ('task', 'result') or answers[-1].get('code') in ('denied', 'auth'):
            return 'no'
        return 'pw' if events == ['auth', events[-1]] else 'free' if len(events) == 1 else str(events)

    @classmethod
    def rules_package(cls, name, rules, **more):
        return cls.package(name, control='section: selfservice\n', more={'selfservice.json': json.dumps(rules)}, **more)


class Rights(Local):
    """What F1E promises, act by act."""

    @classmethod
    def configure(cls, more=''):
        super().configure(f'admin_groups = localadmins\n{more}')

    def test_anyone_reads_updates_and_upgrades(self):
        self.publish()
        for command in ('status', 'list', 'search', 'tasks', 'list-upgrade', 'catalogue', 'update', 'upgrade', 'clean'):
            self.get(command, uid=BOB)

    def test_the_rest_needs_a_group_and_a_password(self):
        self.package('self-service', 'def install():\n    print("its", "secret")\n')
        self.publish()
        self.get('update')
        right = self.password_file(ALICE, SECRET)
        wrong = self.password_file(BOB, SECRET)
        self.ends(DENIED, 'install', 'self-service', '--password-file', wrong, uid=BOB)  # proven, but not in a group
        self.ends(AUTH, 'install', 'self-service', uid=ALICE)  # no terminal to ask on
        self.assertIsNone(self.row('self-service'))
        done = self.in_session(ALICE, ['install', 'self-service', '--password-file', right],
                               ['remove', 'self-service'])  # within the grace
        self.assertIn('its secret', done.stdout)
        self.assertIsNone(self.row('self-service'))
        self.ends(AUTH, 'install', 'self-service', uid=ALICE)  # another session
        for command in ('register', 'show-log', 'download'):
            arguments = [] if command == 'register' else ['self-service']
            self.ends(DENIED, command, *arguments, '--password-file', wrong, uid=BOB)
        log = self.log()
        self.assertIn('local.denied', log)
        self.assertIn('password proven shortly before', log)
        self.assertNotIn(SECRET, log)

    def test_grace_ends_by_lock(self):
        right = self.password_file(ALICE, SECRET)
        self.in_session(ALICE, ['audit', '--password-file', right], ['audit'], ['lock'])
        with self.assertRaisesRegex(AssertionError, 'password'):
            self.in_session(ALICE, ['audit', '--password-file', right], ['lock'], ['audit'])

    def test_wrong_passwords_wait(self):
        """Counted by user, over all connections; nobody is locked out by somebody else."""
        ask, guess = '{"op":"audit"}', json.dumps({'password': 'guess'})
        first = self.as_user(CAROL, lambda: self.talk(ask, guess, guess, guess))
        self.assertEqual([a['event'] for a in first], ['auth', 'auth', 'auth', 'result'])
        self.assertEqual(first[-1]['code'], 'auth')
        then = self.as_user(CAROL, lambda: self.talk(ask, json.dumps({'password': SECRET})))
        self.assertEqual([a['event'] for a in then], ['result'])
        self.assertIn('try again in', then[0]['message'])
        self.assertEqual(self.outcome(ALICE, ask), 'pw')
        self.stop()
        with contextlib.closing(sqlite3.connect(f'{self.base}/db/waptagent.sqlite')) as db, db:
            kept = "name = 'wrong_passwords'"
            self.assertEqual(db.execute(f'SELECT value FROM params WHERE {kept}').fetchall(), [(f'{CAROL} 3\n',)])
            db.execute(f"UPDATE params SET value = '{CAROL} 9\n' WHERE {kept}")  # as many as make her wait for minutes
        self.start()  # forgets nothing
        then = self.as_user(CAROL, lambda: self.talk(ask, json.dumps({'password': SECRET})))
        self.assertIn('try again in', then[0]['message'])

    def test_a_user_forces_nothing(self):
        """--force reaches scripts as force=True: not what the free operations are for."""
        flag = f'{self.top}/mark-forced'
        script = f'def install():\n    print("hidden", "word")\n    open({flag!r}, "w").write(str(force))\n'
        self.install('forced', script)
        self.package('forced', script, version='2-1')
        self.publish()
        self.get('update')
        answers = self.ask('{"op":"upgrade","args":{"force":true}}', uid=BOB)
        with open(flag, encoding='ascii') as f:
            self.assertEqual(f.read(), 'False')
        self.assertIn('upgrading forced', str(answers))
        self.assertNotIn('hidden word', str(answers))  # what scripts of root's say is not bob's to see

    def test_what_a_failing_script_says_is_for_administrators(self):
        flag = f'{self.top}/mark-failing'
        script = f'def install():\n    if isfile({flag!r}): raise Exception("the key is " + "7-7-7")\n'
        self.install('failing', script)
        self.package('failing', script, version='2-1')
        self.publish()
        self.get('update')
        with open(flag, 'w', encoding='ascii'):
            pass
        answers = self.ask('{"op":"upgrade"}', uid=BOB)
        self.assertEqual(answers[-1]['code'], 'failed', answers)
        self.assertEqual([(p['package'], p['status']) for p in answers[-1]['data']], [('failing', 'ERROR')])
        for shown in (answers, self.ask('{"op":"tasks"}', uid=BOB), self.ask('{"op":"list"}', uid=BOB),
                      self.ask('{"op":"list-upgrade"}', uid=BOB), self.ask('{"op":"show","args":{"packages":["failing"]}}', uid=BOB)):
            self.assertNotIn('7-7-7', str(shown))
        self.assertIn('7-7-7', str(self.ask('{"op":"tasks"}')))
        os.unlink(flag)
        self.get('remove', 'failing')

    def test_each_has_a_session_of_their_own(self):
        self.install('session', 'def install():\n    pass\ndef session_setup():\n    import os\n'
                                '    print("session of", user, os.getuid())\n')
        results = {}

        def setup(uid):
            results[uid] = self.run_get('session-setup', 'ALL', uid=uid)
        release = self.hold_the_queue()
        both = [threading.Thread(target=setup, args=(u,)) for u in (ALICE, BOB)]
        for t in both:
            t.start()
        self.wait_for(lambda: sum(t['kind'] == 'session-setup' and t['state'] == 'queued' for t in self.result('tasks')) == 2, 'both wait')
        release()
        for t in both:
            t.join()
        self.assertIn(f'session of alice {ALICE}', results[ALICE].stdout)
        self.assertIn(f'session of bob {BOB}', results[BOB].stdout)
        self.assertNotIn('session of bob', results[ALICE].stdout)
        self.assertEqual(self.run_get('session-setup', 'ALL').returncode, DENIED)  # root has no session
        # Once for each user and version, without a task when there is nothing; again when that is wanted.
        before = self.result('tasks')[0]['id']
        self.assertIn('nothing to set up', self.get('session-setup', uid=ALICE).stdout)
        self.assertEqual(self.result('session-setup', 'ALL', uid=BOB), [])
        self.assertEqual(self.result('tasks')[0]['id'], before)
        self.assertIn('session of alice', self.get('session-setup', '--force', 'session', uid=ALICE).stdout)
        self.install('session', 'def install():\n    pass\ndef session_setup():\n    error("not " + user)\n', version='2-1')
        for _ in range(2):  # what failed is tried again at the next login
            self.ends(agent_bench.FAILED, 'session-setup', 'ALL', uid=ALICE, says='not alice')
        self.get('forget', 'session')

    def test_who_holds_up_their_session_holds_up_nobody_else(self):
        """The process is its user's: it can be stopped, as nothing of root's can."""
        self.install('held', 'def install():\n    pass\ndef session_setup():\n    import os, signal\n'
                             '    os.kill(os.getpid(), signal.SIGSTOP)\n')
        def again(more):
            self.stop()
            self.configure(more)
            self.start()
        again('session_setup_timeout = 2s\n')
        self.addCleanup(again, '')
        self.ends(agent_bench.TIMEOUT, 'session-setup', 'held', uid=ALICE, says='session_setup_timeout')
        self.get('update')
        self.get('forget', 'held')

    def test_stopping_is_for_all_and_for_a_while(self):
        """No task begins while the service is stopped; everybody may start it, and not stop it again at once."""
        self.get('stop', uid=BOB)
        self.assertTrue(self.result('status')['stopped'])
        waiting = subprocess.Popen([f'{self.bindir}/wapt-get', 'clean', '--config', f'{self.base}/wapt-get.ini'],
                                   env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.wait_for(lambda: any(t['state'] == 'queued' for t in self.result('tasks')), 'it waits')
        self.get('start', uid=DAVE)
        self.assertEqual(waiting.wait(60), OK)
        self.ends(agent_bench.BUSY, 'stop', uid=BOB, says='not long ago')
        before = self.manager_pid()
        self.get('restart', uid=BOB)
        self.await_service(before)
        self.ends(agent_bench.BUSY, 'restart', uid=BOB, says='not long ago')
        self.assertFalse(self.result('status')['stopped'])

    def test_events_are_lines_of_json_without_secrets(self):
        self.package('talkative', 'def install():\n    print("hush", "hush")\n')
        self.publish()
        self.get('update')
        with open(f'{self.top}/events', 'wb') as out:
            events = subprocess.Popen(['setpriv', '--reuid', str(BOB), '--regid', str(BOB), '--clear-groups',
                                       f'{self.bindir}/wapt-get', 'events', '--config', f'{self.base}/wapt-get.ini'],
                                      env=self.env, stdin=subprocess.DEVNULL, stdout=out)
        self.addCleanup(events.wait)
        self.addCleanup(events.kill)

        def seen():
            with open(f'{self.top}/events', encoding='utf-8') as f:
                return [json.loads(line) for line in f if line.endswith('\n')]
        self.wait_for(lambda: len(seen()) >= 2, 'how things stand')
        self.assertEqual(seen()[0], {'event': 'service', 'state': 'working'})
        self.assertEqual(seen()[1]['event'], 'upgrades')
        self.get('install', 'talkative')
        self.wait_for(lambda: any(e.get('state') == 'done' for e in seen()), 'the task is done')
        states = [e['state'] for e in seen() if e['event'] == 'task' and e.get('kind') == 'install']
        self.assertEqual(states, ['queued', 'running', 'done'])
        self.assertNotIn('hush', str(seen()))
        events.kill()

    def hold_the_queue(self):
        """A task that runs until release() is called; the others wait."""
        flag = f'{self.top}/mark-released'
        self.package('holding', f'def install():\n    import os, time\n    while not os.path.exists({flag!r}): time.sleep(0.05)\n')
        self.publish()
        self.get('update')
        holding = threading.Thread(target=lambda: self.run_get('install', '--force', 'holding'))
        holding.start()
        self.wait_for(lambda: any(t['kind'] == 'install' and t['state'] == 'running' for t in self.result('tasks')), 'it runs')

        def release():
            with open(flag, 'w', encoding='ascii'):
                pass
            holding.join()
        self.addCleanup(os.unlink, flag)
        self.addCleanup(release)
        return release

    def attackers_server(self):
        """An https server with a certificate of its own; what is posted to it, and its fingerprint."""
        key, cert, posted = f'{self.top}/evil.key', f'{self.top}/evil.crt', []
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-subj',
                        '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'], check=True, capture_output=True)

        class Evil(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_POST(self):
                posted.append(self.rfile.read(int(self.headers['Content-Length'])))
                self.send_error(403)
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Evil)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with open(cert, encoding='ascii') as f:
            fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()
        return f'https://127.0.0.1:{server.server_port}', posted, fingerprint

    def test_a_free_request_brings_no_token(self):
        """It says which server's certificate counts: bob's does not take the place of root's, which waits in memory."""
        url, posted, evil = self.attackers_server()
        release = self.hold_the_queue()
        outcome = []
        request = {'op': 'register', 'args': {'token': f'wapt1-{64 * "0"}-{43 * "A"}', 'server_url': url}}
        root = threading.Thread(target=lambda: outcome.extend(self.talk(json.dumps(request))))
        root.start()
        self.wait_for(lambda: any(t['kind'] == 'register' and t['state'] == 'queued' for t in self.result('tasks')), 'it waits')
        free = ('update', 'upgrade', 'download-upgrade', 'clean', 'session-setup', 'status', 'cancel')
        for op in free:
            for more in ({'token': '-'}, {'server_password': 'of bob'}, {'token': f'wapt1-{evil}-{43 * "A"}'}):
                line = json.dumps({'op': op, 'args': {'task': 999999, **more}})
                self.as_user(BOB, lambda line=line: self.talk(line, until='task'))
        release()
        root.join()
        self.assertEqual(posted, [])
        self.assertEqual(outcome[-1]['code'], 'refused', outcome)
        self.assertIn('certificate', outcome[-1]['message'])

    def test_an_upgrade_names_no_packages(self):
        """What is upgraded counts as asked for by nobody."""
        self.package('assigned')
        self.package('named', control='depends: assigned\n')
        self.publish()
        self.get('update')
        self.get('install', 'named')
        self.package('assigned', version='2-1')
        self.publish()
        self.get('update')
        self.assertEqual(self.ask('{"op":"upgrade","args":{"packages":["assigned"]}}', uid=BOB)[-1]['code'], 'ok')
        self.assertEqual([self.row('assigned')[k] for k in ('version', 'explicit')], ['2-1', False])

    def test_users_tasks_leave_room_and_overtake_nothing(self):
        """Bob fills his places, no others; and his updates wait for their turn."""
        release = self.hold_the_queue()
        events = self.connect()
        self.addCleanup(events.close)
        events.sendall(b'{"op":"events"}\n')
        lines = events.makefile('r', encoding='utf-8')

        def queue(request):
            return self.talk(json.dumps(request), until='task')[-1]
        first = queue({'op': 'audit', 'args': {'packages': ['holding']}})
        self.assertEqual(first['event'], 'task', first)
        bobs = self.as_user(BOB, lambda: [queue({'op': 'update'}), *(queue({'op': 'upgrade', 'args': {'priorities': f'p{i}'}}) for i in range(120))])
        self.assertEqual(sum(a['event'] == 'task' for a in bobs), 16)
        self.assertEqual(bobs[-1]['code'], 'busy')
        self.assertIn('of yours', bobs[-1]['message'])
        self.assertEqual(self.as_user(DAVE, lambda: queue({'op': 'update', 'args': {'force': True}}))['event'], 'task')
        self.assertEqual(queue({'op': 'forget', 'args': {'packages': ['nothing']}})['event'], 'task')
        release()
        ran = []
        for line in lines:
            event = json.loads(line)
            if event.get('state') == 'running':
                ran.append(event['id'])
            if bobs[0]['id'] in ran:
                break
        self.assertLess(ran.index(first['id']), ran.index(bobs[0]['id']))

    def test_bad_requests_are_answered(self):
        deep = '{"op":"list","args":' + '[' * 30000 + ']' * 30000 + '}'
        for line in ('{"op":"explode"}', '{"op":"list","more":1}', 'x' * 70000, '{"op":"list","op":"install"}', '[]', deep,
                     '{"op":"catalogue","args":{"page":-1}}', '{"op":"catalogue","args":{"filter":"x"}}'):
            answers = self.ask(line, uid=BOB)
            self.assertNotEqual(answers[-1]['code'], 'ok', line[:50])
        self.get('status')


class Rules(Local):
    """Self-service packages: what members of a group may install and remove."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.settings('')
        script = 'def install():\n    pass\ndef uninstall():\n    pass\n'
        for name in ('present', 'assigned', 'unlisted', 'offered', 'needed'):
            cls.package(name, script, control='depends: needed\n' if name == 'offered' else '')
        os.rename(cls.package('TEST-MACHINE', control='section: host\ndepends: assigned,rules,more\n', publish=False),
                  f'{cls.top}/www/wapt-host/TEST-MACHINE.wapt')
        cls.rules_package('rules', {'team': {'listed': None, 'offered': None, 'hidden': None, 'base': None}})
        cls.rules_package('more', {'TEAM': {'shelf': None, 'rival': None}})
        cls.publish()
        cls.get('update')
        cls.get('install', 'present', 'rules', 'more')

    @classmethod
    def settings(cls, more):
        cls.stop()
        cls.configure(f'admin_groups = localadmins\nauth_grace = 0\n{more}')
        cls.start()

    def mine(self, uid, *lines):
        return self.as_user(uid, lambda: self.talk(*lines))

    def as_dave(self, op, *packages):
        """The result of a request with the password."""
        return self.mine(DAVE, json.dumps({'op': op, 'args': {'packages': packages}}),
                         json.dumps({'password': SECRET}))[-1]

    def test_table(self):
        with open(f'{os.path.dirname(os.path.abspath(__file__))}/rights.txt', encoding='utf-8') as f:
            rows = [line.rstrip('\n').split(' | ') for line in f if not line.startswith('#')]
        self.assertGreater(len(rows), 30)
        wrong = []
        for column, (name, uid) in enumerate(WHO.items()):
            if name == 'carol, filtered':
                continue
            wrong += self.check_column(rows, column, name, uid)
        self.settings('waptservice_admin_filter = 1\n')
        try:
            wrong += self.check_column(rows, list(WHO).index('carol, filtered'), 'carol, filtered', CAROL)
            self.assertEqual(self.outcome(ALICE, '{"op":"audit"}'), 'pw')
            self.assertEqual(self.outcome(0, '{"op":"audit"}'), 'free')
        finally:
            self.settings('')
        self.assertEqual(wrong, [], '\n'.join(map(str, wrong)))

    def check_column(self, rows, column, name, uid):
        found = [(name, request, cells.split()[column], self.outcome(uid, request)) for request, cells in rows]
        return [f for f in found if f[2] != f[3]]

    def test_what_is_listed_comes_with_what_it_needs(self):
        """And goes without; what it needs stays."""
        answers = self.mine(DAVE, '{"op":"install","args":{"packages":["offered"]}}', json.dumps({'password': SECRET}))
        self.assertEqual(answers[-1]['code'], 'ok', answers)
        self.assertEqual(self.row('offered')['install_status'], 'OK')
        self.assertEqual(self.row('needed')['install_status'], 'OK')
        self.assertEqual(self.as_dave('remove', 'needed')['code'], 'denied')
        self.assertEqual(self.as_dave('remove', 'offered')['code'], 'ok')
        self.assertIsNone(self.row('offered'))
        self.assertIsNotNone(self.row('needed'))
        self.assertIn('by a rule, password proven', self.log())

    def test_nothing_is_removed_that_is_not_named(self):
        """Neither what needs a listed package nor what one conflicts with."""
        script = 'def install():\n    pass\n'
        self.package('base', script)
        self.package('guard', script, control='depends: base\n')
        self.package('rival', script, control='conflicts: guard\n')
        self.publish()
        self.get('update')
        self.get('install', 'guard')
        for op, name in (('remove', 'base'), ('install', 'rival')):
            answer = self.as_dave(op, name)
            self.assertEqual(answer['code'], 'denied', answer)
            self.assertIn("'guard' would be removed", answer['message'])
        self.assertEqual(self.row('guard')['install_status'], 'OK')

    def test_hidden_sections_are_not_offered(self):
        self.package('hidden', 'def install():\n    pass\n', control='section: restricted\n')
        self.publish()
        self.get('update')
        self.assertEqual(self.as_dave('install', 'hidden')['code'], 'denied')
        self.assertIsNone(self.row('hidden'))

    def test_removing_and_stopping_can_be_forbidden(self):
        self.settings('uninstall_allowed = 0\nuser_stop_period = 0\nfreeze_periods = 1970-01-01 until 9999-12-30\n')
        self.addCleanup(self.settings, '')
        self.assertEqual(self.outcome(DAVE, '{"op":"remove","args":{"packages":["listed"]}}'), 'no')
        self.assertEqual(self.outcome(BOB, '{"op":"stop"}'), 'no')
        answer = self.mine(BOB, '{"op":"install","args":{"packages":["present"]}}')[-1]
        self.assertEqual(answer['code'], 'refused', answer)  # by name or not, it is an upgrade
        self.assertEqual(self.outcome(DAVE, '{"op":"install","args":{"packages":["listed"]}}'), 'pw')

    def test_catalogue_shows_what_one_may(self):
        self.package('shelf', 'def install():\n    pass\n', control='name: The Shelf\ncategories: Storage,Media\n')
        self.publish()
        self.get('update')
        names = lambda uid, *more: [p['package'] for p in self.result('catalogue', *more, uid=uid)['packages']]
        self.assertEqual(names(BOB), [])
        self.assertIn('shelf', names(DAVE))
        self.assertNotIn('unlisted', names(DAVE))
        self.assertIn('unlisted', names(ALICE))
        self.assertNotIn('rules', names(0))
        self.assertEqual(names(DAVE, '--category', 'media'), ['shelf'])
        self.assertEqual(names(DAVE, 'the', 'shelf'), ['shelf'])
        self.assertEqual(names(DAVE, '--filter', 'installed', 'shelf'), [])
        self.assertEqual(names(DAVE, '--page-size', '1', '--page', '1', 'shelf'), [])
        page = self.result('catalogue', 'shelf', uid=DAVE)
        self.assertEqual((page['total'], page['page'], page['page_size']), (1, 0, 50))
        shelf = page['packages'][0]
        self.assertTrue(shelf['may_install'] and not shelf['may_remove'] and not shelf['upgradable'])
        self.assertRegex(shelf['icon'], r'^icons/[0-9a-f-]{36}\.png$')
        rows = {r['package']: r['allowed'] for r in self.result('search', uid=DAVE)}
        self.assertEqual((rows['shelf'], rows['unlisted']), (True, False))
        self.assertFalse(any(r['allowed'] for r in self.result('list', uid=BOB)))
        self.assertTrue(all(r['allowed'] for r in self.result('search', uid=ALICE)))

    def test_rules_end_with_their_package_and_with_its_signer(self):
        listed = '{"op":"install","args":{"packages":["passing"]}}'
        self.rules_package('fleeting', {'team': ['passing']})
        self.publish()
        self.get('update')
        self.assertEqual(self.outcome(DAVE, listed), 'no')
        self.get('install', 'fleeting')
        self.assertEqual(self.outcome(DAVE, listed), 'pw')
        certificate = f'{self.base}/ssl/developer.crt'
        os.rename(certificate, f'{self.top}/aside.crt')  # the signer is not trusted any more
        self.run_get('update')
        self.assertEqual(self.outcome(DAVE, listed), 'no')
        os.rename(f'{self.top}/aside.crt', certificate)
        self.get('update')
        self.assertEqual(self.outcome(DAVE, listed), 'pw')
        self.get('remove', 'fleeting')
        self.assertEqual(self.outcome(DAVE, listed), 'no')

    def test_altered_rules_count_for_nothing(self):
        listed = '{"op":"install","args":{"packages":["wanted"]}}'
        self.rules_package('altered', {'team': ['other']})
        self.publish()
        self.get('update')
        self.get('install', 'altered')
        for folder, _, files in os.walk(f'{self.base}/private/packages'):
            for name in files:
                path = f'{folder}/{name}'
                with open(path, encoding='utf-8', errors='replace') as f:
                    is_it = name == 'selfservice.json' and 'other' in f.read()
                if is_it:
                    with open(path, 'w', encoding='utf-8') as f:
                        f.write('{"team": ["wanted"]}')
        self.get('update')
        self.assertEqual(self.outcome(DAVE, listed), 'no')
        self.assertIn('selfservice.ignored', self.log())

    def test_making_and_checking_such_a_package(self):
        made = self.result('make-selfservice-template', 'shop', 'Team=tis-a,tis-b', 'staff=tis-a', '--maintainer', 'me',
                           '--folder', f'{self.top}/shop', base=False)
        with open(f'{made["folder"]}/selfservice.json', encoding='utf-8') as f:
            self.assertEqual(json.load(f), {'Team': {'tis-a': None, 'tis-b': None}, 'staff': {'tis-a': None}})
        self.get('lint', made['folder'], base=False)
        self.ends(agent_bench.INVALID, 'make-selfservice-template', 'bad', 'Team=tis-*', '--folder', f'{self.top}/bad',
                  base=False)
        with open(f'{made["folder"]}/selfservice.json', 'w', encoding='utf-8') as f:
            f.write('{"Team": {"tis-a": true}}')
        done = self.run_get('lint', made['folder'], base=False)
        self.assertNotEqual(done.returncode, OK)
        self.assertIn('selfservice-rules', done.stdout + done.stderr)


class Crowds(Local):
    """A slow or hostile client never keeps the others from the service."""

    def answers(self, uid=0):
        """Somebody else is served meanwhile."""
        answers = self.as_user(uid, lambda: self.talk('{"op":"status"}'))
        self.assertEqual(answers[-1]['code'], 'ok')

    def holding(self, uids, each, first=b''):
        """Sockets of those users, each of which has sent that much."""
        held = []
        for uid in uids:
            for _ in range(each):
                ours, theirs = socket.socketpair()
                fds = []
                pid = os.fork()
                if pid == 0:
                    try:
                        os.setgroups([])
                        os.setresgid(uid, uid, uid)
                        os.setresuid(uid, uid, uid)
                        s = self.connect()
                        s.sendall(first)
                        socket.send_fds(theirs, [b'x'], [s.fileno()])
                    finally:
                        os._exit(0)  # pylint: disable=protected-access
                theirs.close()
                _, fds, _, _ = socket.recv_fds(ours, 1, 1)
                os.waitpid(pid, 0)
                ours.close()
                held += [socket.socket(fileno=fd) for fd in fds]
        return held

    def release(self, held):
        for s in held:
            s.close()

    def test_one_user_gets_a_few_places(self):
        held = self.holding([BOB], 20, b'{"op":"sta')
        self.answers(DAVE)
        self.answers()
        refused = 0
        for s in held:  # who came later was answered: these were judged before
            s.setblocking(False)
            try:
                refused += s.recv(1) == b''
            except ConnectionError:
                refused += 1
            except BlockingIOError:
                pass
        self.assertEqual(len(held) - refused, 8)
        self.release(held)
        self.wait_for(lambda: self.run_get('status', uid=BOB).returncode == OK, 'bob is served again')

    def test_users_together_don_t_get_all(self):
        """Numbers without account count as one user."""
        held = self.holding([BOB, DAVE, CAROL, *range(65000, 65060)], 8)
        self.answers()
        self.answers(ALICE)
        self.release(held)

    def test_a_byte_at_a_time(self):
        slow = self.holding([BOB], 1)[0]
        for byte in b'{"op":"status"}\n':
            slow.sendall(bytes([byte]))
            self.answers(DAVE)
        slow.settimeout(60)
        self.assertIn(b'"ok"', slow.recv(65536))
        slow.close()

    def test_garbage_and_sudden_ends(self):
        before = self.descriptors()
        for first in (b'', b'\0' * 5000, b'\xff\xfe\n', b'{' * 60000, b'\n' * 5000, b'{"op":"search"}\n', b'"' + b'\\u0000' * 9000):
            self.release(self.holding([BOB], 3, first))
        for _ in range(500):
            self.connect().close()
        self.answers(BOB)
        self.wait_for(lambda: self.descriptors() <= before, 'all is closed again')

    def test_descriptors_that_are_sent_along_go_nowhere(self):
        before = self.descriptors()
        with self.connect() as s, open('/dev/null', 'rb') as f:
            for _ in range(20):
                s.sendmsg([b'{'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [f.fileno()] * 200))])
            self.answers(BOB)
            self.assertLessEqual(self.descriptors(), before + 2)

    def test_who_does_not_read_misses_events_and_learns_of_it(self):
        self.package('loud', 'def install():\n    for i in range(1000):\n        print("x" * 1000, flush=True)\n')
        self.publish()
        self.get('update')
        s = self.connect()
        s.sendall(b'{"op":"install","args":{"packages":["loud"]}}\n')
        self.wait_for(lambda: (self.row('loud') or {}).get('install_status') == 'OK', 'it is installed all the same')
        self.wait_for(lambda: self.result('status')['running_task'] == 0, 'its task is done')
        with s.makefile('r', encoding='utf-8') as f:
            events = [json.loads(line) for line in f]
        s.close()
        self.assertEqual(events[-1]['code'], 'ok')
        self.assertGreater(sum(e.get('count', 0) for e in events if e['event'] == 'missed'), 0)
        self.assertLess(sum(len(e.get('text', '')) for e in events), 900000)

    def test_nothing_else_listens(self):
        mine = set()
        for fd in os.listdir(f'/proc/{self.manager_pid()}/fd'):
            target = os.readlink(f'/proc/{self.manager_pid()}/fd/{fd}')
            if target.startswith('socket:'):
                mine.add(target[8:-1])
        with open('/proc/net/unix', encoding='utf-8') as f:
            listening = [line.split() for line in f if ' 00010000 ' in line]
        paths = [row[7] for row in listening if row[6] in mine and len(row) > 7]
        self.assertEqual(paths, [f'{self.base}/run/waptservice.sock'])

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.manager_pid()}/fd'))


if __name__ == '__main__':
    agent_bench.main()
