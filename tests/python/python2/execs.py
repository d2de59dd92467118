from setuphelpers import *

exec 'VALUE = 40'
exec('VALUE += 1')

def install():
    scope = {}
    exec 'x = 1 / 2' in scope
    exec('y = 2', scope)
    exec "z = 3" in globals(), scope
    print VALUE, scope['x'], scope['y'], scope['z']
    execfile('more.py', scope)
    print scope['more']
