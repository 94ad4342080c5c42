/**
 * A real Keycloak on loopback. The distribution comes from Maven Central by Maven and is kept, unpacked, in the user's
 * cache folder; each start has an empty database in memory. With `TEST_KEYCLOAK_URL` one that runs already is used (its
 * admin must be `admin` / `admin-pw`).
 */
import { findProgram } from "./services.ts";

const version = "26.7.3";
const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`;
const copyGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";
const admin = { username: "admin", password: "admin-pw" };

/** Whether the suite was asked for; it takes a minute or two and half a gigabyte. */
export const keycloakWanted = Deno.env.get("TEST_KEYCLOAK") === "1";

export interface Keycloak extends AsyncDisposable {
  readonly url: string;
  /** One call of the admin interface below `/admin/realms`; anything but success throws. */
  admin<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
}

/** Starts it, or finds the one that runs; takes half a minute, the first time two. */
export async function startKeycloak(): Promise<Keycloak> {
  const running = Deno.env.get("TEST_KEYCLOAK_URL");
  if (running !== undefined && running !== "") return keycloakAt(running, () => Promise.resolve());
  const home = await unpackedDistribution();
  const [port, management] = [unusedPort(), unusedPort()];
  const child = new Deno.Command(`${home}/bin/kc.sh`, {
    args: [
      "start-dev",
      "--db=dev-mem",
      "--http-host=127.0.0.1",
      `--http-port=${port}`,
      `--http-management-port=${management}`,
      "--log-level=warn",
    ],
    env: {
      ...javaHome(),
      KC_BOOTSTRAP_ADMIN_USERNAME: admin.username,
      KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
      JAVA_OPTS_KC_HEAP: "-Xms64m -Xmx512m",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said: string[] = [];
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) said.push(text);
  });
  const stop = async () => {
    try {
      // kc.sh replaces itself by Java, so this is Keycloak's own process.
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await child.status;
    await Promise.all(reading);
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilUp(url, child.status);
  } catch (error) {
    await stop();
    throw new Error(`Keycloak did not start: ${said.join("").slice(-4_000)}`, { cause: error });
  }
  return keycloakAt(url, stop);
}

function keycloakAt(url: string, stop: () => Promise<void>): Keycloak {
  return {
    url,
    async admin<T>(method: string, path: string, body?: unknown): Promise<T> {
      // The admin's token lives for a minute.
      const form = { grant_type: "password", client_id: "admin-cli", ...admin };
      const login = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
        method: "POST",
        body: new URLSearchParams(form),
      });
      const { access_token: token } = await login.json();
      const response = await fetch(`${url}/admin/realms${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`Keycloak: ${method} ${path}: ${response.status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function untilUp(url: string, status: Promise<Deno.CommandStatus>): Promise<void> {
  let ended = false;
  status.then(() => ended = true);
  const until = Date.now() + 240_000;
  while (!ended && Date.now() < until) {
    // The port answers before the realm is there.
    const answer = await fetch(`${url}/realms/master`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(ended ? "it ended by itself" : "it does not answer");
}

/** The folder of the unpacked distribution; fetched and unpacked once. */
async function unpackedDistribution(): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  const folder = `${cache}/mcp-doorman-tests`;
  const home = `${folder}/keycloak-${version}`;
  if (await exists(`${home}/bin/kc.sh`)) return home;
  await Deno.mkdir(folder, { recursive: true });
  using lock = await Deno.open(`${folder}/lock`, { create: true, write: true });
  await lock.lock(true);
  if (await exists(`${home}/bin/kc.sh`)) return home;
  await run("mvn", ["-q", "-B", copyGoal, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`]);
  // Unpacked beside its place first, so that a half-unpacked one is never taken for whole.
  const half = await Deno.makeTempDir({ dir: folder });
  await run("unzip", ["-q", `${folder}/keycloak-quarkus-dist-${version}.zip`, "-d", half]);
  await Deno.rename(`${half}/keycloak-${version}`, home);
  await Deno.remove(half);
  return home;
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} failed: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** The newest Java of the usual places; without one the `java` on PATH. */
function javaHome(): Record<string, string> {
  const given = Deno.env.get("JAVA_HOME");
  if (given !== undefined && given !== "") return { JAVA_HOME: given };
  const places = "/usr/lib/jvm";
  try {
    const found = [...Deno.readDirSync(places)].map(({ name }) => ({
      name,
      major: Number(/\d+/.exec(name)?.[0]),
    }))
      .filter(({ name, major }) => major >= 17 && findAt(`${places}/${name}/bin/java`))
      .sort((a, b) => b.major - a.major);
    return found[0] === undefined ? {} : { JAVA_HOME: `${places}/${found[0].name}` };
  } catch {
    return {};
  }
}

function findAt(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function unusedPort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** What the suite needs and does not find. */
export function missingForKeycloak(): string[] {
  if ((Deno.env.get("TEST_KEYCLOAK_URL") ?? "") !== "") return [];
  return ["java", "mvn", "unzip"].filter((program) => findProgram(program) === undefined);
}
