"""A small province for end-to-end tests: its configuration, and messages in three dialects."""

import json

CUSTOMS_RULES = """id,message_type,customs_office,role,to,action,note
declare,CUSDEC|ORDER|CEB311,51*,,customs,deliver,Guangzhou
hold-shenzhen,ORDER,5304,,customs,hold,checked by hand
no-tobacco,TOBACCO,,,,reject,not by this channel
elsewhere,ORDER,!51*|5304,,customs|port,deliver,
"""
RECEIPT_RULES = """id,message_type,to
receipt,RECEIPT,@receiver
"""
CONFIG = """
channels:
  - name: in
destinations:
  - name: customs
    groups: [customs]
    fields: [origin, message_type, verdict, rule, keys]
  - name: port
    groups: [port]
  - name: trader
    groups: [trader]
    fields: [cause, first_id]
  - name: nansha
    groups: [nansha]
tables: [rules/customs.csv, rules/receipts.csv]
participants:
  - name: nansha
    secret_file: secrets/nansha
    roles: [eport]
    ids: ["DXPENT*", "4403180896"]
    publish: [in]
    consume: [nansha]
  - name: huangpu
    secret_file: secrets/huangpu
    roles: [eport]
    ids: ["HP*"]
    publish: [in]
  - name: customs
    secret_file: secrets/customs
    roles: [agency]
    consume: [customs, port, trader]
    create_groups: yes
  - name: root
    secret_file: secrets/root
    operate: yes
"""
NAMES = ["nansha", "huangpu", "customs", "root"]


def files(config=CONFIG, **more):
    """The folder of files that Server wants."""
    secrets = {f"secrets/{name}": secret(name) + "\n" for name in NAMES}
    return {"kouan.yaml": config, "rules/customs.csv": CUSTOMS_RULES,
            "rules/receipts.csv": RECEIPT_RULES, **secrets, **more}


def secret(name):
    return f"secret-of-{name}-0123456789"


def login(server, name, protocol=2):
    wire = server.wire(protocol=2)
    if protocol == 3:
        reply = wire.call("HELLO", 3, "AUTH", name, secret(name))
        assert isinstance(reply, dict), reply
    else:
        assert wire.call("AUTH", name, secret(name)) == "OK"
    return wire


def event(number, message_type="ORDER", **members):
    """The canonical JSON event, as bytes."""
    value = {"messageType": message_type, "messageId": f"m-{number}",
             "keys": {"order": f"o-{number}"}, **members}
    return json.dumps(value, ensure_ascii=False).encode()


def entries(reply):
    """[(id, {name: value})] of an XREADGROUP reply in either protocol; [] for none."""
    if reply is None:
        return []
    (_, items), = reply.items() if isinstance(reply, dict) else reply
    result = []
    for ident, fields in items:
        result.append((ident, dict(zip(fields[::2], fields[1::2]))))
    return result
