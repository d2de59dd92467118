# mixed as editors of the time left it
from setuphelpers import *

def install():
    for name in ['a', 'b']:
	if name == 'a':
	    print name
	else:
            print 'other'
	print 'each'
