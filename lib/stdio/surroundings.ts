/** Whether the user's browser is likely to be on another machine than this program, and what to do about it. */
import type { Env } from "../base/files.ts";

/** What is looked at; tests hand in their own. */
export interface Surroundings {
  readonly env: Env;
  readonly exists: (path: string) => boolean;
  readonly osRelease: () => string;
}

/** Where the callback cannot simply arrive. */
export type Remoteness = "ssh" | "wsl" | "container";

/** @returns `undefined` on an ordinary desktop. */
export function remoteness({ env, exists, osRelease }: Surroundings): Remoteness | undefined {
  if (env("SSH_CONNECTION") ?? env("SSH_TTY")) return "ssh";
  const container = env("KUBERNETES_SERVICE_HOST") ?? env("REMOTE_CONTAINERS") ?? env("CODESPACES") ??
    env("container");
  if (container || exists("/.dockerenv") || exists("/run/.containerenv")) return "container";
  if (env("WSL_DISTRO_NAME") || /microsoft/i.test(osRelease())) return "wsl";
  return undefined;
}

/** What to tell the user beside the address; `port` is the callback's, `device` whether the server knows such logins. */
export function remoteHint(where: Remoteness, port: string, device: boolean): string {
  const other = device ? "use a device login (OIDC_GRANT=device_code), or " : "";
  const paste = other + "run `mcp-doorman login --paste` here and paste the address that the browser ends on";
  switch (where) {
    case "ssh":
      return `This machine is reached over SSH: if your browser is elsewhere, forward the port (ssh -L ${port}:localhost:${port} …), or ${paste}.`;
    case "container":
      return `This looks like a container: if your browser cannot reach port ${port} in it, ${paste}.`;
    case "wsl":
      return `This is WSL: if the browser on Windows does not come back to port ${port}, ${paste}.`;
  }
}

/** The machine as it is. */
export const thisMachine: Surroundings = {
  env: (name) => Deno.env.get(name) || undefined,
  exists(path) {
    try {
      Deno.statSync(path);
      return true;
    } catch {
      return false;
    }
  },
  osRelease: () => Deno.build.os === "linux" ? Deno.osRelease() : "",
};
