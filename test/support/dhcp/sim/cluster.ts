// Instances, clients, the network between them, one modelled Redis behind, and the checker that
// watches every reply.
import type { Outgoing } from '../../../../dhcpd/io/types.ts';
import type { Plan } from '../../../../dhcpd/plan/types.ts';
import { parseReply } from '../../../../dhcpd/wire/parse.ts';
import { formatIpv4, type Ipv4, ipv4 } from '../../../../shared/net/ipv4.ts';
import { pick, type Random } from '../../../../shared/random.ts';
import { RedisModel } from '../redis-model.ts';
import type { ClientFields } from '../request.ts';
import { ip } from '../simple-plan.ts';
import { Audit } from './audit.ts';
import { hex, type Identity, SimClient, type To } from './client.ts';
import { Hostile } from './hostile.ts';
import { type Bug, Instance } from './instance.ts';
import { Ledger } from './ledger.ts';
import { badNetwork, Network } from './network.ts';
import {
  clientMac,
  MAX_LEASE_FACTOR,
  planOf,
  RELAY,
  type Scene,
  SERVICE,
  serverAddress,
} from './scene.ts';
import { World } from './world.ts';

const REFRESH_MS = 500;
const ANY = ip('0.0.0.0');
const BROADCAST = ip('255.255.255.255');
/** How long an instance counts as a member after it has died. */
const MEMBER_MS = 3000;

export class Cluster {
  readonly scene: Scene;
  readonly world: World;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly network: Network;
  readonly model: RedisModel;
  readonly instances: Instance[];
  readonly clients: SimClient[];
  readonly hostile: Hostile[];
  readonly counts = new Map<string, number>();
  readonly plans: Record<1 | 2, Plan>;
  planVersion: 1 | 2 = 1;
  /** Of the last fault, and of the last change of plan. */
  lastFaultMs = Number.NEGATIVE_INFINITY;
  lastPlanMs = Number.NEGATIVE_INFINITY;
  readonly #random: Random;
  readonly #xids = new Map<number, SimClient | Hostile>();
  readonly #seenMs = new Map<string, number>();

  constructor(seed: number, scene: Scene, bug: Bug = {}) {
    this.scene = scene;
    this.world = new World(seed);
    this.ledger = new Ledger(this.world);
    this.#random = this.world.random('cluster');
    this.network = new Network(this.world, badNetwork);
    this.plans = { 1: planOf(scene, 1), 2: planOf(scene, 2) };
    this.audit = new Audit(this);
    this.model = new RedisModel({
      clock: this.world.clock,
      random: this.world.random('redis'),
      settings: {
        replicas: scene.replicas,
        waitFor: Math.min(1, scene.replicas),
        delayMs: scene.redisDelayMs,
        replicationMs: [0.1, 5],
        timeoutMs: 500,
      },
    });
    this.instances = Array.from({ length: scene.instances }, (_, index) => {
      return this.#instance(index, bug);
    });
    this.clients = Array.from({ length: scene.clients }, (_, index) => this.#client(index));
    this.hostile = Array.from({ length: scene.hostile }, (_, index) => new Hostile(this, index));
  }

  get plan(): Plan {
    return this.plans[this.planVersion];
  }

  get isRedisUp(): boolean {
    return this.model.primary.isUp && !this.model.primary.isFrozen;
  }

  start(): void {
    for (const instance of this.instances) instance.start();
    for (const client of this.clients) {
      this.world.after(5000 + this.#random.integer(30_000), () => client.start());
    }
    for (const hostile of this.hostile) hostile.start();
    this.#refresh();
  }

  /** Whose transaction it is, now. */
  ownerOf(xid: number): SimClient | Hostile | undefined {
    const owner = this.#xids.get(xid);
    return owner instanceof SimClient && owner.xid !== xid ? undefined : owner;
  }

  newXid(owner: SimClient | Hostile): number {
    if (owner instanceof SimClient) this.#xids.delete(owner.xid);
    const xid = this.#random.integer(2 ** 32);
    this.#xids.set(xid, owner);
    return xid;
  }

  forget(xid: number): void {
    this.#xids.delete(xid);
  }

  get openTransactions(): number {
    return this.#xids.size;
  }

  /** As it leaves the client; a relay puts its address in. */
  carry(who: string, type: string, message: (more: ClientFields) => Uint8Array, to: To): void {
    this.world.say(`${who} ${type}${to === 'everybody' ? '' : ` to ${formatIpv4(to)}`}`);
    if (to !== 'everybody') {
      this.#unicast(message({}), to);
      return;
    }
    if (this.scene.way === 'lan') {
      const bytes = message({});
      const ingress = { source: ANY, sourcePort: 68, destination: BROADCAST };
      for (const each of this.instances) {
        this.network.carry(() => each.receive(bytes, ingress));
      }
      return;
    }
    const bytes = message({ giaddr: formatIpv4(RELAY) });
    const ingress = { source: RELAY, sourcePort: 67, destination: SERVICE };
    for (const each of this.#behindRelay()) {
      this.network.carry(() => each.receive(bytes, ingress));
    }
  }

  /** Everything ends up here: the checker first, then the network. */
  #sent(instance: Instance, packet: Outgoing): void {
    const message = parseReply(packet.bytes);
    if (typeof message === 'string') {
      this.ledger.fault(`${instance.name} sent a reply that is ${message}`);
      return;
    }
    const owner = this.ownerOf(message.xid);
    this.world.say(
      `${instance.name} sends ${['', '', 'OFFER', '', '', 'ACK', 'NAK'][message.messageType]} ` +
        `${hex(message.xid)} ${formatIpv4(message.yiaddr)} to ${nameOf(owner)} ${textOf(message.options.get(56))}`,
    );
    this.audit.sent(instance, message, owner);
    if (owner instanceof SimClient) this.network.carry(() => owner.receive(message));
  }

  #unicast(bytes: Uint8Array, to: Ipv4): void {
    const isLan = this.scene.way === 'lan';
    const near = isLan ? this.instances.filter(({ options }) => hasAddress(options.link, to)) : [];
    const instance = isLan ? near[0] : pick(this.#random, this.#routed());
    const source = sourceOf(bytes);
    const ingress = { source, sourcePort: 68, destination: to };
    if (instance !== undefined) this.network.carry(() => instance.receive(bytes, ingress));
  }

  #behindRelay(): readonly Instance[] {
    return this.scene.way === 'all' ? this.instances : [pick(this.#random, this.#routed())];
  }

  /** Those that the routers still send to: a dead one for a while longer. */
  #routed(): readonly Instance[] {
    const members = this.instances.filter(({ name }) => this.#isMember(name));
    return members.length === 0 ? this.instances : members;
  }

  #isMember(name: string): boolean {
    const seenMs = this.#seenMs.get(name) ?? Number.NEGATIVE_INFINITY;
    return this.world.nowMs - seenMs <= MEMBER_MS;
  }

  #refresh(): void {
    for (const instance of this.instances) {
      const isSeen = instance.isServing && !instance.cable.isCut && this.isRedisUp;
      if (isSeen) this.#seenMs.set(instance.name, this.world.nowMs);
      instance.refresh(this.isRedisUp);
    }
    this.world.after(REFRESH_MS, () => this.#refresh());
  }

  #instance(index: number, bug: Bug): Instance {
    const { scene, world } = this;
    const own = serverAddress(index);
    const isLan = scene.way === 'lan';
    const name = `d${index + 1}`;
    return new Instance({
      name,
      world,
      model: this.model,
      random: world.random(name),
      ...(isLan ? { link: linkOf(own) } : { serverId: SERVICE }),
      siblingIds: Array.from({ length: scene.instances }, (_, at) => serverAddress(at)),
      sharedLan: scene.sharedLan,
      bookSettings: {
        offerSeconds: 20,
        affinitySeconds: 120,
        reuseSeconds: 60,
        maxLeaseSeconds: MAX_LEASE_FACTOR * scene.leaseSeconds,
        ...(scene.outageReserve === 0
          ? {}
          : { outage: { reserve: scene.outageReserve, budgetSeconds: 240 } }),
        snapshotSeconds: 60,
      },
      plan: () => this.plan,
      members: () => this.instances.map((each) => each.name).filter((one) => this.#isMember(one)),
      send: (instance, packet) => this.#sent(instance, packet),
      count: (reason) => this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1),
      bug,
    });
  }

  #client(index: number): SimClient {
    const name = `c${index + 1}`;
    const random = this.world.random(name);
    // By chaddr, by a short option 61, by one longer than a record has room for.
    const length = [0, 0, 7, 30][random.integer(4)] ?? 0;
    const clientId = Uint8Array.from(random.bytes(length));
    const plain: Identity = { name, mac: clientMac(index) };
    const isReserved = index < this.scene.reservations;
    const more: Partial<Identity> = isReserved ? { isReserved } : length > 0 ? { clientId } : {};
    return new SimClient(
      { ...plain, ...more },
      {
        world: this.world,
        ledger: this.ledger,
        random,
        send: (client, type, message, to) => {
          this.audit.asked(client, type);
          this.carry(client.identity.name, `${type} ${hex(client.xid)}`, message, to);
        },
        nextXid: (client) => this.newXid(client),
        habits: { releases: 0.2, vanishes: 0.2, declines: 0.02 },
      },
    );
  }
}

/** Why not, in words. */
function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : new TextDecoder().decode(bytes);
}

function nameOf(owner: SimClient | Hostile | undefined): string {
  if (owner === undefined) return 'nobody';
  return owner instanceof SimClient ? owner.identity.name : owner.name;
}

function linkOf(address: Ipv4) {
  const mac = Uint8Array.of(2, 0xff, 0, 0, 0, address & 255);
  return { name: 'lan0', mac, addresses: [{ family: 4, address, bits: 22 } as const] };
}

function hasAddress(link: ReturnType<typeof linkOf> | Instance['options']['link'], to: Ipv4) {
  return link?.addresses.some(({ address }) => address === to) === true;
}

/** What is sent by unicast comes from ciaddr. */
function sourceOf(bytes: Uint8Array): Ipv4 {
  return ipv4(new DataView(bytes.buffer, bytes.byteOffset).getUint32(12));
}
