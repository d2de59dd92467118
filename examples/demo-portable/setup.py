# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = []

FOLDER = '/opt/wapt-demo-tool'
PROGRAM = makepath(FOLDER, 'bin', 'wapt-demo-tool')
LINK = '/usr/local/bin/wapt-demo-tool'


def is_ours(link):
    return os.path.islink(link) and os.readlink(link) == PROGRAM


def install():
    if os.path.lexists(LINK) and not is_ours(LINK):
        error('%s is there already and not ours' % LINK)
    killalltasks(control.impacted_process)
    if isdir(FOLDER):
        remove_tree(FOLDER)
    copytree2(makepath(basedir, 'tool'), FOLDER)
    os.chmod(PROGRAM, 0o755)  # archives need not keep permissions
    if not is_ours(LINK):
        ensure_dir(LINK)
        os.symlink(PROGRAM, LINK)
    print(run([LINK]).strip())


def audit():
    if not is_ours(LINK):
        print('%s does not lead to %s' % (LINK, PROGRAM))
        return 'ERROR'
    try:
        print(run([LINK]).strip())
    except Exception as e:
        print('%s does not start: %s' % (LINK, e))
        return 'ERROR'
    return 'OK'


def uninstall():
    killalltasks(control.impacted_process)
    if is_ours(LINK):
        os.unlink(LINK)
    if isdir(FOLDER):
        remove_tree(FOLDER)
