// edge-lb: the process. Its workers are processes of their own: worker/main.ts.
import { processIo, runDaemon } from '../shared/daemon.ts';
import { runDetach } from '../shared/daemon-detach.ts';
import { lbDaemon } from './daemon.ts';
import { detachLb } from './detach.ts';

const io = processIo(process);
const daemon = lbDaemon({ ...io, owner: process, nodeFlags: process.execArgv });
const isDetach = io.args.includes('--detach');
process.exit(await (isDetach ? runDetach(daemon, io, detachLb) : runDaemon(daemon, io)));
