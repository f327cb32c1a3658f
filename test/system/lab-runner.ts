// A runner for lab.test.ts to kill: brings a site up, prints its run id, and waits for its end.
import { site } from '../../lab/site.ts';

const lab = await site({ isps: 1, natters: 1, vms: 1 });
console.log(lab.run.id);
setInterval(() => undefined, 60_000);
