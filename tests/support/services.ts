/**
 * Real servers that are not part of this repository: found on the machine or not. A test that needs one is skipped
 * with a message where it is missing, and fails under `REQUIRE_SERVICES=1`.
 */

export interface Service {
  /** As in messages, such as `Redis`. */
  readonly name: string;
  /** The program, if it is there. */
  readonly path: string | undefined;
  /** How to get it. */
  readonly hint: string;
}

const known = {
  redis: { name: "Redis", programs: ["redis-server", "valkey-server"], hint: "apt-get install redis-server" },
  chromium: {
    name: "Chromium",
    programs: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    hint: "apt-get install chromium",
  },
  java: { name: "Java (for Keycloak)", programs: ["java"], hint: "apt-get install default-jre-headless" },
  promtool: { name: "promtool", programs: ["promtool"], hint: "apt-get install prometheus" },
  kubernetes: {
    name: "kubernetes-validate",
    programs: ["kubernetes-validate"],
    hint: "pip install kubernetes-validate",
  },
  caddy: { name: "Caddy", programs: ["caddy"], hint: "apt-get install caddy" },
  nginx: { name: "nginx", programs: ["nginx"], hint: "apt-get install nginx-light" },
  jq: { name: "jq", programs: ["jq"], hint: "apt-get install jq" },
  curl: { name: "curl", programs: ["curl"], hint: "apt-get install curl" },
  systemd: { name: "systemd-analyze", programs: ["systemd-analyze"], hint: "apt-get install systemd" },
} as const;

export type ServiceName = keyof typeof known;

export function findService(service: ServiceName): Service {
  const { name, programs, hint } = known[service];
  return { name, hint, path: programs.map(findProgram).find((path) => path !== undefined) };
}

export function allServices(): Service[] {
  return (Object.keys(known) as ServiceName[]).map(findService);
}

/** Defines a test that runs only where the service is; the program's path is handed in. */
export function testWithService(
  service: ServiceName,
  name: string,
  run: (path: string, context: Deno.TestContext) => Promise<void>,
): void {
  const { path, name: title, hint } = findService(service);
  const required = Deno.env.get("REQUIRE_SERVICES") === "1";
  Deno.test({
    name,
    ignore: path === undefined && !required,
    fn: async (context) => {
      if (path === undefined) throw new Error(`${title} is not installed (${hint})`);
      await run(path, context);
    },
  });
}

/** The full path of a program on PATH. */
export function findProgram(program: string): string | undefined {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const names = Deno.build.os === "windows" ? [`${program}.exe`] : [program];
  // Servers are often where only an administrator's PATH leads.
  const more = Deno.build.os === "windows" ? [] : ["/usr/sbin", "/usr/local/sbin"];
  for (const folder of [...(Deno.env.get("PATH") ?? "").split(separator), ...more]) {
    if (folder === "") continue;
    for (const name of names) {
      const path = `${folder}/${name}`;
      try {
        if (Deno.statSync(path).isFile) return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}
