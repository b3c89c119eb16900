/*
 * Where things lie in a region's store. Several registries can share one.                      SPEC.md §11
 *
 *   keybound/<registry>/signing-keys/<kid>
 *   keybound/<registry>/namespaces/<namespace>/bindings/<epoch>
 *   keybound/<registry>/namespaces/<namespace>/wraps/<generation>/<hash>
 *   keybound/<registry>/namespaces/<namespace>/objects/<instance>/<name>
 *
 * An object's folder names the instance, so that a recreated namespace starts empty.
 */
import { type ObjectKey } from './store.js';

const root = (registry: string): string => `keybound/${registry}`;
export const namespacesFolder = (registry: string): string => `${root(registry)}/namespaces`;
const namespaceFolder = (registry: string, namespace: string): string =>
  `${namespacesFolder(registry)}/${namespace}`;

export const signingKeyPlace = (registry: string, kid: string): ObjectKey => ({
  folder: `${root(registry)}/signing-keys`,
  name: kid,
});

export const bindingsFolder = (registry: string, namespace: string): string =>
  `${namespaceFolder(registry, namespace)}/bindings`;

export const bindingPlace = (registry: string, namespace: string, epoch: number): ObjectKey => ({
  folder: bindingsFolder(registry, namespace),
  name: String(epoch),
});

/** `hash` is the lower-case hex of SHA-512 of the wrap object. */
export const wrapPlace = (
  registry: string,
  namespace: string,
  generation: number,
  hash: string,
): ObjectKey => ({
  folder: `${namespaceFolder(registry, namespace)}/wraps/${String(generation)}`,
  name: hash,
});

/** `instance` is lower-case hex. */
export const objectsFolder = (registry: string, namespace: string, instance: string): string =>
  `${namespaceFolder(registry, namespace)}/objects/${instance}`;
