// The store in a configuration file: its URL, and the credentials for it.
import { z } from 'zod';
import { absolutePath } from '../config/types.ts';
import type { StoreConfig } from './connection.ts';
import { parseStoreUrl } from './url.ts';

/** A URL that openStore() takes; an error says every reason why not. */
export const storeUrl = z.string().superRefine((text, context) => {
  const address = parseStoreUrl(text);
  if (!('reasons' in address)) return;
  context.addIssue({ code: 'custom', message: address.reasons.join('; ') });
});

const tls = z.strictObject({
  caFile: absolutePath.optional(),
  certFile: absolutePath.optional(),
  keyFile: absolutePath.optional(),
  serverName: z.string().min(1).optional(),
});

/** The fields beside the URL, for a strict object of the reader's own. */
export const storeCredentials = {
  username: z.string().min(1).optional(),
  passwordFile: absolutePath.optional(),
  sentinelUsername: z.string().min(1).optional(),
  sentinelPasswordFile: absolutePath.optional(),
  tls: tls.optional(),
};

/** The `store` of a daemon's configuration: a URL, or one with credentials. */
export const storeSetting = z.union([
  storeUrl,
  z.strictObject({ url: storeUrl, ...storeCredentials }),
]);

export type StoreSetting = { store: z.output<typeof storeSetting> };

export function isEmbedded({ store }: StoreSetting): boolean {
  return (typeof store === 'string' ? store : store.url) === 'embedded';
}

type Given = z.output<z.ZodObject<typeof storeCredentials>>;
export type StoreCredentials = Pick<StoreConfig, keyof Given>;

/** What zod gives as undefined is absent in a StoreConfig. */
export function credentialsOf(given: Given): StoreCredentials {
  const { username, passwordFile, sentinelUsername, sentinelPasswordFile } = given;
  return {
    ...defined({ username, passwordFile, sentinelUsername, sentinelPasswordFile }),
    ...(given.tls === undefined ? {} : { tls: defined(given.tls) }),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(value: T): Defined<T> {
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields) as Defined<T>; // the same fields, less those
}
