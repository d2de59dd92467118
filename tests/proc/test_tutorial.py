"""docs/tutorial.md: every command in it, run as it stands on a machine of its own (an overlay of this one, in namespaces)."""
import os
import pathlib
import subprocess

from conftest import ROOT

BUILD = pathlib.Path(os.environ.get("WAPT_TEST_BIN", ROOT / "build/bin")).parent


def test_every_command_of_the_tutorial(tmp_path):
    assert os.geteuid() == 0, "this test needs root"
    machine = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--propagation", "private",
               ROOT / "tools/demo/machine.sh", BUILD, ROOT, tmp_path, ROOT / "tests/proc/tutorial.sh"]
    done = subprocess.run(list(map(str, machine)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=600, start_new_session=True, check=False)
    assert done.returncode == 0 and done.stdout.endswith("the tutorial is true\n"), done.stdout[-6000:]
