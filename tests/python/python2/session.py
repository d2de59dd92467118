from setuphelpers import *

def session_setup():
    print 'for %s' % get_current_user()
    return 0

def install():
    pass
