// edge-natter: the process.
import { processIo, runDaemon } from '../shared/daemon.ts';
import { runDetach } from '../shared/daemon-detach.ts';
import { natterDaemon } from './daemon.ts';
import { detachNatter } from './detach.ts';

const io = processIo(process);
const daemon = natterDaemon({ ...io, owner: process });
const isDetach = io.args.includes('--detach');
process.exit(await (isDetach ? runDetach(daemon, io, detachNatter) : runDaemon(daemon, io)));
