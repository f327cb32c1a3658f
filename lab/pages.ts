// Brings the console and the daemons' admin pages, which listen inside their namespaces, to ports
// of the host's loopback: a TCP connection here is one there.
import { spawn } from 'node:child_process';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { netnsPath } from './netns.ts';
import type { LabNode } from './node.ts';
import { RUN_VARIABLE } from './run.ts';

const MAX_CONNECTIONS = 16;

/** `port`: on the node's loopback; `wanted`: here. */
export type Page = { name: string; node: LabNode; port: number; path: string; wanted: number };

function relay({ node, port }: Page, socket: Socket): void {
  const inside = `--net=${netnsPath(node.run, node.name)}`;
  const args = [inside, '--', 'socat', '-', `TCP:127.0.0.1:${port}`];
  const child = spawn('nsenter', args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, [RUN_VARIABLE]: node.run.id },
  });
  const end = (): void => {
    socket.destroy();
    child.kill('SIGKILL');
  };
  // Either side may go away first, in the middle of a page.
  for (const side of [socket, child.stdin, child.stdout, child]) side.on('error', end);
  socket.on('close', end);
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
}

const listen = (server: Server, port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error);
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed);
      resolve(true);
    });
  });

/** Each on the port that is wanted, or on any free one where that is taken. */
export class Pages {
  readonly #servers: Server[] = [];

  /** Where they are, in the same order. */
  async open(pages: readonly Page[]): Promise<{ name: string; url: string }[]> {
    const opened: { name: string; url: string }[] = [];
    for (const page of pages) {
      const server = createServer((socket) => relay(page, socket));
      server.maxConnections = MAX_CONNECTIONS;
      if (!(await listen(server, page.wanted))) await listen(server, 0);
      this.#servers.push(server);
      const { port } = server.address() as AddressInfo; // it listens on TCP
      opened.push({ name: page.name, url: `http://127.0.0.1:${port}${page.path}` });
    }
    return opened;
  }

  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }
}
