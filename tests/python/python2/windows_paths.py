# -*- coding: utf-8 -*-
from setuphelpers import *

path = 'c:\users\public\new'

def install():
    print repr('C:\Users\N'), repr(path)
    print r'c:\users', "\\u", 'a\\\u', u'\u0041', '\N{x}', len('\u0041')
    print 'HKLM\Software\WAPT', "d:\\x\\y"
