from setuphelpers import *
import csv, StringIO, zipfile, cStringIO
from StringIO import StringIO as Buffer

def install():
    with open('t.csv', 'wb') as f:
        w = csv.writer(f, delimiter=';')
        w.writerow(['a', 1])
        w.writerow(['b', 2])
    for row in csv.reader(open('t.csv', 'rb'), delimiter=';'):
        print row
    z = zipfile.ZipFile('t.zip', 'w')
    z.writestr('in.txt', 'inside')
    z.close()
    print unzip('t.zip')[0].endswith('t/in.txt')
    z = zipfile.ZipFile(StringIO.StringIO(open('t.zip', 'rb').read()))
    print z.namelist(), z.read('in.txt')
    b = Buffer()
    b.write('x')
    b.write(u'y'.encode('utf8'))
    print b.getvalue(), cStringIO.StringIO('l1\nl2').readlines()
