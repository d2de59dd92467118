# -*- coding: utf-8 -*-
import hashlib
import string

from setuphelpers import *

uninstallkey = []

CONFIG = '/etc/wapt-demo.conf'

# Defaults; `wapt-get install demo-config -p '{"server": "..."}'` sets others, and they are kept for the audit.
params = {'server': 'demo.example.org', 'interval': 60}


def wanted():
    # Files in WAPT/persistent are still there when the package itself is not.
    with open(makepath(persistent_dir, 'wapt-demo.conf.in'), encoding='utf-8') as template:
        return string.Template(template.read()).substitute(params).encode('utf-8')


def install():
    with open(CONFIG, 'wb') as config:
        config.write(wanted())
    print('%s is written' % CONFIG)


def audit():
    if not isfile(CONFIG):
        print('%s is missing' % CONFIG)
        return 'ERROR'
    if get_sha256(CONFIG) != hashlib.sha256(wanted()).hexdigest():
        print('%s was altered' % CONFIG)
        return 'ERROR'
    print('%s is as it should be' % CONFIG)
    return 'OK'


def uninstall():
    if isfile(CONFIG):
        remove_file(CONFIG)
