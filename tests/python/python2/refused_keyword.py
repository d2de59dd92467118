from setuphelpers import *

def install():
    print 'x'
    async = True
