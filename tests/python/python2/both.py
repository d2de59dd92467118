from setuphelpers import *
try:
    import urllib2
except ImportError:
    import urllib.request as urllib2

def install():
    print(7 / 2, urllib2.__name__)
