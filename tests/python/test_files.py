"""Files, trees, archives and INI files, each in a directory of its own."""

import json
import os
import shutil
import stat
import subprocess
import zipfile

import pytest

from setuphelpers import *


@pytest.fixture
def tree(tmp_path):
    for name in ('src/a.txt', 'src/b.dat', 'src/sub/c.txt', 'src/sub/deep/d.txt', 'src/skip/e.txt'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def names(root, paths):
    assert all(os.path.isabs(path) for path in paths)
    return sorted(os.path.relpath(path, root) for path in paths)


def test_paths(tmp_path):
    assert makepath('/opt', 'a', 'b.txt') == '/opt/a/b.txt'
    assert makepath(user_home_directory, '.x') == os.path.join(os.path.expanduser('~'), '.x')
    deep = tmp_path / 'x' / 'y'
    assert mkdirs(str(deep)) == str(deep) and mkdirs(str(deep)) == str(deep) and isdir(str(deep))
    ensure_dir(str(tmp_path / 'p' / 'q' / 'file'))
    ensure_dir('file')
    assert isdir(str(tmp_path / 'p' / 'q')) and not isfile(str(tmp_path / 'p' / 'q' / 'file'))
    assert dir_is_empty(str(deep)) and not dir_is_empty(str(tmp_path)) and not dir_is_empty(str(tmp_path / 'none'))


def test_removing(tree, caplog):
    remove_file(str(tree / 'src' / 'a.txt'))
    assert not (tree / 'src' / 'a.txt').exists()
    remove_file(str(tree / 'src' / 'a.txt'))
    assert 'cannot remove' in caplog.text
    remove_tree(str(tree / 'src'))
    assert not (tree / 'src').exists()
    with pytest.raises(FileNotFoundError):
        remove_tree(str(tree / 'src'))
    remove_tree(str(tree / 'src'), ignore_errors=True)


def test_filecopyto(tree):
    (tree / 'src' / 'a.txt').chmod(0o751)
    filecopyto(str(tree / 'src' / 'a.txt'), str(tree))
    filecopyto(str(tree / 'src' / 'a.txt'), str(tree / 'other'))
    for name in ('a.txt', 'other'):
        assert (tree / name).read_text() == 'src/a.txt' and stat.S_IMODE((tree / name).stat().st_mode) == 0o751


def test_copytree2(tree):
    src, dst = str(tree / 'src'), str(tree / 'dst')
    copytree2(src, dst, ignore=lambda folder, found: [name for name in found if name == 'skip'])
    assert names(dst, all_files(dst)) == ['a.txt', 'b.dat', 'sub/c.txt', 'sub/deep/d.txt']
    (tree / 'dst' / 'a.txt').write_text('mine')
    copytree2(src, dst)
    assert (tree / 'dst' / 'a.txt').read_text() == 'mine'
    os.utime(tree / 'dst' / 'a.txt', (2 ** 31, 2 ** 31))
    copytree2(src, dst, onreplace=default_overwrite_older)
    assert (tree / 'dst' / 'a.txt').read_text() == 'mine'
    steps = []
    copytree2(src, dst, onreplace=default_overwrite, oncopy=lambda *step: steps.append(step[0]) or True)
    assert (tree / 'dst' / 'a.txt').read_text() == 'src/a.txt' and set(steps) == {'overwrites'}
    copytree2(src, str(tree / 'none'), oncopy=lambda msg, source, target: False)
    assert not (tree / 'none').exists()


def test_copytree2_replaces_a_running_program(tmp_path):
    (tmp_path / 'src').mkdir()
    shutil.copy('/bin/sleep', tmp_path / 'src' / 'prog')
    copytree2(str(tmp_path / 'src'), str(tmp_path / 'dst'))
    running = subprocess.Popen([str(tmp_path / 'dst' / 'prog'), '60'])
    try:
        assert file_is_locked(str(tmp_path / 'dst' / 'prog'), timeout=0)
        copytree2(str(tmp_path / 'src'), str(tmp_path / 'dst'), onreplace=default_overwrite)
        assert not file_is_locked(str(tmp_path / 'dst' / 'prog'), timeout=0)
        assert os.listdir(tmp_path / 'dst') == ['prog']
    finally:
        running.kill()
        running.wait()
    assert file_is_locked(str(tmp_path / 'none'), timeout=0) is False and not (tmp_path / 'none').exists()


def test_copytree2_copies_the_rest_before_it_tells_errors(tree):
    (tree / 'dst' / 'a.txt').mkdir(parents=True)
    (tree / 'src' / 'aa').symlink_to('nowhere')
    with pytest.raises(shutil.Error) as raised:
        copytree2(str(tree / 'src'), str(tree / 'dst'))
    assert len(raised.value.args[0]) == 1 and (tree / 'dst' / 'sub' / 'deep' / 'd.txt').exists()


def test_finding(tree):
    root = str(tree / 'src')
    found = lambda **how: names(root, list(find_all_files(root, **how)))
    assert names(root, all_files(root, '*.txt')) == ['a.txt', 'skip/e.txt', 'sub/c.txt', 'sub/deep/d.txt']
    assert len(found()) == 5
    assert found(include_patterns='*.dat,c.*') == ['b.dat', 'sub/c.txt']
    assert found(include_patterns=['*.txt'], exclude_patterns=['d.*'], exclude_dirs=['skip']) == ['a.txt', 'sub/c.txt']
    assert found(include_dirs='sub') == ['a.txt', 'b.dat', 'sub/c.txt']
    assert found(excludes_full=['a.txt', 'sub/deep/d.txt'], exclude_dirs='skip') == ['b.dat', 'sub/c.txt']


def make_zip(path, members):
    with zipfile.ZipFile(path, 'w') as archive:
        for name, text, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, text)


def test_unzip(tmp_path):
    path = str(tmp_path / 'tool-1.0.zip')
    make_zip(path, [('bin/tool', '#!/bin/sh', 0o104755), ('doc/', '', 0o40755), ('doc/a.txt', 'a', 0), ('b.txt', 'b', 0o100644)])
    assert names(str(tmp_path / 'tool-1.0'), unzip(path)) == ['b.txt', 'bin/tool', 'doc', 'doc/a.txt']
    assert stat.S_IMODE((tmp_path / 'tool-1.0' / 'bin' / 'tool').stat().st_mode) == 0o755
    got = unzip(path, str(tmp_path / 'other'), filenames='*.txt')
    assert names(str(tmp_path / 'other'), got) == ['b.txt', 'doc/a.txt']
    assert names(str(tmp_path / 'other'), all_files(str(tmp_path / 'other'))) == ['b.txt', 'doc/a.txt']


@pytest.mark.parametrize('name,mode', [('../x', 0), ('a/../../x', 0), ('/abs', 0), ('\\abs', 0), ('a\\..\\x', 0),
                                       ('link', 0o120777), ('device', 0o020666)])
def test_unzip_refuses_what_leaves_the_target_before_it_writes(tmp_path, name, mode):
    path = str(tmp_path / 'bad.zip')
    make_zip(path, [('good.txt', 'x', 0), (name, '/etc/passwd', mode)])
    with pytest.raises(EWaptSetupException, match='unsafe'):
        unzip(path)
    assert os.listdir(tmp_path) == ['bad.zip']


def test_digest_and_space(tmp_path):
    (tmp_path / 'f').write_bytes(b'abc')
    abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert get_sha256(str(tmp_path / 'f')) == get_sha256(afile=str(tmp_path / 'f'), BLOCK_SIZE=1) == abc
    assert get_disk_free_space(str(tmp_path)) > 0
    os.utime(tmp_path / 'f', (86400, 86400))
    assert fileisodate(str(tmp_path / 'f')).startswith('1970-01-')


def test_json_files(tmp_path):
    path = str(tmp_path / 'x.json')
    json_write_file(path, {'b': 'é', 'a': [1]}, sort_keys=True)
    assert json_load_file(path) == {'a': [1], 'b': 'é'} and 'é' in (tmp_path / 'x.json').read_text()
    os.chmod(path, 0o600)
    with pytest.raises(TypeError):
        json_write_file(path, object())
    json_write_file(path, 5, newline='\r\n')
    assert (tmp_path / 'x.json').read_bytes() == b'5\r\n' and stat.S_IMODE(os.stat(path).st_mode) == 0o600
    link = tmp_path / 'link'
    link.symlink_to('x.json')
    json_write_file(str(link), 6)
    assert link.is_symlink() and json.loads((tmp_path / 'x.json').read_text()) == 6
    assert sorted(os.listdir(tmp_path)) == ['link', 'x.json']


INI = '''; head
[one]
Key = a
  ; not a comment for us: an indented line
other: b = c

[two]
# comment
k=1
multi = x
\ty
k=2
empty =
'''


@pytest.fixture
def ini(tmp_path):
    path = tmp_path / 'x.ini'
    path.write_text(INI)
    return str(path)


@pytest.mark.parametrize('section,key,expected', [
    ('one', 'key', 'a\n; not a comment for us: an indented line'), ('one', 'OTHER', 'b = c'), ('two', 'k', '2'),
    ('two', 'multi', 'x\ny'), ('two', 'empty', ''), ('two', 'key', None), ('One', 'key', None), ('none', 'k', None),
    ('two', '# comment', None)])
def test_ini_read(ini, section, key, expected):
    assert inifile_readstring(ini, section, key) == expected
    assert inifile_hasoption(ini, section, key) is (expected is not None)
    if expected is None:
        assert inifile_readstring(ini, section, key, 'dflt') == 'dflt'


def read(path):
    with open(path, newline='') as source:
        return source.read()


def test_ini_write_changes_one_line(ini):
    inifile_writestring(ini, 'two', 'MULTI', 'z')
    assert read(ini) == INI.replace('multi = x\n\ty', 'MULTI = z')
    inifile_writestring(ini, 'one', 'new', 5)
    assert 'other: b = c\nnew = 5\n\n[two]' in read(ini)
    inifile_writestring(ini, 'three', 'k', 'line1\nline2')
    assert read(ini).endswith('empty =\n\n[three]\nk = line1\n\tline2\n')
    assert inifile_readstring(ini, 'three', 'k') == 'line1\nline2'


def test_ini_write_makes_the_file(tmp_path):
    path = str(tmp_path / 'new.ini')
    inifile_writestring(path, 'global', 'repo_url', 'https://x/?a=b;c')
    assert read(path) == '[global]\nrepo_url = https://x/?a=b;c\n'
    assert inifile_readstring(path, 'global', 'REPO_URL') == 'https://x/?a=b;c'


def test_ini_keeps_line_ends_marks_and_other_encodings(tmp_path):
    path = tmp_path / 'win.ini'
    path.write_bytes(b'\xef\xbb\xbf[a]\r\nk=\xe9\r\n')
    inifile_writestring(str(path), 'a', 'n', 'v')
    inifile_writestring(str(path), 'b', 'n', 'v')
    assert path.read_bytes() == b'\xef\xbb\xbf[a]\r\nk=\xe9\r\nn = v\r\n\r\n[b]\r\nn = v\r\n'
    assert inifile_readstring(str(path), 'a', 'n') == 'v'


def test_ini_delete(ini):
    assert inifile_deleteoption(ini, 'two', 'k') is True and not inifile_hasoption(ini, 'two', 'k')
    assert inifile_deleteoption(ini, 'two', 'k') is True and inifile_deleteoption(ini, 'none', 'k') is False
    assert inifile_hasoption(ini, 'two', 'multi')
    assert inifile_deletesection(ini, 'one') is True and not inifile_hassection(ini, 'one')
    assert read(ini).startswith('; head\n[two]\n# comment\nmulti')
    assert inifile_deletesection(ini, 'one') is True


@pytest.mark.parametrize('section,key,value', [('a]b', 'k', 'v'), ('', 'k', 'v'), ('a\nb', 'k', 'v'), ('a', '', 'v'),
                                               ('a', 'k=x', 'v'), ('a', '#k', 'v'), ('a', ' k', 'v'), ('a', 'k\nx', 'v'),
                                               ('a', '[k', 'v'), ('a', 'k', 'x\n\n[evil]'), ('a', 'k ', 'v')])
def test_ini_refuses_what_would_read_back_otherwise(ini, section, key, value):
    with pytest.raises(ValueError):
        inifile_writestring(ini, section, key, value)
    assert read(ini) == INI


@pytest.mark.parametrize('value', ['', 'plain', 'a = b', '[x]', '# x', 'x\n[y]', 'x\r\ny', ' x', 'x\x0by', 'x\x85y'])
def test_ini_what_is_written_is_read_back(ini, value):
    inifile_writestring(ini, 'two', 'n', value)
    lines = [line.strip() for line in value.splitlines()]
    assert inifile_readstring(ini, 'two', 'n') == '\n'.join(lines)
    assert not inifile_hassection(ini, 'y') and inifile_readstring(ini, 'two', 'k') == '2'
