from setuphelpers import *
import _winreg

def install():
    print 'on a machine of another kind'
    key = _winreg.OpenKey(_winreg.HKEY_LOCAL_MACHINE, 'Software')
