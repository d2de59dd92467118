# -*- coding: utf-8 -*-
from __future__ import print_function, unicode_literals
from setuphelpers import *

def install():
    print('a', 'b', sep='-')
    print('c:\\temp', len('é'))
    try:
        print(1 / 2)
    except Exception, e:
        print(e)
