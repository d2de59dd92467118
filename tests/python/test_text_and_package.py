"""Lists, dates, versions and control files: the small rules that packages lean on."""

import datetime

import pytest

from setuphelpers import *
from setuphelpers.package import parse_control, parse_requirement, version_matches


@pytest.mark.parametrize('value,expected', [
    ('a, b,,c ', ['a', 'b', 'c']), ('', []), (None, []), (['x', ''], ['x', '']), (('x',), ['x']), (5, [5]),
    (b'a,b', ['a', 'b']), ((c for c in 'ab'), ['a', 'b'])])
def test_ensure_list(value, expected):
    assert ensure_list(value) == expected


def test_ensure_list_options():
    assert ensure_list(None, allow_none=True) is None
    assert ensure_list('a,,b', ignore_empty_args=False) == ['a', '', 'b']
    given = ['a']
    assert ensure_list(given) is not given


@pytest.mark.parametrize('value,expected', [
    ('é', 'é'), ('é'.encode(), 'é'), ('é'.encode('cp1252'), 'é'), (b'\x81', '\ufffd'), (None, None), (5, '5'),
    (ValueError('x'), 'x')])
def test_ensure_unicode(value, expected):
    assert ensure_unicode(value) == expected


def test_dates():
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678)
    assert datetime2isodate(moment) == '2026-01-02T03:04:05.000678'
    assert isodate2datetime('2026-01-02T03:04:05.000678') == moment.replace(microsecond=0)
    assert dateof(moment) == datetime.datetime(2026, 1, 2)
    assert time2display(moment) == '2026-01-02 03:04'
    assert httpdatetime2isodate('Fri, 02 Jan 2026 03:04:05 GMT') == '2026-01-02T03:04:05'
    assert hours_minutes(1.5) == '01:30' and hours_minutes(None) is None and hours_minutes(0.999) == '01:00'
    assert len(currentdate()) == 8 and currentdatetime()[8] == '-'
    with pytest.raises(ValueError):
        httpdatetime2isodate('yesterday')


def test_error():
    with pytest.raises(EWaptSetupException, match='^Fatal error : no licence$'):
        error('no licence')


# a, b, members, -1 a is below b, 0 equal, 1 above
VERSIONS = [
    ('7', '7.1', None, -1), ('1', '1.0', None, -1), ('0.10.2', '0.2.5', None, 1), ('2019.1b', '2019.1c', None, -1),
    ('1.0-1', '1.0-02', None, -1), ('1.0rc1-1', '1.0-1', None, 1), ('1.a', '1.1', None, 1),
    ('1.0.0.0-0', '1.0', None, 1), ('1', '1.0', 2, 0), ('10.0.19045', '10.0', 2, 0), ('1.0A', '1.0a', None, 0),
    ('1.01', '1.1', None, 0)]


@pytest.mark.parametrize('a,b,members,expected', VERSIONS)
def test_version(a, b, members, expected):
    left, right = Version(a, members), Version(b, members)
    assert [left < right, left == right, left > right] == [expected < 0, expected == 0, expected > 0]
    assert [left < b, left == b, left > b] == [expected < 0, expected == 0, expected > 0]
    if expected == 0:
        assert hash(left) == hash(right)


def test_version_text():
    assert str(Version('1. 2')) == '1.2' and str(Version('1.2.3', 2)) == '1.2' and str(Version((10, 0))) == '10.0'
    assert Version(Version('1.2')) == '1.2' and Version('1') > None


@pytest.mark.parametrize('version,operator,wanted,expected', [
    ('1.2.3-4', '>', '1.2', True), ('1.2.3-4', '=', '1.2', False), ('1.2.3-4', '=', '1.2.3', True),
    ('1.2.3-4', '=', '1.2-4', False), ('1.2.0-4', '==', '1.2-4', True), ('1.2-5', '>', '1.2', False),
    ('1.0-9', '<', '1.0-10', True), ('1.0', '<', '1.0-0', True), ('1.2-5', '>=', '1.2', True),
    ('1.2-5', '<=', '1.2', True), ('1.2.3.4.5-1', '=', '1.2.3.4.6-1', True)])
def test_requirement_versions(version, operator, wanted, expected):
    assert version_matches(version, operator, wanted) is expected


@pytest.mark.parametrize('text,expected', [
    ('tis-a', ('tis-a', None, None)), ('tis-a (>= 1.2 )', ('tis-a', '>=', '1.2')), ('a(=1-2)', ('a', '=', '1-2'))])
def test_parse_requirement(text, expected):
    assert parse_requirement(text) == expected


@pytest.mark.parametrize('text', ['a(1.2)', 'a(=)', 'a(=1)(x)', ''])
def test_requirements_that_are_none(text):
    with pytest.raises(EWaptException):
        parse_requirement(text)


def test_control_text():
    text = 'Package : a\n b\n  c \nKey:v:w\n\nafter: z'
    assert parse_control(text) == {'package': 'a\nb\nc', 'key': 'v:w'}
    for bad in ('no colon', ' continued'):
        with pytest.raises(EWaptException):
            parse_control(bad)


def test_package_entry(tmp_path):
    entry = PackageEntry('tis-a', '1.2-3', depends='x,y', calculated=5)
    assert entry['package'] == entry.package == 'tis-a' and entry.get('nothing', 7) == 7 and 'Depends' in entry
    assert entry.architecture == 'all' and entry.section == 'base' and entry.priority == 'optional' and entry.name == ''
    assert entry.asrequirement() == 'tis-a (=1.2-3)' and entry.get_software_version() == '1.2'
    with pytest.raises(KeyError):
        entry['nothing']
    entry.set_software_version('2.0')
    assert entry.version == '2.0-3'
    entry.set_software_version('2.1', inc_build=True)
    assert entry.version == '2.1-4'
    assert PackageEntry(get='evil').get('get') is None


def test_control_is_saved_as_written_by_the_agents_tools(tmp_path):
    (tmp_path / 'WAPT').mkdir()
    (tmp_path / 'WAPT' / 'control').write_text('package: tis-a\nversion: 1-2\ndescription: one\n two\nsignature: old')
    entry = PackageEntry().load_control_from_wapt(str(tmp_path))
    assert entry.description == 'one\ntwo' and entry.signature == 'old'
    entry.version = '1-3'
    entry.save_control_to_wapt(str(tmp_path))
    lines = (tmp_path / 'WAPT' / 'control').read_text().split('\n')
    assert lines[:3] == ['package           : tis-a', 'version           : 1-3', 'architecture      : all']
    assert 'description       : one' in lines and ' two' in lines and 'name              : ' in lines
    assert not [line for line in lines if line.startswith('sign')]
    entry.description = 'one\n\nlost'
    with pytest.raises(EWaptException, match='blank line'):
        entry.save_control_to_wapt(str(tmp_path))
    assert [item.name for item in (tmp_path / 'WAPT').iterdir()] == ['control']
    with pytest.raises(EWaptException, match='no folder WAPT'):
        entry.save_control_to_wapt(str(tmp_path / 'WAPT'))
