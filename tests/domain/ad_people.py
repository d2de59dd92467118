"""Fills a fresh Active Directory with people, groups and a unit: straight into its database, since samba-tool takes half a second a call.

ad_people.py FOLDER BASE    the world of conftest.py on standard input; writes the SIDs of groups and machines
"""
import json
import sys

import ldb
import samba.dckeytab  # gives Net its export_keytab
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_unpack
from samba.net import Net
from samba.param import LoadParm
from samba.samdb import SamDB

folder, base = sys.argv[1:]
world = json.load(sys.stdin)
lp = LoadParm()
lp.load(f"{folder}/etc/smb.conf")
db = SamDB(url=f"{folder}/private/sam.ldb", session_info=system_session(), lp=lp)


def change(dn, values):
    m = ldb.Message(ldb.Dn(db, dn))
    for name, value in values.items():
        m[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    db.modify(m)


db.transaction_start()
change(base, {"lockoutThreshold": "3", "lockoutDuration": "-18000000000", "lockOutObservationWindow": "-18000000000"})
for unit in world["units"]:
    db.create_ou(f"{unit},{base}")
for group, members in world["groups"].items():
    if group not in world["present"]:
        db.newgroup(group)
for name, person in world["people"].items():
    db.newuser(name, person["password"])
for name, machine in world["machines"].items():
    db.newcomputer(name)
    db.setpassword(f"(sAMAccountName={name}$)", f"Mach-Passw0rd-{name}", False)
    if machine:
        change(f"CN={name},CN=Computers,{base}", machine)
for name, spn in world["services"].items():  # AES and RC4; unsaid, keytabs would hold RC4 keys only
    change(f"CN={name},CN=Users,{base}", {"servicePrincipalName": spn, "msDS-SupportedEncryptionTypes": "28"})
for group, members in world["groups"].items():
    db.add_remove_group_members(group, members)
for name, person in world["people"].items():
    if person.get("change"):
        change(f"CN={name},CN=Users,{base}", person["change"])
db.transaction_commit()
net = Net(None, lp)
for name, principal in world["keytabs"].items():
    net.export_keytab(keytab=f"{folder}/{name}.keytab", principal=principal)
found = db.search(base=base, expression="(|(objectClass=group)(objectClass=computer))", attrs=["objectSid", "sAMAccountName"])
print(json.dumps({str(e["sAMAccountName"][0]): str(ndr_unpack(security.dom_sid, e["objectSid"][0])) for e in found}))
