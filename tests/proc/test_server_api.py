"""The API as it is described: the description itself, every call of it, and the examples for integrators."""
import base64
import contextlib
import http.client
import json
import os
import re
import ssl
import subprocess
import time
from types import SimpleNamespace
from urllib.parse import quote

import pytest

import openapi
from conftest import BIN, ROOT, run
from test_f1_machine import machine_of_ours, send
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


def test_a_token_is_taken_from_its_header_alone(srv):
    """Not from an address, which logs and histories keep, nor from what browsers send by themselves, nor a name from who claims to stand in front."""
    token, login = srv.token(), base64.b64encode(f"admin:{srv.password}".encode()).decode()
    for path in ("/api/v1/hosts", "/api/v1/session", "/api/v1/events", "/api/v1/uploads"):
        method = "POST" if path.endswith("uploads") else "GET"
        for name in ("token", "access_token", "authorization", "Authorization", "session", "bearer", "user"):
            assert srv.call(method, f"{path}?{name}={token}")[0] == 401, (path, name)
        for header in (f"Cookie: token={token}", f"Cookie: session={token}", f"Authorization: Basic {login}", f"Authorization: {token}", f"Authorization: Token {token}",
                       f"X-Auth-Token: {token}", f"X-API-Key: {token}", f"Proxy-Authorization: Bearer {token}", "X-Remote-User: admin", "X-Forwarded-User: admin",
                       "Remote-User: admin", "X-SSL-Client-Verify: SUCCESS", "X-SSL-Client-S-DN: CN=admin", "X-Ssl-Authenticated-Client-Cn: admin"):
            assert srv.call(method, path, headers=[header])[0] == 401, (path, header.split(":")[0])
    assert srv.call("GET", "/api/v1/hosts", token=token)[0] == 200
    assert token not in srv.log() and srv.password not in srv.log()


NOBODY = "zz-nobody"  # what is found nowhere
INJECTED = ("'", "' OR '1'='1", "' OR 1=1 --", "\\' OR 1=1 --", '" OR ""="', "') UNION SELECT 1 --", "'; DELETE FROM hosts; --", "1; DROP TABLE hosts", "$1", "?1", ":a", "%", "_" * 9,
            "\\", "1 OR 1=1", "0x31", "E'\\x27'", "$$x$$", "' || (SELECT password FROM users) || '", "\u02bc OR 1=1", "a\0' OR 1=1")


def all_parameters(srv, token, ask, wrong):
    api = openapi.Api(json.loads(srv.call("GET", "/api/v1/openapi.json", token=token)[1]))
    for method, path, _, call in api.calls:
        if not path.startswith("/api/v1/") or path in ("/api/v1/events", "/api/v1/session"):
            continue
        for name in (p["name"] for p in call["parameters"] if method == "GET" and p["in"] == "query"):
            at = re.sub(r"\{\w+\}", "sql-1", path)
            nothing = ask(method, f"{at}?{name}={NOBODY}", NOBODY)
            for text in INJECTED:
                status, body = ask(method, f"{at}?{name}={quote(text)}", text)
                if status == 200 and body.count(b"sql-1") > nothing[1].count(b"sql-1"):
                    wrong.append(f"{path}?{name}={text}: found {body[:300]}")
        for text in INJECTED if "{" in path else ():
            status, body = ask(method, re.sub(r"\{\w+\}", quote(text, safe=""), path), text)
            if status == 200 and b"sql-1" in body:
                wrong.append(f"{method} {path} of {text}: found {body[:300]}")


def test_sql_in_every_parameter(srv):
    """What stands in an address is a value: it finds no more than a word that is nowhere, it changes nothing, and no answer tells of a database."""
    token = srv.token()
    key, cert = machine_of_ours("sql-1")
    given = run(BIN / "waptserver", "enrol-token", "--config", srv.dir / "waptserver.ini", "--uses", "1").stdout.strip()
    if not any(h["uuid"] == "sql-1" for h in json.loads(srv.call("GET", "/api/v1/hosts", token=token)[1])["hosts"]):
        at = SimpleNamespace(url=f"https://127.0.0.1:{srv.port}")
        status, text = send(at, "/agent/v1/register", key, {"purpose": "wapt-register", "uuid": "sql-1", "seq": 1, "time": int(time.time()), "certificate": cert,
                                                            "credential": {"kind": "token", "token": given}})
        assert status == 200, text
    before = srv.call("GET", "/api/v1/hosts", token=token)[1]
    assert b"sql-1" in before
    wrong, asked = [], 0

    with contextlib.closing(http.client.HTTPSConnection("127.0.0.1", srv.port, timeout=30, context=ssl._create_unverified_context())) as line:
        def ask(method, path, text):
            nonlocal asked
            asked += 1
            line.request(method, path, headers={"Authorization": f"Bearer {token}"})
            answer = line.getresponse()
            body = answer.read()
            told = body.decode().replace(json.dumps(text, ensure_ascii=False)[1:-1], "")
            if answer.status >= 500 or re.search(r"(?i)syntax error|sqlite|near \"|pg_|relation|unrecogni[sz]ed token|SELECT ", told):
                wrong.append(f"{method} {path}: {answer.status} {told[:300]}")
            return answer.status, body
        all_parameters(srv, token, ask, wrong)

    assert not wrong, "\n".join(wrong[:40])
    assert asked > 1000 and srv.call("GET", "/api/v1/hosts", token=token)[1] == before
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
