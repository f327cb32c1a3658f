// What the service is called, and so its unit in the store, its pages and its keys.
export const SERVICE = 'lb';
/** The unit of pools and overrides, which it follows beside its own. */
export const POOLS_UNIT = 'pools';
