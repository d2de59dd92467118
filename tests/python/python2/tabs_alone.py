from setuphelpers import *

def install():
	if True:
		print 'tabs'
	print 'alone'
