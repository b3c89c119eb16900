/*
 * Keyrings: what a file holds once it is decrypted, and files whose age header or body was altered.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { armor } from 'age-encryption';
import { encryptWithPassphrase } from '../../../src/keys/providers/local/age-file.js';
import { localKeyring } from '../../../src/keys/providers/local/index.js';
import {
  encodeKeyring,
  type KeyringEntries,
  parseKeyring,
} from '../../../src/keys/providers/local/keyring-content.js';
import { words } from '../engine/bytes.js';
import { mutateJson } from '../engine/json.js';
import { type MakeTarget, must, type Mutator } from '../engine/target.js';
import { material, text, time } from './world.js';

const content = {
  format: 'keybound/v1/keyring',
  keys: [
    { name: 'app', state: 'enabled', createdAt: time, key: Buffer.from(material.acme).toString('base64url') },
    {
      name: 'old',
      state: 'disabled',
      createdAt: time,
      key: Buffer.from(material.backup).toString('base64url'),
    },
    { name: 'gone', state: 'destroyed', createdAt: time, key: null },
  ],
};

const facts = (entries: KeyringEntries): string =>
  JSON.stringify(
    [...entries.values()].map(({ key, ...rest }) => [
      rest,
      key === null ? null : Buffer.from(key).toString('hex'),
    ]),
  );

export const keyringContent: MakeTarget = () => ({
  name: 'keyring-content',
  corpus: [text(content), text({ ...content, keys: [] }), text(JSON.stringify(content, null, 2))],
  mutators: [mutateJson],
  maxLength: 2 * 1024 * 1024,
  shortRuns: 250,
  run: (input) => {
    const entries = parseKeyring(input, '/keyring.age');
    must(
      facts(parseKeyring(encodeKeyring(entries), '/keyring.age')) === facts(entries),
      'a keyring that changes when it is written',
    );
    for (const { name, state, key } of entries.values()) {
      must(/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name), 'a key name that is none');
      must(
        (key === null) === (state === 'destroyed') && (key?.length ?? 32) === 32,
        'a key of another length',
      );
    }
  },
});

const passphrase = 'correct horse battery staple';

/** scrypt may take the time and the memory that the documented work factors take: those are not tried. */
const slow = /-> +scrypt +\S+ +0*(1[3-9]|20)\s/;

/** Armor around other bytes. */
const inArmor =
  (inner: Mutator): Mutator =>
  (input, rng, others) => {
    try {
      return text(armor.encode(inner(armor.decode(Buffer.from(input).toString('latin1')), rng, others)));
    } catch {
      return inner(input, rng, others);
    }
  };

const stanzaWords = words(
  ...[
    ' 10\n',
    ' 21\n',
    ' 64\n',
    ' 1024\n',
    ' 99999999999999999999\n',
    ' 010\n',
    ' 1e1\n',
    ' 0x0a\n',
    ' -1\n',
    ' 0\n',
    ' +10\n',
    ' 10.5\n',
  ],
  ...[
    '-> scrypt ',
    '-> X25519 ',
    '-> ',
    '--- ',
    'age-encryption.org/v1\n',
    'age-encryption.org/v2\n',
    'AAAAAAAAAAAAAAAAAAAAAA',
  ],
  ...[
    '-----BEGIN AGE ENCRYPTED FILE-----\n',
    '-----END AGE ENCRYPTED FILE-----\n',
    '\n',
    '\r\n',
    ' ',
    '=',
    '-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\nAAAA\n',
  ],
);

export const keyringFile: MakeTarget = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keybound-fuzz-keyring-'));
  const path = join(folder, 'keyring.age');
  const armored = await encryptWithPassphrase(text(content), passphrase, 10);
  const binary = armor.decode(Buffer.from(armored).toString('latin1'));
  return {
    name: 'keyring-file',
    corpus: [binary, armored],
    mutators: [stanzaWords, inArmor(stanzaWords)],
    shortRuns: 25,
    run: async (input) => {
      if (slow.test(Buffer.from(unarmored(input)).toString('latin1'))) return;
      writeFileSync(path, input);
      const keys = await localKeyring(path, { passphrase, workFactor: 10 }).listKeys();
      must(
        keys.map(({ name, state }) => `${name} ${state}`).join() ===
          'app enabled,old disabled,gone destroyed',
        'an altered keyring opened as something else',
      );
    },
  };
};

function unarmored(input: Uint8Array): Uint8Array {
  try {
    return armor.decode(Buffer.from(input).toString('latin1'));
  } catch {
    return input;
  }
}
