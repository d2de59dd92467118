"""Fills a fresh Active Directory with people, groups and a unit: straight into its database, since samba-tool takes half a second a call.

ad_people.py FOLDER BASE    people: {"name": {"groups": [], "change": {attribute: value}}} on standard input
"""
import json
import sys

import ldb
from samba.auth import system_session
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
for group, members in world["groups"].items():
    db.add_remove_group_members(group, members)
for name, person in world["people"].items():
    if person.get("change"):
        change(f"CN={name},CN=Users,{base}", person["change"])
db.transaction_commit()
