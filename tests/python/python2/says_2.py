# -*- coding: utf-8 -*-
# Python 2.7
from setuphelpers import *

def install():
    print(3 / 2)
