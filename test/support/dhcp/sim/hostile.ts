// Somebody on the network who means ill: random MACs, addresses of others asked for, renewed, given
// back and declined, now by a stranger, now by the victim's MAC with another client-id. It has no
// way to the one forgery that nobody can see through: all of the victim's own identity.
import { formatIpv4, ipv4 } from '../../../../shared/net/ipv4.ts';
import { pick, type Random } from '../../../../shared/random.ts';
import { type ClientFields, decline, discover, release, request } from '../request.ts';
import type { SimClient } from './client.ts';
import type { Cluster } from './cluster.ts';
import { NETWORK, SERVICE, serverAddress } from './scene.ts';

const EVERY_MS = 1500;
/** After which no reply to it is under way any more. */
const FORGET_MS = 60_000;

type Forgery = {
  type: string;
  message: (more: ClientFields) => Uint8Array;
  isUnicast?: true;
};

export class Hostile {
  readonly name: string;
  isActive = false;
  readonly #cluster: Cluster;
  readonly #random: Random;
  /** By xid: the same forged identity is the same client, whoever forges it and when. */
  readonly #identities = new Map<number, string>();

  constructor(cluster: Cluster, index: number) {
    this.name = `x${index + 1}`;
    this.#cluster = cluster;
    this.#random = cluster.world.random(this.name);
  }

  start(): void {
    this.isActive = true;
    this.#next();
  }

  /** Whom the server has before it in this exchange. */
  identityOf(xid: number): string {
    return `hostile ${this.#identities.get(xid)}`;
  }

  #next(): void {
    this.#cluster.world.after(EVERY_MS * 2 * this.#random.next(), () => {
      this.#cluster.world.steps += 1;
      if (this.isActive) this.#act();
      this.#next();
    });
  }

  #act(): void {
    const xid = this.#cluster.newXid(this);
    this.#cluster.world.after(FORGET_MS, () => {
      this.#cluster.forget(xid);
      this.#identities.delete(xid);
    });
    const victim = pick(this.#random, this.#cluster.clients);
    const address = victim.lease?.address ?? ipv4(NETWORK + 16 + this.#random.integer(40));
    const isLan = this.#cluster.scene.way === 'lan';
    const server = isLan
      ? serverAddress(this.#random.integer(this.#cluster.scene.instances))
      : SERVICE;
    const serverId = formatIpv4(server);
    const at = formatIpv4(address);
    const identity = this.#identity(victim);
    this.#identities.set(xid, JSON.stringify(identity));
    const own = { xid, ...identity };
    const { type, message, isUnicast } = this.#forgery(own, at, serverId);
    this.#cluster.carry(this.name, `${type} of ${at}`, message, isUnicast ? server : 'everybody');
  }

  #forgery(own: ClientFields, at: string, serverId: string): Forgery {
    const forgeries: readonly Forgery[] = [
      { type: 'DISCOVER', message: (more) => discover({ ...own, requested: at, ...more }) },
      {
        type: 'SELECTING',
        message: (more) => request({ ...own, requested: at, serverId, ...more }),
      },
      { type: 'REBOOT', message: (more) => request({ ...own, requested: at, ...more }) },
      {
        type: 'RENEW',
        message: (more) => request({ ...own, ciaddr: at, ...more }),
        isUnicast: true,
      },
      { type: 'REBIND', message: (more) => request({ ...own, ciaddr: at, ...more }) },
      {
        type: 'RELEASE',
        message: (more) => release({ ...own, ciaddr: at, serverId, ...more }),
        isUnicast: true,
      },
      {
        type: 'DECLINE',
        message: (more) => decline({ ...own, requested: at, serverId, ...more }),
      },
    ];
    return pick(this.#random, forgeries);
  }

  #identity(victim: SimClient): ClientFields {
    const { mac, clientId } = victim.identity;
    const isReserved = victim.identity.isReserved === true;
    if (isReserved || this.#random.next() < 0.5) {
      const bytes = this.#random.bytes(4);
      const tail = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
      return { mac: `02:bb:${tail}` };
    }
    // The server knows a client by option 61 where there is one, by chaddr where there is none.
    return clientId === undefined ? { mac, clientId: [9, ...this.#random.bytes(6)] } : { mac };
  }
}
