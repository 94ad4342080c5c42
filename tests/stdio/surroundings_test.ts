import assert from "node:assert/strict";
import { remoteHint, remoteness } from "../../lib/stdio/surroundings.ts";

function at(env: Record<string, string>, files: string[] = [], osRelease = "6.1.0-generic") {
  return remoteness({
    env: (name) => env[name],
    exists: (path) => files.includes(path),
    osRelease: () => osRelease,
  });
}

Deno.test("an SSH session, a container and WSL are noticed, a desktop is not", () => {
  assert.equal(at({ DISPLAY: ":0" }), undefined);
  assert.equal(at({ SSH_CONNECTION: "1.2.3.4 5 6.7.8.9 22" }), "ssh");
  assert.equal(at({}, ["/.dockerenv"]), "container");
  assert.equal(at({}, ["/run/.containerenv"]), "container");
  assert.equal(at({ KUBERNETES_SERVICE_HOST: "10.0.0.1" }), "container");
  assert.equal(at({ CODESPACES: "true" }), "container");
  assert.equal(at({}, [], "5.15.90.1-microsoft-standard-WSL2"), "wsl");
  assert.equal(at({ WSL_DISTRO_NAME: "Ubuntu" }), "wsl");
});

Deno.test("each hint names the port and the way with a paste", () => {
  for (const where of ["ssh", "container", "wsl"] as const) {
    assert.match(remoteHint(where, "8123", false), /8123/);
    assert.match(remoteHint(where, "8123", false), /mcp-doorman login --paste/);
    assert.doesNotMatch(remoteHint(where, "8123", false), /device_code/);
    assert.match(remoteHint(where, "8123", true), /OIDC_GRANT=device_code/);
  }
});
