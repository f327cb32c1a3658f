// edge-natter: the process.
import { processIo, runDaemon } from '../shared/daemon.ts';
import { natterDaemon } from './daemon.ts';
import { runDetach } from './detach.ts';

const io = processIo(process);
const daemon = natterDaemon({ ...io, owner: process });
const run = io.args.includes('--detach') ? runDetach : runDaemon;
process.exit(await run(daemon, io));
