# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = []

SETTINGS = {'language': get_language(), 'start_page': 'https://intranet.example.org'}


def install():
    print('each user gets the settings at the next logon')


# Runs as the user, once for each version of the package.
def session_setup():
    settings = makepath(application_data(), 'wapt-demo', 'settings.ini')
    ensure_dir(settings)
    for key, value in SETTINGS.items():
        if not inifile_hasoption(settings, 'general', key):  # theirs stays
            inifile_writestring(settings, 'general', key, value)
    inifile_writestring(settings, 'wapt', 'package', '%s %s' % (control.package, control.version))
    print('%s is written for %s' % (settings, get_current_user()))
