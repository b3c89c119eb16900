import { type VerifiedBinding } from '../binding/chain.js';
import { KeyboundError } from '../errors.js';
import { type EventSubject } from '../events.js';
import { bindingFormat, type BindingPayload } from '../format/binding-payload.js';
import { checkNamespace } from '../format/names.js';
import { base64url, fromHex } from '../internal/bytes.js';
import { checkOptions } from '../internal/options.js';
import { quote } from '../internal/quote.js';
import { type KeyPolicy, normalisePolicy } from '../keys/policy.js';
import { commitEpoch } from './commit.js';
import { type Installation } from './installation.js';
import { maxLeaseMs } from './lease.js';
import { newGeneration } from './namespace-key.js';
import { rootSigner } from './root-key.js';

export interface CreateOptions {
  /** One of the configured regions; may be left out when there is only one. */
  readonly region?: string;
  /** Which keys unlock the namespace. */
  readonly key: KeyPolicy;
  /** Whose namespace it is, in the service's own words: 1 to 256 characters. */
  readonly owner?: string;
  /** The namespace that this one belongs to: a customer, of its customer. */
  readonly parent?: string;
  /** How the data is classified, in the service's own words: 1 to 256 characters. */
  readonly dataClass?: string;
  /** Accepts a key policy in which the owner holds no switch. @default false */
  readonly ownerCannotRevoke?: boolean;
  readonly signal?: AbortSignal;
}

function checkLabel(what: string, text: unknown): string | null {
  if (text === undefined) return null;
  if (typeof text === 'string' && text.isWellFormed() && /^[^\p{Cc}]{1,256}$/u.test(text)) return text;
  throw new KeyboundError(
    'invalid-argument',
    `expected ${what} to be 1 to 256 characters without control characters, got ${quote(text)}`,
  );
}

/** Makes a namespace: its first generation and epoch 1. Throws `namespace-exists` if there is one already. */
export async function createNamespace(
  installation: Installation,
  id: string,
  options: CreateOptions,
): Promise<VerifiedBinding> {
  checkOptions(options, 'create', [
    'region',
    'key',
    'owner',
    'parent',
    'dataClass',
    'ownerCannotRevoke',
    'signal',
  ]);
  const { engine, registry, regions, kms, chains, clock } = installation;
  const { signal } = options;
  const namespace = checkNamespace(id);
  const parent = options.parent === undefined ? null : checkNamespace(options.parent);
  const owner = checkLabel('owner', options.owner);
  const dataClass = checkLabel('dataClass', options.dataClass);
  const { ownerCannotRevoke = false }: { ownerCannotRevoke?: unknown } = options;
  if (typeof ownerCannotRevoke !== 'boolean') {
    throw new KeyboundError('invalid-argument', 'expected ownerCannotRevoke to be true or false');
  }
  const region = regions.get(options.region);
  const subject: EventSubject = { namespace, region: region.name };
  const policy = normalisePolicy(engine, options.key, installation.providers, ownerCannotRevoke);
  kms.checkLocations(policy, { subject, keyLocations: region.keyLocations });
  await regions.prove(region);
  if ((await chains.read(subject, { signal })) !== null) throw exists(subject);
  const root = await rootSigner(installation, signal);
  const instance = engine.randomBytes(16);
  const identity = { registry: fromHex(registry), namespace, instance, region: region.name };
  const first = await newGeneration(installation, identity, 1, policy, signal);
  const now = new Date(clock.now()).toISOString();
  const payload: BindingPayload = {
    format: bindingFormat,
    registry: base64url.encode(identity.registry),
    namespace,
    instance: base64url.encode(instance),
    region: region.name,
    epoch: 1,
    previous: null,
    status: 'active',
    owner,
    parent,
    approvers: [],
    dataClass,
    keyMode: 'namespace',
    policies: [{ status: 'current', ...policy }],
    leaseMs: maxLeaseMs,
    outageGraceMs: 0,
    createdAt: now,
    updatedAt: now,
    generations: [first.generation],
    movedTo: null,
    movedFrom: null,
  };
  try {
    return await commitEpoch(installation, 'create', payload, [root], signal);
  } catch (error) {
    if (!(error instanceof KeyboundError) || error.code !== 'namespace-changed') throw error;
    await first.discard();
    throw exists(subject);
  }
}

const exists = (subject: EventSubject): KeyboundError =>
  new KeyboundError(
    'namespace-exists',
    `namespace ${subject.namespace} exists already in region ${subject.region}: open it instead`,
    { details: { ...subject } },
  );
