/**
 * The edges of scripts/deploy/edge/ as they stand there, in front of a port of this machine: only names, ports and the
 * certificate are others.
 */
import { unusedPort } from "../fakes/raw_upstream.ts";
import { tlsFiles } from "./tls.ts";

const folder = new URL("../../scripts/deploy/edge/", import.meta.url);

export interface RealEdge extends AsyncDisposable {
  /** The public address, with the certificate of `tests/fixtures/tls`. */
  readonly url: string;
}

/** What the product's own port is in the files. */
const innerPort = "127.0.0.1:8000";

export type EdgeProgram = "caddy" | "nginx";

export interface EdgeOptions {
  readonly inner: number;
  readonly port?: number;
  /** Changes the file, for times that a test cannot wait for. */
  readonly edit?: (config: string) => string;
}

/** Starts the program `path` in front of `inner`, listening on `port`. */
export async function startRealEdge(
  program: EdgeProgram,
  path: string,
  { inner, port = unusedPort(), edit = (config) => config }: EdgeOptions,
): Promise<RealEdge> {
  const work = await Deno.makeTempDir({ prefix: `doorman-${program}-` });
  const config = program === "caddy" ? caddyConfig(port, inner) : nginxConfig(port, inner, work);
  const file = `${work}/${program}.conf`;
  await Deno.writeTextFile(file, edit(config));
  const args = program === "caddy"
    ? ["run", "--config", file, "--adapter", "caddyfile"]
    : ["-p", work, "-c", file, "-e", "stderr"];
  const child = new Deno.Command(path, {
    args,
    env: { HOME: work, XDG_DATA_HOME: work, XDG_CONFIG_HOME: work },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
  })();
  let ended = false;
  child.status.then(() => ended = true);
  const stop = async () => {
    if (!ended) child.kill("SIGTERM");
    await child.status;
    await reading;
    await Deno.remove(work, { recursive: true });
  };
  for (let attempt = 0; attempt < 200 && !ended; attempt++) {
    const open = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    open?.close();
    if (open !== undefined) return { url: `https://localhost:${port}`, [Symbol.asyncDispose]: stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await stop();
  throw new Error(`${program} did not start:\n${said}`);
}

function caddyConfig(port: number, inner: number): string {
  const site = Deno.readTextFileSync(new URL("Caddyfile", folder))
    .replace(
      "mcp.example.com {",
      `https://localhost:${port} {\n\ttls ${tlsFiles.serverCert} ${tlsFiles.serverKey}`,
    )
    .replaceAll(innerPort, `127.0.0.1:${inner}`);
  return site.replace(/^\{$/m, "{\n\tadmin off\n\tauto_https disable_redirects");
}

function nginxConfig(port: number, inner: number, work: string): string {
  const site = Deno.readTextFileSync(new URL("nginx.conf", folder))
    .replaceAll(innerPort, `127.0.0.1:${inner}`)
    .replaceAll(/listen (\[::\]:)?443/g, (_all, v6 = "") => `listen ${v6}${port}`)
    .replaceAll("mcp.example.com;", "localhost;")
    .replace(/ssl_certificate \S+;/, `ssl_certificate ${tlsFiles.serverCert};`)
    .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${tlsFiles.serverKey};`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${work}/${name};`).join("\n");
  const user = Deno.uid() === 0 ? "user root;\n" : "";
  return `${user}daemon off;\npid ${work}/pid;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${site}\n}\n`;
}
