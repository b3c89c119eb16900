/*
 * Writing objects: encrypted as they stream, committed only under the generation that is still active then.
 */
import { KeyboundError } from '../errors.js';
import { encodeMetadata, type Metadata } from '../format/metadata.js';
import { quote } from '../format/names.js';
import { keyLength, sealObjectHeader } from '../format/object-header.js';
import { checkOptions, signalOption } from '../internal/options.js';
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

/**
 * The ciphertext of one object as a stream, under the generation active now. Just before its final chunk it makes
 * sure that this generation is still the active one; `onEnd` then learns the length of the plaintext.
 */
async function seal(
  session: Session,
  object: Named,
  pieces: AsyncGenerator<Uint8Array>,
  options: EncryptOptions,
  onEnd: (size: number) => void = () => undefined,
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
        onEnd(size);
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
  if (options.ifAbsent === true && options.ifVersion !== undefined) {
    throw new KeyboundError('invalid-argument', 'expected one of ifAbsent and ifVersion, got both');
  }
  const condition =
    options.ifAbsent === true
      ? ({ if: 'absent' } as const)
      : options.ifVersion === undefined
        ? {}
        : { if: { version: options.ifVersion } };
  for (let attempt = 1; ; attempt++) {
    let size = 0;
    const pieces = readSource(source, options.signal);
    try {
      const sealed = await seal(session, object, pieces, options, (length) => {
        size = length;
      });
      const key = placeOf(session, await session.usableBinding(options.signal), name);
      const stored = await session.region.store.put(key, sealed, {
        ...condition,
        ...signalOption(options.signal),
      });
      return { name, size, version: stored.version, storedSize: stored.size };
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
  const pieces = readSource(source, options.signal);
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
