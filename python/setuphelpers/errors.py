"""The exceptions that setup scripts raise and catch, under WAPT's names.

Nothing here decides anything: the runner reports every exception as ERROR with
its class name and text. The fields of EWaptInstallError are kept, not acted on.
"""

import subprocess


class EWaptException(Exception):
    """Base of all errors of the engine."""


class EWaptSetupException(EWaptException):
    """A setup script or one of its helpers could not do its work."""


class EWaptInstallError(EWaptException):
    """Installing failed; carries the status and the retries a script asks for."""

    def __init__(self, msg='', install_status='ERROR', retry_count=None):
        super().__init__(msg)
        self.install_status = install_status
        self.retry_count = retry_count


class EWaptInstallPostponed(EWaptInstallError):
    """The package can't be installed now and should be tried later."""

    def __init__(self, msg='', install_status='POSTPONED', retry_count=5):
        super().__init__(msg, install_status, retry_count)


class EWaptNeedsNewerAgent(EWaptException):
    """The package needs a newer agent."""


class EWaptBadTargetOS(EWaptException):
    """The package is not meant for this operating system."""


class EWaptDiskSpace(EWaptException):
    """There is not enough free space."""


class EWaptUnavailablePackage(EWaptException):
    """A package that is needed can't be found or installed."""


class EWaptConflictingPackage(EWaptException):
    """A package that is installed excludes this one."""


class EWaptBadSignature(EWaptException):
    """A signature does not hold."""


class EWaptCorruptedFiles(EWaptException):
    """A file does not have the digest it should have."""


class EWaptMissingCertificate(EWaptException):
    """No certificate is known that could be used."""


class CalledProcessErrorOutput(subprocess.CalledProcessError):
    """A command ended with a status that is not accepted; the text includes its output."""

    def __str__(self):
        return '%s\nOutput: %s' % (super().__str__(), self.output)


class TimeoutExpired(subprocess.TimeoutExpired):
    """A command did not end in time and was killed; the text includes its output so far."""

    def __init__(self, cmd, output=None, timeout=None):
        super().__init__(cmd, timeout, output=output)

    def __str__(self):
        return 'Command %r did not end within %s seconds and was killed\nOutput: %s' % (
            self.cmd, self.timeout, self.output)
