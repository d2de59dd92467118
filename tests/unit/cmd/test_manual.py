"""The tables of the programs and their manual pages tell the same: every command, option and exit status,
either way round; and the completions offer just these words."""
import functools
import os
import re
import subprocess
import sys
import tempfile
import unittest

BIN, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
PROGRAMS = {'wapt-get': 1, 'wapt-repo': 1, 'wapt-scanpackages': 1, 'wapt-signpackages': 1,
            'waptconsole': 1, 'waptexit': 8, 'waptselfservice': 1, 'waptserver': 8, 'waptservice': 8}


def told(program, *args):
    return subprocess.run([os.path.join(BIN, program), *args], capture_output=True, text=True, check=True,
                          stdin=subprocess.DEVNULL, timeout=60).stdout


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as f:
        return f.read()


def options_of(text):
    """{('-k', '--key', 'FILE')...} of a help text."""
    return {(short or '', long, arg or '') for short, long, arg in
            re.findall(r'^  (?:(-\w), |    )(--[a-z0-9-]+)(?: ([A-Z0-9]+(?:,\.\.\.)?))?', text, re.M)}


def parse_manual(text, argument=r'[A-Z0-9]+(?:,\.\.\.)?'):
    """The same, by command ('' for the program's own), from the source of the manual page. What stands
    in a chapter before its first command is of all of them."""
    found = {'': set()}
    command, shared = None, set()
    lines = text.split('\n')
    for line, after in zip(lines, lines[1:]):
        if line.startswith('## '):
            command = line[3:].split(' ')[0]
            found[command] = set(shared)
        elif line.startswith('# '):
            command, shared = '' if 'OPTIONS' in line else None, set()
        elif line.startswith('*-') and after.startswith('\t'):
            for part in re.finditer(r'(?:\*(-\w)\*, )?\*(--[a-z0-9-]+)\*(?: _(' + argument + r')_)?', line):
                (shared if command is None else found[command]).add((part[1] or '', part[2], part[3] or ''))
    return found


@functools.lru_cache
def parse_help(program):
    """The same, from --help; and the arguments of each command."""
    general = told(program, '--help')
    found = {'': options_of(general)}
    if 'Commands:' not in general:
        return found
    commands = re.findall(r'^  ([a-z][a-z0-9-]+) ', general.split('General options')[0], re.M)
    for command in commands:
        text = told(program, 'help', command)
        assert text == told(program, command, '--help')
        found[command] = options_of(text) - found['']
    return found


class Manual(unittest.TestCase):
    def test_commands_and_options(self):
        for program, section in PROGRAMS.items():
            with self.subTest(program):
                manual = parse_manual(read(ROOT, 'man', f'{program}.{section}.scd'))
                helped = parse_help(program)
                self.assertEqual(sorted(helped), sorted(manual))
                for command, options in helped.items():
                    self.assertEqual(options, manual[command], f'{program} {command}')

    def test_other_languages(self):
        """A page in another language has the same commands and options, and --help says what it does."""
        for language, word in (('fr', 'Utilisation'),):
            for program, section in PROGRAMS.items():
                with self.subTest(program):
                    english, other = (parse_manual(read(ROOT, 'man', folder, f'{program}.{section}.scd'), r'[^_ ,;]+') for folder in ('', language))
                    strip = lambda manual: {command: {o[:2] for o in options} for command, options in manual.items()}
                    self.assertEqual(strip(english), strip(other))
                    for command in other:
                        text = subprocess.run([os.path.join(BIN, program), *(['help', command] if command else ['--help'])], capture_output=True, text=True,
                                              check=True, env=dict(os.environ, LANG=language)).stdout
                        self.assertTrue(text.startswith(word), text)
                        self.assertEqual(options_of(text) and {o[1] for o in options_of(text)}, {o[1] for o in parse_help(program)[command] |
                                                                                             parse_help(program)['']})

    def test_exit_statuses(self):
        documented = set(re.findall(r'^\|  (\d+)\n:  (\w+)', read(ROOT, 'man/wapt-get.1.scd'), re.M))
        coded = {(status, name) for name, status in
                 re.findall(r'\[WA_\w+\] = \{"(\w+)", (\d+),', read(ROOT, 'src/base/err.c'))}
        self.assertGreater(len(coded), 20)
        self.assertEqual(documented, coded)
        for program, section in PROGRAMS.items():
            self.assertIn('# EXIT STATUS', read(ROOT, 'man', f'{program}.{section}.scd'), program)


class Completion(unittest.TestCase):
    def complete(self, program, *words):
        """What bash offers for the last of these words."""
        script = f'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _{program}; printf "%s\\n" "${{COMPREPLY[@]}}"'
        done = subprocess.run(['bash', '-c', script, '-', os.path.join(BIN, program + '.bash'), program, *words],
                              capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
        self.assertEqual(done.stderr, '')
        return set(done.stdout.split())

    def test_bash_offers_the_words_of_the_tables(self):
        for program in PROGRAMS:
            for command, options in parse_help(program).items():
                general = parse_help(program)[''] if command else set()
                words = {w for o in options | general for w in o[:2] if w}
                before = [command] if command else []
                self.assertEqual(self.complete(program, *before, '-') - {''}, words, f'{program} {command}')

    def test_bash_in_context(self):
        commands = self.complete('wapt-get', '')
        self.assertTrue({'install', 'build-package', 'verify'} <= commands)
        self.assertEqual(self.complete('wapt-get', 'inst'), {'install'})
        self.assertEqual(self.complete('wapt-get', '-c', 'x', 'create-keycert', '--ca-c'), {'--ca-cert'})
        self.assertEqual(self.complete('wapt-get', 'build-package', '-k', 'README'), {'README.md'})
        self.assertEqual(self.complete('wapt-get', 'build-package', 'exampl'), {'examples'})
        self.assertEqual(self.complete('wapt-get', 'verify', '-t', 'READ'), set())  # a file is no directory
        self.assertEqual(self.complete('waptconsole', 'action', '--hosts', ''), set())

    def test_zsh_reads_its_file(self):
        for program in PROGRAMS:
            path = os.path.join(BIN, '_' + program)
            subprocess.run(['zsh', '-n', path], check=True, timeout=60)
            words = set(re.findall(r'(--[a-z0-9-]+)[}\[]', read(path)))
            self.assertEqual(words, {o[1] for options in parse_help(program).values() for o in options})

    def fish(self, program, line):
        """What fish offers for the last word of a command line."""
        script = f'source {BIN}/{program}.fish; complete -C "{line}"'
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(['fish', '--no-config', '-c', script], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60,
                                  env=dict(os.environ, HOME=home))
        self.assertEqual(done.stderr, '')
        return {x.split('\t')[0] for x in done.stdout.splitlines()}

    def test_fish_offers_the_words_of_the_tables(self):
        for program in PROGRAMS:
            path = os.path.join(BIN, program + '.fish')
            subprocess.run(['fish', '--no-config', '--no-execute', path], check=True, timeout=60)
            words = set(re.findall(r' -l (\S+)', read(path)))
            self.assertEqual({'--' + w for w in words}, {o[1] for options in parse_help(program).values() for o in options})
        self.assertTrue({'install', 'build-package', 'verify'} <= self.fish('wapt-get', 'wapt-get '))
        self.assertEqual(self.fish('wapt-get', 'wapt-get -c x inst'), {'install'})
        self.assertEqual(self.fish('wapt-get', 'wapt-get create-keycert --ca-c'), {'--ca-cert'})
        self.assertEqual(self.fish('wapt-get', 'wapt-get verify exampl'), {'examples/'})
        self.assertEqual(self.fish('wapt-get', 'wapt-get update exampl'), set())
        self.assertEqual(self.fish('wapt-get', 'wapt-get verify -t READ'), set())  # a file is no directory

    def test_another_shell_is_refused(self):
        done = subprocess.run([os.path.join(BIN, 'wapt-get'), '--completion', 'tcsh'], capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, b''))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=1)
