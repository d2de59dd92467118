"""The API as it is described: the description itself, every call of it, and the examples for integrators."""
import contextlib
import json
import os
import re
import subprocess

import pytest

import openapi
from conftest import ROOT
from test_server_hostile import Server
from test_server_postgres import Postgres


@pytest.fixture(scope="module", params=("sqlite", "postgres"))
def srv(request, org):
    """The same calls over either database."""
    with contextlib.ExitStack() as stack:
        setup = ()
        if request.param == "postgres":
            pg = Postgres()
            stack.callback(pg.remove)
            stack.callback(pg.stop)
            setup = ("--database", pg.url)
        s = Server(org, f"server-api-{request.param}", "fronts = 64\nmetrics_addresses = 127.0.0.1", setup=setup)
        stack.callback(s.stop)
        yield s


def test_the_description_is_openapi(srv):
    status, body, _ = srv.call("GET", "/api/v1/openapi.json", token=srv.token())
    assert status == 200
    openapi.check(json.loads(body))


FRONTS = ("/ping", "/healthz")  # answered before anybody looks at a query


def test_what_fronts_answer_is_described(srv):
    paths = json.loads(srv.call("GET", "/api/v1/openapi.json", token=srv.token())[1])["paths"]
    for path in (*FRONTS, "/readyz", "/metrics"):
        assert list(paths[path]) == ["get"] and paths[path]["get"]["security"] == [], path
        assert srv.call("GET", path)[0] == 200, path  # which the call holds to the description
    assert not any(path.startswith("/agent/") for path in paths)


def test_every_call(srv):
    """Without a session: 401 or an open call. With one and nothing else: whatever it is, in the described form, with strict headers (srv.call looks)."""
    api = openapi.Api(json.loads(srv.call("GET", "/api/v1/openapi.json", token=srv.token())[1]))
    assert len(api.calls) > 40
    token, wrong = srv.token(), []
    for method, path, _, call in api.calls:
        if path == "/api/v1/events" or (method, path) == ("DELETE", "/api/v1/session"):
            continue
        at = re.sub(r"\{\w+\}", "none", path)
        tables = ["?format=csv"] if any(p["name"] == "format" for p in call["parameters"]) else []
        for query, mine in (("", None), ("", token), ("?strange=1", token), *((t, token) for t in tables)):
            try:
                status, body, head = srv.call(method, at + query, token=mine)
            except Exception as e:  # not as described
                wrong.append(f"{method} {path}{query}: {str(e)[:400]}")
                continue
            if not mine and "security" not in call and (status != 401 or json.loads(body)["error"]["code"] != "auth"):
                wrong.append(f"{method} {path}: {status} without a session")
            if (status >= 500 and path != "/readyz") or (query == "?strange=1" and path not in FRONTS and not 400 <= status < 500):
                wrong.append(f"{method} {path}{query}: {status} {body}")
            if query in tables and status == 200 and "text/csv" not in head:
                wrong.append(f"{path}: no table")
        if srv.call("GET", "/api/v1/session", token=token)[0] != 200:
            token = srv.token()
    assert not wrong, "\n".join(wrong)
    assert srv.died() == 0


GUIDE = (ROOT / "docs/api.md").read_text(encoding="utf-8")


def test_the_guides_examples(srv, tmp_path):
    script = "set -euo pipefail\n" + "".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.S)) + "echo all of it\n"
    env = dict(os.environ, URL=f"https://127.0.0.1:{srv.port}", CA=str(srv.dir / "private/tls.crt"), PASSWORD=srv.password)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.endswith("all of it\n"), done.stdout[-2000:] + done.stderr[-2000:]
    assert '"uuid","name"' in done.stdout and "wapt_hosts_reachable 0" in done.stdout


def test_the_guide_names_calls_that_exist(srv):
    paths = json.loads(srv.call("GET", "/api/v1/openapi.json", token=srv.token())[1])["paths"]
    ours = [row.split("|")[2] for row in GUIDE.splitlines() if row.startswith("| ")]
    named = {name for cell in ours for name in re.findall(r"`(?:[A-Z]+ )?(/api/v1/[^`?]+)`", cell)}
    assert len(named) > 8 and named <= set(paths), named - set(paths)
