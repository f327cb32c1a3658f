#!/usr/bin/env node
// edgectl. The compiled modules are kept, so that it starts in half the time; in the user's own
// directory, since what lies there is run.

import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import { join } from 'node:path';

enableCompileCache(join(userInfo().homedir, '.cache', 'edgectl'));
const { main } = await import('./cli.ts');
await main();
