# -*- coding: latin-1 -*-
from setuphelpers import *

def install():
    print 'déjà', u'vu'
