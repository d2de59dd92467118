"""What the agent says over its local socket is in the language of who asks, whatever it was told to speak; and nothing else goes by that."""
import json
import unittest.mock

import agent_bench
from agent_bench import ALICE, BOB, NOT_FOUND, OK
from test_rights import Local
from test_selfservice import Page

FRENCH, ENGLISH = 'fr_FR.UTF-8', 'en_GB.UTF-8'


class Language(Local):
    """The same service, asked by people of two languages."""

    def speaking(self, locale):
        return unittest.mock.patch.dict(self.env, LC_ALL=locale)

    def again(self, more):
        self.stop()
        self.configure(more)
        self.start()

    def says(self, uid, request, language=None):
        """All that is said to that user, as text."""
        line = json.dumps({**request, **({} if language is None else {'language': language})})
        answers = self.as_user(uid, lambda: self.talk(line)) if uid else self.talk(line)
        return ' '.join(a.get('message', a.get('reason', a.get('text', ''))) for a in answers)

    def refusals(self, language):
        """What is refused at once, after a look at the accounts, and by a task."""
        return [self.says(BOB, {'op': 'unregister'}, language), self.says(BOB, {'op': 'audit'}, language),
                self.says(BOB, {'op': 'cancel', 'args': {'task': 999999}}, language), self.says(0, {'op': 'install', 'args': {'packages': ['no-such']}}, language)]

    def test_refusals(self):
        self.publish()
        self.get('update')
        words = {'en': ['only root may do this', 'only root, members of', 'no such task waits or runs', 'no-such'],
                 'fr': ['seul root peut le faire', 'seuls root, les membres', 'aucune tâche de ce numéro', 'no-such']}
        self.addCleanup(self.again, '')
        for configured in ('en', 'fr'):
            self.again(f'language = {configured}\n')
            told = {language: self.refusals(language) for language in ('en', 'fr')}
            for language, texts in told.items():
                for text, expected in zip(texts, words[language]):
                    self.assertIn(expected, text, (configured, language))
            for a, b in zip(told['en'], told['fr']):
                self.assertNotEqual(a, b)
            # Whoever asks for none, or none there is, is answered as it is configured.
            for odd in (None, '', '*', 'xx', 'frr', '../fr', '/tmp/fr', '%s%n', '\0fr', 'fré', 'C', 'ar_FR'):
                self.assertEqual(self.refusals(odd), told[configured], odd)
            for hostile, code in (('x' * 16, 'limit'), ('x' * 60000, 'limit'), (7, 'invalid'), (['fr'], 'invalid'), ({'fr': 1}, 'invalid'), (True, 'invalid')):
                answer = self.ask(json.dumps({'op': 'unregister', 'language': hostile}), uid=BOB)
                self.assertEqual([a['code'] for a in answer], [code], hostile)
        self.assertEqual(self.get('status').returncode, OK)

    def test_a_task(self):
        """From what it finds on its way to what its processes say of an index that is none; and what is kept of it."""
        self.publish()
        french, english = (self.says(BOB, {'op': 'update'}, language) for language in ('fr', 'en'))
        self.assertIn('paquets pour ce poste', french)
        self.assertIn('packages for this machine', english)
        self.addCleanup(self.publish)
        with open(f'{self.repo}/Packages', 'wb') as f:
            f.write(b'no archive')
        for language, words in (('fr', 'pas une archive ZIP digne de confiance'), ('en', 'not a ZIP archive that can be trusted'), ('fr', 'pas une archive ZIP digne de confiance')):
            self.assertIn(words, self.says(BOB, {'op': 'update'}, language))
            self.assertIn(words, self.result('tasks')[0]['message'])
        self.assertIn('not a ZIP archive that can be trusted', self.says(BOB, {'op': 'update'}))

    def test_the_next_task_is_nobody_s(self):
        """What a task was asked in ends with it."""
        self.publish()
        self.says(BOB, {'op': 'update'}, 'fr')
        self.assertIn('packages for this machine', self.says(0, {'op': 'update'}))

    def test_an_equal_task_stays_one(self):
        release = self.hold()
        waiting = [self.as_user(uid, lambda language=language: self.talk(json.dumps({'op': 'clean', 'language': language}), until='task'))[-1]['id']
                   for uid, language in ((BOB, 'fr'), (ALICE, 'en'), (BOB, 'en'))]
        release()
        self.assertEqual(len(set(waiting)), 1, waiting)

    def hold(self):
        """The service is stopped: tasks wait."""
        self.get('stop')

        def release():
            self.get('start')
        self.addCleanup(release)
        return release

    def test_a_script_sees_nothing_of_it(self):
        flag = f'{self.top}/mark-spoken'
        self.package('spoken', f'def install():\n    import os\n    open({flag!r}, "a").write(repr((language, sorted(os.environ.items()))) + "\\n")\n')
        self.publish()
        self.get('update')
        for language in ('fr', 'en', None):
            self.says(0, {'op': 'install', 'args': {'packages': ['spoken'], 'force': True}}, language)
        lines = self.text(flag).splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual(len(set(lines)), 1, lines)

    def test_commands(self):
        """wapt-get asks in what it speaks itself; JSON is English."""
        self.publish()
        self.get('update')
        for locale, words in ((FRENCH, 'aucun paquet de ce nom'), (ENGLISH, 'no such package')):
            with self.speaking(locale):
                self.ends(NOT_FOUND, 'show', 'no-such', uid=BOB, says=words)
        self.addCleanup(self.again, '')
        self.again('language = fr\n')
        with self.speaking(FRENCH):
            self.assertIn('no such package', self.run_get('--json', 'show', 'no-such').stdout)
            self.ends(NOT_FOUND, '-L', 'en', 'show', 'no-such', says='no such package')
        self.stop()  # and where each command brings its own service along
        try:
            with self.speaking(ENGLISH):
                self.ends(NOT_FOUND, 'show', 'no-such', says='no such package')
        finally:
            self.start()

    def test_the_page(self):
        """By what the page says that it speaks, with each call."""
        page = Page(self, BOB).open()
        self.addCleanup(page.stop)
        for language, words in (('fr', "aucune règle ne vous permet d'installer"), ('en', 'no rule lets you install'), ('fr-CA, en;q=0.5', 'aucune règle')):
            status, answer = page.ask('POST', '/local/do', {'op': 'install', 'packages': ['no-such'], 'password': agent_bench.SECRET}, Accept_Language=language)
            self.assertEqual((status, answer['error']['code']), (403, 'denied'), answer)
            self.assertIn(words, answer['error']['message'])


if __name__ == '__main__':
    agent_bench.main()
