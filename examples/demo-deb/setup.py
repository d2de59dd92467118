# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = []

DEB = 'wapt-demo-hello_1.0_all.deb'  # made by build.sh
NAME = 'wapt-demo-hello'


def install():
    print(install_deb(makepath(basedir, DEB)))


def audit():
    for software in installed_softwares(name=NAME + '$'):
        print('%s %s is installed' % (NAME, software['version']))
        return 'OK'
    print('%s is not installed any more' % NAME)
    return 'ERROR'


def uninstall():
    print(purge_deb(NAME))
