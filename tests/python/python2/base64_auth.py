from setuphelpers import *
import base64, zlib, binascii, struct

def install():
    token = base64.b64encode('%s:%s' % ('user', 'p\xe9'))
    print 'Authorization: Basic ' + token
    print base64.b64decode(token) == 'user:p\xe9', base64.encodestring('abc').strip()
    print zlib.decompress(zlib.compress('text' * 3)), binascii.hexlify('ab'), struct.pack('>H', 258) == '\x01\x02'
    print struct.unpack('<I', '\x01\x00\x00\x00')[0]
