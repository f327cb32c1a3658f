// Bytes as a text of one character each, which is what maps take as keys. Several times a message,
// so neither by spreading, which makes an object for each byte, nor byte by byte, which makes a
// string for each. Pure.

export function latinOf(bytes: Uint8Array, length: number): string {
  let text = '';
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    text += String.fromCharCode(a ?? 0, b ?? 0, c ?? 0, d ?? 0);
  }
  if (at + 2 <= length) {
    text += String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0);
    at += 2;
  }
  return at < length ? text + String.fromCharCode(bytes[at] ?? 0) : text;
}
