import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program, RunScope } from './run-scope.ts';

export const SINK_STATUS_PATH = '/stub_status';

/** A reply without any work; counts requests. Its buffers take a whole request in one read. */
export function sinkServer(port: number): string {
  return `
    client_header_buffer_size 32k;
    server {
      listen 127.0.0.1:${port} backlog=4096;
      location / { return 202; }
      location = ${SINK_STATUS_PATH} { stub_status; }
    }`;
}

/** What nginx is best at: it hands on every request unread, over connections that stay open. */
export function proxyServer(port: number, sinkPort: number): string {
  return `
    upstream sink {
      server 127.0.0.1:${sinkPort};
      keepalive 1024;
      keepalive_requests 1000000000;
    }
    server {
      listen 127.0.0.1:${port} backlog=4096;
      location / {
        proxy_pass http://sink;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
      }
    }`;
}

/** One process that does what one worker does: without a master there is nothing to leave behind or to add up. */
export async function nginxProgram(scope: RunScope, name: string, servers: string): Promise<Program> {
  const config = join(scope.folder, `${name}.conf`);
  await writeFile(
    config,
    `daemon off;
master_process off;
pid ${name}.pid;
error_log stderr error;
events { worker_connections 8192; }
http {
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_max_body_size 32m;
    client_body_buffer_size 64k;
    client_body_temp_path ${name}-body;
    proxy_temp_path ${name}-proxy;
    fastcgi_temp_path ${name}-fastcgi;
    uwsgi_temp_path ${name}-uwsgi;
    scgi_temp_path ${name}-scgi;
    ${servers.trim()}
}
`,
  );
  return { command: scope.tools.nginx, args: ['-e', 'stderr', '-p', scope.folder, '-c', config] };
}
