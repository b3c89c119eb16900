/*
 * The keyring's encryption: age with a passphrase (https://age-encryption.org/v1, scrypt recipient stanza), armored.
 * `age --decrypt` opens it.
 */
import { armor, Decrypter, Encrypter } from 'age-encryption';
import { utf8 } from '../../../internal/bytes.js';

/** log2 of scrypt's N. Both age-encryption and its scrypt refuse more than 20 (1 GiB of memory), in any file. */
export const workFactors = { min: 10, max: 20, default: 18 } as const;

const armorBegins = utf8('-----BEGIN AGE ENCRYPTED FILE-----');

/** Encrypts under a passphrase. Blocks the event loop for as long as scrypt takes. */
export async function encryptWithPassphrase(
  plaintext: Uint8Array,
  passphrase: string,
  workFactor: number,
): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(workFactor);
  return utf8(armor.encode(await encrypter.encrypt(plaintext)));
}

/**
 * Decrypts an age file, armored or binary, whose only recipient is a passphrase. Throws age's own error. Blocks the
 * event loop for as long as scrypt takes.
 */
export async function decryptWithPassphrase(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const armored = armorBegins.every((byte, i) => file[i] === byte);
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  return decrypter.decrypt(armored ? armor.decode(new TextDecoder().decode(file)) : file);
}
