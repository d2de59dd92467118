# -*- coding: cp1252 -*-
from setuphelpers import *

def install():
    inifile_writestring('a.ini', 'global', 'repo_url', 'http://srv/wapt')
    inifile_writestring('a.ini', 'global', 'n', 3)
    print inifile_readstring('a.ini', 'global', 'repo_url'), inifile_hasoption('a.ini', 'global', 'x')
    print open('a.ini').read(),
