/*
 * What the KMSs made of one secret, for every alternative of a policy. Stored beside the binding (for a generation's
 * namespace key) or the registry (for a root's signing seed).                                   SPEC.md §10
 */
import { KeyboundError } from '../errors.js';
import { base64url, fromUtf8, utf8 } from '../internal/bytes.js';
import { parseJson, shape } from '../internal/shape.js';
import { bindingLimits, keyUriShape } from './binding-payload.js';
import { bodyLength } from './chunked-body.js';
import { keyLength } from './object-header.js';

export const wrapFormat = 'keybound/v1/wrap';

export const wrapLimits = {
  /** Of the stored object, in bytes. */
  size: 512 * 1024,
  /** Of one KMS's reply, in bytes. */
  blobLength: 6144,
} as const;

export interface KmsWrap {
  readonly uri: string;
  readonly blob: Uint8Array;
}

export interface WrappedAlternative {
  /** In the order of their key refs. */
  readonly wraps: readonly KmsWrap[];
  /** CB(comb, ctx, secret). */
  readonly sealed: Uint8Array;
}

const bytesShape =
  (min: number, max: number) =>
  (value: unknown, path: string, fail: (message: string) => never): Uint8Array => {
    const text = shape.string(value, path, fail);
    let bytes: Uint8Array;
    try {
      bytes = base64url.decode(text);
    } catch {
      return fail(`expected ${path} to be base64url`);
    }
    return bytes.length >= min && bytes.length <= max
      ? bytes
      : fail(`expected ${path} to be ${String(min)} to ${String(max)} bytes, got ${String(bytes.length)}`);
  };

const sealedLength = bodyLength(keyLength);

const wrapShape = shape.object({
  format: shape.literal(wrapFormat),
  alternatives: shape.array(
    shape.object({
      wraps: shape.array(
        shape.object({ uri: keyUriShape, blob: bytesShape(1, wrapLimits.blobLength) }),
        1,
        bindingLimits.keysPerAlternative,
      ),
      sealed: bytesShape(sealedLength, sealedLength),
    }),
    1,
    bindingLimits.alternatives,
  ),
});

export function encodeWrapObject(alternatives: readonly WrappedAlternative[]): Uint8Array {
  return utf8(
    JSON.stringify({
      format: wrapFormat,
      alternatives: alternatives.map(({ wraps, sealed }) => ({
        wraps: wraps.map(({ uri, blob }) => ({ uri, blob: base64url.encode(blob) })),
        sealed: base64url.encode(sealed),
      })),
    }),
  );
}

/** Throws `wrap-invalid`. Which URIs it must name is the policy's matter, not its own. */
export function parseWrapObject(bytes: Uint8Array): WrappedAlternative[] {
  const fail = (message: string): never => {
    throw new KeyboundError('wrap-invalid', `a wrap object is malformed: ${message}`);
  };
  let text: string;
  try {
    text = fromUtf8(bytes);
  } catch {
    return fail('expected UTF-8');
  }
  return wrapShape(parseJson(text, fail), 'wrap', fail).alternatives;
}
