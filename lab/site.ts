// A whole site in network namespaces: clients of several ISPs, a ToR, natters, the inside router, a
// switch, dhcpds, VMs, Redis. `site()` builds it and waits until it stands; `down()` leaves none.
import { join } from 'node:path';
import { Bird, coreConfig, torConfig } from './bird.ts';
import { cleanDeadRuns, removeRun } from './clean.ts';
import { LabConsole } from './console.ts';
import type { DaemonConfig, LabDaemon } from './daemon.ts';
import { DHCP_OBJECTS, LabDhcpd } from './dhcpd.ts';
import { LabDns } from './dns.ts';
import type { Result } from './exec.ts';
import { LabLb, targetLines, targetRoute } from './lb.ts';
import { LabNatter } from './natter.ts';
import { configure, connect, createNodes, ROUTER_SYSCTLS, sysctl } from './netns.ts';
import { LabNode } from './node.ts';
import * as plan from './plan.ts';
import type { LabProcess } from './process.ts';
import { until } from './ready.ts';
import { LabRedis } from './redis.ts';
import { newRun, type Run } from './run.ts';
import { planSite, type SiteOptions, type SitePlan } from './site-options.ts';
import { sprayFromVms, sprayTowardsEips } from './spray.ts';
import * as topology from './topology.ts';
import { LabVm } from './vm.ts';

export type { SiteOptions };

const EDGECTL = join(import.meta.dirname, '..', 'shared', 'ctl', 'main.ts');
const SERVER = join(import.meta.dirname, 'server.ts');

export class Site {
  readonly run: Run;
  readonly tor: LabNode;
  readonly core: LabNode;
  readonly switch: LabNode;
  readonly store: LabNode;
  /** Where Redis is; with a replicated one `store` is where the primary is at first. */
  readonly stores: readonly LabNode[];
  readonly redis: LabRedis;
  readonly clients: readonly LabNode[];
  readonly vms: readonly LabVm[];
  readonly natters: LabNatter[] = [];
  readonly dhcpds: readonly LabDhcpd[];
  readonly dnses: readonly LabDns[];
  readonly lbs: LabLb[] = [];
  readonly console: LabConsole | undefined;
  readonly #plan: SitePlan;
  readonly #options: SiteOptions;
  readonly #wires: topology.WireOptions;
  readonly #servers = new Map<LabNode, LabProcess>();
  #torBird: Bird | undefined;
  #coreBird: Bird | undefined;

  constructor(run: Run, options: SiteOptions) {
    this.run = run;
    this.#options = options;
    this.#plan = planSite(options);
    this.#wires = {
      arp: options.arp ?? 'real',
      offloads: options.offloads ?? 'default',
      insideMtu: options.insideMtu ?? 1500,
      clientMtu: options.clientMtu ?? 1500,
      uplinkVlan: options.uplinkVlan,
    };
    this.tor = new LabNode(run, topology.TOR);
    this.core = new LabNode(run, plan.CORE.name, plan.CORE_ADDRESS);
    this.switch = new LabNode(run, topology.SWITCH);
    this.store = new LabNode(run, plan.STORE.name, plan.STORE_ADDRESS);
    const second = new LabNode(run, plan.STORE_2.name, plan.STORE_2_ADDRESS);
    const isReplicated = options.redis === 'replicated';
    this.stores = isReplicated ? [this.store, second] : [this.store];
    this.redis = new LabRedis(isReplicated ? [this.store, second, this.core] : [this.store]);
    this.console = options.console ? new LabConsole(run, this.redis.url) : undefined;
    const isStatic = this.#plan.dhcpds.length === 0;
    if (!isStatic && options.arp === 'static') {
      throw new RangeError('arp: static needs to know addresses: not with dhcpds');
    }
    this.clients = this.#plan.clients.map(({ name, address }) => new LabNode(run, name, address));
    this.vms = this.#plan.vms.map((own) => new LabVm(run, own.name, isStatic ? own.address : ''));
    const durable = isReplicated ? { durability: 'replicas:1' } : {};
    const config = { ...durable, ...this.#openPages(9102), ...options.dhcpdConfig };
    this.dhcpds = this.#plan.dhcpds.map((own) => {
      return new LabDhcpd(run, own, { storeUrl: this.redis.url, config });
    });
    this.dnses = this.#plan.dnses.map((own) => {
      const dnsConfig = { ...this.#openPages(9103), ...options.dnsConfig };
      return new LabDns(run, own, { storeUrl: this.redis.url, config: dnsConfig });
    });
  }

  /** By number from 1, or by the ISP's name. */
  client(which: number | string): LabNode {
    return pick(this.clients, which);
  }

  vm(which: number): LabVm {
    return pick(this.vms, which);
  }

  natter(which: number): LabNatter {
    return pick(this.natters, which);
  }

  dhcpd(which: number): LabDhcpd {
    return pick(this.dhcpds, which);
  }

  dns(which: number): LabDns {
    return pick(this.dnses, which);
  }

  lb(which: number): LabLb {
    return pick(this.lbs, which);
  }

  /** Runs edgectl next to Redis; a non-zero exit code is in the result, not thrown. */
  edgectl(...args: string[]): Promise<Result> {
    const env = { EDGE_STORE: this.redis.url };
    return this.store.exec(process.execPath, [EDGECTL, ...args], { env, allowFailure: true });
  }

  /** Feeds a site file to `edgectl apply -f -`; throws unless it succeeded. */
  async apply(objects: Record<string, unknown>, ...flags: string[]): Promise<void> {
    const args = [EDGECTL, 'apply', '-f', '-', ...flags];
    const env = { EDGE_STORE: this.redis.url };
    await this.store.exec(process.execPath, args, { env, input: JSON.stringify(objects) });
  }

  /** Wires another natter to the running site and, unless `daemons` is off, starts its daemon. */
  async addNatter(): Promise<LabNatter> {
    const added = plan.planNatter(this.natters.length + 1);
    await createNodes(this.run, [added.name]);
    const natter = await this.#wireNatter(added);
    await this.#configureRouters();
    await natter.untilPeering();
    if (this.#options.daemons ?? true) await natter.start();
    return natter;
  }

  /** Waits until the ToR and the core send to exactly these natters (all, when not told). */
  async converged(natters: readonly LabNatter[] = this.natters): Promise<void> {
    if (this.natters.length === 0) return;
    const uplinks = natters.map((natter) => natter.plan.uplink.address).sort();
    const insides = natters.map((natter) => natter.plan.inside.address).sort();
    await until('the routers send to the natters that announce', async () => {
      const [eips, defaults] = await Promise.all([
        nextHops(this.tor, ['match', `${plan.BEACON}/32`]),
        nextHops(this.core, ['default']),
      ]);
      return `${eips}` === `${uplinks}` && `${defaults}` === `${insides}`;
    });
  }

  /** Ends every process and removes every namespace, pin and file of this site. */
  async down(): Promise<void> {
    const inside: LabNode[] = [
      ...this.dhcpds,
      ...this.dnses,
      ...this.vms,
      this.core,
      ...this.stores,
    ];
    if (this.console) inside.push(this.console);
    const nodes = [...this.natters, ...this.lbs, ...this.clients, this.tor, ...inside];
    await Promise.all(nodes.map((node) => node.stop()));
    await removeRun(this.run.id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.down();
  }

  async build(): Promise<void> {
    const say = this.#options.progress ?? (() => undefined);
    const hosts = this.#plan.fixed.length + this.dhcpds.length + this.dnses.length;
    const clients = `${this.clients.length} ISPs`;
    say(`wires: ${clients}, ToR, switch, ${hosts} hosts, ${this.vms.length} VMs`);
    await this.#wire();
    await this.#startRouters();
    const edges = [...this.#plan.natters, ...this.#plan.lbs].map(({ name }) => name);
    if (edges.length > 0) say(`wires: ${edges.join(', ')}`);
    for (const own of this.#plan.natters) await this.#wireNatter(own);
    for (const own of this.#plan.lbs) await this.#wireLb(own);
    await this.#configureRouters();
    say('endpoints: HTTP and UDP in VMs and clients');
    await this.#startServers();
    await this.#routeTargets();
    say('BGP: ToR and core with their neighbours');
    await Promise.all([...this.natters, ...this.lbs].map((edge) => edge.untilPeering()));
    if (this.#options.daemons ?? true) await this.#startDaemons(say);
  }

  async #startDaemons(say: (what: string) => void): Promise<void> {
    say(this.stores.length > 1 ? 'Redis: a primary, two replicas, three Sentinels' : 'Redis');
    await this.redis.startAll();
    const daemons: LabDaemon[] = [...this.natters, ...this.dnses, ...this.lbs];
    if (this.console) daemons.push(this.console);
    say(`daemons: ${[...daemons, ...this.dhcpds].map(({ name }) => name).join(', ')}`);
    await Promise.all([
      this.redis.whole(),
      ...daemons.map((daemon) => daemon.start()),
      this.#startDhcp(),
    ]);
  }

  async #startDhcp(): Promise<void> {
    if (this.dhcpds.length === 0) return;
    await this.apply(DHCP_OBJECTS, '--no-wait');
    await Promise.all(this.dhcpds.map((dhcpd) => dhcpd.start()));
    await Promise.all(this.vms.map((vm) => vm.dhcp()));
  }

  async #wire(): Promise<void> {
    const clients = this.#plan.clients;
    const hosts = [...this.#plan.fixed, ...this.#plan.dhcpds, ...this.#plan.dnses];
    const vms = this.#plan.vms;
    const isDhcp = this.dhcpds.length > 0;
    const edges = [...this.#plan.natters, ...this.#plan.lbs];
    const names = [...clients, ...hosts, ...vms, ...edges].map(({ name }) => name);
    await createNodes(this.run, [topology.TOR, topology.SWITCH, ...names]);
    await configure(this.run, topology.SWITCH, topology.switchLines());
    await connect(this.run, [
      ...clients.map((client) => topology.clientLink(client, this.#wires)),
      ...hosts.map((host) => topology.insideLink(host, this.#wires)),
      ...vms.map((vm) => topology.insideLink(vm, this.#wires, isDhcp)),
    ]);
    if (this.#plan.natters.length === 0) await this.#joinRouters();
    await Promise.all([
      sysctl(this.run, topology.TOR, ROUTER_SYSCTLS),
      sysctl(this.run, plan.CORE.name, ROUTER_SYSCTLS),
      ...clients.map((own) => this.client(own.name).ip(topology.clientRoute(own))),
      ...[...(isDhcp ? [] : this.vms), ...this.dnses].map((host) => {
        return host.ip(topology.defaultRoute(topology.VM_GATEWAY));
      }),
    ]);
  }

  async #joinRouters(): Promise<void> {
    await connect(this.run, [topology.plainLink(this.#wires)]);
    await Promise.all([
      this.tor.ip(topology.plainRoutes.tor),
      this.core.ip(topology.plainRoutes.core),
    ]);
  }

  async #wireNatter(own: plan.NatterPlan): Promise<LabNatter> {
    const vlan = this.#wires.uplinkVlan;
    await connect(this.run, topology.natterLinks(own, this.#wires));
    await sysctl(this.run, own.name, ROUTER_SYSCTLS);
    if (vlan) {
      const [inside, atTor] = topology.vlanLines(own, vlan);
      await configure(this.run, own.name, inside);
      await this.tor.ip(...atTor);
    }
    await configure(this.run, own.name, [topology.defaultRoute(own.router.address)]);
    const natter = new LabNatter(this.run, own, {
      uplink: topology.uplinkName(vlan),
      storeUrl: this.redis.url,
      config: { ...this.#openPages(9101), ...this.#options.natterConfig },
    });
    this.natters.push(natter);
    if (this.#wires.arp === 'static') await this.#writeNeighboursDown();
    return natter;
  }

  async #wireLb(own: plan.EdgePlan): Promise<void> {
    await connect(this.run, topology.natterLinks(own, { ...this.#wires, uplinkVlan: undefined }));
    await sysctl(this.run, own.name, ROUTER_SYSCTLS);
    await configure(this.run, own.name, [topology.defaultRoute(own.router.address)]);
    const config = this.#options.lbConfig ?? {};
    this.lbs.push(new LabLb(this.run, own, { storeUrl: this.redis.url, config }));
  }

  async #writeNeighboursDown(): Promise<void> {
    const hosts = [...this.#plan.fixed, ...this.#plan.dnses, ...this.#plan.vms];
    const natters = this.natters.map((natter) => natter.plan);
    const vlan = this.#wires.uplinkVlan;
    const lines = topology.staticNeighbours(this.#plan.clients, natters, hosts, vlan);
    await Promise.all([...lines].map(([node, own]) => configure(this.run, node, own)));
  }

  async #startRouters(): Promise<void> {
    this.#torBird = new Bird(this.tor, torConfig([], false));
    this.#coreBird = new Bird(this.core, coreConfig([], false));
    for (const bird of [this.#torBird, this.#coreBird]) {
      await bird.process.ready('answers', async () => (await bird.ask('show', 'status')) !== '');
    }
  }

  async #configureRouters(): Promise<void> {
    const natters = this.natters.map((natter) => natter.plan);
    const spray = this.#options.spray ?? false;
    await this.#torBird?.configure(torConfig(natters, spray, this.#plan.lbs));
    await this.#coreBird?.configure(coreConfig(natters, spray, this.#options.insideMtu));
    if (!spray || natters.length === 0) return;
    await sprayTowardsEips(this.tor, natters.length);
    await sprayFromVms(this.core, natters.length);
  }

  /** VMs answer clients of the lbs through these. */
  async #routeTargets(): Promise<void> {
    const lbs = this.#plan.lbs;
    if (lbs.length === 0) return;
    const sysctls = ['net.ipv4.fib_multipath_hash_policy=1'];
    await Promise.all(
      this.vms.map(async (vm) => {
        vm.ownRoutes = [targetRoute(lbs)];
        await sysctl(this.run, vm.name, sysctls);
        await configure(this.run, vm.name, [...targetLines(), ...vm.ownRoutes]);
      }),
    );
  }

  async #startServers(): Promise<void> {
    if (!(this.#options.servers ?? true)) return;
    await Promise.all([...this.vms, ...this.clients].map((node) => this.startServer(node)));
  }

  /** HTTP and UDP echo on a VM or client; again after stopServer(). */
  async startServer(node: LabNode): Promise<void> {
    const server = node.spawn(process.execPath, [SERVER, node.name], { name: 'server' });
    this.#servers.set(node, server);
    await server.ready('listens', () => server.output().includes('listening'));
  }

  async stopServer(node: LabNode): Promise<void> {
    await this.#servers.get(node)?.stop();
  }

  /** Where lbs check them and a console reads them; else on loopback. */
  #openPages(port: number): DaemonConfig {
    const isAsked = this.#plan.lbs.length > 0 || this.#options.console;
    return !isAsked ? {} : { admin: { listen: `0.0.0.0:${port}` } };
  }
}

function pick<T extends { name: string }>(all: readonly T[], which: number | string): T {
  const found = typeof which === 'number' ? all[which - 1] : all.find((one) => one.name === which);
  if (!found) throw new RangeError(`${which}: there are ${all.map(({ name }) => name).join(', ')}`);
  return found;
}

type Route = { gateway?: string; nexthops?: { gateway: string }[] };

/** The next hops of a node's routes that `ip route show` selects, sorted. */
export async function nextHops(node: LabNode, selector: readonly string[]): Promise<string[]> {
  const { stdout } = await node.exec('ip', ['-j', '-4', 'route', 'show', ...selector]);
  const routes = JSON.parse(stdout || '[]') as Route[]; // iproute2's own format
  return routes
    .flatMap((route) => route.nexthops?.map((hop) => hop.gateway) ?? [route.gateway])
    .filter((hop) => hop !== undefined)
    .sort();
}

/** Builds a site, after removing what dead runs left. If it cannot, nothing of it stays. */
export async function site(options: SiteOptions = {}): Promise<Site> {
  await cleanDeadRuns();
  options.signal?.throwIfAborted();
  const built = new Site(newRun(options.signal), options);
  try {
    await built.build();
  } catch (error) {
    await built.down();
    throw error;
  }
  return built;
}
