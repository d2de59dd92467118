# -*- coding: iso-8859-1 -*-
from setuphelpers import *

def install():
    print u'é', u'caf\xe9'
    print u'\u20ac'
