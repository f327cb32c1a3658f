// What a gRPC client is told of a failure that is the balancer's own: a status of gRPC in a
// response of one head, for an HTTP status says it less. Pure.

/** Codes as gRPC maps HTTP's: see its document on that; any other is UNKNOWN. */
const CODES: Readonly<Record<number, number>> = {
  400: 13, // INTERNAL
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 12, // UNIMPLEMENTED
  429: 14, // UNAVAILABLE
  502: 14,
  503: 14,
  504: 14,
};
const UNKNOWN = 2;

export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/grpc(?:[+;]|$)/i.test(contentType);
}

/** Flat, to be sent with END_STREAM. `message`: ASCII; a percent sign would begin an escape. */
export function grpcFailure(status: number, message: string): string[] {
  const code = CODES[status] ?? UNKNOWN;
  const text = message.replaceAll('%', '%25');
  return [
    ...[':status', '200', 'content-type', 'application/grpc'],
    ...['grpc-status', String(code), 'grpc-message', text],
  ];
}
