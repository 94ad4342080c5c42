import { createHash } from "node:crypto";

/** A package registry on loopback that holds what was packed here and knows of nothing else. */
export interface NpmRegistry extends AsyncDisposable {
  readonly url: string;
  /** Names and tarballs that were asked for. */
  readonly asked: string[];
  /** Takes in a folder's tarball, as `npm publish` would. */
  publish(tarball: string, manifest: Record<string, unknown>): Promise<void>;
}

/** Serves packages in the form that npm reads: a document for each name, and the tarballs it links to. */
export function startNpmRegistry(): NpmRegistry {
  const documents = new Map<string, Record<string, unknown>>();
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname.slice(1));
    asked.push(path);
    const file = files.get(path);
    if (file !== undefined) return new Response(file);
    const document = documents.get(path);
    return document === undefined ? new Response("{}", { status: 404 }) : Response.json(document);
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return {
    url,
    asked,
    async publish(tarball, manifest) {
      const bytes = await Deno.readFile(tarball);
      const { name, version } = manifest as { name: string; version: string };
      const path = `${name}/-/${name}-${version}.tgz`;
      files.set(path, bytes);
      const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
      documents.set(name, {
        name,
        "dist-tags": { latest: version },
        versions: { [version]: { ...manifest, dist: { tarball: url + path, integrity } } },
      });
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
