"""docs/json.md is the schema of --json: each command there is run, and says what is told there; each command of the programs is there."""
import json
import re
import sys

import jsonschema
from conftest import BIN, ROOT, manager, run, totp, until
from test_packager import make_exe, make_msix
from test_server_certificates import Issuer
from test_server_hostile import Server
from test_server_webhooks import receiver

sys.path.insert(0, str(ROOT / "tools"))
import json_schema  # noqa: E402

DOCS = (ROOT / "docs/json.md").read_text(encoding="utf-8")
SCHEMA = json_schema.whole(DOCS)
OUTSIDE = {"wapt-get sources"}  # what it talks to is https of the world outside
ENDLESS = {"wapt-get events", "waptconsole open", "waptselfservice", "waptserver run", "waptservice run", "waptservice launcher", "waptservice manager"}  # they serve until they are ended


def commands():
    """Every command of every program, as its --help tells."""
    found = set()
    for program in ("wapt-get", "wapt-repo", "wapt-scanpackages", "wapt-signpackages", "waptconsole", "waptexit", "waptselfservice", "waptserver", "waptservice"):
        text = run(BIN / program, "--help").stdout
        names = re.findall(r"^  ([a-z][a-z0-9-]+) ", text.split("General options")[0], re.M) if "Commands:" in text else []
        found |= {f"{program} {name}" for name in names} or {program}
    return found


def differences(shape, value, where):
    """What of value is not as shape tells."""
    if isinstance(shape, str) and shape.endswith(" or null"):
        return [] if value is None else differences(shape[:-8], value, where)
    if isinstance(shape, str):
        kinds = {"text": str, "number": int, "flag": bool, "any": object}
        good = isinstance(value, kinds[shape]) and not (shape == "number" and isinstance(value, bool))
        return [] if good else [f"{where}: {value!r} is no {shape}"]
    if type(shape) is not type(value):
        return [f"{where}: {value!r} is not as {shape!r}"]
    if isinstance(shape, list):
        return [d for i, v in enumerate(value) for d in differences(shape[0], v, f"{where}[{i}]")]
    if isinstance(shape, dict):
        known = {k.rstrip("?"): s for k, s in shape.items()}
        out = [f"{where}: no {k!r}" for k in shape if not k.endswith("?") and k != "*" and k not in value]
        for k, v in value.items():
            out += differences(known.get(k, known.get("*")), v, f"{where}.{k}") if k in known or "*" in known else [f"{where}: {k!r} is not told"]
        return out
    return []


def people(org, keep):
    """One's own token and second factor, as a user of its own."""
    secret, code = org.base / "admin.pw", org.base / "json/code"
    org.console("user", "add", "json", "--new-password-file", secret)
    keep("waptconsole user", org.console("user", "list", "--json"))
    mine = ("--user", "json", "--json")
    made = keep("waptconsole token make", org.console("token", "make", "robot", "--right", "view", *mine))
    keep("waptconsole token", org.console("token", "list", *mine))
    keep("waptconsole sessions", org.console("sessions", *mine))
    keep("waptconsole password", org.console("password", "--new-password-file", secret, *mine))
    org.console("token", "revoke", made["id"], *mine)
    lets = Server(org, "server-json", "fronts = 1\ncertificate_login = 1")
    try:
        there = ("--server", f"https://127.0.0.1:{lets.port}", "--server-fingerprint", org.fingerprint(lets.dir / "private/tls.crt"), "--password-file", lets.dir / "admin.pw", "--json")
        (lets.dir / "admin.pw").write_text(lets.password + "\n")
        (lets.dir / "admin.pw").chmod(0o600)
        shown = Issuer(org.base / "json", "anybody").issue("admin")
        keep("waptconsole login-certificate add", run(BIN / "waptconsole", "login-certificate", "add", shown, *there))
        keep("waptconsole login-certificate", run(BIN / "waptconsole", "login-certificate", *there))
    finally:
        lets.stop()
    offer = keep("waptconsole second-factor", org.console("second-factor", "on", *mine))
    codes = keep("waptconsole second-factor confirm", org.console("second-factor", "confirm", totp(offer["secret"]), *mine))["recovery_codes"]
    code.write_text(codes[0] + "\n")
    code.chmod(0o600)
    org.console("second-factor", "off", totp(offer["secret"], 1), "--code-file", code, *mine)
    org.console("user", "remove", "json")


def answers(org):
    """Runs each command; {"wapt-get verify": result}."""
    base, got, pw = org.base / "json", {}, ("-w", org.base / "pw")
    signer = ("-k", org.cert("Developer"), *pw)
    deployer = ("-k", org.cert("Deployer"), *pw)
    base.mkdir()
    package = org.package("json-one", "1", "Developer", base / "marker")

    def keep(name, done):
        answer = json.loads(done.stdout)
        assert list(answer) == ["ok", "code", "error", "result"], name
        assert answer["ok"] == (done.returncode == 0) and (answer["error"] is None) == answer["ok"], (name, answer)
        jsonschema.Draft202012Validator(dict(SCHEMA, **{"$ref": "#/$defs/" + name.replace(" ", "%20")})).validate(answer)
        got.setdefault(name, []).append(answer["result"])
        return answer["result"]

    def get(command, *argv, ok=True):
        return keep(f"wapt-get {command}", org.get(command, "--json", *argv, ok=ok))

    def console(command, *argv, ok=True):
        return keep(f"waptconsole {command}", org.console(command, "--json", *argv, ok=ok))

    source = next((org.base / "src").glob("json-one-*"))
    get("create-keycert", "--common-name", "J", "--base-dir", base / "keys", "--no-private-key-passwd", "--key-bits", "2048")
    get("build-package", source, base / "nowhere", *signer, "-o", base, ok=False)
    get("sign-package", base / package.name, *signer)
    get("lint", source, base / "nowhere", ok=False)
    get("show", base / package.name)
    get("verify", "-t", org.base / "keys", base / package.name, base / "none.wapt", ok=False)
    get("make-template", "json-new", base / "new")
    get("make-template", make_msix(base), "json-app", base / "app")
    get("make-template", make_exe(base), "json-exe", base / "exe")
    get("make-template", base / "none.msix", "json-none", base / "no", ok=False)
    get("duplicate", base / "new", "json-again", "2-1", base / "again")
    get("edit", base / "again", "json-one")
    get("update-package-sources", base / "new", base / "none", ok=False)
    get("make-group-template", "json-group", "json-one", base / "group")
    get("make-host-template", org.uuid, "json-one", base / "host")
    get("make-selfservice-template", "json-shop", "team=json-one", "--folder", base / "shop")
    repository(org, base, base / "keys/J.crt", keep)
    keep("wapt-scanpackages", run(BIN / "wapt-scanpackages", "--json", base))
    keep("wapt-signpackages", run(BIN / "wapt-signpackages", "--json", "-c", org.cert("Developer"), *pw, "-s", base / package.name,
                                  base / "none.wapt", ok=False))
    keep("waptserver setup", run(BIN / "waptserver", "setup", "--json", "--dir", base / "server", "--admin-password-file", org.base / "admin.pw"))
    for argv in ((), ("list",)):
        keep(f"waptserver enrol-token {''.join(argv)}".strip(),
             run(BIN / "waptserver", "enrol-token", *argv, "--json", "--config", org.base / "server/waptserver.ini"))
    for argv in ((), ("head",), ("verify",)):
        keep(f"waptserver journal {''.join(argv)}".strip(),
             run(BIN / "waptserver", "journal", *argv, "--json", "--config", org.base / "server/waptserver.ini"))
    keep("waptserver import", run(BIN / "waptserver", "import", "--json", "--config", org.base / "server/waptserver.ini", "--from", "postgresql://127.0.0.1:1/none", ok=False))
    keep("waptserver journal export", run(BIN / "waptserver", "journal", "export", base / "journal.jsonl", "--json", "--config", org.base / "server/waptserver.ini"))
    keep("waptserver check", run(BIN / "waptserver", "check", "--json", "--config", org.base / "server/waptserver.ini", ok=None))
    keep("waptserver backup", run(BIN / "waptserver", "backup", "--json", "--config", org.base / "server/waptserver.ini", base / "server.zip"))
    keep("waptserver restore", run(BIN / "waptserver", "restore", "--json", "--dir", base / "server-again", base / "server.zip"))
    webhooks(org, keep)
    keep("waptserver user", run(BIN / "waptserver", "user", "--json", "--config", org.base / "server/waptserver.ini"))
    console("upload", package, base / "none.wapt", ok=False)
    console("import", package, "--trusted", org.agent / "ssl", "--dry-run")
    console("resign", "json-one", "--trusted", org.agent / "ssl", "--yes", *signer)
    console("promote", "json-one", "--trusted", org.agent / "ssl", "--from", "PROD", "--to", "DEV", "--dry-run")
    get("create-keycert", "--common-name", "K", "--base-dir", base / "keys", "--no-private-key-passwd", "--key-type", "p-256", "--request")
    keep("waptconsole sign-request", run(BIN / "waptconsole", "sign-request", base / "keys/K.csr", "-o", base / "K.crt", "--json", "--yes", "-k", org.cert("Authority"), *pw))
    keep("waptconsole key-password", run(BIN / "waptconsole", "key-password", base / "keys/K.pem", "--new-passwd", org.base / "pw", "--json"))
    keep("waptconsole key-export", run(BIN / "waptconsole", "key-export", *signer, "-o", base / "K.p12", "--new-passwd", org.base / "pw", "--json"))
    keep("waptconsole key-import", run(BIN / "waptconsole", "key-import", base / "K.p12", *pw, "--new-passwd", org.base / "pw", "--keys-dir", base / "keys", "--json"))
    keep("waptconsole keys", run(BIN / "waptconsole", "keys", "--json", "--keys-dir", base / "keys"))
    console("root", "know", base / "repo/root.json", "--known", base / "known-root", "--yes")
    console("root", "show", base / "repo/root.json", "--known", base / "known-root")
    console("revoke", org.fingerprint(org.cert("Developer")), "--trusted", org.agent / "ssl", "--dry-run")
    console("publish", "--known", base / "known", "--root", base / "repo/root.json", *signer, "--yes", ok=False)  # the server has no root
    server = ("--server", org.url, "--server-fingerprint", org.server_fp, "--server-password-file", org.base / "admin.pw")
    get("upload-package", *server, package)
    get("build-upload", *server, *signer, source, "-o", base)
    get("build-upload", *server, *signer, base / "nowhere", "-o", base, ok=False)
    console("kit", "-o", base / "json.kit", "--trusted", org.agent / "ssl")
    keep("wapt-get enrol", run(BIN / "wapt-get", "-c", base / "enrolled/wapt-get.ini", "enrol", base / "json.kit", "--no-start", "--json"))
    console("hosts")
    console("host-package", org.uuid, "--depends", "json-one", *deployer, "-o", base, "--upload")
    console("assign", "--hosts", org.uuid, "--add-conflicts", "json-rival", "--trusted", org.agent / "ssl", "--yes", *deployer)
    console("policy", "json-group", "--section", "group", "--add-depends", "json-none", "--trusted", org.agent / "ssl", "--yes", *deployer)
    console("policy", "json-shop", "--section", "selfservice", "--add-rule", "team=json-none", "--trusted", org.agent / "ssl", "--dry-run")
    console("plan", org.uuid, "--add-depends", "json-none", "--trusted", org.agent / "ssl", ok=None)
    console("action", "update", "--hosts", org.uuid, *deployer, "--timeout", "90s")
    get("update")
    get("list-upgrade")
    get("download-upgrade")
    get("download", "json-one")
    get("search", "json")
    for words in (("install", "json-one"), ("upgrade",), ("install", "json-one", "json-none")):
        get("plan", *words, ok=None)
    get("why-not", "json-one")
    get("why-not", "json-none")
    keep("waptexit", run(BIN / "waptexit", "--json", "--config", org.ini))
    get("install", "json-one")
    listed = get("list")
    (base / "listed.json").write_text(json.dumps(listed), encoding="utf-8")
    get("why", "json-one")
    shown = org.get("plan", "remove", "json-one", "json-none", "--installed", base / "listed.json", ok=None)
    assert "remove  json-one(=1): asked for" in shown.stdout and "json-none: is not installed" in shown.stdout and shown.returncode == 3, shown
    console("action", "install", "json-one", "--force", "--hosts", org.uuid, *deployer, "--timeout", "90s")
    rolled = console("rollout", "create", "audit", "--hosts", org.uuid, "--yes", *deployer)
    for words in (("list",), ("show", rolled[0]["id"]), ("stop", rolled[0]["id"])):
        console("rollout", *words)
    console("cancel", console("action", "update", "--no-wait", "--hosts", org.uuid, *deployer)[0]["id"], *deployer)
    get("catalogue", "json")
    for command in ("list", "audit", "lock", "stop", "start", "session-setup", "status", "inventory", "check", "reload", "tasks", "update-status", "upgrade", "clean", "cancel", "cancel-all"):
        get(command, ok=None)
    get("check-upgrades")
    get("upgradedb")
    get("show-params", "json-one")
    get("check-valid-codesigning-cert", *signer[:2])
    pinned = base / "pinned/wapt-get.ini"
    pinned.parent.mkdir()
    pinned.write_text(f"[global]\nwapt_server = {org.url}\n", encoding="utf-8")
    for command in ("get-server-certificate", "enable-check-certificate"):
        keep(f"wapt-get {command}", run(BIN / "wapt-get", "-c", pinned, command, "--json", "--server-fingerprint", org.server_fp))
    (base / "fetched").mkdir()
    console("download", "json-one", "json-none", "-o", base / "fetched", ok=False)
    (base / "tools.ini").write_text("[tools]\nssh = ssh -- {uuid}\n", encoding="utf-8")
    console("tool", "ssh", org.uuid, "-c", base / "tools.ini")
    keep("waptconsole mirror", run(BIN / "waptconsole", "mirror", base / "mirror", "--json", "--server", org.url, "--server-fingerprint", org.server_fp,
                                   "--trusted", org.agent / "ssl"))
    get("show-log", "json-one")
    get("show-task", str(json.loads(org.get("tasks", "--json").stdout)["result"][0]["id"]))
    get("show", "json-one")
    looks(org, keep)
    (base / "report.sql").write_text("SELECT uuid, last_seen FROM hosts", encoding="utf-8")
    console("report", "save", "json", base / "report.sql")
    for words in (("list",), ("show", "json"), ("run", "json"), ("delete", "json")):
        console("report", *words)
    (base / "names.json").write_text('[{"pattern": "Mozilla *", "name": "Firefox"}]', encoding="utf-8")
    console("software-names", base / "names.json")
    console("signers", "add", org.cert("Stranger"))
    known = {s["name"]: s["fingerprint"] for s in console("signers")}
    console("signers", "remove", known["Stranger"])
    assert "Stranger" not in {s["name"] for s in console("signers", "list")}
    console("revoke-certificate", org.uuid)
    people(org, keep)
    console("forget-host", org.uuid, "--yes")
    get("register", "--token-file", org.token(), "--force")
    get("generate-uuid", org.uuid)  # it is that one already
    get("reset-uuid", ok=None)
    get("unregister", ok=None)
    get("uninstall", "json-one")
    get("remove", "json-one")
    get("install", "json-one")
    get("forget", "json-one")
    for command in ("add-upgrade-shutdown", "remove-upgrade-shutdown", "propose-upgrade"):
        get(command, "no such argument", ok=None)  # they change the machine
    keep("waptservice upgrade", run(BIN / "waptservice", "upgrade", "--json", "--base", org.agent))  # nothing is prepared
    before = manager(org.service, org.agent)
    get("restart")
    until(lambda: manager(org.service, org.agent) not in (None, before), "the agent answers again")
    org.get("register", "--token-file", org.token(), "--force", ok=None)  # the machine is others' too
    (held,) = console("packages", "json-one", "--newest")
    console("delete-package", held["file"], "--dry-run")
    console("delete-package", held["file"], "--yes")
    assert console("packages", "--package", "json-one") == []
    return got


def looks(org, keep):
    """What the pages show of a machine, of orders, the journal and webhooks."""
    def console(name, *argv):
        return keep(f"waptconsole {name}", org.console(*name.split()[:1], *argv, "--json"))

    for words in ((), ("packages",), ("software",), ("history",)):
        console("host", org.uuid, *words)
    console("host tasks", org.uuid, "tasks")
    console("host hardware", org.uuid, "hardware")
    console("host log", org.uuid, "log", "json-one")
    batch = console("orders")[0]["batch"]
    console("orders batch", batch)
    console("orders batch", "--host", org.uuid, "--state", "done")
    console("estate", "json-")
    console("overview")
    console("journal", "--last", "5")
    console("journal verify", "verify")
    with receiver() as there:
        added = console("webhook add", "add", f"http://127.0.0.1:{there.port}/", "--kinds", "rollout")["id"]
        console("webhook")
        org.console("webhook", "remove", added)


def repository(org, base, me, keep):
    """A repository with a root of its own."""
    def repo(command, *argv, ok=True):
        return keep(f"wapt-repo {command}", run(BIN / "wapt-repo", command, "--json", *argv, ok=ok))

    folder, key = base / "repo", ("-k", me, "--yes")
    folder.mkdir()
    repo("timestamp-key", base / "stamp.pem")
    repo("root-init", folder, "--administrator", me, "--timestamp-key", base / "stamp.pem.pub")
    repo("root-add-signer", folder, me, "--sections", "*", "--prefixes", "*", "--publish")
    repo("root-show", folder)
    repo("root-sign", folder, *key)
    run(BIN / "wapt-scanpackages", folder)
    repo("publish", folder, *key)
    repo("verify", folder, ok=False)
    repo("timestamp", folder, "--key", base / "stamp.pem")
    repo("root-set", folder, "--administrator", org.cert("Deployer"))
    repo("root-revoke", folder, org.cert("Deployer"))


def webhooks(org, keep):
    with receiver() as there:
        added = ""
        for verb in ("add", "list", "test", "remove"):
            words = {"add": (f"http://127.0.0.1:{there.port}/",), "list": ()}.get(verb, (added,))
            answer = keep(f"waptserver webhook {verb}", run(BIN / "waptserver", "webhook", verb, *words, "--json", "--config", org.base / "server/waptserver.ini"))
            added = added or answer["id"]


def test_every_command_is_told_and_true(org):
    told, got = json_schema.documented(DOCS), answers(org)
    assert {" ".join(name.split()[:2]) if name.startswith(("waptserver", "waptconsole")) else name for name in told} | ENDLESS == commands()
    assert set(got) | OUTSIDE == set(told)
    assert {name for name, results in got.items() if all(r is None for r in results)} == {name for name, shape in told.items() if shape is None}
    wrong = [d for name, results in got.items() for result in results if result is not None or told[name] is None
             for d in differences(told[name], result, name)]
    assert not wrong, "\n".join(wrong)
