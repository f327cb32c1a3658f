// What an entry of a site file is made of. Pure.

export type EntryValue = string | number | boolean | EntryValue[] | Entry;
export type Entry = { [key: string]: EntryValue };

export function listed<T extends EntryValue>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** Without what is undefined. */
export function said(fields: Record<string, EntryValue | undefined>): Entry {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Entry; // nothing undefined is left
}
