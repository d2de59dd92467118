# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = []


def install():
    print(install_deb(makepath(basedir, 'wapt-demo-hello_1.0_all.deb')))


def uninstall():
    print(purge_deb('wapt-demo-hello'))
