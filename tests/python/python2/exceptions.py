from setuphelpers import *
import os

def install():
    try:
        os.unlink('missing')
    except (OSError, IOError), e:
        print 'code', e.errno, e[0], e.args[0] == e[0]
    try:
        raise EWaptSetupException, 'cannot go on'
    except EWaptSetupException, e:
        print e, e.message
    try:
        raise ValueError, ('a', 1)
    except ValueError, why:
        print why.args
    try:
        raise KeyError, KeyError('k')
    except KeyError as e:
        print repr(e)
    try:
        open('missing')
    except IOError, (errno, text):
        print errno, text
    for name in ('x',):
        try:
            int(name)
        except ValueError, e: print 'not a number'
    print 'still', type(e).__name__
    try:
        try:
            int('y')
        except ValueError, e:
            raise RuntimeError, 'wrapped: %s' % e, None
    except RuntimeError, e:
        print e
