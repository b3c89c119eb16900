/*
 * What a browser can do: everything but files and the keyring. Runs where there is no `process`, no `Buffer` and no module
 * to import; its last line is what it made of the job.
 */
import {
  initRegistry,
  type KeyProvider,
  KeyboundError,
  type KmsContext,
  openKeybound,
  type ParsedKeyUri,
} from 'keybound';
import { memoryStore } from 'keybound/memory';

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** A key provider on WebCrypto, as an outsider might write it; `disabled` is its switch. */
function webCryptoKeys(key: CryptoKey): KeyProvider & { disabled: boolean } {
  const algorithm = (iv: Uint8Array<ArrayBuffer>, context: KmsContext): AesGcmParams => ({
    name: 'AES-GCM',
    iv,
    additionalData: utf8(JSON.stringify(Object.entries(context).sort())),
  });
  const provider = {
    scheme: 'web',
    disabled: false,
    parse: (uri: string): ParsedKeyUri => ({ uri, location: 'web' }),
    async wrap(_uri: string, secret: Uint8Array, context: KmsContext): Promise<Uint8Array> {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const sealed = await crypto.subtle.encrypt(algorithm(iv, context), key, secret.slice());
      return new Uint8Array([...iv, ...new Uint8Array(sealed)]);
    },
    async unwrap(uri: string, blob: Uint8Array, context: KmsContext): Promise<Uint8Array> {
      if (provider.disabled) throw new KeyboundError('key-revoked', `key ${uri} is disabled`);
      const iv = blob.slice(0, 12);
      return new Uint8Array(await crypto.subtle.decrypt(algorithm(iv, context), key, blob.slice(12)));
    },
    describe: (uri: string) =>
      Promise.resolve({ ...provider.parse(uri), state: provider.disabled ? 'disabled' : 'enabled' } as const),
  };
  return provider;
}

async function codeOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    return error instanceof KeyboundError ? error.code : String(error);
  }
  return 'nothing was refused';
}

async function main(): Promise<string> {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
    'encrypt',
    'decrypt',
  ]);
  const provider = webCryptoKeys(key);
  const keys = [provider];
  const regions = { here: { store: memoryStore(), keyLocations: ['web'] } };
  const { config } = await initRegistry({
    regions,
    keys,
    key: 'web://service',
    recoveryKey: 'web://recovery',
  });
  const keybound = openKeybound({ ...config, regions, keys });
  const acme = await keybound.create('acme', { key: 'web://acme' });

  const whole = Uint8Array.from({ length: 100_000 }, (_, i) => i & 0xff);
  await acme.put('a', new Blob([whole]).stream(), { fileName: 'a.bin' });
  const read = (await acme.get('a')).toWeb().getReader();
  let length = 0;
  for (let next = await read.read(); !next.done; next = await read.read()) {
    for (const byte of next.value) if (byte !== (length++ & 0xff)) throw new Error(`byte ${String(length)}`);
  }
  const part = await (await acme.get('a', { range: { start: 65_535, end: 65_538 } })).bytes();
  const record = await acme.encryptRecord('r', utf8('hello'));
  const text = new TextDecoder().decode(await acme.decryptRecord('r', record));
  record[record.length - 1] = (record[record.length - 1] ?? 0) ^ 1;
  const tampered = await codeOf(() => acme.decryptRecord('r', record));
  provider.disabled = true;
  keybound.purge();
  const disabled = await codeOf(() => acme.get('a'));
  return JSON.stringify({ length, part: [...part], text, tampered, disabled });
}

const { console: page } = globalThis;
main().then(
  (result) => {
    page.log(result);
  },
  (error: unknown) => {
    page.log(error instanceof Error ? error.stack : error);
  },
);
