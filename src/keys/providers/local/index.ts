export { localKeys, type LocalKeyMaterial } from './local-keys.js';
export {
  localKeyring,
  type LocalKeyring,
  type LocalKeyringOptions,
  type LocalKeyInfo,
} from './local-keyring.js';
