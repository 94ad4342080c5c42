/** Resident memory of a process in MiB; Linux only. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Looks at a process's memory every 20 ms until it is disposed. */
export function watchMemory(
  pid: number,
): { readonly peakMiB: number; [Symbol.asyncDispose](): Promise<void> } {
  let peakMiB = 0;
  let ended = false;
  const looking = (async () => {
    while (!ended) {
      peakMiB = Math.max(peakMiB, await residentMiB(pid).catch(() => 0));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    get peakMiB() {
      return peakMiB;
    },
    async [Symbol.asyncDispose]() {
      ended = true;
      await looking;
    },
  };
}

/** Time on a CPU of all threads of a process that are alive, in milliseconds; Linux only. */
export async function cpuMs(pid: number): Promise<number> {
  let ns = 0;
  for await (const thread of Deno.readDir(`/proc/${pid}/task`)) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${thread.name}/schedstat`).catch(() => "0");
    ns += Number(text.split(" ")[0]);
  }
  return ns / 1e6;
}

/** File descriptors that a process has open; Linux only. */
export function openDescriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}
