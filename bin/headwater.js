#!/usr/bin/env node
import { existsSync } from 'node:fs';

// A checkout holds the source, an installed package the bundle.
const source = new URL('../cli/main.ts', import.meta.url);
const isCheckout = existsSync(source);

if (Number(process.versions.node.split('.')[0]) < 24) {
  const hint = isCheckout ? ' In a checkout, "npm ci" brings it and "npm run headwater" uses it.' : '';
  process.stderr.write(`headwater needs Node.js 24 or newer, and this is ${process.versions.node}.${hint}\n`);
  process.exit(1);
}
await import(isCheckout ? source.href : new URL('../dist/headwater.js', import.meta.url).href);
