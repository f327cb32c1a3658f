// Addresses of the flip case: instances that answer, and what they answer with.

export const FLIP_INSTANCES = ['127.0.0.11', '127.0.0.12', '127.0.0.13'];
/** The second serves when the first is down. */
export const FLIP_TARGETS = ['127.0.1.1', '127.0.1.2'];
export const FLIP_PORT = 8080;
