"""The Python side of the live check of interoperability: test/interop/run.mjs runs it.

    python.py make <folder> <claims>            a registry, a keyring, a namespace, objects and records of its own
    python.py check <folder> <claims>           opens everything that the claims tell of
    python.py add <folder> <claims> <new>       more objects and records, beside those that are there

Claims are what an owner knows (registry id, root public keys, passphrase, names, contexts), and digests to compare with.
"""

import json
import os
import random
import sys
from pathlib import Path

import keybound
from keybound import Refused, spec

PASSPHRASE = "for this check only"
counts = {"keyrings": 0, "bindings": 0, "objects": 0, "records": 0, "refusals": 0}
chance = random.SystemRandom()

SIZES = (0, 1, 100, 16383, 16384, 16385, 32768, 50000, 200001)
NAMES = ("reports/{}.csv", "Verträge/2026 – №{} \U0001f511.pdf", "e\u0301 {}", "{} .%2e/..", "é" * 200 + "{}")
CONTEXTS = ([], [["version", "{}"]], [["z", ""], ["\U0001f600", "{}"], ["\ufffd", "replacement"], ["é", "e9"]])
METADATA = ({}, {"contentType": "text/csv"}, {"contentType": "a/b", "fileName": 'ü "q".csv', "pairs": {"k": "\u2028 \\"}})


def keys_of(folder, claims):
    counts["keyrings"] += 1
    return keybound.read_keyring(folder / "keyring.age", claims["passphrase"])


def store_of(folder, region):
    return keybound.FileStore(folder / f"store-{region}")


def binding_of(folder, claims, one):
    roots = [keybound.unb64(root, 32) for root in claims["roots"]]
    registry = bytes.fromhex(claims["registry"])
    counts["bindings"] += 1
    return keybound.Binding(store_of(folder, one["region"]), registry, roots, one["id"], one["region"])


def check_root(folder, claims, keys):
    """The root's seed is what the keys of its policy unlock, too."""
    public = keybound.unb64(claims["root"]["publicKey"], 32)
    registry = bytes.fromhex(claims["registry"])
    kid = keybound.kid_of(public)
    stored = store_of(folder, claims["root"]["region"]).get(f"keybound/{claims['registry']}/signing-keys", kid)
    ns = keybound.registry_namespace(registry, claims["root"]["region"])
    seed = keybound.open_wraps(stored, [[claims["root"]["key"]]], ns, spec.SIGNING_KEY, kid, keys)
    assert spec.Signer(seed).public == public
    return seed


def check(folder, claims):
    keys = keys_of(folder, claims)
    check_root(folder, claims, keys)
    for one in claims["namespaces"]:
        binding = binding_of(folder, claims, one)
        assert binding.trust == one["trust"], (binding.trust, one["trust"])
        for item in one["objects"]:
            metadata, message = binding.open_object(item["name"], item["context"], keys)
            assert metadata == item["metadata"], (metadata, item)
            assert spec.sha512(message).hex() == item["sha512"], item
            counts["objects"] += 1
        for item in one["records"]:
            record = bytes.fromhex(item["record"])
            message = binding.open_record(item["name"], item["context"], record, keys)
            assert spec.sha512(message).hex() == item["sha512"], item
            counts["records"] += 1
            at = chance.randrange(8, len(record))
            tampered = record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :]
            for name, changed in ((item["name"], tampered), (item["name"] + "x", record)):
                try:
                    binding.open_record(name, item["context"], changed, keys)
                except Exception:
                    counts["refusals"] += 1
                else:
                    raise AssertionError(f"not refused: {item}, byte {at}")


def add_to(binding, one, keys):
    for i, size in enumerate(SIZES):
        label = f"py{binding.epochs}-{i}"
        name = chance.choice(NAMES).format(label)
        context = [[key, value.format(label)] for key, value in chance.choice(CONTEXTS)]
        metadata, message = chance.choice(METADATA), os.urandom(size)
        binding.put_object(name, context, metadata, message, keys)
        digest = spec.sha512(message).hex()
        one["objects"].append({"name": name, "context": context, "metadata": metadata, "sha512": digest})
        record = binding.make_record(name, context, message, keys).hex()
        one["records"].append({"name": name, "context": context, "record": record, "sha512": digest})


def add(folder, claims):
    keys = keys_of(folder, claims)
    for one in claims["namespaces"]:
        add_to(binding_of(folder, claims, one), one, keys)


def make_binding(store, ns, root, uses, keys):
    """A chain as an administrator would leave it: create, rotate, suspend, resume."""
    policy = [[use["uri"] for use in one] for one in uses]
    folder = f"keybound/{ns.registry.hex()}/namespaces/{ns.namespace}"
    secrets, generations, signers, epochs = {}, [], {}, []

    def generation():
        number = len(generations) + 1
        secrets[number] = os.urandom(32)
        signers[number] = spec.Signer(spec.subkey(secrets[number], "continuity", ns, number))
        wrap = keybound.make_wraps(secrets[number], policy, ns, spec.NAMESPACE_KEY, str(number), keys)
        digest = spec.sha512(wrap)
        store.put(f"{folder}/wraps/{number}", digest.hex(), wrap)
        for one in generations:
            one["status"] = "decrypt-only"
        public = spec.b64url(signers[number].public)
        generations.append({"number": number, "status": "active", "continuity": public, "wrap": spec.b64url(digest)})

    def epoch(status, continuity):
        ordered = [sorted(one, key=lambda use: spec.key_ref(use["uri"])) for one in uses]
        payload = {
            "format": "keybound/v1/binding",
            "registry": spec.b64url(ns.registry),
            "namespace": ns.namespace,
            "instance": spec.b64url(ns.instance),
            "region": ns.region,
            "epoch": len(epochs) + 1,
            "previous": spec.b64url(spec.sha512(epochs[-1])) if epochs else None,
            "status": status,
            "owner": 'Acme "Süd" GmbH \\ Ltd',
            "parent": None,
            "approvers": [],
            "dataClass": None,
            "keyMode": "namespace",
            "policies": [{"status": "current", "alternatives": ordered, "ownerCannotRevoke": False}],
            "leaseMs": 30000,
            "outageGraceMs": 0,
            "createdAt": "2026-01-31T12:00:00.000Z",
            "updatedAt": f"2026-01-31T12:00:0{len(epochs)}.000Z",
            "generations": generations,
            "movedTo": None,
            "movedFrom": None,
        }
        epochs.append(spec.text(spec.compact_json(payload)))
        stored = spec.sealed_epoch(epochs[-1], [root, *continuity])
        store.put(f"{folder}/bindings", str(len(epochs)), stored)

    generation()
    epoch("active", [])
    generation()
    epoch("active", [signers[1]])
    epoch("suspended", [])
    epoch("active", [signers[2]])


def make(folder):
    folder.mkdir()
    names = ("service", "recovery", "acme", "backup")
    keys = {name: os.urandom(32) for name in names}
    keybound.write_keyring(folder / "keyring.age", PASSPHRASE, keys)
    registry, region, root = os.urandom(16), "eu", spec.Signer(os.urandom(32))
    store = store_of(folder, region)
    wrapped = keybound.make_wraps(
        root.seed,
        [["local://service"]],
        keybound.registry_namespace(registry, region),
        spec.SIGNING_KEY,
        root.kid,
        keys,
    )
    store.put(f"keybound/{registry.hex()}/signing-keys", root.kid, wrapped)
    public = spec.b64url(root.public)
    claims = {
        "registry": registry.hex(),
        "roots": [public],
        "root": {"publicKey": public, "region": region, "key": "local://service"},
        "passphrase": PASSPHRASE,
        "namespaces": [],
    }
    owner, backup = {"uri": "local://acme", "by": "owner"}, {"uri": "local://backup", "by": "owner"}
    service = {"uri": "local://service", "by": "service"}
    policies = {"one-key": [[owner]], "Any.of": [[backup], [owner]], "all_of": [[owner, service]], "both": [[backup], [owner, service]]}
    for name, uses in policies.items():
        ns = spec.Namespace(name, region, registry, os.urandom(16))
        make_binding(store, ns, root, uses, keys)
        one = {"id": name, "region": region, "objects": [], "records": []}
        binding = binding_of(folder, claims, one)
        one["trust"] = binding.trust
        add_to(binding, one, keys)
        claims["namespaces"].append(one)
    return claims


def main(verb, folder, claims_file, new_file=None):
    folder, claims_file = Path(folder), Path(claims_file)
    if verb == "make":
        claims_file.write_text(json.dumps(make(folder)))
    else:
        claims = json.loads(claims_file.read_text())
        if verb == "check":
            check(folder, claims)
        else:
            add(folder, claims)
            Path(new_file).write_text(json.dumps(claims))
    print(json.dumps(counts))


try:
    main(*sys.argv[1:])
except Refused as refusal:
    sys.exit(f"refused: expected {refusal}")
