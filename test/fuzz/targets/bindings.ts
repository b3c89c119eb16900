/*
 * Epochs and wraps in the store: raw ones, and such as the true root and generation signed, which break a rule.
 */
import { signEpoch, type Signer } from '../../../src/binding/jws.js';
import { type BindingPayload, encodeBindingPayload } from '../../../src/format/binding-payload.js';
import { KeyboundError, type Namespace } from '../../../src/index.js';
import { base64url } from '../../../src/internal/bytes.js';
import { bindingPlace } from '../../../src/storage/layout.js';
import { memoryStore } from '../../../src/storage/stores/memory.js';
import { same } from '../../support/bytes.js';
import { mutateJson } from '../engine/json.js';
import { engine } from '../engine/seeded-engine.js';
import { type MakeTarget, must, type Mutator, type Target } from '../engine/target.js';
import { type FuzzWorld, hashOf, identity, makeFuzzWorld, registry, subject, text } from './world.js';

const maxLength = 300 * 1024;
const message = text('a record');

const after = (previous: BindingPayload, change: Partial<BindingPayload>): BindingPayload => ({
  ...previous,
  epoch: previous.epoch + 1,
  previous: hashOf(previous),
  updatedAt: '2026-01-02T00:00:00.000Z',
  ...change,
});

/** Epochs that may follow the first. */
function followers({ first, continuity }: FuzzWorld): {
  alone: BindingPayload[];
  together: BindingPayload[];
} {
  const [old] = first.generations;
  if (old === undefined) throw new Error('the first epoch has a generation');
  const second = { ...old, number: 2, continuity: continuity.publicKey };
  return {
    alone: [
      after(first, {}),
      after(first, { status: 'suspended' }),
      after(first, { status: 'shredded', generations: [] }),
      after(first, { leaseMs: 10 }),
    ],
    together: [
      after(first, { generations: [{ ...old, status: 'decrypt-only' }, second] }),
      after(first, { owner: 'Other', parent: 'globex', approvers: [base64url.encode(new Uint8Array(32))] }),
      after(first, { status: 'moved', movedTo: { region: 'us', instance: first.instance } }),
    ],
  };
}

/** Opens the namespace in a process that knows nothing yet, and reads a record in it. */
async function open(world: FuzzWorld, record: Uint8Array): Promise<Namespace> {
  const acme = await world.process().open('acme', { region: 'eu' });
  try {
    must(same(await acme.decryptRecord('name', record), message), 'a record opened as something else');
  } catch (error) {
    // Suspended, shredded, wraps gone: all of them fine.
    if (!(error instanceof KeyboundError)) throw error;
  }
  return acme;
}

type Check = (world: FuzzWorld, input: Uint8Array, record: Uint8Array) => Promise<void>;

const bindingTarget =
  (name: string, corpus: (world: FuzzWorld) => Promise<Uint8Array[]>, run: Check): MakeTarget =>
  async (): Promise<Target> => {
    const world = await makeFuzzWorld();
    const record = await (
      await world.process().open('acme', { region: 'eu' })
    ).encryptRecord('name', message);
    return {
      name,
      corpus: await corpus(world),
      mutators: [mutateJson, mutateJson, insideJws],
      maxLength,
      shortRuns: 80,
      run: (input) => run(world, input, record),
    };
  };

/** Alters what an envelope encodes: its payload, or a protected header. */
const insideJws: Mutator = (input, rng, others) => {
  try {
    const envelope = JSON.parse(Buffer.from(input).toString('utf8')) as {
      payload: string;
      signatures: { protected: string }[];
    };
    const alter = (encoded: unknown): string => {
      // Altered before, it may be anything.
      if (typeof encoded !== 'string') return '';
      const inner = new Uint8Array(Buffer.from(encoded, 'base64url'));
      return Buffer.from(mutateJson(inner, rng, [inner])).toString('base64url');
    };
    const [signature] = envelope.signatures;
    if (rng.below(2) === 0 || signature === undefined) envelope.payload = alter(envelope.payload);
    else signature.protected = alter(signature.protected);
    return text(envelope);
  } catch {
    return mutateJson(input, rng, others);
  }
};

const sign = (payload: BindingPayload, ...signers: Signer[]): Promise<Uint8Array> =>
  signEpoch(encodeBindingPayload(payload), signers);

/** An envelope without the order of its members and signatures, which is nobody's matter. */
function meaning(envelope: Uint8Array): string {
  const { payload, signatures } = JSON.parse(Buffer.from(envelope).toString('utf8')) as {
    payload: string;
    signatures: { protected: string; signature: string }[];
  };
  const signed = signatures.map((one) => `${one.protected}.${one.signature}`);
  return [payload, ...signed.sort()].join(' ');
}

/** Nothing but a true first epoch opens. */
export const epochFirst = bindingTarget(
  'epoch-first',
  async ({ first, root, continuity }) => [await sign(first, root), await sign(first, root, continuity)],
  async (world, input, record) => {
    await world.placeEpoch(1, input);
    await open(world, record);
    must(
      meaning(input) === meaning(await sign(world.first, world.root)),
      'an altered first epoch was believed',
    );
  },
);

export const epochNext = bindingTarget(
  'epoch-next',
  async (world) => {
    const { alone, together } = followers(world);
    const signed: Uint8Array[] = [];
    for (const payload of alone) signed.push(await sign(payload, world.root));
    for (const payload of together) signed.push(await sign(payload, world.root, world.continuity));
    return signed;
  },
  async (world, input, record) => {
    await world.placeEpoch(1, await sign(world.first, world.root));
    await world.placeEpoch(2, input);
    await open(world, record);
    const { alone, together } = followers(world);
    const known: string[] = [];
    for (const payload of alone) known.push(meaning(await sign(payload, world.root)));
    for (const payload of together) known.push(meaning(await sign(payload, world.root, world.continuity)));
    must(known.includes(meaning(input)), 'an altered second epoch was believed');
  },
);

const read = (input: Uint8Array): BindingPayload =>
  JSON.parse(Buffer.from(input).toString('utf8')) as BindingPayload;

/** What every binding that is believed keeps to, whoever signed it. */
function checkPayload(payload: BindingPayload, input: Uint8Array): void {
  must(JSON.stringify(payload) === Buffer.from(input).toString('utf8'), 'a payload in another spelling');
  const active = payload.generations.filter(({ status }) => status === 'active');
  must(
    active.length === (payload.status === 'shredded' ? 0 : 1),
    'a number of active generations other than one',
  );
  must(payload.registry === base64url.encode(identity.registry), 'another registry');
  must(
    payload.namespace === subject.namespace && payload.region === subject.region,
    'another namespace or region',
  );
  const policy = payload.policies[0];
  const held = policy?.alternatives.every((keys) => keys.some(({ by }) => by === 'owner')) === true;
  must(held || policy?.ownerCannotRevoke === true, 'the owner lost the switch and nobody said so');
  const known = [
    'format',
    'registry',
    'namespace',
    'instance',
    'region',
    'epoch',
    'previous',
    'status',
    'owner',
    'parent',
    'approvers',
  ];
  const more = [
    'dataClass',
    'keyMode',
    'policies',
    'leaseMs',
    'outageGraceMs',
    'createdAt',
    'updatedAt',
    'generations',
    'movedTo',
    'movedFrom',
  ];
  must(
    Object.keys(payload).every((key) => [...known, ...more].includes(key)),
    'a member that nobody knows',
  );
  must(payload.leaseMs <= 300_000 && payload.outageGraceMs <= 600_000, 'a lease beyond its limit');
  must(input.length <= 256 * 1024, 'a binding beyond its limit');
}

/** Every member that may be empty is not, in one of them. */
const firsts = ({ first }: FuzzWorld): BindingPayload[] => [
  first,
  {
    ...first,
    dataClass: 'pii',
    parent: 'globex',
    outageGraceMs: 1000,
    approvers: [base64url.encode(new Uint8Array(32))],
  },
  {
    ...first,
    keyMode: 'direct',
    policies: [
      ...first.policies,
      ...first.policies.map((one) => ({ ...one, status: 'decrypt-only' as const })),
    ],
  },
  { ...first, movedFrom: { region: 'us', instance: first.instance, payload: hashOf(first) } },
];

export const epochFirstSigned = bindingTarget(
  'epoch-first-signed',
  (world) => Promise.resolve(firsts(world).map(encodeBindingPayload)),
  async (world, input, record) => {
    await world.placeEpoch(1, await signEpoch(input, [world.root]));
    await open(world, record);
    const payload = read(input);
    checkPayload(payload, input);
    must(payload.epoch === 1 && payload.previous === null, 'no first epoch');
    must(payload.movedFrom === null, 'a move that nobody confirms');
  },
);

/** A value whose members come in any order. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

/** Members that a root may change alone. */
const byRootAlone = ['epoch', 'previous', 'updatedAt', 'status', 'generations', 'leaseMs', 'outageGraceMs'];

function checkStep(first: BindingPayload, next: BindingPayload, input: Uint8Array): void {
  checkPayload(next, input);
  must(next.epoch === 2 && next.previous === hashOf(first), 'an epoch that does not follow');
  for (const member of ['format', 'instance', 'keyMode', 'createdAt', 'movedFrom'] as const) {
    must(canonical(first[member]) === canonical(next[member]), `a change of ${member}`);
  }
  const [old] = first.generations;
  if (next.status === 'shredded') return;
  const kept = next.generations.find(({ number }) => number === 1);
  must(kept?.continuity === old?.continuity, 'a change of a public key');
  must(
    next.generations.every(({ number }) => number <= 2),
    'a generation out of turn',
  );
}

const stepTarget = (name: string, withContinuity: boolean): MakeTarget =>
  bindingTarget(
    name,
    (world) => {
      const { alone, together } = followers(world);
      return Promise.resolve([...alone, ...together].map(encodeBindingPayload));
    },
    async (world, input, record) => {
      const { root, continuity, first } = world;
      await world.placeEpoch(1, await sign(first, root));
      await world.placeEpoch(2, await signEpoch(input, withContinuity ? [root, continuity] : [root]));
      await open(world, record);
      const next = read(input);
      checkStep(first, next, input);
      if (withContinuity) return;
      for (const [member, value] of Object.entries(next)) {
        const same = canonical(value) === canonical(first[member as keyof BindingPayload]);
        must(same || byRootAlone.includes(member), `a root alone changed ${member}`);
      }
      must(['active', 'suspended', 'shredded'].includes(next.status), 'a root alone moved a namespace');
      must(
        next.leaseMs <= first.leaseMs && next.outageGraceMs <= first.outageGraceMs,
        'a root alone stretched a lease',
      );
      const same = canonical(next.generations) === canonical(first.generations);
      must(same || next.status === 'shredded', 'a root alone changed generations');
    },
  );

export const epochNextSigned = stepTarget('epoch-next-signed', true);
export const epochNextByRoot = stepTarget('epoch-next-by-root', false);

/** Wraps whose hash a signed binding names: they open the true key or nothing. */
export const wrapObject = bindingTarget(
  'wrap-object',
  ({ wrapObject: bytes }) => Promise.resolve([bytes]),
  async (world, input, record) => {
    const [generation] = world.first.generations;
    if (generation === undefined) throw new Error('the first epoch has a generation');
    const wrap = base64url.encode(engine.sha512(input));
    await world.placeEpoch(
      1,
      await sign({ ...world.first, generations: [{ ...generation, wrap }] }, world.root),
    );
    await world.placeWrap(input);
    const acme = await world.process().open('acme', { region: 'eu' });
    must(same(await acme.decryptRecord('name', record), message), 'a record opened as something else');
  },
);

/** The wrapped seed of a root, as an administrator pastes it. */
export const rootWrapped: MakeTarget = async () => {
  const world = await makeFuzzWorld();
  const { signing, provider } = world;
  return {
    name: 'root-wrapped',
    corpus: [text(signing.wrapped)],
    mutators: [mutateJson],
    maxLength,
    shortRuns: 80,
    run: async (input) => {
      const regions = { eu: { store: memoryStore(), keyLocations: ['local'] } };
      const wrapped = Buffer.from(input).toString('utf8');
      const keybound = world.process({ regions, keys: [provider], signing: { ...signing, wrapped } });
      const made = await keybound.create('fresh', { key: 'local://acme' });
      must(
        (await regions.eu.store.head(bindingPlace(registry, made.id, 1))) !== null,
        'a namespace without a binding',
      );
    },
  };
};
