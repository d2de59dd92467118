"""What test_selfservice.py plays: a real agent with people of its own, in a mount namespace, and the self-service of one of them in that person's browser.

Usage: selfservice.py BINARIES SOURCE WORK SCREENS    prints a line of JSON: each scenario's error by its name.
"""
import json
import os
import shutil
import pathlib
import struct
import subprocess
import sys
import unittest
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f'{ROOT}/tests/agent')
import agent_bench  # noqa: E402 pylint: disable=wrong-import-position
from agent_bench import DAVE, SECRET  # noqa: E402 pylint: disable=wrong-import-position
from pages import hear  # noqa: E402 pylint: disable=wrong-import-position
from test_packager import make_msix  # noqa: E402 pylint: disable=wrong-import-position
from test_rights import Local  # noqa: E402 pylint: disable=wrong-import-position
from test_selfservice import PNG, Page  # noqa: E402 pylint: disable=wrong-import-position

HOSTILE = "<img src=x onerror='window.hit=1'>\"><script>window.hit=2</script>"
SCRIPT = 'def install():\n    pass\ndef uninstall():\n    pass\n'
SHOP = [('writer', 'Writer', 'Office', 'Letters, reports and books'), ('browser', 'Browser', 'Internet', 'Looks at pages of the web, quickly and in peace'),
        ('mailer', 'Mailer', 'Messaging,Internet', 'Mail, calendar and addresses of the whole house'), ('player', 'Player', 'Media', 'Plays what there is to hear and to see'),
        ('painter', 'Painter', 'Media,Utilities', 'Draws, cuts and mends pictures'), ('keeper', 'Keeper', 'Security', 'Keeps passwords'),
        ('builder', 'Builder', 'Development', 'An editor with a compiler behind it'), ('packer', 'Packer', 'Utilities', 'Opens and makes archives of all kinds'),
        ('drawer', 'Drawer', 'Our own tools', 'Plans of our buildings'), ('mover', 'Mover', 'Storage', 'Copies files between machines')]


def disc(shade, side=96):
    """A disc of that grey, transparent around it, as apps bring them."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    def line(y):
        return b'\0' + b''.join(bytes([shade] * 3 + [255 if (x - side / 2) ** 2 + (y - side / 2) ** 2 < (side / 2.4) ** 2 else 0]) for x in range(side))
    head = struct.pack('>IIBBBBB', side, side, 8, 6, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(b''.join(map(line, range(side))))) + chunk(b'IEND', b'')


class Shop(Local):
    """The machine; a person's wishes are played in the browser."""

    work = screens = ''

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        icon = {'WAPT/icon.png': PNG}
        for i, (name, title, categories, text) in enumerate(SHOP):
            cls.package(name, SCRIPT, control=f'name: {title}\ncategories: {categories}\ndescription_fr: {text}\nlicence: GPL\neditor: The {title} Team\nhomepage: https://{name}.example\n',
                        more=icon if i % 2 == 0 else None)
        for name, shade in (('white', 255), ('black', 0)):
            cls.package(name, SCRIPT, control=f'name: {name.title()}\ncategories: Media\n', more={'WAPT/icon.png': cls.icon_of_app(name, disc(shade))})
        cls.package('hostile', SCRIPT, control=f'name: {HOSTILE}\ncategories: {HOSTILE}\nhomepage: javascript:window.hit=3\neditor: {HOSTILE}\n')
        cls.package('slow', f'import os, time\ndef install():\n    while not os.path.exists({cls.top + "/go"!r}):\n        time.sleep(0.05)\ndef uninstall():\n    pass\n',
                    control='name: Slow\ncategories: Media\n')
        cls.package('fails', 'def install():\n    raise Exception("the key is " + "7-7-7")\n', control='name: Fails\ncategories: Media\n')
        cls.rules_package('rules', {'team': [*(row[0] for row in SHOP), 'white', 'black', 'hostile', 'slow', 'fails']})
        cls.rules_package('passing', {'team': ['fleeting']})
        cls.package('fleeting', SCRIPT, control='name: Fleeting\ncategories: Media\n')
        cls.publish()
        cls.get('update')
        cls.get('install', 'rules', 'passing', 'keeper')
        os.makedirs(f'{cls.base}/templates')
        cls.bring_browser()

    @classmethod
    def icon_of_app(cls, name, png):
        """As it comes out of an app's file, by the packager's command."""
        os.mkdir(f'{cls.top}/{name}')
        app = make_msix(pathlib.Path(cls.top), file=f'{name}.msix', **{'Assets/StoreLogo.png': (png, False), 'Assets/Tile.scale-200.png': (png, True)})
        cls.get('make-template', str(app), name, f'{cls.top}/{name}/sources')
        return pathlib.Path(f'{cls.top}/{name}/sources/WAPT/icon.png').read_bytes()

    @classmethod
    def bring_browser(cls):
        """Where the person can read it, and write pictures."""
        for name in ('playwright-core', 'axe-core'):
            shutil.copytree(f'{cls.work}/node_modules/{name}', f'{cls.top}/web/node_modules/{name}')
        shutil.copytree(f'{cls.root}/web/tests', f'{cls.top}/web/tests')
        os.mkdir(f'{cls.top}/screens')
        os.chown(f'{cls.top}/screens', DAVE, DAVE)
        with open(f'{cls.top}/chromium', 'w', encoding='utf-8') as f:
            f.write('#!/bin/sh\nexec /usr/bin/chromium --no-sandbox "$@"\n')
        os.chmod(f'{cls.top}/chromium', 0o755)

    def publish_newer(self):
        self.package('keeper', SCRIPT, version='2-1', control='name: Keeper\ncategories: Security\n')
        self.publish()

    def go(self):
        with open(f'{self.top}/go', 'w', encoding='utf-8'):
            pass

    def does(self):
        return {'installed': lambda name: (self.row(name) or {}).get('version', ''), 'newer': self.publish_newer, 'go': self.go,
                'withdraw': lambda: self.get('remove', 'passing') and None, 'away': self.stop, 'back': self.start, 'link': self.again}

    def again(self, *options):
        """A further start, which gives a further page."""
        assert self.page.launch(*options).wait(60) == 0
        with open(self.page.link_file, encoding='utf-8') as f:
            return f.read()

    def play(self):
        self.page = Page(self, DAVE)
        self.addCleanup(self.page.stop)
        with open(self.page.link_file, encoding='utf-8') as f:
            given = {'link': f.read(), 'password': SECRET, 'hostile': HOSTILE, 'folder': f'{self.top}/screens'}
        env = {'PATH': '/usr/bin:/bin', 'HOME': f'{self.top}/home-dave', 'CHROMIUM': f'{self.top}/chromium', 'LC_ALL': 'C.UTF-8',
               **{name: value for name, value in os.environ.items() if name.startswith('WAPT_TEST_')}}
        words = ['setpriv', '--reuid', str(DAVE), '--regid', str(DAVE), '--init-groups', 'node', 'tests/run.mjs', 'selfservice.mjs', json.dumps(given)]
        with subprocess.Popen(words, cwd=f'{self.top}/web', env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
            return hear(p, self.does())

    def test_story(self):
        told = self.play()
        for name in os.listdir(f'{self.top}/screens'):
            shutil.copy(f'{self.top}/screens/{name}', self.screens)
        print(json.dumps(told))


def main():
    Shop.built, Shop.root, Shop.work, Shop.screens = map(os.path.abspath, sys.argv[1:5])
    agent_bench.Bench.built, agent_bench.Bench.root = Shop.built, Shop.root
    agent_bench.enter_namespace()
    unittest.main(argv=[sys.argv[0], 'Shop'], verbosity=0)


if __name__ == '__main__':
    main()
