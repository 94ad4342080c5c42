/** CPU and memory of one process, from /proc; nothing on systems without it. */

/** User and system time so far, in milliseconds (10 ms ticks). */
export function cpuMs(pid: number | undefined): number | undefined {
  if (pid === undefined || Deno.build.os !== "linux") return undefined;
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory in MB. */
export function rssMb(pid: number | undefined): number | undefined {
  if (pid === undefined || Deno.build.os !== "linux") return undefined;
  const kb = /VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  return kb === undefined ? undefined : Number(kb) / 1024;
}
