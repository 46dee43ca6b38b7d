/**
 * What Node is told where a bundle runs: in images, end-to-end tests and benches. By default its young generation may grow to
 * 48 MiB however little is kept; of the controller nobody wants the speed that buys, as it waits for answers. And in a container
 * of 256 MiB the heap may grow to 268 before much is collected: half of the container's memory leaves room for all else.
 */
export const nodeFlags: Readonly<Record<'controller', readonly string[]>> = {
  controller: ['--max-semi-space-size=4', '--max-old-space-size-percentage=50'],
};

/** For any of them: each thread of Node's would otherwise keep memory of its own that nobody gives back. Read by glibc. */
export const nodeEnv: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };
