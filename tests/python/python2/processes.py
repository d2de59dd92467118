# -*- coding: utf-8 -*-
from setuphelpers import *
import subprocess, os

def install():
    print run('echo é').decode('utf8').strip()
    out = subprocess.check_output(['printf', 'a\\nb\\n'])
    for line in out.split('\n'):
        if 'a' in line: print line
    p = subprocess.Popen('cat', shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print p.communicate(u'é'.encode('utf8'))[0]
    print os.popen('echo popen').read().strip()
    print run_notfatal('exit 3').returncode if hasattr(run_notfatal('true'), 'returncode') else ''
    print subprocess.call('exit 4', shell=True)
    print subprocess.Popen(['echo', 'x'], stdout=subprocess.PIPE,).stdout.read(),
