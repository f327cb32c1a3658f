// What the service is called, and so its unit in the store, its pages and its keys.
export const SERVICE = 'lb';
