// edge-lb: the process. Its workers are processes of their own: worker/main.ts.
import { processIo, runDaemon } from '../shared/daemon.ts';
import { lbDaemon } from './daemon.ts';

const io = processIo(process);
process.exit(await runDaemon(lbDaemon({ ...io, owner: process, nodeFlags: process.execArgv }), io));
