// edge-console: the process.
import { processIo, runDaemon } from '../shared/daemon.ts';
import { consoleDaemon } from './daemon.ts';

const io = processIo(process);
process.exit(await runDaemon(consoleDaemon({ ...io, owner: process }), io));
