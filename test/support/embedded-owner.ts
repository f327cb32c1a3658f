// A process that owns an embedded store until it is killed; test/sim/store/embedded.test.ts starts
// it.
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { systemRandom } from '../../shared/random.ts';
import { startEmbedded } from '../../shared/store/embedded.ts';

const [stateDirectory = ''] = process.argv.slice(2);
const options = { owner: process, clock: systemClock, random: systemRandom, log: silentLog };
const server = await startEmbedded({ stateDirectory, ...options });
process.stdout.write(`${server.pid}\n`);
setInterval(() => {}, 1000);
