# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = []

FOLDER = '/opt/wapt-demo-tool'
PROGRAM = makepath(FOLDER, 'bin', 'wapt-demo-tool')
LINK = '/usr/local/bin/wapt-demo-tool'


def install():
    if os.path.lexists(LINK) and not os.path.islink(LINK):
        error('%s is there already and not ours' % LINK)
    killalltasks(control.impacted_process)
    if isdir(FOLDER):
        remove_tree(FOLDER)
    copytree2(makepath(basedir, 'tool'), FOLDER)
    os.chmod(PROGRAM, 0o755)  # archives need not keep permissions
    if os.path.islink(LINK):
        os.unlink(LINK)
    ensure_dir(LINK)
    os.symlink(PROGRAM, LINK)
    print(run([LINK]).strip())


def uninstall():
    killalltasks(control.impacted_process)
    if os.path.islink(LINK) and os.readlink(LINK) == PROGRAM:
        os.unlink(LINK)
    if isdir(FOLDER):
        remove_tree(FOLDER)
