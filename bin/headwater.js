#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// A checkout holds the source, an installed package the bundle.
const source = new URL('../cli/main.ts', import.meta.url);
const isCheckout = existsSync(source);

if (Number(process.versions.node.split('.')[0]) < 24) {
  const hint = isCheckout ? ' In a checkout, "npm ci" brings it and "npm run headwater" uses it.' : '';
  process.stderr.write(`headwater needs Node.js 24 or newer, and this is ${process.versions.node}.${hint}\n`);
  process.exit(1);
}
// `npm run` comes to the checkout first; paths are those of the folder it was called in.
const { npm_lifecycle_event: script, INIT_CWD: calledIn } = process.env;
const isAtRoot = `${process.cwd()}/` === fileURLToPath(new URL('..', import.meta.url));
if (isCheckout && isAtRoot && script === 'headwater' && calledIn) process.chdir(calledIn);
await import(isCheckout ? source.href : new URL('../dist/headwater.js', import.meta.url).href);
