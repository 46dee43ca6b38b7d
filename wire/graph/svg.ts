import type { Diagram } from './diagram.ts';
import { dotOf } from './dot.ts';

/** The diagram as an SVG document: Graphviz, compiled to WebAssembly, lays it out. Needs no browser and no font. */
export async function svgOf(diagram: Diagram): Promise<string> {
  // 0.8 MB, for nobody who draws nothing.
  const { Graphviz } = await import('@hpcc-js/wasm-graphviz');
  const graphviz = await Graphviz.load();
  return `${graphviz.dot(dotOf(diagram), 'svg').trimEnd()}\n`;
}
