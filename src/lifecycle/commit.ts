import { type VerifiedBinding } from '../binding/chain.js';
import { type Signer, signEpoch } from '../binding/jws.js';
import { formatTrust } from '../binding/trust.js';
import { KeyboundError } from '../errors.js';
import { type EventSubject, type KeyboundEvent } from '../events.js';
import {
  bindingLimits,
  type BindingPayload,
  encodeBindingPayload,
  parseBindingPayload,
} from '../format/binding-payload.js';
import { sameBytes } from '../internal/bytes.js';
import { signalOption } from '../internal/options.js';
import { getSmall, piece } from '../storage/bytes.js';
import { bindingPlace } from '../storage/layout.js';
import { type Installation } from './installation.js';

type Verb = Extract<KeyboundEvent, { type: 'binding-changed' }>['verb'];

/**
 * Signs an epoch and creates it, if no one else created that epoch first: the compare-and-set of the chain. An answer
 * that was lost is settled by rereading: our own bytes there mean success. Returns the chain as a reader sees it
 * then. Throws `namespace-changed` if another process won.
 */
export async function commitEpoch(
  installation: Installation,
  verb: Verb,
  payload: BindingPayload,
  signers: readonly Signer[],
  signal?: AbortSignal,
): Promise<VerifiedBinding> {
  const { registry, regions, chains, emit } = installation;
  const subject = { namespace: payload.namespace, region: payload.region };
  const { store } = regions.get(payload.region);
  const place = bindingPlace(registry, payload.namespace, payload.epoch);
  const encoded = encodeBindingPayload(payload);
  // An epoch that no reader would accept must not be made: it could not be taken back.
  parseBindingPayload(encoded);
  const bytes = await signEpoch(encoded, signers);
  if (bytes.length > bindingLimits.size) {
    throw new KeyboundError(
      'too-large',
      `namespace ${payload.namespace}: expected a binding of at most ${String(bindingLimits.size)} bytes, got ${String(bytes.length)}`,
      { details: subject },
    );
  }
  try {
    await store.put(place, piece(bytes), { if: 'absent', ...signalOption(signal) });
  } catch (error) {
    // What cannot be read proves nothing: whoever made wraps for this epoch must keep them.
    const present = await getSmall(store, place, bindingLimits.size, signalOption(signal)).catch(() => null);
    const ours =
      present?.content !== undefined && present.content !== null && sameBytes(present.content, bytes);
    if (!ours) {
      if (present === null) throw lostAnswer(subject, payload.epoch, error);
      throw new KeyboundError(
        'namespace-changed',
        `namespace ${payload.namespace}: someone else made epoch ${String(payload.epoch)} of its binding first; look at it and repeat`,
        { details: { ...subject, epoch: payload.epoch }, cause: error },
      );
    }
  }
  const binding = await chains
    .read(subject, { instance: payload.instance, signal })
    .catch((error: unknown) => {
      throw doneBut(subject, payload.epoch, error);
    });
  if (binding === null) throw doneBut(subject, payload.epoch, undefined);
  emit({
    type: 'binding-changed',
    ...subject,
    verb,
    epoch: payload.epoch,
    trust: formatTrust(binding.trust),
  });
  return binding;
}

/** Not `object-exists`, which would say that somebody else won, while it may have been this very write. */
function lostAnswer(subject: EventSubject, epoch: number, error: unknown): unknown {
  if (!(error instanceof KeyboundError) || error.code !== 'object-exists') return error;
  return new KeyboundError(
    'store-unavailable',
    `namespace ${subject.namespace}: epoch ${String(epoch)} of its binding may have been made or not: look at it before repeating`,
    { details: { ...subject, epoch }, cause: error },
  );
}

function doneBut(subject: EventSubject, epoch: number, error: unknown): KeyboundError {
  const known = error instanceof KeyboundError;
  return new KeyboundError(
    known ? error.code : 'store-unavailable',
    `namespace ${subject.namespace}: epoch ${String(epoch)} of its binding was made, but could not be read back: ${known ? error.message : 'the store does not show it'}`,
    { details: { ...subject, epoch }, cause: error },
  );
}
