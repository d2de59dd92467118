# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = []

def install():
    print 'installing %s' % control.asrequirement()
    print
    print 'a', 1, None
    print 'same',
    print 'line'
    print ('in brackets')
    print ('a', 'pair')
    print ("%s" % 'x'), 'y'
    print('as a function')
    if True: print 'behind a colon'; print 'behind a semicolon'
    print 'over', \
        'two lines'
    print "a ; b", # a comment, with ; and "
    print '%(name)s' % {'name': 'é'}
    print not 1, -1, [1, 2], {'a': 1}['a']
    print """three
lines"""
