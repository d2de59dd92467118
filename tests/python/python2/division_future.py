from __future__ import division
from setuphelpers import *

def install():
    print 7 / 2, 7 // 2
    a = 1
    a /= 4
    print a
