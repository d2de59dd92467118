# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = ['{A}', u'B']
required_params = {'server': u'défaut'}

def install():
    print params['server'], params.has_key('server'), force, user

def audit():
    print "looking"
    return 'WARNING' if params['server'] <> 'x' else 'OK'
