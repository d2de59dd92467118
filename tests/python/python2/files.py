# -*- coding: utf-8 -*-
from setuphelpers import *
import codecs, hashlib, json

def install():
    open('a.txt', 'w').write('é\n')
    open('a.txt', 'a').write(u'è\n'.encode('utf8'))
    print open('a.txt').read().decode('utf8'),
    print open('a.txt', 'rb').read() == 'é\nè\n', hashlib.md5(open('a.txt', 'rb').read()).hexdigest()
    f = file('b.bin', 'wb')
    f.write('\xff\xfe\x00a')
    f.close()
    data = open('b.bin', 'rb').read()
    print data == '\xff\xfe\x00a', hashlib.sha256(data).hexdigest()[:16], data.encode('hex')
    open('c.bin', 'wb').write(data)
    print get_sha256('c.bin')[:16]
    open('l1.txt', 'wb').write(u'd\xe9j\xe0\r\n'.encode('cp1252'))
    line = open('l1.txt', 'rU').readline()
    print line.decode('cp1252').strip(), open('l1.txt').read().endswith('\r\n')
    with codecs.open('u.txt', 'w', 'utf-8') as out:
        out.write(u'é')
    print codecs.open('u.txt', encoding='utf-8').read()
    json.dump({'a': 1}, open('j.json', 'wb'))
    print json.load(open('j.json', 'rb'))['a']
    for line in open('a.txt', 'rb'):
        print line.strip(), type(line) == str
    print [l.strip() for l in open('a.txt').readlines()]
    print os.path.getsize('b.bin')
