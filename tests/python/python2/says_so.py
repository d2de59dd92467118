#!/usr/bin/env python2.7
from setuphelpers import *

def install():
    print(7 / 2)
