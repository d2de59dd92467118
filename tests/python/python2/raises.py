from setuphelpers import *

def install():
    print "checking"
    if not isfile('setup.exe'):
        error('setup.exe is missing')
