// Empties the connection table of this namespace: IPCTNL_MSG_CT_DELETE without a tuple (nfnetlink).
import { callFailed } from '../../../shared/bpf/failure.ts';
import { errno, libc } from '../../../shared/bpf/ffi.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_NETFILTER = 12;
const CT_DELETE = (1 << 8) | 2; // subsystem, message
const NLM_F_REQUEST = 1;

/** A connection tracker that is not there has nothing to flush. */
export function flushConntrack(): null {
  const message = new DataView(new ArrayBuffer(20));
  message.setUint32(0, message.byteLength, true);
  message.setUint16(4, CT_DELETE, true);
  message.setUint16(6, NLM_F_REQUEST, true);
  const bytes = new Uint8Array(message.buffer);
  const { socket, send, close } = libc();
  const fd = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) throw callFailed('EDGE_NETLINK', 'netfilter socket', -errno());
  const sent = send(fd, bytes, bytes.length, 0);
  const failed = sent < 0 ? errno() : 0;
  close(fd);
  if (failed) throw callFailed('EDGE_NETLINK', 'flush of the connection table', -failed);
  return null;
}
