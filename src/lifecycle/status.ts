import { KeyboundError } from '../errors.js';
import { type EventSubject } from '../events.js';
import { type BindingPayload } from '../format/binding-payload.js';

export const notFound = (subject: EventSubject): KeyboundError =>
  new KeyboundError(
    'namespace-not-found',
    `namespace ${subject.namespace} does not exist in region ${subject.region}: create it, or ask another region`,
    { details: { ...subject } },
  );

/**
 * Throws `namespace-suspended`, `namespace-shredded` or `namespace-moved` unless the namespace is in use, and
 * `unsupported-form` if it is kept in a way this version does not know.
 */
export function checkUsable({ namespace, region, status, movedTo, keyMode }: BindingPayload): void {
  const details = { namespace, region };
  if (keyMode === 'direct') {
    throw new KeyboundError(
      'unsupported-form',
      `namespace ${namespace} keeps its objects under direct keys, which this version cannot use: upgrade`,
      { details },
    );
  }
  if (status === 'active') return;
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
