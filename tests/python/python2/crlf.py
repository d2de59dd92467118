# -*- coding: utf-8 -*-
from setuphelpers import *

def install():
    print 'a'
    try:
        int('x')
    except Exception, e:
        print 'b', \
            'c'
