// edge-dhcpd: the process.
import { processIo, runDaemon } from '../shared/daemon.ts';
import { dhcpdDaemon } from './daemon.ts';

const io = processIo(process);
process.exit(await runDaemon(dhcpdDaemon({ ...io, owner: process }), io));
