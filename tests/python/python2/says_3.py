# -*- coding: utf-8 -*-
# Python 3
from setuphelpers import *

def install():
    unicode = str
    print(unicode(1), 3 / 2, list({1: 2}.keys())[0])
