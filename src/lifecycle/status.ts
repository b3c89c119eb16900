import { KeyboundError } from '../errors.js';
import { type EventSubject } from '../events.js';
import { type BindingPayload } from '../format/binding-payload.js';

export const notFound = (subject: EventSubject): KeyboundError =>
  new KeyboundError(
    'namespace-not-found',
    `namespace ${subject.namespace} does not exist in region ${subject.region}: create it, or ask another region`,
    { details: { ...subject } },
  );

/** Throws `namespace-suspended`, `namespace-shredded` or `namespace-moved` unless the namespace is in use. */
export function checkUsable({ namespace, region, status, movedTo }: BindingPayload): void {
  if (status === 'active') return;
  const details = { namespace, region };
  if (status === 'suspended') {
    throw new KeyboundError('namespace-suspended', `namespace ${namespace} is suspended: resume it first`, {
      details,
    });
  }
  if (status === 'shredded') {
    throw new KeyboundError(
      'namespace-shredded',
      `namespace ${namespace} was shredded: its keys are destroyed`,
      {
        details,
      },
    );
  }
  const target = movedTo?.region ?? 'another';
  throw new KeyboundError(
    'namespace-moved',
    `namespace ${namespace} moved to region ${target}: open it there`,
    {
      details: { ...details, movedTo: target },
    },
  );
}
