# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = []


def install():
    print('each user gets the settings at logon')


def session_setup():
    settings = makepath(application_data(), 'wapt-demo', 'settings.ini')
    ensure_dir(settings)
    inifile_writestring(settings, 'general', 'user', get_current_user())
    inifile_writestring(settings, 'general', 'package', control.asrequirement())
    print('%s is written' % settings)
