from setuphelpers import *
import ConfigParser, Queue, urlparse, urllib, cPickle
import string, types, commands, itertools
from urllib import quote, urlencode
from urllib2 import HTTPError
from HTMLParser import HTMLParser

class Links(HTMLParser):
    def handle_starttag(self, tag, attrs):
        if tag == 'a':
            print dict(attrs)['href']

def install():
    c = ConfigParser.RawConfigParser()
    c.add_section('s')
    c.set('s', 'k', 'v')
    c.write(open('c.ini', 'wb'))
    c = ConfigParser.ConfigParser()
    c.read('c.ini')
    print c.get('s', 'k'), c.has_option('s', 'x')
    q = Queue.Queue()
    q.put(1)
    print q.get(), urlparse.urlparse('http://h/p?q').path, urllib.quote('a b'), quote('é'), urlencode({'a': 1})
    print string.join(['a', 'b'], '-'), string.upper('x'), string.letters[:3], string.replace('aXb', 'X', '-'), string.atoi('7')
    print type('x') is types.StringType, commands.getoutput('echo hi'), list(itertools.izip('ab', 'cd'))
    print cPickle.loads(cPickle.dumps({'a': 1})), HTTPError.__name__, urlparse.urljoin('http://h/a/', 'b')
    Links().feed('<a href="x.exe">x</a>')
