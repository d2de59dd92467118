"""Tells what a Windows program (PE) on standard input says of itself: lines of a key, a tab, a value.

Started as `/usr/bin/python3 -I -B wapt_probe.py` in a process of its own, with limits: the
file may be hostile, and whoever reads these lines does not believe them. Exit status: 0
when it is a PE, 1 when it is none, 3 when pefile is missing.
"""

import mmap
import os
import sys
import uuid

RT_VERSION, RT_MANIFEST = 16, 24
MACHINES = {0x14C: 'x86', 0x8664: 'x64', 0xAA64: 'arm64'}
FIELDS = ('ProductName', 'ProductVersion', 'FileVersion', 'CompanyName', 'FileDescription')
RESOURCE_MAX = 1 << 20   # bytes of a manifest
OVERLAY_MAX = 1 << 20    # bytes looked at behind the sections
BURN_MAGIC = b'\x00\x43\xf1\x00'
MANIFESTS = ((b'JR.Inno.Setup', 'inno'), (b'Nullsoft.NSIS', 'nsis'), (b'InstallShield', 'installshield'))
OVERLAYS = ((b'Inno Setup Setup Data (', 'inno'), (b'\xef\xbe\xad\xdeNullsoftInst', 'nsis'),
            (b'ISSetupStream', 'installshield'), (b'InstallShield\0', 'installshield'))
SEVEN_ZIP = b'7z\xbc\xaf\x27\x1c'  # what Mozilla packs its own into
ADVANCED = b'ADVINSTSFX'           # at the end of what is behind the sections; a signature may follow


def tell(key, value):
    text = ' '.join(str(value).split())
    if text:
        print('%s\t%s' % (key, text[:1024]))


def version_fields(pe):
    """Return the strings of the first version resource."""
    found = {}
    for info in (entry for group in getattr(pe, 'FileInfo', []) for entry in group):
        for table in getattr(info, 'StringTable', []):
            for key, value in table.entries.items():
                found.setdefault(key.decode('utf-8', 'replace'), value.decode('utf-8', 'replace'))
    return found


def manifests(pe):
    """Yield the bytes of each manifest."""
    for kind in getattr(getattr(pe, 'DIRECTORY_ENTRY_RESOURCE', None), 'entries', []):
        if kind.id != RT_MANIFEST or not hasattr(kind, 'directory'):
            continue
        for name in kind.directory.entries:
            for language in getattr(getattr(name, 'directory', None), 'entries', []):
                data = language.data.struct
                yield pe.get_data(data.OffsetToData, min(data.Size, RESOURCE_MAX))


def recognise(pe, fields, file):
    """Return (maker, where that was seen, key of the software in Windows' list)."""
    for section in pe.sections:
        if section.Name.rstrip(b'\0') == b'.wixburn':
            head = section.get_data()[:24]
            key = '{%s}' % str(uuid.UUID(bytes_le=head[8:24])).upper() if head[:4] == BURN_MAGIC and len(head) == 24 else ''
            return 'burn', 'its section .wixburn', key
    for text in manifests(pe):
        for mark, maker in MANIFESTS:
            if mark in text:
                return maker, 'its manifest', ''
    overlay = pe.get_overlay_data_start_offset()
    if overlay is not None:
        start = file[overlay:overlay + OVERLAY_MAX]
        for mark, maker in OVERLAYS:
            if mark in start:
                return maker, 'the data behind the program', ''
        if SEVEN_ZIP in start and 'mozilla' in fields.get('CompanyName', '').lower():
            return 'mozilla', 'its version resource', ''
        if ADVANCED in file[max(overlay, len(file) - OVERLAY_MAX):]:
            return 'advanced', 'the data behind the program', ''
    if fields.get('InternalName', '').strip().lower() == 'wextract':
        return 'iexpress', 'its version resource', ''
    if any('installshield' in value.lower() for value in fields.values()):
        return 'installshield', 'its version resource', ''
    return '', '', ''


def guess_key(maker, fields):
    """Return the key that this maker's installers use when nobody chose another."""
    product = fields.get('ProductName', '').strip()
    return {'inno': product + '_is1', 'nsis': product}.get(maker, '') if product else ''


def main():
    try:
        import pefile
    except ImportError:
        return 3
    size = os.fstat(0).st_size
    with open(0, 'rb') as source, mmap.mmap(source.fileno(), size, access=mmap.ACCESS_READ) as file:
        try:
            pe = pefile.PE(data=file, fast_load=True)
            pe.parse_data_directories([pefile.DIRECTORY_ENTRY['IMAGE_DIRECTORY_ENTRY_RESOURCE']])
        except pefile.PEFormatError as failure:
            print('not a program of Windows: %s' % failure, file=sys.stderr)
            return 1
        fields = version_fields(pe)
        for key in FIELDS:
            tell(key, fields.get(key, ''))
        tell('Machine', MACHINES.get(pe.FILE_HEADER.Machine, ''))
        maker, evidence, key = recognise(pe, fields, file)
        tell('Maker', maker)
        tell('Evidence', evidence)
        tell('Key', key or guess_key(maker, fields))
    return 0


if __name__ == '__main__':
    sys.stdout.reconfigure(encoding='utf-8', errors='replace')
    sys.exit(main())
