'use strict';
// HEALTHCHECK of the images, for engines that ask by command: the image has no shell, and no other program but node.
const { HOST = '', INTERNAL_PORT = '' } = process.env;
const host = HOST === '' || HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;
const url = `http://${host.includes(':') ? `[${host}]` : host}:${INTERNAL_PORT || 8090}/healthz`;
fetch(url, { signal: AbortSignal.timeout(2500) }).then(
  ({ ok }) => process.exit(ok ? 0 : 1),
  () => process.exit(1),
);
