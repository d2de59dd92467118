# -*- coding: utf8 -*-
from setuphelpers import *

def install():
    print 'é'
