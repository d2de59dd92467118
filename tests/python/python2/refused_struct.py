import struct

def install():
    data = open('a.exe', 'rb').read()
    print struct.unpack('<I', data[60:64])
