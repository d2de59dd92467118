from setuphelpers import *
import re

def install():
    return re.search('a', open('setup.py', 'rb').read())
