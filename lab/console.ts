// Brings the daemons' admin pages, which listen on loopback inside their namespaces, to ports of
// the host's loopback: a TCP connection here is one there.
import { spawn } from 'node:child_process';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { LabDaemon } from './daemon.ts';
import { netnsPath } from './netns.ts';
import { RUN_VARIABLE } from './run.ts';

const MAX_CONNECTIONS = 16;

function relay(node: LabDaemon, socket: Socket): void {
  const inside = `--net=${netnsPath(node.run, node.name)}`;
  const args = [inside, '--', 'socat', '-', `TCP:127.0.0.1:${node.service.adminPort}`];
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

/** Pages of each daemon: on `firstPort` and up, or on any free port where that is taken. */
export class Console {
  readonly #servers: Server[] = [];

  async open(nodes: readonly LabDaemon[], firstPort: number): Promise<Map<string, string>> {
    const urls = new Map<string, string>();
    for (const [index, node] of nodes.entries()) {
      const server = createServer((socket) => relay(node, socket));
      server.maxConnections = MAX_CONNECTIONS;
      if (!(await listen(server, firstPort + index))) await listen(server, 0);
      this.#servers.push(server);
      const { port } = server.address() as AddressInfo; // it listens on TCP
      urls.set(node.name, `http://127.0.0.1:${port}/status`);
    }
    return urls;
  }

  close(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }
}
