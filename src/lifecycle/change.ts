/*
 * Suspend, resume, rotate, sign again: each one more epoch on the chain.
 */
import { type ReadOptions, type VerifiedBinding } from '../binding/chain.js';
import { type Signer } from '../binding/jws.js';
import { needsContinuity } from '../binding/rules.js';
import { KeyboundError } from '../errors.js';
import { type EventSubject } from '../events.js';
import {
  activeGeneration,
  bindingLimits,
  type BindingPayload,
  currentPolicy,
} from '../format/binding-payload.js';
import { wipe } from '../internal/bytes.js';
import { commitEpoch } from './commit.js';
import { type Installation } from './installation.js';
import { newGeneration, unwrapGeneration, WrapMissing } from './namespace-key.js';
import { rootSigner } from './root-key.js';
import { checkUsable, notFound } from './status.js';

/** What an epoch may say anew; the rest follows from the one before. */
type Change = Partial<Pick<BindingPayload, 'status' | 'generations'>>;

/** The newest binding, which must exist and not be final. */
async function newest(
  installation: Installation,
  subject: EventSubject,
  options: ReadOptions,
): Promise<VerifiedBinding> {
  const binding = await installation.chains.read(subject, options);
  if (binding === null) throw notFound(subject);
  const { status } = binding.payload;
  if (status !== 'suspended') checkUsable(binding.payload);
  return binding;
}

/** The generation that is active now, as a signer of the epoch to come: the owner's KMS must have unlocked it. */
async function continuitySigner(
  installation: Installation,
  binding: VerifiedBinding,
  signal: AbortSignal | undefined,
): Promise<Signer> {
  const active = activeGeneration(binding.payload);
  if (active === undefined) throw new Error('a usable binding has an active generation');
  try {
    const { namespaceKey, continuity } = await unwrapGeneration(installation, binding, active, signal);
    wipe(namespaceKey);
    return continuity;
  } catch (error) {
    throw error instanceof WrapMissing ? error.toError() : error;
  }
}

async function follow(
  installation: Installation,
  verb: 'suspend' | 'resume' | 'rotate' | 'sign-again',
  binding: VerifiedBinding,
  change: Change,
  signal: AbortSignal | undefined,
  root?: Signer,
): Promise<VerifiedBinding> {
  const { payload, trust } = binding;
  const next: BindingPayload = {
    ...payload,
    ...change,
    epoch: payload.epoch + 1,
    previous: trust.payload,
    updatedAt: new Date(installation.clock.now()).toISOString(),
  };
  const signers = [root ?? (await rootSigner(installation, signal))];
  if (needsContinuity(payload, next)) signers.push(await continuitySigner(installation, binding, signal));
  return commitEpoch(installation, verb, next, signers, signal);
}

/** Stops all use of the namespace within a lease. The root's signature suffices. Suspended already: no change. */
export async function suspend(
  installation: Installation,
  subject: EventSubject,
  options: ReadOptions,
): Promise<VerifiedBinding> {
  const binding = await newest(installation, subject, options);
  if (binding.payload.status === 'suspended') return binding;
  return follow(installation, 'suspend', binding, { status: 'suspended' }, options.signal);
}

/** Takes a suspension back, which takes the owner's key. Active already: no change. */
export async function resume(
  installation: Installation,
  subject: EventSubject,
  options: ReadOptions,
): Promise<VerifiedBinding> {
  const binding = await newest(installation, subject, options);
  if (binding.payload.status === 'active') return binding;
  return follow(installation, 'resume', binding, { status: 'active' }, options.signal);
}

/**
 * Adds an epoch that changes nothing, so that the newest one is signed by `root`: before the root that signed it retires.
 * It may be final. Signed by that root already: no change.
 */
export async function signAgain(
  installation: Installation,
  subject: EventSubject,
  root: Signer,
  signal: AbortSignal | undefined,
): Promise<{ readonly binding: VerifiedBinding; readonly signed: boolean } | null> {
  const binding = await installation.chains.read(subject, { signal });
  // What a creation left that never came to an end.
  if (binding === null) return null;
  if (binding.root === root.kid) return { binding, signed: false };
  return { binding: await follow(installation, 'sign-again', binding, {}, signal, root), signed: true };
}

/** Opens a new generation for what is written from now on; the older ones become decrypt-only. */
export async function rotate(
  installation: Installation,
  subject: EventSubject,
  options: ReadOptions,
): Promise<VerifiedBinding> {
  const binding = await newest(installation, subject, options);
  const { payload, identity } = binding;
  checkUsable(payload);
  if (payload.generations.length >= bindingLimits.generations) {
    throw new KeyboundError(
      'too-large',
      `namespace ${subject.namespace}: it has ${String(bindingLimits.generations)} generations already, which is the most there can be`,
      { details: { ...subject } },
    );
  }
  const { number } = activeGeneration(payload) ?? { number: 0 };
  const made = await newGeneration(
    installation,
    identity,
    number + 1,
    currentPolicy(payload),
    options.signal,
  );
  const generations = [
    ...payload.generations.map((generation) => ({ ...generation, status: 'decrypt-only' as const })),
    made.generation,
  ];
  try {
    return await follow(installation, 'rotate', binding, { generations }, options.signal);
  } catch (error) {
    // Only a lost race proves that no epoch names these wraps; after other errors they may be needed.
    if (error instanceof KeyboundError && error.code === 'namespace-changed') await made.discard();
    throw error;
  }
}
