// edge-dns: the process.
import { processIo, runDaemon } from '../shared/daemon.ts';
import { dnsDaemon } from './daemon.ts';

const io = processIo(process);
process.exit(await runDaemon(dnsDaemon({ ...io, owner: process }), io));
