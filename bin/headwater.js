#!/usr/bin/env node
import { existsSync } from 'node:fs';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`headwater needs Node.js 24 or newer, and this is ${process.versions.node}.\n`);
  process.exit(1);
}
// A checkout holds the source, an installed package the bundle.
const source = new URL('../cli/main.ts', import.meta.url);
await import(existsSync(source) ? source.href : new URL('../dist/headwater.js', import.meta.url).href);
