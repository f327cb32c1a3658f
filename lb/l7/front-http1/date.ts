// The Date of responses (RFC 9110, 5.6.7), made once a second.
let madeSeconds = -1;
let made = '';

/** IMF-fixdate. */
export function httpDate(nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  if (seconds !== madeSeconds) {
    madeSeconds = seconds;
    made = new Date(seconds * 1000).toUTCString();
  }
  return made;
}
