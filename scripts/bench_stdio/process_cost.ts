/** What a process has cost so far; Linux only, elsewhere nothing is known. */
export async function processCost(pid: number): Promise<{ cpuMs: number; rssMiB: number }> {
  try {
    let cpuMs = 0;
    for await (const thread of Deno.readDir(`/proc/${pid}/task`)) {
      const stat = await Deno.readTextFile(`/proc/${pid}/task/${thread.name}/schedstat`).catch(() => "0");
      cpuMs += Number(stat.split(" ")[0]) / 1e6;
    }
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return { cpuMs, rssMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  } catch {
    return { cpuMs: NaN, rssMiB: NaN };
  }
}
