"""Reads and writes what keybound stores, as SPEC.md says and with no code of keybound's: section numbers are SPEC.md's.

What it shares with `test/golden/generate.py` are the formulas of sections 2 to 10; bodies are opened by
`cryptography.cobblestone`, keyrings by `pyrage` (the Rust implementation of age). It is a reader for tests: it
holds everything in memory, and looks at no lease and no location.
"""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path

import pyrage
from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

sys.path.insert(0, str(Path(__file__).parent.parent / "golden"))
import generate as spec  # noqa: E402

spec.Cobblestone256Decryptor = None  # What is sealed here is opened by the library; no need to check it here too.


class Refused(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Refused(what)


def unb64(text, length=None):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(spec.b64url(data) == text, "spelling of base64url")
    need(length is None or len(data) == length, "length of base64url")
    return data


def open_body(key, context, body):
    """The plaintext of CB(key, context, m), section 4."""
    decryptor = Cobblestone256Decryptor(key, context)
    return decryptor.update(body) + decryptor.finalize()


def seal_body(key, context, message):
    return spec.CB(key, context, message, os.urandom(24))


class Reader:
    """Takes bytes off the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        need(self.at + length <= len(self.data), "more bytes")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def rest(self):
        return self.take(len(self.data) - self.at)


# --- File store, section 11 -------------------------------------------------------------------------------------------


def entry(text):
    data = text.encode("utf-8")
    kept = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
    out = ""
    for i, byte in enumerate(data):
        inner = byte == ord(".") and 0 < i < len(data) - 1
        out += chr(byte) if byte in kept or inner else f"%{byte:02x}"
    return out if len(out) <= 200 else "~" + hashlib.sha256(data).hexdigest()


class FileStore:
    def __init__(self, root):
        self.root = Path(root)

    def _folder(self, folder):
        return self.root.joinpath(*(entry(segment) for segment in folder.split("/")))

    def get(self, folder, name):
        path = self._folder(folder) / (entry(name) + "@")
        if not path.exists():
            return None
        data = path.read_bytes()
        need(len(data) >= 16, "an undamaged file")
        return data[16:]

    def put(self, folder, name, data):
        directory = self._folder(folder)
        path = self.root
        for segment in folder.split("/"):
            path = path / entry(segment)
            path.mkdir(parents=True, exist_ok=True)
            if path.name.startswith("~"):
                (path / "@name").write_bytes(segment.encode("utf-8"))
        if entry(name).startswith("~"):
            (directory / (entry(name) + "@name")).write_bytes(name.encode("utf-8"))
        (directory / (entry(name) + "@")).write_bytes(os.urandom(16) + data)


# --- Keyring of local keys, section 5 ---------------------------------------------------------------------------------


def read_keyring(path, passphrase):
    content = json.loads(pyrage.passphrase.decrypt(Path(path).read_bytes(), passphrase))
    need(content["format"] == "keybound/v1/keyring", "a keyring")
    return {one["name"]: unb64(one["key"], 32) for one in content["keys"] if one["state"] == "enabled"}


def write_keyring(path, passphrase, keys):
    entries = [
        {"name": name, "state": "enabled", "createdAt": "2026-01-31T12:00:00.000Z", "key": spec.b64url(key)}
        for name, key in keys.items()
    ]
    content = json.dumps({"format": "keybound/v1/keyring", "keys": entries}).encode("utf-8")
    Path(path).write_bytes(pyrage.passphrase.encrypt(content, passphrase))
    os.chmod(path, 0o600)


def unwrap_local(keys, uri, blob, context):
    need(uri.startswith("local://") and uri[8:] in keys, "an enabled local key")
    return open_body(keys[uri[8:]], spec.encode_kms_context(context), blob)


# --- Wrap objects, section 10 -----------------------------------------------------------------------------------------


def open_wraps(stored, policy, ns, cls, item, keys):
    """S, by every alternative of the policy, each a list of URIs."""
    purpose = {spec.NAMESPACE_KEY: "namespace-key", spec.SIGNING_KEY: "signing-key"}[cls]
    content = json.loads(stored)
    need(set(content) == {"format", "alternatives"} and content["format"] == "keybound/v1/wrap", "a wrap object")
    ordered = sorted((sorted(uris, key=spec.key_ref) for uris in policy), key=lambda u: b"".join(map(spec.key_ref, u)))
    need([[wrap["uri"] for wrap in one["wraps"]] for one in content["alternatives"]] == ordered, "the policy's keys")
    found = set()
    for one in content["alternatives"]:
        context = spec.kms_context(ns, purpose)
        secrets = [unwrap_local(keys, wrap["uri"], unb64(wrap["blob"]), context) for wrap in one["wraps"]]
        need(all(len(secret) == 32 for secret in secrets), "32-byte secrets")
        sealed = unb64(one["sealed"], 104)
        found.add(open_body(spec.combine(secrets), spec.ctx(purpose, spec.identity(cls, ns, item)), sealed))
    need(len(found) == 1, "one secret under all alternatives")
    return found.pop()


def make_wraps(secret, policy, ns, cls, item, keys):
    purpose = {spec.NAMESPACE_KEY: "namespace-key", spec.SIGNING_KEY: "signing-key"}[cls]
    ordered = sorted((sorted(uris, key=spec.key_ref) for uris in policy), key=lambda u: b"".join(map(spec.key_ref, u)))
    alternatives = []
    for uris in ordered:
        secrets = [os.urandom(32) for _ in uris]
        context = spec.encode_kms_context(spec.kms_context(ns, purpose))
        wraps = [
            {"uri": uri, "blob": spec.b64url(seal_body(keys[uri[8:]], context, one))} for uri, one in zip(uris, secrets)
        ]
        sealed = seal_body(spec.combine(secrets), spec.ctx(purpose, spec.identity(cls, ns, item)), secret)
        alternatives.append({"wraps": wraps, "sealed": spec.b64url(sealed)})
    return spec.text(spec.compact_json({"format": "keybound/v1/wrap", "alternatives": alternatives}))


def registry_namespace(registry, region):
    """Of which signing keys are (class 4)."""
    return spec.Namespace("_registry", region, registry, bytes(16))


# --- Bindings, section 9 ----------------------------------------------------------------------------------------------

STAY = ("format", "registry", "namespace", "instance", "region", "keyMode", "createdAt", "movedFrom")
MEMBERS = {"epoch", "previous", "status", "owner", "parent", "approvers", "dataClass", "policies", *STAY}
MEMBERS |= {"leaseMs", "outageGraceMs", "updatedAt", "generations", "movedTo"}


def kid_of(public):
    return spec.sha512(public)[:16].hex()


def verify_signature(signature, payload, public):
    need(set(signature) == {"protected", "signature"}, "a signature and nothing else")
    protected = unb64(signature["protected"]).decode("utf-8")
    header = {"alg": "Ed25519", "typ": "keybound-binding", "kid": kid_of(public)}
    need(json.loads(protected) == header and protected == spec.compact_json(json.loads(protected)), "the header")
    signed = (signature["protected"] + "." + payload).encode("ascii")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(unb64(signature["signature"], 64), signed)
    except InvalidSignature:
        raise Refused("a signature that holds") from None


def kid_in(signature):
    return json.loads(unb64(signature["protected"]))["kid"]


def active(payload):
    return next(one for one in payload["generations"] if one["status"] == "active")


def is_reduction(old, new):
    left = {**new, **{name: old[name] for name in ("epoch", "previous", "updatedAt")}}
    for name in ("leaseMs", "outageGraceMs"):
        if left[name] < old[name]:
            left[name] = old[name]
    if new["status"] == "shredded" and new["generations"] == []:
        left["status"], left["generations"] = old["status"], old["generations"]
    if (old["status"], new["status"]) == ("active", "suspended"):
        left["status"] = "active"
    kept = [one for one in old["generations"] if one["status"] == "active" or one in left["generations"]]
    if left["generations"] == kept:
        left["generations"] = old["generations"]
    return left == old


def check_transition(old, new):
    need(all(old[name] == new[name] for name in STAY), "what never changes")
    need(old["status"] not in ("moved", "shredded"), "an epoch before that was not final")
    if new["status"] == "shredded":
        return
    before = {one["number"]: one for one in old["generations"]}
    fresh = [one for one in new["generations"] if one["number"] not in before]
    need(active(old)["number"] in {one["number"] for one in new["generations"]}, "the formerly active generation")
    need([one["number"] for one in fresh] in ([], [active(old)["number"] + 1]), "one new generation at most")
    for one in new["generations"]:
        known = before.get(one["number"])
        if known:
            need(one["continuity"] == known["continuity"], "the continuity key as it was")
            need(known["status"] == "active" or one["status"] == "decrypt-only", "no generation that comes back")


class Binding:
    """The chain of a namespace, verified from epoch 1."""

    def __init__(self, store, registry, roots, namespace, region):
        self.store, self.folder = store, f"keybound/{registry.hex()}/namespaces/{namespace}"
        self.epochs, old, digest = 0, None, None
        while True:
            stored = store.get(self.folder + "/bindings", str(self.epochs + 1))
            if stored is None:
                break
            self.epochs += 1
            need(len(stored) <= 262144, "an epoch of at most 256 KiB")
            envelope = json.loads(stored)
            need(set(envelope) == {"payload", "signatures"}, "an envelope")
            need(stored.decode("utf-8") == spec.compact_json(envelope), "canonical JSON")
            encoded = unb64(envelope["payload"])
            payload = json.loads(encoded)
            need(encoded.decode("utf-8") == spec.compact_json(payload) and set(payload) == MEMBERS, "a payload")
            signatures = {kid_in(one): one for one in envelope["signatures"]}
            need(len(signatures) == len(envelope["signatures"]), "signatures of different keys")
            root = [public for public in roots if kid_of(public) in signatures]
            need(len(root) == 1, "the signature of one root")
            verify_signature(signatures.pop(kid_of(root[0])), envelope["payload"], root[0])
            need(payload["format"] == "keybound/v1/binding", "a binding")
            need(unb64(payload["registry"], 16) == registry, "this registry")
            need((payload["namespace"], payload["region"]) == (namespace, region), "this namespace and region")
            need(payload["epoch"] == self.epochs, "its own number")
            need(payload["previous"] == (spec.b64url(digest) if digest else None), "the hash of the epoch before")
            need([one["status"] for one in payload["generations"]][-1:] in ([], ["active"]), "the last one active")
            if old is not None:
                check_transition(old, payload)
                if not is_reduction(old, payload):
                    public = unb64(active(old)["continuity"], 32)
                    need(kid_of(public) in signatures, "the signature of the continuity key")
                    verify_signature(signatures.pop(kid_of(public)), envelope["payload"], public)
            need(signatures == {}, "no other signature")
            old, digest = payload, spec.sha512(encoded)
        need(old is not None, "a binding")
        self.payload = old
        self.ns = spec.Namespace(namespace, region, registry, unb64(old["instance"], 16))
        self.trust = f"{self.ns.instance.hex()}.{self.epochs}.{spec.b64url(digest)}"
        self.policy = [[use["uri"] for use in one] for one in old["policies"][0]["alternatives"]]

    def namespace_key(self, number, keys):
        """NK of a generation, with every alternative unwrapped and the public key compared."""
        need(self.payload["status"] == "active", "an active namespace")
        one = next((one for one in self.payload["generations"] if one["number"] == number), None)
        need(one is not None, "a generation that is listed")
        digest = unb64(one["wrap"], 64)
        stored = self.store.get(f"{self.folder}/wraps/{number}", digest.hex())
        need(stored is not None and spec.sha512(stored) == digest, "the wrap object that is listed")
        key = open_wraps(stored, self.policy, self.ns, spec.NAMESPACE_KEY, str(number), keys)
        signer = spec.Signer(spec.subkey(key, "continuity", self.ns, number))
        need(signer.public == unb64(one["continuity"], 32), "the listed continuity key")
        return key

    # --- Records and objects, sections 6 and 7 -------------------------------------------------------------------------

    def open_record(self, name, context, record, keys):
        reader = Reader(record)
        need(reader.take(4) == b"KBD\x01" and len(record) >= 80, "a record")
        number = reader.number(4)
        key = spec.subkey(self.namespace_key(number, keys), "record", self.ns, number)
        a = spec.identity(spec.RECORD, self.ns, name, context)
        return open_body(key, spec.ctx("record", a), reader.rest())

    def make_record(self, name, context, message, keys):
        number = active(self.payload)["number"]
        key = spec.subkey(self.namespace_key(number, keys), "record", self.ns, number)
        a = spec.identity(spec.RECORD, self.ns, name, context)
        return b"KBD\x01" + spec.u32(number) + seal_body(key, spec.ctx("record", a), message)

    def open_object(self, name, context, keys):
        """Metadata and plaintext of an object of the store."""
        stored = self.store.get(f"{self.folder}/objects/{self.ns.instance.hex()}", name)
        need(stored is not None, f"an object named {name!r}")
        reader = Reader(stored)
        need(reader.take(4) == b"KBD\x02", "an object")
        number = reader.number(4)
        wrap_key = spec.subkey(self.namespace_key(number, keys), "wrap", self.ns, number)
        a = spec.identity(spec.OBJECT, self.ns, name, context)
        data_key = open_body(wrap_key, spec.ctx("data-key", a), reader.take(104))
        length = reader.number(2)
        need(74 <= length <= 4168, "metadata within its limits")
        metadata_key = spec.X(data_key, "metadata", spec.sha512(a))
        metadata = json.loads(open_body(metadata_key, spec.ctx("metadata", a), reader.take(length)))
        need(set(metadata) <= {"contentType", "fileName", "pairs"}, "known metadata")
        return metadata, open_body(data_key, spec.ctx("object", a), reader.rest())

    def put_object(self, name, context, metadata, message, keys):
        number, data_key = active(self.payload)["number"], os.urandom(32)
        wrap_key = spec.subkey(self.namespace_key(number, keys), "wrap", self.ns, number)
        a = spec.identity(spec.OBJECT, self.ns, name, context)
        metadata_key = spec.X(data_key, "metadata", spec.sha512(a))
        # White space and another order of members, which a reader must take.
        sealed = json.dumps(dict(reversed(metadata.items())), ensure_ascii=False, indent=1).encode("utf-8")
        stored = b"KBD\x02" + spec.u32(number) + seal_body(wrap_key, spec.ctx("data-key", a), data_key)
        stored += spec.lp(seal_body(metadata_key, spec.ctx("metadata", a), sealed))
        stored += seal_body(data_key, spec.ctx("object", a), message)
        self.store.put(f"{self.folder}/objects/{self.ns.instance.hex()}", name, stored)

