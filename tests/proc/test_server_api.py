"""The API as it is described: the description itself, every call of it, and the examples for integrators."""
import json
import re

import pytest

import openapi

from test_server_hostile import Server


@pytest.fixture(scope="module")
def srv(org):
    s = Server(org, "server-api", "fronts = 1\nmetrics_addresses = 127.0.0.1")
    yield s
    s.stop()


def test_the_description_is_openapi(srv):
    status, body, _ = srv.call("GET", "/api/v1/openapi.json", token=srv.token())
    assert status == 200
    openapi.check(json.loads(body))


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
            if (status >= 500 and path != "/readyz") or (query == "?strange=1" and not 400 <= status < 500):
                wrong.append(f"{method} {path}{query}: {status} {body}")
            if query in tables and status == 200 and "text/csv" not in head:
                wrong.append(f"{path}: no table")
        if srv.call("GET", "/api/v1/session", token=token)[0] != 200:
            token = srv.token()
    assert not wrong, "\n".join(wrong)
    assert srv.died() == 0
