// BIRD 2 in the lab: the ToR and the core learn from each natter over BGP which EIPs it forwards.
// Each natter has a routing table of its own on both; their union is what ECMP spreads over.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabNode } from './node.ts';
import {
  BEACON,
  CORE_ADDRESS,
  CORE_AS,
  type EdgePlan,
  EIP_PREFIX,
  LB_AS,
  NATTER_AS,
  type NatterPlan,
  SPRAY_TABLE_BASE,
  TOR_AS,
  VIP_PREFIX,
} from './plan.ts';
import type { LabProcess } from './process.ts';

export type Peer = { local: string; localAs: number; remote: string; remoteAs: number };

const head = (routerId: string): string => `log stderr all;
router id ${routerId};
protocol device {}
protocol bfd {
  interface "*" { min rx interval 200 ms; min tx interval 200 ms; multiplier 5; };
}
template bgp fast {
  hold time 9;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
  bfd on;
}
`;

const session = (
  name: string,
  peer: Peer,
  channel: string,
): string => `protocol bgp ${name} from fast {
  local ${peer.local} as ${peer.localAs};
  neighbor ${peer.remote} as ${peer.remoteAs};
  ipv4 { ${channel} };
}
`;

const within = (prefix: string): string => `${prefix.replace(/\/.*/, '')}/24{24,32}`;
const eips = within(EIP_PREFIX);

// The union goes to the main table as multipath routes; with spraying each natter's own routes also
// go to a kernel table of their own, which is empty as soon as that natter announces nothing.
const routerTables = (plan: NatterPlan, spray: boolean, wanted: string): string => {
  const name = `natter${plan.index}`;
  const kernel = `protocol kernel spray_${name} {
  kernel table ${SPRAY_TABLE_BASE + plan.index};
  ipv4 { table ${name}; export where ${wanted}; };
}
`;
  return `protocol pipe join_${name} {
  table master4;
  peer table ${name};
  import where ${wanted};
  export none;
}
${spray ? kernel : ''}`;
};

const mainTable = (mtu?: number): string => `protocol kernel {
  merge paths on;
  ipv4 { export filter { ${mtu ? `krt_mtu = ${mtu}; ` : ''}accept; }; };
}
`;

/** The ToR: clients on one side, natters and lbs on the other. */
export function torConfig(
  natters: readonly NatterPlan[],
  spray: boolean,
  lbs: readonly EdgePlan[] = [],
): string {
  const each = natters.map((plan) => {
    const peer = {
      local: plan.router.address,
      localAs: TOR_AS,
      remote: plan.uplink.address,
      remoteAs: NATTER_AS,
    };
    const channel = `table natter${plan.index}; import where net ~ [${eips}]; export none;`;
    return [
      `ipv4 table natter${plan.index};\n`,
      session(`natter_${plan.index}`, peer, channel),
      routerTables(plan, spray, 'true'),
    ].join('');
  });
  const vips = within(VIP_PREFIX);
  const balancers = lbs.map((plan) => {
    const peer = {
      local: plan.router.address,
      localAs: TOR_AS,
      remote: plan.uplink.address,
      remoteAs: LB_AS,
    };
    return session(`lb_${plan.index}`, peer, `import where net ~ [${vips}]; export none;`);
  });
  return [head('192.0.2.254'), mainTable(), ...each, ...balancers].join('');
}

/** The inside router, the VMs' gateway: a default route to each natter that announces EIPs. */
export function coreConfig(
  natters: readonly NatterPlan[],
  spray: boolean,
  towardsNattersMtu?: number,
): string {
  const each = natters.map((plan) => {
    const table = `natter${plan.index}`;
    const peer = {
      local: CORE_ADDRESS,
      localAs: CORE_AS,
      remote: plan.inside.address,
      remoteAs: NATTER_AS,
    };
    const channel = `table ${table}; import where net ~ [${eips}]; export none;`;
    return [
      `ipv4 table ${table};\n`,
      session(`natter_${plan.index}`, peer, channel),
      `protocol static default_${table} {
  ipv4 { table ${table}; };
  route 0.0.0.0/0 recursive ${BEACON};
}
`,
      routerTables(plan, spray, 'net = 0.0.0.0/0 && dest = RTD_UNICAST'),
    ].join('');
  });
  return [head(CORE_ADDRESS), mainTable(towardsNattersMtu), ...each].join('');
}

/** A natter: what its daemon has put into the kernel goes to both neighbours. */
export function natterConfig(plan: NatterPlan, routeProtocol: number): string {
  const channel = `import none; export where krt_source = ${routeProtocol};`;
  const tor = {
    local: plan.uplink.address,
    localAs: NATTER_AS,
    remote: plan.router.address,
    remoteAs: TOR_AS,
  };
  const core = {
    local: plan.inside.address,
    localAs: NATTER_AS,
    remote: CORE_ADDRESS,
    remoteAs: CORE_AS,
  };
  return `${head(plan.uplink.address)}protocol kernel {
  learn;
  ipv4 { import where krt_source = ${routeProtocol}; export none; };
}
${session('tor', tor, channel)}${session('core', core, channel)}`;
}

/** An lb: its VIPs go to the ToR; replies reach it by the targets' own routes. */
export function lbConfig(plan: EdgePlan, routeProtocol: number): string {
  const tor = {
    local: plan.uplink.address,
    localAs: LB_AS,
    remote: plan.router.address,
    remoteAs: TOR_AS,
  };
  const channel = `import none; export where krt_source = ${routeProtocol};`;
  return `${head(plan.uplink.address)}protocol kernel {
  learn;
  ipv4 { import where krt_source = ${routeProtocol}; export none; };
}
${session('tor', tor, channel)}`;
}

/** A running BIRD. */
export class Bird {
  readonly #node: LabNode;
  readonly #configPath: string;
  readonly #socketPath: string;
  #process: LabProcess;

  constructor(node: LabNode, config: string) {
    this.#node = node;
    this.#configPath = join(node.run.directory, `${node.name}.bird.conf`);
    this.#socketPath = join(node.run.directory, `${node.name}.bird.ctl`);
    writeFileSync(this.#configPath, config);
    this.#process = this.start();
  }

  start(): LabProcess {
    const args = ['-f', '-c', this.#configPath, '-s', this.#socketPath];
    this.#process = this.#node.spawn('bird', args, { name: 'bird' });
    return this.#process;
  }

  get process(): LabProcess {
    return this.#process;
  }

  async ask(...words: string[]): Promise<string> {
    const { stdout } = await this.#node.exec('birdc', ['-s', this.#socketPath, ...words]);
    return stdout;
  }

  /** Reconfigures in place; sessions that did not change stay up. */
  async configure(config: string): Promise<void> {
    writeFileSync(this.#configPath, config);
    const answer = await this.ask('configure');
    if (!/Reconfigur(ed|ation in progress)/.test(answer)) throw new Error(`bird: ${answer}`);
  }

  /** Names of the BGP sessions that are up. */
  async established(): Promise<string[]> {
    const lines = (await this.ask('show', 'protocols')).split('\n');
    return lines
      .filter((line) => /\bBGP\b.*\bEstablished\b/.test(line))
      .map((line) => line.split(/\s+/)[0] ?? '');
  }
}
