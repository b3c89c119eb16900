/*
 * Headers taken apart on their own, also such as a holder of the keys could have made: lengths and MAC are right, what
 * is inside is not.
 */
import { deriveKey } from '../../../src/crypto/kdf.js';
import { IntegrityFailure } from '../../../src/errors.js';
import { sealBody } from '../../../src/format/chunked-body.js';
import {
  type DirectHeader,
  openDirectHeader,
  parseDirectHeader,
  sealDirectHeader,
} from '../../../src/format/direct-header.js';
import {
  contextBytes,
  encodeIdentity,
  identityClass,
  IdentityDigest,
  nameBytes,
} from '../../../src/format/identity.js';
import { encodeMetadata, openMetadata } from '../../../src/format/metadata.js';
import { concat, lp, toHex, u16, utf8 } from '../../../src/internal/bytes.js';
import { same } from '../../support/bytes.js';
import { Rng } from '../../support/rng.js';
import { lengthsAt } from '../engine/bytes.js';
import { mutateJson } from '../engine/json.js';
import { engine } from '../engine/seeded-engine.js';
import { type MakeTarget, must } from '../engine/target.js';
import { identity, text } from './world.js';

const fixed = new Rng(3);
const dataKey = fixed.bytes(32);
const digest = new IdentityDigest(
  engine,
  encodeIdentity(identityClass.object, identity, nameBytes('name'), contextBytes({})),
);
const keys = Array.from({ length: 4 }, (_, i) => ({
  ref: concat(Uint8Array.of(i), fixed.bytes(15)),
  secret: fixed.bytes(32),
}));
const salts = { dataKey: fixed.bytes(24), metadata: fixed.bytes(24) };

function header(...alternatives: readonly (readonly number[])[]): Uint8Array {
  const made = alternatives.map((members) => {
    const its = members.flatMap((i) => keys[i] ?? []);
    return {
      wraps: its.map(({ ref }) => ({ ref, blob: new Uint8Array(60).fill(7) })),
      secrets: its.map(({ secret }) => secret),
    };
  });
  return sealDirectHeader(engine, made, digest, dataKey, { contentType: 'text/plain' }, salts);
}

const headers = (): Uint8Array[] => [
  header([0]),
  header([0], [1, 2]),
  header([0], [1], [2], [3]),
  header([0, 1, 2, 3]),
];
const fine = (error: unknown): boolean => error instanceof IntegrityFailure;

/** The one way to write what was read. */
function rewritten({ alternatives, metadata }: DirectHeader): Uint8Array {
  const parts = alternatives.map(({ wraps, sealed }) =>
    lp(concat(Uint8Array.of(wraps.length), ...wraps.flatMap(({ ref, blob }) => [ref, lp(blob)]), sealed)),
  );
  const content = concat(Uint8Array.of(parts.length), ...parts, lp(metadata));
  return concat(utf8('KBD'), Uint8Array.of(3), u16(content.length + 32), content);
}

function open(bytes: Uint8Array): void {
  const parsed = parseDirectHeader(bytes);
  if (parsed === null) return;
  must(
    parsed.length <= bytes.length && parsed.length <= 6 + 20_480,
    'a header longer than its bytes or the limit',
  );
  must(
    same(rewritten(parsed), bytes.subarray(0, parsed.length - 32)),
    'a header that can be written in two ways',
  );
  for (const alternative of parsed.alternatives) {
    const secrets = alternative.wraps.map(
      ({ ref }) => keys.find((key) => toHex(key.ref) === toHex(ref))?.secret ?? new Uint8Array(32),
    );
    const opened = openDirectHeader(engine, parsed, alternative, secrets, digest);
    must(same(opened.dataKey, dataKey), 'another data key');
  }
}

export const directHeader: MakeTarget = () => {
  const corpus = headers();
  return {
    name: 'direct-header',
    corpus,
    mutators: [lengthsAt(4, 6, 7, 9, 26, 28)],
    fine,
    run: (input) => {
      open(input);
      const parsed = parseDirectHeader(input);
      const whole = corpus.some((one) => parsed !== null && same(one, input.subarray(0, parsed.length)));
      must(parsed === null || whole, 'an altered header opened');
    },
  };
};

/** The input is what lies between length and MAC; both are put right. */
export const directHeaderResealed: MakeTarget = () => ({
  name: 'direct-header-resealed',
  corpus: headers().map((bytes) => bytes.slice(6, -32)),
  mutators: [lengthsAt(1, 3, 4, 20, 22)],
  maxLength: 0xffff - 32,
  fine,
  run: (input) => {
    const authenticated = concat(utf8('KBD'), Uint8Array.of(3), u16(input.length + 32), input);
    const mac = engine
      .hmacSha512(deriveKey(engine, dataKey, 'header', digest.digest), authenticated)
      .slice(0, 32);
    open(concat(authenticated, mac));
  },
});

/** Metadata as a holder of the data key could have sealed it. */
export const metadata: MakeTarget = () => ({
  name: 'metadata',
  corpus: [
    text({}),
    text({ contentType: 'text/plain', fileName: 'a.txt', pairs: { of: 'mine', more: '' } }),
    text({ pairs: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${String(i)}`, 'v'])) }),
  ],
  mutators: [mutateJson],
  maxLength: 8192,
  shortRuns: 300,
  fine,
  run: (input) => {
    const key = deriveKey(engine, dataKey, 'metadata', digest.digest);
    const opened = openMetadata(
      engine,
      dataKey,
      digest,
      sealBody(engine, key, digest.context('metadata'), input),
    );
    const told = JSON.parse(Buffer.from(input).toString('utf8')) as object;
    for (const [was, now] of [
      [told, opened],
      [(told as typeof opened).pairs ?? {}, opened.pairs ?? {}],
    ] as const) {
      must(Object.getPrototypeOf(now) === Object.prototype, 'metadata of another class');
      must(Object.keys(was).length === Object.keys(now).length, 'metadata lost or won a member');
    }
    if (input.length > 4096) return;
    const again = JSON.parse(Buffer.from(encodeMetadata(opened)).toString('utf8')) as typeof opened;
    must(JSON.stringify(again.pairs) === JSON.stringify(opened.pairs), 'metadata changed its pairs');
  },
});
