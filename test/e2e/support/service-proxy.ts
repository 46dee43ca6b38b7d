import { connect, createServer } from 'node:net';

/** In a pod's network: what kube-proxy does for a Service, with a Unix socket for a way out. Arguments: address, port, socket. */
const [, , host, port, socketPath = ''] = process.argv;

createServer((client) => {
  const server = connect(socketPath);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const)
    one.on('error', () => other.destroy()).pipe(other);
}).listen(Number(port), host);
