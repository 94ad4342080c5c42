/** What the files in scripts/deploy/ promise: a safe posture, and settings that this program takes. */
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { runDoorman } from "../support/process.ts";
import { findProgram, testWithService } from "../support/services.ts";

const deploy = new URL("../../scripts/deploy/", import.meta.url);

// deno-lint-ignore no-explicit-any -- manifests are read, not typed
type Manifest = any;

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, deploy));
}

async function manifests(): Promise<Manifest[]> {
  const found: Manifest[] = [];
  for (const folder of ["kubernetes/base", "kubernetes/production"]) {
    for await (const file of Deno.readDir(new URL(folder, deploy))) {
      if (file.name === "kustomization.yaml") continue;
      for (const document of parseAllDocuments(await read(`${folder}/${file.name}`))) {
        found.push(document.toJS());
      }
    }
  }
  return found;
}

async function one(kind: string): Promise<Manifest> {
  const found = (await manifests()).filter((manifest) => manifest.kind === kind);
  assert.equal(found.length, 1, kind);
  return found[0];
}

/** Seconds of a duration such as `120s`. */
function seconds(text: string): number {
  const match = /^(\d+)(s|m)$/.exec(text);
  assert.ok(match !== null, text);
  return Number(match[1]) * (match[2] === "m" ? 60 : 1);
}

Deno.test("the pods run without rights, without a writable root, and as a numeric user", async () => {
  const { spec } = (await one("Deployment")).spec.template;
  const [container] = spec.containers;

  assert.equal(spec.containers.length, 1);
  assert.equal(spec.automountServiceAccountToken, false);
  assert.equal(spec.securityContext.runAsNonRoot, true);
  assert.ok(spec.securityContext.runAsUser > 0);
  assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
  assert.equal(container.securityContext.allowPrivilegeEscalation, false);
  assert.equal(container.securityContext.readOnlyRootFilesystem, true);
  assert.deepEqual(container.securityContext.capabilities, { drop: ["ALL"] });
  assert.equal(spec.hostNetwork, undefined);
  assert.ok(spec.volumes.every((volume: Manifest) => volume.hostPath === undefined));
});

Deno.test("a rolling update keeps every pod until another is ready and lets calls in flight end", async () => {
  const { spec } = await one("Deployment");
  const { data } = await one("ConfigMap");
  const budget = await one("PodDisruptionBudget");

  assert.equal(spec.strategy.rollingUpdate.maxUnavailable, 0);
  assert.ok(spec.template.spec.terminationGracePeriodSeconds > seconds(data.SHUTDOWN_TIMEOUT));
  assert.equal(String(spec.replicas), data.MCP_PROXY_REPLICAS);
  assert.ok(budget.spec.minAvailable >= 1 && budget.spec.minAvailable < spec.replicas);
  const [container] = spec.template.spec.containers;
  const metrics = container.ports.find((port: Manifest) => port.name === "metrics");
  assert.equal(container.readinessProbe.httpGet.path, "/readyz");
  assert.equal(container.readinessProbe.httpGet.port, "metrics");
  assert.ok(data.METRICS_ADDR.endsWith(`:${metrics.containerPort}`));
});

Deno.test("no secret stands in a manifest, and the service does not publish the metrics", async () => {
  const all = await manifests();
  const service = await one("Service");

  assert.ok(all.every((manifest) => manifest.kind !== "Secret"));
  const { data } = await one("ConfigMap");
  assert.deepEqual(Object.keys(data).filter((name) => /SECRET|PASSWORD|TOKEN|REDIS_URL/.test(name)), []);
  assert.deepEqual(service.spec.ports.map((port: Manifest) => port.targetPort), ["http"]);
});

Deno.test("the production overlay pins the image and closes the network both ways", async () => {
  const [overlay] = parseAllDocuments(await read("kubernetes/production/kustomization.yaml"));
  const { images } = overlay?.toJS() as { images: { name: string; newTag: string }[] };
  const { spec } = await one("NetworkPolicy");
  const deployment = await one("Deployment");

  assert.deepEqual(spec.policyTypes, ["Ingress", "Egress"]);
  assert.ok(spec.ingress.every((rule: Manifest) => rule.from.length > 0 && rule.ports.length > 0));
  assert.ok(spec.egress.every((rule: Manifest) => rule.ports.length > 0));
  const { image } = deployment.spec.template.spec.containers[0];
  assert.deepEqual(images.map(({ name }) => name), [image.split(":")[0]]);
  assert.ok(images.every(({ newTag }) => /^\d+\.\d+\.\d+$/.test(newTag)));
});

const secrets = {
  OIDC_CLIENT_SECRET: "client-secret-of-a-test",
  TOKEN_SIGNING_SECRET: "kPz4Qv8Jr2Tn6Xw9Bc3Df5Gh7Lm1Sy0Ua4Ve8Zi2",
  REDIS_URL: "redis://redis:6379/0",
};

Deno.test("the ConfigMap and the Secret that it names are a good configuration", async () => {
  const { data } = await one("ConfigMap");

  const { code, stderr } = await runDoorman(["--check-config"], { env: { ...data, ...secrets } });

  assert.equal(code, 0, stderr);
});

Deno.test("the systemd unit's variables and credentials are a good configuration", async () => {
  const unit = await read("systemd/mcp-doorman.service");
  const env: Record<string, string> = {};
  for (const line of (await read("systemd/mcp-doorman.env")).split("\n")) {
    const [name = "", ...value] = line.split("=");
    if (/^[A-Z]/.test(name)) env[name] = value.join("=");
  }
  const folder = await Deno.makeTempDir();
  try {
    for (const [, name = "", file = ""] of unit.matchAll(/^Environment=(\w+)=%d\/(\S+)$/gm)) {
      assert.match(unit, new RegExp(`^LoadCredential=${file}:`, "m"));
      env[name] = `${folder}/${file}`;
      await Deno.writeTextFile(`${folder}/${file}`, secrets.TOKEN_SIGNING_SECRET + "\n");
    }
    const args = /^ExecStart=\S+ (.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
    const { code, stderr } = await runDoorman([...args, "--check-config"], {
      env: { ...env, STATE_DIRECTORY: folder },
    });

    assert.equal(code, 0, stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const timeout = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]);
  const shutdown = (await one("ConfigMap")).data.SHUTDOWN_TIMEOUT;
  assert.ok(timeout > seconds(shutdown));
});

Deno.test("the compose file's settings are a good configuration", async () => {
  const [file] = parseAllDocuments(await read("compose/compose.yaml"));
  const { services } = file?.toJS() as { services: Record<string, { environment: Record<string, string> }> };
  const environment = {
    ...services["mcp-doorman"]?.environment,
    TOKEN_SIGNING_SECRET: secrets.TOKEN_SIGNING_SECRET,
  };

  const { code, stderr } = await runDoorman(["--check-config", "--transport", "http"], { env: environment });

  assert.equal(code, 0, stderr);
});

Deno.test("the compose file's secret is made once, for its owner only", {
  ignore: findProgram("openssl") === undefined,
}, async () => {
  const [, command = ""] = /^# {3}(test -e \.env .*)$/m.exec(await read("compose/compose.yaml")) ?? [];
  const cwd = await Deno.makeTempDir();
  try {
    const texts: string[] = [];
    for (let time = 0; time < 2; time++) {
      const { success } = await new Deno.Command("sh", { args: ["-euc", command], cwd }).output();
      assert.ok(success);
      texts.push(await Deno.readTextFile(`${cwd}/.env`));
    }
    assert.match(texts[0] ?? "", /^TOKEN_SIGNING_SECRET=[0-9a-f]{64}\n$/);
    assert.equal(texts[1], texts[0]);
    assert.equal(((await Deno.stat(`${cwd}/.env`)).mode ?? 0) & 0o777, 0o600);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("the image runs as a numeric user in http mode on every address, and knows its health", async () => {
  const dockerfile = await read("container/Dockerfile");

  assert.match(dockerfile, /^USER \d+:\d+$/m);
  assert.match(dockerfile, /MCP_PROXY_TRANSPORT=http/);
  assert.match(dockerfile, /MCP_PROXY_HOST=0\.0\.0\.0/);
  assert.match(dockerfile, /^HEALTHCHECK /m);
  assert.doesNotMatch(dockerfile, /SECRET|--env-file/);
});

testWithService("systemd", "the systemd unit is sound and exposes little", async (path) => {
  const folder = await Deno.makeTempDir();
  try {
    // The program is not installed where tests run.
    const unit = (await read("systemd/mcp-doorman.service")).replace(
      "/usr/local/bin/mcp-doorman",
      findProgram("true") ?? "",
    );
    await Deno.writeTextFile(`${folder}/mcp-doorman.service`, unit);
    const verify = await new Deno.Command(path, { args: ["verify", `${folder}/mcp-doorman.service`] })
      .output();
    const said = new TextDecoder().decode(verify.stderr).split("\n").filter((line) =>
      line.includes("mcp-doorman")
    );
    assert.deepEqual(said, []);
    const security = await new Deno.Command(path, {
      args: ["security", "--offline=true", "--threshold=20", "--no-pager", `${folder}/mcp-doorman.service`],
    }).output();
    assert.ok(security.success, new TextDecoder().decode(security.stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWithService(
  "kubernetes",
  "every manifest is what Kubernetes' own schemas ask for, without unknown fields",
  async (path) => {
    const files: string[] = [];
    for (const folder of ["kubernetes/base", "kubernetes/production"]) {
      for await (const file of Deno.readDir(new URL(folder, deploy))) {
        if (file.name !== "kustomization.yaml") {
          files.push(new URL(`${folder}/${file.name}`, deploy).pathname);
        }
      }
    }

    const { success, stdout, stderr } = await new Deno.Command(path, { args: ["--strict", ...files] })
      .output();

    assert.ok(files.length >= 6);
    assert.ok(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
  },
);

testWithService(
  "promtool",
  "the alert rules are sound, each fires in its case, and none fires while all is well",
  async (path) => {
    const cwd = new URL("monitoring/", deploy).pathname;
    for (const args of [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]]) {
      const { success, stdout, stderr } = await new Deno.Command(path, { args, cwd }).output();
      assert.ok(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    }
  },
);
