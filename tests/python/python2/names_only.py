from setuphelpers import *
import urllib2

def install():
    print('x', 1 / 2)
    print(unicode('a'), urllib2.Request('http://h/', 'data').get_method())
