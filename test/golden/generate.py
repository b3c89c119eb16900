#!/usr/bin/env python3
"""Golden files of keybound's format, version 1, made as SPEC.md says, with no code of keybound's.

    python3 -m venv .venv && .venv/bin/pip install cryptography
    .venv/bin/python test/golden/generate.py           writes the files beside it
    .venv/bin/python test/golden/generate.py --check   compares with them; exit status 1 if they differ

Primitives come from `cryptography`; where it has Cobblestone-256 (version 50 and later), that implementation of
C2SP chunked-encryption opens every body made here. Everything is deterministic: keys and salts are hashes of labels,
which real ones must never be. Section numbers are SPEC.md's.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

try:
    from cryptography.cobblestone import Cobblestone256Decryptor
except ImportError:
    Cobblestone256Decryptor = None

HERE = Path(__file__).parent
cross_checked = 0


# --- Notation, §2 ---------------------------------------------------------------------------------------------------


def u8(n):
    return struct.pack(">B", n)


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def text(s):
    return s.encode("utf-8")


def lp(data):
    return u16(len(data)) + data


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def sha512(data):
    return hashlib.sha512(data).digest()


def hmac_sha512(key, data):
    return hmac.new(key, data, hashlib.sha512).digest()


def expand(key, info, length):
    """HKDF-Expand of RFC 5869, section 2.3."""
    okm, block, counter = b"", b"", 0
    while len(okm) < length:
        counter += 1
        block = hmac_sha512(key, block + info + u8(counter))
        okm += block
    return okm[:length]


def X(key, label, context):
    return expand(key, b"keybound/v1/" + label.encode("ascii") + b"\x00" + context, 32)


def compact_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- Body, §4 -------------------------------------------------------------------------------------------------------

CHUNK = 16384


def body_keys(key, context, salt):
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + salt + context
    okm = expand(key, info, 32 + 12 + 32)
    return okm[:32], okm[32:44], okm[44:]


def CB(key, context, message, salt):
    assert len(key) == 32 and len(salt) == 24
    aead_key, base_nonce, commitment = body_keys(key, context, salt)
    gcm = AESGCM(aead_key)
    out = [salt, commitment]
    for k in range(len(message) // CHUNK + 1):
        nonce = bytes(a ^ b for a, b in zip(base_nonce, k.to_bytes(12, "big")))
        out.append(gcm.encrypt(nonce, message[k * CHUNK : (k + 1) * CHUNK], None))
    body = b"".join(out)
    if Cobblestone256Decryptor is not None:
        global cross_checked
        decryptor = Cobblestone256Decryptor(key, context)
        assert decryptor.update(body) + decryptor.finalize() == message
        cross_checked += 1
    return body


# --- Identity, §3 ---------------------------------------------------------------------------------------------------

RECORD, OBJECT, NAMESPACE_KEY, SIGNING_KEY = 1, 2, 3, 4


class Namespace:
    def __init__(self, namespace, region, registry, instance):
        self.namespace, self.region = namespace, region
        self.registry, self.instance = registry, instance

    def described(self):
        return {
            "registry": self.registry.hex(),
            "namespace": self.namespace,
            "instance": self.instance.hex(),
            "region": self.region,
        }


def identity(cls, ns, name, pairs=()):
    encoded = sorted((text(key), text(value)) for key, value in pairs)
    a = b"keybound/v1/identity\x00" + u8(cls) + ns.registry + lp(text(ns.namespace)) + ns.instance
    a += lp(text(ns.region)) + lp(text(name)) + u16(len(encoded))
    for key, value in encoded:
        a += lp(key) + lp(value)
    return a


def ctx(purpose, a):
    return b"keybound/v1/" + purpose.encode("ascii") + b"\x00" + sha512(a)


# --- Keys, §5 -------------------------------------------------------------------------------------------------------


def subkey(namespace_key, purpose, ns, generation):
    context = ns.registry + lp(text(ns.namespace)) + ns.instance + lp(text(ns.region)) + u32(generation)
    return X(namespace_key, purpose, context)


def combine(secrets):
    return hmac_sha512(b"keybound/v1/all-of", b"".join(secrets))[:32]


def key_ref(uri):
    return sha512(text(uri))[:16]


def encode_kms_context(pairs):
    encoded = sorted((text(key), text(value)) for key, value in pairs.items())
    return b"keybound/v1/kms\x00" + u16(len(encoded)) + b"".join(lp(k) + lp(v) for k, v in encoded)


def kms_context(ns, purpose, a=None):
    pairs = {
        "keybound:registry": ns.registry.hex(),
        "keybound:namespace": ns.namespace,
        "keybound:region": ns.region,
        "keybound:purpose": purpose,
    }
    if a is not None:
        pairs["keybound:identity"] = hashlib.sha256(a).hexdigest()
    return pairs


# --- Signing, §9 and §10 --------------------------------------------------------------------------------------------


class Signer:
    def __init__(self, seed):
        self.seed = seed
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.kid = sha512(self.public)[:16].hex()

    def sign(self, payload):
        header = {"alg": "Ed25519", "typ": "keybound-binding", "kid": self.kid}
        protected = b64url(text(compact_json(header)))
        signed = text(protected + "." + b64url(payload))
        return {"protected": protected, "signature": b64url(self.private.sign(signed))}


def sealed_epoch(payload, signers):
    envelope = {"payload": b64url(payload), "signatures": [signer.sign(payload) for signer in signers]}
    return text(compact_json(envelope))


# --- What the cases are made of -------------------------------------------------------------------------------------


def fixed(label, length=32):
    """Bytes that look random and are not."""
    return sha512(text("keybound golden v1: " + label))[:length]


def salt_for(label):
    return fixed("salt of " + label, 24)


def pattern(length):
    return bytes(i % 251 for i in range(length))


def plain_hex(data):
    return data, {"hex": data.hex()}


def plain_pattern(length):
    """Byte i is i mod 251."""
    return pattern(length), {"pattern": "i mod 251", "length": length}


ACME = Namespace("acme", "eu", bytes(range(16)), bytes(range(0xF0, 0x100)))
OTHER = Namespace("Tenant-7.eu_west", "eu-west-1", fixed("other registry", 16), fixed("other instance", 16))
NK = {n: fixed(f"namespace key {n}") for n in (1, 2)}
LOCAL = {name: fixed(f"local key {name}") for name in ("acme", "backup", "service")}
ROOT = Signer(fixed("root seed"))
AWS = "aws-kms://arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GCP = "gcp-kms://projects/acme/locations/europe-west1/keyRings/main/cryptoKeys/keybound"

UNICODE_NAME = "Verträge/2026 – №7 \U0001f511.pdf"
# The second and third keys change places between UTF-8 (bytes) and UTF-16 (code units).
UNSORTED = [["z", "last of ASCII"], ["\U0001f600", "face"], ["\ufffd", "replacement"], ["é", "e9"], ["a", ""]]


def body_file():
    cases = []
    for name, context, plain in (
        ("empty message", b"", plain_hex(b"")),
        ("short message, no context", b"", plain_hex(b"hello")),
        ("short message, with context", text("some context"), plain_hex(b"hello")),
        ("one byte less than a chunk", b"c", plain_pattern(16383)),
        ("exactly one chunk: an empty final chunk follows", b"c", plain_pattern(16384)),
        ("one byte more than a chunk", b"c", plain_pattern(16385)),
        ("three chunks", b"c", plain_pattern(40000)),
    ):
        message, description = plain
        key, salt = fixed("body key " + name), salt_for("body " + name)
        aead_key, base_nonce, commitment = body_keys(key, context, salt)
        cases.append(
            {
                "name": name,
                "key": key.hex(),
                "context": context.hex(),
                "salt": salt.hex(),
                "plaintext": description,
                "aeadKey": aead_key.hex(),
                "baseNonce": base_nonce.hex(),
                "commitment": commitment.hex(),
                "body": CB(key, context, message, salt).hex(),
            }
        )
    return {"form": "CB(key, context, plaintext)", "spec": "§4", "cases": cases}


def identity_file():
    cases = []
    for name, cls, ns, item, pairs in (
        ("record", RECORD, ACME, "users/17/email", []),
        ("object with a context", OBJECT, ACME, "reports/q3.csv", [["version", "4"], ["author", "7"]]),
        ("object with the shortest name", OBJECT, OTHER, "\x00", []),
        ("object with the longest name", OBJECT, OTHER, "é" * 256, []),
        ("unicode name, context not yet sorted", OBJECT, ACME, UNICODE_NAME, UNSORTED),
        ("decomposed is not composed", RECORD, ACME, "e\u0301", [["e\u0301", "\u00e9"]]),
        ("32 pairs", RECORD, ACME, "n", [[f"k{i}", str(i)] for i in range(31, -1, -1)]),
        ("namespace key of generation 12", NAMESPACE_KEY, ACME, "12", []),
        ("signing key", SIGNING_KEY, Namespace("_registry", "eu", ACME.registry, bytes(16)), ROOT.kid, []),
    ):
        a = identity(cls, ns, item, pairs)
        purposes = ("record", "data-key", "object", "metadata", "namespace-key", "signing-key")
        cases.append(
            {
                "name": name,
                "class": cls,
                **ns.described(),
                "itemName": item,
                "context": pairs,
                "identity": a.hex(),
                "sha512": sha512(a).hex(),
                "ctx": {purpose: ctx(purpose, a).hex() for purpose in purposes},
            }
        )
    return {"form": "identity A, SHA-512(A) and ctx(p)", "spec": "§3", "cases": cases}


def subkeys_file():
    cases = []
    for name, ns, key, generation in (
        ("generation 1", ACME, NK[1], 1),
        ("generation 2, another key", ACME, NK[2], 2),
        ("another namespace, same key", OTHER, NK[1], 1),
        ("the last generation", OTHER, NK[1], 2**32 - 1),
    ):
        signer = Signer(subkey(key, "continuity", ns, generation))
        cases.append(
            {
                "name": name,
                **ns.described(),
                "namespaceKey": key.hex(),
                "generation": generation,
                "record": subkey(key, "record", ns, generation).hex(),
                "wrap": subkey(key, "wrap", ns, generation).hex(),
                "continuity": subkey(key, "continuity", ns, generation).hex(),
                "continuityPublicKey": signer.public.hex(),
                "continuityKid": signer.kid,
            }
        )
    secrets = [fixed(f"all-of secret {i}") for i in range(4)]
    combined = [
        {"name": f"{n} secret{'s' * (n > 1)}", "secrets": [s.hex() for s in secrets[:n]], "combined": combine(secrets[:n]).hex()}
        for n in (1, 2, 4)
    ]
    refs = [{"uri": uri, "ref": key_ref(uri).hex()} for uri in ("local://acme", "local://backup", "local://service", AWS, GCP)]
    return {"form": "subkeys of a namespace key, combined secrets, key refs", "spec": "§5", "cases": cases, "combined": combined, "keyRefs": refs}


def record_file():
    cases = []
    for name, ns, generation, item, pairs, plain in (
        ("short", ACME, 1, "users/17/email", [["row", "17"]], plain_hex(b"ada@example.org")),
        ("empty, generation 2", ACME, 2, "users/17/phone", [], plain_hex(b"")),
        ("unicode name, context not yet sorted", ACME, 1, UNICODE_NAME, UNSORTED, plain_hex(text("ja, nein, vielleicht"))),
        ("exactly one chunk", ACME, 2, "blob", [], plain_pattern(16384)),
        ("a little over one chunk, another namespace", OTHER, 1, "blob", [], plain_pattern(16400)),
    ):
        message, description = plain
        a = identity(RECORD, ns, item, pairs)
        key, salt = subkey(NK[generation], "record", ns, generation), salt_for("record " + name)
        record = b"KBD\x01" + u32(generation) + CB(key, ctx("record", a), message, salt)
        assert len(record) == len(message) + 80 + 16 * (len(message) // CHUNK)
        cases.append(
            {
                "name": name,
                **ns.described(),
                "namespaceKey": NK[generation].hex(),
                "generation": generation,
                "itemName": item,
                "context": pairs,
                "salt": salt.hex(),
                "plaintext": description,
                "identity": a.hex(),
                "identitySha512": sha512(a).hex(),
                "ctx": ctx("record", a).hex(),
                "recordKey": key.hex(),
                "bodyKeys": b"".join(body_keys(key, ctx("record", a), salt)).hex(),
                "record": record.hex(),
            }
        )
    return {"form": "record (0x01)", "spec": "§6", "cases": cases}


METADATA = {
    "contentType": "application/pdf",
    "fileName": "Vertrag №7.pdf",
    "pairs": {"reviewed by": "Zoë \"Z\"", "é": "\U0001f600"},
}


def sealed_metadata(data_key, a, metadata, salt):
    plaintext = text(compact_json(metadata))
    assert len(plaintext) <= 4096
    key = X(data_key, "metadata", sha512(a))
    return key, plaintext, CB(key, ctx("metadata", a), plaintext, salt)


def longest_metadata():
    """4,096 bytes as JSON."""
    rest = len(text(compact_json({"pairs": {"filler": ""}})))
    return {"pairs": {"filler": "x" * (4096 - rest)}}


def object_file():
    cases = []
    for name, ns, generation, item, pairs, metadata, plain in (
        ("short", ACME, 1, "reports/q3.csv", [["version", "4"]], {"contentType": "text/csv"}, plain_hex(b"a,b\n1,2\n")),
        ("empty, no metadata", ACME, 1, "empty", [], {}, plain_hex(b"")),
        ("unicode everywhere", ACME, 2, UNICODE_NAME, UNSORTED, METADATA, plain_hex(b"%PDF-1.7\n")),
        ("exactly one chunk", ACME, 2, "chunk", [], {"fileName": "chunk"}, plain_pattern(16384)),
        ("a little over one chunk", OTHER, 1, "chunk", [], {"pairs": {}}, plain_pattern(16400)),
        ("the longest metadata", OTHER, 2, "chunk", [], longest_metadata(), plain_hex(b"m")),
    ):
        message, description = plain
        a = identity(OBJECT, ns, item, pairs)
        data_key, wrap_key = fixed("data key " + name), subkey(NK[generation], "wrap", ns, generation)
        salts = {part: salt_for(f"object {part} {name}") for part in ("dataKey", "metadata", "body")}
        wrapped = CB(wrap_key, ctx("data-key", a), data_key, salts["dataKey"])
        metadata_key, metadata_json, sealed = sealed_metadata(data_key, a, metadata, salts["metadata"])
        header = b"KBD\x02" + u32(generation) + wrapped + lp(sealed)
        body = CB(data_key, ctx("object", a), message, salts["body"])
        cases.append(
            {
                "name": name,
                **ns.described(),
                "namespaceKey": NK[generation].hex(),
                "generation": generation,
                "itemName": item,
                "context": pairs,
                "metadata": metadata,
                "dataKey": data_key.hex(),
                "salts": {part: salt.hex() for part, salt in salts.items()},
                "plaintext": description,
                "identity": a.hex(),
                "identitySha512": sha512(a).hex(),
                "ctxDataKey": ctx("data-key", a).hex(),
                "ctxMetadata": ctx("metadata", a).hex(),
                "ctxObject": ctx("object", a).hex(),
                "wrapKey": wrap_key.hex(),
                "metadataKey": metadata_key.hex(),
                "metadataJson": metadata_json.hex(),
                "header": header.hex(),
                "bodyKeys": b"".join(body_keys(data_key, ctx("object", a), salts["body"])).hex(),
                "body": body.hex(),
            }
        )
    return {"form": "object (0x02)", "spec": "§7", "cases": cases}


def direct_file():
    def wrapped(uri, secret, context_pairs, label):
        """A KMS's blob: the local provider's own, or bytes that stand for another KMS's."""
        if uri.startswith("local://"):
            return CB(LOCAL[uri[8:]], encode_kms_context(context_pairs), secret, salt_for("direct blob " + label))
        return b"".join(fixed(f"opaque blob {i} {label}", 64) for i in range(3))[: 184 if uri == AWS else 113]

    cases = []
    for name, item, pairs, metadata, policy, plain in (
        ("one key", "reports/q3.csv", [], {"contentType": "text/csv"}, [["local://acme"]], plain_hex(b"a,b\n1,2\n")),
        ("any of two keys", "a", [["version", "4"]], {}, [["local://backup"], ["local://acme"]], plain_hex(b"")),
        ("all of two keys", UNICODE_NAME, UNSORTED, METADATA, [["local://acme", "local://service"]], plain_hex(b"%PDF-1.7\n")),
        (
            "any of: all of two clouds' keys, one local key",
            "chunk",
            [],
            {"fileName": "chunk"},
            [[AWS, GCP], ["local://backup"]],
            plain_pattern(16384),
        ),
    ):
        message, description = plain
        a = identity(OBJECT, ACME, item, pairs)
        context_pairs = kms_context(ACME, "data-key", a)
        data_key = fixed("direct data key " + name)
        salts = {part: salt_for(f"direct {part} {name}") for part in ("dataKey", "metadata", "body")}
        alternatives = []
        for uris in policy:
            keys = []
            for uri in sorted(uris, key=key_ref):
                secret = fixed(f"secret {name} {uri}")
                keys.append((key_ref(uri), uri, secret, wrapped(uri, secret, context_pairs, f"{name} {uri}")))
            alternatives.append(keys)
        alternatives.sort(key=lambda keys: b"".join(ref for ref, *_ in keys))
        parts, described = [], []
        for keys in alternatives:
            combined = combine([secret for _, _, secret, _ in keys])
            sealed_key = CB(combined, ctx("data-key", a), data_key, salts["dataKey"])
            parts.append(lp(u8(len(keys)) + b"".join(ref + lp(blob) for ref, _, _, blob in keys) + sealed_key))
            described.append(
                {
                    "keys": [
                        {"uri": uri, "ref": ref.hex(), "secret": secret.hex(), "blob": blob.hex()}
                        for ref, uri, secret, blob in keys
                    ],
                    "combined": combined.hex(),
                }
            )
        metadata_key, metadata_json, sealed = sealed_metadata(data_key, a, metadata, salts["metadata"])
        content = u8(len(parts)) + b"".join(parts) + lp(sealed)
        before_mac = b"KBD\x03" + u16(len(content) + 32) + content
        header_key = X(data_key, "header", sha512(a))
        mac = hmac_sha512(header_key, before_mac)[:32]
        body = CB(data_key, ctx("object", a), message, salts["body"])
        cases.append(
            {
                "name": name,
                **ACME.described(),
                "itemName": item,
                "context": pairs,
                "metadata": metadata,
                "dataKey": data_key.hex(),
                "localKeys": {k: v.hex() for k, v in LOCAL.items()},
                "kmsContext": context_pairs,
                "alternatives": described,
                "salts": {part: salt.hex() for part, salt in salts.items()},
                "plaintext": description,
                "identity": a.hex(),
                "identitySha512": sha512(a).hex(),
                "metadataKey": metadata_key.hex(),
                "metadataJson": metadata_json.hex(),
                "headerKey": header_key.hex(),
                "mac": mac.hex(),
                "header": (before_mac + mac).hex(),
                "body": body.hex(),
            }
        )
    return {
        "form": "direct object (0x03)",
        "spec": "§8",
        "note": "One salt seals the data key for every alternative here; a writer takes a fresh one for each. Blobs of "
        "aws-kms and gcp-kms keys stand for what those would return.",
        "cases": cases,
    }


def kms_context_file():
    registry = Namespace("_registry", "eu", ACME.registry, bytes(16))
    a = identity(OBJECT, ACME, "reports/q3.csv", [])
    cases = [
        {"name": name, "pairs": pairs, "encoded": encode_kms_context(pairs).hex()}
        for name, pairs in (
            ("namespace key", kms_context(ACME, "namespace-key")),
            ("data key of a direct object", kms_context(ACME, "data-key", a)),
            ("signing key", kms_context(registry, "signing-key")),
            ("another namespace", kms_context(OTHER, "namespace-key")),
            ("no pairs", {}),
            ("sorted by bytes", dict(UNSORTED)),
        )
    ]
    blobs = []
    for name, pairs in (
        ("namespace key", kms_context(ACME, "namespace-key")),
        ("data key of a direct object", kms_context(ACME, "data-key", a)),
    ):
        secret, salt = fixed("local secret " + name), salt_for("local blob " + name)
        blobs.append(
            {
                "name": name,
                "localKey": LOCAL["acme"].hex(),
                "pairs": pairs,
                "secret": secret.hex(),
                "salt": salt.hex(),
                "blob": CB(LOCAL["acme"], encode_kms_context(pairs), secret, salt).hex(),
            }
        )
    return {"form": "KMS context as bytes, and blobs of local keys", "spec": "§5", "cases": cases, "localBlobs": blobs}


def make_wrap(label, ns, cls, item, secret, policy):
    """A wrap object of `secret` under local keys, and everything that went into it."""
    purpose = {NAMESPACE_KEY: "namespace-key", SIGNING_KEY: "signing-key"}[cls]
    a = identity(cls, ns, item)
    pairs = kms_context(ns, purpose)
    ordered = [sorted(uris, key=key_ref) for uris in policy]
    ordered.sort(key=lambda uris: b"".join(map(key_ref, uris)))
    alternatives, described = [], []
    for number, uris in enumerate(ordered):
        keys = []
        for uri in uris:
            one = fixed(f"wrap secret {label} {number} {uri}")
            salt = salt_for(f"wrap blob {label} {number} {uri}")
            blob = CB(LOCAL[uri[8:]], encode_kms_context(pairs), one, salt)
            keys.append({"uri": uri, "secret": one.hex(), "salt": salt.hex(), "blob": blob.hex()})
        combined = combine([bytes.fromhex(key["secret"]) for key in keys])
        salt = salt_for(f"wrap seal {label} {number}")
        sealed = CB(combined, ctx(purpose, a), secret, salt)
        alternatives.append(
            {
                "wraps": [{"uri": key["uri"], "blob": b64url(bytes.fromhex(key["blob"]))} for key in keys],
                "sealed": b64url(sealed),
            }
        )
        described.append({"keys": keys, "combined": combined.hex(), "sealSalt": salt.hex(), "sealed": sealed.hex()})
    stored = text(compact_json({"format": "keybound/v1/wrap", "alternatives": alternatives}))
    return stored, {
        "name": label,
        **ns.described(),
        "class": cls,
        "itemName": item,
        "secret": secret.hex(),
        "localKeys": {name: key.hex() for name, key in LOCAL.items()},
        "kmsContext": pairs,
        "identity": a.hex(),
        "ctx": ctx(purpose, a).hex(),
        "alternatives": described,
        "text": stored.decode("utf-8"),
        "stored": stored.hex(),
        "sha512": sha512(stored).hex(),
    }


def wrap_file():
    registry = Namespace("_registry", "eu", ACME.registry, bytes(16))
    one, two = [["local://acme"]], [["local://backup"], ["local://acme"]]
    cases = [
        make_wrap("namespace key, one key", ACME, NAMESPACE_KEY, "1", NK[1], one),
        make_wrap("namespace key, any of two keys", ACME, NAMESPACE_KEY, "1", NK[1], two),
        make_wrap("namespace key, all of two keys", ACME, NAMESPACE_KEY, "2", NK[2], [["local://acme", "local://service"]]),
        make_wrap(
            "namespace key, any of: all of two keys, one key",
            ACME,
            NAMESPACE_KEY,
            "2",
            NK[2],
            [["local://acme", "local://service"], ["local://backup"]],
        ),
        make_wrap("signing key", registry, SIGNING_KEY, ROOT.kid, ROOT.seed, [["local://service"]]),
    ]
    return {"form": "wrap objects", "spec": "§10", "cases": [described for _, described in cases]}


def binding_file():
    continuity = {n: Signer(subkey(NK[n], "continuity", ACME, n)) for n in NK}
    # In the order of preference, which here is not the byte order.
    policy = [["local://backup"], ["local://acme", "local://service"]]
    owner_of = {"local://acme": "owner", "local://service": "service", "local://backup": "owner"}
    wraps = {n: make_wrap(f"binding generation {n}", ACME, NAMESPACE_KEY, str(n), NK[n], policy) for n in NK}

    def generation(n, status):
        return {
            "number": n,
            "status": status,
            "continuity": b64url(continuity[n].public),
            "wrap": b64url(sha512(wraps[n][0])),
        }

    def payload(epoch, previous, status, updated, generations):
        return {
            "format": "keybound/v1/binding",
            "registry": b64url(ACME.registry),
            "namespace": ACME.namespace,
            "instance": b64url(ACME.instance),
            "region": ACME.region,
            "epoch": epoch,
            "previous": previous,
            "status": status,
            "owner": 'Acme "Süd" GmbH \\ Ltd',
            "parent": None,
            "approvers": [b64url(Signer(fixed("approver")).public)],
            "dataClass": "personal data",
            "keyMode": "namespace",
            "policies": [
                {
                    "status": "current",
                    # The keys of an alternative are in the order of their refs.
                    "alternatives": [
                        [{"uri": uri, "by": owner_of[uri]} for uri in sorted(uris, key=key_ref)] for uris in policy
                    ],
                    "ownerCannotRevoke": False,
                }
            ],
            "leaseMs": 30000,
            "outageGraceMs": 0,
            "createdAt": "2026-01-31T12:00:00.000Z",
            "updatedAt": updated,
            "generations": generations,
            "movedTo": None,
            "movedFrom": None,
        }

    first = [generation(1, "active")]
    both = [generation(1, "decrypt-only"), generation(2, "active")]
    steps = (
        ("create", "active", "2026-01-31T12:00:00.000Z", first, [("root", ROOT)]),
        ("rotate", "active", "2026-03-01T08:30:00.123Z", both, [("root", ROOT), ("continuity 1", continuity[1])]),
        ("suspend", "suspended", "2026-03-02T09:00:00.000Z", both, [("root", ROOT)]),
        ("resume", "active", "2026-03-02T10:00:00.000Z", both, [("root", ROOT), ("continuity 2", continuity[2])]),
    )
    epochs, previous = [], None
    for epoch, (verb, status, updated, generations, signers) in enumerate(steps, 1):
        value = payload(epoch, previous, status, updated, generations)
        encoded = text(compact_json(value))
        stored = sealed_epoch(encoded, [signer for _, signer in signers])
        assert len(stored) <= 256 * 1024
        previous = b64url(sha512(encoded))
        epochs.append(
            {
                "epoch": epoch,
                "verb": verb,
                "signedBy": [{"who": who, "kid": signer.kid} for who, signer in signers],
                "payload": encoded.decode("utf-8"),
                "payloadSha512": sha512(encoded).hex(),
                "text": stored.decode("utf-8"),
                "stored": stored.hex(),
                "trust": f"{ACME.instance.hex()}.{epoch}.{previous}",
            }
        )
    return {
        "form": "a chain of bindings, with its wrap objects",
        "spec": "§9",
        **ACME.described(),
        "root": {"seed": ROOT.seed.hex(), "publicKey": ROOT.public.hex(), "kid": ROOT.kid},
        "localKeys": {name: key.hex() for name, key in LOCAL.items()},
        "generations": [
            {
                "number": n,
                "namespaceKey": NK[n].hex(),
                "continuitySeed": continuity[n].seed.hex(),
                "continuityPublicKey": continuity[n].public.hex(),
                "continuityKid": continuity[n].kid,
                "wrapSha512": sha512(wraps[n][0]).hex(),
                "wrap": wraps[n][0].hex(),
            }
            for n in sorted(NK)
        ],
        "epochs": epochs,
    }


FILES = {
    "body.json": body_file,
    "identity.json": identity_file,
    "subkeys.json": subkeys_file,
    "record.json": record_file,
    "object.json": object_file,
    "direct-object.json": direct_file,
    "kms-context.json": kms_context_file,
    "wrap.json": wrap_file,
    "binding.json": binding_file,
}


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    different = []
    for name, make in FILES.items():
        content = (json.dumps(make(), ensure_ascii=False, indent=2) + "\n").encode("utf-8")
        path = HERE / name
        if not arguments:
            path.write_bytes(content)
        elif not path.exists() or path.read_bytes() != content:
            different.append(name)
    by = f"{cross_checked} bodies opened by cryptography.cobblestone" if cross_checked else "no cobblestone to cross-check with"
    print(f"{len(FILES)} files {'compared' if arguments else 'written'}; {by}")
    if different:
        sys.exit("different: " + ", ".join(different))


if __name__ == "__main__":
    main(sys.argv[1:])
