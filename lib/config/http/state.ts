/** Keys and store: what must outlive a restart or be shared by replicas. */
import type { KeyConfig } from "../../crypto/config.ts";
import { secretWeakness, weaknessText } from "../../crypto/secret_strength.ts";
import type { StoreConfig } from "../../store/config.ts";
import { userFolder } from "../folders.ts";
import { present } from "../present.ts";
import type { Reading } from "../reading.ts";
import { label } from "../settings.ts";

/** The folder of key and store. */
export function stateFolder(reading: Reading): string {
  // systemd gives several folders between colons; the first is ours.
  const given = Deno.build.os === "windows"
    ? reading.values.stateDir
    : reading.values.stateDir?.split(":")[0];
  const folder = given ?? userFolder("state", reading);
  if (folder === undefined) {
    reading.problems.push(`Cannot find a home folder for the state: set HOME or ${label("stateDir")}`);
  }
  return folder ?? "";
}

/** The signing keys; `violations` collects what production refuses. */
export function keyConfig(
  reading: Reading,
  folder: string,
  audience: string,
  violations: string[],
): KeyConfig {
  const { values, problems, warnings } = reading;
  const previousSecrets = (values.previousSecrets ?? "").split(/\s+/).filter((secret) => secret !== "");
  const named = [
    ...(values.signingSecret === undefined ? [] : [[label("signingSecret"), values.signingSecret] as const]),
    ...previousSecrets.map((secret, at) =>
      [`TOKEN_SIGNING_SECRETS_PREVIOUS, entry ${at + 1}`, secret] as const
    ),
  ];
  for (const [name, secret] of named) {
    const weakness = secretWeakness(secret);
    if (weakness === undefined) continue;
    const found = `${name}: it ${weaknessText(weakness)}`;
    if (weakness === "too_short") {
      problems.push(`Cannot use ${found}; \`mcp-doorman secret\` prints a good one`);
    } else if (values.prodMode) {
      violations.push(found);
    } else {
      warnings.push({
        event: "token_signing_secret_weak",
        setting: "TOKEN_SIGNING_SECRET",
        hint: "`mcp-doorman secret` prints a good one",
      });
    }
  }
  const shared = values.redisUrl !== undefined && values.inbound !== "none";
  if (shared && !reading.given.has("signingSecret")) {
    problems.push(
      `Cannot use ${label("redisUrl")} without ${label("signingSecret")}: replicas must share it`,
    );
  }
  return present({
    secret: values.signingSecret,
    previousSecrets,
    keyFile: `${folder}/signing.key`,
    audience,
  });
}

/** The store. */
export function storeConfig({ values, given, problems }: Reading, folder: string): StoreConfig {
  if (values.redisUrl !== undefined) {
    return { kind: "redis", url: values.redisUrl, keyPrefix: values.redisKeyPrefix };
  }
  if (!given.has("redisUrl")) {
    if (values.redisRequired) {
      problems.push(`Cannot start without ${label("redisUrl")}: REDIS_REQUIRED is true`);
    }
    for (const key of ["replicas", "workers"] as const) {
      if (values[key] > 1) {
        problems.push(
          `Cannot use ${given.get(key)}=${values[key]} without ${
            label("redisUrl")
          }: the store on a file has one owner`,
        );
      }
    }
    if (values.reusePort) {
      problems.push(
        `Cannot use ${given.get("reusePort")} without ${
          label("redisUrl")
        }: the store on a file has one owner`,
      );
    }
  }
  return { kind: "kv", path: `${folder}/store.kv` };
}
