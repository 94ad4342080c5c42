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

/** User and system time of a process so far, its children that were waited for included, in milliseconds; Linux only. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
