# -*- coding: utf-8 -*-
from setuphelpers import *

def as_list(value):
    if isinstance(value, basestring):
        return [value]
    return value

def install():
    print as_list('a'), as_list(u'é'), as_list(['b'])
    print isinstance(u'x', unicode), isinstance('x', str), type(u'x') == unicode
    print unicode('é', 'utf8'), unicode(12), unicode()
    print 'é'.decode('utf8'), u'é'.encode('utf8'), u'é'.encode('utf-8').decode('utf-8')
    print 'abc'.encode('hex'), '616263'.decode('hex'), 'abc'.encode('base64').strip()
    print u'aé'.encode('ascii', 'ignore'), u'é'.encode('ascii', 'replace')
    print ensure_unicode('é'), ur'\d+é', b'bytes' + 'text', br'\x'
    print len(u'é'.encode('cp1252')), u'é'.encode('cp1252').decode('cp1252')
    print u'abc'.encode('utf-16le').encode('hex')
    print '\xc3\xa9', '\303\251' == 'é', u'\xe9', u'\u00e9'
    print '%s et %s' % ('é', u'è'), 'é' + u'è', u'%s' % 'é'
    print ('a\tb'.expandtabs(4), 'x'.encode('string_escape'), 'a\n'.encode('string-escape'))
