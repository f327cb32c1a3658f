// What the daemon is called, and so its settings, its socket and its metrics.
export const SERVICE = 'console';
