from setuphelpers import *

def install():
    print 'windows' if isLinux64() else '32'
    install_msi_if_needed('app.msi', killbefore=['app.exe'])
