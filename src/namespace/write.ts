/*
 * Writing objects: encrypted as they stream, committed only under the generation that is still active then.
 */
import { KeyboundError } from '../errors.js';
import { bodyLength } from '../format/chunked-body.js';
import { encodeMetadata, type Metadata } from '../format/metadata.js';
import { keyLength, sealObjectHeader } from '../format/object-header.js';
import { checkOptions, signalOption } from '../internal/options.js';
import { quote } from '../internal/quote.js';
import { ByteStream } from '../streams/byte-stream.js';
import { sealObject } from '../streams/object-stream.js';
import { type ByteSource, isReplayable, readSource } from '../streams/source.js';
import {
  about,
  type EncryptOptions,
  identityOf,
  type Named,
  named,
  placeOf,
  type PutOptions,
  type PutResult,
} from './object.js';
import { type Session } from './session.js';

const encryptOptions = ['contentType', 'fileName', 'pairs', 'context', 'signal'];

const metadataOf = ({ contentType, fileName, pairs }: Metadata): Metadata => ({
  ...(contentType === undefined ? {} : { contentType }),
  ...(fileName === undefined ? {} : { fileName }),
  ...(pairs === undefined ? {} : { pairs }),
});

/** Lengths of an object that was encrypted to its end. */
type Sizes = Pick<PutResult, 'size' | 'storedSize'>;

/**
 * The ciphertext of one object as a stream, under the generation active now. Just before its final chunk it makes
 * sure that this generation is still the active one; `onEnd` then learns the length of the plaintext.
 */
async function seal(
  session: Session,
  object: Named,
  pieces: AsyncGenerator<Uint8Array>,
  options: EncryptOptions,
  onEnd: (sizes: Sizes) => void = () => undefined,
): Promise<AsyncGenerator<Uint8Array>> {
  const { engine } = session.installation;
  const metadata = metadataOf(options);
  encodeMetadata(metadata);
  return session.withKeys(
    'active',
    (keys, binding) => {
      const identity = identityOf(session, binding, object);
      const dataKey = engine.randomBytes(keyLength);
      const header = sealObjectHeader(engine, keys.wrap, keys.number, identity, dataKey, metadata);
      const instance = binding.payload.instance;
      return sealObject(engine, header, dataKey, identity.context('object'), pieces, async (size) => {
        await session.withKeys(
          'active',
          (now, { payload }) => {
            if (now.number === keys.number && payload.instance === instance) return;
            throw new KeyboundError(
              'namespace-changed',
              `namespace ${session.subject.namespace}: it was rotated while object ${quote(object.name)} was being encrypted: repeat with a fresh source`,
              { details: { ...session.subject, name: object.name } },
            );
          },
          options.signal,
        );
        onEnd({ size, storedSize: header.length + bodyLength(size) });
      });
    },
    options.signal,
  );
}

/** Each attempt encrypts anew, under a fresh data key: no ciphertext is ever written twice with other bytes. */
export async function put(
  session: Session,
  name: string,
  source: ByteSource,
  options: PutOptions,
): Promise<PutResult> {
  checkOptions(options, 'put', [...encryptOptions, 'ifAbsent', 'ifVersion']);
  const object = named(name, options.context);
  const { ifAbsent = false }: { ifAbsent?: unknown } = options;
  if (typeof ifAbsent !== 'boolean') {
    // Else a misspelt condition would become none.
    throw new KeyboundError(
      'invalid-argument',
      `expected ifAbsent to be true or false, got ${typeof ifAbsent}`,
    );
  }
  if (ifAbsent && options.ifVersion !== undefined) {
    throw new KeyboundError('invalid-argument', 'expected one of ifAbsent and ifVersion, got both');
  }
  const condition = ifAbsent
    ? ({ if: 'absent' } as const)
    : options.ifVersion === undefined
      ? {}
      : { if: { version: options.ifVersion } };
  for (let attempt = 1; ; attempt++) {
    let sizes: Sizes | undefined;
    const pieces = readSource(source, options.signal);
    try {
      const sealed = await seal(session, object, pieces, options, (found) => {
        sizes = found;
      });
      const key = placeOf(session, await session.usableBinding(options.signal), name);
      const stored = await session.region.store.put(key, sealed, {
        ...condition,
        ...signalOption(options.signal),
      });
      if (sizes?.storedSize === stored.size) return { name, version: stored.version, ...sizes };
      throw new KeyboundError(
        'store-failed',
        `namespace ${session.subject.namespace}: the store did not take all of object ${quote(name)}`,
        { details: { ...session.subject, name } },
      );
    } catch (error) {
      const rotated = error instanceof KeyboundError && error.code === 'namespace-changed';
      if (!rotated || !isReplayable(source) || attempt === 3) throw about(session, name, error);
    } finally {
      await pieces.return(undefined);
    }
  }
}

export async function encryptStream(
  session: Session,
  name: string,
  source: ByteSource,
  options: EncryptOptions,
): Promise<ByteStream> {
  checkOptions(options, 'encryptStream', encryptOptions);
  const object = named(name, options.context);
  const pieces = readSource(source, options.signal, (error) => session.attribute('stream', name, error));
  const release = async (): Promise<void> => {
    await pieces.return(undefined);
  };
  try {
    return new ByteStream(await seal(session, object, pieces, options), release);
  } catch (error) {
    await release();
    throw error;
  }
}
