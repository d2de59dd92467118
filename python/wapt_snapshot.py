"""The administrator's own commands around a package's install(): take a snapshot, or go back to one.

The command comes from the machine's wapt-get.ini. It is split into words as a shell would, but no shell sees it; what a package
says of itself stands in its environment only. The last line that the first command prints names the snapshot.
"""

import os
import shlex
import subprocess
import sys

HOOKS = ('snapshot', 'undo')
PRINTED_MAX = 65536  # bytes looked at for the name


def run(request):
    """Run the request's command and return the result for the agent."""
    result = {'status': 'ERROR', 'returned': None, 'error': None}
    try:
        words = shlex.split(request.get('command') or '')
        if not words or not words[0].startswith('/'):
            raise ValueError('the command does not begin with the absolute path of a program')
        environment = {name: os.environ[name] for name in ('PATH', 'LANG', 'HOME') if name in os.environ}
        environment.update((name, str(value)) for name, value in (request.get('environment') or {}).items() if name.startswith('WAPT_'))
        returned, printed = execute(words, environment)
    except (OSError, ValueError) as failure:
        result['error'] = str(failure)
        return result
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    if returned != 0:
        result['error'] = '%s ended with status %d' % (words[0], returned)
    elif request['hook'] == 'snapshot' and not lines:
        result['error'] = '%s printed no name of a snapshot' % words[0]
    else:
        result.update(status='OK', returned=lines[-1][:1024] if lines else '')
    return result


def execute(words, environment):
    """Return the exit status and the end of what was printed, which goes on to our own output too."""
    printed = b''
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd='/', env=environment) as child:
        while True:
            data = os.read(child.stdout.fileno(), 65536)
            if not data:
                break
            printed = (printed + data)[-PRINTED_MAX:]
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    return child.returncode, printed.decode('utf-8', 'replace')
