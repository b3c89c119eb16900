export { openKeybound, Keybound } from './keybound.js';
export type {
  AddRootOptions,
  KeyboundOptions,
  ListNamespacesOptions,
  OpenOptions,
  SignedAgain,
} from './keybound.js';
export { inspect } from './inspect.js';
export type { Inspection, InspectOptions } from './inspect.js';
export { Namespace } from './namespace/namespace.js';
export type {
  CallOptions,
  DeleteOptions,
  ListOptions,
  ListPageOptions,
  NamespaceDescription,
} from './namespace/namespace.js';
export { DecryptedObject } from './namespace/object.js';
export type {
  DecryptOptions,
  EncryptOptions,
  GetOptions,
  ObjectEntry,
  ObjectInfo,
  PutOptions,
  PutResult,
} from './namespace/object.js';
export type { RecordOptions } from './namespace/records.js';
export { initRegistry } from './lifecycle/init.js';
export type { InitOptions, NewRegistry, RegistryConfig } from './lifecycle/init.js';
export type { NewRoot, SigningOptions } from './lifecycle/add-root.js';
export type { CreateOptions } from './lifecycle/create.js';
export { allOf, anyOf, parseKeyPolicy, serviceKey } from './keys/policy.js';
export type { AllOf, AnyOf, KeyPolicy, ServiceKey } from './keys/policy.js';
export type { KeyDescription, KeyProvider, KeyState, KmsContext, ParsedKeyUri } from './keys/provider.js';
export type { RootKey } from './binding/roots.js';
export type { TrustMarks } from './binding/trust.js';
export type { BindingStatus, Generation, KeyUse } from './format/binding-payload.js';
export type { Context } from './format/identity.js';
export type { Metadata } from './format/metadata.js';
export { ByteStream } from './streams/byte-stream.js';
export type { ByteRange } from './streams/object-stream.js';
export type { ByteSource } from './streams/source.js';
export type { RegionOptions } from './storage/regions.js';
export type {
  ListPage,
  ObjectKey,
  ObjectStore,
  StoredBytes,
  StoredEntry,
  StoredInfo,
  StoredObject,
  StoreDescription,
} from './storage/store.js';
export type { EventListener, EventSubject, KeyboundEvent } from './events.js';
export { errorCodes, KeyboundError } from './errors.js';
export type { ErrorCode, ErrorDetails, ErrorInfo } from './errors.js';
