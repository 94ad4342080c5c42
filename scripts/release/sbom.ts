/**
 * What is in the executable, as SPDX 2.3: the packages that `main.ts` reaches, from Deno's own module graph and lock
 * file, and the Deno inside. `sbom.ts > dist/mcp-doorman.spdx.json`.
 */
import { readStamp, type Stamp } from "../build/stamp.ts";
import { project } from "../../lib/base/version.ts";

/** The part of `deno info --json` that is read. */
export interface Graph {
  readonly modules: readonly { readonly kind?: string; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, Package>>;
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly registryUrl: string;
  /** Where Deno keeps it. */
  readonly localPath: string;
}

/** The part of `deno.lock` that is read. */
export interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** The ids of the packages that are imported, and of all that those depend on, each once, in order. */
export function reached(graph: Graph): readonly string[] {
  const found = new Set<string>();
  const waiting = graph.modules.flatMap(({ npmPackage }) => npmPackage ?? []);
  for (const id of waiting) {
    if (found.has(id)) continue;
    found.add(id);
    waiting.push(...graph.npmPackages[id]?.dependencies ?? []);
  }
  return [...found].sort();
}

/** The document. `licenseOf` gives a package's licence in SPDX's words. */
export function sbom(
  graph: Graph,
  lock: Lock,
  stamp: Stamp,
  { deno, licenseOf }: { deno: string; licenseOf: (one: Package) => string | undefined },
): Record<string, unknown> {
  const ids = reached(graph);
  const packages = ids.map((id) => {
    const one = graph.npmPackages[id];
    if (one === undefined) throw new TypeError(`no package ${id} in the graph`);
    const { name, version } = one;
    const integrity = lock.npm[id]?.integrity;
    return {
      ...described(`npm-${id}`, name, version, `pkg:npm/${name.replace("@", "%40")}@${version}`),
      downloadLocation: `${one.registryUrl}${name}/-/${name.split("/").at(-1)}-${version}.tgz`,
      licenseDeclared: licenseOf(one) ?? "NOASSERTION",
      ...(integrity === undefined ? {} : { checksums: [checksum(integrity)] }),
    };
  });
  const main = {
    ...described("mcp-doorman", project.name, stamp.version, `pkg:npm/${project.npm}@${stamp.version}`),
    downloadLocation: `git+${project.url}@${stamp.commit}`,
    licenseDeclared: "MIT",
  };
  const runtime = {
    ...described("deno", "deno", deno, `pkg:github/denoland/deno@v${deno}`),
    downloadLocation: "https://github.com/denoland/deno",
    licenseDeclared: "MIT",
  };
  const inside = [runtime, ...packages];
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${project.name}-${stamp.version}`,
    documentNamespace: `${project.url}/spdx/${stamp.version}-${stamp.commit}`,
    creationInfo: {
      created: stamp.date.replace(/\.\d+Z$/, "Z"),
      creators: [`Tool: ${project.name}-sbom-${stamp.version}`],
    },
    packages: [main, ...inside],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: main.SPDXID },
      ...inside.map(({ SPDXID }) => ({
        spdxElementId: main.SPDXID,
        relationshipType: "CONTAINS",
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
}

function described(id: string, name: string, version: string, purl: string) {
  return {
    SPDXID: `SPDXRef-${id.replaceAll(/[^A-Za-z0-9.-]+/g, "-")}`,
    name,
    versionInfo: version,
    filesAnalyzed: false,
    licenseConcluded: "NOASSERTION",
    copyrightText: "NOASSERTION",
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
  };
}

/** npm's `sha512-<base64>` in SPDX's words. */
function checksum(integrity: string): { algorithm: string; checksumValue: string } {
  const [algorithm = "", base64 = ""] = integrity.split("-");
  const hex = Array.from(atob(base64), (unit) => unit.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  return { algorithm: algorithm.toUpperCase(), checksumValue: hex };
}

if (import.meta.main) {
  const main = new URL("../../main.ts", import.meta.url).href;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", main] }).output();
  const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("../../deno.lock", import.meta.url)));
  const licenseOf = ({ localPath }: Package): string | undefined => {
    const { license } = JSON.parse(Deno.readTextFileSync(`${localPath}/package.json`));
    return typeof license === "string" ? license : undefined;
  };
  console.log(
    JSON.stringify(sbom(graph, lock, await readStamp(), { deno: Deno.version.deno, licenseOf }), null, 2),
  );
}
