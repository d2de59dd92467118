"""WAPT's module of this name, as far as setup scripts import it: from waptpackage import PackageEntry."""

from setuphelpers import (
    EWaptBadSignature, EWaptConflictingPackage, EWaptCorruptedFiles, EWaptDiskSpace, EWaptException, EWaptInstallError, EWaptNeedsNewerAgent,
    EWaptUnavailablePackage, PackageEntry, Version)

__all__ = ['EWaptBadSignature', 'EWaptConflictingPackage', 'EWaptCorruptedFiles', 'EWaptDiskSpace', 'EWaptException', 'EWaptInstallError',
           'EWaptNeedsNewerAgent', 'EWaptUnavailablePackage', 'PackageEntry', 'Version']
