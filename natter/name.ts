// What the service is called, and so its unit in the store, its pages and its pins.
export const SERVICE = 'natter';
