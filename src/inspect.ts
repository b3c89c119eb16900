/*
 * What stored bytes say of themselves, without any key.
 */
import { engine } from '#engine';
import { readSignedEpoch } from './binding/jws.js';
import { IntegrityFailure, KeyboundError } from './errors.js';
import { type BindingPayload, parseBindingPayload } from './format/binding-payload.js';
import { plaintextSize } from './format/chunked-body.js';
import { maxDirectHeaderLength, parseDirectHeader } from './format/direct-header.js';
import { form, magicLength, readForm } from './format/form.js';
import { parseObjectHeader } from './format/object-header.js';
import { recordGeneration } from './format/record.js';
import { parseWrapObject, wrapFormat, wrapLimits } from './format/wrap-object.js';
import { base64url, isBytes, toHex } from './internal/bytes.js';
import { checkOptions } from './internal/options.js';
import { describeBinding, type NamespaceDescription } from './namespace/namespace.js';

interface InspectedCiphertext {
  /** Length of all that was inspected, in bytes. */
  readonly storedSize: number;
  /** Length of the plaintext if nothing is cut off or put on; null if no plaintext has a ciphertext of that length. */
  readonly size: number | null;
}

/** What {@link inspect} finds. None of it is authenticated. */
export type Inspection =
  | (InspectedCiphertext & { readonly kind: 'record'; readonly generation: number })
  | (InspectedCiphertext & {
      readonly kind: 'object';
      readonly generation: number;
      /** Where the body begins. */
      readonly headerLength: number;
      /** Of the encrypted metadata. */
      readonly metadataLength: number;
    })
  | (InspectedCiphertext & {
      readonly kind: 'direct-object';
      readonly headerLength: number;
      readonly metadataLength: number;
      /** The key refs (hex) of each alternative: SHA-512(key URI)[:16]. */
      readonly alternatives: readonly (readonly string[])[];
    })
  | {
      readonly kind: 'binding';
      /** Hex of 16 bytes. */
      readonly registry: string;
      /** Key ids of those who claim to have signed: a root, and the generation active before. */
      readonly signedBy: readonly string[];
      /** `root` is the first of them. */
      readonly namespace: NamespaceDescription;
      /** Where it moved to or came from. */
      readonly movedTo: string | null;
      readonly movedFrom: string | null;
    }
  | {
      readonly kind: 'wraps';
      readonly alternatives: readonly (readonly { readonly uri: string; readonly blobLength: number }[])[];
    };

export interface InspectOptions {
  /** Length of the whole, if `bytes` is only its beginning. @default the length of `bytes` */
  readonly storedSize?: number;
}

/** So much of the beginning of a record or object is enough; bindings and wraps are needed whole. */
export const inspectLength = wrapLimits.size;

const brace = 0x7b;

/**
 * Says what a record, an object, a binding or a wrap object is, from its bytes alone: no key, no store, nothing verified.
 * At least the first 512 KiB must be given, or all of it. Errors: `invalid-argument`, `not-ciphertext`,
 * `unsupported-form`, `integrity-failure` (cut within its header), `binding-invalid`, `wrap-invalid`.
 */
export function inspect(bytes: Uint8Array, options: InspectOptions = {}): Inspection {
  checkOptions(options, 'inspect', ['storedSize']);
  if (!isBytes(bytes)) {
    throw new KeyboundError('invalid-argument', `expected bytes to inspect, got ${typeof bytes}`);
  }
  const { storedSize = bytes.length } = options;
  if (!Number.isSafeInteger(storedSize) || storedSize < bytes.length) {
    throw new KeyboundError(
      'invalid-argument',
      `expected storedSize to be at least the ${String(bytes.length)} bytes given`,
    );
  }
  try {
    return bytes[0] === brace ? inspectJson(bytes, storedSize) : inspectCiphertext(bytes, storedSize);
  } catch (error) {
    if (!(error instanceof IntegrityFailure)) throw error;
    throw new KeyboundError('integrity-failure', `expected a whole header, got a wrong one: ${error.check}`);
  }
}

function inspectCiphertext(bytes: Uint8Array, storedSize: number): Inspection {
  const kind = readForm(bytes);
  if (kind === form.record) {
    const generation = recordGeneration(bytes);
    return { kind: 'record', generation, storedSize, size: plaintextSize(storedSize - recordHeaderLength) };
  }
  if (kind === form.object) {
    const header = parseObjectHeader(bytes) ?? cut();
    return {
      kind: 'object',
      generation: header.generation,
      headerLength: header.length,
      metadataLength: header.metadata.length,
      storedSize,
      size: plaintextSize(storedSize - header.length),
    };
  }
  const header = parseDirectHeader(bytes.subarray(0, maxDirectHeaderLength)) ?? cut();
  return {
    kind: 'direct-object',
    headerLength: header.length,
    metadataLength: header.metadata.length,
    alternatives: header.alternatives.map(({ wraps }) => wraps.map(({ ref }) => toHex(ref))),
    storedSize,
    size: plaintextSize(storedSize - header.length),
  };
}

/** Magic, form and generation. */
const recordHeaderLength = magicLength + 4;

const cut = (): never => {
  throw new IntegrityFailure('cut within the header');
};

function inspectJson(bytes: Uint8Array, storedSize: number): Inspection {
  if (storedSize > inspectLength || storedSize > bytes.length) {
    throw new KeyboundError(
      'not-ciphertext',
      'expected bytes made by keybound, got JSON that is too long for a binding or a wrap object',
    );
  }
  // Both have one spelling, which says in its first bytes which of them it is.
  const start = new TextDecoder().decode(bytes.subarray(0, 64));
  if (start.startsWith('{"payload":')) return inspectBinding(bytes);
  if (start.includes(wrapFormat)) {
    const alternatives = parseWrapObject(bytes).map(({ wraps }) =>
      wraps.map(({ uri, blob }) => ({ uri, blobLength: blob.length })),
    );
    return { kind: 'wraps', alternatives };
  }
  throw new KeyboundError('not-ciphertext', 'expected bytes made by keybound, got other JSON');
}

function inspectBinding(bytes: Uint8Array): Inspection {
  const epoch = readSignedEpoch(bytes);
  const payload: BindingPayload = parseBindingPayload(epoch.payload);
  const signedBy = epoch.signatures.map(({ kid }) => kid);
  return {
    kind: 'binding',
    registry: toHex(base64url.decode(payload.registry)),
    signedBy,
    namespace: describeBinding({
      payload,
      trust: {
        instance: payload.instance,
        epoch: payload.epoch,
        payload: base64url.encode(engine.sha512(epoch.payload)),
      },
      root: signedBy[0] ?? '',
    }),
    movedTo: payload.movedTo?.region ?? null,
    movedFrom: payload.movedFrom?.region ?? null,
  };
}
