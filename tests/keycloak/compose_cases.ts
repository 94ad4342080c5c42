import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { unusedPort } from "../fakes/raw_upstream.ts";
import { call, logIn } from "../support/oauth_client.ts";
import type { Keycloak } from "../support/keycloak.ts";
import { startDoorman } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { findService } from "../support/services.ts";
import { keycloakBrowser } from "./realm.ts";

const root = new URL("../../", import.meta.url);

interface ComposeFile {
  services: Record<string, { environment?: Record<string, string>; command?: string[] }>;
}

/** The services of the compose file as plain processes, with its own settings; only addresses are others. */
export const composeCases: Record<string, (keycloak: Keycloak) => Promise<void>> = {
  "compose: the services of the compose file work together": async (keycloak) => {
    const folder = new URL("scripts/deploy/compose/", root);
    const [document] = parseAllDocuments(await Deno.readTextFile(new URL("compose.yaml", folder)));
    const { services } = document?.toJS() as ComposeFile;
    const ports = { doorman: unusedPort(), server: unusedPort() };
    const baseUrl = `http://localhost:${ports.doorman}`;
    const realm = JSON.parse(
      (await Deno.readTextFile(new URL("realm.json", folder))).replaceAll("http://localhost:8000", baseUrl),
    );
    await keycloak.admin("DELETE", `/${realm.realm}`).catch(() => {});
    await keycloak.admin("POST", "", realm);

    await using redis = await startRedis(findService("redis").path ?? "redis-server");
    const command = services["mcp-server"]?.command ?? [];
    const server = new Deno.Command(Deno.execPath(), {
      args: command.map((arg) =>
        arg === "--port=3000" ? `--port=${ports.server}` : arg.replace("0.0.0.0", "127.0.0.1")
      ),
      cwd: root.pathname,
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const environment: Record<string, string> = {};
      for (const [name, value] of Object.entries(services["mcp-doorman"]?.environment ?? {})) {
        environment[name] = value.replace("http://localhost:8000", baseUrl)
          .replace("http://keycloak.localhost:8180", keycloak.url)
          .replace("http://mcp-server:3000", `http://127.0.0.1:${ports.server}`)
          .replace("redis://redis:6379", redis.url);
      }
      await using process = startDoorman([], {
        env: {
          ...environment,
          // What the image sets.
          MCP_PROXY_TRANSPORT: "http",
          MCP_PROXY_HOST: "127.0.0.1",
          MCP_PROXY_PORT: String(ports.doorman),
          METRICS_ADDR: "127.0.0.1:0",
          TOKEN_SIGNING_SECRET: "kPz4Qv8Jr2Tn6Xw9Bc3Df5Gh7Lm1Sy0Ua4Ve8Zi2",
        },
      });
      await process.line("stderr", /"listening"/);

      const { tokens } = await logIn(`${baseUrl}/mcp`, { browser: keycloakBrowser("alice") });
      const answer = await call(`${baseUrl}/mcp`, tokens.access_token, {
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: {
          protocolVersion: "2025-06-18",
          capabilities: {},
          clientInfo: { name: "compose", version: "1" },
        },
      });
      assert.match(await answer.text(), /sample-server/);
    } finally {
      server.kill("SIGTERM");
      await server.status;
      await keycloak.admin("DELETE", `/${realm.realm}`);
    }
  },
};
