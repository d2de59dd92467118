"""The server's description of its API, held to what OpenAPI 3.1 asks of one, and its answers held to the description."""
import json
import re

import jsonschema

TEXT, FLAG = {"type": "string", "minLength": 1}, {"type": "boolean"}


def exactly(needed, /, **properties):
    return {"type": "object", "required": needed, "additionalProperties": False, "properties": properties}


# What we use of OpenAPI 3.1, and nothing beside: a misspelt member is refused, where OpenAPI itself would take it for an extension.
CONTENT = {"type": "object", "minProperties": 1, "patternProperties": {"^[a-z]+/[a-z-]+$": exactly(["schema"], schema={"type": "object"})}, "additionalProperties": False}
BODY = exactly(["description", "content"], description=TEXT, content=CONTENT)
CALL = exactly(
    ["summary", "description", "operationId", "parameters", "responses"], summary=TEXT, description=TEXT, operationId={"type": "string", "pattern": "^[a-z][a-z0-9_]+$"},
    security={"type": "array", "items": {"type": "object"}},
    parameters={"type": "array", "uniqueItems": True, "items": exactly(["name", "in", "schema"], **{
        "name": TEXT, "in": {"enum": ["path", "query"]}, "required": FLAG, "description": TEXT, "schema": exactly(["type"], type={"enum": ["string", "integer"]})})},
    requestBody=exactly(["required", "description", "content"], required=FLAG, description=TEXT, content=CONTENT),
    responses=exactly(["200", "default"], **{"200": BODY, "default": BODY}))
SCHEMA = exactly(
    ["openapi", "info", "paths", "security", "components"], openapi={"const": "3.1.0"}, info=exactly(["title", "version"], title=TEXT, version=TEXT),
    paths={"type": "object", "patternProperties": {"^/": {"type": "object", "minProperties": 1, "additionalProperties": False,
                                                            "patternProperties": {"^(get|put|post|delete)$": CALL}}}, "additionalProperties": False},
    security={"const": [{"session": []}]},
    components=exactly(["securitySchemes", "schemas"], securitySchemes={"const": {"session": {"type": "http", "scheme": "bearer"}}},
                       schemas={"type": "object", "propertyNames": {"pattern": "^[A-Z][A-Za-z]+$"}}))


def refs(j):
    if isinstance(j, dict):
        yield from (v for k, v in j.items() if k == "$ref")
        for v in j.values():
            yield from refs(v)
    elif isinstance(j, list):
        for v in j:
            yield from refs(v)


def check(description):
    """Tells all that is wrong at once."""
    wrong = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in jsonschema.Draft202012Validator(SCHEMA).iter_errors(description)]
    schemas, used = description["components"]["schemas"], set(refs(description))
    wrong += [f"{ref}: not described, or not used" for ref in used ^ {f"#/components/schemas/{name}" for name in schemas}]
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        known = schema.get("properties", {})
        wrong += [f"{name}: requires '{r}', and does not say what it is" for r in schema.get("required", ()) if r not in known]
        wrong += [f"{name}.{k}: no type" for k, p in known.items() if not {"type", "$ref", "enum", "const"} & set(p)]
    names = [call["operationId"] for calls in description["paths"].values() for call in calls.values()]
    wrong += [f"{n}: twice" for n in names if names.count(n) > 1]
    for path, calls in description["paths"].items():
        for method, call in calls.items():
            places = [p["name"] for p in call["parameters"] if p["in"] == "path"]
            known = [p["name"] for p in call["parameters"]]
            if places != re.findall(r"\{(\w+)\}", path) or not all(p.get("required") for p in call["parameters"] if p["in"] == "path"):
                wrong.append(f"{method} {path}: what stands in the path")
            if len(set(known)) != len(known):
                wrong.append(f"{method} {path}: a parameter twice")
    assert not wrong, "\n".join(wrong)


class Api:
    """Judges answers."""

    def __init__(self, description):
        self.description = description
        self.calls = [(method.upper(), path, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), call)
                      for path, calls in description["paths"].items() for method, call in calls.items()]

    def find(self, method, path):
        return next((call for m, _, pattern, call in self.calls if m == method and pattern.fullmatch(path.split("?")[0])), None)

    def judge(self, method, path, status, head, body):
        call = self.find(method, path)
        kind = re.search(r"(?mi)^content-type: ([^;\r\n]+)", head)
        if call is None or not kind:
            return
        content = call["responses"]["200" if status == 200 else "default"]["content"]
        if path == "/readyz" and status == 503:
            content = call["responses"]["200"]["content"]
        assert kind[1] in content, (method, path, status, kind[1])
        if kind[1] == "application/json":
            schema = dict(content[kind[1]]["schema"], components=self.description["components"])
            jsonschema.Draft202012Validator(schema).validate(json.loads(body))


STRICT = ("X-Content-Type-Options: nosniff", "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'", "Referrer-Policy: no-referrer",
          "Strict-Transport-Security: max-age=31536000")


def judge_head(path, head):
    for line in STRICT:
        assert f"\r\n{line}\r\n" in head + "\r\n", (path, line, head)
    if not path.startswith(("/wapt/", "/wapt-host/")):
        assert "\r\nCache-Control: no-store\r\n" in head + "\r\n", (path, head)
